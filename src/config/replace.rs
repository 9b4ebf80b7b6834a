//! Replaces a file in one step.
//!
//! **Invariant:** whoever reads the file meets the old content or the new one, never a part; when anything fails the
//! old file stands as it was, and nothing is left beside it.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

/// The bits of a mode that say who may do what.
const MODE_BITS: u32 = 0o7777;

/// Puts `content` in the place of the file at `path`; mode and owner stay. A file that is new gets `mode`.
///
/// A symbolic link stays one: the file it leads to is replaced.
///
/// # Errors
///
/// The system's own: no such folder, no permission, no room. The file is then as it was.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let before = fs::metadata(&target).ok();
    let temporary = beside(&target)?;
    // What a process with this number left when it was killed.
    fs::remove_file(&temporary).ok();
    let written = write(&temporary, content, mode, before.as_ref())
        .and_then(|()| fs::rename(&temporary, &target));
    if written.is_err() {
        fs::remove_file(&temporary).ok();
    }
    written?;
    // That the new name is on the disk too.
    target.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn beside(target: &Path) -> io::Result<PathBuf> {
    let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.new", std::process::id()));
    Ok(target.with_file_name(temporary))
}

fn write(path: &Path, content: &[u8], mode: u32, before: Option<&Metadata>) -> io::Result<()> {
    // For nobody else until it is whole: it may hold a secret.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    if let Some(before) = before {
        let now = file.metadata()?;
        if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
            fchown(&file, Some(before.uid()), Some(before.gid()))?;
        }
    }
    let mode = before.map_or(mode, |before| before.mode() & MODE_BITS);
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        (folder, path)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & MODE_BITS
    }

    #[test]
    fn a_new_file_gets_the_mode_and_an_old_one_keeps_its_own() {
        let (_folder, path) = folder();
        replace(&path, b"one", 0o640).unwrap();
        assert_eq!(mode(&path), 0o640);
        fs::set_permissions(&path, Permissions::from_mode(0o604)).unwrap();
        replace(&path, b"two", 0o640).unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o604, b"two".to_vec()));
    }

    #[test]
    fn an_old_file_keeps_its_owner() {
        let (_folder, path) = folder();
        fs::write(&path, "one").unwrap();
        let own = fs::metadata(&path).unwrap();
        // Only root may give files away; anybody else keeps their own.
        let (uid, gid) = if own.uid() == 0 { (65534, 65534) } else { (own.uid(), own.gid()) };
        std::os::unix::fs::chown(&path, Some(uid), Some(gid)).unwrap();
        replace(&path, b"two", 0o640).unwrap();
        let kept = fs::metadata(&path).unwrap();
        assert_eq!((kept.uid(), kept.gid()), (uid, gid));
    }

    #[test]
    fn a_link_stays_a_link() {
        let (folder, path) = folder();
        let link = folder.path().join("link");
        fs::write(&path, "one").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        replace(&link, b"two", 0o640).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }

    #[test]
    fn nothing_is_left_beside_it_whether_it_worked_or_not() {
        let (folder, path) = folder();
        replace(&path, b"one", 0o640).unwrap();
        // A folder cannot be replaced by a file.
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        assert!(replace(&taken, b"two", 0o640).is_err());
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["file", "taken"]);
    }
}

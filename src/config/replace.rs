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

/// Puts `content` in the place of the file at `path`: a file of ours with this mode, whatever stood there before. A
/// symbolic link is replaced, not followed: others may write into the folder.
///
/// # Errors
///
/// The system's own: no such folder, no permission, no room. The file is then as it was.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    exchange(path, content, mode, None)
}

/// The same for a file that belongs to somebody: mode and owner stay, and a symbolic link stays one, since the file it
/// leads to is replaced.
///
/// # Errors
///
/// As for [`replace`]; also when there is no such file.
pub fn replace_as_it_is(path: &Path, content: &[u8]) -> io::Result<()> {
    let target = fs::canonicalize(path)?;
    let before = fs::metadata(&target)?;
    exchange(&target, content, before.mode() & MODE_BITS, Some(&before))
}

fn exchange(target: &Path, content: &[u8], mode: u32, owner: Option<&Metadata>) -> io::Result<()> {
    let temporary = beside(target)?;
    // What a process with this number left when it was killed.
    fs::remove_file(&temporary).ok();
    let written =
        write(&temporary, content, mode, owner).and_then(|()| fs::rename(&temporary, target));
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

fn write(path: &Path, content: &[u8], mode: u32, owner: Option<&Metadata>) -> io::Result<()> {
    // For nobody else until it is whole: it may hold a secret.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    if let Some(owner) = owner {
        let now = file.metadata()?;
        if (now.uid(), now.gid()) != (owner.uid(), owner.gid()) {
            fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
        }
    }
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

    /// Gives the file away where this is root, who alone may; says whose it is then.
    fn given_away(path: &Path) -> (u32, u32) {
        let own = fs::metadata(path).unwrap();
        let (uid, gid) = if own.uid() == 0 { (65534, 65534) } else { (own.uid(), own.gid()) };
        std::os::unix::fs::chown(path, Some(uid), Some(gid)).unwrap();
        (uid, gid)
    }

    fn owner(path: &Path) -> (u32, u32) {
        let metadata = fs::metadata(path).unwrap();
        (metadata.uid(), metadata.gid())
    }

    #[test]
    fn a_file_of_ours_is_ours_with_its_mode_whatever_stood_there() {
        let (folder, path) = folder();
        replace(&path, b"one", 0o640).unwrap();
        let ours = owner(&path);
        assert_eq!(mode(&path), 0o640);
        fs::set_permissions(&path, Permissions::from_mode(0o606)).unwrap();
        given_away(&path);
        replace(&path, b"two", 0o644).unwrap();
        assert_eq!((mode(&path), owner(&path)), (0o644, ours));

        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        replace(&link, b"three", 0o644).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
        assert_eq!(fs::read(&path).unwrap(), b"two", "what the link led to is not touched");
    }

    #[test]
    fn a_file_of_somebody_keeps_mode_and_owner_and_a_link_stays_a_link() {
        let (folder, path) = folder();
        assert!(replace_as_it_is(&path, b"none").is_err(), "it is not made");
        fs::write(&path, "one").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o604)).unwrap();
        let theirs = given_away(&path);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        replace_as_it_is(&link, b"two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!((mode(&path), owner(&path)), (0o604, theirs));
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

//! The key that seals tokens and private keys in the database.
//!
//! **Invariant:** an existing key is never overwritten, and a file that is seen at all holds a whole key: it is
//! written under another name first and linked into place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::variables::Variables;
use crate::ports::entropy::Entropy;

/// Bytes of a key.
const BYTES: usize = 32;

/// Where the key is kept.
#[derive(Debug, Clone)]
pub enum SealKeySource {
    /// `server.secret_key` says it, by itself or by reference: 64 hex characters.
    Configured(SecretString),
    /// systemd hands it over (`LoadCredential=secret-key:…`).
    Credential(PathBuf),
    /// Beside the configuration file; made when it is not there.
    Beside(PathBuf),
}

impl SealKeySource {
    /// Takes the key that `server.secret_key` says.
    pub(super) fn configured(text: &SecretString) -> Result<Self, String> {
        checked(text.expose_secret()).map(Self::Configured).ok_or_else(|| {
            "this is not a key: 64 hex characters, as `openssl rand -hex 32` makes them".to_owned()
        })
    }

    /// Where the key is when `server.secret_key` is empty.
    pub(super) fn default_for(config: &Path, variables: &Variables) -> Self {
        let credential = variables
            .get("CREDENTIALS_DIRECTORY")
            .map(|folder| Path::new(folder).join("secret-key"))
            .filter(|path| path.exists());
        match credential {
            Some(path) => Self::Credential(path),
            None => Self::Beside(config.with_file_name("secret.key")),
        }
    }

    /// Reads the key, or makes it where this is the first start: 64 hex characters, and the file if it was made now.
    ///
    /// # Errors
    ///
    /// [`SealKeyError`], which says what to do.
    pub fn load_or_make(
        &self,
        entropy: &dyn Entropy,
    ) -> Result<(SecretString, Option<PathBuf>), SealKeyError> {
        match self {
            Self::Configured(key) => Ok((key.clone(), None)),
            Self::Credential(path) => Ok((read(path)?, None)),
            Self::Beside(path) if path.exists() => Ok((read(path)?, None)),
            Self::Beside(path) => {
                make(path, entropy)
                    .map_err(|source| SealKeyError::NotMade { path: path.clone(), source })?;
                Ok((read(path)?, Some(path.clone())))
            }
        }
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SealKeyError {
    /// The file exists, but cannot be read.
    #[error(
        "the secret key {path} cannot be read; the user that runs splynx-bitpay must be able to"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// By the system's word.
        source: io::Error,
    },
    /// The file does not exist and cannot be made.
    #[error(
        "the secret key {path} is not there and cannot be made. Where payments are in the database already, put it back \
         from your backup; else make it with `openssl rand -hex 32`, readable for the user that runs splynx-bitpay and \
         nobody else"
    )]
    NotMade {
        /// The file.
        path: PathBuf,
        /// By the system's word.
        source: io::Error,
    },
    /// There is something, but no key.
    #[error("{path} does not hold a key: 64 hex characters, as `openssl rand -hex 32` makes them")]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
}

fn read(path: &Path) -> Result<SecretString, SealKeyError> {
    let unreadable = |source| SealKeyError::Unreadable { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(unreadable)?.permissions().mode();
    if mode & 0o007 != 0 {
        tracing::warn!(path = %path.display(), "the secret key is open to every user of this machine; chmod 600 it");
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(unreadable)?);
    checked(&text).ok_or_else(|| SealKeyError::NotAKey { path: path.to_owned() })
}

fn checked(text: &str) -> Option<SecretString> {
    let text = text.trim();
    let good = text.len() == BYTES * 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    good.then(|| text.to_ascii_lowercase().into())
}

/// Makes the file with a fresh key. Another process that was faster wins.
fn make(path: &Path, entropy: &dyn Entropy) -> io::Result<()> {
    let mut key = Zeroizing::new([0_u8; BYTES]);
    entropy.fill(key.as_mut());
    let text = Zeroizing::new(hex::encode(key.as_slice()));

    let draft = path.with_extension(format!("key.{}", std::process::id()));
    let made = write(&draft, &text).and_then(|()| link(&draft, path));
    fs::remove_file(&draft).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    made
}

fn write(draft: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn link(draft: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[derive(Debug)]
    struct Same(u8);

    impl Entropy for Same {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn the_first_start_makes_a_key_that_later_starts_read() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        let source = SealKeySource::default_for(&config, &Variables::default());

        let (first, made) = source.load_or_make(&Same(0xab)).unwrap();
        let (second, made_again) = source.load_or_make(&Same(0xcd)).unwrap();
        assert_eq!((made, made_again), (Some(folder.path().join("secret.key")), None));

        assert_eq!(first.expose_secret(), "ab".repeat(32));
        assert_eq!(second.expose_secret(), first.expose_secret());
        let made = fs::metadata(folder.path().join("secret.key")).unwrap();
        assert_eq!(made.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn a_credential_of_systemd_comes_before_the_file_beside_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret-key"), "12".repeat(32)).unwrap();
        let variables =
            Variables::from_iter([("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap())]);

        let source = SealKeySource::default_for(&folder.path().join("config.toml"), &variables);

        assert_eq!(source.load_or_make(&Same(0)).unwrap().0.expose_secret(), "12".repeat(32));
        assert!(!folder.path().join("secret.key").exists());
    }

    #[rstest]
    #[case("")]
    #[case("short")]
    #[case("zz")]
    fn what_is_no_key_is_refused_and_kept(#[case] text: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        fs::write(&path, text).unwrap();

        let error = SealKeySource::Beside(path.clone()).load_or_make(&Same(1)).unwrap_err();

        assert!(matches!(error, SealKeyError::NotAKey { .. }));
        assert_eq!(fs::read_to_string(path).unwrap(), text);
    }

    #[test]
    fn a_configured_key_is_checked_when_it_is_read_and_not_repeated() {
        let good = SealKeySource::configured(&"AB".repeat(32).into()).unwrap();
        assert_eq!(good.load_or_make(&Same(0)).unwrap().0.expose_secret(), "ab".repeat(32));

        let error = SealKeySource::configured(&"hunter2".to_owned().into()).unwrap_err();
        assert!(error.starts_with("this is not a key") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_told() {
        let source = SealKeySource::Beside(PathBuf::from("/nonexistent/secret.key"));
        let error = source.load_or_make(&Same(0)).unwrap_err();
        assert!(error.to_string().contains("openssl rand -hex 32"));
    }
}

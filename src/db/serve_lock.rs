//! One `serve` per SQLite database.
//!
//! **Invariant:** while a [`ServeLock`] lives, no other process can take one for the same file; the system frees it when
//! its process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use super::url::DatabaseUrl;

/// The right to serve a database.
#[derive(Debug)]
pub struct ServeLock {
    // Never read: the lock lasts as long as the file is open. PostgreSQL needs none, since its instances share the work.
    _file: Option<File>,
}

/// Why the right to serve was not given.
#[derive(Debug, thiserror::Error)]
pub enum ServeLockError {
    /// Another process has it.
    #[error("another splynx-bitpay already serves this database (its lock is {})", .0.display())]
    Taken(PathBuf),
    /// The lock file cannot be used.
    #[error("the lock file {} cannot be used: {why}", .path.display())]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl ServeLock {
    /// Takes the right to serve: a lock on `<database>.lock` for SQLite, nothing for PostgreSQL.
    ///
    /// # Errors
    ///
    /// [`ServeLockError`].
    pub fn take(url: &DatabaseUrl) -> Result<Self, ServeLockError> {
        let Some(database) = url.file() else {
            return Ok(Self { _file: None });
        };
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let unusable = |error: std::io::Error| ServeLockError::Unusable {
            path: path.clone(),
            why: error.to_string(),
        };
        let file = options.open(&path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(ServeLockError::Taken(path)),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }
}

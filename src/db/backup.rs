//! A copy of the database, made while others work on it.
//!
//! **Invariant:** what stands under a backup's name is whole, was checked, and is on the disk; a backup that failed
//! leaves nothing behind.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::connection::{AnyConnection, Role};
use super::url::DatabaseUrl;
use super::{OpenError, failure, on_thread};

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// It is PostgreSQL, which has its own tools.
    #[error("the database is no file; `pg_dump` backs it up")]
    NotAFile,
    /// The backup's file cannot be written.
    #[error("{} cannot be written", .path.display())]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// By the system's word.
        source: io::Error,
    },
    /// The database did not let itself be copied.
    #[error("the database could not be copied to {}: {why}", .path.display())]
    NotCopied {
        /// Where to.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The copy is broken, and so mostly is the database.
    #[error("the copy of the database is broken, so it was not kept: {0}; is the database itself?")]
    Broken(String),
}

/// Writes all that is committed now into `file`, with mode 0600. Others go on reading and writing meanwhile. A file of
/// this name is replaced.
///
/// # Errors
///
/// [`BackupError`]; then there is no new file.
pub async fn back_up(url: &DatabaseUrl, file: &Path) -> Result<(), BackupError> {
    let file = file.to_owned();
    on_thread(url, Role::Writer, move |conn| Ok(copy(conn, &file))).await?
}

fn copy(conn: &mut AnyConnection, file: &Path) -> Result<(), BackupError> {
    let AnyConnection::Sqlite(link) = conn else {
        return Err(BackupError::NotAFile);
    };
    let draft = Draft::beside(file)?;
    let not_copied = |why| BackupError::NotCopied { path: file.to_owned(), why };
    let text = draft.path.to_str().ok_or_else(|| not_copied("this is no path in UTF-8".into()))?;
    diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(text)
        .execute(link)
        .map_err(|error| not_copied(failure::words(&error)))?;
    check(text)?;
    draft.become_file(file)
}

#[derive(QueryableByName)]
struct Verdict {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

/// Reads all of the copy.
fn check(path: &str) -> Result<(), BackupError> {
    let broken = |error: &diesel::result::Error| BackupError::Broken(failure::words(error));
    let mut link = SqliteConnection::establish(path)
        .map_err(|error| BackupError::Broken(error.to_string()))?;
    link.batch_execute("PRAGMA query_only = ON").map_err(|error| broken(&error))?;
    let verdicts: Vec<Verdict> = diesel::sql_query("PRAGMA integrity_check")
        .load(&mut link)
        .map_err(|error| broken(&error))?;
    match verdicts.first() {
        Some(first) if first.integrity_check == "ok" => Ok(()),
        Some(first) => Err(BackupError::Broken(first.integrity_check.clone())),
        None => Err(BackupError::Broken("nothing was said of it".to_owned())),
    }
}

/// A file that is not a backup yet. It goes with this value, unless it has become one.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn beside(file: &Path) -> Result<Self, BackupError> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let path = file.with_file_name(format!(".{name}.{}.part", std::process::id()));
        // What a process of the same number left when it was killed.
        fs::remove_file(&path).ok();
        // SQLite fills an empty file, and keeps its mode.
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match made {
            Ok(_) => Ok(Self { path }),
            Err(source) => Err(BackupError::Unwritable { path: file.to_owned(), source }),
        }
    }

    fn become_file(self, file: &Path) -> Result<(), BackupError> {
        let become_file = || {
            File::open(&self.path)?.sync_all()?;
            fs::rename(&self.path, file)?;
            file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        };
        become_file().map_err(|source| BackupError::Unwritable { path: file.to_owned(), source })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let mut journal = self.path.clone().into_os_string();
        journal.push("-journal");
        // Neither is there when all went well.
        fs::remove_file(&self.path).ok();
        fs::remove_file(journal).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    struct Home {
        folder: tempfile::TempDir,
        url: DatabaseUrl,
    }

    impl Home {
        fn with(statements: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.db");
            let url = DatabaseUrl::SqliteFile(path.clone());
            let mut link = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            link.batch_execute("PRAGMA journal_mode = WAL; CREATE TABLE t (x TEXT)").unwrap();
            link.batch_execute(statements).unwrap();
            Self { folder, url }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        /// What is in the folder beside the database and its journals.
        fn others(&self) -> Vec<String> {
            let files = fs::read_dir(self.folder.path()).unwrap();
            let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<_> = names.filter(|name| !name.starts_with("a.db")).collect();
            names.sort();
            names
        }
    }

    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        x: String,
    }

    fn rows(path: &Path) -> Vec<String> {
        let mut link = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        let rows: Vec<Row> =
            diesel::sql_query("SELECT x FROM t ORDER BY x").load(&mut link).unwrap();
        rows.into_iter().map(|row| row.x).collect()
    }

    #[tokio::test]
    async fn a_backup_holds_what_is_committed_and_is_for_its_owner_alone() {
        let home = Home::with("INSERT INTO t VALUES ('a'), ('b')");
        let path = home.path("a.db");
        let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        other.batch_execute("BEGIN IMMEDIATE; INSERT INTO t VALUES ('c')").unwrap();

        back_up(&home.url, &home.path("copy.db")).await.unwrap();

        assert_eq!(home.others(), ["copy.db"]);
        let mode = fs::metadata(home.path("copy.db")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(rows(&home.path("copy.db")), ["a", "b"]);
        other.batch_execute("COMMIT").unwrap();
        assert_eq!(rows(&path), ["a", "b", "c"], "the other one goes on");
    }

    #[tokio::test]
    async fn a_broken_database_makes_no_backup() {
        let home = Home::with(
            "CREATE TABLE u (x TEXT CHECK (x <> 'c')); PRAGMA ignore_check_constraints = ON; \
             INSERT INTO u VALUES ('c')",
        );
        let error = back_up(&home.url, &home.path("copy.db")).await.unwrap_err();
        assert!(matches!(error, BackupError::Broken(_)), "{error}");
        assert_eq!(home.others(), [""; 0]);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_to_is_named() {
        let home = Home::with("INSERT INTO t VALUES ('a')");
        let error = back_up(&home.url, &home.path("nowhere/copy.db")).await.unwrap_err();
        assert!(matches!(error, BackupError::Unwritable { .. }), "{error}");
        assert!(error.to_string().contains("nowhere/copy.db"), "{error}");
    }

    #[tokio::test]
    async fn a_database_that_is_not_there_is_not_made() {
        let home = Home::with("");
        let url = DatabaseUrl::SqliteFile(home.path("b.db"));
        let error = back_up(&url, &home.path("copy.db")).await.unwrap_err();
        assert!(matches!(error, BackupError::Database(OpenError::Unavailable(_))), "{error}");
        assert_eq!(home.others(), [""; 0]);
    }
}

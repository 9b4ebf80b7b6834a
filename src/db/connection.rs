//! One connection to either database, and its transactions.
//!
//! **Invariant:** the address's scheme alone decides which database is opened: the derived `establish` is never
//! called, because it tries one after the other and so makes an empty file of a mistyped address.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use diesel::connection::{
    AnsiTransactionManager, Connection as _, SimpleConnection as _, TransactionManager,
};
use diesel::result::QueryResult;
use diesel::sqlite::SqliteConnection;

use super::postgres::PgLink;
use super::url::DatabaseUrl;

/// Either database; every shared query runs on it unchanged.
#[derive(diesel::MultiConnection)]
pub(crate) enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgLink),
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It changes rows.
    Writer,
    /// It only reads.
    Reader,
    /// It changes rows, and in SQLite nobody else can even open the file.
    Sole,
}

/// May a database file that is not there be made?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Create,
    Refuse,
}

/// The cache is a mebibyte and nothing is mapped, because the add-on lives beside others; a commit is on the disk when
/// it returns; what is erased is overwritten.
const SQLITE_SESSION: &str = "\
    PRAGMA busy_timeout = 5000; \
    PRAGMA journal_mode = WAL; \
    PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; \
    PRAGMA secure_delete = ON; \
    PRAGMA cache_size = -1024; \
    PRAGMA mmap_size = 0; \
    PRAGMA journal_size_limit = 16777216;";

/// To be said before anything is read: the file is locked with the first access, or that access fails because somebody
/// else has the file open.
const SQLITE_ALONE: &str = "PRAGMA busy_timeout = 5000; PRAGMA locking_mode = EXCLUSIVE;";

impl AnyConnection {
    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// In words an admin can act on.
    pub(super) fn open(url: &DatabaseUrl, role: Role, missing: Missing) -> Result<Self, String> {
        match url {
            DatabaseUrl::SqliteFile(path) => open_sqlite_file(path, role, missing),
            DatabaseUrl::SqliteMemory => open_sqlite(":memory:", role),
            DatabaseUrl::Postgres(postgres) => PgLink::connect(postgres.expose())
                .map(Self::Postgres)
                .map_err(|why| format!("{url} cannot be reached: {why}")),
        }
    }

    /// Begins a transaction that will write. On SQLite it has the only pen from its first moment, so that it never
    /// fails half-way because another process was faster.
    pub(super) fn begin_write(&mut self) -> QueryResult<()> {
        self.begin("BEGIN IMMEDIATE", "BEGIN ISOLATION LEVEL READ COMMITTED")
    }

    /// Begins a transaction that reads one moment's truth.
    pub(super) fn begin_read(&mut self) -> QueryResult<()> {
        self.begin("BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    fn begin(&mut self, sqlite: &str, postgres: &str) -> QueryResult<()> {
        match self {
            Self::Sqlite(link) => AnsiTransactionManager::begin_transaction_sql(link, sqlite),
            Self::Postgres(link) => AnsiTransactionManager::begin_transaction_sql(link, postgres),
        }
    }

    /// Commits the transaction.
    pub(super) fn commit(&mut self) -> QueryResult<()> {
        <Self as TransactionManager<Self>>::commit_transaction(self)
    }

    /// Whether it is in good order and in no transaction.
    pub(super) fn is_idle(&mut self) -> bool {
        !<Self as TransactionManager<Self>>::is_broken_transaction_manager(self)
    }

    /// Ends the transaction without a trace. `false`: the connection is of no more use.
    pub(super) fn roll_back(&mut self) -> bool {
        <Self as TransactionManager<Self>>::rollback_transaction(self).is_ok()
    }
}

fn open_sqlite_file(path: &Path, role: Role, missing: Missing) -> Result<AnyConnection, String> {
    let shown = path.display();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(missing == Missing::Create).mode(0o600);
    options.open(path).map_err(|error| format!("{shown} cannot be opened: {error}"))?;
    let text = path.to_str().ok_or_else(|| format!("{shown} is not a path in UTF-8"))?;
    open_sqlite(text, role).map_err(|why| format!("{shown} cannot be opened: {why}"))
}

fn open_sqlite(path: &str, role: Role) -> Result<AnyConnection, String> {
    let mut link = SqliteConnection::establish(path).map_err(|error| error.to_string())?;
    if role == Role::Sole {
        link.batch_execute(SQLITE_ALONE).map_err(|error| error.to_string())?;
    }
    link.batch_execute(SQLITE_SESSION).map_err(|error| error.to_string())?;
    if role == Role::Reader {
        link.batch_execute("PRAGMA query_only = ON").map_err(|error| error.to_string())?;
    }
    Ok(AnyConnection::Sqlite(link))
}

//! The database of one test: a file in its folder, or a fresh one on a real PostgreSQL server.
//!
//! **Invariant:** without a PostgreSQL server its tests fail; they are never skipped.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use splynx_bitpay::sim::postgres::{self, Server};

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgresql,
}

/// A new, empty database. It goes when this is dropped.
#[derive(Debug)]
pub(crate) enum Database {
    /// In the test's folder, with which it goes.
    File(String),
    Server(postgres::Database),
}

/// A database as it was.
#[derive(Debug)]
pub(crate) enum Backup {
    File(Vec<u8>),
    Server(postgres::Database),
}

/// A database that cannot be written. Dropping it ends that.
pub(crate) enum ReadOnly<'a> {
    Locked(Box<SqliteConnection>),
    Standby(&'a postgres::Database),
}

impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        match self {
            Self::Locked(lock) => lock.batch_execute("ROLLBACK").unwrap(),
            Self::Standby(database) => make_read_only(database, false),
        }
    }
}

fn make_read_only(database: &postgres::Database, read_only: bool) {
    let url = database.url();
    let name = url.rsplit('/').next().unwrap();
    // Every new connection is told; a transaction that says READ WRITE itself may change it.
    let change = format!("ALTER DATABASE {name} SET default_transaction_read_only = {read_only}");
    database.run(&format!("BEGIN READ WRITE; {change}; COMMIT")).unwrap();
    database.disconnect_all().unwrap();
}

fn file(url: &str) -> &str {
    url.trim_start_matches("sqlite://")
}

impl Database {
    pub(crate) fn fresh(engine: Engine, home: &Path) -> Self {
        // The server that SPLYNX_BITPAY_TEST_POSTGRES names, or one of this process.
        static SERVER: OnceLock<Server> = OnceLock::new();
        match engine {
            Engine::Sqlite => {
                Self::File(format!("sqlite://{}", home.join("splynx-bitpay.db").display()))
            }
            Engine::Postgresql => {
                let server = SERVER.get_or_init(|| Server::start().unwrap());
                Self::Server(server.fresh_database().unwrap())
            }
        }
    }

    /// Runs a statement past the add-on, for what only time or another person's hand would bring about.
    pub(crate) fn run(&self, statement: &str) {
        match self {
            Self::File(url) => {
                let mut file = SqliteConnection::establish(file(url)).unwrap();
                let patient = format!("PRAGMA busy_timeout = 10000; {statement}");
                file.batch_execute(&patient).unwrap();
            }
            Self::Server(database) => database.run(statement).unwrap(),
        }
    }

    /// What an admin's backup holds. The add-on must not run.
    pub(crate) fn backup(&self) -> Backup {
        match self {
            Self::File(url) => Backup::File(fs::read(file(url)).unwrap()),
            Self::Server(database) => Backup::Server(database.copy().unwrap()),
        }
    }

    /// Puts a backup back, as the operations manual says. The add-on must not run.
    pub(crate) fn restore(&self, backup: &Backup) {
        match (self, backup) {
            (Self::File(url), Backup::File(bytes)) => {
                for journal in ["-wal", "-shm"] {
                    let _ = fs::remove_file(format!("{}{journal}", file(url)));
                }
                fs::write(file(url), bytes).unwrap();
            }
            (Self::Server(database), Backup::Server(copy)) => database.restore(copy).unwrap(),
            _ => panic!("a backup of another database"),
        }
    }

    /// Nobody can write to it until the guard is dropped: another program locks the file, or the server has become
    /// somebody's read-only standby.
    pub(crate) fn read_only(&self) -> ReadOnly<'_> {
        match self {
            Self::File(url) => {
                let mut lock = SqliteConnection::establish(file(url)).unwrap();
                lock.batch_execute("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE").unwrap();
                ReadOnly::Locked(Box::new(lock))
            }
            Self::Server(database) => {
                make_read_only(database, true);
                ReadOnly::Standby(database)
            }
        }
    }

    /// Runs statements past the add-on, as somebody who tampers with its books would.
    pub(crate) fn tamper(&self, statements: &str) {
        match self {
            Self::File(url) => {
                let mut link = SqliteConnection::establish(file(url)).unwrap();
                link.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
                link.batch_execute(statements).unwrap();
            }
            Self::Server(database) => database.run(statements).unwrap(),
        }
    }

    /// As the configuration names it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::File(url) => url.clone(),
            Self::Server(database) => database.url(),
        }
    }
}

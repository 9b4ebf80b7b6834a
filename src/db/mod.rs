//! The add-on's own memory, in SQLite or PostgreSQL.
//!
//! **Invariant:** what a method answered is on the disk. Queries are written once and run on both databases; the few
//! lines that differ ask `AnyConnection` which one it is.

mod alerts;
mod attempts;
mod backup;
mod books;
mod cell;
mod connection;
mod connections;
#[cfg(test)]
mod contract;
mod credits;
mod failure;
mod hints;
mod job;
mod journal;
mod leases;
mod link;
mod meta;
mod migrate;
mod moving;
mod nonces;
mod people;
mod postgres;
mod postings;
mod proofs;
mod pulse;
mod queue;
mod reader;
mod reviews;
mod schema;
mod seal;
mod serve_lock;
mod store;
mod url;
mod writer;

use std::fmt;
use std::sync::Arc;

use tokio::sync::oneshot;

use self::connection::{AnyConnection, Missing, Role};
use self::failure::Failure;
use self::journal::{Entry, JournalKey, Page, Verification};
use self::link::Link;
use self::pulse::Answered;
use self::queue::Queue;
use crate::ports::clock::Clock;
use crate::ports::entropy::Entropy;
use crate::ports::store::StoreError;

pub use self::backup::{BackupError, back_up};
pub use self::journal::{Flaw, Head, InvalidHead, Verdict};
pub use self::meta::MovedTo;
pub use self::moving::{Move, MoveError, Outcome as MoveOutcome, move_database};
pub use self::seal::{InvalidSealKey, SealKey};
pub use self::serve_lock::{ServeLock, ServeLockError};
pub use self::url::{DatabaseUrl, InvalidUrl, PostgresUrl};

/// What to do about a schema that is not up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrations {
    /// Bring it up to date; make a database that is not there.
    Run,
    /// Make a database that is not there; refuse an older one with [`OpenError::PendingMigrations`]. Somebody may still
    /// serve it by the older version, and there is no backup of it.
    OnlyOfANewOne,
    /// Refuse with [`OpenError::PendingMigrations`]; make nothing.
    MustBeDone,
}

/// How to open a database.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which one.
    pub url: DatabaseUrl,
    /// Seals keys and tokens in it.
    pub seal_key: SealKey,
    /// What to do about its schema.
    pub migrations: Migrations,
    /// Tells when a credit was made.
    pub clock: Arc<dyn Clock>,
    /// Makes nonces for sealing.
    pub entropy: Arc<dyn Entropy>,
}

/// Why a database could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It cannot be reached, read or written.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The secret key is not the one its secrets were sealed with.
    #[error(
        "the database was sealed with another secret key: restore the key it was made with, or begin with a new \
         database"
    )]
    SealedWithAnotherKey,
    /// Its schema is older than this version.
    #[error(
        "the database is one of an older version, and an upgrade is not finished (it lacks {}): \
         `dpkg --configure splynx-bitpay`, or `splynx-bitpay migrate` with the service stopped",
        .0.join(", ")
    )]
    PendingMigrations(Vec<String>),
    /// A newer version made it, or brought it further than this one knows.
    #[error(
        "the database is newer than this version of splynx-bitpay: it has the migrations {}, of which this version \
         knows none; its last one is {last}. Either install the newer version again; or let the newer version take \
         the database back, by `splynx-bitpay migrate --back-to {last}`, and then start this one",
        .unknown.join(", ")
    )]
    Newer {
        /// The numbers of the migrations this version does not know.
        unknown: Vec<String>,
        /// The number of the last one it knows.
        last: String,
    },
    /// Its content lives elsewhere now.
    #[error(
        "the database was moved to {} on {}, and what happens since is there only: [database] url must name that one. \
         \"Moving to PostgreSQL\" in docs/OPERATIONS.md tells the way back",
        .0.place, .0.at.format("%Y-%m-%d %H:%M UTC")
    )]
    Moved(MovedTo),
    /// Its schema could not be brought up to date; it is as it was.
    #[error("the database could not be brought up to date: {0}")]
    Migration(String),
}

/// An open database. Dropping it closes it.
pub struct Db {
    writer: Queue,
    // A database in memory has one connection only, and so reads where it writes.
    readers: Option<Queue>,
    answered: Arc<Answered>,
    seal_key: SealKey,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db").finish_non_exhaustive()
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        self.close();
    }
}

impl Db {
    /// Opens a database, brings its schema up to date and checks its seal.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let Options { url, seal_key, migrations, clock, entropy } = options;
        let connect = {
            let (url, key, entropy) = (url.clone(), seal_key.clone(), Arc::clone(&entropy));
            move || connect(url, migrations, &key, entropy.as_ref())
        };
        let (writer, ready) = writer::start(connect, JournalKey::of(&seal_key));
        ready.await.map_err(|_| OpenError::Unavailable(DEAD.to_owned()))??;
        let answered = Arc::new(Answered::default());
        let readers = (url != DatabaseUrl::SqliteMemory).then(|| reader::start(&url, &answered));
        Ok(Self { writer, readers, answered, seal_key, clock, entropy })
    }

    /// Lets what is queued end, and closes the database; waits for that. SQLite's file is whole by itself then, without
    /// the journal beside it. Who still holds the database is told that nobody is there.
    pub fn close(&self) {
        // The last connection brings the journal into the file, and only the writer's may write.
        if let Some(readers) = &self.readers {
            readers.close();
        }
        self.writer.close();
    }

    /// Commits what `work` does, together with the jobs of others that wait at the same moment.
    async fn write<T, F>(&self, mut work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut AnyConnection) -> Result<T, Failure> + Send + 'static,
    {
        self.write_down(move |conn, _| work(conn)).await
    }

    /// The same for work that is to stand in the journal: what it adds to the entries is committed with it.
    async fn write_down<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut AnyConnection, &mut Vec<Entry>) -> Result<T, Failure> + Send + 'static,
    {
        self.writer.submit(work).await.unwrap_or_else(|_| Err(job::unavailable(DEAD)))
    }

    /// Reads.
    async fn read<T, F>(&self, mut work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut AnyConnection) -> Result<T, Failure> + Send + 'static,
    {
        let queue = self.readers.as_ref().unwrap_or(&self.writer);
        let answer = queue.submit(move |conn, _| work(conn));
        answer.await.unwrap_or_else(|_| Err(job::unavailable(DEAD)))
    }

    /// Where the journal ends now; `None` when what is kept about it is gone.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn journal_head(&self) -> Result<Option<Head>, StoreError> {
        self.read(journal::head).await
    }

    /// Reads the whole journal and tells whether it is as it was written. `wanted` is a head that somebody kept elsewhere;
    /// `progress` is told how many rows were read so far. The add-on may write on meanwhile.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn verify_journal(
        &self,
        wanted: Option<Head>,
        mut progress: impl FnMut(u64),
    ) -> Result<Verdict, StoreError> {
        let mut verification = Verification::new(JournalKey::of(&self.seal_key), wanted);
        loop {
            let after = verification.last();
            let page: Page = self.read(move |conn| journal::page(conn, after)).await?;
            if let Some(verdict) = verification.take(&page) {
                return Ok(verdict);
            }
            progress(verification.rows());
        }
    }
}

const DEAD: &str = "the database thread has ended";

fn connect(
    url: DatabaseUrl,
    migrations: Migrations,
    key: &SealKey,
    entropy: &dyn Entropy,
) -> Result<Link, OpenError> {
    let missing = match migrations {
        Migrations::Run | Migrations::OnlyOfANewOne => Missing::Create,
        Migrations::MustBeDone => Missing::Refuse,
    };
    let open =
        |missing| AnyConnection::open(&url, Role::Writer, missing).map_err(OpenError::Unavailable);
    let mut conn = open(missing)?;
    migrate::prepare(&mut conn, migrations, key, entropy)?;
    Ok(Link::with(url, Role::Writer, conn))
}

/// The migrations a database still needs, by name. Changes nothing, makes nothing.
///
/// # Errors
///
/// [`OpenError::Unavailable`] when it is not there or cannot be reached.
pub async fn pending_migrations(url: &DatabaseUrl) -> Result<Vec<String>, OpenError> {
    look(url, migrate::pending).await
}

/// The number of the last migration this version knows, such as `0004`: what [`take_back`] takes a newer version's
/// database back to.
///
/// # Errors
///
/// [`OpenError::Migration`] when the migrations inside the binary cannot be read.
pub fn last_migration() -> Result<String, OpenError> {
    migrate::last()
}

/// Takes a database back to the schema that ended with the migration of this number, for an older version to go on
/// with. Returns the names of the migrations that were taken back, the last one first.
///
/// # Errors
///
/// [`OpenError::Unavailable`] when it is not there or cannot be reached, [`OpenError::Migration`] when there is no way
/// back; it is as it was then.
pub async fn take_back(url: &DatabaseUrl, to: &str) -> Result<Vec<String>, OpenError> {
    let to = to.to_owned();
    on_thread(url, Role::Writer, move |conn| migrate::take_back(conn, &to)).await
}

/// The last good value under a name that is no secret. Needs no key, changes nothing, makes nothing.
///
/// # Errors
///
/// [`OpenError::Unavailable`] when it is not there, cannot be reached or was never brought up to date.
pub async fn remembered(
    url: &DatabaseUrl,
    name: &'static str,
) -> Result<Option<String>, OpenError> {
    let unavailable = |failure: Failure| failure.into_store_error().to_string();
    look(url, move |conn| {
        meta::remembered(conn, name).map_err(unavailable).map_err(OpenError::Unavailable)
    })
    .await
}

async fn look<T: Send + 'static>(
    url: &DatabaseUrl,
    question: impl FnOnce(&mut AnyConnection) -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    on_thread(url, Role::Reader, question).await
}

async fn on_thread<T: Send + 'static>(
    url: &DatabaseUrl,
    role: Role,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    let url = url.clone();
    let (tell, told) = oneshot::channel();
    // PostgreSQL needs a thread that is in no runtime.
    let work = move || {
        let mut conn =
            AnyConnection::open(&url, role, Missing::Refuse).map_err(OpenError::Unavailable)?;
        work(&mut conn)
    };
    std::thread::spawn(move || tell.send(work()));
    told.await.map_err(|_| OpenError::Unavailable(DEAD.to_owned()))?
}

//! Moves everything from one database to another, such as from SQLite to PostgreSQL.
//!
//! **Invariant:** there is never a moment at which both databases can be served. The old one is marked as moved before
//! the new one holds a row that others can see; whoever is killed in between can do it again. The old one keeps all its
//! rows.

mod neighbours;
mod tables;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;

use self::neighbours::{NotAlone, keep_out};
use self::tables::{TABLES, Table, Tally};
use super::connection::AnyConnection;
use super::failure::Failure;
use super::journal::{self, Entry, JournalKey, Verification};
use super::meta::{self, MovedTo};
use super::{
    DEAD, DatabaseUrl, Migrations, Missing, OpenError, SealKey, ServeLock, ServeLockError, Verdict,
    migrate,
};
use crate::domain::actor::Actor;
use crate::ports::entropy::Entropy;

/// Tables whose first rows the migrations make; those of the old database take their place.
const MADE_WITH_ROWS: &[&str] = &["meta", "alert_channels"];

/// What is to be moved where.
#[derive(Debug)]
pub struct Move {
    /// The database with the payments.
    pub from: DatabaseUrl,
    /// The one that takes them over. It is made up to date, or made.
    pub to: DatabaseUrl,
    /// What the old one is sealed with, and the new one shall be.
    pub seal_key: SealKey,
    /// Makes nonces for sealing.
    pub entropy: Arc<dyn Entropy>,
    /// Who wants it, for the journal.
    pub by: Actor,
    /// Now.
    pub at: DateTime<Utc>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is in the new database.
    Moved {
        /// The rows of every table.
        rows: Vec<(&'static str, u64)>,
        /// What verifying the journal came to, in the old database and in the new one alike.
        journal: Verdict,
    },
    /// An earlier move from and to these databases was complete.
    WasMoved,
}

/// Why nothing was moved, unless it says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// Both are the same.
    #[error("the database is {0} already")]
    Same(DatabaseUrl),
    /// The old one cannot be used.
    #[error("the database that is to be moved")]
    From(#[source] OpenError),
    /// The new one cannot be used.
    #[error("the new database")]
    To(#[source] OpenError),
    /// A service is running.
    #[error("stop the service first")]
    Served(#[source] ServeLockError),
    /// Somebody works on one of them.
    #[error(
        "somebody else has {0} open: stop the service (on every host), let other commands and backups end, and try again"
    )]
    InUse(DatabaseUrl),
    /// The new one is no new one.
    #[error(
        "{url} holds payments or pairings already (table {table}), and nothing is ever written over: name an empty \
         database"
    )]
    NotEmpty {
        /// Which one.
        url: DatabaseUrl,
        /// Where a row was found.
        table: &'static str,
    },
    /// A table could not be read or written.
    #[error("nothing was moved: {table}: {why}")]
    NotCopied {
        /// Which one.
        table: &'static str,
        /// Why.
        why: String,
    },
    /// The proof failed.
    #[error("nothing was moved: {0} is not the same in the new database as in the old one")]
    Differs(&'static str),
    /// The very last step was not answered.
    #[error(
        "whether everything was moved is not known ({0}). The old database is marked as moved. Give the same command \
         again: it does what is missing, or says that nothing is"
    )]
    Unclear(String),
}

/// Moves everything, in one transaction of the new database; `progress` is told the table and its rows so far.
///
/// # Errors
///
/// [`MoveError`]. Nothing was moved then, and the old database is as it was, unless it says otherwise.
pub async fn move_database(
    wish: Move,
    mut progress: impl FnMut(&'static str, u64) + Send + 'static,
) -> Result<Outcome, MoveError> {
    let (tell, told) = oneshot::channel();
    // PostgreSQL needs a thread that is in no runtime.
    std::thread::spawn(move || tell.send(run(&wish, &mut progress)));
    told.await.map_err(|_| MoveError::From(OpenError::Unavailable(DEAD.to_owned())))?
}

/// Both databases, each in a transaction of its own, and nobody else in them.
struct Both {
    from: AnyConnection,
    to: AnyConnection,
    // The right to serve them, so that a service that is started meanwhile says why it does not.
    _locks: [ServeLock; 2],
}

fn run(wish: &Move, progress: &mut dyn FnMut(&'static str, u64)) -> Result<Outcome, MoveError> {
    if wish.from == wish.to {
        return Err(MoveError::Same(wish.to.clone()));
    }
    let (from, from_lock) = open_old(wish)?;
    let (to, to_lock) = open_new(wish)?;
    let mut both = Both { from, to, _locks: [from_lock, to_lock] };
    if meta::moved_to(&mut both.from).map_err(from_failed)?.is_some() {
        if has_the_journal(&mut both)? {
            return Ok(Outcome::WasMoved);
        }
        // Somebody was killed between the mark and the end. The copy is not to bear the mark.
        meta::forget_move(&mut both.from).map_err(from_failed)?;
    }
    make_room(&mut both.to, &wish.to)?;
    let mut rows = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let told = &mut |rows| progress(table.name, rows);
        let tally = (table.copy)(&mut both.from, &mut both.to, told)
            .map_err(|failure| not_copied(table.name, failure))?;
        rows.push((table, tally));
    }
    let journal = prove(&mut both, &rows, wish, progress)?;
    finish(both, wish)?;
    let rows = rows.into_iter().map(|(table, tally)| (table.name, tally.rows)).collect();
    Ok(Outcome::Moved { rows, journal })
}

/// The old database, unless its content went to another one than this move's new one.
fn open_old(wish: &Move) -> Result<(AnyConnection, ServeLock), MoveError> {
    let url = &wish.from;
    let lock = lock(url, MoveError::From)?;
    let failed = |error| not_alone(url, error, MoveError::From);
    let mut conn = neighbours::open(url, Missing::Refuse).map_err(failed)?;
    migrate::bring_up(&mut conn, Migrations::MustBeDone, &wish.seal_key, wish.entropy.as_ref())
        .map_err(MoveError::From)?;
    keep_out(&mut conn).map_err(failed)?;
    match meta::moved_to(&mut conn).map_err(from_failed)? {
        Some(moved) if moved.place != wish.to.to_string() => {
            Err(MoveError::From(OpenError::Moved(moved)))
        }
        _ => Ok((conn, lock)),
    }
}

fn open_new(wish: &Move) -> Result<(AnyConnection, ServeLock), MoveError> {
    let url = &wish.to;
    let lock = lock(url, MoveError::To)?;
    let failed = |error| not_alone(url, error, MoveError::To);
    let mut conn = neighbours::open(url, Missing::Create).map_err(failed)?;
    migrate::prepare(&mut conn, Migrations::Run, &wish.seal_key, wish.entropy.as_ref())
        .map_err(MoveError::To)?;
    keep_out(&mut conn).map_err(failed)?;
    Ok((conn, lock))
}

fn lock(url: &DatabaseUrl, otherwise: fn(OpenError) -> MoveError) -> Result<ServeLock, MoveError> {
    ServeLock::take(url).map_err(|error| match error {
        ServeLockError::Taken(_) => MoveError::Served(error),
        ServeLockError::Unusable { .. } => otherwise(OpenError::Unavailable(error.to_string())),
    })
}

fn not_alone(
    url: &DatabaseUrl,
    error: NotAlone,
    otherwise: fn(OpenError) -> MoveError,
) -> MoveError {
    match error {
        NotAlone::InUse => MoveError::InUse(url.clone()),
        NotAlone::Open(error) => otherwise(error),
    }
}

/// Whether the new database has the row that the old one's journal ends with: then it has everything.
fn has_the_journal(both: &mut Both) -> Result<bool, MoveError> {
    match journal::head(&mut both.from).map_err(from_failed)? {
        Some(head) => journal::has(&mut both.to, &head).map_err(to_failed),
        None => Ok(false),
    }
}

/// Sees to it that the new database is empty, also of what the migrations put into it.
fn make_room(to: &mut AnyConnection, url: &DatabaseUrl) -> Result<(), MoveError> {
    for Table { name, is_empty, clear, .. } in TABLES {
        if MADE_WITH_ROWS.contains(name) {
            clear(to).map_err(to_failed)?;
        } else if !is_empty(to).map_err(to_failed)? {
            return Err(MoveError::NotEmpty { url: url.clone(), table: name });
        }
    }
    Ok(())
}

/// Reads everything back, and verifies the journal on both sides. A journal that was tampered with before is moved as it
/// is: the proof is that both say the same.
fn prove(
    both: &mut Both,
    rows: &[(&Table, Tally)],
    wish: &Move,
    progress: &mut dyn FnMut(&'static str, u64),
) -> Result<Verdict, MoveError> {
    for (table, sent) in rows {
        progress("reading back", sent.rows);
        let arrived =
            (table.tally)(&mut both.to).map_err(|failure| not_copied(table.name, failure))?;
        if arrived != *sent {
            return Err(MoveError::Differs(table.name));
        }
    }
    let key = JournalKey::of(&wish.seal_key);
    let old = verdict(&mut both.from, &key, progress).map_err(from_failed)?;
    let new = verdict(&mut both.to, &key, progress).map_err(to_failed)?;
    if old != new {
        return Err(MoveError::Differs("what `audit verify` says"));
    }
    Ok(new)
}

fn verdict(
    conn: &mut AnyConnection,
    key: &JournalKey,
    progress: &mut dyn FnMut(&'static str, u64),
) -> Result<Verdict, Failure> {
    let mut verification = Verification::new(key.clone(), None);
    loop {
        let page = journal::page(conn, verification.last())?;
        if let Some(verdict) = verification.take(&page) {
            return Ok(verdict);
        }
        progress("verifying the journal", verification.rows());
    }
}

/// Writes the move down, and commits: first that the old database is not to be served any more.
fn finish(mut both: Both, wish: &Move) -> Result<(), MoveError> {
    let words = format!("from {} to {}", wish.from, wish.to);
    let entry = Entry::new(wish.at, None, &wish.by, "moved", words);
    journal::append(&mut both.to, &JournalKey::of(&wish.seal_key), vec![entry])
        .map_err(to_failed)?;
    let moved = MovedTo { at: wish.at, place: wish.to.to_string() };
    meta::set_moved_to(&mut both.from, &moved).map_err(from_failed)?;
    both.from.commit().map_err(Failure::from).map_err(from_failed)?;
    both.to.commit().map_err(|error| MoveError::Unclear(super::failure::words(&error)))
}

fn from_failed(failure: Failure) -> MoveError {
    MoveError::From(failure.into())
}

fn to_failed(failure: Failure) -> MoveError {
    MoveError::To(failure.into())
}

fn not_copied(table: &'static str, failure: Failure) -> MoveError {
    MoveError::NotCopied { table, why: failure.into_store_error().to_string() }
}

#[cfg(test)]
pub(super) fn moved_columns() -> Vec<String> {
    let columns = |table: &Table| {
        let name = table.name;
        table.columns.iter().map(move |column| format!("{name}.{column}")).collect::<Vec<_>>()
    };
    TABLES.iter().flat_map(columns).collect()
}

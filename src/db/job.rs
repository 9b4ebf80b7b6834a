//! A piece of work for a database thread, and the way its answer comes back.
//!
//! **Invariant:** a job may be run more than once, each time in a transaction that knows nothing of the earlier run; so
//! it changes nothing but rows. Its caller is answered once, after the transaction's end is known.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::Connection as _;
use tokio::sync::oneshot;

use super::connection::AnyConnection;
use super::failure::Failure;
use super::journal::Entry;
use crate::ports::store::StoreError;

/// A job whose result type is forgotten, so that jobs of all kinds stand in one queue.
pub(super) trait Job: Send {
    /// Runs it inside the open transaction and keeps its result.
    fn run(&mut self, conn: &mut AnyConnection) -> Result<(), Failure>;

    /// What the last run wants in the journal, if it did its work.
    fn entries(&mut self) -> Vec<Entry>;

    /// Tells the caller how it ended; after `Ok`, with the result of the last run.
    fn answer(self: Box<Self>, end: Result<(), StoreError>);
}

/// What a caller waits for.
pub(super) type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

struct Typed<T, F> {
    closure: F,
    result: Option<T>,
    entries: Vec<Entry>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

/// Makes a job of a closure, which puts beside its result what is to stand in the journal.
pub(super) fn job<T, F>(closure: F) -> (Box<dyn Job>, Answer<T>)
where
    T: Send + 'static,
    F: FnMut(&mut AnyConnection, &mut Vec<Entry>) -> Result<T, Failure> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Typed { closure, result: None, entries: vec![], reply }), answer)
}

impl<T, F> Job for Typed<T, F>
where
    T: Send,
    F: FnMut(&mut AnyConnection, &mut Vec<Entry>) -> Result<T, Failure> + Send,
{
    fn run(&mut self, conn: &mut AnyConnection) -> Result<(), Failure> {
        self.result = None;
        self.entries.clear();
        let mut entries = Vec::new();
        self.result = Some((self.closure)(conn, &mut entries)?);
        self.entries = entries;
        Ok(())
    }

    fn entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    fn answer(self: Box<Self>, end: Result<(), StoreError>) {
        let Self { result, reply, .. } = *self;
        let answer = end.and_then(|()| result.ok_or_else(|| unavailable("the job did not run")));
        // Nobody may be waiting any more; what was committed stays.
        let _ = reply.send(answer);
    }
}

/// Why a job did not get through.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The transaction around it is lost.
    Failed(Failure),
    /// It panicked; the connection is in the middle of something.
    Panicked,
}

/// Runs a job in a savepoint of the open transaction. The inner result is the job's own; an error of the outer one
/// concerns the whole transaction.
///
/// The savepoint is there for a lone job too: releasing it is how PostgreSQL tells that a statement had failed inside,
/// where a COMMIT would silently roll back.
pub(super) fn run_in_savepoint(
    conn: &mut AnyConnection,
    job: &mut dyn Job,
) -> Result<Result<(), StoreError>, Trouble> {
    let run = || conn.transaction(|conn| job.run(conn));
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(())) => Ok(Ok(())),
        Ok(Err(failure)) if failure.is_of_the_job() => Ok(Err(failure.into_store_error())),
        Ok(Err(failure)) => Err(Trouble::Failed(failure)),
        Err(_) => Err(Trouble::Panicked),
    }
}

/// The answer of a job that panicked.
pub(super) fn panicked() -> StoreError {
    StoreError::Refused("an internal error; its place is in the log".to_owned())
}

/// The answer of a job that may be tried again.
pub(super) fn unavailable(why: impl Into<String>) -> StoreError {
    StoreError::Unavailable(why.into())
}

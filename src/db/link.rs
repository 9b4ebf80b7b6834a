//! A database thread's connection: opened when needed, replaced when broken.
//!
//! **Invariant:** a connection whose transaction could not be ended cleanly is never used again.

use std::time::Duration;

use super::connection::{AnyConnection, Missing, Role};
use super::failure::{self, Failure};
use super::job::{Job, Trouble, run_in_savepoint, unavailable};
use super::journal::{self, Entry, JournalKey};
use super::url::DatabaseUrl;
use crate::ports::store::StoreError;

const GONE: &str = "the connection is gone";

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A connection that mends itself.
pub(super) struct Link {
    url: DatabaseUrl,
    role: Role,
    open: Option<AnyConnection>,
    pause: Duration,
}

impl Link {
    /// A link that has no connection yet.
    pub(super) fn new(url: DatabaseUrl, role: Role) -> Self {
        Self { url, role, open: None, pause: FIRST_PAUSE }
    }

    /// A link with a connection that was opened already.
    pub(super) fn with(url: DatabaseUrl, role: Role, open: AnyConnection) -> Self {
        Self { open: Some(open), ..Self::new(url, role) }
    }

    /// Begins a transaction, on a new connection if need be.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        let was_open = self.open.is_some();
        match self.try_begin() {
            // A server that was restarted meanwhile is noticed here, and nothing has run yet.
            Err(_) if was_open && self.open.is_none() => self.try_begin(),
            begun => begun,
        }
    }

    fn try_begin(&mut self) -> Result<(), StoreError> {
        let mut conn = match self.open.take() {
            Some(conn) => conn,
            None => {
                AnyConnection::open(&self.url, self.role, Missing::Refuse).map_err(unavailable)?
            }
        };
        let begun = match self.role {
            Role::Writer | Role::Sole => conn.begin_write(),
            Role::Reader => conn.begin_read(),
        };
        // SQLite says "locked" here and stays usable; a PostgreSQL that cannot begin is gone.
        if begun.is_ok() || matches!(conn, AnyConnection::Sqlite(_)) {
            self.open = Some(conn);
            self.pause = FIRST_PAUSE;
        }
        begun.map_err(|error| unavailable(failure::words(&error)))
    }

    /// Runs a job in the open transaction.
    pub(super) fn run(&mut self, job: &mut dyn Job) -> Result<Result<(), StoreError>, Trouble> {
        match &mut self.open {
            Some(conn) => run_in_savepoint(conn, job),
            None => Err(Trouble::Failed(unavailable(GONE).into())),
        }
    }

    /// Writes what the jobs of the open transaction want in the journal.
    pub(super) fn write_down(
        &mut self,
        key: &JournalKey,
        entries: Vec<Entry>,
    ) -> Result<(), Failure> {
        let conn = self.open.as_mut().ok_or_else(|| unavailable(GONE))?;
        journal::append(conn, key, entries)
    }

    /// Commits the transaction.
    ///
    /// # Errors
    ///
    /// While the connection [is open](Self::is_open), nothing was committed. Otherwise that is not known.
    pub(super) fn commit(&mut self) -> Result<(), Failure> {
        let mut conn = self.open.take().ok_or_else(|| unavailable(GONE))?;
        let committed = conn.commit();
        if committed.is_ok() || conn.is_idle() {
            self.open = Some(conn);
        }
        Ok(committed?)
    }

    /// Whether there is a connection.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Ends the transaction without a trace. `false`: the connection was lost with it.
    pub(super) fn roll_back(&mut self) -> bool {
        let kept = self.open.as_mut().is_some_and(AnyConnection::roll_back);
        if !kept {
            self.open = None;
        }
        kept
    }

    /// Gives the connection up, with whatever it was in the middle of.
    pub(super) fn give_up(&mut self) {
        self.open = None;
    }

    /// Waits a little before the next try to connect, so that a database that is down is not stormed.
    pub(super) fn rest(&mut self) {
        if self.open.is_none() {
            std::thread::sleep(self.pause);
            self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }
}

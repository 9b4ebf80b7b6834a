//! The simulated database: rows, uniqueness, versions, leases and hints as `src/db` keeps them.
//!
//! **Invariant:** it is not kinder than the real ones: the store's contract runs on it as far as it goes through the port.
//! A method that fails has changed nothing.

mod leases;
mod people;
mod port;
mod steps;
mod telling;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::alert::{AlertKind, Topic};
use crate::domain::attempt::Attempt;
use crate::domain::connection::{Connection, ConnectionStatus};
use crate::domain::credit::Credit;
use crate::domain::ids::{AttemptId, ConnectionId, Hook};
use crate::domain::posting::Posting;
use crate::domain::proof::Proof;
use crate::domain::review::Review;
use crate::ports::store::{Ledger, StoreError};

pub(crate) use self::port::DiskPort;

/// All rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    attempts: BTreeMap<AttemptId, Row>,
    connections: BTreeMap<ConnectionId, Connection>,
    remembered: BTreeMap<String, String>,
    topics: BTreeMap<(AlertKind, String), Topic>,
    proofs: BTreeMap<NaiveDate, Proof>,
    /// What each attempt was before its last changes, by true time: newest last.
    history: Vec<(DateTime<Utc>, Row)>,
    /// Whether the past is kept.
    keeps_history: bool,
}

/// An attempt and all that hangs on it.
#[derive(Debug, Clone)]
struct Row {
    attempt: Attempt,
    looks: i64,
    last_look: Option<DateTime<Utc>>,
    lease: Option<Lease>,
    hints: BTreeMap<i64, DateTime<Utc>>,
    credits: Vec<(Credit, DateTime<Utc>)>,
    postings: Vec<Posting>,
    reviews: Vec<Review>,
}

#[derive(Debug, Clone)]
struct Lease {
    until: DateTime<Utc>,
}

impl Row {
    fn of(attempt: Attempt) -> Self {
        Self {
            attempt,
            looks: 0,
            last_look: None,
            lease: None,
            hints: BTreeMap::new(),
            credits: vec![],
            postings: vec![],
            reviews: vec![],
        }
    }

    fn ledger(&self) -> Ledger {
        let mut credits: Vec<Credit> =
            self.credits.iter().map(|(credit, _)| credit.clone()).collect();
        credits.sort_by_key(|credit| credit.n);
        Ledger { attempt: self.attempt.clone(), credits, postings: self.postings.clone() }
    }
}

fn refused(words: impl Into<String>) -> StoreError {
    StoreError::Refused(words.into())
}

impl Disk {
    /// A connection that is there from the beginning.
    pub(crate) fn begin_with(&mut self, connection: Connection) {
        self.connections.insert(connection.id, connection);
    }

    /// Every attempt with all that hangs on it.
    pub(crate) fn ledgers(&self) -> Vec<Ledger> {
        self.attempts.values().map(Row::ledger).collect()
    }

    /// From now on the past is kept, so that it can come back.
    pub(crate) fn keep_history(&mut self) {
        self.keeps_history = true;
    }

    /// Remembers what all attempts are at this moment.
    pub(super) fn remember_moment(&mut self, now: DateTime<Utc>, id: AttemptId) {
        if self.keeps_history
            && let Some(row) = self.attempts.get(&id)
        {
            self.history.push((now, row.clone()));
        }
    }

    /// Every attempt becomes what it was then; those that did not exist stay. Returns whether anything did.
    pub(super) fn go_back(&mut self, then: DateTime<Utc>) -> bool {
        let history = std::mem::take(&mut self.history);
        let mut restored = false;
        for (at, mut row) in history {
            if at > then {
                continue;
            }
            row.lease = None;
            restored |=
                self.attempts.get(&row.attempt.id).is_some_and(|it| it.postings != row.postings);
            self.attempts.insert(row.attempt.id, row);
        }
        restored
    }

    /// Whether a person is told of this.
    pub(crate) fn tells(&self, kind: AlertKind, subject: &str) -> bool {
        self.topics.contains_key(&(kind, subject.to_owned()))
    }

    /// Whether anything is still due, now or later.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.attempts
            .values()
            .all(|row| row.attempt.look_at.is_none() && row.attempt.work_at.is_none())
    }

    /// The attempt with this id.
    fn ledger(&self, id: AttemptId) -> Option<Ledger> {
        self.attempts.get(&id).map(Row::ledger)
    }

    fn by_hook(&mut self, hook: &Hook) -> Option<&mut Row> {
        self.attempts.values_mut().find(|row| row.attempt.hook == *hook)
    }

    fn add_connection(
        &mut self,
        connection: &Connection,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let has_secrets =
            connection.secrets.token.is_some() || connection.secrets.private_key.is_some();
        if connection.status == ConnectionStatus::Erased && has_secrets {
            return Err(refused("an erased connection has no secrets"));
        }
        if self.connections.contains_key(&connection.id) {
            return Err(refused("this connection exists"));
        }
        self.retire_others(connection, now);
        self.connections.insert(connection.id, connection.clone());
        Ok(())
    }

    fn change_connection(
        &mut self,
        connection: &Connection,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let living = self.connections.get(&connection.id);
        if living.is_none_or(|there| there.status == ConnectionStatus::Erased) {
            return Err(refused("there is no connection that could be changed"));
        }
        self.retire_others(connection, now);
        self.connections.insert(connection.id, connection.clone());
        Ok(())
    }

    fn retire_others(&mut self, connection: &Connection, now: DateTime<Utc>) {
        if connection.status != ConnectionStatus::Active {
            return;
        }
        for other in self.connections.values_mut() {
            if other.id != connection.id && other.status == ConnectionStatus::Active {
                other.status = ConnectionStatus::Retired;
                other.retired_at = Some(connection.activated_at.unwrap_or(now));
            }
        }
    }

    fn active_connection(&self) -> Option<Connection> {
        let mut all = self.connections.values();
        all.find(|connection| connection.status == ConnectionStatus::Active).cloned()
    }

    fn erase_retired(&mut self, now: DateTime<Utc>) -> u64 {
        let needed: Vec<ConnectionId> = self
            .attempts
            .values()
            .map(|row| &row.attempt)
            .filter(|it| it.monitor_until > now || it.look_at.is_some() || it.work_at.is_some())
            .map(|attempt| attempt.connection)
            .collect();
        let mut erased = 0_u64;
        for connection in self.connections.values_mut() {
            if connection.status == ConnectionStatus::Retired && !needed.contains(&connection.id) {
                connection.status = ConnectionStatus::Erased;
                connection.secrets = crate::domain::connection::ConnectionSecrets::default();
                erased = erased.saturating_add(1);
            }
        }
        erased
    }
}

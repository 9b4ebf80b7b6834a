//! One worker's turn with one attempt: what it holds, and how it commits.
//!
//! **Invariant:** every step is committed against the version that was read; who lost the race stops and leaves the
//! attempt to the winner.

use std::time::Duration;

use super::App;
use super::statement_record;
use crate::domain::attempt::{Attempt, State};
use crate::domain::credit::Credit;
use crate::domain::posting::Posting;
use crate::domain::recording::is_recorded;
use crate::domain::review::ReviewNote;
use crate::ports::PeerError;
use crate::ports::store::{Change, Ledger, StoreError};

/// Why a turn ended before its work was done.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// Somebody else changed the attempt. They go on with it.
    #[error("somebody else works on this attempt")]
    Moved,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An outside system.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// A sum or name that cannot be; a bug, told to a person.
    #[error("impossible: {0}")]
    Impossible(String),
}

impl From<crate::domain::money::MoneyError> for TurnError {
    fn from(error: crate::domain::money::MoneyError) -> Self {
        Self::Impossible(error.to_string())
    }
}

impl From<crate::domain::ids::InvalidId> for TurnError {
    fn from(error: crate::domain::ids::InvalidId) -> Self {
        Self::Impossible(error.to_string())
    }
}

/// A leased attempt.
#[derive(Debug)]
pub struct Turn<'a> {
    /// The use cases' world.
    pub app: &'a App,
    /// The attempt as it stands in the database.
    pub ledger: Ledger,
    /// When the lease ends, on the monotonic clock.
    pub lease_end: Duration,
}

impl Turn<'_> {
    /// Commits one step and goes on from it.
    ///
    /// # Errors
    ///
    /// [`TurnError::Moved`] when somebody else was first.
    pub async fn commit(&mut self, step: Step) -> Result<(), TurnError> {
        let change = self.change(step);
        if !self.app.store.apply(&change).await? {
            return Err(TurnError::Moved);
        }
        let version = change.attempt.version.saturating_add(1);
        self.ledger.attempt = Attempt { version, ..change.attempt };
        merge(&mut self.ledger.credits, change.credits, |credit| credit.key.clone());
        merge(&mut self.ledger.postings, change.postings, |posting| posting.id);
        self.ledger.credits.sort_by_key(|credit| credit.n);
        Ok(())
    }

    /// The step as rows, with what follows from it.
    pub(super) fn change(&self, step: Step) -> Change {
        let Step { mut attempt, credits, mut postings, notes, release } = step;
        let mut after = self.ledger.clone();
        merge(&mut after.credits, credits.clone(), |credit| credit.key.clone());
        merge(&mut after.postings, postings.clone(), |posting| posting.id);
        if attempt.state == State::Settled && is_recorded(&after.credits, &after.postings) {
            attempt.state = State::Recorded;
            attempt.recorded_at = Some(self.app.clock.now());
        }
        if let Some(record) = statement_record::follow(self.app, &attempt, &after.postings) {
            // A look at the processor alone makes nothing due at Splynx.
            let now = self.app.clock.now();
            attempt.work_at = Some(attempt.work_at.map_or(now, |at| at.min(now)));
            postings.push(record);
        }
        let reviews = notes
            .into_iter()
            .map(|note| super::open_attempt::review(self.app, &attempt, note))
            .collect();
        Change { credits, postings, reviews, release, ..Change::of(attempt) }
    }

    /// A step that changes nothing yet.
    #[must_use]
    pub fn step(&self) -> Step {
        Step {
            attempt: self.ledger.attempt.clone(),
            credits: vec![],
            postings: vec![],
            notes: vec![],
            release: false,
        }
    }
}

/// What one step changes.
#[derive(Debug)]
pub struct Step {
    /// The attempt as it shall be.
    pub attempt: Attempt,
    /// New or changed credits.
    pub credits: Vec<Credit>,
    /// New or changed postings.
    pub postings: Vec<Posting>,
    /// What a person must know.
    pub notes: Vec<ReviewNote>,
    /// Whether the lease ends.
    pub release: bool,
}

fn merge<T, K: PartialEq>(rows: &mut Vec<T>, changed: Vec<T>, key: impl Fn(&T) -> K) {
    for row in changed {
        match rows.iter_mut().find(|there| key(there) == key(&row)) {
            Some(there) => *there = row,
            None => rows.push(row),
        }
    }
}

//! The store's port on the simulated disk: atomic commits that may or may not happen when their process dies.
//!
//! **Invariant:** what a method answered is committed; what it did not answer is committed wholly or not at all.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::super::clock::true_time;
use super::super::coverage::Happening;
use super::super::executor::Life;
use super::super::world::{Point, State, World};
use super::Disk;
use crate::domain::actor::Actor;
use crate::domain::attempt::Attempt;
use crate::domain::connection::Connection;
use crate::domain::ids::{AttemptId, ConnectionId, Hook, ResultToken, ReviewId};
use crate::domain::posting::PostingState;
use crate::domain::review::{Review, ReviewClosed};
use crate::ports::clock::Clock;
use crate::ports::store::{
    AttemptFilter, Change, Claim, Errand, Figures, HintOutcome, JournalRow, Ledger, Store,
    StoreError,
};

/// The disk as one process sees it.
#[derive(Clone)]
pub(crate) struct DiskPort {
    place: Place,
    clock: Arc<dyn Clock>,
}

#[derive(Clone)]
enum Place {
    /// In a world, where commits fail and processes die.
    World(Arc<World>, Life),
    /// Alone, for the store's contract.
    #[cfg_attr(not(test), expect(dead_code, reason = "the store's contract is a test"))]
    Alone(Arc<Mutex<Disk>>),
}

impl DiskPort {
    /// The disk of a world, for one process.
    pub(in super::super) fn new(world: Arc<World>, life: Life, clock: Arc<dyn Clock>) -> Self {
        Self { place: Place::World(world, life), clock }
    }

    /// A disk of its own, where nothing goes wrong.
    #[cfg(test)]
    pub(crate) fn alone(clock: Arc<dyn Clock>) -> Self {
        Self { place: Place::Alone(Arc::default()), clock }
    }

    pub(super) async fn read<T>(
        &self,
        work: impl FnOnce(&mut Disk) -> T + Send,
    ) -> Result<T, StoreError> {
        match &self.place {
            Place::Alone(disk) => {
                Ok(work(&mut disk.lock().unwrap_or_else(PoisonError::into_inner)))
            }
            Place::World(world, life) => {
                world.step(*life, Point::Before).await;
                Ok(work(&mut world.state().disk))
            }
        }
    }

    pub(super) async fn write<T>(
        &self,
        what: &'static str,
        work: impl FnOnce(&mut Disk) -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        self.commit(what, work, |_, _, _| {}).await
    }

    /// Does the work in one transaction; `watch` sees it at the moment it is committed.
    async fn commit<T>(
        &self,
        what: &'static str,
        work: impl FnOnce(&mut Disk) -> Result<T, StoreError> + Send,
        watch: impl FnOnce(&mut State, i64, &T) + Send,
    ) -> Result<T, StoreError> {
        let (world, life) = match &self.place {
            Place::Alone(disk) => {
                return work(&mut disk.lock().unwrap_or_else(PoisonError::into_inner));
            }
            Place::World(world, life) => (world, *life),
        };
        world.step(life, Point::Before).await;
        world.pass(0, 8).await;
        let done = {
            let mut state = world.state();
            let now = world.now();
            if state.strikes(|plan| plan.rates.disk, Happening::CommitFailed) {
                return Err(StoreError::Unavailable("the disk is full".to_owned()));
            }
            let done = work(&mut state.disk)?;
            state.journal.note(now, what, i64::from(life.0), String::new);
            // The past that a restore brings back is kept by true time.
            watch(&mut state, now, &done);
            if state.strikes(|plan| plan.rates.unclear_commit, Happening::CommitUnclear) {
                return Err(StoreError::Unavailable("the connection broke".to_owned()));
            }
            done
        };
        world.step(life, Point::Committed).await;
        Ok(done)
    }
}

/// Remembers by true time which requests may leave from now on, and counts what a step shows.
fn watch_step(state: &mut State, now: i64, change: &Change, taken: bool) {
    state.disk.remember_moment(true_time(now), change.attempt.id);
    if !taken {
        state.coverage.count(Happening::StepLost);
        return;
    }
    for posting in &change.postings {
        let key = posting.credit.as_ref().map(ToString::to_string).unwrap_or_default();
        match posting.state {
            PostingState::Posting { .. } => state.splynx.intent(posting.kind, &key, now),
            PostingState::Unknown { .. } => state.coverage.count(Happening::Unknown),
            _ => {}
        }
        let words = || format!("{key} {:?}", posting.state);
        state.journal.note(now, posting.kind.code(), i64::from(posting.tries), words);
    }
    for review in &change.reviews {
        state.coverage.count(Happening::Review);
        state.journal.note(now, "review", 0, || review.words.clone());
    }
    if change.credits.len() > 1 {
        state.coverage.count(Happening::Split);
    }
}

#[async_trait]
impl Store for DiskPort {
    async fn add_connection(&self, connection: &Connection, _by: &Actor) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.write("add connection", |disk| disk.add_connection(connection, now)).await
    }

    async fn change_connection(
        &self,
        connection: &Connection,
        _by: &Actor,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.write("change connection", |disk| disk.change_connection(connection, now)).await
    }

    async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        self.read(|disk| disk.connections.get(&id).cloned()).await
    }

    async fn active_connection(&self) -> Result<Option<Connection>, StoreError> {
        self.read(|disk| disk.active_connection()).await
    }

    async fn connections(&self) -> Result<Vec<Connection>, StoreError> {
        let mut all: Vec<Connection> =
            self.read(|disk| disk.connections.values().cloned().collect()).await?;
        all.sort_by_key(|connection| std::cmp::Reverse((connection.created_at, connection.id)));
        Ok(all)
    }

    async fn erase_retired(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        self.write("erase", |disk| Ok(disk.erase_retired(now))).await
    }

    async fn claim(
        &self,
        attempt: &Attempt,
        usable_until: DateTime<Utc>,
    ) -> Result<Claim, StoreError> {
        self.write("claim", |disk| disk.claim(attempt, usable_until)).await
    }

    async fn ledger(&self, id: AttemptId) -> Result<Option<Ledger>, StoreError> {
        self.read(|disk| disk.ledger(id)).await
    }

    async fn ledger_by_token(&self, token: &ResultToken) -> Result<Option<Ledger>, StoreError> {
        let find = |disk: &mut Disk| {
            disk.ledgers().into_iter().find(|ledger| ledger.attempt.result_token == *token)
        };
        self.read(find).await
    }

    async fn apply(&self, change: &Change) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let watch =
            |state: &mut State, at: i64, taken: &bool| watch_step(state, at, change, *taken);
        self.commit("step", |disk| disk.apply(change, now), watch).await
    }

    async fn connection_of(&self, hook: &Hook) -> Result<Option<Connection>, StoreError> {
        let find = |disk: &mut Disk| {
            let id = disk.by_hook(hook)?.attempt.connection;
            disk.connections.get(&id).cloned()
        };
        self.read(find).await
    }

    async fn record_hint(
        &self,
        hook: &Hook,
        now: DateTime<Utc>,
    ) -> Result<HintOutcome, StoreError> {
        self.write("hint", |disk| Ok(disk.record_hint(hook, now))).await
    }

    async fn wake(
        &self,
        id: AttemptId,
        _by: &Actor,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.write("wake", |disk| Ok(disk.wake(id, now))).await
    }

    async fn lease_due(
        &self,
        _owner: &str,
        now: DateTime<Utc>,
        lease: TimeDelta,
        errand: Errand,
        limit: u32,
    ) -> Result<Vec<Ledger>, StoreError> {
        self.write("lease", |disk| Ok(disk.lease_due(now, lease, errand, limit))).await
    }

    async fn next_due(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.read(|disk| disk.next_due()).await
    }

    async fn end_all_leases(&self) -> Result<(), StoreError> {
        let end = |disk: &mut Disk| {
            disk.end_all_leases();
            Ok(())
        };
        self.write("end leases", end).await
    }

    async fn list(&self, filter: &AttemptFilter) -> Result<Vec<Attempt>, StoreError> {
        self.read(|disk| disk.list(filter)).await
    }

    async fn reviews(&self, attempt: AttemptId) -> Result<Vec<Review>, StoreError> {
        self.read(|disk| disk.reviews(attempt)).await
    }

    async fn open_reviews(
        &self,
        attempts: &[AttemptId],
    ) -> Result<Vec<(AttemptId, i64)>, StoreError> {
        self.read(|disk| disk.open_reviews(attempts)).await
    }

    async fn close_review(&self, id: ReviewId, closed: &ReviewClosed) -> Result<bool, StoreError> {
        self.write("close review", |disk| Ok(disk.close_review(id, closed))).await
    }

    /// The journal exists to show what was done to the real database; nobody edits this one.
    async fn journal(
        &self,
        _attempt: Option<AttemptId>,
        _after: i64,
        _limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        Ok(vec![])
    }

    async fn opened_since(
        &self,
        since: DateTime<Utc>,
        limit: u32,
        offset: u32,
    ) -> Result<Vec<Ledger>, StoreError> {
        self.read(|disk| disk.opened_since(since, limit, offset)).await
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        self.read(|disk| disk.figures()).await
    }

    async fn remembered(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.read(|disk| disk.remembered(name)).await
    }

    async fn remember(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let keep = |disk: &mut Disk| {
            disk.remember(name, value);
            Ok(())
        };
        self.write("remember", keep).await
    }
}

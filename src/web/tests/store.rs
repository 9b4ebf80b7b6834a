//! The memory of the small world: rows in vectors, enough of the store's contract for the pages.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::world::{Fault, World, lock};
use crate::domain::actor::Actor;
use crate::domain::attempt::Attempt;
use crate::domain::connection::{Connection, ConnectionStatus};
use crate::domain::credit::Credit;
use crate::domain::ids::{AttemptId, ConnectionId, Hook, ResultToken, ReviewId};
use crate::domain::posting::Posting;
use crate::domain::review::{Review, ReviewClosed};
use crate::ports::store::{
    AttemptFilter, Change, Claim, Errand, Figures, HintOutcome, JournalRow, Ledger, Store,
    StoreError,
};

/// What was committed.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) connections: Vec<Connection>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) hints: Vec<Hook>,
    pub(super) credits: Vec<Credit>,
    pub(super) postings: Vec<Posting>,
    pub(super) reviews: Vec<Review>,
    pub(super) journal: Vec<JournalRow>,
}

impl World {
    fn committed<T>(&self, step: impl FnOnce(&mut Rows) -> T) -> Result<T, StoreError> {
        if self.has(Fault::StoreDown) {
            return Err(StoreError::Unavailable("secret words of the database".to_owned()));
        }
        if self.has(Fault::StoreUnreadable) {
            let row = "secret words of the database".to_owned();
            return Err(StoreError::Inconsistent { table: "attempts", column: "state", row });
        }
        Ok(step(&mut lock(&self.rows)))
    }

    fn find(&self, wanted: impl Fn(&Attempt) -> bool) -> Result<Option<Attempt>, StoreError> {
        self.committed(|rows| rows.attempts.iter().find(|attempt| wanted(attempt)).cloned())
    }

    fn ledger_where(
        &self,
        wanted: impl Fn(&Attempt) -> bool,
    ) -> Result<Option<Ledger>, StoreError> {
        self.committed(|rows| {
            let found = rows.attempts.iter().find(|attempt| wanted(attempt));
            found.map(|attempt| ledger(rows, attempt))
        })
    }
}

/// The attempt with all that hangs on it.
fn ledger(rows: &Rows, attempt: &Attempt) -> Ledger {
    let credits = rows.credits.iter().filter(|credit| credit.attempt == attempt.id);
    let postings = rows.postings.iter().filter(|posting| posting.attempt == attempt.id);
    Ledger {
        attempt: attempt.clone(),
        credits: credits.cloned().collect(),
        postings: postings.cloned().collect(),
    }
}

fn open_reviews(rows: &Rows, id: AttemptId) -> usize {
    let is_open = |review: &&Review| review.attempt == id && review.closed.is_none();
    rows.reviews.iter().filter(is_open).count()
}

fn close(rows: &mut Rows, id: ReviewId, closed: &ReviewClosed) -> bool {
    let mut open = rows.reviews.iter_mut().filter(|review| review.closed.is_none());
    let found = open.find(|review| review.id == id);
    found.map(|review| review.closed = Some(closed.clone())).is_some()
}

/// Whether the text is the customer, the processor invoice or the own id of this attempt.
fn is_about(attempt: &Attempt, text: &str) -> bool {
    let invoice = attempt.opened.as_ref().map(|opened| opened.invoice.to_string());
    attempt.customer.to_string() == text
        || attempt.id.to_string() == text
        || invoice.as_deref() == Some(text)
}

#[async_trait]
impl Store for World {
    async fn add_connection(&self, connection: &Connection, _: &Actor) -> Result<(), StoreError> {
        self.committed(|rows| rows.connections.push(connection.clone()))
    }

    async fn change_connection(
        &self,
        connection: &Connection,
        _: &Actor,
    ) -> Result<(), StoreError> {
        self.committed(|rows| {
            rows.connections.retain(|known| known.id != connection.id);
            rows.connections.push(connection.clone());
        })
    }

    async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        self.committed(|rows| rows.connections.iter().find(|known| known.id == id).cloned())
    }

    async fn active_connection(&self) -> Result<Option<Connection>, StoreError> {
        let is_active = |known: &&Connection| known.status == ConnectionStatus::Active;
        self.committed(|rows| rows.connections.iter().find(is_active).cloned())
    }

    async fn connections(&self) -> Result<Vec<Connection>, StoreError> {
        self.committed(|rows| rows.connections.clone())
    }

    async fn erase_retired(&self, _: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn claim(&self, attempt: &Attempt, _: DateTime<Utc>) -> Result<Claim, StoreError> {
        self.committed(|rows| {
            let same = rows.attempts.iter().find(|known| known.open_key == attempt.open_key);
            if let Some(known) = same {
                return Claim::Existing(known.clone());
            }
            rows.attempts.push(attempt.clone());
            Claim::Created(attempt.clone())
        })
    }

    async fn ledger(&self, id: AttemptId) -> Result<Option<Ledger>, StoreError> {
        self.ledger_where(|attempt| attempt.id == id)
    }

    async fn ledger_by_token(&self, token: &ResultToken) -> Result<Option<Ledger>, StoreError> {
        self.ledger_where(|attempt| attempt.result_token == *token)
    }

    async fn apply(&self, change: &Change) -> Result<bool, StoreError> {
        self.committed(|rows| {
            rows.attempts.retain(|known| known.id != change.attempt.id);
            rows.attempts.push(change.attempt.clone());
            for credit in &change.credits {
                rows.credits.retain(|known| known.key != credit.key);
                rows.credits.push(credit.clone());
            }
            for posting in &change.postings {
                rows.postings.retain(|known| known.id != posting.id);
                rows.postings.push(posting.clone());
            }
            for (id, closed) in &change.closes {
                close(rows, *id, closed);
            }
            true
        })
    }

    async fn connection_of(&self, hook: &Hook) -> Result<Option<Connection>, StoreError> {
        let Some(attempt) = self.find(|attempt| attempt.hook == *hook)? else {
            return Ok(None);
        };
        self.connection(attempt.connection).await
    }

    async fn record_hint(&self, hook: &Hook, _: DateTime<Utc>) -> Result<HintOutcome, StoreError> {
        if self.find(|attempt| attempt.hook == *hook)?.is_none() {
            return Ok(HintOutcome::Unknown);
        }
        self.committed(|rows| {
            if rows.hints.contains(hook) {
                return HintOutcome::AlreadyStored;
            }
            rows.hints.push(hook.clone());
            HintOutcome::Stored
        })
    }

    async fn wake(&self, _: AttemptId, _: &Actor, _: DateTime<Utc>) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn lease_due(
        &self,
        _: &str,
        _: DateTime<Utc>,
        _: TimeDelta,
        _: Errand,
        _: u32,
    ) -> Result<Vec<Ledger>, StoreError> {
        Ok(vec![])
    }

    async fn next_due(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(None)
    }

    async fn end_all_leases(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn list(&self, filter: &AttemptFilter) -> Result<Vec<Attempt>, StoreError> {
        let (skip, take) = (filter.offset.try_into().unwrap(), filter.limit.try_into().unwrap());
        self.committed(|rows| {
            let mut found = rows.attempts.clone();
            found.retain(|attempt| !filter.under_review || open_reviews(rows, attempt.id) > 0);
            found.retain(|attempt| filter.customer.is_none_or(|id| attempt.customer == id));
            found.retain(|attempt| filter.state.is_none_or(|state| attempt.state == state));
            found.retain(|attempt| filter.about.iter().all(|text| is_about(attempt, text)));
            found.sort_by_key(|attempt| std::cmp::Reverse(attempt.created_at));
            found.into_iter().skip(skip).take(take).collect()
        })
    }

    async fn reviews(&self, id: AttemptId) -> Result<Vec<Review>, StoreError> {
        self.committed(|rows| {
            let reviews = rows.reviews.iter().filter(|review| review.attempt == id);
            reviews.cloned().collect()
        })
    }

    async fn open_reviews(
        &self,
        attempts: &[AttemptId],
    ) -> Result<Vec<(AttemptId, i64)>, StoreError> {
        self.committed(|rows| {
            let open = |id: &AttemptId| (*id, i64::try_from(open_reviews(rows, *id)).unwrap());
            attempts.iter().map(open).filter(|(_, count)| *count > 0).collect()
        })
    }

    async fn close_review(&self, id: ReviewId, closed: &ReviewClosed) -> Result<bool, StoreError> {
        self.committed(|rows| close(rows, id, closed))
    }

    async fn journal(
        &self,
        attempt: Option<AttemptId>,
        after: i64,
        _: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let attempt = attempt.map(|id| id.to_string());
        self.committed(|rows| {
            let rows = rows.journal.iter().filter(|row| row.seq > after);
            rows.filter(|row| attempt.is_none() || row.attempt == attempt).cloned().collect()
        })
    }

    async fn opened_since(
        &self,
        _: DateTime<Utc>,
        _: u32,
        _: u32,
    ) -> Result<Vec<Ledger>, StoreError> {
        Ok(vec![])
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        Ok(Figures::default())
    }

    async fn remembered(&self, _: &str) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    async fn remember(&self, _: &str, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

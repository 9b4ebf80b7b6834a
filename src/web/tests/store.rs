//! The memory of the small world: rows in vectors, enough of the store's contract for the pages.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::world::{Fault, World, lock};
use crate::domain::attempt::Attempt;
use crate::domain::connection::{Connection, ConnectionStatus};
use crate::domain::ids::{AttemptId, ConnectionId, Hook, ResultToken, ReviewId};
use crate::domain::review::{Review, ReviewClosed};
use crate::ports::store::{
    AttemptFilter, Change, Claim, Figures, HintOutcome, Ledger, Readiness, Store, StoreError,
};

/// What was committed.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) connections: Vec<Connection>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) hints: Vec<Hook>,
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
}

fn ledger(attempt: Attempt) -> Ledger {
    Ledger { attempt, credits: vec![], postings: vec![] }
}

#[async_trait]
impl Store for World {
    async fn add_connection(&self, connection: &Connection) -> Result<(), StoreError> {
        self.committed(|rows| rows.connections.push(connection.clone()))
    }

    async fn change_connection(&self, connection: &Connection) -> Result<(), StoreError> {
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
        Ok(self.find(|attempt| attempt.id == id)?.map(ledger))
    }

    async fn ledger_by_token(&self, token: &ResultToken) -> Result<Option<Ledger>, StoreError> {
        Ok(self.find(|attempt| attempt.result_token == *token)?.map(ledger))
    }

    async fn apply(&self, change: &Change) -> Result<bool, StoreError> {
        self.committed(|rows| {
            rows.attempts.retain(|known| known.id != change.attempt.id);
            rows.attempts.push(change.attempt.clone());
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

    async fn wake(&self, _: AttemptId, _: DateTime<Utc>) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn lease_due(
        &self,
        _: &str,
        _: DateTime<Utc>,
        _: TimeDelta,
        _: Readiness,
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

    async fn list(&self, _: &AttemptFilter) -> Result<Vec<Attempt>, StoreError> {
        self.committed(|rows| rows.attempts.clone())
    }

    async fn reviews(&self, _: AttemptId) -> Result<Vec<Review>, StoreError> {
        Ok(vec![])
    }

    async fn close_review(&self, _: ReviewId, _: &ReviewClosed) -> Result<bool, StoreError> {
        Ok(false)
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

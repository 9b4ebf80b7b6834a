//! The port's methods: what is read and written together.
//!
//! **Invariant:** every method is one transaction.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::connection::AnyConnection;
use super::connections::ConnectionRow;
use super::failure::Failure;
use super::journal::{self, Before, Entry};
use super::{
    Db, attempts, connections, credits, hints, leases, meta, nonces, people, postings, reviews,
};
use crate::domain::actor::Actor;
use crate::domain::attempt::Attempt;
use crate::domain::connection::{Connection, ConnectionStatus};
use crate::domain::ids::{AttemptId, ConnectionId, Hook, ResultToken, ReviewId};
use crate::domain::review::{Review, ReviewClosed, ReviewReason};
use crate::ports::billing::Nonces;
use crate::ports::store::{
    AttemptFilter, Change, Claim, Errand, Figures, HintOutcome, JournalRow, Ledger, Store,
    StoreError,
};
use crate::ports::{self, PeerError};

#[async_trait]
impl Store for Db {
    async fn add_connection(&self, connection: &Connection, by: &Actor) -> Result<(), StoreError> {
        let row = ConnectionRow::seal(connection, &self.seal_key, self.entropy.as_ref())?;
        let now = self.clock.now();
        let entry = journal::connection(connection, by, now);
        self.write_down(move |conn, entries| {
            let retired = connections::add(conn, &row, now)?;
            connection_changed(entries, retired, entry.clone(), now);
            Ok(())
        })
        .await
    }

    async fn change_connection(
        &self,
        connection: &Connection,
        by: &Actor,
    ) -> Result<(), StoreError> {
        let row = ConnectionRow::seal(connection, &self.seal_key, self.entropy.as_ref())?;
        let now = self.clock.now();
        let entry = journal::connection(connection, by, now);
        self.write_down(move |conn, entries| {
            let retired = connections::change(conn, &row, now)?;
            connection_changed(entries, retired, entry.clone(), now);
            Ok(())
        })
        .await
    }

    async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        let row = self.read(move |conn| connections::find(conn, &id.to_string())).await?;
        row.map(|row| row.open(&self.seal_key)).transpose()
    }

    async fn active_connection(&self) -> Result<Option<Connection>, StoreError> {
        let row = self.read(connections::active).await?;
        row.map(|row| row.open(&self.seal_key)).transpose()
    }

    async fn connections(&self) -> Result<Vec<Connection>, StoreError> {
        let rows = self.read(connections::all).await?;
        rows.into_iter().map(|row| row.open(&self.seal_key)).collect()
    }

    async fn erase_retired(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        self.write_down(move |conn, entries| {
            let erased = connections::erase_retired(conn, now)?;
            let ended = |id: &String| journal::connection_ended(id, ConnectionStatus::Erased, now);
            entries.extend(erased.iter().map(ended));
            Ok(u64::try_from(erased.len()).unwrap_or(u64::MAX))
        })
        .await
    }

    async fn claim(
        &self,
        attempt: &Attempt,
        usable_until: DateTime<Utc>,
    ) -> Result<Claim, StoreError> {
        let (attempt, now) = (attempt.clone(), self.clock.now());
        self.write_down(move |conn, entries| {
            let claim = attempts::claim(conn, &attempt, usable_until)?;
            if let Claim::Created(attempt) = &claim {
                entries.push(journal::begun(attempt, now));
            }
            Ok(claim)
        })
        .await
    }

    async fn ledger(&self, id: AttemptId) -> Result<Option<Ledger>, StoreError> {
        let work = move |conn: &mut AnyConnection| {
            let attempt = attempts::find(conn, &id.to_string())?;
            Ok(ledgers(conn, attempt.into_iter().collect())?.pop())
        };
        self.read(work).await
    }

    async fn ledger_by_token(&self, token: &ResultToken) -> Result<Option<Ledger>, StoreError> {
        let token = token.clone();
        let work = move |conn: &mut AnyConnection| {
            let attempt = attempts::find_by_token(conn, token.as_str())?;
            Ok(ledgers(conn, attempt.into_iter().collect())?.pop())
        };
        self.read(work).await
    }

    async fn apply(&self, change: &Change) -> Result<bool, StoreError> {
        let (change, now) = (change.clone(), self.clock.now());
        self.write_down(move |conn, entries| apply(conn, &change, now, entries)).await
    }

    async fn connection_of(&self, hook: &Hook) -> Result<Option<Connection>, StoreError> {
        let hook = hook.clone();
        let row = self.read(move |conn| connections::of_hook(conn, hook.as_str())).await?;
        row.map(|row| row.open(&self.seal_key)).transpose()
    }

    async fn record_hint(
        &self,
        hook: &Hook,
        now: DateTime<Utc>,
    ) -> Result<HintOutcome, StoreError> {
        let hook = hook.clone();
        // Most deliveries repeat one that is stored. What is committed can be read without queueing up to write:
        // whoever serves the stored hint does so after this moment, and so sees what this delivery is about.
        let peeked = hook.clone();
        if let Some(outcome) = self.read(move |conn| hints::peek(conn, peeked.as_str())).await? {
            return Ok(outcome);
        }
        self.write(move |conn| hints::record(conn, hook.as_str(), now)).await
    }

    async fn wake(
        &self,
        id: AttemptId,
        by: &Actor,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let entry = journal::woken(id, by, now);
        self.write_down(move |conn, entries| {
            let is_there = hints::wake(conn, &id.to_string(), now)?;
            if is_there {
                entries.push(entry.clone());
            }
            Ok(is_there)
        })
        .await
    }

    async fn lease_due(
        &self,
        owner: &str,
        now: DateTime<Utc>,
        lease: TimeDelta,
        errand: Errand,
        limit: u32,
    ) -> Result<Vec<Ledger>, StoreError> {
        let owner = owner.to_owned();
        let entropy = Arc::clone(&self.entropy);
        let work = move |conn: &mut AnyConnection, entries: &mut Vec<Entry>| {
            let wanted = leases::Wanted { owner: &owner, now, lease, errand };
            let leased = leases::lease_due(conn, wanted, limit)?;
            let all = leases::load_in_order(conn, &leased).and_then(|all| ledgers(conn, all));
            if !matches!(all, Err(Failure::Store(StoreError::Inconsistent { .. }))) {
                return all;
            }
            let mut readable = Vec::with_capacity(leased.len());
            for id in leased {
                let review = ReviewId::new(now, entropy.random_u128());
                readable.extend(readable_ledger(conn, &id, now, review, entries)?);
            }
            Ok(readable)
        };
        self.write_down(work).await
    }

    async fn next_due(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.read(leases::next_due).await
    }

    async fn end_all_leases(&self) -> Result<(), StoreError> {
        self.write(leases::end_all).await
    }

    async fn list(&self, filter: &AttemptFilter) -> Result<Vec<Attempt>, StoreError> {
        let filter = filter.clone();
        self.read(move |conn| people::list(conn, &filter)).await
    }

    async fn reviews(&self, attempt: AttemptId) -> Result<Vec<Review>, StoreError> {
        self.read(move |conn| reviews::of_attempt(conn, attempt)).await
    }

    async fn open_reviews(
        &self,
        attempts: &[AttemptId],
    ) -> Result<Vec<(AttemptId, i64)>, StoreError> {
        let attempts = attempts.to_vec();
        self.read(move |conn| reviews::count_open(conn, &attempts)).await
    }

    async fn close_review(&self, id: ReviewId, closed: &ReviewClosed) -> Result<bool, StoreError> {
        let closed = closed.clone();
        self.write_down(move |conn, entries| {
            let review = reviews::close(conn, id, &closed)?;
            entries.extend(review.iter().map(|review| journal::closed(review, &closed)));
            Ok(review.is_some())
        })
        .await
    }

    async fn journal(
        &self,
        attempt: Option<AttemptId>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        self.read(move |conn| journal::list(conn, attempt, after, limit)).await
    }

    async fn opened_since(
        &self,
        since: DateTime<Utc>,
        limit: u32,
        offset: u32,
    ) -> Result<Vec<Ledger>, StoreError> {
        let work = move |conn: &mut AnyConnection| {
            let opened = people::opened_since(conn, since, limit, offset)?;
            ledgers(conn, opened)
        };
        self.read(work).await
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        self.read(people::figures).await
    }

    async fn remembered(&self, name: &str) -> Result<Option<String>, StoreError> {
        let name = name.to_owned();
        self.read(move |conn| meta::remembered(conn, &name)).await
    }

    async fn remember(&self, name: &str, value: &str) -> Result<(), StoreError> {
        if self.remembered(name).await?.as_deref() == Some(value) {
            return Ok(());
        }
        let (name, value) = (name.to_owned(), value.to_owned());
        self.write(move |conn| meta::remember(conn, &name, &value)).await
    }
}

#[async_trait]
impl Nonces for Db {
    async fn next(&self, api_key: &str, floor: i64) -> Result<i64, PeerError> {
        let key_id = nonces::key_id(api_key);
        let next = self.write(move |conn| nonces::next(conn, &key_id, floor)).await;
        next.map_err(|error| PeerError::Unavailable {
            peer: ports::DATABASE,
            why: error.to_string(),
        })
    }
}

fn connection_changed(
    entries: &mut Vec<Entry>,
    retired: Vec<String>,
    changed: Entry,
    now: DateTime<Utc>,
) {
    let ended = |id: String| journal::connection_ended(&id, ConnectionStatus::Retired, now);
    entries.extend(retired.into_iter().map(ended));
    entries.push(changed);
}

fn apply(
    conn: &mut AnyConnection,
    change: &Change,
    now: DateTime<Utc>,
    entries: &mut Vec<Entry>,
) -> Result<bool, Failure> {
    let Some(before) = before(conn, change)? else {
        return Ok(false);
    };
    if !attempts::advance(conn, &change.attempt)? {
        return Ok(false);
    }
    let id = change.attempt.id.to_string();
    hints::keep_early(conn, &id)?;
    for credit in &change.credits {
        credits::put(conn, credit, now)?;
    }
    for posting in &change.postings {
        postings::put(conn, posting)?;
    }
    let mut closed = Vec::new();
    for (id, end) in &change.closes {
        let review = reviews::close(conn, *id, end)?;
        let words = || StoreError::Refused(format!("review {id} is closed already"));
        closed.push((review.ok_or_else(words)?.reason, end));
    }
    let mut opened = Vec::new();
    for review in &change.reviews {
        if reviews::open(conn, review)? {
            opened.push(review);
        }
    }
    if change.release {
        attempts::release(conn, &id)?;
    }
    entries.extend(journal::steps(&before, change, &opened, &closed, now));
    Ok(true)
}

/// The attempt with all that hangs on it. One that this version cannot read is set aside, and a person is told: it must not
/// stop the work on all others.
fn readable_ledger(
    conn: &mut AnyConnection,
    id: &str,
    now: DateTime<Utc>,
    review: ReviewId,
    entries: &mut Vec<Entry>,
) -> Result<Option<Ledger>, Failure> {
    let read = attempts::find(conn, id)
        .and_then(|attempt| Ok(ledgers(conn, attempt.into_iter().collect())?.pop()));
    let error = match read {
        Err(Failure::Store(error @ StoreError::Inconsistent { .. })) => error,
        read => return read,
    };
    tracing::error!(attempt = id, %error, "set aside");
    leases::set_aside(conn, id, now)?;
    if let Ok(attempt) = AttemptId::parse(id) {
        let words = format!("The add-on cannot go on with this payment: {error}.");
        let reason = ReviewReason::BooksDiffer;
        let told = Review { id: review, attempt, reason, words, opened_at: now, closed: None };
        if reviews::open(conn, &told)? {
            entries.push(journal::review_opened(&told));
        }
    }
    Ok(None)
}

/// What stood there before this step. `None`: somebody else moved first.
fn before(conn: &mut AnyConnection, change: &Change) -> Result<Option<Before>, Failure> {
    let Some(mut before) = attempts::before(conn, &change.attempt)? else {
        return Ok(None);
    };
    let ids = [change.attempt.id.to_string()];
    if !change.credits.is_empty() {
        before.credits = credits::of_attempts(conn, &ids)?;
    }
    if !change.postings.is_empty() {
        before.postings = postings::of_attempts(conn, &ids)?;
    }
    Ok(Some(before))
}

/// Puts to each attempt what hangs on it.
pub(super) fn ledgers(
    conn: &mut AnyConnection,
    attempts: Vec<Attempt>,
) -> Result<Vec<Ledger>, Failure> {
    if attempts.is_empty() {
        return Ok(vec![]);
    }
    let ids: Vec<String> = attempts.iter().map(|attempt| attempt.id.to_string()).collect();
    let credits = credits::of_attempts(conn, &ids)?;
    let postings = postings::of_attempts(conn, &ids)?;
    let ledger = |attempt: Attempt| Ledger {
        credits: credits.iter().filter(|it| it.attempt == attempt.id).cloned().collect(),
        postings: postings.iter().filter(|it| it.attempt == attempt.id).cloned().collect(),
        attempt,
    };
    Ok(attempts.into_iter().map(ledger).collect())
}

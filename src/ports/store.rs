//! The add-on's own memory.
//!
//! **Invariant:** a method that returns `Ok` has committed. Lookups return `Option`; writes are compare-and-swap and
//! return `false` when somebody else moved first.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::alerts::AlertStore;
use super::books::BookStore;
use crate::domain::actor::Actor;
use crate::domain::attempt::{Attempt, State};
use crate::domain::connection::Connection;
use crate::domain::credit::Credit;
use crate::domain::ids::{
    AttemptId, ConnectionId, CreditKey, CustomerId, Hook, ProcessorInvoiceId, ResultToken, ReviewId,
};
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::domain::recording::is_payment_of;
use crate::domain::review::{Review, ReviewClosed, ReviewReason};

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Full, locked or gone. Nothing was committed; try again.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A row that this version cannot read.
    #[error("the database holds an impossible value in {table}.{column} of `{row}`")]
    Inconsistent {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
        /// Which row.
        row: String,
    },
    /// A rule of the schema was broken; nothing was committed.
    #[error("the database refused: {0}")]
    Refused(String),
}

/// An attempt with all that hangs on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// The attempt.
    pub attempt: Attempt,
    /// Its credits, by `n`.
    pub credits: Vec<Credit>,
    /// Its postings, in the order they were made.
    pub postings: Vec<Posting>,
}

impl Ledger {
    /// The credit with this key.
    #[must_use]
    pub fn credit(&self, key: &CreditKey) -> Option<&Credit> {
        self.credits.iter().find(|credit| credit.key == *key)
    }

    /// The credit that a posting belongs to; a statement record belongs to none.
    #[must_use]
    pub fn credit_of(&self, posting: &Posting) -> Option<&Credit> {
        posting.credit.as_ref().and_then(|key| self.credit(key))
    }

    /// The payment that brings a credit into Splynx, but none that was given up because the document changed.
    #[must_use]
    pub fn payment_of(&self, credit: &Credit) -> Option<&Posting> {
        self.postings.iter().find(|posting| {
            is_payment_of(posting, credit) && posting.state != PostingState::Dropped
        })
    }

    /// Whether our fee item is on the invoice.
    #[must_use]
    pub fn has_fee_item(&self) -> bool {
        let mut postings = self.postings.iter();
        postings.any(|posting| posting.kind == PostingKind::FeeItem && posting.is_posted())
    }
}

/// One step of an attempt: the rows as they shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The attempt as it shall be, still with the version that was read.
    pub attempt: Attempt,
    /// Credits that are new or changed.
    pub credits: Vec<Credit>,
    /// Postings that are new or changed.
    pub postings: Vec<Posting>,
    /// Reviews to be opened, unless one with the same reason is open at this attempt, or a person closed one that said
    /// the same (see [`Review::is_news_after`]).
    pub reviews: Vec<Review>,
    /// Reviews that end with this step. One that is closed already makes the whole step fail.
    pub closes: Vec<(ReviewId, ReviewClosed)>,
    /// Who takes the step.
    pub by: Actor,
    /// What a person ordered, and why, in words for the journal.
    pub order: Option<String>,
    /// Whether the caller's lease ends with this step.
    pub release: bool,
}

impl Change {
    /// A step of the add-on itself that changes the attempt alone.
    #[must_use]
    pub fn of(attempt: Attempt) -> Self {
        Self {
            attempt,
            credits: vec![],
            postings: vec![],
            reviews: vec![],
            closes: vec![],
            by: Actor::Worker,
            order: None,
            release: false,
        }
    }
}

/// One row of the audit journal, as it stands in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// 1, 2, … without a gap.
    pub seq: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// The attempt it is about; none for what concerns a connection.
    pub attempt: Option<String>,
    /// Who did it.
    pub who: String,
    /// What was done: a code.
    pub what: String,
    /// The same with names and figures. Never a secret.
    pub words: String,
}

/// What a click found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The new attempt is committed.
    Created(Attempt),
    /// An open attempt of the same kind is there and is to be used.
    Existing(Attempt),
}

/// What became of a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HintOutcome {
    /// No attempt has this hook. Nothing was stored.
    Unknown,
    /// Committed, and the attempt will be looked at.
    Stored,
    /// A hint for the coming look is there already.
    AlreadyStored,
}

/// What an attempt is leased for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// Ask the processor.
    Look,
    /// Write to Splynx.
    Work,
}

/// Which attempts a person wants to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttemptFilter {
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// In this state.
    pub state: Option<State>,
    /// For the document with this number.
    pub document: Option<String>,
    /// With this processor invoice.
    pub invoice: Option<ProcessorInvoiceId>,
    /// Whose customer, document number, processor invoice or own id is exactly this text.
    pub about: Option<String>,
    /// Begun on this day (UTC).
    pub day: Option<NaiveDate>,
    /// With an open review.
    pub under_review: bool,
    /// At most so many, newest first.
    pub limit: u32,
    /// Skip so many.
    pub offset: u32,
}

/// The figures of `/metrics` and `doctor`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Attempts by state.
    pub attempts: Vec<(State, i64)>,
    /// Open reviews by reason.
    pub reviews: Vec<(ReviewReason, i64)>,
    /// When the oldest credit that is not wholly in Splynx was made.
    pub oldest_open_credit: Option<DateTime<Utc>>,
    /// Postings whose outcome is unknown.
    pub unknown_postings: i64,
}

/// The add-on's own memory.
#[async_trait]
pub trait Store: AlertStore + BookStore + Send + Sync {
    /// Commits a connection that is new.
    async fn add_connection(&self, connection: &Connection, by: &Actor) -> Result<(), StoreError>;

    /// Commits a changed connection. When it becomes active, every other active one is retired in the same step.
    async fn change_connection(
        &self,
        connection: &Connection,
        by: &Actor,
    ) -> Result<(), StoreError>;

    /// The connection with this name.
    async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError>;

    /// The connection that takes new attempts.
    async fn active_connection(&self) -> Result<Option<Connection>, StoreError>;

    /// Every connection, newest first.
    async fn connections(&self) -> Result<Vec<Connection>, StoreError>;

    /// Erases key and token of retired connections whose last attempt has passed `monitor_until`. Returns how many.
    async fn erase_retired(&self, now: DateTime<Utc>) -> Result<u64, StoreError>;

    /// Commits `attempt` under its open key, or finds the open one that holds the key and can still be paid at
    /// `usable_until` (or is still opening). An older holder loses the key but stays watched. Atomic: two
    /// simultaneous clicks get one attempt.
    async fn claim(
        &self,
        attempt: &Attempt,
        usable_until: DateTime<Utc>,
    ) -> Result<Claim, StoreError>;

    /// The attempt with all that hangs on it.
    async fn ledger(&self, id: AttemptId) -> Result<Option<Ledger>, StoreError>;

    /// The same by the result page's token.
    async fn ledger_by_token(&self, token: &ResultToken) -> Result<Option<Ledger>, StoreError>;

    /// Commits one step if the attempt's version is still the one read, and bumps it. A hint that came since the last
    /// claim keeps the next look early, whatever the step says.
    async fn apply(&self, change: &Change) -> Result<bool, StoreError>;

    /// The connection of the attempt with this hook.
    async fn connection_of(&self, hook: &Hook) -> Result<Option<Connection>, StoreError>;

    /// Commits a hint for the attempt with this hook: one row per attempt and look.
    async fn record_hint(&self, hook: &Hook, now: DateTime<Utc>)
    -> Result<HintOutcome, StoreError>;

    /// Makes the attempt and all that waits in its postings due at once, as `attempts retry` does. What may be sent, and
    /// what must be searched for first, stays as it is. A step in progress loses its race.
    async fn wake(&self, id: AttemptId, by: &Actor, now: DateTime<Utc>)
    -> Result<bool, StoreError>;

    /// Leases up to `limit` attempts to `owner` that are due for the errand and are not leased to anybody.
    ///
    /// Looks: the longest due first. Work: the oldest money first, then what is not settled, by its age; and no two
    /// attempts of one customer at a time, nor one whose customer has another that is leased while work is due at it.
    /// What is not due, as a payment that waits for a person, holds up no other. Two processes that lease at the very
    /// same moment may take one customer's attempts both: the order suffers then, and nothing else.
    async fn lease_due(
        &self,
        owner: &str,
        now: DateTime<Utc>,
        lease: TimeDelta,
        errand: Errand,
        limit: u32,
    ) -> Result<Vec<Ledger>, StoreError>;

    /// When the next attempt will be due.
    async fn next_due(&self) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Ends all leases: only the sole process on the database may say so, at its start.
    async fn end_all_leases(&self) -> Result<(), StoreError>;

    /// Attempts, newest first, for people.
    async fn list(&self, filter: &AttemptFilter) -> Result<Vec<Attempt>, StoreError>;

    /// The reviews of one attempt, newest first.
    async fn reviews(&self, attempt: AttemptId) -> Result<Vec<Review>, StoreError>;

    /// How many reviews are open at each of these attempts; those without one are left out.
    async fn open_reviews(
        &self,
        attempts: &[AttemptId],
    ) -> Result<Vec<(AttemptId, i64)>, StoreError>;

    /// Closes a review; `false` when it is closed already or never was.
    async fn close_review(&self, id: ReviewId, closed: &ReviewClosed) -> Result<bool, StoreError>;

    /// Rows of the audit journal, oldest first: at most `limit` after the number `after`, of one attempt or of all.
    async fn journal(
        &self,
        attempt: Option<AttemptId>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError>;

    /// Attempts made at or after `since` that have a processor invoice, oldest first: `limit` of them after `offset`.
    async fn opened_since(
        &self,
        since: DateTime<Utc>,
        limit: u32,
        offset: u32,
    ) -> Result<Vec<Ledger>, StoreError>;

    /// The figures of `/metrics` and `doctor`.
    async fn figures(&self) -> Result<Figures, StoreError>;

    /// The last good value under a name, such as the module settings.
    async fn remembered(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Keeps a last good value.
    async fn remember(&self, name: &str, value: &str) -> Result<(), StoreError>;
}

//! One write to Splynx with its durable row.
//!
//! **Invariant:** from [`PostingState::Unknown`] nothing leads back to sending but two complete searches that found
//! nothing, a quiescence window apart (design 4.7) on a clock that does not jump.

use chrono::{DateTime, TimeDelta, Utc};

use super::ids::{AttemptId, CreditKey, PostingId, SplynxId};
use super::review::{ReviewNote, ReviewReason};
use super::schedule::{Timing, WORK_PAUSE_MAX, back_off, is_due};

/// So many tries without a clear answer are no accident: a person is told.
const TRIES_TILL_TOLD: u32 = 3;

/// What a posting writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PostingKind {
    /// PUT of an item on an invoice, before the payment.
    FeeItem,
    /// POST of a payment linked to the document.
    DocumentPayment,
    /// POST of a payment that raises the balance.
    BalancePayment,
    /// POST of a debit transaction, after the payment of a proforma invoice or a top-up.
    FeeDebit,
    /// PUT of the document's status, where the payment alone did not set it.
    DocumentStatus,
    /// The row in the payment statement. Best effort: never delays money.
    StatementRecord,
}

impl PostingKind {
    /// Every kind, in the order of sending.
    pub const ALL: [Self; 6] = [
        Self::FeeItem,
        Self::DocumentPayment,
        Self::BalancePayment,
        Self::FeeDebit,
        Self::DocumentStatus,
        Self::StatementRecord,
    ];

    /// The word in the database.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::FeeItem => "fee_item",
            Self::DocumentPayment => "document_payment",
            Self::BalancePayment => "balance_payment",
            Self::FeeDebit => "fee_debit",
            Self::DocumentStatus => "document_status",
            Self::StatementRecord => "statement_record",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Whether this is a payment, the thing that must exist exactly once.
    #[must_use]
    pub fn is_payment(self) -> bool {
        matches!(self, Self::DocumentPayment | Self::BalancePayment)
    }
}

/// Where a posting stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostingState {
    /// It was never sent, or surely not executed.
    Ready {
        /// Not to be sent before.
        not_before: DateTime<Utc>,
    },
    /// The request may be on its way.
    Posting {
        /// When this was committed.
        begun_at: DateTime<Utc>,
    },
    /// Whether it was executed is not known.
    Unknown {
        /// When the request was begun.
        begun_at: DateTime<Utc>,
        /// The first complete search that found nothing, by the clock on the wall: for people. It proves nothing.
        first_absent: Option<DateTime<Utc>>,
        /// When to search next.
        search_at: DateTime<Utc>,
    },
    /// Splynx has it.
    Posted {
        /// The row Splynx made, where it told.
        splynx_id: Option<SplynxId>,
    },
    /// Splynx has it more than once.
    Duplicate {
        /// The rows Splynx made.
        splynx_ids: Vec<SplynxId>,
    },
    /// It is not needed any more, or Splynx refused what the payment does not depend on.
    Dropped,
}

/// One write to Splynx with its durable row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Its name.
    pub id: PostingId,
    /// The attempt it belongs to.
    pub attempt: AttemptId,
    /// The credit it belongs to; absent for statement records.
    pub credit: Option<CreditKey>,
    /// What it writes.
    pub kind: PostingKind,
    /// Where it stands.
    pub state: PostingState,
    /// The JSON body, frozen: sent again byte for byte.
    pub body: String,
    /// Times it was begun.
    pub tries: u32,
    /// When it was first begun; searches go back to a day before.
    pub first_begun_at: Option<DateTime<Utc>>,
    /// The last failure in words, for people.
    pub last_error: Option<String>,
}

/// How a request to Splynx ended, as far as its effect is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteOutcome {
    /// 201 with an id, or 202/204 for a change.
    Done {
        /// The id of the new row; absent for a change.
        splynx_id: Option<SplynxId>,
    },
    /// Surely not executed.
    NotExecuted(NotExecuted),
    /// Everything else: timeout, reset, 408, any 5xx, a foreign or unreadable body.
    Unclear {
        /// In words. Never a body or a URL with a query.
        why: String,
    },
}

/// Why a request surely had no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotExecuted {
    /// It never left: connect refused, TLS failure, or the lease ran out before it was written.
    Unreachable {
        /// In words.
        why: String,
    },
    /// Splynx said no, in its own words.
    Refused {
        /// Splynx's sentence.
        sentence: String,
    },
    /// Splynx asked to wait.
    Throttled {
        /// How long.
        wait: TimeDelta,
    },
}

/// What a search for a posting's row found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchOutcome {
    /// The scan was complete; these rows carry the key.
    Complete(Vec<SplynxId>),
    /// The scan could not complete: absence is not proven.
    Incomplete {
        /// In words.
        why: String,
        /// `true` when Splynx did not answer at all, which alone is no reason to call a person.
        unavailable: bool,
    },
}

impl Posting {
    /// Whether nothing is left to do for it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(
            self.state,
            PostingState::Posted { .. } | PostingState::Duplicate { .. } | PostingState::Dropped
        )
    }

    /// Whether Splynx has it.
    #[must_use]
    pub fn is_posted(&self) -> bool {
        matches!(self.state, PostingState::Posted { .. } | PostingState::Duplicate { .. })
    }

    /// When there is something to do for it; `None` when it is final.
    #[must_use]
    pub fn work_at(&self) -> Option<DateTime<Utc>> {
        match self.state {
            PostingState::Ready { not_before } => Some(not_before),
            PostingState::Posting { begun_at } => Some(begun_at),
            PostingState::Unknown { search_at, .. } => Some(search_at),
            PostingState::Posted { .. }
            | PostingState::Duplicate { .. }
            | PostingState::Dropped => None,
        }
    }

    /// The intent, to be committed before the request leaves. `None` unless it is ready and due.
    #[must_use]
    pub fn begin(&self, now: DateTime<Utc>) -> Option<Self> {
        match self.state {
            PostingState::Ready { not_before } if is_due(not_before, now) => Some(Self {
                state: PostingState::Posting { begun_at: now },
                tries: self.tries.saturating_add(1),
                first_begun_at: self.first_begun_at.or(Some(now)),
                ..self.clone()
            }),
            _ => None,
        }
    }

    /// A request was begun by somebody who is not there any more.
    #[must_use]
    pub fn orphaned(&self) -> Self {
        match self.state {
            PostingState::Posting { begun_at } => Self {
                state: PostingState::Unknown { begun_at, first_absent: None, search_at: begun_at },
                last_error: Some("the add-on stopped while Splynx was answering".to_owned()),
                ..self.clone()
            },
            _ => self.clone(),
        }
    }

    /// What follows from the end of the request.
    #[must_use]
    pub fn ended(&self, outcome: WriteOutcome, now: DateTime<Utc>) -> (Self, Option<ReviewNote>) {
        let PostingState::Posting { begun_at } = self.state else {
            return (self.clone(), None);
        };
        match outcome {
            WriteOutcome::Done { splynx_id } => (
                Self {
                    state: PostingState::Posted { splynx_id },
                    last_error: None,
                    ..self.clone()
                },
                None,
            ),
            WriteOutcome::NotExecuted(why) => self.not_executed(why, now),
            WriteOutcome::Unclear { why } => self.unclear(why, begun_at, now),
        }
    }

    /// What was begun is searched for at once; but a status is just set again, and who waits behind it must not wait
    /// for a Splynx that never lets it be set.
    fn unclear(
        &self,
        why: String,
        begun_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> (Self, Option<ReviewNote>) {
        let is_status = self.kind == PostingKind::DocumentStatus;
        let is_told = is_status && self.tries >= TRIES_TILL_TOLD;
        let pause = match (is_status, is_told) {
            (false, _) => TimeDelta::zero(),
            (true, false) => back_off(self.tries),
            (true, true) => TimeDelta::hours(1),
        };
        let note = is_told.then(|| {
            let words = format!(
                "The payment is in Splynx, but the document is not shown as paid: setting its status failed {} \
                 times, the last time with: {why}",
                self.tries
            );
            ReviewNote::new(ReviewReason::NotMarkedPaid, words)
        });
        let state = PostingState::Unknown { begun_at, first_absent: None, search_at: now + pause };
        (Self { state, last_error: Some(why), ..self.clone() }, note)
    }

    fn not_executed(&self, why: NotExecuted, now: DateTime<Utc>) -> (Self, Option<ReviewNote>) {
        let again = |pause: TimeDelta, words: String| Self {
            state: PostingState::Ready { not_before: now + pause },
            last_error: Some(words),
            ..self.clone()
        };
        match why {
            NotExecuted::Unreachable { why } => (again(back_off(self.tries), why), None),
            NotExecuted::Throttled { wait } => {
                (again(wait.min(WORK_PAUSE_MAX), "Splynx asked to wait".to_owned()), None)
            }
            // The payment does not wait for a fee that Splynx does not want (design 4.8).
            NotExecuted::Refused { sentence } if self.kind == PostingKind::FeeItem => {
                let words = format!("Splynx refused the fee item: {sentence}");
                let dropped = Self {
                    state: PostingState::Dropped,
                    last_error: Some(sentence),
                    ..self.clone()
                };
                (dropped, Some(ReviewNote::new(ReviewReason::FeeRefused, words)))
            }
            NotExecuted::Refused { sentence } => {
                let note = (self.kind != PostingKind::StatementRecord).then(|| {
                    let words = format!("Splynx refused the {}: {sentence}", self.kind.code());
                    ReviewNote::new(ReviewReason::Refused, words)
                });
                (again(TimeDelta::hours(1), sentence), note)
            }
        }
    }

    /// What follows from the look that precedes every sending of money; `None`: Splynx does not have it, send it.
    ///
    /// A database that was restored from a backup, or lost its last seconds, knows less than Splynx does. Only what is
    /// ready is about to be sent: anything else stays as it is.
    #[must_use]
    pub fn looked_up(
        &self,
        found: SearchOutcome,
        now: DateTime<Utc>,
    ) -> Option<(Self, Option<ReviewNote>)> {
        if !matches!(self.state, PostingState::Ready { .. }) {
            return Some((self.clone(), None));
        }
        match found {
            SearchOutcome::Complete(ids) => match ids.as_slice() {
                [] => None,
                [one] => Some(self.there_already(*one)),
                _ => Some(self.duplicated(ids)),
            },
            SearchOutcome::Incomplete { why, unavailable } => {
                let state = PostingState::Ready { not_before: now + back_off(6) };
                let note = (!unavailable).then(|| cannot_search(&why));
                Some((Self { state, last_error: Some(why), ..self.clone() }, note))
            }
        }
    }

    fn there_already(&self, id: SplynxId) -> (Self, Option<ReviewNote>) {
        let state = PostingState::Posted { splynx_id: Some(id) };
        let posted = Self { state, last_error: None, ..self.clone() };
        let never_sent = self.first_begun_at.is_none();
        let note = never_sent.then(|| {
            let key = self.credit.as_ref().map_or_else(String::new, ToString::to_string);
            let words = format!(
                "Splynx already has the {} {key} as row {id}, although by these books it was never sent. Was the \
                 database restored from a backup? It was not sent again; `splynx-bitpay reconcile` compares the sums.",
                self.kind.code()
            );
            ReviewNote::new(ReviewReason::BooksDiffer, words)
        });
        (posted, note)
    }

    /// What follows from a search for its row.
    ///
    /// `absent_for` is how long before this search was begun this very process had already seen a complete search for
    /// this very try find nothing, on the monotonic clock; zero where it had not. The clock on the wall may jump and
    /// differs between two hosts, so that it cannot measure the window.
    #[must_use]
    pub fn searched(
        &self,
        found: SearchOutcome,
        now: DateTime<Utc>,
        absent_for: TimeDelta,
        timing: Timing,
    ) -> (Self, Option<ReviewNote>) {
        let PostingState::Unknown { begun_at, first_absent, .. } = self.state else {
            return (self.clone(), None);
        };
        match found {
            SearchOutcome::Complete(ids) => match ids.as_slice() {
                [] => self.absent(begun_at, first_absent, now, absent_for, timing),
                [one] => {
                    let state = PostingState::Posted { splynx_id: Some(*one) };
                    (Self { state, last_error: None, ..self.clone() }, None)
                }
                _ => self.duplicated(ids),
            },
            SearchOutcome::Incomplete { why, unavailable } => {
                // Where nobody is answered, the worker's gate is what waits.
                let pause = if unavailable { TimeDelta::zero() } else { back_off(6) };
                let search_at = now + pause;
                let state = PostingState::Unknown { begun_at, first_absent, search_at };
                let note = (!unavailable).then(|| cannot_search(&why));
                (Self { state, last_error: Some(why), ..self.clone() }, note)
            }
        }
    }

    fn absent(
        &self,
        begun_at: DateTime<Utc>,
        first_absent: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        absent_for: TimeDelta,
        timing: Timing,
    ) -> (Self, Option<ReviewNote>) {
        if absent_for >= timing.quiescence {
            return self.surely_absent(now);
        }
        let first_absent = first_absent.or(Some(now));
        let left = timing.quiescence - absent_for.max(TimeDelta::zero());
        let search_at = now + left.min(WORK_PAUSE_MAX);
        let state = PostingState::Unknown { begun_at, first_absent, search_at };
        (Self { state, ..self.clone() }, None)
    }

    /// It may be sent again. Splynx answers searches and never this: that does not mend itself.
    fn surely_absent(&self, now: DateTime<Utc>) -> (Self, Option<ReviewNote>) {
        let ready = Self { state: PostingState::Ready { not_before: now }, ..self.clone() };
        if self.tries < TRIES_TILL_TOLD {
            return (ready, None);
        }
        let kind = self.kind.code();
        let why = self.last_error.as_deref().unwrap_or("no answer");
        let words = format!(
            "The {kind} was sent {} times and is not in Splynx; the last answer: {why}",
            self.tries
        );
        match self.kind {
            // The payment does not wait for a fee that cannot be had (design 4.8).
            PostingKind::FeeItem => {
                let dropped = Self { state: PostingState::Dropped, ..ready };
                (dropped, Some(ReviewNote::new(ReviewReason::FeeRefused, words)))
            }
            _ => (ready, Some(ReviewNote::new(ReviewReason::Refused, words))),
        }
    }

    fn duplicated(&self, ids: Vec<SplynxId>) -> (Self, Option<ReviewNote>) {
        let list = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let key = self.credit.as_ref().map_or_else(String::new, ToString::to_string);
        let words = format!("Splynx has {} rows with the key {key}: {list}.", ids.len());
        let state = PostingState::Duplicate { splynx_ids: ids };
        (Self { state, ..self.clone() }, Some(ReviewNote::new(ReviewReason::Duplicate, words)))
    }
}

fn cannot_search(why: &str) -> ReviewNote {
    let words = format!("Whether Splynx has this payment cannot be found out: {why}");
    ReviewNote::new(ReviewReason::CannotSearch, words)
}

#[cfg(test)]
mod tests;

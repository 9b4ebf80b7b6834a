//! What is next for a settled attempt on its way into Splynx.
//!
//! **Invariant:** one thing at a time and always in the same order (design 4.8): fee item, payments, fee debit, status
//! of the document; the statement record comes last and holds nothing up.

use chrono::{DateTime, Utc};

use super::credit::{Credit, Target};
use super::ids::{CreditKey, PostingId};
use super::money::{Money, MoneyError};
use super::posting::{Posting, PostingKind, PostingState};

/// The next thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Read the document and decide where this credit goes.
    Decide(CreditKey),
    /// Send this posting, which is ready and due.
    Send(PostingId),
    /// Find out whether Splynx has this posting. Whoever began it is gone, since we hold the lease.
    Search(PostingId),
    /// Nothing before this moment.
    WaitUntil(DateTime<Utc>),
    /// Nothing at all.
    Nothing,
}

/// The next thing to do.
#[must_use]
pub fn next_task(credits: &[Credit], postings: &[Posting], now: DateTime<Utc>) -> Task {
    for credit in credits {
        if let Some(task) = next_of_payment(credit, postings, now) {
            return task;
        }
    }
    let after = postings.iter().filter(|posting| !belongs_to_payment(posting.kind));
    let mut after: Vec<_> = after.filter(|posting| !posting.is_final()).collect();
    after.sort_by_key(|posting| posting.kind);
    let mut wait: Option<DateTime<Utc>> = None;
    for posting in after {
        match task_of(posting, now) {
            Task::WaitUntil(at) => wait = Some(wait.map_or(at, |earlier| earlier.min(at))),
            task => return task,
        }
    }
    wait.map_or(Task::Nothing, Task::WaitUntil)
}

/// Whether every credit is in Splynx.
#[must_use]
pub fn is_recorded(credits: &[Credit], postings: &[Posting]) -> bool {
    credits.iter().all(|credit| {
        credit.target != Target::Undecided
            && postings.iter().any(|posting| is_payment_of(posting, credit) && posting.is_posted())
    })
}

/// The sum of all credits.
///
/// # Errors
///
/// [`MoneyError`] when it does not fit.
pub fn credited(credits: &[Credit], nothing: Money) -> Result<Money, MoneyError> {
    credits.iter().try_fold(nothing, |sum, credit| sum.checked_add(credit.amount))
}

fn is_payment_of(posting: &Posting, credit: &Credit) -> bool {
    posting.kind.is_payment() && posting.credit.as_ref() == Some(&credit.key)
}

fn belongs_to_payment(kind: PostingKind) -> bool {
    kind == PostingKind::FeeItem || kind.is_payment()
}

fn next_of_payment(credit: &Credit, postings: &[Posting], now: DateTime<Utc>) -> Option<Task> {
    let mut own: Vec<_> = postings
        .iter()
        .filter(|posting| posting.credit.as_ref() == Some(&credit.key))
        .filter(|posting| belongs_to_payment(posting.kind) && !posting.is_final())
        .collect();
    own.sort_by_key(|posting| posting.kind);
    match own.first() {
        Some(posting) => Some(task_of(posting, now)),
        None if credit.target == Target::Undecided => Some(Task::Decide(credit.key.clone())),
        None => None,
    }
}

fn task_of(posting: &Posting, now: DateTime<Utc>) -> Task {
    match posting.state {
        PostingState::Ready { not_before } if not_before <= now => Task::Send(posting.id),
        PostingState::Posting { .. } => Task::Search(posting.id),
        PostingState::Unknown { search_at, .. } if search_at <= now => Task::Search(posting.id),
        _ => posting.work_at().map_or(Task::Nothing, Task::WaitUntil),
    }
}

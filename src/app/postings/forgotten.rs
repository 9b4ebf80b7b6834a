//! What Splynx has of a credit that our books forgot, because the database was restored from a backup.
//!
//! **Invariant:** nothing is divided anew that may be in Splynx already: what is there is taken into the books first, so
//! that all parts never sum up to more than what settled.

use chrono::TimeDelta;

use super::decide::postings_of;
use super::{Reach, search};
use crate::app::refresh_attempt::next_number;
use crate::app::work::{Step, Turn, TurnError};
use crate::domain::credit::{Credit, Target, credit_key};
use crate::domain::ids::CreditKey;
use crate::domain::money::Money;
use crate::domain::posting::{Posting, PostingState};
use crate::domain::review::{ReviewNote, ReviewReason};
use crate::ports::PeerError;
use crate::ports::billing::{DocumentLink, PaymentRow};

/// So many parts may have been forgotten: a document that changes more often while one payment waits is not worth a
/// longer question.
const PARTS: u32 = 4;

/// Asks Splynx for this credit, which is about to be divided or moved, and for parts of it that our books do not know.
/// `None`: there is nothing; else what the books must learn first.
pub(super) async fn look(
    turn: &Turn<'_>,
    credit: &Credit,
) -> Result<Result<Option<(Step, Reach)>, PeerError>, TurnError> {
    let first = next_number(&turn.ledger.credits);
    let mut parts = vec![credit.clone()];
    for n in first..first.saturating_add(PARTS) {
        let key = credit_key(turn.ledger.attempt.processor, &credit.invoice, n)?;
        parts.push(Credit { key, n, ..credit.clone() });
    }
    let keys: Vec<CreditKey> = parts.iter().map(|part| part.key.clone()).collect();
    let since = search::since(turn, None, Some(credit));
    let rows = match turn.app.billing.payments_by_keys(&keys, since).await {
        Ok(rows) if rows.is_empty() => return Ok(Ok(None)),
        Ok(rows) => rows,
        Err(error) => return Ok(Err(error)),
    };
    let learned = learned(turn, credit, &parts, &rows).map(|step| (step, Reach::Fine));
    Ok(Ok(Some(learned.unwrap_or_else(|| (held(turn, credit, &rows), Reach::Held)))))
}

/// What is there is posted with its part of the credit, and the rest goes on. `None`: the sums cannot be, or it stands at
/// somebody else.
fn learned(
    turn: &Turn<'_>,
    credit: &Credit,
    parts: &[Credit],
    rows: &[PaymentRow],
) -> Option<Step> {
    let mut step = turn.step();
    let mut left = credit.amount;
    let row_of =
        |part: &Credit| rows.iter().find(|row| row.receipt_number.trim() == part.key.as_str());
    for part in parts {
        let Some(row) = row_of(part) else { continue };
        let is_ours = row.customer == turn.ledger.attempt.customer;
        let amount = Money::exact(row.amount, left.currency()).ok().filter(|_| is_ours)?;
        left = left.checked_sub(amount).ok().filter(|left| left.minor() >= 0)?;
        let part = Credit { amount, target: target(turn, row), ..part.clone() };
        step.postings.extend(postings_of(turn, &part, credit).into_iter().map(|it| there(it, row)));
        step.credits.push(part);
    }
    let rest = parts.iter().find(|part| row_of(part).is_none())?;
    if left.is_positive() {
        step.credits.push(Credit { amount: left, ..rest.clone() });
    } else if rest.key == credit.key {
        return None;
    }
    let words = format!(
        "Splynx has {} or parts of it, which by these books were never sent: {}. Was the database restored from a backup? What is there was \
         taken into the books and is not sent again; `splynx-bitpay reconcile` compares the sums.",
        credit.key,
        in_words(rows)
    );
    step.notes.push(ReviewNote::new(ReviewReason::BooksDiffer, words));
    Some(step)
}

fn there(posting: Posting, row: &PaymentRow) -> Posting {
    if posting.kind.is_payment() {
        Posting { state: PostingState::Posted { splynx_id: Some(row.id) }, ..posting }
    } else {
        posting
    }
}

fn in_words(rows: &[PaymentRow]) -> String {
    let words = |row: &PaymentRow| {
        format!("payment {} of {} as {}", row.id, row.amount, row.receipt_number.trim())
    };
    rows.iter().map(words).collect::<Vec<_>>().join(", ")
}

fn target(turn: &Turn<'_>, row: &PaymentRow) -> Target {
    let document = turn.ledger.attempt.payable.document();
    let is_linked =
        document.is_some_and(|it| row.document == DocumentLink::Document(it.kind, it.id));
    if is_linked { Target::Document } else { Target::Balance }
}

fn held(turn: &Turn<'_>, credit: &Credit, rows: &[PaymentRow]) -> Step {
    let words = format!(
        "{} of {} is about to be recorded, but Splynx has parts of it that these books do not know: {}. Was the \
         database restored from a backup? Nothing is sent before a person has looked.",
        credit.key,
        credit.amount,
        in_words(rows)
    );
    let mut step = turn.step();
    step.attempt.work_at = Some(turn.app.clock.now() + TimeDelta::hours(1));
    step.notes.push(ReviewNote::new(ReviewReason::BooksDiffer, words));
    step
}

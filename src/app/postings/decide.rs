//! Reads the document and decides where a credit goes; puts the fee on the invoice first.
//!
//! **Invariant:** the decision, the parts and the frozen request bodies are one commit.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Reach, body, forgotten, later, rivals};
use crate::app::refresh_attempt::next_number;
use crate::app::work::{Step, Turn, TurnError};
use crate::domain::allocation::{Allocation, Expected, allocate};
use crate::domain::attempt::Attempt;
use crate::domain::credit::{Credit, Target, credit_key};
use crate::domain::fee::Fee;
use crate::domain::ids::{CreditKey, PostingId, SplynxId};
use crate::domain::payable::{Document, Payable};
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::domain::review::{ReviewNote, ReviewReason};

/// Decides one credit, or puts its fee posting first.
pub(super) async fn decide(turn: &mut Turn<'_>, key: &CreditKey) -> Result<Reach, TurnError> {
    let credit = turn.ledger.credit(key).cloned();
    let credit = credit.ok_or_else(|| TurnError::Impossible("a credit vanished".to_owned()))?;
    if let Some(step) = held_for_currency(turn, &credit) {
        turn.commit(step).await?;
        return Ok(Reach::Unasked);
    }
    let document = match turn.ledger.attempt.payable.document() {
        None => None,
        Some(reference) => match rivals::document(turn, reference).await? {
            Ok(document) => document,
            Err(error) => return later(turn, error).await,
        },
    };
    if let Some(posting) = wanted_fee_item(turn, &credit, document.as_ref()) {
        turn.commit(Step { postings: vec![posting], ..turn.step() }).await?;
        return Ok(Reach::Fine);
    }
    let allocation = match turn.ledger.attempt.payable {
        Payable::TopUp => Allocation::to_balance(credit.amount),
        Payable::Document(_) => allocate(credit.amount, expected(turn), document.as_ref())?,
    };
    if allocation.note.is_some() {
        // The document changed. If our books were restored since, they may have forgotten what was done about it.
        match forgotten::look(turn, &credit).await? {
            Ok(None) => {}
            Ok(Some((step, reach))) => {
                turn.commit(step).await?;
                return Ok(reach);
            }
            Err(error) => return later(turn, error).await,
        }
    }
    let step = allocated(turn, &credit, allocation)?;
    turn.commit(step).await?;
    Ok(Reach::Fine)
}

/// A sum of another currency must not be written into today's books (design 5): a person decides.
fn held_for_currency(turn: &Turn<'_>, credit: &Credit) -> Option<Step> {
    let today = turn.app.rules().currency;
    if credit.amount.currency() == today {
        return None;
    }
    let words = format!("{} was paid, but the currency is {today} now.", credit.amount);
    let mut step = turn.step();
    step.attempt.work_at = Some(turn.app.clock.now() + TimeDelta::hours(1));
    step.notes.push(ReviewNote::new(ReviewReason::CurrencyChanged, words));
    Some(step)
}

/// The fee item, if it belongs on this invoice and is not being taken care of already (design 4.8).
fn wanted_fee_item(
    turn: &Turn<'_>,
    credit: &Credit,
    document: Option<&Document>,
) -> Option<Posting> {
    let attempt = &turn.ledger.attempt;
    let begun = turn.ledger.postings.iter().any(|posting| posting.kind == PostingKind::FeeItem);
    let fee = attempt.terms.fee.as_ref()?;
    let document = document?;
    if begun || !attempt.payable.is_invoice() || !is_whole(attempt, credit) {
        return None;
    }
    let there = document
        .items
        .iter()
        .find(|item| item.description.trim_end().ends_with(credit.key.as_str()));
    let posting = new_posting(turn, credit, PostingKind::FeeItem, body::fee_item(fee, &credit.key));
    match there {
        Some(item) => Some(Posting {
            state: PostingState::Posted { splynx_id: Some(SplynxId::new(item.id)) },
            ..posting
        }),
        None => is_as_frozen(attempt, document).then_some(posting),
    }
}

/// Whether the document is the customer's, not paid, and as much is due on it as at the click.
pub(super) fn is_as_frozen(attempt: &Attempt, document: &Document) -> bool {
    let due = attempt.terms.due;
    document.customer == attempt.customer && document.charge(due.currency()) == Ok(due)
}

fn allocated(turn: &Turn<'_>, credit: &Credit, allocation: Allocation) -> Result<Step, TurnError> {
    let mut step = turn.step();
    step.attempt.failures = 0;
    for part in parts(turn, credit, &allocation)? {
        step.postings.extend(postings_of(turn, &part, credit));
        step.credits.push(part);
    }
    step.notes.extend(allocation.note.map(|why| {
        let words = format!("{} went to the balance in whole or in part: {why}.", credit.amount);
        ReviewNote::new(ReviewReason::DocumentChanged, words)
    }));
    Ok(step)
}

/// What the document shows if nobody but us touched it, and what pays it wholly. An invoice without our fee item takes
/// its own sum only; a proforma invoice takes the gross, and its fee is debited afterwards (design 4.8).
pub(super) fn expected(turn: &Turn<'_>) -> Expected {
    let Attempt { customer, terms, payable, .. } = &turn.ledger.attempt;
    let (due, amount) = if !payable.is_invoice() {
        (terms.due, terms.price)
    } else if turn.ledger.has_fee_item() {
        (terms.price, terms.price)
    } else {
        (terms.due, terms.due)
    };
    Expected { customer: *customer, due, amount }
}

/// The credit with its target; a second one for the rest where it has to be split.
fn parts(
    turn: &Turn<'_>,
    credit: &Credit,
    allocation: &Allocation,
) -> Result<Vec<Credit>, TurnError> {
    let on = |amount, target| Credit { amount, target, ..credit.clone() };
    Ok(match (allocation.document, allocation.balance) {
        (Some(document), Some(rest)) => {
            let n = next_number(&turn.ledger.credits);
            let key = credit_key(turn.ledger.attempt.processor, &credit.invoice, n)?;
            vec![on(document, Target::Document), Credit { key, n, ..on(rest, Target::Balance) }]
        }
        (Some(document), None) => vec![on(document, Target::Document)],
        (None, Some(rest)) => vec![on(rest, Target::Balance)],
        (None, None) => {
            return Err(TurnError::Impossible("an allocation dropped the money".to_owned()));
        }
    })
}

/// The postings of a credit with its target; `whole` is the credit it is a part of.
pub(super) fn postings_of(turn: &Turn<'_>, part: &Credit, whole: &Credit) -> Vec<Posting> {
    let attempt = &turn.ledger.attempt;
    let method = turn.app.rules().payment_method_id;
    let payment = body::payment(attempt, part, method);
    match part.target {
        Target::Document => {
            let mut postings = vec![new_posting(turn, part, PostingKind::DocumentPayment, payment)];
            if !attempt.payable.is_invoice() {
                postings.extend(fee_debit(turn, part, whole));
            }
            postings.push(new_posting(turn, part, PostingKind::DocumentStatus, String::new()));
            postings
        }
        Target::Balance | Target::Undecided => {
            let mut postings = vec![new_posting(turn, part, PostingKind::BalancePayment, payment)];
            if attempt.payable == Payable::TopUp {
                postings.extend(fee_debit(turn, part, whole));
            }
            postings
        }
    }
}

/// A proforma invoice or a top-up whose whole price came pays its fee by a debit transaction.
fn fee_debit(turn: &Turn<'_>, part: &Credit, whole: &Credit) -> Option<Posting> {
    let attempt = &turn.ledger.attempt;
    let fee: &Fee = attempt.terms.fee.as_ref()?;
    let complete = part.amount == whole.amount && is_whole(attempt, whole);
    complete.then(|| {
        new_posting(turn, part, PostingKind::FeeDebit, body::fee_debit(attempt, part, fee))
    })
}

fn is_whole(attempt: &Attempt, credit: &Credit) -> bool {
    credit.n == 1 && credit.amount == attempt.terms.price
}

fn new_posting(turn: &Turn<'_>, credit: &Credit, kind: PostingKind, body: String) -> Posting {
    let now: DateTime<Utc> = turn.app.clock.now();
    Posting {
        id: PostingId::new(now, turn.app.entropy.random_u128()),
        attempt: turn.ledger.attempt.id,
        credit: Some(credit.key.clone()),
        kind,
        state: PostingState::Ready { not_before: now },
        body,
        tries: 0,
        first_begun_at: None,
        last_error: None,
    }
}

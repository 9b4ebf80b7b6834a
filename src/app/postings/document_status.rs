//! Makes a document show as paid where the payment alone did not do it (design 4.9).
//!
//! **Invariant:** the status is set only if our linked payment covers the total just read and nothing but our own fee
//! item changed since the click. Setting it twice is setting it once.

use rust_decimal::Decimal;

use super::{Reach, body, commit_posting, document_of, last_moment, later, reach_of};
use crate::app::work::{Turn, TurnError};
use crate::domain::payable::{Document, DocumentStatus};
use crate::domain::posting::{Posting, PostingKind, PostingState, WriteOutcome};
use crate::domain::review::{ReviewNote, ReviewReason};
use crate::ports::billing::{Endpoint, Write};

/// Reads the document; sets its status if that is ours to do; reads it back.
pub(super) async fn settle(turn: &mut Turn<'_>, posting: Posting) -> Result<Reach, TurnError> {
    let reference = document_of(turn)?;
    let document = match turn.app.billing.document(&reference).await {
        Ok(document) => document,
        Err(error) => return later(turn, error).await,
    };
    let Some(document) = document else {
        return drop_it(turn, posting, "the document is gone").await;
    };
    if document.status == DocumentStatus::Paid {
        let done = Posting { state: PostingState::Posted { splynx_id: None }, ..posting };
        commit_posting(turn, done, None).await?;
        return Ok(Reach::Fine);
    }
    match may_set(turn, &posting, &document) {
        Ok(text) => put(turn, Posting { body: text, ..posting }, &document).await,
        Err(why) => drop_it(turn, posting, &why).await,
    }
}

/// The body of the PUT, if the rule of design 4.9 allows one.
fn may_set(turn: &Turn<'_>, posting: &Posting, document: &Document) -> Result<String, String> {
    let credit = turn.ledger.credit_of(posting).ok_or("nothing is linked to it")?;
    let payment = turn.ledger.payment_of(credit);
    let payment = payment.filter(|payment| payment.kind == PostingKind::DocumentPayment);
    let payment_id = match payment.map(|payment| &payment.state) {
        Some(PostingState::Posted { splynx_id: Some(id) }) => id.get(),
        _ => return Err("the id of its payment is not known".to_owned()),
    };
    // Less than a minor unit apart counts as equal: no customer can pay the rest.
    let paid = credit.amount.to_decimal();
    let minor_unit = credit.amount.currency().minor_unit();
    if document.total.saturating_sub(paid) >= minor_unit {
        return Err(format!("{} were paid of {}", credit.amount, document.total));
    }
    let expected = expected_total(turn);
    if (document.total - expected).abs() >= minor_unit {
        return Err(format!("its total is {} instead of {expected}", document.total));
    }
    Ok(body::paid_status(credit.date, payment_id))
}

/// The total at the click, plus our own fee item if it is on the document.
fn expected_total(turn: &Turn<'_>) -> Decimal {
    let terms = &turn.ledger.attempt.terms;
    if turn.ledger.has_fee_item() {
        terms.document_total.saturating_add(terms.fee_gross().to_decimal())
    } else {
        terms.document_total
    }
}

async fn put(
    turn: &mut Turn<'_>,
    posting: Posting,
    document: &Document,
) -> Result<Reach, TurnError> {
    let now = turn.app.clock.now();
    // Whatever an earlier, unclear PUT did, this one makes it so: setting a status is idempotent.
    let ready = Posting { state: PostingState::Ready { not_before: now }, ..posting };
    let Some(begun) = ready.begin(now) else {
        return Err(TurnError::Impossible("a ready posting could not begin".to_owned()));
    };
    commit_posting(turn, begun.clone(), None).await?;
    let endpoint = Endpoint::Document(document.reference.kind, document.reference.id);
    let write = Write { endpoint, body: &begun.body, not_after: last_moment(turn) };
    let outcome = turn.app.billing.write(write).await;
    let reach = reach_of(&outcome);
    let done = matches!(outcome, WriteOutcome::Done { .. });
    let (ended, note) = begun.ended(outcome, turn.app.clock.now());
    if !done {
        commit_posting(turn, ended, note).await?;
        return Ok(reach);
    }
    match turn.app.billing.document(&document.reference).await {
        Ok(Some(again)) if again.status == DocumentStatus::Paid => {
            commit_posting(turn, ended, None).await?;
            Ok(Reach::Fine)
        }
        Ok(_) => drop_it(turn, ended, "Splynx took the change but does not show it").await,
        Err(error) => later(turn, error).await,
    }
}

async fn drop_it(turn: &mut Turn<'_>, posting: Posting, why: &str) -> Result<Reach, TurnError> {
    let words = format!("The payment is in Splynx, but the document is not shown as paid: {why}.");
    let dropped =
        Posting { state: PostingState::Dropped, last_error: Some(why.to_owned()), ..posting };
    commit_posting(turn, dropped, Some(ReviewNote::new(ReviewReason::NotMarkedPaid, words)))
        .await?;
    Ok(Reach::Fine)
}

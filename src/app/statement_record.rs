//! The row in Splynx's payment statement: a trail for the admin, as Splynx's own add-ons leave it (facts/splynx 2.5).
//!
//! **Invariant:** best effort. It moves no money and holds nothing up; it is found by the attempt's id in
//! `additional_1` before it is made, so that doing it again does it once.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::App;
use super::postings::{Reach, answers};
use super::work::{Turn, TurnError};
use crate::domain::attempt::{Attempt, State};
use crate::domain::ids::{PostingId, SplynxId};
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::domain::schedule::back_off;
use crate::ports::PeerError;
use crate::ports::billing::RecordStatus;

/// After so many refusals nobody is asked again: the record is a convenience.
const TRIES_MAX: u32 = 24;

/// The posting that makes the record, queued when the customer goes to pay.
pub(super) fn first(app: &App, attempt: &Attempt) -> Posting {
    let now = app.clock.now();
    Posting {
        id: PostingId::new(now, app.entropy.random_u128()),
        attempt: attempt.id,
        credit: None,
        kind: PostingKind::StatementRecord,
        state: PostingState::Ready { not_before: now },
        body: body(app, attempt, &[], RecordStatus::New),
        tries: 0,
        first_begun_at: None,
        last_error: None,
    }
}

/// The posting again, if the attempt has moved to where the record says something else.
pub(super) fn follow(app: &App, attempt: &Attempt, postings: &[Posting]) -> Option<Posting> {
    let record = postings.iter().find(|posting| posting.kind == PostingKind::StatementRecord)?;
    let wanted = match attempt.state {
        State::Opening | State::AwaitingPayment | State::Confirming | State::Settled => {
            RecordStatus::New
        }
        State::Recorded => RecordStatus::Processed,
        State::Expired => RecordStatus::Canceled,
        State::Refused => RecordStatus::Error,
    };
    if status_in(&record.body).as_deref() == Some(wanted.code())
        || record.state == PostingState::Dropped
    {
        return None;
    }
    let now = app.clock.now();
    Some(Posting {
        body: body(app, attempt, postings, wanted),
        state: PostingState::Ready { not_before: now },
        ..record.clone()
    })
}

/// Finds or makes the record and brings it up to date.
pub(super) async fn write(turn: &mut Turn<'_>, posting: Posting) -> Result<Reach, TurnError> {
    let now = turn.app.clock.now();
    let ready = Posting { state: PostingState::Ready { not_before: now }, ..posting };
    let Some(begun) = ready.begin(now) else {
        return Err(TurnError::Impossible("a ready posting could not begin".to_owned()));
    };
    commit(turn, begun.clone()).await?;
    let (state, error) = match make(turn, &begun.body).await {
        Ok(record) => (PostingState::Posted { splynx_id: Some(record) }, None),
        Err(error) => (after_failure(turn, &begun, &error), Some(error)),
    };
    let last_error = error.as_ref().map(ToString::to_string);
    commit(turn, Posting { state, last_error, ..begun }).await?;
    // Statements that fail alone are no reason to keep any money from Splynx.
    match error {
        Some(error) if error.is_unavailable() && !answers(turn).await => {
            Ok(Reach::Down(error.to_string()))
        }
        _ => Ok(Reach::Fine),
    }
}

async fn commit(turn: &mut Turn<'_>, posting: Posting) -> Result<(), TurnError> {
    let mut step = turn.step();
    step.postings.push(posting);
    turn.commit(step).await
}

async fn make(turn: &Turn<'_>, text: &str) -> Result<SplynxId, PeerError> {
    let app = turn.app;
    let attempt = &turn.ledger.attempt;
    let date = app.clock.local_date(attempt.created_at);
    let statements = &app.statements;
    if let Some(record) = statements.find_record(&attempt.id.to_string()).await? {
        statements.change_record(record, text).await?;
        return Ok(record);
    }
    let statement = statements.statement(&app.rules().statements.title(date)).await?;
    let mut fields: Value = serde_json::from_str(text).unwrap_or_else(|_| json!({}));
    if let Value::Object(fields) = &mut fields {
        fields.insert("bank_statements_process_id".to_owned(), statement.get().into());
    }
    statements.add_record(&fields.to_string()).await
}

fn after_failure(turn: &Turn<'_>, posting: &Posting, error: &PeerError) -> PostingState {
    let now = turn.app.clock.now();
    match error {
        _ if posting.tries >= TRIES_MAX => PostingState::Dropped,
        PeerError::Unavailable { .. } => {
            PostingState::Ready { not_before: now + back_off(posting.tries) }
        }
        _ => PostingState::Ready { not_before: now + TimeDelta::hours(1) },
    }
}

fn body(app: &App, attempt: &Attempt, postings: &[Posting], status: RecordStatus) -> String {
    let date = app.clock.local_date(attempt.settled_at.unwrap_or(attempt.created_at));
    let mut fields = json!({
        "amount": attempt.terms.price.amount_text(),
        "status": status.code(),
        "customer_id": attempt.customer.get(),
        "payment_date": date.to_string(),
        "comment": "Bitpay",
        "pairing_1": attempt.customer.to_string(),
        "pairing_2": attempt.payable.document().map_or_else(String::new, |document| document.number.to_string()),
        "additional_1": attempt.id.to_string(),
    });
    let payment = postings.iter().filter(|posting| posting.kind.is_payment());
    let mut ids = payment.filter_map(|posting| match posting.state {
        PostingState::Posted { splynx_id } => splynx_id,
        _ => None,
    });
    if let (Some(id), Value::Object(fields)) = (ids.next(), &mut fields) {
        fields.insert("payment_id".to_owned(), id.get().into());
    }
    fields.to_string()
}

fn status_in(body: &str) -> Option<String> {
    let fields: Value = serde_json::from_str(body).ok()?;
    fields.get("status").and_then(Value::as_str).map(str::to_owned)
}

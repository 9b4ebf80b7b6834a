//! Brings settled money into Splynx exactly once, although `POST finance/payments` has no idempotency key.
//!
//! **Invariant:** `READY → POSTING` is committed before the request leaves; from `UNKNOWN` nothing is sent before two
//! complete searches, a quiescence window apart, have proved absence (design 4.7); and nothing that moves money is sent
//! at all unless a complete search right before it found nothing. Only this module asks Splynx to write anything that
//! moves money.

mod body;
mod decide;
mod document_status;
mod forgotten;
mod reconsider;
mod rivals;
mod search;
#[cfg(test)]
mod tests;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use self::rivals::Rivals;
use super::statement_record;
use super::work::{Turn, TurnError};
use crate::domain::credit::Credit;
use crate::domain::ids::{PostingId, SplynxId};
use crate::domain::payable::DocumentRef;
use crate::domain::posting::{NotExecuted, Posting, PostingKind, PostingState, WriteOutcome};
use crate::domain::recording::{Task, next_task};
use crate::domain::review::{ReviewNote, ReviewReason};
use crate::domain::schedule::back_off;
use crate::ports::PeerError;
use crate::ports::billing::{Endpoint, Write};

/// What brings a credit into Splynx whose target a person decided. Splynx is not asked: it may be down.
pub(super) fn of_decided(turn: &Turn<'_>, credit: &Credit) -> Vec<Posting> {
    let covers = credit.amount.minor() >= turn.ledger.attempt.terms.due.minor();
    let mut postings = decide::postings_of(turn, credit, credit);
    // A part of the sum does not pay the document.
    postings.retain(|posting| covers || posting.kind != PostingKind::DocumentStatus);
    postings
}

/// Whether Splynx answered during this turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It did.
    Fine,
    /// It was not asked: there was nothing to do for it.
    Unasked,
    /// It did not; in words.
    Down(String),
    /// It did, but not what was asked; nothing can be done before the attempt's `work_at`, which is committed.
    Held,
}

/// Does everything that can be done now for a leased attempt, one committed step after the other.
///
/// # Errors
///
/// [`TurnError`]: what was begun is in the database and will be taken up again.
pub async fn record(turn: &mut Turn<'_>) -> Result<Reach, TurnError> {
    let mut so_far = Reach::Unasked;
    loop {
        if !lease_covers_a_request(turn) {
            return Ok(so_far);
        }
        let now = turn.app.clock.now();
        let (credits, postings) = (&turn.ledger.credits, &turn.ledger.postings);
        let reach = match next_task(credits, postings, now) {
            Task::Nothing => return sleep_until(turn, None).await.map(|()| so_far),
            Task::WaitUntil(at) => return sleep_until(turn, Some(at)).await.map(|()| so_far),
            Task::Decide(key) => decide::decide(turn, &key).await?,
            Task::Send(id) => send(turn, id, now).await?,
            Task::Search(id) => search::search(turn, id).await?,
        };
        if reach != Reach::Fine {
            return Ok(reach);
        }
        so_far = reach;
    }
}

/// So often in a row may Splynx answer, but not what this payment needs, before it counts as failing alone.
const TILL_ALONE: u32 = 3;

/// What a failure to reach Splynx says about this payment.
pub(super) struct Unreached {
    /// How often in a row Splynx answered something else beside such a failure, this one included.
    failures: u32,
}

impl Unreached {
    /// Finds out whether Splynx answers anything at all beside the failure. When it answers nothing, the count begins
    /// anew: a failure right before Splynx comes back, at the end of a long outage, is one, and not the last of many.
    pub(super) async fn look_around(turn: &Turn<'_>) -> Self {
        let so_far = turn.ledger.attempt.failures;
        let failures = if answers(turn).await { so_far.saturating_add(1) } else { 0 };
        Self { failures }
    }

    /// Whether what fails again and again fails alone. Then nothing mends itself, a person has to know, and nobody
    /// else's work is to wait for it.
    pub(super) const fn is_alone(&self) -> bool {
        self.failures > TILL_ALONE
    }
}

/// Whether Splynx answers anything at all.
pub(super) async fn answers(turn: &Turn<'_>) -> bool {
    let asked = turn.app.billing.customer(turn.ledger.attempt.customer).await;
    asked.err().is_none_or(|error| !error.is_unavailable())
}

/// Splynx could not be asked: come back later. While it answers nobody, the gate is what waits (`worker::outage`), and
/// the oldest money goes first when it opens; what fails alone waits by itself, each time a little longer.
async fn later(turn: &mut Turn<'_>, error: PeerError) -> Result<Reach, TurnError> {
    let unreached = match &error {
        PeerError::Unavailable { .. } => Some(Unreached::look_around(turn).await),
        PeerError::Refused { .. } | PeerError::Unreadable { .. } => None,
    };
    let mut step = turn.step();
    let failures = turn.ledger.attempt.failures.saturating_add(1);
    step.attempt.failures = unreached.as_ref().map_or(failures, |unreached| unreached.failures);
    let (reach, pause) = match unreached {
        Some(unreached) if unreached.is_alone() => {
            let words =
                format!("Splynx answers, but not what must be known for this payment: {error}");
            step.notes.push(ReviewNote::new(ReviewReason::CannotSearch, words));
            (Ok(Reach::Held), back_off(unreached.failures))
        }
        Some(_) => (Ok(Reach::Down(error.to_string())), TimeDelta::zero()),
        None => {
            let words = format!("Splynx does not let the add-on read what it must: {error}");
            step.notes.push(ReviewNote::new(ReviewReason::Refused, words));
            (Err(error.into()), TimeDelta::hours(1))
        }
    };
    step.attempt.work_at = Some(turn.app.clock.now() + pause);
    turn.commit(step).await?;
    reach
}

async fn sleep_until(turn: &mut Turn<'_>, at: Option<DateTime<Utc>>) -> Result<(), TurnError> {
    if turn.ledger.attempt.work_at != at {
        let mut step = turn.step();
        step.attempt.work_at = at;
        turn.commit(step).await?;
    }
    Ok(())
}

async fn send(
    turn: &mut Turn<'_>,
    id: PostingId,
    taken_up: DateTime<Utc>,
) -> Result<Reach, TurnError> {
    let posting = find(turn, id)?;
    match posting.kind {
        PostingKind::StatementRecord => return statement_record::write(turn, posting).await,
        PostingKind::DocumentStatus => return document_status::settle(turn, posting).await,
        _ => {}
    }
    let endpoint = match posting.kind {
        PostingKind::FeeItem => {
            let document = document_of(turn)?;
            Endpoint::Document(document.kind, document.id)
        }
        PostingKind::FeeDebit => Endpoint::Transactions,
        _ => Endpoint::Payments,
    };
    post(turn, posting, endpoint, taken_up).await
}

/// Looks whether Splynx has it already, commits the intent, sends the frozen bytes once, commits the outcome.
async fn post(
    turn: &mut Turn<'_>,
    posting: Posting,
    endpoint: Endpoint,
    taken_up: DateTime<Utc>,
) -> Result<Reach, TurnError> {
    if let Some(reach) = search::before_sending(turn, &posting).await? {
        return Ok(reach);
    }
    let rivals = Rivals::of(turn, &posting).await?;
    if rivals.are_at_it() {
        return rivals::let_them_go_first(turn, &posting).await;
    }
    if let Some(reach) = reconsider::before_sending(turn, &posting).await? {
        return Ok(reach);
    }
    // It was due when it was taken up; a clock that was set back since makes it none the less so.
    let Some(begun) = posting.begin(turn.app.clock.now().max(taken_up)) else {
        return Err(TurnError::Impossible("a posting was sent that is not ready".to_owned()));
    };
    commit_posting(turn, begun.clone(), None).await?;
    if rivals.have_moved(&Rivals::of(turn, &posting).await?) {
        return rivals::let_them_go_first(turn, &posting).await;
    }
    let write = Write { endpoint, body: &begun.body, not_after: last_moment(turn) };
    let outcome = turn.app.billing.write(write).await;
    let reach = reach_of(&outcome);
    let (ended, note) = begun.ended(outcome, turn.app.clock.now());
    log_outcome(&ended);
    commit_posting(turn, ended, note).await?;
    Ok(reach)
}

fn reach_of(outcome: &WriteOutcome) -> Reach {
    match outcome {
        WriteOutcome::NotExecuted(NotExecuted::Unreachable { why })
        | WriteOutcome::Unclear { why } => Reach::Down(why.clone()),
        _ => Reach::Fine,
    }
}

fn log_outcome(posting: &Posting) {
    let key = posting.credit.as_ref().map(ToString::to_string).unwrap_or_default();
    let kind = posting.kind.code();
    if let PostingState::Posted { splynx_id } = &posting.state {
        let id = splynx_id.map(SplynxId::get);
        tracing::info!(attempt = %posting.attempt, kind, key, splynx_id = id, "posted");
    } else {
        let error = posting.last_error.as_deref().unwrap_or_default();
        tracing::warn!(attempt = %posting.attempt, kind, key, error, "not posted yet");
    }
}

async fn commit_posting(
    turn: &mut Turn<'_>,
    posting: Posting,
    note: Option<ReviewNote>,
) -> Result<(), TurnError> {
    let mut step = turn.step();
    step.postings.push(posting);
    step.notes.extend(note);
    step.attempt.failures = 0;
    turn.commit(step).await
}

fn find(turn: &Turn<'_>, id: PostingId) -> Result<Posting, TurnError> {
    let found = turn.ledger.postings.iter().find(|posting| posting.id == id);
    found.cloned().ok_or_else(|| TurnError::Impossible("a posting vanished".to_owned()))
}

fn document_of(turn: &Turn<'_>) -> Result<DocumentRef, TurnError> {
    let document = turn.ledger.attempt.payable.document().cloned();
    document.ok_or_else(|| TurnError::Impossible("a top-up has no document".to_owned()))
}

/// The last moment at which a request may leave and still end within the lease.
fn last_moment(turn: &Turn<'_>) -> Duration {
    turn.lease_end.saturating_sub(request_timeout(turn))
}

fn request_timeout(turn: &Turn<'_>) -> Duration {
    turn.app.settings.timing.request_timeout.to_std().unwrap_or_default()
}

fn lease_covers_a_request(turn: &Turn<'_>) -> bool {
    turn.app.clock.monotonic() < last_moment(turn)
}

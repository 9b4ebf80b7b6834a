//! One turn with one leased attempt: look if a look is due, then write what is due.
//!
//! **Invariant:** the lease is given back at the end, whatever happened; if that cannot be committed it runs out.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::outage::Outage;
use crate::app::App;
use crate::app::postings::{Reach, record};
use crate::app::refresh_attempt::refresh;
use crate::app::work::{Step, Turn, TurnError};
use crate::domain::review::{ReviewNote, ReviewReason};
use crate::domain::schedule::{is_due, is_look_due};
use crate::ports::store::{Ledger, StoreError};

/// When what cannot be done is tried again: an admin may have mended it.
const SET_ASIDE: TimeDelta = TimeDelta::hours(1);

/// Takes the turn.
pub async fn take(app: &App, ledger: Ledger, lease_end: Duration, outage: &Outage) {
    let id = ledger.attempt.id;
    let mut turn = Turn { app, ledger, lease_end };
    let result = work(&mut turn, outage).await;
    let mut step = Step { release: true, ..turn.step() };
    match result {
        Ok(()) => {}
        Err(TurnError::Moved) => return,
        Err(TurnError::Peer(error)) => tracing::info!(attempt = %id, %error, "later"),
        Err(TurnError::Store(error @ StoreError::Unavailable(_))) => {
            tracing::error!(attempt = %id, %error, "a turn failed");
        }
        Err(error) => {
            tracing::error!(attempt = %id, %error, "a turn failed");
            set_aside(&mut step, app.clock.now(), &error);
        }
    }
    match turn.commit(step).await {
        Ok(()) | Err(TurnError::Moved) => {}
        Err(error) => tracing::error!(attempt = %id, %error, "a lease could not be given back"),
    }
}

/// What failed for a reason of its own will fail again: it must not stand before all others in the queue, and a person
/// has to know.
fn set_aside(step: &mut Step, now: DateTime<Utc>, error: &TurnError) {
    // A look that was done has its next moment already; what failed then is the work.
    let attempt = &mut step.attempt;
    if attempt.look_at.is_some_and(|at| is_look_due(at, now)) {
        attempt.look_at = Some(now + SET_ASIDE);
    } else {
        attempt.work_at = attempt.work_at.map(|_| now + SET_ASIDE);
    }
    let words = format!("The add-on cannot go on with this payment: {error}.");
    step.notes.push(ReviewNote::new(ReviewReason::BooksDiffer, words));
}

async fn work(turn: &mut Turn<'_>, outage: &Outage) -> Result<(), TurnError> {
    let now = turn.app.clock.now();
    if turn.ledger.attempt.look_at.is_some_and(|at| is_look_due(at, now)) {
        match refresh(turn).await {
            // A silent processor is no reason to keep settled money from Splynx.
            Ok(()) | Err(TurnError::Peer(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let now = turn.app.clock.now();
    if !turn.ledger.attempt.work_at.is_some_and(|at| is_due(at, now)) {
        return Ok(());
    }
    let reach = record(turn).await;
    match &reach {
        Ok(Reach::Down(why)) => {
            tracing::warn!(why, "Splynx does not answer");
            outage.went_down(turn.app.clock.monotonic());
        }
        Ok(Reach::Fine | Reach::Held) => outage.is_back(),
        Err(_) => {}
    }
    reach.map(drop)
}

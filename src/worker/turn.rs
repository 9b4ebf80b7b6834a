//! One turn with one leased attempt: a look at its processor, or the writing of what is due.
//!
//! A look never writes: whether and when Splynx is asked is decided where work is leased, by the order of the money and
//! by the gate.
//!
//! **Invariant:** the lease is given back at the end, whatever happened; if that cannot be committed it runs out.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;

use super::outage::Outage;
use crate::app::App;
use crate::app::postings::{Reach, record};
use crate::app::refresh_attempt::refresh;
use crate::app::work::{Step, Turn, TurnError};
use crate::domain::review::{ReviewNote, ReviewReason};
use crate::domain::schedule::is_look_due;
use crate::ports::store::{Errand, Ledger, StoreError};

/// When what cannot be done is tried again: an admin may have mended it.
const SET_ASIDE: TimeDelta = TimeDelta::hours(1);

/// Takes the turn.
pub async fn take(app: &App, errand: Errand, ledger: Ledger, lease_end: Duration, outage: &Outage) {
    let id = ledger.attempt.id;
    let mut turn = Turn { app, ledger, lease_end };
    let result = done(errand, &mut turn, outage).await;
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
            set_aside(&mut step, errand, app.clock.now(), &error);
        }
    }
    match turn.commit(step).await {
        Ok(()) | Err(TurnError::Moved) => {}
        Err(error) => tracing::error!(attempt = %id, %error, "a lease could not be given back"),
    }
}

/// Does what the turn is for. A panic is a failure of this attempt alone: it must neither end the worker nor come again
/// every minute without anybody being told.
async fn done(errand: Errand, turn: &mut Turn<'_>, outage: &Outage) -> Result<(), TurnError> {
    let errand = async {
        match errand {
            Errand::Look => look(turn).await,
            Errand::Work => work(turn, outage).await,
        }
    };
    let panicked =
        || TurnError::Impossible("a bug of the add-on; its log has the place".to_owned());
    AssertUnwindSafe(errand).catch_unwind().await.unwrap_or_else(|_| Err(panicked()))
}

/// What failed for a reason of its own will fail again: it must not stand before all others in the queue, and a person
/// has to know.
fn set_aside(step: &mut Step, errand: Errand, now: DateTime<Utc>, error: &TurnError) {
    let attempt = &mut step.attempt;
    match errand {
        Errand::Look => attempt.look_at = attempt.look_at.map(|_| now + SET_ASIDE),
        Errand::Work => attempt.work_at = attempt.work_at.map(|_| now + SET_ASIDE),
    }
    let words = format!("The add-on cannot go on with this payment: {error}.");
    step.notes.push(ReviewNote::new(ReviewReason::BooksDiffer, words));
}

async fn look(turn: &mut Turn<'_>) -> Result<(), TurnError> {
    let now = turn.app.clock.now();
    if !turn.ledger.attempt.look_at.is_some_and(|at| is_look_due(at, now)) {
        return Ok(());
    }
    match refresh(turn).await {
        // When it is asked again is committed already.
        Ok(()) | Err(TurnError::Peer(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn work(turn: &mut Turn<'_>, outage: &Outage) -> Result<(), TurnError> {
    let reach = record(turn).await;
    let now = turn.app.clock.monotonic();
    match &reach {
        Ok(Reach::Down(why)) => {
            tracing::warn!(why, "Splynx does not answer");
            outage.went_down(now);
        }
        Ok(Reach::Fine | Reach::Held) => outage.is_back(),
        Ok(Reach::Unasked) => outage.was_not_asked(now),
        Err(_) => {}
    }
    reach.map(drop)
}

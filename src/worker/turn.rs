//! One turn with one leased attempt: look if a look is due, then write what is due.
//!
//! **Invariant:** the lease is given back at the end, whatever happened; if that cannot be committed it runs out.

use std::time::Duration;

use super::outage::Outage;
use crate::app::App;
use crate::app::postings::{Reach, record};
use crate::app::refresh_attempt::refresh;
use crate::app::work::{Turn, TurnError};
use crate::ports::store::Ledger;

/// Takes the turn.
pub(super) async fn take(app: &App, ledger: Ledger, lease_end: Duration, outage: &Outage) {
    let id = ledger.attempt.id;
    let mut turn = Turn { app, ledger, lease_end };
    match work(&mut turn, outage).await {
        Ok(()) => {}
        Err(TurnError::Moved) => return,
        Err(TurnError::Peer(error)) => tracing::info!(attempt = %id, %error, "later"),
        Err(error) => tracing::error!(attempt = %id, %error, "a turn failed"),
    }
    let step = crate::app::work::Step { release: true, ..turn.step() };
    match turn.commit(step).await {
        Ok(()) | Err(TurnError::Moved) => {}
        Err(error) => tracing::error!(attempt = %id, %error, "a lease could not be given back"),
    }
}

async fn work(turn: &mut Turn<'_>, outage: &Outage) -> Result<(), TurnError> {
    let now = turn.app.clock.now();
    let is_due = |at: Option<chrono::DateTime<chrono::Utc>>| at.is_some_and(|at| at <= now);
    if is_due(turn.ledger.attempt.look_at) {
        match refresh(turn).await {
            // A silent processor is no reason to keep settled money from Splynx.
            Ok(()) | Err(TurnError::Peer(_)) => {}
            Err(error) => return Err(error),
        }
    }
    if turn.ledger.attempt.work_at.is_none_or(|at| at > turn.app.clock.now()) {
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

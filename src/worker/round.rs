//! What one round of the worker takes on, and how long it may rest afterwards.
//!
//! **Invariant:** the end of a lease is reckoned from before it was asked for, so that it never seems longer than it is.

use std::time::Duration;

use chrono::TimeDelta;

use super::outage::{Gate, Outage};
use crate::app::App;
use crate::ports::store::{Ledger, Readiness, StoreError};

/// What was taken on.
#[derive(Debug)]
pub struct Round {
    /// The attempts that are ours now, each for one turn.
    pub leased: Vec<Ledger>,
    /// When their leases end, on the monotonic clock.
    pub lease_end: Duration,
    gate: Gate,
    taken: Taken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Nothing,
    Some,
    AsMuchAsAsked,
}

/// How long nothing will be due, as far as is known now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// So long.
    For(Duration),
    /// Until somebody rings.
    UntilRung,
}

impl Rest {
    /// The same, but not longer than `most`.
    #[must_use]
    pub fn at_most(self, most: Duration) -> Duration {
        match self {
            Self::For(rest) => rest.min(most),
            Self::UntilRung => most,
        }
    }
}

/// Leases what is due, for at most `free` turns.
///
/// # Errors
///
/// [`StoreError`]: nothing was taken on.
pub async fn begin(app: &App, outage: &Outage, free: usize) -> Result<Round, StoreError> {
    let gate = outage.gate(app.clock.monotonic());
    let (readiness, limit) = match gate {
        Gate::Open => (Readiness::Everything, free),
        Gate::Probe => (Readiness::Everything, 1),
        Gate::Closed { .. } => (Readiness::LooksOnly, free),
    };
    let lease = app.settings.timing.lease;
    let lease_end = app.clock.monotonic().saturating_add(lease.to_std().unwrap_or_default());
    let limit = u32::try_from(limit).unwrap_or(1);
    let leased =
        app.store.lease_due(&app.settings.owner, app.clock.now(), lease, readiness, limit).await?;
    let taken = match leased.len() {
        0 => Taken::Nothing,
        number if number == usize::try_from(limit).unwrap_or_default() => Taken::AsMuchAsAsked,
        _ => Taken::Some,
    };
    Ok(Round { leased, lease_end, gate, taken })
}

impl Round {
    /// How long to rest once all its turns have begun.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot tell.
    pub async fn rest(&self, app: &App) -> Result<Rest, StoreError> {
        match self.gate {
            Gate::Closed { rest } => Ok(Rest::For(rest)),
            // The bell of the probe tells how it went; but where nothing was due, nobody will ring.
            Gate::Probe if self.taken != Taken::Nothing => Ok(Rest::UntilRung),
            Gate::Open if self.taken == Taken::AsMuchAsAsked => Ok(Rest::For(Duration::ZERO)),
            Gate::Probe | Gate::Open => until_next_due(app).await,
        }
    }
}

async fn until_next_due(app: &App) -> Result<Rest, StoreError> {
    let Some(due) = app.store.next_due().await? else {
        return Ok(Rest::UntilRung);
    };
    let rest = (due - app.clock.now()).max(TimeDelta::milliseconds(20));
    Ok(rest.to_std().map_or(Rest::UntilRung, Rest::For))
}

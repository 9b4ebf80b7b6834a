//! What one round of the worker takes on, and how long it may rest afterwards.
//!
//! **Invariant:** the end of a lease is reckoned from before it was asked for, so that it never seems longer than it is.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::outage::{Gate, Outage};
use crate::app::App;
use crate::ports::store::{Errand, Ledger, StoreError};

/// What is due, but was left because somebody holds it or another attempt of its customer, is asked for again after so
/// long: that may be another process, whose bell does not ring here.
const HELD: Duration = Duration::from_secs(1);

/// Turns that may begin. Looks and work have their own: after an outage, thousands of payments that wait must not keep
/// those who pay now from seeing it, nor the other way round.
#[derive(Debug, Clone, Copy)]
pub struct Free {
    /// For looks at processors.
    pub looks: usize,
    /// For work at Splynx.
    pub work: usize,
}

/// What was taken on.
#[derive(Debug)]
pub struct Round {
    /// The attempts that are ours now, each for one turn.
    pub leased: Vec<(Errand, Ledger)>,
    /// When their leases end, on the monotonic clock.
    pub lease_end: Duration,
    began: DateTime<Utc>,
    gate: Gate,
    looks: Taken,
    work: Taken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Nothing,
    Some,
    AsMuchAsAsked,
}

impl Taken {
    fn of(leased: usize, asked: usize) -> Self {
        match leased {
            0 => Self::Nothing,
            number if number == asked => Self::AsMuchAsAsked,
            _ => Self::Some,
        }
    }
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
/// [`StoreError`]: what was taken on before is given back by the end of its lease.
pub async fn begin(app: &App, outage: &Outage, free: Free) -> Result<Round, StoreError> {
    // Whoever cannot begin any work must not use up the probe.
    let gate = match free.work {
        0 => Gate::Open,
        _ => outage.gate(app.clock.monotonic()),
    };
    let asked = match gate {
        Gate::Open => free.work,
        Gate::Probe => 1,
        Gate::Closed { .. } => 0,
    };
    let began = app.clock.now();
    let lease = app.settings.timing.lease;
    let lease_end = app.clock.monotonic().saturating_add(lease.to_std().unwrap_or_default());
    let mut leased = take_on(app, Errand::Look, began, free.looks).await?;
    let looks = Taken::of(leased.len(), free.looks);
    let working = take_on(app, Errand::Work, began, asked).await?;
    let work = Taken::of(working.len(), asked);
    if gate == Gate::Probe && work == Taken::Nothing {
        outage.was_not_asked(app.clock.monotonic());
    }
    leased.extend(working);
    Ok(Round { leased, lease_end, began, gate, looks, work })
}

async fn take_on(
    app: &App,
    errand: Errand,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<(Errand, Ledger)>, StoreError> {
    if limit == 0 {
        return Ok(vec![]);
    }
    let limit = u32::try_from(limit).unwrap_or(1);
    let settings = &app.settings;
    let leased =
        app.store.lease_due(&settings.owner, now, settings.timing.lease, errand, limit).await?;
    Ok(leased.into_iter().map(|ledger| (errand, ledger)).collect())
}

impl Round {
    /// How long to rest once all its turns have begun.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot tell.
    pub async fn rest(&self, app: &App) -> Result<Rest, StoreError> {
        if [self.looks, self.work].contains(&Taken::AsMuchAsAsked) && self.gate != Gate::Probe {
            return Ok(Rest::For(Duration::ZERO));
        }
        match self.gate {
            Gate::Closed { rest } => Ok(Rest::For(rest)),
            // The bell of the probe tells how it went; but where nothing was due, nobody will ring.
            Gate::Probe if self.work != Taken::Nothing => Ok(Rest::UntilRung),
            Gate::Probe | Gate::Open => self.until_next_due(app).await,
        }
    }

    async fn until_next_due(&self, app: &App) -> Result<Rest, StoreError> {
        let Some(due) = app.store.next_due().await? else {
            return Ok(Rest::UntilRung);
        };
        if due <= self.began {
            return Ok(Rest::For(HELD));
        }
        let rest = (due - app.clock.now()).max(TimeDelta::milliseconds(20));
        Ok(rest.to_std().map_or(Rest::UntilRung, Rest::For))
    }
}

//! The loop that looks at processors and writes to Splynx, at its own pace.
//!
//! **Invariant:** whoever has work to do finds it in the database; what is in memory only makes it sooner.

pub mod housekeeping;
pub mod outage;
pub mod tasks;
pub mod telling;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::Semaphore;

use crate::app::App;
use crate::ports::store::{Readiness, StoreError};
use outage::{Gate, Outage};
use tasks::Tasks;

/// Attempts worked on at the same time.
const SLOTS: usize = 16;
/// Without any bell, the database is asked so often: another process may have stored a hint.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// After the database failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Works until the tasks are told to stop; what has begun is finished.
pub async fn run(app: App, tasks: Tasks, outage: Arc<Outage>) {
    let slots = Arc::new(Semaphore::new(SLOTS));
    while !tasks.is_stopping() {
        let pause = match one_round(&app, &tasks, &slots, &outage).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::error!(%error, "the worker cannot read its work");
                PAUSE_AFTER_FAILURE
            }
        };
        tokio::select! {
            () = tasks.stopping() => {}
            () = app.wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Leases what is due and starts it. Returns how long nothing more will be due.
async fn one_round(
    app: &App,
    tasks: &Tasks,
    slots: &Arc<Semaphore>,
    outage: &Arc<Outage>,
) -> Result<Duration, StoreError> {
    let free = slots.available_permits();
    if free == 0 {
        // Whoever ends first rings the bell.
        return Ok(PAUSE_MAX);
    }
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
    let full = leased.len() == usize::try_from(limit).unwrap_or_default();
    for ledger in leased {
        let Ok(slot) = Arc::clone(slots).acquire_owned().await else {
            break;
        };
        let (app, outage) = (app.clone(), Arc::clone(outage));
        tasks.start(async move {
            turn::take(&app, ledger, lease_end, &outage).await;
            drop(slot);
            app.wake.notify_one();
        });
    }
    match gate {
        Gate::Closed { rest } => Ok(rest.min(PAUSE_MAX)),
        // The bell of the probe tells how it went.
        Gate::Probe => Ok(PAUSE_MAX),
        Gate::Open if full => Ok(Duration::ZERO),
        Gate::Open => until_next_due(app).await,
    }
}

async fn until_next_due(app: &App) -> Result<Duration, StoreError> {
    let Some(due) = app.store.next_due().await? else {
        return Ok(PAUSE_MAX);
    };
    let rest = (due - app.clock.now()).max(TimeDelta::milliseconds(20));
    Ok(rest.to_std().unwrap_or(PAUSE_MAX).min(PAUSE_MAX))
}

//! The loop that looks at processors and writes to Splynx, at its own pace.
//!
//! **Invariant:** whoever has work to do finds it in the database; what is in memory only makes it sooner.

pub mod housekeeping;
pub mod outage;
pub mod round;
pub mod tasks;
pub mod turn;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::app::App;
use crate::ports::store::StoreError;
use outage::Outage;
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
    let mut round = round::begin(app, outage, free).await?;
    let lease_end = round.lease_end;
    for ledger in round.leased.drain(..) {
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
    Ok(round.rest(app).await?.at_most(PAUSE_MAX))
}

//! The loop that looks at processors and writes to Splynx, at its own pace.
//!
//! **Invariant:** whoever has work to do finds it in the database; what is in memory only makes it sooner.

pub mod housekeeping;
pub mod outage;
pub mod round;
pub mod tasks;
pub mod telling;
pub mod turn;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::app::App;
use crate::ports::store::{Errand, StoreError};
use outage::Outage;
use round::Free;
use tasks::Tasks;

/// Turns at the same time: so many looks, and beside them so many that write to Splynx.
const SLOTS: usize = 16;
/// Without any bell, the database is asked so often: another process may have stored a hint.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// While Splynx does not answer, looks go on: the pause between two probes is not theirs.
const PAUSE_WHILE_DOWN: Duration = Duration::from_secs(1);
/// After the database failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

struct Slots {
    looks: Arc<Semaphore>,
    work: Arc<Semaphore>,
}

impl Default for Slots {
    fn default() -> Self {
        let slots = || Arc::new(Semaphore::new(SLOTS));
        Self { looks: slots(), work: slots() }
    }
}

impl Slots {
    fn of(&self, errand: Errand) -> &Arc<Semaphore> {
        match errand {
            Errand::Look => &self.looks,
            Errand::Work => &self.work,
        }
    }

    fn free(&self) -> Free {
        Free { looks: self.looks.available_permits(), work: self.work.available_permits() }
    }
}

/// Works until the tasks are told to stop; what has begun is finished.
pub async fn run(app: App, tasks: Tasks, outage: Arc<Outage>) {
    let slots = Slots::default();
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
    slots: &Slots,
    outage: &Arc<Outage>,
) -> Result<Duration, StoreError> {
    let free = slots.free();
    if free.looks == 0 && free.work == 0 {
        // Whoever ends first rings the bell.
        return Ok(PAUSE_MAX);
    }
    let mut round = round::begin(app, outage, free).await?;
    let lease_end = round.lease_end;
    for (errand, ledger) in round.leased.drain(..) {
        let Ok(slot) = Arc::clone(slots.of(errand)).acquire_owned().await else {
            break;
        };
        let (app, outage) = (app.clone(), Arc::clone(outage));
        tasks.start(async move {
            turn::take(&app, errand, ledger, lease_end, &outage).await;
            drop(slot);
            app.wake.notify_one();
        });
    }
    let most = if outage.is_down() { PAUSE_WHILE_DOWN } else { PAUSE_MAX };
    Ok(round.rest(app).await?.at_most(most))
}

//! What is done from time to time, whether or not anybody pays.
//!
//! **Invariant:** each job can be left out, done twice or done by two processes at once without any harm.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;

use super::outage::Outage;
use super::tasks::Tasks;
use crate::app::{App, reconcile};
use crate::ports::store::StoreError;

/// How often the module settings are read from Splynx.
pub const SETTINGS_EVERY: Duration = Duration::from_mins(5);

/// After an outage, and after the start: what waited is written first.
const SETTLE: Duration = Duration::from_mins(1);

/// A comparison that failed is tried again after so long at most.
const AGAIN: Duration = Duration::from_mins(5);

/// When to compare the three books.
#[derive(Debug)]
pub struct Housekeeping {
    /// Between two comparisons.
    pub every: Duration,
    /// Splynx's outages.
    pub outage: Arc<Outage>,
    /// Rings when the database is back.
    pub database_back: Arc<Notify>,
    /// Rung when there may be something to tell.
    pub telling: Arc<Notify>,
}

/// Erases the secrets of connections that are not needed any more, and compares the three books.
pub async fn run(app: App, tasks: Tasks, jobs: Housekeeping) {
    let mut failed = false;
    loop {
        let pause = if failed { jobs.every.min(AGAIN) } else { jobs.pause(&app).await };
        tokio::select! {
            () = tasks.stopping() => return,
            () = tokio::time::sleep(pause) => {}
            () = jobs.back_again() => {
                tokio::select! {
                    () = tasks.stopping() => return,
                    () = tokio::time::sleep(jobs.every.min(SETTLE)) => {}
                }
            }
        }
        erase_retired(&app).await;
        failed = !compare_books(&app).await;
        jobs.telling.notify_one();
    }
}

impl Housekeeping {
    /// Another process, or an admin, may have compared a moment ago.
    async fn pause(&self, app: &App) -> Duration {
        let last = app.store.proofs(1, 0).await.ok().and_then(|proofs| proofs.into_iter().next());
        let due =
            last.map(|proof| proof.made_at + TimeDelta::from_std(self.every).unwrap_or_default());
        rest(due, app.clock.now()).max(self.every.min(SETTLE)).min(self.every)
    }

    async fn back_again(&self) {
        tokio::select! {
            () = self.outage.over() => tracing::info!("Splynx is back: the books are compared"),
            () = self.database_back.notified() => {
                tracing::info!("the database is back: the books are compared");
            }
        }
    }
}

fn rest(due: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Duration {
    due.and_then(|due| (due - now).to_std().ok()).unwrap_or_default()
}

async fn erase_retired(app: &App) {
    match app.store.erase_retired(app.clock.now()).await {
        Ok(0) => {}
        Ok(erased) => tracing::info!(erased, "secrets of retired connections erased"),
        Err(error) => tracing::error!(%error, "retired connections could not be looked at"),
    }
}

/// Whether it could be done.
async fn compare_books(app: &App) -> bool {
    match reconcile::reconcile(app, reconcile::whole_since(app), |_| ()).await {
        Ok(report) => {
            metrics::gauge!("splynx_bitpay_reconcile_failed").set(0.0);
            tracing::info!(attempts = report.attempts, findings = report.count(), "reconciled");
            true
        }
        Err(error) => {
            metrics::gauge!("splynx_bitpay_reconcile_failed").set(1.0);
            metrics::counter!("splynx_bitpay_reconcile_failures_total").increment(1);
            tracing::error!(%error, "reconcile failed");
            false
        }
    }
}

/// Watches the database by a read now and then, and rings when it answers again.
pub async fn watch_database(app: App, tasks: Tasks, back: Arc<Notify>) {
    let mut down = false;
    loop {
        tokio::select! {
            () = tasks.stopping() => return,
            () = tokio::time::sleep(Duration::from_secs(10)) => {}
        }
        let now_down = matches!(app.store.next_due().await, Err(StoreError::Unavailable(_)));
        if down && !now_down {
            back.notify_one();
        }
        down = now_down;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compared_a_moment_ago_rests() {
        let at = |seconds: i64| DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap();
        assert_eq!(rest(Some(at(3600)), at(600)), Duration::from_mins(50));
        assert_eq!(rest(Some(at(0)), at(600)), Duration::ZERO);
        assert_eq!(rest(None, at(600)), Duration::ZERO);
    }
}

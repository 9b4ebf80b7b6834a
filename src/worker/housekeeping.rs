//! What is done from time to time, whether or not anybody pays.
//!
//! **Invariant:** each job can be left out, done twice or done by two processes at once without any harm.

use std::time::Duration;

use chrono::TimeDelta;

use super::tasks::Tasks;
use crate::app::{App, reconcile};

/// How often the module settings are read from Splynx.
pub const SETTINGS_EVERY: Duration = Duration::from_mins(5);

/// Erases the secrets of connections that are not needed any more, and compares the three books.
pub async fn run(app: App, tasks: Tasks, reconcile_every: Duration) {
    loop {
        tokio::select! {
            () = tasks.stopping() => return,
            () = tokio::time::sleep(reconcile_every) => {}
        }
        match app.store.erase_retired(app.clock.now()).await {
            Ok(0) => {}
            Ok(erased) => tracing::info!(erased, "secrets of retired connections erased"),
            Err(error) => tracing::error!(%error, "retired connections could not be looked at"),
        }
        compare_books(&app).await;
    }
}

async fn compare_books(app: &App) {
    let since = app.clock.now() - app.settings.monitor - TimeDelta::days(1);
    match reconcile::reconcile(app, since, |_| ()).await {
        Ok(report) => {
            metrics::gauge!("splynx_bitpay_reconcile_findings").set(count(report.findings.len()));
            tracing::info!(
                attempts = report.attempts,
                findings = report.findings.len(),
                "reconciled"
            );
        }
        Err(error) => {
            metrics::counter!("splynx_bitpay_reconcile_failures_total").increment(1);
            tracing::error!(%error, "reconcile failed");
        }
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

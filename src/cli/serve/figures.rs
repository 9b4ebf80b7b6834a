//! The figures of `/metrics`.
//!
//! **Invariant:** they take the same memory whether or not anybody ever asks for them.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::gauge;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use rust_decimal::prelude::ToPrimitive as _;

use crate::app::App;
use crate::domain::alert::Channel;
use crate::domain::attempt::State;
use crate::domain::review::ReviewReason;
use crate::web::ops::Probe;
use crate::worker::tasks::Tasks;

/// Each measured time waits in memory until it is put into its histogram: so often at least.
const SUM_UP_EVERY: Duration = Duration::from_secs(10);

/// A probe that takes longer has failed; shorter than what a scrape waits.
const PROBE_DEADLINE: Duration = Duration::from_secs(2);

/// Bounds of the latency histograms, in seconds.
const SECONDS: [f64; 9] = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0];

/// Makes this process count.
pub(super) fn install(now: DateTime<Utc>) -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new().set_buckets(&SECONDS)?.install_recorder()?;
    // An alert on what is not there yet would never fire.
    metrics::counter!("splynx_bitpay_reconcile_failures_total").increment(0);
    gauge!("splynx_bitpay_reconcile_failed").set(0.0);
    for channel in Channel::ALL {
        for outcome in ["told", "failed"] {
            metrics::counter!(
                "splynx_bitpay_tellings_total", "channel" => channel.code(), "outcome" => outcome
            )
            .increment(0);
        }
    }
    gauge!("splynx_bitpay_start_time_seconds").set(number(now.timestamp()));
    Ok(handle)
}

/// Puts measured times into their histograms, so that they do not pile up where no Prometheus asks for them.
pub(super) async fn sum_up(handle: PrometheusHandle, tasks: Tasks) {
    loop {
        tokio::select! {
            () = tasks.stopping() => return,
            () = tokio::time::sleep(SUM_UP_EVERY) => handle.run_upkeep(),
        }
    }
}

/// All figures of this moment, in Prometheus' text format.
pub(super) async fn render(app: &App, handle: &PrometheusHandle) -> String {
    books(app).await;
    match app.store.figures().await {
        Ok(figures) => {
            for state in State::ALL {
                let found = figures.attempts.iter().find(|(there, _)| *there == state);
                let count = found.map_or(0, |(_, count)| *count);
                gauge!("splynx_bitpay_attempts", "state" => state.code()).set(number(count));
            }
            for reason in ReviewReason::ALL {
                let found = figures.reviews.iter().find(|(there, _)| *there == reason);
                let count = found.map_or(0, |(_, count)| *count);
                gauge!("splynx_bitpay_open_reviews", "reason" => reason.code()).set(number(count));
            }
            let age =
                figures.oldest_open_credit.map_or(0, |at| (app.clock.now() - at).num_seconds());
            gauge!("splynx_bitpay_oldest_open_credit_seconds").set(number(age));
            gauge!("splynx_bitpay_unknown_postings").set(number(figures.unknown_postings));
            gauge!("splynx_bitpay_database_up").set(1.0);
        }
        Err(error) => {
            tracing::error!(%error, "the figures could not be read");
            gauge!("splynx_bitpay_database_up").set(0.0);
        }
    }
    handle.run_upkeep();
    handle.render()
}

/// What is told, and what the last comparison of the books came to.
async fn books(app: &App) {
    for (kind, count) in app.store.standing_alerts().await.unwrap_or_default() {
        gauge!("splynx_bitpay_standing_alerts", "kind" => kind.code()).set(number(count));
    }
    let proofs = app.store.proofs(1, 0).await.unwrap_or_default();
    let Some(last) = proofs.first() else {
        gauge!("splynx_bitpay_last_reconcile_timestamp_seconds").set(0.0);
        return gauge!("splynx_bitpay_reconcile_findings").set(0.0);
    };
    gauge!("splynx_bitpay_last_reconcile_timestamp_seconds").set(number(last.made_at.timestamp()));
    let findings = i64::try_from(last.findings).unwrap_or(i64::MAX);
    gauge!("splynx_bitpay_reconcile_findings").set(number(findings));
}

/// What the service needs, thing by thing: the same as `/ready` says.
pub(super) async fn readiness(probes: &[Arc<dyn Probe>]) {
    for probe in probes {
        let checked = tokio::time::timeout(PROBE_DEADLINE, probe.check()).await;
        let is_there = matches!(checked, Ok(Ok(())));
        gauge!("splynx_bitpay_ready", "name" => probe.name()).set(if is_there { 1.0 } else { 0.0 });
    }
}

fn number(count: i64) -> f64 {
    count.to_f64().unwrap_or_default()
}

//! `[worker]`: how often the add-on looks, and how long it waits.

use std::num::NonZeroU32;

use chrono::TimeDelta;

use super::finding::Findings;
use super::key::section;
use super::parse;
use crate::domain::schedule::Timing;

section! {
    /// How often the add-on looks at payments, and how long it waits.
    struct WorkerKeys in worker {
        /// Seconds between two looks at an open payment. Notifications wake it earlier.
        poll_seconds: Number = 30;
        /// Days a payment is watched after the click, for money that comes late.
        monitor_days: Number = 30;
        /// Seconds after which Splynx surely no longer executes a request whose answer was lost.
        /// A smaller value is accepted with a warning, and shortens the time a request to Splynx may take.
        quiescence_seconds: Number = 600;
        /// Seconds between two comparisons of processor, add-on and Splynx.
        reconcile_seconds: Number = 3600;
        /// Requests to Splynx in a second, at most.
        splynx_requests_per_second: Number = 20;
        /// Requests to a processor in a second, at most.
        processor_requests_per_second: Number = 5;
    }
}

/// How often the add-on looks, and how long it waits.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Between two looks at an open payment.
    pub poll: TimeDelta,
    /// How long a payment is watched after the click.
    pub monitor: TimeDelta,
    /// Request timeout, lease and quiescence.
    pub timing: Timing,
    /// Between two comparisons.
    pub reconcile: TimeDelta,
    /// Requests to Splynx in a second.
    pub splynx_rate: NonZeroU32,
    /// Requests to a processor in a second.
    pub processor_rate: NonZeroU32,
}

impl WorkerKeys {
    /// Parses the section, noting everything that is wrong with it.
    pub(super) fn parse(self, findings: &mut Findings) -> Option<Worker> {
        let poll = findings.check("worker.poll_seconds", parse::seconds(self.poll_seconds));
        let monitor = findings.check("worker.monitor_days", parse::days(self.monitor_days));
        let quiescence =
            findings.check("worker.quiescence_seconds", parse::seconds(self.quiescence_seconds));
        let reconcile =
            findings.check("worker.reconcile_seconds", parse::seconds(self.reconcile_seconds));
        let splynx_rate = findings.check(
            "worker.splynx_requests_per_second",
            parse::between(self.splynx_requests_per_second, 1000),
        );
        let processor_rate = findings.check(
            "worker.processor_requests_per_second",
            parse::between(self.processor_requests_per_second, 1000),
        );
        Some(Worker {
            poll: poll?,
            monitor: monitor?,
            timing: timing(quiescence?, findings),
            reconcile: reconcile?,
            splynx_rate: splynx_rate?,
            processor_rate: processor_rate?,
        })
    }
}

/// Below this, Splynx behind a slow database may still book a payment that we already look for in vain.
const SAFE: TimeDelta = TimeDelta::seconds(600);

fn timing(quiescence: TimeDelta, findings: &mut Findings) -> Timing {
    let timing = Timing::from_quiescence(quiescence);
    if quiescence < SAFE {
        let sentence = format!(
            "after {} s a payment whose answer was lost is sent again if Splynx does not show it, and a request to \
             Splynx may take {} ms; 600 is safe",
            quiescence.num_seconds(),
            timing.request_timeout.num_milliseconds(),
        );
        findings.warn("worker.quiescence_seconds", sentence);
    }
    timing
}

//! Time, given from outside so that tests can own it.

use std::fmt::Debug;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Local, NaiveDate, Utc};

/// A source of time.
pub trait Clock: Debug + Send + Sync {
    /// The time of day, by the server's clock. May jump.
    fn now(&self) -> DateTime<Utc>;

    /// Time since some moment in the past. Never jumps back, is no date.
    fn monotonic(&self) -> Duration;

    /// The date at `moment` in the server's time zone: what accountants see on a payment.
    fn local_date(&self, moment: DateTime<Utc>) -> NaiveDate {
        moment.with_timezone(&Local).date_naive()
    }
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the machine's clocks"
        )]
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the machine's clocks"
        )]
        SystemTime::now().into()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

//! Time, given from outside so that tests can own it.

use std::fmt::Debug;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Local, NaiveDate, Utc};
use rustix::time::{ClockId, clock_gettime};

/// A source of time.
pub trait Clock: Debug + Send + Sync {
    /// The time of day, by the server's clock. May jump.
    fn now(&self) -> DateTime<Utc>;

    /// Time since some moment in the past. Never jumps, is no date, and goes on while the machine is suspended: a lease
    /// that ended meanwhile has ended.
    fn monotonic(&self) -> Duration;

    /// The date at `moment` in the server's time zone: what accountants see on a payment.
    fn local_date(&self, moment: DateTime<Utc>) -> NaiveDate {
        moment.with_timezone(&Local).date_naive()
    }
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: Duration,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { started: since_boot() }
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
        since_boot().saturating_sub(self.started)
    }
}

/// `CLOCK_BOOTTIME`: unlike `std::time::Instant` it counts the time in which the machine was suspended.
fn since_boot() -> Duration {
    let moment = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(moment.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(moment.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_counts_from_the_boot_and_so_through_a_suspension() {
        let text = std::fs::read_to_string("/proc/uptime").unwrap();
        let whole = text.split(['.', ' ']).next().unwrap();
        let uptime = Duration::from_secs(whole.parse().unwrap());
        let read = since_boot();
        assert!(read.abs_diff(uptime) < Duration::from_secs(5), "{read:?} and {uptime:?}");
        let clock = SystemClock::default();
        let before = clock.monotonic();
        assert!(before < Duration::from_secs(5) && clock.monotonic() >= before);
    }
}

//! The simulator's time: the machine's clock plus what the control API has added to it.
//!
//! **Invariant:** the one place of the simulator that reads the real clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

/// A point in simulated time, in milliseconds since 1970 (the unit of every time BitPay sends).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Moment(i64);

impl Moment {
    /// The moment so many milliseconds after 1970.
    #[must_use]
    pub fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn ms(self) -> i64 {
        self.0
    }

    /// The moment `ms` milliseconds later.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add_unsigned(ms))
    }

    /// How long until `later`; nothing if that has passed.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        Duration::from_millis(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }

    /// RFC 3339 in UTC with milliseconds, the form refunds and transactions carry.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.utc().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// `YYYY-MM-DD` in UTC.
    #[must_use]
    pub fn date(self) -> String {
        self.utc().format("%Y-%m-%d").to_string()
    }

    fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
}

/// The real clock, moved forward by hand.
#[derive(Debug, Default)]
pub(super) struct Clock {
    ahead_ms: AtomicI64,
}

impl Clock {
    /// The simulated time now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "a simulator runs in real time, plus what it was advanced by"
    )]
    pub(super) fn now(&self) -> Moment {
        Moment(Utc::now().timestamp_millis().saturating_add(self.ahead_ms.load(Ordering::SeqCst)))
    }

    /// Moves the time forward; everything that falls due in between happens.
    pub(super) fn advance(&self, by: Duration) {
        let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advanced_clock_is_ahead_of_the_real_one() {
        let clock = Clock::default();
        let before = clock.now();
        clock.advance(Duration::from_hours(1));
        assert!(before.until(clock.now()) >= Duration::from_hours(1));
    }

    #[test]
    fn a_moment_prints_as_bitpay_prints_it() {
        let moment = Moment::from_ms(1_630_269_934_368);
        assert_eq!(moment.rfc3339(), "2021-08-29T20:45:34.368Z");
        assert_eq!(moment.date(), "2021-08-29");
        assert_eq!(moment.plus_ms(1).until(moment), Duration::ZERO);
    }
}

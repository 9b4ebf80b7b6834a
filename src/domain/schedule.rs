//! When to look, when to give up waiting, when to try again.
//!
//! **Invariant:** Splynx request timeout < lease < quiescence (design 4, Timing), whatever is configured.

use chrono::{DateTime, TimeDelta, Utc};

/// The three times that keep a posting from being sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long a request to Splynx may take.
    pub request_timeout: TimeDelta,
    /// How long a worker owns an attempt.
    pub lease: TimeDelta,
    /// How long Splynx may still be executing a request whose answer was lost.
    pub quiescence: TimeDelta,
}

impl Timing {
    /// The design's 15 s and 60 s below a quiescence of 600 s; a smaller quiescence shortens them with it.
    #[must_use]
    pub fn from_quiescence(quiescence: TimeDelta) -> Self {
        let quiescence = quiescence.max(TimeDelta::milliseconds(500));
        let part = |percent: i32| quiescence * percent / 100;
        Self {
            request_timeout: TimeDelta::seconds(15).min(part(40)),
            lease: TimeDelta::seconds(60).min(part(80)),
            quiescence,
        }
    }
}

/// Looks at one attempt are at least this far apart, however many hints come.
pub const HINT_GAP: TimeDelta = TimeDelta::seconds(2);

/// No pause between two tries of any work is longer.
pub const WORK_PAUSE_MAX: TimeDelta = TimeDelta::hours(1);

/// No pause between two looks is longer.
pub const LOOK_PAUSE_MAX: TimeDelta = TimeDelta::days(1);

/// Neither a work nor the end of a lease is ever planned further ahead than this. What lies further was written by a
/// clock that was wrong then, or is wrong now.
pub const WORK_AHEAD_MAX: TimeDelta = TimeDelta::minutes(65);

/// No look is ever planned further ahead than this.
pub const LOOK_AHEAD_MAX: TimeDelta = TimeDelta::hours(25);

/// Whether the work that was planned for `at` is to be done now. A plan that lies further ahead than any plan does is
/// one of a clock that was set back since: nobody must wait for it.
#[must_use]
pub fn is_due(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    at <= now || at > now + WORK_AHEAD_MAX
}

/// The same of a look.
#[must_use]
pub fn is_look_due(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    at <= now || at > now + LOOK_AHEAD_MAX
}

/// A look that comes so much later than planned was held up by a long stop, or the clock was set ahead. Neither ends a
/// watch: the look after it may.
const LEAP: TimeDelta = TimeDelta::days(2);

/// When to look at an attempt again without any hint (design 4.4).
///
/// `opened_at` is when the processor invoice was made, `planned` when this look was to be. `None` once `monitor_until`
/// has passed, unless the clock leapt there.
#[must_use]
pub fn next_look(
    opened_at: DateTime<Utc>,
    monitor_until: DateTime<Utc>,
    poll: TimeDelta,
    planned: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    if now >= monitor_until {
        let leapt = planned.is_some_and(|planned| now - planned > LEAP);
        return leapt.then_some(now + TimeDelta::days(1));
    }
    let age = now - opened_at;
    let pause = if age < TimeDelta::minutes(20) {
        poll
    } else if age < TimeDelta::hours(2) {
        poll.max(TimeDelta::minutes(5))
    } else if age < TimeDelta::days(3) {
        poll.max(TimeDelta::hours(1))
    } else {
        poll.max(TimeDelta::days(1))
    };
    Some((now + pause.min(LOOK_PAUSE_MAX)).min(monitor_until))
}

/// How long to wait after the `tries`-th failure of a peer that is down: 2 s doubling to one minute.
#[must_use]
pub fn back_off(tries: u32) -> TimeDelta {
    let seconds = 2_i64.saturating_pow(tries.clamp(1, 6));
    TimeDelta::seconds(seconds.min(60))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, 30)]
    #[case(19 * 60, 30)]
    #[case(20 * 60, 300)]
    #[case(2 * 3600, 3600)]
    #[case(3 * 86_400, 86_400)]
    fn looks_get_rarer_with_age(#[case] age: i64, #[case] pause: i64) {
        let opened = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let now = opened + TimeDelta::seconds(age);
        let end = opened + TimeDelta::days(30);
        let next = next_look(opened, end, TimeDelta::seconds(30), Some(now), now);
        assert_eq!(next, Some(now + TimeDelta::seconds(pause)));
    }

    #[test]
    fn the_last_look_is_at_the_end_and_none_follows() {
        let opened = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let end = opened + TimeDelta::days(30);
        let poll = TimeDelta::seconds(30);
        let before = end - TimeDelta::hours(1);
        assert_eq!(next_look(opened, end, poll, Some(before), before), Some(end));
        assert_eq!(next_look(opened, end, poll, Some(end), end), None);
        assert_eq!(next_look(opened, end, poll, None, end), None);
    }

    #[test]
    fn a_clock_that_leaps_past_the_end_does_not_end_the_watch() {
        let opened = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let end = opened + TimeDelta::days(30);
        let (poll, leapt) = (TimeDelta::seconds(30), end + TimeDelta::hours(1));
        let next = next_look(opened, end, poll, Some(opened), leapt);
        assert_eq!(next, Some(leapt + TimeDelta::days(1)));
        assert_eq!(next_look(opened, end, poll, next, leapt + TimeDelta::days(1)), None);
    }

    #[rstest]
    #[case(-1, true)]
    #[case(0, true)]
    #[case(1, false)]
    #[case(65 * 60, false)]
    #[case(65 * 60 + 1, true)]
    #[case(86_400, true)]
    fn work_that_is_planned_further_ahead_than_any_ever_is_is_due(
        #[case] ahead: i64,
        #[case] due: bool,
    ) {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        assert_eq!(is_due(now + TimeDelta::seconds(ahead), now), due);
    }

    #[rstest]
    #[case(-1, true)]
    #[case(0, true)]
    #[case(1, false)]
    #[case(25 * 3600, false)]
    #[case(25 * 3600 + 1, true)]
    fn a_look_that_is_planned_further_ahead_than_any_ever_is_is_due(
        #[case] ahead: i64,
        #[case] due: bool,
    ) {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        assert_eq!(is_look_due(now + TimeDelta::seconds(ahead), now), due);
    }

    #[test]
    fn no_look_is_more_than_a_day_away_however_rarely_somebody_wants_to_look() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let next = next_look(now, now + TimeDelta::days(30), TimeDelta::days(7), Some(now), now);
        assert_eq!(next, Some(now + TimeDelta::days(1)));
    }

    proptest! {
        #[test]
        fn a_request_always_ends_before_its_lease_and_the_lease_before_quiescence(seconds in 0_i64..100_000) {
            let timing = Timing::from_quiescence(TimeDelta::seconds(seconds));
            prop_assert!(timing.request_timeout < timing.lease);
            prop_assert!(timing.lease < timing.quiescence);
        }
    }
}

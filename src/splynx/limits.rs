//! The rate at which Splynx is asked: it lives on the same server and shall not notice us.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

type Limiter = RateLimiter<
    NotKeyed,
    InMemoryState,
    MonotonicClock,
    NoOpMiddleware<<MonotonicClock as governor::clock::Clock>::Instant>,
>;

/// Lets requests pass at a steady rate; the others wait.
#[derive(Debug)]
pub(super) struct Pace {
    limiter: Limiter,
    clock: MonotonicClock,
}

impl Pace {
    /// `per_second` requests a second, half of them at once.
    pub(super) fn new(per_second: u32) -> Self {
        let rate = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        let burst = NonZeroU32::new(per_second / 2).unwrap_or(NonZeroU32::MIN);
        Self::with_quota(Quota::per_second(rate).allow_burst(burst))
    }

    /// Any other pace.
    pub(super) fn with_quota(quota: Quota) -> Self {
        Self {
            limiter: RateLimiter::direct_with_clock(quota, MonotonicClock),
            clock: MonotonicClock,
        }
    }

    /// Takes a place, or says how long until there is one.
    pub(super) fn take(&self) -> Result<(), Duration> {
        self.limiter.check().map_err(|wait| wait.wait_time_from(self.clock.now()))
    }

    /// Waits for a place, but no longer than `patience`. `false`: there was none.
    pub(super) async fn wait(&self, patience: Duration) -> bool {
        tokio::time::timeout(patience, async {
            while let Err(wait) = self.take() {
                tokio::time::sleep(wait).await;
            }
        })
        .await
        .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_exceeds_the_burst_waits_and_does_not_wait_for_ever() {
        let pace = Pace::new(2);
        assert!(pace.take().is_ok());
        let wait = pace.take().unwrap_err();
        assert!(wait > Duration::from_millis(300) && wait <= Duration::from_millis(500));
        assert!(!pace.wait(Duration::from_millis(20)).await);
        assert!(pace.wait(Duration::from_secs(5)).await);
    }

    #[test]
    fn a_rate_of_zero_is_not_an_eternal_wait() {
        assert!(Pace::new(0).take().is_ok());
    }
}

//! How often one customer may begin a payment (ASVS 2.4.1).
//!
//! **Invariant:** a customer who is held back holds back nobody else.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::refusal::Refusal;
use crate::domain::ids::CustomerId;
use crate::ports::clock::Clock;

/// Above so many customers, those who were quiet for a while are forgotten.
const CUSTOMERS_KEPT: usize = 1024;

/// The port's clock, as the limiter wants it.
#[derive(Debug, Clone)]
struct PortClock(Arc<dyn Clock>);

impl governor::clock::Clock for PortClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

type Limiter =
    RateLimiter<CustomerId, HashMapStateStore<CustomerId>, PortClock, NoOpMiddleware<Duration>>;

/// Counts the payments each customer begins.
#[derive(Debug)]
pub struct CheckoutLimiter {
    limiter: Limiter,
    clock: PortClock,
}

impl CheckoutLimiter {
    /// Lets each customer begin so many payments a minute.
    #[must_use]
    pub fn new(per_minute: NonZeroU32, clock: Arc<dyn Clock>) -> Self {
        let clock = PortClock(clock);
        let quota = Quota::per_minute(per_minute);
        let limiter = RateLimiter::new(quota, HashMapStateStore::default(), clock.clone());
        Self { limiter, clock }
    }

    /// Counts one payment of this customer.
    ///
    /// # Errors
    ///
    /// A 429 that says when to try again.
    pub fn check(&self, customer: CustomerId) -> Result<(), Refusal> {
        if self.limiter.len() > CUSTOMERS_KEPT {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&customer).map_err(|held| {
            let wait = held.wait_time_from(self.clock.now());
            Refusal::too_many(wait.as_secs().saturating_add(1))
        })
    }
}

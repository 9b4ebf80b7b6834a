//! The simulator's clock and its random strings.
//!
//! **Invariant:** this is the only file of the simulator that reads the real clock or real randomness.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rand::RngExt as _;

/// The clock a simulated Splynx lives by: the real one, shifted, or one that stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimClock {
    /// The real time plus this.
    Running {
        /// How far ahead of the real time.
        ahead: TimeDelta,
    },
    /// Always this instant, until it is moved.
    Standing {
        /// The instant.
        at: DateTime<Utc>,
    },
}

impl Default for SimClock {
    fn default() -> Self {
        Self::Running { ahead: TimeDelta::zero() }
    }
}

impl SimClock {
    /// The instant it shows.
    #[must_use]
    pub fn now(self) -> DateTime<Utc> {
        match self {
            Self::Running { ahead } => real_now() + ahead,
            Self::Standing { at } => at,
        }
    }

    /// The day it shows.
    #[must_use]
    pub fn today(self) -> NaiveDate {
        self.now().date_naive()
    }

    /// The same clock moved forward.
    #[must_use]
    pub fn advanced(self, by: TimeDelta) -> Self {
        match self {
            Self::Running { ahead } => Self::Running { ahead: ahead + by },
            Self::Standing { at } => Self::Standing { at: at + by },
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a simulated server lives in real time")]
fn real_now() -> DateTime<Utc> {
    Utc::now()
}

/// So many random bytes as lower-case hex.
#[expect(clippy::disallowed_methods, reason = "session ids and tokens of a simulator")]
pub(super) fn random_hex(bytes: usize) -> String {
    let mut random = rand::rng();
    hex::encode((0..bytes).map(|_| random.random::<u8>()).collect::<Vec<_>>())
}

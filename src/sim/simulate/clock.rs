//! The clocks and the dice of a simulated process.
//!
//! **Invariant:** the wall clock may jump and differ between hosts; the monotonic one follows true time and goes on while
//! its process is suspended, as `CLOCK_BOOTTIME` does.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};

use super::world::World;
use crate::ports::clock::Clock;
use crate::ports::entropy::Entropy;

/// The moment every world begins: 2023-11-14, 22:13:20.
const BEGINNING: i64 = 1_700_000_000_000;

/// What a clock that is right shows so many milliseconds after the beginning.
pub(super) fn true_time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(BEGINNING.saturating_add(millis)).unwrap_or_default()
}

/// The clocks of one host, for one process.
pub(super) struct HostClock {
    pub(super) world: Arc<World>,
    pub(super) host: usize,
    pub(super) booted: i64,
}

impl fmt::Debug for HostClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostClock").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Clock for HostClock {
    fn now(&self) -> DateTime<Utc> {
        let offset = self.world.state().offsets.get(self.host).copied().unwrap_or_default();
        true_time(self.world.now().saturating_add(offset))
    }

    fn monotonic(&self) -> Duration {
        let since = self.world.now().saturating_sub(self.booted).max(0);
        Duration::from_millis(u64::try_from(since).unwrap_or_default())
    }

    fn local_date(&self, moment: DateTime<Utc>) -> NaiveDate {
        // The host's time zone is the same for everybody, whatever the machine of the test says.
        moment.date_naive()
    }
}

/// Chance for one process.
pub(super) struct Dice(pub(super) Arc<World>);

impl fmt::Debug for Dice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dice").finish_non_exhaustive()
    }
}

impl Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.state();
        for chunk in bytes.chunks_mut(8) {
            for (byte, drawn) in chunk.iter_mut().zip(state.rng.next().to_le_bytes()) {
                *byte = drawn;
            }
        }
    }
}

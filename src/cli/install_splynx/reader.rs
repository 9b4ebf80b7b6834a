//! Reads from Splynx what the other steps did.
//!
//! **Invariant:** it writes nothing, neither in Splynx nor here: this command runs as root, and the database is the
//! service's. The nonces are therefore the clock's, not the database's.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::cli::wiring;
use crate::config;
use crate::ports::PeerError;
use crate::ports::billing::Nonces;
use crate::ports::clock::{Clock, SystemClock};
use crate::splynx;

/// What was given out last. The floor is the clock, so that a running service on the same clock goes on above it.
#[derive(Debug, Default)]
struct ClockNonces(Mutex<i64>);

#[async_trait]
impl Nonces for ClockNonces {
    async fn next(&self, _: &str, floor: i64) -> Result<i64, PeerError> {
        let mut last = self.0.lock().await;
        *last = last.saturating_add(1).max(floor);
        Ok(*last)
    }
}

/// A client with the credentials that the configuration has now.
///
/// # Errors
///
/// What the configuration lacks.
pub(super) fn open(path: &Path) -> anyhow::Result<splynx::Client> {
    let config = config::load(path)?.config;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    wiring::splynx_client(&config, &clock, Arc::new(ClockNonces::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nonces_follow_the_clock_and_rise_even_while_it_stands() {
        let nonces = ClockNonces::default();
        let mut given = Vec::new();
        for floor in [100, 100, 90, 200] {
            given.push(nonces.next("key", floor).await.unwrap());
        }
        assert_eq!(given, [100, 101, 102, 200]);
    }
}

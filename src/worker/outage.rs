//! While Splynx does not answer, one probe a minute at most asks whether it is back.
//!
//! **Invariant:** the gate only delays work; it never decides whether something was executed.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::schedule::back_off;

/// Whether work that needs Splynx may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// It may.
    Open,
    /// One piece of work may, to find out. Only work finds out: a look at a processor says nothing about Splynx.
    Probe,
    /// It may not for this long.
    Closed {
        /// Until the next probe.
        rest: Duration,
    },
}

/// What is known about Splynx's answering.
#[derive(Debug, Default)]
pub struct Outage {
    state: Mutex<Option<Down>>,
    over: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Down {
    failures: u32,
    until: Duration,
}

impl Outage {
    /// Whether work may begin at this moment of the monotonic clock. A probe, once allowed, holds back the next one.
    pub fn gate(&self, now: Duration) -> Gate {
        let mut state = self.lock();
        match state.as_mut() {
            None => Gate::Open,
            Some(down) if now < down.until => Gate::Closed { rest: down.until.saturating_sub(now) },
            Some(down) => {
                down.until = now.saturating_add(pause(down.failures));
                Gate::Probe
            }
        }
    }

    /// Splynx did not answer.
    pub fn went_down(&self, now: Duration) {
        let mut state = self.lock();
        let failures = state.map_or(1, |down| down.failures.saturating_add(1));
        *state = Some(Down { failures, until: now.saturating_add(pause(failures)) });
    }

    /// The probe found nothing to ask Splynx: the next one may go at once.
    pub fn was_not_asked(&self, now: Duration) {
        if let Some(down) = self.lock().as_mut() {
            down.until = down.until.min(now);
        }
    }

    /// Splynx answered.
    pub fn is_back(&self) {
        if self.lock().take().is_some() {
            self.over.notify_one();
        }
    }

    /// Ends when an outage is over.
    pub async fn over(&self) {
        self.over.notified().await;
    }

    /// Whether Splynx is not answering, as far as is known.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.lock().is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Down>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pause(failures: u32) -> Duration {
    back_off(failures).to_std().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_splynx_is_down_one_probe_at_a_time_is_let_through() {
        let outage = Outage::default();
        let at = Duration::from_secs;
        assert_eq!(outage.gate(at(0)), Gate::Open);
        outage.went_down(at(0));
        assert_eq!(outage.gate(at(1)), Gate::Closed { rest: at(1) });
        assert_eq!(outage.gate(at(2)), Gate::Probe);
        assert!(matches!(outage.gate(at(2)), Gate::Closed { .. }));
        outage.is_back();
        assert_eq!(outage.gate(at(3)), Gate::Open);
    }

    #[test]
    fn a_probe_that_asked_nothing_makes_room_for_the_next_one() {
        let outage = Outage::default();
        let at = Duration::from_secs;
        outage.went_down(at(0));
        assert_eq!(outage.gate(at(2)), Gate::Probe);
        outage.was_not_asked(at(3));
        assert_eq!(outage.gate(at(3)), Gate::Probe);
        outage.is_back();
        outage.was_not_asked(at(4));
        assert_eq!(outage.gate(at(4)), Gate::Open);
    }

    #[tokio::test]
    async fn the_end_of_an_outage_is_told_once() {
        let outage = Outage::default();
        let told = async || tokio::time::timeout(Duration::from_millis(20), outage.over()).await;
        outage.is_back();
        assert!(told().await.is_err(), "there was none");
        outage.went_down(Duration::ZERO);
        outage.is_back();
        assert!(told().await.is_ok());
        assert!(told().await.is_err());
    }

    #[test]
    fn a_long_outage_is_probed_once_a_minute_at_most() {
        let outage = Outage::default();
        for _ in 0..20 {
            outage.went_down(Duration::ZERO);
        }
        let minute = Duration::from_mins(1);
        assert_eq!(outage.gate(Duration::ZERO), Gate::Closed { rest: minute });
    }
}

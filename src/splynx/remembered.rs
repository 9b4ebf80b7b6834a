//! Who was behind which session cookie, for a minute.
//!
//! **Invariants:** a cookie is kept as its SHA-256 only. The memory is bounded, and a flood of invented cookies can
//! neither push out those of real visitors nor get more than a trickle of questions through to Splynx.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::ports::PeerError;
use crate::ports::billing::{Freshness, Identity};

/// How long somebody is remembered.
const SOMEBODY: Duration = Duration::from_mins(1);

/// How long nobody is.
const NOBODY: Duration = Duration::from_secs(30);

/// Cookies remembered at most.
const CAPACITY: usize = 4096;

/// Questions to Splynx at the same time.
const AT_ONCE: usize = 8;

/// Cookies of nobody: one every so often …
const STRANGER_GAP: Duration = Duration::from_millis(200);

/// … after this much of them at once: twenty.
const STRANGER_CREDIT: Duration = Duration::from_secs(4);

/// The memory of all cookies.
pub(super) struct Remembered {
    slots: Mutex<HashMap<[u8; 32], Arc<Slot>>>,
    /// Orders questions and arrivals without a clock.
    tickets: AtomicU64,
    questions: Semaphore,
    /// When the strangers so far are paid off.
    strangers: Mutex<Duration>,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            slots: Mutex::default(),
            tickets: AtomicU64::new(1),
            questions: Semaphore::new(AT_ONCE),
            strangers: Mutex::default(),
        }
    }
}

/// The memory of one cookie. Whoever asks Splynx about it holds the lock, so that one question answers all.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) memory: tokio::sync::Mutex<Memory>,
}

/// What is known of one cookie.
#[derive(Debug, Default)]
pub(super) struct Memory {
    answer: Option<Remark>,
    /// The last question that failed, and the ticket drawn when it did.
    failure: Option<(u64, PeerError)>,
}

#[derive(Debug)]
struct Remark {
    identity: Identity,
    /// The ticket drawn when Splynx was asked.
    asked: u64,
    until: Duration,
}

impl Memory {
    /// The remembered answer, if it will do for a visitor with the ticket `arrived`.
    pub(super) fn recall(
        &self,
        freshness: Freshness,
        arrived: u64,
        now: Duration,
    ) -> Option<Identity> {
        let remark = self.answer.as_ref().filter(|remark| now < remark.until)?;
        let will_do = match freshness {
            Freshness::Remembered => true,
            // Splynx was asked after this visitor came, or would only be asked about nobody again.
            Freshness::Asked => remark.asked > arrived || remark.identity == Identity::Nobody,
        };
        will_do.then(|| remark.identity.clone())
    }

    /// Whether the cookie was somebody's a moment ago.
    pub(super) fn is_somebody(&self, now: Duration) -> bool {
        self.answer
            .as_ref()
            .is_some_and(|remark| now < remark.until && remark.identity != Identity::Nobody)
    }

    /// Why the question failed that a visitor with the ticket `arrived` was waiting for.
    pub(super) fn failed_since(&self, arrived: u64) -> Option<PeerError> {
        let (failed, error) = self.failure.as_ref()?;
        (*failed > arrived).then(|| error.clone())
    }

    /// Takes a failure, for those who are waiting.
    pub(super) fn fail(&mut self, error: PeerError, failed: u64) {
        self.failure = Some((failed, error));
    }

    /// Takes a new answer.
    pub(super) fn keep(&mut self, identity: Identity, asked: u64, now: Duration) {
        let life = if identity == Identity::Nobody { NOBODY } else { SOMEBODY };
        self.answer = Some(Remark { identity, asked, until: now.saturating_add(life) });
    }
}

impl Remembered {
    /// The next ticket.
    pub(super) fn ticket(&self) -> u64 {
        self.tickets.fetch_add(1, Ordering::Relaxed)
    }

    /// The slot of a cookie. Where the memory is full of visitors, the slot is not kept.
    pub(super) fn slot(&self, cookie: &SecretString, now: Duration) -> Arc<Slot> {
        let hash: [u8; 32] = Sha256::digest(cookie.expose_secret().as_bytes()).into();
        let mut slots = locked(&self.slots);
        if let Some(slot) = slots.get(&hash) {
            return slot.clone();
        }
        if slots.len() >= CAPACITY {
            slots.retain(|_, slot| is_needed(slot, now));
        }
        let slot = Arc::new(Slot::default());
        if slots.len() < CAPACITY {
            slots.insert(hash, slot.clone());
        }
        slot
    }

    /// Whether so few strangers came lately that one more cookie can be asked about.
    pub(super) fn is_calm(&self, now: Duration) -> bool {
        *locked(&self.strangers) < now.saturating_add(STRANGER_CREDIT)
    }

    /// Counts a cookie that was nobody's.
    pub(super) fn count_stranger(&self, now: Duration) {
        let mut strangers = locked(&self.strangers);
        *strangers = strangers.max(now).saturating_add(STRANGER_GAP);
    }

    /// A place among the questions; `None` if none gets free in time.
    pub(super) async fn place(&self, patience: Duration) -> Option<SemaphorePermit<'_>> {
        tokio::time::timeout(patience, self.questions.acquire()).await.ok()?.ok()
    }
}

/// Slots of visitors, and those somebody is just asking about.
fn is_needed(slot: &Arc<Slot>, now: Duration) -> bool {
    match slot.memory.try_lock() {
        Ok(memory) => memory.is_somebody(now),
        Err(_) => true,
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn admin() -> Identity {
        Identity::Admin { id: 1 }
    }

    #[test]
    fn somebody_is_remembered_a_minute_and_nobody_half_of_it() {
        let mut memory = Memory::default();
        memory.keep(admin(), 1, at(100));
        assert_eq!(memory.recall(Freshness::Remembered, 2, at(159)), Some(admin()));
        assert_eq!(memory.recall(Freshness::Remembered, 2, at(160)), None);
        memory.keep(Identity::Nobody, 3, at(200));
        assert_eq!(memory.recall(Freshness::Remembered, 4, at(229)), Some(Identity::Nobody));
        assert_eq!(memory.recall(Freshness::Remembered, 4, at(230)), None);
    }

    #[test]
    fn a_change_is_only_allowed_by_an_answer_asked_for_after_the_visitor_came() {
        let mut memory = Memory::default();
        memory.keep(admin(), 5, at(0));
        assert_eq!(memory.recall(Freshness::Asked, 6, at(1)), None);
        assert_eq!(memory.recall(Freshness::Asked, 4, at(1)), Some(admin()));
    }

    #[test]
    fn twenty_strangers_are_asked_about_at_once_and_then_five_a_second() {
        let remembered = Remembered::default();
        for _ in 0..20 {
            assert!(remembered.is_calm(at(100)));
            remembered.count_stranger(at(100));
        }
        assert!(!remembered.is_calm(at(100)));
        assert!(remembered.is_calm(at(101)));
        for _ in 0..5 {
            remembered.count_stranger(at(101));
        }
        assert!(!remembered.is_calm(at(101)));
    }

    #[tokio::test]
    async fn a_flood_of_strangers_is_forgotten_before_a_visitor() {
        let remembered = Remembered::default();
        let visitor = remembered.slot(&"visitor".into(), at(0));
        visitor.memory.lock().await.keep(admin(), 1, at(0));
        for n in 0..CAPACITY * 2 {
            let slot = remembered.slot(&format!("stranger {n}").into(), at(1));
            slot.memory.lock().await.keep(Identity::Nobody, 1, at(1));
        }
        assert!(locked(&remembered.slots).len() <= CAPACITY);
        assert!(Arc::ptr_eq(&visitor, &remembered.slot(&"visitor".into(), at(1))));
    }
}

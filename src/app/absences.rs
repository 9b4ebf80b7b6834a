//! When this process first saw that Splynx does not have a row, on the monotonic clock.
//!
//! **Invariant:** an entry speaks of one try of one posting and of this process alone: a restart, another host or another
//! try begin anew. Forgetting one only makes the next sending later, never sooner.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;

use crate::domain::ids::PostingId;
use crate::domain::posting::Posting;

/// More than so many are not remembered.
const KEPT_MAX: usize = 10_000;

/// What this process knows of absence.
#[derive(Debug, Default)]
pub struct Absences {
    seen: Mutex<BTreeMap<(PostingId, u32), Duration>>,
}

impl Absences {
    /// How long ago absence was first seen, as of `now`; zero if it never was.
    #[must_use]
    pub fn lasts(&self, posting: &Posting, now: Duration) -> TimeDelta {
        let first = self.lock().get(&key(posting)).copied();
        let lasts = first.map(|first| now.saturating_sub(first)).unwrap_or_default();
        TimeDelta::from_std(lasts).unwrap_or(TimeDelta::MAX)
    }

    /// A complete search that ended at `now` found nothing.
    pub fn saw_none(&self, posting: &Posting, now: Duration) {
        let mut seen = self.lock();
        if seen.len() >= KEPT_MAX {
            seen.clear();
        }
        seen.entry(key(posting)).or_insert(now);
    }

    /// Nothing is left to be found out about this try.
    pub fn forget(&self, posting: &Posting) {
        self.lock().remove(&key(posting));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(PostingId, u32), Duration>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(posting: &Posting) -> (PostingId, u32) {
    (posting.id, posting.tries)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::ids::AttemptId;
    use crate::domain::posting::{PostingKind, PostingState};

    fn posting(tries: u32) -> Posting {
        Posting {
            id: PostingId::new(DateTime::UNIX_EPOCH, 1),
            attempt: AttemptId::new(DateTime::UNIX_EPOCH, 1),
            credit: None,
            kind: PostingKind::BalancePayment,
            state: PostingState::Dropped,
            body: String::new(),
            tries,
            first_begun_at: None,
            last_error: None,
        }
    }

    #[test]
    fn absence_lasts_since_it_was_first_seen_of_this_try() {
        let absences = Absences::default();
        let at = Duration::from_secs;
        assert_eq!(absences.lasts(&posting(1), at(5)), TimeDelta::zero());
        absences.saw_none(&posting(1), at(5));
        absences.saw_none(&posting(1), at(9));
        assert_eq!(absences.lasts(&posting(1), at(11)), TimeDelta::seconds(6));
        assert_eq!(absences.lasts(&posting(2), at(11)), TimeDelta::zero(), "another try");
        absences.forget(&posting(1));
        assert_eq!(absences.lasts(&posting(1), at(20)), TimeDelta::zero());
    }
}

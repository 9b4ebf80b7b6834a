//! Leases and hints: who works on which attempt, and what makes it due.
//!
//! **Invariant:** taking a lease bumps the version (fencing); a hint does not.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Disk, Lease, Row};
use crate::domain::ids::{AttemptId, Hook};
use crate::domain::posting::PostingState;
use crate::domain::schedule::{is_due, is_look_due};
use crate::ports::store::{HintOutcome, Ledger, Readiness};

impl Row {
    /// The earlier of look and work, but not before the end of a lease.
    fn ready_at(&self) -> Option<DateTime<Utc>> {
        let due = match (self.attempt.look_at, self.attempt.work_at) {
            (Some(look), Some(work)) => Some(look.min(work)),
            (look, work) => look.or(work),
        }?;
        Some(self.lease.as_ref().map_or(due, |lease| due.max(lease.until)))
    }

    /// What lies too far ahead is due, but never while somebody holds it.
    fn may_be_taken(&self, now: DateTime<Utc>) -> bool {
        let is_free = self.lease.as_ref().is_none_or(|lease| is_due(lease.until, now));
        is_free && (self.is_look_due(now) || self.attempt.work_at.is_some_and(|at| is_due(at, now)))
    }

    fn is_look_due(&self, now: DateTime<Utc>) -> bool {
        self.attempt.look_at.is_some_and(|at| is_look_due(at, now))
    }

    fn take(&mut self, now: DateTime<Utc>, lease: TimeDelta) {
        let is_look = self.is_look_due(now);
        self.lease = Some(Lease { until: now + lease });
        self.attempt.version = self.attempt.version.saturating_add(1);
        if is_look {
            let looks = self.looks;
            self.hints.retain(|wake, _| *wake > looks);
            self.looks = self.looks.saturating_add(1);
            self.last_look = Some(now);
        }
    }

    fn store_hint(&mut self, now: DateTime<Utc>) -> HintOutcome {
        if self.hints.contains_key(&self.looks) {
            return HintOutcome::AlreadyStored;
        }
        self.hints.insert(self.looks, now);
        let earliest = self.earliest(now);
        if self.attempt.look_at.is_none_or(|look_at| look_at > earliest) {
            self.attempt.look_at = Some(earliest);
        }
        HintOutcome::Stored
    }
}

impl Disk {
    pub(super) fn lease_due(
        &mut self,
        now: DateTime<Utc>,
        lease: TimeDelta,
        readiness: Readiness,
        limit: u32,
    ) -> Vec<Ledger> {
        let mut due: Vec<(DateTime<Utc>, AttemptId)> = self
            .attempts
            .values()
            .filter(|row| readiness == Readiness::Everything || row.is_look_due(now))
            .filter(|row| row.may_be_taken(now))
            .filter_map(|row| Some((row.ready_at()?, row.attempt.id)))
            .collect();
        due.sort();
        due.truncate(usize::try_from(limit).unwrap_or_default());
        let mut leased = Vec::with_capacity(due.len());
        for (_, id) in due {
            if let Some(row) = self.attempts.get_mut(&id) {
                row.take(now, lease);
                leased.push(row.ledger());
            }
        }
        leased
    }

    pub(super) fn next_due(&self) -> Option<DateTime<Utc>> {
        self.attempts.values().filter_map(Row::ready_at).min()
    }

    pub(super) fn end_all_leases(&mut self) {
        for row in self.attempts.values_mut() {
            row.lease = None;
        }
    }

    pub(super) fn record_hint(&mut self, hook: &Hook, now: DateTime<Utc>) -> HintOutcome {
        self.by_hook(hook).map_or(HintOutcome::Unknown, |row| row.store_hint(now))
    }

    pub(super) fn wake(&mut self, id: AttemptId, now: DateTime<Utc>) -> bool {
        let Some(row) = self.attempts.get_mut(&id) else {
            return false;
        };
        row.store_hint(now);
        if row.lease.is_some() {
            row.attempt.version = row.attempt.version.saturating_add(1);
        }
        if row.attempt.work_at.is_none_or(|work_at| work_at > now) {
            row.attempt.work_at = Some(now);
        }
        for posting in &mut row.postings {
            match &mut posting.state {
                PostingState::Ready { not_before: at }
                | PostingState::Unknown { search_at: at, .. } => *at = now.min(*at),
                _ => {}
            }
        }
        true
    }
}

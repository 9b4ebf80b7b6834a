//! Leases and hints: who works on which attempt, and what makes it due.
//!
//! **Invariant:** taking a lease bumps the version (fencing); a hint does not.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Disk, Lease, Row};
use crate::domain::ids::{AttemptId, CustomerId, Hook};
use crate::domain::posting::PostingState;
use crate::domain::schedule::{is_due, is_look_due};
use crate::ports::store::{Errand, HintOutcome, Ledger};

impl Row {
    /// The earlier of look and work, but not before the end of a lease.
    fn ready_at(&self) -> Option<DateTime<Utc>> {
        let due = match (self.attempt.look_at, self.attempt.work_at) {
            (Some(look), Some(work)) => Some(look.min(work)),
            (look, work) => look.or(work),
        }?;
        Some(self.lease.as_ref().map_or(due, |lease| due.max(lease.until)))
    }

    fn is_free(&self, now: DateTime<Utc>) -> bool {
        self.lease.as_ref().is_none_or(|lease| is_due(lease.until, now))
    }

    fn is_due_for(&self, errand: Errand, now: DateTime<Utc>) -> bool {
        match errand {
            Errand::Look => self.attempt.look_at.is_some_and(|at| is_look_due(at, now)),
            Errand::Work => self.attempt.work_at.is_some_and(|at| is_due(at, now)),
        }
    }

    /// Looks: by when they were planned. Work: what is settled first, and then by age.
    fn rank(&self, errand: Errand) -> (bool, Option<DateTime<Utc>>, DateTime<Utc>, AttemptId) {
        let attempt = &self.attempt;
        match errand {
            Errand::Look => (false, attempt.look_at, attempt.created_at, attempt.id),
            Errand::Work => {
                let settled = attempt.settled_at;
                (settled.is_none(), settled, attempt.created_at, attempt.id)
            }
        }
    }

    fn take(&mut self, errand: Errand, now: DateTime<Utc>, lease: TimeDelta) {
        self.lease = Some(Lease { until: now + lease });
        self.attempt.version = self.attempt.version.saturating_add(1);
        if errand == Errand::Look {
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
        errand: Errand,
        limit: u32,
    ) -> Vec<Ledger> {
        let rows = self.attempts.values();
        let due = rows.filter(|row| row.is_due_for(errand, now) && row.is_free(now));
        let mut due: Vec<_> = due.map(|row| (row.rank(errand), row.attempt.customer)).collect();
        due.sort();
        let mut held = self.customers_at_work(now);
        let mut leased = Vec::new();
        for ((.., id), customer) in due {
            if leased.len() == usize::try_from(limit).unwrap_or_default() {
                break;
            }
            if errand == Errand::Work && !held.insert(customer) {
                continue;
            }
            if let Some(row) = self.attempts.get_mut(&id) {
                row.take(errand, now, lease);
                leased.push(row.ledger());
            }
        }
        leased
    }

    /// Whose attempts somebody holds while there is work at them.
    fn customers_at_work(&self, now: DateTime<Utc>) -> BTreeSet<CustomerId> {
        let rows = self.attempts.values();
        let held = rows.filter(|row| !row.is_free(now) && row.is_due_for(Errand::Work, now));
        held.map(|row| row.attempt.customer).collect()
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

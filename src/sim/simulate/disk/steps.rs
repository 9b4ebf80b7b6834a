//! Claims and steps: compare-and-swap, and what must exist once.
//!
//! **Invariant:** a step is written to a copy of its row and checked there; only then does the copy take the row's place.

use chrono::{DateTime, Utc};

use super::{Disk, Row, refused};
use crate::domain::attempt::Attempt;
use crate::domain::credit::Credit;
use crate::domain::ids::{AttemptId, ReviewId};
use crate::domain::posting::{Posting, PostingState};
use crate::domain::review::{Review, ReviewClosed};
use crate::domain::schedule::HINT_GAP;
use crate::ports::store::{Change, Claim, StoreError};

impl Disk {
    /// Adds `attempt`, or finds the one that holds its open key and is still of use.
    pub(super) fn claim(
        &mut self,
        attempt: &Attempt,
        usable_until: DateTime<Utc>,
    ) -> Result<Claim, StoreError> {
        let terms = &attempt.terms;
        let currency = terms.due.currency();
        let fee = terms.fee.as_ref();
        if terms.price.currency() != currency
            || fee.is_some_and(|fee| fee.gross.currency() != currency)
        {
            return Err(refused("the attempt mixes currencies"));
        }
        let sum = terms.due.minor().saturating_add(fee.map_or(0, |fee| fee.gross.minor()));
        if terms.price.minor() != sum || !terms.due.is_positive() {
            return Err(refused("attempts_price_is_the_sum"));
        }
        if let Some(holder) = self.holder_of_key(attempt.open_key.as_deref())
            && holder.attempt.takes_a_click(usable_until)
        {
            return Ok(Claim::Existing(holder.attempt.clone()));
        }
        // The key is taken from its holder for the check, and given back if there is no new holder.
        let holder = self.holder_of_key(attempt.open_key.as_deref());
        let holder = holder.map(|row| {
            row.attempt.open_key = None;
            row.attempt.id
        });
        let checked = self.check_names(attempt);
        if let Some(row) = holder.and_then(|id| self.attempts.get_mut(&id)) {
            if checked.is_ok() {
                row.attempt.version = row.attempt.version.saturating_add(1);
            } else {
                row.attempt.open_key.clone_from(&attempt.open_key);
            }
        }
        checked?;
        self.attempts.insert(attempt.id, Row::of(attempt.clone()));
        Ok(Claim::Created(attempt.clone()))
    }

    fn holder_of_key(&mut self, key: Option<&str>) -> Option<&mut Row> {
        let key = key?;
        self.attempts.values_mut().find(|row| row.attempt.open_key.as_deref() == Some(key))
    }

    fn check_names(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let twin = self.attempts.values().any(|row| {
            row.attempt.id == attempt.id
                || row.attempt.hook == attempt.hook
                || row.attempt.result_token == attempt.result_token
        });
        if twin || !self.connections.contains_key(&attempt.connection) {
            return Err(refused("attempts.hook, attempts.result_token or attempts.connection"));
        }
        self.check_progress(attempt)
    }

    /// What must exist once of all that changes in an attempt's life.
    fn check_progress(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let invoice = attempt.opened.as_ref().map(|opened| &opened.invoice);
        let clash = self.attempts.values().any(|row| {
            let other = &row.attempt;
            let theirs = other.opened.as_ref().map(|opened| &opened.invoice);
            other.id != attempt.id
                && ((attempt.open_key.is_some() && other.open_key == attempt.open_key)
                    || (invoice.is_some()
                        && theirs == invoice
                        && other.connection == attempt.connection))
        });
        if clash { Err(refused("attempts.open_key or attempts_one_per_invoice")) } else { Ok(()) }
    }

    /// Commits one step if the version is still the one read.
    pub(super) fn apply(
        &mut self,
        change: &Change,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let attempt = &change.attempt;
        let Some(row) = self.attempts.get(&attempt.id) else {
            return Ok(false);
        };
        if row.attempt.version != attempt.version {
            return Ok(false);
        }
        self.check_progress(attempt)?;
        let mut row = row.clone();
        let version = attempt.version.saturating_add(1);
        // What was agreed at the click is written once.
        row.attempt = Attempt {
            version,
            hook: row.attempt.hook.clone(),
            result_token: row.attempt.result_token.clone(),
            connection: row.attempt.connection,
            customer: row.attempt.customer,
            payable: row.attempt.payable.clone(),
            terms: row.attempt.terms.clone(),
            created_at: row.attempt.created_at,
            ..attempt.clone()
        };
        row.keep_early();
        for credit in &change.credits {
            self.put_credit(&mut row, credit, now)?;
        }
        for posting in &change.postings {
            self.put_posting(&mut row, posting)?;
        }
        for (id, end) in &change.closes {
            if !row.close(*id, end) {
                return Err(refused(format!("review {id} is closed already")));
            }
        }
        for review in &change.reviews {
            row.open(review);
        }
        if change.release {
            row.lease = None;
        }
        self.attempts.insert(attempt.id, row);
        Ok(true)
    }

    fn put_credit(
        &self,
        row: &mut Row,
        credit: &Credit,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if !credit.amount.is_positive() || credit.n == 0 {
            return Err(refused("credits.amount_minor"));
        }
        if let Some((there, _)) = row.credits.iter_mut().find(|(there, _)| there.key == credit.key)
        {
            there.amount = credit.amount;
            there.target = credit.target;
            there.date = credit.date;
            return Ok(());
        }
        let others = self.attempts.values().filter(|other| other.attempt.id != row.attempt.id);
        let all = others.flat_map(|other| &other.credits).chain(&row.credits);
        let mut all = all.map(|(credit, _)| credit);
        let clash = all.any(|other| {
            other.key == credit.key
                || (other.connection == credit.connection
                    && other.invoice == credit.invoice
                    && other.n == credit.n)
        });
        if clash {
            return Err(refused("credits.key or credits_one_per_tranche"));
        }
        row.credits.push((credit.clone(), now));
        Ok(())
    }

    fn put_posting(&self, row: &mut Row, posting: &Posting) -> Result<(), StoreError> {
        let known =
            row.credits.iter().any(|(credit, _)| Some(&credit.key) == posting.credit.as_ref());
        let elsewhere = self.attempts.values().filter(|other| other.attempt.id != row.attempt.id);
        let twin = elsewhere.flat_map(|other| &other.postings).any(|other| other.id == posting.id);
        if twin || (posting.credit.is_some() && !known) {
            return Err(refused("postings.id or postings.credit"));
        }
        match row.postings.iter_mut().find(|there| there.id == posting.id) {
            Some(there) => {
                *there =
                    Posting { kind: there.kind, credit: there.credit.clone(), ..posting.clone() };
            }
            None => row.postings.push(posting.clone()),
        }
        let living = row.postings.iter().filter(|there| {
            posting.credit.is_some()
                && there.credit == posting.credit
                && there.kind == posting.kind
                && there.state != PostingState::Dropped
        });
        if living.count() > 1 {
            return Err(refused("postings_one_per_kind"));
        }
        Ok(())
    }

    pub(super) fn close_review(&mut self, id: ReviewId, closed: &ReviewClosed) -> bool {
        self.attempts.values_mut().any(|row| row.close(id, closed))
    }

    /// The reviews of one attempt, newest first.
    pub(crate) fn reviews(&self, attempt: AttemptId) -> Vec<Review> {
        let mut reviews =
            self.attempts.get(&attempt).map(|row| row.reviews.clone()).unwrap_or_default();
        reviews.sort_by_key(|review| std::cmp::Reverse((review.opened_at, review.id)));
        reviews
    }
}

impl Row {
    /// Opens a review that is news after the last one of its reason; an open one counts as the last.
    fn open(&mut self, review: &Review) {
        let closed_at = |there: &&Review| there.closed.as_ref().map(|closed| closed.at);
        let same = self.reviews.iter().filter(|there| there.reason == review.reason);
        let last = same.max_by_key(|there| (there.closed.is_none(), closed_at(there)));
        if last.is_none_or(|last| review.is_news_after(last)) {
            self.reviews.push(review.clone());
        }
    }

    fn close(&mut self, id: ReviewId, closed: &ReviewClosed) -> bool {
        let mut all = self.reviews.iter_mut();
        let open = all.find(|review| review.id == id && review.closed.is_none());
        open.is_some_and(|review| {
            review.closed = Some(closed.clone());
            true
        })
    }

    /// When a hint of this moment may be followed.
    pub(super) fn earliest(&self, hint: DateTime<Utc>) -> DateTime<Utc> {
        self.last_look.map_or(hint, |last| hint.max(last.min(hint) + HINT_GAP))
    }

    /// Brings the next look forward again if a hint waits for it.
    fn keep_early(&mut self) {
        if let Some(hint) = self.hints.get(&self.looks).copied() {
            let earliest = self.earliest(hint);
            if self.attempt.look_at.is_none_or(|look_at| look_at > earliest) {
                self.attempt.look_at = Some(earliest);
            }
        }
    }
}

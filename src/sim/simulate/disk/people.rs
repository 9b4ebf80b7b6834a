//! Lists and figures for people, and what is remembered by name.

use chrono::{DateTime, Utc};

use super::{Disk, Row};
use crate::domain::attempt::{Attempt, State};
use crate::domain::credit::Target;
use crate::domain::ids::AttemptId;
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::domain::review::ReviewReason;
use crate::ports::store::{AttemptFilter, Figures, Ledger};

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn passes(row: &Row, filter: &AttemptFilter) -> bool {
    let attempt = &row.attempt;
    let number = attempt.payable.document().map(|document| document.number.as_str());
    let invoice = attempt.opened.as_ref().map(|opened| &opened.invoice);
    let about = |text: &String| {
        AttemptId::parse(text) == Ok(attempt.id)
            || number == Some(text.as_str())
            || invoice.is_some_and(|invoice| invoice.as_str() == text)
            || text.parse() == Ok(attempt.customer.get())
    };
    filter.customer.is_none_or(|customer| customer == attempt.customer)
        && filter.state.is_none_or(|state| state == attempt.state)
        && filter.document.as_ref().is_none_or(|wanted| number == Some(wanted.as_str()))
        && filter.invoice.as_ref().is_none_or(|wanted| invoice == Some(wanted))
        && filter.about.as_ref().is_none_or(about)
        && filter.day.is_none_or(|day| attempt.created_at.date_naive() == day)
        && (!filter.under_review || row.open_reviews() > 0)
}

fn page<T>(rows: Vec<T>, limit: u32, offset: u32) -> Vec<T> {
    let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    rows.into_iter().skip(size(offset)).take(size(limit)).collect()
}

impl Row {
    fn open_reviews(&self) -> usize {
        self.reviews.iter().filter(|review| review.closed.is_none()).count()
    }
}

impl Disk {
    pub(super) fn list(&self, filter: &AttemptFilter) -> Vec<Attempt> {
        let found = self.attempts.values().filter(|row| passes(row, filter));
        let mut found: Vec<Attempt> = found.map(|row| row.attempt.clone()).collect();
        found.sort_by_key(|attempt| std::cmp::Reverse((attempt.created_at, attempt.id)));
        page(found, filter.limit, filter.offset)
    }

    pub(super) fn open_reviews(&self, attempts: &[AttemptId]) -> Vec<(AttemptId, i64)> {
        let rows = attempts.iter().filter_map(|id| self.attempts.get(id));
        rows.map(|row| (row.attempt.id, count(row.open_reviews())))
            .filter(|(_, open)| *open > 0)
            .collect()
    }

    pub(super) fn opened_since(
        &self,
        since: DateTime<Utc>,
        limit: u32,
        offset: u32,
    ) -> Vec<Ledger> {
        let rows = self.attempts.values();
        let mut opened: Vec<&Row> = rows
            .filter(|row| row.attempt.created_at >= since && row.attempt.opened.is_some())
            .collect();
        opened.sort_by_key(|row| (row.attempt.created_at, row.attempt.id));
        page(opened.into_iter().map(Row::ledger).collect(), limit, offset)
    }

    pub(super) fn figures(&self) -> Figures {
        let rows = || self.attempts.values();
        let open = || rows().flat_map(|row| &row.reviews).filter(|review| review.closed.is_none());
        let of_state = |state| count(rows().filter(|row| row.attempt.state == state).count());
        let of_reason = |reason| count(open().filter(|review| review.reason == reason).count());
        let unknown = rows().flat_map(|row| &row.postings);
        let unknown = unknown.filter(|it| matches!(it.state, PostingState::Unknown { .. }));
        Figures {
            attempts: State::ALL.map(|state| (state, of_state(state))).to_vec(),
            reviews: ReviewReason::ALL.map(|reason| (reason, of_reason(reason))).to_vec(),
            oldest_open_credit: rows().filter_map(Row::oldest_open_credit).min(),
            unknown_postings: count(unknown.count()),
        }
    }

    pub(super) fn remembered(&self, name: &str) -> Option<String> {
        self.remembered.get(name).cloned()
    }

    pub(super) fn remember(&mut self, name: &str, value: &str) {
        self.remembered.insert(name.to_owned(), value.to_owned());
    }
}

impl Row {
    fn oldest_open_credit(&self) -> Option<DateTime<Utc>> {
        let moves_money = |posting: &&Posting| {
            !posting.is_final()
                && !matches!(
                    posting.kind,
                    PostingKind::DocumentStatus | PostingKind::StatementRecord
                )
        };
        let open = self.credits.iter().filter(|(credit, _)| {
            credit.target == Target::Undecided
                || self
                    .postings
                    .iter()
                    .filter(moves_money)
                    .any(|posting| posting.credit.as_ref() == Some(&credit.key))
        });
        open.map(|(_, made_at)| *made_at).min()
    }
}

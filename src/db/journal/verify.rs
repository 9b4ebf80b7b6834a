//! Reads the whole journal and says whether it is as it was written.
//!
//! **Invariant:** what is called whole has every row from 1 to the head, each as it was written and behind the row it was
//! written behind. The first row that is not so is named.

use std::fmt;

use diesel::prelude::*;

use super::chain::{Head, JournalKey};
use super::{BROKEN, ChainedRow};
use crate::db::connection::AnyConnection;
use crate::db::failure::Failure;
use crate::db::schema::journal;

/// Rows read at a time.
const PAGE: i64 = 2000;

/// What is wrong with the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// A row is not as it was written, or was never written by the add-on.
    Edited {
        /// Its number.
        seq: i64,
        /// The attempt it says it is about.
        attempt: Option<String>,
    },
    /// Rows are not there.
    Missing {
        /// The first of them.
        first: i64,
        /// The last of them.
        last: i64,
        /// The attempt of the row behind the gap.
        attempt: Option<String>,
    },
    /// A row is as it was written, but not at this place.
    Misplaced {
        /// Its number.
        seq: i64,
        /// The attempt it is about.
        attempt: Option<String>,
    },
    /// The rows go on behind the end that is kept.
    BehindTheEnd {
        /// The first of them.
        seq: i64,
    },
    /// What is kept about the end is gone or was changed.
    NoEnd,
    /// The add-on found the chain broken when it wrote this row.
    WasBroken {
        /// Its number.
        seq: i64,
    },
    /// The head that somebody kept elsewhere belongs to no row: the journal was cut off or made anew.
    UnknownHead,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |attempt: &Option<String>| match attempt {
            Some(id) => format!(" (payment {id})"),
            None => String::new(),
        };
        match self {
            Self::Edited { seq, attempt } => {
                write!(f, "row {seq}{} is not as it was written", of(attempt))
            }
            Self::Missing { first, last, attempt } => {
                let rows = if first == last {
                    format!("row {first} is")
                } else {
                    format!("rows {first} to {last} are")
                };
                let next = attempt.as_ref();
                let next = next.map(|id| format!("; the next row is about payment {id}"));
                write!(f, "{rows} missing{}", next.unwrap_or_default())
            }
            Self::Misplaced { seq, attempt } => {
                write!(f, "row {seq}{} does not follow the row before it", of(attempt))
            }
            Self::BehindTheEnd { seq } => {
                write!(f, "row {seq} stands behind the end that the database keeps")
            }
            Self::NoEnd => f.write_str(
                "what the database keeps about the journal's end is gone or was changed",
            ),
            Self::WasBroken { seq } => {
                write!(f, "the add-on found the journal cut off or changed when it wrote row {seq}")
            }
            Self::UnknownHead => f.write_str(
                "no row has the head that was kept: the journal was cut off or made anew",
            ),
        }
    }
}

/// What verifying found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Rows that are as they were written.
    pub rows: u64,
    /// The last of them.
    pub head: Head,
    /// The first thing that is wrong, if anything is.
    pub flaw: Option<Flaw>,
}

/// Some rows, and the end as it was kept at the moment they were read.
pub(in crate::db) struct Page {
    rows: Vec<ChainedRow>,
    end: Option<Head>,
}

/// Reads the rows after this number.
pub(in crate::db) fn page(conn: &mut AnyConnection, after: i64) -> Result<Page, Failure> {
    let rows = journal::table
        .filter(journal::seq.gt(after))
        .order(journal::seq)
        .limit(PAGE)
        .select(ChainedRow::as_select())
        .load(conn)?;
    Ok(Page { rows, end: super::head(conn)? })
}

/// A verification under way.
#[derive(Debug)]
pub(in crate::db) struct Verification {
    key: JournalKey,
    wanted: Option<Head>,
    head: Head,
    rows: u64,
    /// The add-on's own word that something was wrong; told when nothing worse is found.
    was_broken: Option<i64>,
}

impl Verification {
    /// Begins before the first row. `wanted` is a head that somebody kept.
    pub(in crate::db) fn new(key: JournalKey, wanted: Option<Head>) -> Self {
        Self { key, wanted, head: Head::default(), rows: 0, was_broken: None }
    }

    /// The number of the last row that was verified.
    pub(in crate::db) fn last(&self) -> i64 {
        self.head.seq
    }

    /// How many rows were verified.
    pub(in crate::db) fn rows(&self) -> u64 {
        self.rows
    }

    /// Verifies the next page. The verdict comes with the last one.
    pub(in crate::db) fn take(&mut self, page: &Page) -> Option<Verdict> {
        let is_last = i64::try_from(page.rows.len()).unwrap_or(i64::MAX) < PAGE;
        for row in &page.rows {
            if let Some(flaw) = self.flaw_of(row) {
                return Some(self.verdict(Some(flaw)));
            }
            self.head = Head::of(row);
            self.rows = self.rows.saturating_add(1);
            if self.wanted.is_some_and(|wanted| wanted.is_of(row)) {
                self.wanted = None;
            }
            if row.what == BROKEN {
                self.was_broken = self.was_broken.or(Some(row.seq));
            }
        }
        is_last.then(|| self.verdict(self.flaw_at_the_end(page.end)))
    }

    fn flaw_of(&self, row: &ChainedRow) -> Option<Flaw> {
        let (seq, attempt) = (row.seq, row.attempt.clone());
        let expected = self.head.seq.saturating_add(1);
        if seq > expected {
            return Some(Flaw::Missing { first: expected, last: seq.saturating_sub(1), attempt });
        }
        if !self.key.is_own(row) {
            return Some(Flaw::Edited { seq, attempt });
        }
        if seq != expected || row.previous != self.head.mac {
            return Some(Flaw::Misplaced { seq, attempt });
        }
        None
    }

    fn flaw_at_the_end(&self, end: Option<Head>) -> Option<Flaw> {
        let Some(end) = end else {
            return Some(Flaw::NoEnd);
        };
        if end.seq > self.head.seq {
            let first = self.head.seq.saturating_add(1);
            return Some(Flaw::Missing { first, last: end.seq, attempt: None });
        }
        if end.seq < self.head.seq {
            return Some(Flaw::BehindTheEnd { seq: end.seq.saturating_add(1) });
        }
        if end != self.head {
            return Some(Flaw::NoEnd);
        }
        if self.wanted.is_some_and(|wanted| wanted != Head::default()) {
            return Some(Flaw::UnknownHead);
        }
        self.was_broken.map(|seq| Flaw::WasBroken { seq })
    }

    fn verdict(&self, flaw: Option<Flaw>) -> Verdict {
        Verdict { rows: self.rows, head: self.head, flaw }
    }
}

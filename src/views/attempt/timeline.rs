//! The journal of an attempt, as lines of its page.
//!
//! **Invariant:** a code that this version does not know, or that somebody wrote into the table, is shown like any other
//! row: a page about trouble must not fail because of it.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// The codes that have a text of their own.
pub(super) const KNOWN: [&str; 16] = [
    "begun",
    "opened",
    "observed",
    "state",
    "credit",
    "credit_changed",
    "posting_ready",
    "posting_posting",
    "posting_unknown",
    "posting_posted",
    "posting_duplicate",
    "posting_dropped",
    "review_opened",
    "review_closed",
    "order",
    "retry",
];

/// The key of what has no text of its own.
pub(super) const OTHER: &str = "other";

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelineLine {
    /// When, to the second.
    pub time: String,
    /// What was done; ends the key of its text.
    pub what: &'static str,
    /// Names and figures.
    pub words: String,
    /// Who did it.
    pub who: String,
    /// Whether a person did it.
    pub is_by_person: bool,
}

impl TimelineLine {
    pub(super) fn of((at, who, what, words): &(DateTime<Utc>, &str, &str, &str)) -> Self {
        let known = KNOWN.into_iter().find(|known| known == what);
        let is_by_person = who.starts_with("admin ") || who.ends_with(" on the command line");
        Self {
            time: at.format("%Y-%m-%d %H:%M:%S").to_string(),
            what: known.unwrap_or(OTHER),
            words: if known.is_some() { (*words).to_owned() } else { format!("{what}: {words}") },
            who: (*who).to_owned(),
            is_by_person,
        }
    }
}

//! What the journal says of a step: the rows as they shall be, held against the rows as they were.
//!
//! **Invariant:** what changes nothing that a person could see writes no row: a look with the same answer, a new moment
//! for the next one. What is written holds names and figures, never a body and never a secret.

use chrono::{DateTime, Utc};

use super::Entry;
use crate::domain::actor::Actor;
use crate::domain::attempt::Attempt;
use crate::domain::connection::{Connection, ConnectionStatus};
use crate::domain::credit::{ByHand, Credit, Target};
use crate::domain::ids::{AttemptId, SplynxId};
use crate::domain::posting::{Posting, PostingState};
use crate::domain::review::{Review, ReviewClosed, ReviewReason};
use crate::ports::store::Change;

/// What stood in the database before the step, as far as the journal tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::db) struct Before {
    /// The code of the state.
    pub(in crate::db) state: String,
    /// The processor's last answer.
    pub(in crate::db) last_seen: Option<String>,
    /// The processor invoice.
    pub(in crate::db) invoice: Option<String>,
    /// The credits, where the step touches credits.
    pub(in crate::db) credits: Vec<Credit>,
    /// The postings, where the step touches postings.
    pub(in crate::db) postings: Vec<Posting>,
}

/// Collects the entries of one moment.
struct Pen<'a> {
    at: DateTime<Utc>,
    attempt: AttemptId,
    by: &'a Actor,
    entries: Vec<Entry>,
}

impl Pen<'_> {
    fn write(&mut self, what: impl Into<String>, words: String) {
        self.entries.push(Entry::new(self.at, Some(self.attempt), self.by, what, words));
    }
}

/// The entries of a step. `opened` are the reviews it really opened.
pub(in crate::db) fn steps(
    before: &Before,
    change: &Change,
    opened: &[&Review],
    closed: &[(ReviewReason, &ReviewClosed)],
    at: DateTime<Utc>,
) -> Vec<Entry> {
    let mut pen = Pen { at, attempt: change.attempt.id, by: &change.by, entries: vec![] };
    if let Some(order) = &change.order {
        pen.write("order", order.clone());
    }
    let state = attempt(&mut pen, before, &change.attempt);
    for after in &change.credits {
        let before = before.credits.iter().find(|credit| credit.key == after.key);
        credit(&mut pen, before, after);
    }
    for after in &change.postings {
        let before = before.postings.iter().find(|posting| posting.id == after.id);
        if before.is_none_or(|before| Face::of(before) != Face::of(after)) {
            posting(&mut pen, after);
        }
    }
    // Behind what it follows from.
    if let Some(state) = state {
        pen.write("state", state);
    }
    for review in opened {
        pen.write("review_opened", of_review(review));
    }
    for (reason, closed) in closed {
        pen.write("review_closed", format!("{}: {}", reason.code(), closed.note));
    }
    pen.entries
}

fn of_review(review: &Review) -> String {
    format!("{}: {}", review.reason.code(), review.words)
}

/// The add-on opened a review without any step of the attempt.
pub(in crate::db) fn review_opened(review: &Review) -> Entry {
    let (at, attempt) = (review.opened_at, Some(review.attempt));
    Entry::new(at, attempt, &Actor::Worker, "review_opened", of_review(review))
}

/// Writes what the processor told; returns a change of state that does not follow from that.
fn attempt(pen: &mut Pen<'_>, before: &Before, after: &Attempt) -> Option<String> {
    if let (None, Some(opened)) = (&before.invoice, &after.opened) {
        let until = opened.expires_at.format("%Y-%m-%d %H:%M:%S UTC");
        let words = format!(
            "invoice {} over {}, to be paid until {until}",
            opened.invoice, after.terms.price
        );
        pen.write("opened", words);
    }
    let state = after.state.code();
    let moved = (before.state != state).then(|| format!("{} → {state}", before.state));
    match (&after.last_seen, moved) {
        (Some(seen), moved) if before.last_seen.as_ref() != Some(seen) => {
            let moved = moved.map(|moved| format!("; {moved}")).unwrap_or_default();
            pen.write("observed", format!("{seen}{moved}"));
            None
        }
        (_, moved) => moved,
    }
}

fn credit(pen: &mut Pen<'_>, before: Option<&Credit>, after: &Credit) {
    if before == Some(after) {
        return;
    }
    let what = if before.is_some() { "credit_changed" } else { "credit" };
    let target = match after.target {
        Target::Undecided => "not decided yet",
        Target::Document => "to the document",
        Target::Balance => "to the balance",
    };
    let hand = match after.by_hand {
        ByHand::Nothing => "",
        ByHand::Target => ", by a person's decision",
        ByHand::Amount => ", made by hand",
    };
    pen.write(what, format!("{}: {} {target}{hand}", after.key, after.amount));
}

/// What a person could see of a posting.
#[derive(PartialEq, Eq)]
struct Face<'a> {
    state: &'static str,
    first_absent: Option<DateTime<Utc>>,
    splynx: &'a [SplynxId],
    tries: u32,
    last_error: Option<&'a str>,
}

impl<'a> Face<'a> {
    fn of(posting: &'a Posting) -> Self {
        let (state, first_absent, splynx): (_, _, &[SplynxId]) = match &posting.state {
            PostingState::Ready { .. } => ("ready", None, &[]),
            PostingState::Posting { .. } => ("posting", None, &[]),
            PostingState::Unknown { first_absent, .. } => ("unknown", *first_absent, &[]),
            PostingState::Posted { splynx_id } => ("posted", None, splynx_id.as_slice()),
            PostingState::Duplicate { splynx_ids } => ("duplicate", None, splynx_ids),
            PostingState::Dropped => ("dropped", None, &[]),
        };
        let (tries, last_error) = (posting.tries, posting.last_error.as_deref());
        Self { state, first_absent, splynx, tries, last_error }
    }
}

fn posting(pen: &mut Pen<'_>, after: &Posting) {
    let face = Face::of(after);
    let key = after.credit.as_ref().map(|key| format!(" {key}")).unwrap_or_default();
    let ids: Vec<String> = face.splynx.iter().map(ToString::to_string).collect();
    let ids =
        if ids.is_empty() { String::new() } else { format!(", in Splynx {}", ids.join(", ")) };
    let absent = face.first_absent.map(|_| ", not found yet").unwrap_or_default();
    let tries = if face.tries > 0 { format!(", try {}", face.tries) } else { String::new() };
    let error = face.last_error.map(|error| format!(": {error}")).unwrap_or_default();
    let words = format!("{}{key}{ids}{tries}{absent}{error}", after.kind.code());
    pen.write(format!("posting_{}", face.state), words);
}

/// The entry of an attempt that a customer began.
pub(in crate::db) fn begun(attempt: &Attempt, at: DateTime<Utc>) -> Entry {
    let what_for = attempt.payable.document().map_or_else(
        || "the balance".to_owned(),
        |document| format!("document {}", document.number),
    );
    let words = format!(
        "{} for {what_for}, through {} ({}) connection {}",
        attempt.terms.price,
        attempt.processor.code(),
        attempt.environment.code(),
        attempt.connection,
    );
    Entry::new(at, Some(attempt.id), &Actor::Customer(attempt.customer), "begun", words)
}

/// The entry of a person who wants the worker to look now.
pub(in crate::db) fn woken(attempt: AttemptId, by: &Actor, at: DateTime<Utc>) -> Entry {
    Entry::new(at, Some(attempt), by, "retry", "the worker is to look at it now".to_owned())
}

/// The entry of a review that was closed and nothing else.
pub(in crate::db) fn closed(review: &Review, closed: &ReviewClosed) -> Entry {
    let words = format!("{}: {}", review.reason.code(), closed.note);
    let entry = Entry::new(closed.at, Some(review.attempt), &Actor::Worker, "review_closed", words);
    Entry { who: closed.by.clone(), ..entry }
}

/// The entry of a connection that is new or has changed.
pub(in crate::db) fn connection(connection: &Connection, by: &Actor, at: DateTime<Utc>) -> Entry {
    let failure = connection.failure.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let words = format!(
        "{} ({}) connection {} at {}{failure}",
        connection.processor.code(),
        connection.environment.code(),
        connection.id,
        connection.base_url,
    );
    Entry::new(at, None, by, format!("connection_{}", connection.status.code()), words)
}

/// The entry of a connection that ended because of its age or of another one.
pub(in crate::db) fn connection_ended(
    id: &str,
    status: ConnectionStatus,
    at: DateTime<Utc>,
) -> Entry {
    let words = format!("connection {id}");
    Entry::new(at, None, &Actor::Worker, format!("connection_{}", status.code()), words)
}

//! The admin's page of one attempt: its terms, and every row that hangs on it.
//!
//! **Invariant:** neither the hook nor the result token of an attempt is ever handed to the template.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::attempts::{document_number, payable_word};
use super::{Link, View, time};
use crate::domain::attempt::Attempt;
use crate::domain::credit::Credit;
use crate::domain::posting::{Posting, PostingState};
use crate::domain::review::Review;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptPage {
    /// The attempt's id.
    pub id: String,
    /// The code of its state; ends the key of its text.
    pub state: &'static str,
    /// `test` or `production`; ends the key of its text.
    pub environment: &'static str,
    /// Who pays: the customer's id.
    pub customer: String,
    /// What for: `invoice`, `proforma` or `top-up`; ends the key of its text.
    pub payable: &'static str,
    /// The document's number; empty for a top-up.
    pub document: String,
    /// What is for the document or the balance.
    pub due: String,
    /// What is on top; empty where no fee was asked for.
    pub fee: String,
    /// The sum of both.
    pub price: String,
    /// The invoice at the processor; empty while none is known.
    pub invoice: String,
    /// What the processor said last; empty while it was not asked.
    pub last_seen: String,
    /// What happened when, in the order it is shown.
    pub times: Vec<Moment>,
    /// The money that settled.
    pub credits: Vec<CreditLine>,
    /// The writes to Splynx.
    pub postings: Vec<PostingLine>,
    /// What a person must know.
    pub reviews: Vec<ReviewLine>,
    /// Where to go from here.
    pub ways: Vec<Link>,
}

/// Something that happened, or will, at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// What: ends the key of its text.
    pub what: &'static str,
    /// When.
    pub time: String,
}

/// One credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreditLine {
    /// Its receipt number in Splynx.
    pub key: String,
    /// How much.
    pub amount: String,
    /// Where to; ends the key of its text.
    pub target: &'static str,
    /// The day of settlement.
    pub date: String,
}

/// One posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PostingLine {
    /// What it writes; ends the key of its text.
    pub kind: &'static str,
    /// Where it stands; ends the key of its text.
    pub state: &'static str,
    /// When the add-on goes on with it; empty where nothing is left to do.
    pub next: String,
    /// The rows Splynx made.
    pub splynx: String,
    /// How often it was begun.
    pub tries: String,
    /// The last failure in words.
    pub error: String,
}

/// One review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewLine {
    /// Why; ends the key of its text.
    pub reason: &'static str,
    /// The same with the figures.
    pub words: String,
    /// Since when.
    pub opened: String,
    /// When it was closed; empty while it is open.
    pub closed: String,
    /// Who closed it, and their note.
    pub closed_by: String,
}

impl AttemptPage {
    /// Puts an attempt on the page, with all that hangs on it.
    #[must_use]
    pub fn new(
        attempt: &Attempt,
        credits: &[Credit],
        postings: &[Posting],
        reviews: &[Review],
        ways: Vec<Link>,
    ) -> Self {
        let terms = &attempt.terms;
        let invoice = attempt.opened.as_ref().map(|opened| opened.invoice.to_string());
        Self {
            id: attempt.id.to_string(),
            state: attempt.state.code(),
            environment: attempt.environment.code(),
            customer: attempt.customer.to_string(),
            payable: payable_word(&attempt.payable),
            document: document_number(&attempt.payable),
            due: terms.due.to_string(),
            fee: terms.fee.as_ref().map(|fee| fee.gross.to_string()).unwrap_or_default(),
            price: terms.price.to_string(),
            invoice: invoice.unwrap_or_default(),
            last_seen: attempt.last_seen.clone().unwrap_or_default(),
            times: moments(attempt),
            credits: credits.iter().map(CreditLine::of).collect(),
            postings: postings.iter().map(PostingLine::of).collect(),
            reviews: reviews.iter().map(ReviewLine::of).collect(),
            ways,
        }
    }
}

fn moments(attempt: &Attempt) -> Vec<Moment> {
    let opened = attempt.opened.as_ref();
    let all: [(&'static str, Option<DateTime<Utc>>); 7] = [
        ("created", Some(attempt.created_at)),
        ("opened", opened.map(|opened| opened.opened_at)),
        ("expires", opened.map(|opened| opened.expires_at)),
        ("settled", attempt.settled_at),
        ("recorded", attempt.recorded_at),
        ("look", attempt.look_at),
        ("monitor", Some(attempt.monitor_until)),
    ];
    let known = all.into_iter().filter_map(|(what, at)| Some((what, at?)));
    known.map(|(what, at)| Moment { what, time: time(at) }).collect()
}

impl CreditLine {
    fn of(credit: &Credit) -> Self {
        Self {
            key: credit.key.to_string(),
            amount: credit.amount.to_string(),
            target: credit.target.code(),
            date: credit.date.to_string(),
        }
    }
}

impl PostingLine {
    fn of(posting: &Posting) -> Self {
        let (state, next, splynx) = standing(&posting.state);
        Self {
            kind: posting.kind.code(),
            state,
            next: next.map(time).unwrap_or_default(),
            splynx,
            tries: posting.tries.to_string(),
            error: posting.last_error.clone().unwrap_or_default(),
        }
    }
}

/// The word of a state, when something is done about it next, and the rows in Splynx.
fn standing(state: &PostingState) -> (&'static str, Option<DateTime<Utc>>, String) {
    match state {
        PostingState::Ready { not_before } => ("ready", Some(*not_before), String::new()),
        PostingState::Posting { .. } => ("posting", None, String::new()),
        PostingState::Unknown { search_at, .. } => ("unknown", Some(*search_at), String::new()),
        PostingState::Posted { splynx_id } => {
            ("posted", None, splynx_id.map(|id| id.to_string()).unwrap_or_default())
        }
        PostingState::Duplicate { splynx_ids } => {
            let ids: Vec<String> = splynx_ids.iter().map(ToString::to_string).collect();
            ("duplicate", None, ids.join(", "))
        }
        PostingState::Dropped => ("dropped", None, String::new()),
    }
}

impl ReviewLine {
    fn of(review: &Review) -> Self {
        let closed = review.closed.as_ref();
        Self {
            reason: review.reason.code(),
            words: review.words.clone(),
            opened: time(review.opened_at),
            closed: closed.map(|closed| time(closed.at)).unwrap_or_default(),
            closed_by: closed.map(|closed| by(&closed.by, &closed.note)).unwrap_or_default(),
        }
    }
}

fn by(name: &str, note: &str) -> String {
    if note.is_empty() { name.to_owned() } else { format!("{name}: {note}") }
}

impl View for AttemptPage {
    const TEMPLATE: &'static str = "admin/attempt.html";

    fn samples() -> Vec<Self> {
        samples::all()
    }
}

mod samples;
#[cfg(test)]
mod tests;

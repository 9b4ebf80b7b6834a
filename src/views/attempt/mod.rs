//! The admin's page of one attempt: its terms, and every row that hangs on it.
//!
//! **Invariant:** neither the hook nor the result token of an attempt is ever handed to the template.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::attempts::{document_number, payable_word};
use super::{Link, View, time};
use crate::domain::attempt::Attempt;
use crate::domain::credit::Credit;
use crate::domain::ids::ReviewId;
use crate::domain::posting::{Posting, PostingState};
use crate::domain::review::Review;
use crate::domain::settlement::{Choice, asks_where_to, may_hide_money};

pub use self::timeline::TimelineLine;

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
    /// Everything that happened, oldest first.
    pub timeline: Vec<TimelineLine>,
    /// Where the forms go.
    pub action: String,
    /// The session-bound token of the forms.
    pub form_token: String,
    /// The key of good news about what was just done.
    pub done: Option<&'static str>,
    /// Why what was ordered was not done.
    pub failure: Option<Failure>,
    /// Where to go from here.
    pub ways: Vec<Link>,
}

/// What stands on the page, as the domain has it.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The attempt.
    pub attempt: &'a Attempt,
    /// Its credits.
    pub credits: &'a [Credit],
    /// Its postings.
    pub postings: &'a [Posting],
    /// Its reviews.
    pub reviews: &'a [Review],
    /// What there is to decide.
    pub choice: Choice,
    /// Its journal: when, who, what, in words.
    pub steps: Vec<(DateTime<Utc>, &'a str, &'a str, &'a str)>,
}

/// Why an order was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Ends the key of the sentence: `settle-failed-<code>`.
    pub code: &'static str,
    /// The figure it is about; empty for none.
    pub figure: String,
}

/// What an admin typed, to be shown again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Typed {
    /// What was chosen.
    pub decision: String,
    /// The amount.
    pub amount: String,
    /// The note.
    pub note: String,
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
    /// Its id, for the form.
    pub id: String,
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
    /// The money that can be decided about; empty where there is none, and only dismissing is left.
    pub sum: String,
    /// Whether that money may go on the document.
    pub has_document: bool,
    /// Whether the admin says how much of it.
    pub asks_amount: bool,
    /// The credit of which it must first be known whether Splynx has it; empty for none.
    pub unclear: String,
    /// What the admin typed before.
    pub typed: Typed,
}

impl AttemptPage {
    /// Puts an attempt on the page, with all that hangs on it. `action` is the page's own address.
    #[must_use]
    pub fn new(shown: &Shown<'_>, action: String, form_token: String, ways: Vec<Link>) -> Self {
        let attempt = shown.attempt;
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
            credits: shown.credits.iter().map(CreditLine::of).collect(),
            postings: shown.postings.iter().map(PostingLine::of).collect(),
            reviews: shown.reviews.iter().map(|review| ReviewLine::of(review, shown)).collect(),
            timeline: shown.steps.iter().map(TimelineLine::of).collect(),
            action,
            form_token,
            done: None,
            failure: None,
            ways,
        }
    }

    /// Good news about an order, where it is still true: the address of the page can be kept and opened again.
    #[must_use]
    pub fn done(&self, decision: &str) -> Option<&'static str> {
        let is_settled = self.reviews.iter().any(|review| !review.closed.is_empty());
        let known = ["document", "balance", "dismiss"];
        known.into_iter().find(|known| is_settled && *known == decision)
    }

    /// The page with what the admin typed in the form of this review.
    #[must_use]
    pub fn with_typed(mut self, review: ReviewId, typed: &Typed) -> Self {
        let id = review.to_string();
        for line in self.reviews.iter_mut().filter(|line| line.id == id) {
            line.typed = typed.clone();
        }
        self
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
    fn of(review: &Review, shown: &Shown<'_>) -> Self {
        let closed = review.closed.as_ref();
        let line = Self {
            id: review.id.to_string(),
            reason: review.reason.code(),
            words: review.words.clone(),
            opened: time(review.opened_at),
            closed: closed.map(|closed| time(closed.at)).unwrap_or_default(),
            closed_by: closed.map(|closed| by(&closed.by, &closed.note)).unwrap_or_default(),
            sum: String::new(),
            has_document: shown.attempt.payable.document().is_some(),
            asks_amount: false,
            unclear: String::new(),
            typed: Typed::default(),
        };
        match &shown.choice {
            Choice::Waiting(credits) if asks_where_to(review.reason) => {
                let sums: Vec<_> = credits.iter().map(|credit| credit.amount.to_string()).collect();
                Self { sum: sums.join(" + "), ..line }
            }
            Choice::Uncredited(rest) if may_hide_money(review.reason) => {
                Self { sum: rest.to_string(), asks_amount: true, ..line }
            }
            Choice::Unclear(credit) if asks_where_to(review.reason) => {
                Self { unclear: credit.key.to_string(), ..line }
            }
            _ => line,
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
mod timeline;

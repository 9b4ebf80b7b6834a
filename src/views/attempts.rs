//! The admin's list of attempts.

use serde::Serialize;

use super::{Link, View};
use crate::domain::attempt::{Attempt, State};
use crate::domain::payable::{DocumentKind, Payable};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptsPage {
    /// Where the search goes.
    pub action: &'static str,
    /// What was searched for; empty for everything.
    pub search: String,
    /// Whether only those with an open review are wanted.
    pub is_review_only: bool,
    /// The customer's id that was asked for; empty for all, as are the following.
    pub customer: String,
    /// The document's number.
    pub document: String,
    /// The processor invoice.
    pub invoice: String,
    /// The day, as `YYYY-MM-DD`.
    pub day: String,
    /// Every state, as its code.
    pub states: Vec<Choice>,
    /// How many rows a page can have.
    pub sizes: Vec<Choice>,
    /// Whether anything narrows the list.
    pub is_narrowed: bool,
    /// The field whose text nothing can match; empty for none.
    pub unreadable: &'static str,
    /// Which page this is, from 1.
    pub number: String,
    /// The attempts, newest first.
    pub rows: Vec<AttemptLine>,
    /// The page with newer ones.
    pub newer: Option<String>,
    /// The page with older ones.
    pub older: Option<String>,
    /// Where to go from here.
    pub ways: Vec<Link>,
}

/// One thing that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// Whether it is chosen.
    pub is_chosen: bool,
}

impl Choice {
    /// Puts a value into a choice.
    #[must_use]
    pub fn of(value: String, is_chosen: bool) -> Self {
        Self { value, is_chosen }
    }
}

/// One attempt in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptLine {
    /// The page of this attempt.
    pub href: String,
    /// When it was begun.
    pub time: String,
    /// The code of its state; ends the key of its text.
    pub state: &'static str,
    /// Who pays: the customer's id.
    pub customer: String,
    /// What for: `invoice`, `proforma` or `top-up`; ends the key of its text.
    pub payable: &'static str,
    /// The document's number; empty for a top-up.
    pub document: String,
    /// How much.
    pub price: String,
    /// The invoice at the processor; empty while none is known.
    pub invoice: String,
    /// Open reviews, as a number in digits; empty for none.
    pub reviews: String,
}

impl AttemptLine {
    /// Puts an attempt into a line. `href` is the address of its page, `open_reviews` how many a person must look at.
    #[must_use]
    pub fn of(attempt: &Attempt, href: String, open_reviews: i64) -> Self {
        let invoice = attempt.opened.as_ref().map(|opened| opened.invoice.to_string());
        Self {
            href,
            time: super::time(attempt.created_at),
            state: attempt.state.code(),
            customer: attempt.customer.to_string(),
            payable: payable_word(&attempt.payable),
            document: document_number(&attempt.payable),
            price: attempt.terms.price.to_string(),
            invoice: invoice.unwrap_or_default(),
            reviews: if open_reviews > 0 { open_reviews.to_string() } else { String::new() },
        }
    }
}

/// What is paid, as the keys of the texts end.
#[must_use]
pub fn payable_word(payable: &Payable) -> &'static str {
    match payable.document().map(|document| document.kind) {
        Some(DocumentKind::Invoice) => "invoice",
        Some(DocumentKind::ProformaInvoice) => "proforma",
        None => "top-up",
    }
}

/// The number of the document; empty for a top-up.
#[must_use]
pub fn document_number(payable: &Payable) -> String {
    payable.document().map(|document| document.number.to_string()).unwrap_or_default()
}

impl View for AttemptsPage {
    const TEMPLATE: &'static str = "admin/attempts.html";

    fn samples() -> Vec<Self> {
        let line = |state: State| AttemptLine {
            href: "/bitpay/admin/attempts/01KANE1M80000000000000000A".to_owned(),
            time: "2026-11-21 12:00 UTC".to_owned(),
            state: state.code(),
            customer: "1".to_owned(),
            payable: "invoice",
            document: "201801000001".to_owned(),
            price: "51.61 USD".to_owned(),
            invoice: "KYrFbwYhp9hGQ4j1hV1bAa".to_owned(),
            reviews: String::new(),
        };
        let mut rows: Vec<AttemptLine> = State::ALL.into_iter().map(line).collect();
        rows.push(AttemptLine { reviews: "2".to_owned(), ..line(State::Settled) });
        rows.push(AttemptLine { payable: "proforma", ..line(State::Recorded) });
        rows.push(AttemptLine {
            payable: "top-up",
            document: String::new(),
            invoice: String::new(),
            ..line(State::Opening)
        });
        let page = Self {
            action: "/bitpay/admin/attempts",
            search: String::new(),
            is_review_only: false,
            customer: String::new(),
            document: String::new(),
            invoice: String::new(),
            day: String::new(),
            states: State::ALL.map(|state| Choice::of(state.code().to_owned(), false)).to_vec(),
            sizes: ["25", "50"].map(|size| Choice::of(size.to_owned(), size == "50")).to_vec(),
            is_narrowed: false,
            unreadable: "",
            number: "1".to_owned(),
            rows,
            newer: None,
            older: Some("/bitpay/admin/attempts?page=2".to_owned()),
            ways: vec![
                Link::here("/bitpay/config", "back-config"),
                Link::out("https://isp.example/admin/", "back-admin"),
            ],
        };
        let empty = Self { rows: vec![], older: None, ..page.clone() };
        vec![
            page.clone(),
            Self {
                number: "3".to_owned(),
                newer: Some("/bitpay/admin/attempts?page=2".to_owned()),
                older: None,
                ..page
            },
            empty.clone(),
            Self {
                search: "20180100".to_owned(),
                is_review_only: true,
                is_narrowed: true,
                ..empty.clone()
            },
            Self {
                customer: "seven".to_owned(),
                is_narrowed: true,
                unreadable: "customer",
                ..empty
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::texts::languages;

    #[test]
    fn every_state_has_words_in_every_language() {
        for language in languages() {
            for state in State::ALL {
                let key = format!("attempt-state-{}", state.code());
                assert!(language.text(&key).is_some(), "{language} lacks {key}");
            }
        }
    }
}

//! How the page of one attempt can look: one row of every kind, state and reason.

use super::timeline::{KNOWN, OTHER, TimelineLine};
use super::{AttemptPage, CreditLine, Failure, Link, Moment, PostingLine, ReviewLine, Typed};
use crate::domain::attempt::State;
use crate::domain::posting::PostingKind;
use crate::domain::review::ReviewReason;

const TIME: &str = "2026-11-21 12:00 UTC";

/// An attempt that had to bear everything, a new one, and a top-up.
pub(super) fn all() -> Vec<AttemptPage> {
    let new = new();
    vec![
        AttemptPage {
            state: State::Settled.code(),
            fee: "1.61 USD".to_owned(),
            price: "51.61 USD".to_owned(),
            invoice: "KYrFbwYhp9hGQ4j1hV1bAa".to_owned(),
            last_seen: "confirmed".to_owned(),
            times: ["created", "opened", "expires", "settled", "recorded", "look", "monitor"]
                .map(|what| Moment { what, time: TIME.to_owned() })
                .to_vec(),
            credits: ["undecided", "document", "balance"].map(credit).to_vec(),
            postings: postings(),
            reviews: ReviewReason::ALL.map(review).to_vec(),
            timeline: KNOWN.into_iter().chain([OTHER]).map(step).collect(),
            ..new.clone()
        },
        AttemptPage {
            state: State::Expired.code(),
            reviews: ["", "200.00"].map(typed).to_vec(),
            failure: Some(Failure { code: "amount", figure: "50.00 USD".to_owned() }),
            ..new.clone()
        },
        AttemptPage {
            reviews: vec![ReviewLine {
                unclear: "BP-KYrFbwYhp9hGQ4j1hV1bAa-1".to_owned(),
                ..review(ReviewReason::CannotSearch)
            }],
            done: Some("balance"),
            ..new.clone()
        },
        AttemptPage { payable: "proforma", environment: "production", ..new.clone() },
        AttemptPage { payable: "top-up", document: String::new(), ..new },
    ]
}

fn new() -> AttemptPage {
    AttemptPage {
        id: "01KANE1M80000000000000000A".to_owned(),
        state: State::Opening.code(),
        environment: "test",
        customer: "1".to_owned(),
        payable: "invoice",
        document: "201801000001".to_owned(),
        due: "50.00 USD".to_owned(),
        fee: String::new(),
        price: "50.00 USD".to_owned(),
        invoice: String::new(),
        last_seen: String::new(),
        times: vec![Moment { what: "created", time: TIME.to_owned() }],
        credits: vec![],
        postings: vec![],
        reviews: vec![],
        timeline: vec![],
        action: "/bitpay/admin/attempts/01KANE1M80000000000000000A".to_owned(),
        form_token: "0123456789abcdef".to_owned(),
        done: None,
        failure: None,
        ways: vec![Link::here("/bitpay/admin/attempts", "back-attempts")],
    }
}

fn credit(target: &'static str) -> CreditLine {
    CreditLine {
        key: "BP-KYrFbwYhp9hGQ4j1hV1bAa-1".to_owned(),
        amount: "51.61 USD".to_owned(),
        target,
        date: "2026-11-21".to_owned(),
    }
}

fn postings() -> Vec<PostingLine> {
    let posting = |kind: PostingKind, state| PostingLine {
        kind: kind.code(),
        state,
        next: if state == "ready" { TIME.to_owned() } else { String::new() },
        splynx: if state == "posted" { "7".to_owned() } else { String::new() },
        tries: "1".to_owned(),
        error: if state == "unknown" { "no answer in time".to_owned() } else { String::new() },
    };
    let states = ["ready", "posting", "unknown", "posted", "duplicate", "dropped"];
    PostingKind::ALL.into_iter().zip(states).map(|(kind, state)| posting(kind, state)).collect()
}

fn step(what: &'static str) -> TimelineLine {
    TimelineLine {
        time: "2026-11-21 12:00:00".to_owned(),
        what,
        words: "balance_payment BP-KYrFbwYhp9hGQ4j1hV1bAa-1, in Splynx 7, try 1".to_owned(),
        who: if what == "order" { "admin 1" } else { "splynx-bitpay" }.to_owned(),
        is_by_person: what == "order",
    }
}

/// The review of a payment in part, with what an admin typed in its form.
fn typed(amount: &str) -> ReviewLine {
    let typed = Typed {
        decision: if amount.is_empty() { "" } else { "balance" }.to_owned(),
        amount: amount.to_owned(),
        note: amount.to_owned(),
    };
    let open = review(ReviewReason::NotOurInvoice);
    let id = format!("{}{amount}", open.id);
    ReviewLine { id, sum: "50.00 USD".to_owned(), asks_amount: true, typed, ..open }
}

fn review(reason: ReviewReason) -> ReviewLine {
    let is_closed = reason == ReviewReason::PaidInexactly;
    ReviewLine {
        id: format!("01KANE1M8-{}", reason.code()),
        reason: reason.code(),
        words: "The figures of this case, in words.".to_owned(),
        opened: TIME.to_owned(),
        closed: if is_closed { TIME.to_owned() } else { String::new() },
        closed_by: if is_closed { "admin 1: done".to_owned() } else { String::new() },
        sum: if reason.holds_money() { "51.61 USD".to_owned() } else { String::new() },
        has_document: true,
        asks_amount: false,
        unclear: String::new(),
        typed: Typed::default(),
    }
}

//! One of each thing the rules are asked about.
//!
//! **Invariant:** samples differ in nothing but what their caller names.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;

use crate::domain::attempt::{Attempt, Opened, State, Terms};
use crate::domain::connection::{Environment, ProcessorKind};
use crate::domain::credit::{ByHand, Credit, Target};
use crate::domain::ids::{
    AttemptId, ConnectionId, CreditKey, CustomerId, DocumentId, DocumentNumber, Hook, PostingId,
    ProcessorInvoiceId, ResultToken,
};
use crate::domain::money::{Currency, Money};
use crate::domain::observation::{Exception, Observation, ProcessorStatus};
use crate::domain::payable::{DocumentKind, DocumentRef, Payable};
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::domain::schedule::Timing;

/// The quiescence window of the samples, in seconds.
pub(super) const WINDOW: i64 = 600;

pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

pub(super) fn timing() -> Timing {
    Timing::from_quiescence(TimeDelta::seconds(WINDOW))
}

pub(super) fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::parse("USD").unwrap())
}

pub(super) fn invoice(id: &str) -> ProcessorInvoiceId {
    ProcessorInvoiceId::parse(id).unwrap()
}

pub(super) fn document_ref() -> DocumentRef {
    DocumentRef {
        kind: DocumentKind::Invoice,
        id: DocumentId::new(7),
        number: DocumentNumber::parse("7").unwrap(),
    }
}

/// An attempt to pay 100.00 USD.
pub(super) fn attempt(state: State) -> Attempt {
    Attempt {
        id: AttemptId::new(at(0), 1),
        hook: Hook::new(1),
        result_token: ResultToken::new(2),
        connection: ConnectionId::new(at(0), 3),
        processor: ProcessorKind::BitPay,
        environment: Environment::Production,
        customer: CustomerId::new(1),
        payable: Payable::Document(document_ref()),
        terms: Terms::new(usd(10_000), None, Decimal::ONE_HUNDRED).unwrap(),
        state,
        opened: Some(Opened {
            invoice: invoice("ours"),
            checkout_url: String::new(),
            expires_at: at(900),
            opened_at: at(0),
        }),
        open_key: None,
        created_at: at(0),
        settled_at: None,
        recorded_at: None,
        monitor_until: at(86_400),
        last_seen: None,
        look_at: None,
        work_at: None,
        failures: 0,
        version: 1,
    }
}

/// The processor's answer about that attempt.
pub(super) fn seen(status: ProcessorStatus, exception: Exception) -> Observation {
    Observation {
        invoice: invoice("ours"),
        order_id: Some(attempt(State::Opening).id.to_string()),
        price: usd(10_000),
        status,
        exception,
        paid: None,
    }
}

pub(super) const STATUSES: [ProcessorStatus; 6] = [
    ProcessorStatus::Unpaid,
    ProcessorStatus::Seen,
    ProcessorStatus::Settled,
    ProcessorStatus::Expired,
    ProcessorStatus::Invalid,
    ProcessorStatus::Declined,
];

pub(super) const EXCEPTIONS: [Exception; 6] = [
    Exception::None,
    Exception::PaidPartial,
    Exception::PaidOver,
    Exception::PaidLate,
    Exception::Marked,
    Exception::Refunded,
];

pub(super) fn key(n: u32) -> CreditKey {
    CreditKey::parse(&format!("BP-ours-{n}")).unwrap()
}

pub(super) fn credit(n: u32, target: Target) -> Credit {
    Credit {
        key: key(n),
        attempt: AttemptId::new(at(0), 1),
        connection: ConnectionId::new(at(0), 3),
        invoice: invoice("ours"),
        n,
        amount: usd(10_000),
        target,
        date: NaiveDate::default(),
        by_hand: ByHand::Nothing,
    }
}

/// A posting of credit 1 that was begun once.
pub(super) fn posting(kind: PostingKind, state: PostingState) -> Posting {
    Posting {
        id: PostingId::new(at(0), 1),
        attempt: AttemptId::new(at(0), 1),
        credit: Some(key(1)),
        kind,
        state,
        body: "{}".to_owned(),
        tries: 1,
        first_begun_at: Some(at(-60)),
        last_error: None,
    }
}

//! What the stories of the contract are told with.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use secrecy::SecretString;

use crate::domain::attempt::{Attempt, Opened, State, Terms};
use crate::domain::connection::{
    Connection, ConnectionSecrets, ConnectionStatus, Environment, ProcessorKind,
};
use crate::domain::credit::{ByHand, Credit, Target, credit_key};
use crate::domain::ids::{
    AttemptId, ConnectionId, CustomerId, DocumentId, DocumentNumber, Hook, PostingId,
    ProcessorInvoiceId, ResultToken, ReviewId,
};
use crate::domain::money::{Currency, Money};
use crate::domain::payable::{DocumentKind, DocumentRef, Payable};
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::domain::review::{Review, ReviewReason};

/// So many seconds after the beginning of all tests: 2023-11-14, 22:13:20.
pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap() + TimeDelta::seconds(seconds)
}

pub(super) fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::parse("USD").unwrap())
}

pub(super) fn connection_id(n: u128) -> ConnectionId {
    ConnectionId::new(at(0), n)
}

pub(super) fn connection(n: u128) -> Connection {
    Connection {
        id: connection_id(n),
        processor: ProcessorKind::BitPay,
        environment: Environment::Test,
        base_url: "https://test.bitpay.example/".to_owned(),
        status: ConnectionStatus::Pairing,
        sin: format!("Tf{n}"),
        secrets: ConnectionSecrets {
            private_key: Some(SecretString::from(format!("private-key-{n}"))),
            token: Some(SecretString::from(format!("api-token-{n}"))),
        },
        created_at: at(0),
        activated_at: None,
        retired_at: None,
        failure: None,
    }
}

/// The `n`-th attempt, through connection 1, just opening, without an open key.
pub(super) fn attempt(n: u128) -> Attempt {
    Attempt {
        id: AttemptId::new(at(0), n),
        hook: Hook::new(n),
        result_token: ResultToken::new(n),
        connection: connection_id(1),
        processor: ProcessorKind::BitPay,
        environment: Environment::Test,
        customer: CustomerId::new(7),
        payable: Payable::Document(document(DocumentKind::Invoice)),
        terms: Terms::new(usd(5161), None, Decimal::new(516_100, 4)).unwrap(),
        state: State::Opening,
        opened: None,
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

pub(super) fn document(kind: DocumentKind) -> DocumentRef {
    DocumentRef {
        kind,
        id: DocumentId::new(42),
        number: DocumentNumber::parse("201801000001").unwrap(),
    }
}

pub(super) fn invoice_id(n: u128) -> ProcessorInvoiceId {
    ProcessorInvoiceId::parse(&format!("invoice{n}")).unwrap()
}

pub(super) fn opened(n: u128, expires_at: DateTime<Utc>) -> Opened {
    Opened {
        invoice: invoice_id(n),
        checkout_url: format!("https://test.bitpay.example/i/{n}"),
        expires_at,
        opened_at: at(1),
    }
}

pub(super) fn credit(attempt: &Attempt, invoice: u128, n: u32) -> Credit {
    let invoice = invoice_id(invoice);
    Credit {
        key: credit_key(ProcessorKind::BitPay, &invoice, n).unwrap(),
        attempt: attempt.id,
        connection: attempt.connection,
        invoice,
        n,
        amount: usd(5161),
        target: Target::Undecided,
        date: at(0).date_naive(),
        by_hand: ByHand::Nothing,
    }
}

pub(super) fn posting(n: u128, credit: &Credit, kind: PostingKind) -> Posting {
    Posting {
        id: PostingId::new(at(0), n),
        attempt: credit.attempt,
        credit: Some(credit.key.clone()),
        kind,
        state: PostingState::Ready { not_before: at(5) },
        body: r#"{"amount":"51.61"}"#.to_owned(),
        tries: 0,
        first_begun_at: None,
        last_error: None,
    }
}

pub(super) fn review(n: u128, attempt: &Attempt, reason: ReviewReason) -> Review {
    Review {
        id: ReviewId::new(at(0), n),
        attempt: attempt.id,
        reason,
        words: format!("In words: {}.", reason.code()),
        opened_at: at(i64::try_from(n).unwrap()),
        closed: None,
    }
}

//! A bench for the use cases: a disk, a clock that stands still until it is set, and two peers that say what they were
//! told to say and write down what they were asked.
//!
//! **Invariant:** nothing here repeats a rule of the add-on: what is expected stands in the tests.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;
use secrecy::SecretString;

use super::splynx::{Desk, Splynx};
use crate::app::work::Turn;
use crate::app::{App, Ports, Settings};
use crate::domain::attempt::{Attempt, Opened, State, Terms};
use crate::domain::connection::{
    Connection, ConnectionSecrets, ConnectionStatus, Environment, ProcessorKind,
};
use crate::domain::credit::{ByHand, Credit, Target, credit_key};
use crate::domain::fee::FeeRule;
use crate::domain::ids::{
    AttemptId, ConnectionId, CustomerId, DocumentId, DocumentNumber, Hook, PostingId,
    ProcessorInvoiceId, ResultToken,
};
use crate::domain::money::{Currency, Money};
use crate::domain::observation::Observation;
use crate::domain::payable::{DocumentKind, DocumentRef, Payable};
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::domain::review::ReviewReason;
use crate::domain::rules::{PaymentRules, StatementGroup, TransactionSpeed};
use crate::domain::schedule::Timing;
use crate::ports::PeerError;
use crate::ports::clock::Clock;
use crate::ports::entropy::Entropy;
use crate::ports::processor::{InvoiceWish, OpenedInvoice, PairingOutcome, Processor, Processors};
use crate::ports::store::Change;
use crate::sim::simulate::disk::DiskPort;

/// The quiescence window, in seconds; a request may take 15, a lease lasts 60.
pub(crate) const WINDOW: i64 = 600;

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

pub(crate) fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::parse("USD").unwrap())
}

pub(crate) fn invoice() -> ProcessorInvoiceId {
    ProcessorInvoiceId::parse("ours").unwrap()
}

pub(crate) fn unavailable() -> PeerError {
    PeerError::Unavailable { peer: "Splynx", why: "no answer".to_owned() }
}

pub(crate) fn refused() -> PeerError {
    PeerError::Refused { peer: "Splynx", sentence: "no".to_owned() }
}

pub(crate) fn document_ref(kind: DocumentKind) -> DocumentRef {
    DocumentRef { kind, id: DocumentId::new(7), number: DocumentNumber::parse("20231107").unwrap() }
}

pub(crate) fn payable(kind: DocumentKind) -> Payable {
    Payable::Document(document_ref(kind))
}

fn fee_rule() -> FeeRule {
    FeeRule {
        percent: Decimal::from(10),
        vat_percent: Decimal::from(20),
        text: "Bitpay fee".to_owned(),
        category: 5,
    }
}

/// A settled attempt to pay 100.00, and 10.00 on top where there is a fee.
pub(crate) fn attempt(payable: Payable, with_fee: bool) -> Attempt {
    let fee = fee_rule().on(usd(10_000)).unwrap().filter(|_| with_fee);
    let total = payable.document().map_or(Decimal::ZERO, |_| Decimal::ONE_HUNDRED);
    Attempt {
        id: AttemptId::new(at(0), 1),
        hook: Hook::new(1),
        result_token: ResultToken::new(2),
        connection: ConnectionId::new(at(0), 3),
        processor: ProcessorKind::BitPay,
        environment: Environment::Production,
        customer: CustomerId::new(42),
        payable,
        terms: Terms::new(usd(10_000), fee, total).unwrap(),
        state: State::Settled,
        opened: Some(Opened {
            invoice: invoice(),
            checkout_url: String::new(),
            expires_at: at(900),
            opened_at: at(0),
        }),
        open_key: None,
        created_at: at(0),
        settled_at: Some(at(0)),
        recorded_at: None,
        monitor_until: at(30 * 86_400),
        last_seen: None,
        look_at: None,
        work_at: Some(at(0)),
        failures: 0,
        version: 1,
    }
}

/// The credit with this number.
pub(crate) fn credit(n: u32, amount: Money, target: Target) -> Credit {
    Credit {
        key: credit_key(ProcessorKind::BitPay, &invoice(), n).unwrap(),
        attempt: AttemptId::new(at(0), 1),
        connection: ConnectionId::new(at(0), 3),
        invoice: invoice(),
        n,
        amount,
        target,
        date: at(0).date_naive(),
        by_hand: ByHand::Nothing,
    }
}

/// A posting of credit 1.
pub(crate) fn posting(kind: PostingKind, state: PostingState) -> Posting {
    let credit = (kind != PostingKind::StatementRecord)
        .then(|| credit_key(ProcessorKind::BitPay, &invoice(), 1).unwrap());
    Posting {
        id: PostingId::new(at(0), 1000 + u128::try_from(kind_place(kind)).unwrap()),
        attempt: AttemptId::new(at(0), 1),
        credit,
        kind,
        state,
        body: "{\"frozen\":true}".to_owned(),
        tries: 0,
        first_begun_at: None,
        last_error: None,
    }
}

fn kind_place(kind: PostingKind) -> usize {
    PostingKind::ALL.iter().position(|one| *one == kind).unwrap()
}

pub(crate) fn ready() -> PostingState {
    PostingState::Ready { not_before: at(0) }
}

/// A clock that a test sets.
#[derive(Debug, Default)]
pub(crate) struct Hands(AtomicI64);

impl Hands {
    pub(crate) fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    fn seconds(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Clock for Hands {
    fn now(&self) -> DateTime<Utc> {
        at(self.seconds())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(1_000_000_u64.saturating_add_signed(self.seconds()))
    }

    fn local_date(&self, moment: DateTime<Utc>) -> NaiveDate {
        moment.date_naive()
    }
}

/// Counts, which is random enough for names.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::SeqCst).to_le_bytes();
        bytes.iter_mut().zip(number).for_each(|(byte, with)| *byte = with);
    }
}

/// The processor: answers as it was told to, in that order.
#[derive(Debug, Default, Clone)]
pub(crate) struct Till {
    answers: Arc<Mutex<VecDeque<Result<Observation, PeerError>>>>,
    is_buggy: Arc<AtomicBool>,
}

impl Till {
    pub(crate) fn says(&self, answer: Result<Observation, PeerError>) {
        lock(&self.answers).push_back(answer);
    }

    /// From now on, asking it panics, as a bug of ours would.
    pub(crate) fn panics(&self) {
        self.is_buggy.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Processor for Till {
    async fn open_invoice(&self, _wish: &InvoiceWish) -> Result<OpenedInvoice, PeerError> {
        Err(unavailable())
    }

    async fn observe(&self, _invoice: &ProcessorInvoiceId) -> Result<Observation, PeerError> {
        assert!(!self.is_buggy.load(Ordering::SeqCst), "a bug");
        lock(&self.answers).pop_front().unwrap_or_else(|| Err(unavailable()))
    }

    async fn check_token(&self) -> Result<(), PeerError> {
        Ok(())
    }
}

#[async_trait]
impl Processors for Till {
    fn of(&self, _connection: &Connection) -> Result<Arc<dyn Processor>, PeerError> {
        Ok(Arc::new(self.clone()))
    }

    fn is_signed_by(&self, _connection: &Connection, _body: &[u8], _signature: &str) -> bool {
        false
    }

    fn is_raw_token(&self, _text: &str) -> bool {
        false
    }

    fn new_key(&self) -> (ConnectionSecrets, String) {
        (ConnectionSecrets::default(), String::new())
    }

    async fn exchange(&self, _connection: &Connection, _code: &str) -> PairingOutcome {
        PairingOutcome::Unclear { why: "not here".to_owned() }
    }

    async fn find_token(&self, _: &Connection) -> Result<Option<SecretString>, PeerError> {
        Ok(None)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The use cases and all they stand on.
pub(crate) struct Bench {
    pub(crate) app: App,
    pub(crate) splynx: Arc<Splynx>,
    pub(crate) till: Till,
    pub(crate) clock: Arc<Hands>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let (splynx, clock, till) =
            (Arc::<Splynx>::default(), Arc::<Hands>::default(), Till::default());
        let ports = Ports {
            store: Arc::new(DiskPort::alone(Arc::<Hands>::clone(&clock))),
            billing: Arc::<Splynx>::clone(&splynx),
            statements: Arc::<Splynx>::clone(&splynx),
            processors: Arc::new(till.clone()),
            clock: Arc::<Hands>::clone(&clock),
            entropy: Arc::new(Counter::default()),
        };
        let settings = Settings {
            public_url: "https://isp.example/bitpay".to_owned(),
            portal_url: "https://isp.example".to_owned(),
            environment: Environment::Production,
            processor_url: "https://bitpay.example/".to_owned(),
            timing: Timing::from_quiescence(TimeDelta::seconds(WINDOW)),
            poll: TimeDelta::seconds(30),
            monitor: TimeDelta::days(30),
            owner: "bench".to_owned(),
        };
        let app = App::new(ports, settings, rules());
        Self { app, splynx, till, clock }
    }

    /// What Splynx shows and does, to be arranged or looked at.
    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.splynx.desk()
    }

    /// Commits an attempt with these rows and takes a turn with it, under a lease of a minute.
    pub(crate) async fn turn(
        &self,
        attempt: Attempt,
        credits: Vec<Credit>,
        postings: Vec<Posting>,
    ) -> Turn<'_> {
        let store = &self.app.store;
        let connection = connection(attempt.connection);
        if store.connection(connection.id).await.unwrap().is_none() {
            store.add_connection(&connection, &crate::domain::actor::Actor::Worker).await.unwrap();
        }
        let id = attempt.id;
        store.claim(&attempt, at(0)).await.unwrap();
        let change = Change { credits, postings, ..Change::of(attempt) };
        assert!(store.apply(&change).await.unwrap());
        let ledger = store.ledger(id).await.unwrap().unwrap();
        let lease_end = self.app.clock.monotonic() + Duration::from_mins(1);
        Turn { app: &self.app, ledger, lease_end }
    }

    /// The open reviews of the attempt: why, and the words.
    pub(crate) async fn reviews(&self) -> Vec<(ReviewReason, String)> {
        let reviews = self.app.store.reviews(AttemptId::new(at(0), 1)).await.unwrap();
        reviews.into_iter().rev().map(|review| (review.reason, review.words)).collect()
    }

    pub(crate) async fn reasons(&self) -> Vec<ReviewReason> {
        self.reviews().await.into_iter().map(|(reason, _)| reason).collect()
    }
}

/// The posting of this kind that is still wanted, as it is committed.
pub(crate) async fn committed(bench: &Bench, kind: PostingKind) -> Posting {
    let ledger = bench.app.store.ledger(AttemptId::new(at(0), 1)).await.unwrap().unwrap();
    let mut postings = ledger.postings.into_iter().rev();
    postings.find(|posting| posting.kind == kind).unwrap()
}

fn rules() -> PaymentRules {
    PaymentRules {
        currency: Currency::parse("USD").unwrap(),
        payment_method_id: 9,
        minimum: usd(100),
        maximum: usd(1_000_000),
        fee: fee_rule(),
        transaction_speed: TransactionSpeed::Medium,
        statements: StatementGroup::Month,
    }
}

fn connection(id: ConnectionId) -> Connection {
    Connection {
        id,
        processor: ProcessorKind::BitPay,
        environment: Environment::Production,
        base_url: "https://bitpay.example/".to_owned(),
        status: ConnectionStatus::Active,
        sin: String::new(),
        secrets: ConnectionSecrets { private_key: None, token: Some(SecretString::from("token")) },
        created_at: at(0),
        activated_at: Some(at(0)),
        retired_at: None,
        failure: None,
    }
}

//! A small world: Splynx, a processor and a clock that do what the test told them, and a browser to look at it with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::body::to_bytes;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web;
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;
use secrecy::{ExposeSecret as _, SecretString};

use super::store::Rows;
use crate::app::{App, Ports, Settings};
use crate::domain::actor::Actor;
use crate::domain::connection::{Connection, ConnectionSecrets, Environment};
use crate::domain::fee::FeeRule;
use crate::domain::ids::{
    CreditKey, CustomerId, DocumentId, DocumentNumber, ProcessorInvoiceId, SplynxId,
};
use crate::domain::money::{Currency, Money};
use crate::domain::observation::Observation;
use crate::domain::payable::{Customer, Document, DocumentKind, DocumentRef, DocumentStatus};
use crate::domain::posting::{SearchOutcome, WriteOutcome};
use crate::domain::rules::{PaymentRules, StatementGroup, TransactionSpeed};
use crate::domain::schedule::Timing;
use crate::ports::PeerError;
use crate::ports::billing::{
    Billing, Freshness, Identity, PaymentRow, Sessions, Statements, Write,
};
use crate::ports::clock::Clock;
use crate::ports::entropy::Entropy;
use crate::ports::pairing::{PairingFailure, PairingFailureKind};
use crate::ports::processor::{InvoiceWish, OpenedInvoice, PairingOutcome, Processor, Processors};
use crate::web::csrf::FormKey;
use crate::web::routes::{self, Kind, ROUTES, Row};
use crate::web::{Limits, Site, SiteSettings};

pub(super) const PORTAL: &str = "https://isp.example";
pub(super) const CHECKOUT: &str = "https://bitpay.com/i/x";

/// The id in the address of an attempt's page; no attempt has it unless a test puts it there.
pub(super) const ATTEMPT: &str = "01KANE1M80000000000000000A";

/// What can be switched off or made to refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    StoreDown,
    StoreUnreadable,
    SplynxDown,
    ProcessorDown,
    ProcessorRefuses,
}

/// What all the fakes share.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) rows: Mutex<Rows>,
    pub(super) faults: Mutex<BTreeSet<Fault>>,
    documents: Mutex<Vec<Document>>,
    /// The freshness of every question about a session, in order.
    pub(super) asked: Mutex<Vec<Freshness>>,
    monotonic: Mutex<Duration>,
    random: Mutex<u8>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(super) fn has(&self, fault: Fault) -> bool {
        lock(&self.faults).contains(&fault)
    }

    pub(super) fn breaks(&self, fault: Fault) {
        lock(&self.faults).insert(fault);
    }

    pub(super) fn advance(&self, by: Duration) {
        *lock(&self.monotonic) += by;
    }

    /// An invoice over 51.61 of customer 1.
    pub(super) fn invoice(&self, number: &str, status: DocumentStatus) {
        self.invoice_of(1, number, status, Some("51.61"));
    }

    pub(super) fn invoice_of(
        &self,
        customer: i64,
        number: &str,
        status: DocumentStatus,
        due: Option<&str>,
    ) {
        let mut documents = lock(&self.documents);
        let id = DocumentId::new(i64::try_from(documents.len()).unwrap());
        documents.push(Document {
            reference: DocumentRef {
                kind: DocumentKind::Invoice,
                id,
                number: DocumentNumber::parse(number).unwrap(),
            },
            customer: CustomerId::new(customer),
            status,
            total: "51.61".parse().unwrap(),
            due: due.map(|due| due.parse().unwrap()),
            items: vec![],
        });
    }

    fn splynx<T>(&self, value: T) -> Result<T, PeerError> {
        if self.has(Fault::SplynxDown) {
            let why = "secret words of Splynx".to_owned();
            return Err(PeerError::Unavailable { peer: "Splynx", why });
        }
        Ok(value)
    }
}

#[async_trait]
impl Sessions for World {
    async fn identify(
        &self,
        cookie: &SecretString,
        freshness: Freshness,
    ) -> Result<Identity, PeerError> {
        lock(&self.asked).push(freshness);
        let (name, id) = cookie.expose_secret().split_once('-').unwrap_or_default();
        // `customer-1` and `customer-1.phone` are two sessions of one customer.
        let id = id.split('.').next().unwrap_or_default().parse().unwrap_or_default();
        self.splynx(match name {
            "customer" => Identity::Customer(Customer {
                id: CustomerId::new(id),
                name: "Customer One".to_owned(),
                billing_type: "prepaid".to_owned(),
            }),
            "admin" => Identity::Admin { id },
            _ => Identity::Nobody,
        })
    }
}

#[async_trait]
impl Billing for World {
    async fn document_by_number(
        &self,
        kind: DocumentKind,
        number: &DocumentNumber,
    ) -> Result<Option<Document>, PeerError> {
        let documents = lock(&self.documents);
        let mut found =
            documents.iter().find(|document| document.reference.number == *number).cloned();
        if let Some(document) = &mut found {
            document.reference.kind = kind;
        }
        self.splynx(found)
    }

    async fn document(&self, document: &DocumentRef) -> Result<Option<Document>, PeerError> {
        self.document_by_number(document.kind, &document.number).await
    }

    async fn customer(&self, _: CustomerId) -> Result<Option<Customer>, PeerError> {
        self.splynx(None)
    }

    async fn write(&self, _: Write<'_>) -> WriteOutcome {
        WriteOutcome::Unclear { why: "the pages write nothing".to_owned() }
    }

    async fn find_payments(&self, _: &CreditKey, _: CustomerId, _: NaiveDate) -> SearchOutcome {
        SearchOutcome::Complete(vec![])
    }

    async fn find_transactions(&self, _: &CreditKey, _: CustomerId, _: NaiveDate) -> SearchOutcome {
        SearchOutcome::Complete(vec![])
    }

    async fn payments_by_keys(
        &self,
        _: &[CreditKey],
        _: NaiveDate,
    ) -> Result<Vec<PaymentRow>, PeerError> {
        Ok(vec![])
    }

    async fn payments_with_our_keys(
        &self,
        _: NaiveDate,
        _: NaiveDate,
    ) -> Result<Vec<PaymentRow>, PeerError> {
        self.splynx(vec![])
    }

    async fn module_settings(&self) -> Result<BTreeMap<String, String>, PeerError> {
        self.splynx(BTreeMap::new())
    }
}

#[async_trait]
impl Statements for World {
    async fn statement(&self, _: &str) -> Result<SplynxId, PeerError> {
        self.splynx(SplynxId::new(1))
    }

    async fn find_record(&self, _: &str) -> Result<Option<SplynxId>, PeerError> {
        self.splynx(None)
    }

    async fn add_record(&self, _: &str) -> Result<SplynxId, PeerError> {
        self.splynx(SplynxId::new(1))
    }

    async fn change_record(&self, _: SplynxId, _: &str) -> Result<(), PeerError> {
        self.splynx(())
    }
}

/// The processor of a world.
#[derive(Debug)]
struct FakeProcessor(Arc<World>);

#[async_trait]
impl Processor for FakeProcessor {
    async fn open_invoice(&self, wish: &InvoiceWish) -> Result<OpenedInvoice, PeerError> {
        let words = "secret words of the processor".to_owned();
        if self.0.has(Fault::ProcessorDown) {
            return Err(PeerError::Unavailable { peer: "BitPay", why: words });
        }
        if self.0.has(Fault::ProcessorRefuses) {
            return Err(PeerError::Refused { peer: "BitPay", sentence: words });
        }
        Ok(OpenedInvoice {
            invoice: ProcessorInvoiceId::parse("x").unwrap(),
            checkout_url: CHECKOUT.to_owned(),
            expires_at: self.0.now() + TimeDelta::minutes(15),
            price: wish.price,
        })
    }

    async fn observe(&self, _: &ProcessorInvoiceId) -> Result<Observation, PeerError> {
        let why = "the pages observe nothing".to_owned();
        Err(PeerError::Unavailable { peer: "BitPay", why })
    }

    async fn check_token(&self) -> Result<(), PeerError> {
        let why = "the pages check nothing".to_owned();
        Err(PeerError::Unavailable { peer: "BitPay", why })
    }
}

#[derive(Debug)]
struct FakeProcessors(Arc<World>);

#[async_trait]
impl Processors for FakeProcessors {
    fn of(&self, _: &Connection) -> Result<Arc<dyn Processor>, PeerError> {
        Ok(Arc::new(FakeProcessor(Arc::clone(&self.0))))
    }

    fn is_signed_by(&self, _: &Connection, _: &[u8], signature: &str) -> bool {
        signature == "good"
    }

    fn is_raw_token(&self, _: &str) -> bool {
        false
    }

    fn new_key(&self) -> (ConnectionSecrets, String) {
        (ConnectionSecrets::default(), "TfSIN".to_owned())
    }

    async fn exchange(&self, _: &Connection, code: &str) -> PairingOutcome {
        match code {
            "u7m0VSR" => PairingOutcome::Paired { token: "0123456789abcdef".to_owned().into() },
            "silence" => PairingOutcome::Unclear { why: "no answer in time".to_owned() },
            // Any other code is the word for how it fails.
            code => {
                let mut kinds = PairingFailureKind::ALL.iter().copied();
                let kind = kinds.find(|kind| kind.code() == code);
                let kind = kind.unwrap_or(PairingFailureKind::Refused);
                let address = "https://bitpay.com".to_owned();
                let said = "BitPay says <no>.".to_owned();
                PairingOutcome::Refused { failure: PairingFailure { kind, address, said } }
            }
        }
    }

    async fn find_token(&self, _: &Connection) -> Result<Option<SecretString>, PeerError> {
        Err(PeerError::Unavailable { peer: "BitPay", why: "no answer in time".to_owned() })
    }
}

impl Clock for World {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap()
    }

    fn monotonic(&self) -> Duration {
        *lock(&self.monotonic)
    }
}

impl Entropy for World {
    fn fill(&self, bytes: &mut [u8]) {
        let mut random = lock(&self.random);
        *random = random.wrapping_add(1);
        bytes.fill(*random);
    }
}

/// A site over a world, and the browsers that look at it.
pub(super) struct House {
    pub(super) world: Arc<World>,
    pub(super) site: web::Data<Site>,
}

/// What a browser got.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl House {
    /// A paired site of a production environment.
    pub(super) async fn paired() -> Self {
        let house = Self::unpaired();
        crate::app::pair::pair(&house.site.app, "u7m0VSR", &Actor::Admin(1)).await.unwrap();
        house
    }

    /// A paired site, and invoice 7 of customer 1 to be paid.
    pub(super) async fn with_invoice() -> Self {
        let house = Self::paired().await;
        house.world.invoice("7", DocumentStatus::NotPaid);
        house
    }

    pub(super) fn unpaired() -> Self {
        Self::with(Environment::Production, "https://isp.example/bitpay", "0")
    }

    pub(super) fn with(environment: Environment, public_url: &str, fee_percent: &str) -> Self {
        let world = Arc::new(World::default());
        let app = app(&world, environment, public_url, fee_percent);
        let sessions: Arc<dyn Sessions> = Arc::<World>::clone(&world);
        let site = Site::new(app, sessions, site_settings()).unwrap();
        Self { world, site: web::Data::new(site) }
    }

    pub(super) async fn send(&self, request: TestRequest) -> Answer {
        let app = actix_web::App::new().configure(|config| routes::mount(config, &self.site));
        let service = init_service(app).await;
        let peer = "127.0.0.1:40000".parse().unwrap();
        let response = call_service(&service, request.peer_addr(peer).to_request()).await;
        let status: StatusCode = response.status();
        let headers = response.headers().clone();
        let bytes = to_bytes(response.into_body()).await.unwrap_or_else(|_| panic!("no body"));
        let body = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: status.as_u16(), headers, body }
    }

    /// A page asked for with this session cookie.
    pub(super) async fn get(&self, cookie: &str, path: &str) -> Answer {
        self.send(TestRequest::get().uri(path).insert_header(("cookie", session(cookie)))).await
    }

    /// A form of our own pages, sent with this session cookie.
    pub(super) async fn post(&self, cookie: &str, path: &str, form: impl Into<String>) -> Answer {
        self.send(own_form(cookie, path, form)).await
    }
}

/// A form as a browser sends it from one of our own pages.
pub(super) fn own_form(cookie: &str, path: &str, form: impl Into<String>) -> TestRequest {
    TestRequest::post()
        .uri(path)
        .insert_header(("cookie", session(cookie)))
        .insert_header(("sec-fetch-site", "same-origin"))
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .set_payload(form.into())
}

/// Every route of these kinds.
pub(super) fn rows(kinds: &'static [Kind]) -> impl Iterator<Item = &'static Row> {
    ROUTES.iter().filter(|row| kinds.contains(&row.kind))
}

/// A path of this row that reaches its handler.
pub(super) fn path(row: &Row) -> String {
    let path = row
        .path
        .replace("{token}", "0123456789abcdef0123456789abcdef")
        .replace("{hook}", "0123456789abcdef0123456789abcdef")
        .replace("{file}", "splynx-bitpay.css")
        .replace("{id}", ATTEMPT);
    if path.contains("/pay-") { format!("{path}?item_id=7") } else { path }
}

fn session(cookie: &str) -> String {
    format!("other=1; PHPSESSID={cookie}")
}

fn site_settings() -> SiteSettings {
    SiteSettings {
        session_cookie: "PHPSESSID".to_owned(),
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        processor_origins: vec!["https://bitpay.com".to_owned()],
        form_key: FormKey::new([7; 32]),
        limits: Limits { body_deadline: Duration::from_millis(200), ..Limits::default() },
    }
}

fn app(world: &Arc<World>, environment: Environment, public_url: &str, fee: &str) -> App {
    let ports = Ports {
        store: Arc::<World>::clone(world),
        billing: Arc::<World>::clone(world),
        statements: Arc::<World>::clone(world),
        processors: Arc::new(FakeProcessors(Arc::clone(world))),
        clock: Arc::<World>::clone(world),
        entropy: Arc::<World>::clone(world),
    };
    let settings = Settings {
        public_url: public_url.to_owned(),
        portal_url: PORTAL.to_owned(),
        environment,
        processor_url: "https://bitpay.com/".to_owned(),
        timing: Timing::from_quiescence(TimeDelta::seconds(600)),
        poll: TimeDelta::seconds(30),
        monitor: TimeDelta::days(30),
        owner: "tests".to_owned(),
    };
    App::new(ports, settings, rules(fee))
}

fn rules(fee_percent: &str) -> PaymentRules {
    let currency = Currency::parse("USD").unwrap();
    PaymentRules {
        currency,
        payment_method_id: 5,
        minimum: Money::parse("1.00", currency).unwrap(),
        maximum: Money::parse("10000.00", currency).unwrap(),
        fee: FeeRule {
            percent: fee_percent.parse().unwrap(),
            vat_percent: Decimal::ZERO,
            text: "Bitpay fee".to_owned(),
            category: 5,
        },
        transaction_speed: TransactionSpeed::Medium,
        statements: StatementGroup::Month,
    }
}

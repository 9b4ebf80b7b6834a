//! The adapter against the simulated BitPay, which keeps state, checks signatures and can be told to misbehave.

use actix_web::http::{Method, StatusCode};

use super::*;
use crate::sim::bitpay::{self as sim, PayKind, Settings, Simulator};
use crate::sim::faults::{Answer, Fault, Kind};

const CODE: &str = "C4Lg7oW";

/// A simulator in which nothing happens by itself.
async fn simulator() -> Simulator {
    let settings = Settings { automatic: false, ..Settings::default() };
    let options =
        sim::Options { settings, pairing_codes: vec![CODE.to_owned()], ..sim::Options::default() };
    Simulator::start(options).await.unwrap()
}

/// A connection before pairing, with a key of its own.
fn unpaired(simulator: &Simulator, accounts: &Accounts) -> Connection {
    let (secrets, sin) = accounts.new_key();
    Connection { sin, secrets, ..connection(&format!("{}/", simulator.url())) }
}

async fn paired(simulator: &Simulator, accounts: &Accounts) -> Connection {
    let mut connection = unpaired(simulator, accounts);
    match accounts.exchange(&connection, &simulator.create_pairing_code()).await {
        PairingOutcome::Paired { token } => connection.secrets.token = Some(token),
        outcome => panic!("{outcome:?}"),
    }
    connection
}

async fn client(simulator: &Simulator) -> Arc<dyn Processor> {
    let accounts = accounts();
    accounts.of(&paired(simulator, &accounts).await).unwrap()
}

async fn refusal(accounts: &Accounts, connection: &Connection, code: &str) -> String {
    sentence(accounts.exchange(connection, code).await)
}

#[tokio::test]
async fn a_good_code_gives_the_token_of_our_key() {
    let (simulator, accounts) = (simulator().await, accounts());
    let connection = unpaired(&simulator, &accounts);
    let outcome = accounts.exchange(&connection, CODE).await;
    let PairingOutcome::Paired { token } = outcome else { panic!("{outcome:?}") };
    let [known] = <[sim::Token; 1]>::try_from(simulator.tokens()).unwrap();
    assert_eq!(known.value, token.expose_secret());
    assert_eq!(known.sin.as_deref(), Some(connection.sin.as_str()));
    assert_eq!(known.label.as_deref(), Some("splynx-bitpay"));
    assert!(pairing::looks_like_token(&known.value));
}

#[tokio::test]
async fn a_code_works_once() {
    let (simulator, accounts) = (simulator().await, accounts());
    let first = unpaired(&simulator, &accounts);
    assert!(matches!(accounts.exchange(&first, CODE).await, PairingOutcome::Paired { .. }));
    let second = unpaired(&simulator, &accounts);
    assert!(refusal(&accounts, &second, CODE).await.contains("works once"));
    assert!(accounts.find_token(&second).await.unwrap().is_none());
}

#[rstest]
#[case::unknown(|_: &Simulator| "0000000".to_owned())]
#[case::expired(|simulator: &Simulator| {
    simulator.advance(Duration::from_hours(24));
    CODE.to_owned()
})]
#[case::of_production(|simulator: &Simulator| {
    simulator.create_pairing_code_for(sim::Environment::Production)
})]
#[tokio::test]
async fn a_code_that_is_not_taken_says_so(#[case] code: fn(&Simulator) -> String) {
    let (simulator, accounts) = (simulator().await, accounts());
    let connection = unpaired(&simulator, &accounts);
    let sentence = refusal(&accounts, &connection, &code(&simulator)).await;
    assert!(sentence.contains("did not accept the pairing code"), "{sentence}");
    assert!(simulator.tokens().is_empty());
}

#[tokio::test]
async fn too_many_bad_codes_mean_waiting_and_do_not_spend_a_good_one() {
    let (simulator, accounts) = (simulator().await, accounts());
    simulator.set(|settings| settings.failed_pairings_per_minute = 1);
    let connection = unpaired(&simulator, &accounts);
    refusal(&accounts, &connection, "0000000").await;
    assert!(refusal(&accounts, &connection, CODE).await.contains("asks to wait"));
    simulator.advance(Duration::from_secs(61));
    let outcome = accounts.exchange(&connection, CODE).await;
    assert!(matches!(outcome, PairingOutcome::Paired { .. }), "{outcome:?}");
}

#[rstest]
#[case(Kind::ExecuteThenDrop)]
#[case(Kind::Garbage)]
#[case(Kind::ExecuteThenStatus(Answer::bare(StatusCode::BAD_GATEWAY)))]
#[tokio::test]
async fn a_token_whose_answer_was_lost_is_found(#[case] kind: Kind) {
    let (simulator, accounts) = (simulator().await, accounts());
    let connection = unpaired(&simulator, &accounts);
    simulator.arm(Fault::on(Method::POST, "tokens", kind).times(1));
    let outcome = accounts.exchange(&connection, CODE).await;
    assert!(matches!(outcome, PairingOutcome::Unclear { .. }), "{outcome:?}");
    let token = accounts.find_token(&connection).await.unwrap().unwrap();
    assert_eq!(token.expose_secret(), simulator.tokens().first().unwrap().value);
}

#[rstest]
#[case(Kind::Drop)]
#[case(Kind::Hang)]
#[case(Kind::Status(Answer::bare(StatusCode::SERVICE_UNAVAILABLE)))]
#[tokio::test]
async fn a_code_that_was_not_used_gives_no_token_and_works_later(#[case] kind: Kind) {
    let (simulator, accounts) = (simulator().await, accounts());
    let connection = unpaired(&simulator, &accounts);
    simulator.arm(Fault::on(Method::POST, "tokens", kind).times(1));
    let outcome = accounts.exchange(&connection, CODE).await;
    assert!(matches!(outcome, PairingOutcome::Unclear { .. }), "{outcome:?}");
    assert!(accounts.find_token(&connection).await.unwrap().is_none());
    let outcome = accounts.exchange(&connection, CODE).await;
    assert!(matches!(outcome, PairingOutcome::Paired { .. }), "{outcome:?}");
}

#[tokio::test]
async fn an_invoice_carries_all_of_the_wish() {
    let simulator = simulator().await;
    let opened = client(&simulator).await.open_invoice(&wish()).await.unwrap();
    let [made] = <[sim::InvoiceView; 1]>::try_from(simulator.invoices()).unwrap();
    let attempt = wish().attempt.to_string();
    assert_eq!(
        (made.id.as_str(), made.url.as_str()),
        (opened.invoice.as_str(), opened.checkout_url.as_str())
    );
    assert_eq!((made.guid.as_str(), made.order_id.as_ref()), (attempt.as_str(), Some(&attempt)));
    assert_eq!((made.price, made.currency), (wish().price.to_decimal(), "USD"));
    assert_eq!(made.pos_data, Some(format!("{{\"a\":\"{attempt}\"}}")));
    assert_eq!(made.item_desc, Some(wish().description));
    assert_eq!(made.notification_url, Some(wish().notification_url));
    assert_eq!(made.redirect_url, Some(wish().redirect_url));
    assert_eq!(made.close_url, Some(wish().close_url));
    assert_eq!(made.transaction_speed, sim::Speed::Medium);
    assert!(made.extended_notifications);
    assert_eq!(made.expires.ms(), opened.expires_at.timestamp_millis());
}

#[rstest]
#[case::nothing_lost(None)]
#[case::answer_lost(Some(Kind::ExecuteThenDrop))]
#[case::answer_garbled(Some(Kind::Garbage))]
#[case::answer_late(Some(Kind::ExecuteLate { ms: 50 }))]
#[case::proxy_gave_up(Some(Kind::ExecuteThenStatus(Answer::bare(StatusCode::GATEWAY_TIMEOUT))))]
#[tokio::test]
async fn a_repeated_wish_finds_the_same_invoice(#[case] kind: Option<Kind>) {
    let simulator = simulator().await;
    let client = client(&simulator).await;
    let lost = kind.is_some();
    if let Some(kind) = kind {
        simulator.arm(Fault::on(Method::POST, "invoices", kind).times(1));
    }
    let first = client.open_invoice(&wish()).await;
    assert_eq!(first.is_err(), lost);
    assert!(!matches!(first, Err(PeerError::Refused { .. })));
    let second = client.open_invoice(&wish()).await.unwrap();
    assert_eq!(simulator.invoices().len(), 1);
    assert_eq!(simulator.invoices().first().unwrap().id, second.invoice.as_str());
}

#[rstest]
#[case::below("0.01", "below the smallest one", |s: &mut Settings| s.price_minimum = 5.into())]
#[case::above("51.61", "above the largest one", |s: &mut Settings| s.price_maximum = 5.into())]
#[tokio::test]
async fn a_price_out_of_bounds_is_refused(
    #[case] amount: &str,
    #[case] words: &str,
    #[case] bound: fn(&mut Settings),
) {
    let simulator = simulator().await;
    let client = client(&simulator).await;
    simulator.set(bound);
    let price = Money::parse(amount, Currency::parse("USD").unwrap()).unwrap();
    let error = client.open_invoice(&InvoiceWish { price, ..wish() }).await.unwrap_err();
    assert!(
        matches!(&error, PeerError::Refused { sentence, .. } if sentence.contains(words)),
        "{error}"
    );
    assert!(simulator.invoices().is_empty());
}

#[tokio::test]
async fn a_token_that_was_switched_off_is_told() {
    let (simulator, accounts) = (simulator().await, accounts());
    let connection = paired(&simulator, &accounts).await;
    let token = connection.secrets.token.clone().unwrap();
    assert!(simulator.disable_token(token.expose_secret()));
    let error = accounts.of(&connection).unwrap().open_invoice(&wish()).await.unwrap_err();
    assert!(error.to_string().contains("switched off"), "{error}");
}

#[tokio::test]
async fn a_token_of_another_key_is_refused() {
    let (simulator, accounts) = (simulator().await, accounts());
    let mut stranger = unpaired(&simulator, &accounts);
    stranger.secrets.token = paired(&simulator, &accounts).await.secrets.token;
    let error = accounts.of(&stranger).unwrap().open_invoice(&wish()).await.unwrap_err();
    assert!(matches!(error, PeerError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn a_dashboard_token_needs_no_key() {
    let (simulator, accounts) = (simulator().await, accounts());
    let mut connection = unpaired(&simulator, &accounts);
    let token = simulator.create_open_token();
    assert!(pairing::looks_like_token(&token));
    connection.secrets = ConnectionSecrets { private_key: None, token: Some(token.into()) };
    let client = accounts.of(&connection).unwrap();
    let opened = client.open_invoice(&wish()).await.unwrap();
    let observation = client.observe(&opened.invoice).await.unwrap();
    assert_eq!(observation.status, ProcessorStatus::Unpaid);
}

/// What happens to an invoice.
#[derive(Debug, Clone, Copy)]
enum Happens {
    Paid(PayKind),
    Confirmed,
    Completed,
    Expired,
    TimePassed,
    Invalidated,
    Declined,
}

impl Happens {
    fn to(self, simulator: &Simulator, id: &str) {
        let moved = match self {
            Self::Paid(kind) => simulator.pay(id, kind),
            Self::Confirmed => simulator.confirm(id),
            Self::Completed => simulator.complete(id),
            Self::Expired => simulator.expire(id),
            Self::TimePassed => return simulator.advance(Duration::from_secs(901)),
            Self::Invalidated => simulator.invalidate(id),
            Self::Declined => simulator.decline(id),
        };
        moved.unwrap();
    }
}

const PAID: Happens = Happens::Paid(PayKind::Exact);

#[rstest]
#[case::new(&[], ProcessorStatus::Unpaid, Exception::None)]
#[case(&[Happens::Paid(PayKind::Less)], ProcessorStatus::Unpaid, Exception::PaidPartial)]
#[case(&[PAID], ProcessorStatus::Seen, Exception::None)]
#[case(&[Happens::Paid(PayKind::More)], ProcessorStatus::Seen, Exception::PaidOver)]
#[case(&[PAID, Happens::Confirmed], ProcessorStatus::Settled, Exception::None)]
#[case(&[PAID, Happens::Confirmed, Happens::Completed], ProcessorStatus::Settled, Exception::None)]
#[case(
    &[Happens::Paid(PayKind::More), Happens::Confirmed],
    ProcessorStatus::Settled,
    Exception::PaidOver
)]
#[case(&[Happens::Expired], ProcessorStatus::Expired, Exception::None)]
#[case(&[Happens::TimePassed], ProcessorStatus::Expired, Exception::None)]
#[case(
    &[Happens::Paid(PayKind::Less), Happens::Expired],
    ProcessorStatus::Expired,
    Exception::PaidPartial
)]
#[case(&[Happens::Paid(PayKind::Late)], ProcessorStatus::Expired, Exception::PaidLate)]
#[case(&[PAID, Happens::Invalidated], ProcessorStatus::Invalid, Exception::None)]
#[case(&[PAID, Happens::Invalidated, Happens::Completed], ProcessorStatus::Settled, Exception::None)]
#[case(&[PAID, Happens::Confirmed, Happens::Declined], ProcessorStatus::Declined, Exception::None)]
#[tokio::test]
async fn every_status_is_observed(
    #[case] story: &[Happens],
    #[case] status: ProcessorStatus,
    #[case] exception: Exception,
) {
    let simulator = simulator().await;
    let client = client(&simulator).await;
    let opened = client.open_invoice(&wish()).await.unwrap();
    for happening in story {
        happening.to(&simulator, opened.invoice.as_str());
    }
    let observation = client.observe(&opened.invoice).await.unwrap();
    assert_eq!((observation.status, observation.exception), (status, exception));
    assert_eq!(observation.invoice, opened.invoice);
    assert_eq!(observation.order_id, Some(wish().attempt.to_string()));
    assert_eq!((observation.price, observation.paid), (wish().price, None));
}

#[tokio::test]
async fn the_invoice_of_another_merchant_is_not_shown() {
    let (simulator, accounts) = (simulator().await, accounts());
    let opened = client(&simulator).await.open_invoice(&wish()).await.unwrap();
    let mut stranger = unpaired(&simulator, &accounts);
    let outcome = accounts.exchange(&stranger, &simulator.create_pairing_code_of("another")).await;
    let PairingOutcome::Paired { token } = outcome else { panic!("{outcome:?}") };
    stranger.secrets.token = Some(token);
    let error = accounts.of(&stranger).unwrap().observe(&opened.invoice).await.unwrap_err();
    assert!(error.to_string().contains("made with another account"), "{error}");
}

#[tokio::test]
async fn a_notification_verifies_with_the_token_that_made_the_invoice() {
    let (simulator, accounts) = (simulator().await, accounts());
    let connection = paired(&simulator, &accounts).await;
    let client = accounts.of(&connection).unwrap();
    // Nobody listens there: what counts is what was to be sent.
    let notification_url = "http://127.0.0.1:9/bitpay/ipn/00".to_owned();
    let opened = client.open_invoice(&InvoiceWish { notification_url, ..wish() }).await.unwrap();
    simulator.pay(opened.invoice.as_str(), PayKind::Exact).unwrap();
    simulator.settle().await;
    let deliveries = simulator.deliveries();
    let sent = deliveries.iter().find(|delivery| delivery.signature.is_some()).unwrap();
    let signature = sent.signature.as_deref().unwrap();
    let token = connection.secrets.token.unwrap();
    assert_eq!(ipn::verify(&token, sent.body.as_bytes(), signature), Ok(()));
    assert_eq!(ipn::event_name(sent.body.as_bytes()), "invoice_paidInFull");
    let other = SecretString::from("another token");
    assert!(ipn::verify(&other, sent.body.as_bytes(), signature).is_err());
}

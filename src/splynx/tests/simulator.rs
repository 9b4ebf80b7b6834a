//! Against the simulated Splynx, which keeps state, verifies signatures and follows the money rules.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use chrono::{Days, NaiveDate, TimeDelta};
use futures_util::future::join_all;
use rstest::rstest;
use secrecy::SecretString;
use serde_json::json;
use url::Url;

use crate::domain::ids::{CreditKey, CustomerId, DocumentId, DocumentNumber};
use crate::domain::payable::{DocumentKind, DocumentStatus};
use crate::domain::posting::{NotExecuted, SearchOutcome, WriteOutcome};
use crate::domain::schedule::Timing;
use crate::ports::PeerError;
use crate::ports::billing::{
    Billing as _, Endpoint, Freshness, Identity, Sessions as _, Statements as _, Write,
};
use crate::ports::clock::{Clock as _, SystemClock};
use crate::sim::faults::{Answer, Fault, Kind};
use crate::sim::splynx::{Behaviour, Options, Principal, Seed, Simulator, Typing};
use crate::splynx::testing::CountedNonces;
use crate::splynx::{Client, Config};

const KEY: &str = "BP-BukWCRGV8Q1tW9jXfBSeS7-1";

async fn start(behaviour: Behaviour) -> (Simulator, Client) {
    let options = Options { behaviour, ..Options::default() };
    let simulator = Simulator::start(options.clone()).await.unwrap();
    let client = client_of(&simulator, &options);
    (simulator, client)
}

fn client_of(simulator: &Simulator, options: &Options) -> Client {
    let config = Config {
        api_domain: Url::parse(simulator.url()).unwrap(),
        api_key: options.api_key.clone(),
        api_secret: SecretString::from(options.api_secret.clone()),
        timing: Timing::from_quiescence(TimeDelta::seconds(5)),
        requests_per_second: 1000,
        module: "splynx_bitpay_addon".to_owned(),
    };
    Client::new(config, Arc::new(SystemClock::default()), Arc::new(CountedNonces::default()))
        .unwrap()
}

fn key() -> CreditKey {
    CreditKey::parse(KEY).unwrap()
}

fn tomorrow() -> NaiveDate {
    yesterday().checked_add_days(Days::new(2)).unwrap()
}

fn yesterday() -> NaiveDate {
    let clock = SystemClock::default();
    clock.now().date_naive().checked_sub_days(Days::new(1)).unwrap()
}

/// A payment of customer 1, as the postings write it.
fn payment(receipt: &str) -> String {
    json!({
        "customer_id": 1, "payment_type": 5, "receipt_number": receipt,
        "date": SystemClock::default().now().date_naive().to_string(), "amount": "5.00",
        "comment": format!("Bitpay {receipt}"), "field_1": receipt, "field_2": "",
        "field_3": "", "field_4": "", "field_5": "",
    })
    .to_string()
}

async fn write(client: &Client, endpoint: Endpoint, body: &str) -> WriteOutcome {
    client.write(Write { endpoint, body, not_after: Duration::MAX }).await
}

async fn pay(client: &Client, receipt: &str) -> WriteOutcome {
    write(client, Endpoint::Payments, &payment(receipt)).await
}

async fn search(client: &Client) -> SearchOutcome {
    client.find_payments(&key(), CustomerId::new(1), yesterday()).await
}

fn payments_with(simulator: &Simulator, receipt: &str) -> Vec<i64> {
    simulator
        .state()
        .payments
        .iter()
        .filter(|payment| payment.receipt_number == receipt)
        .map(|payment| i64::try_from(payment.id).unwrap())
        .collect()
}

fn ids(outcome: &SearchOutcome) -> Vec<i64> {
    match outcome {
        SearchOutcome::Complete(ids) => ids.iter().map(|id| id.get()).collect(),
        SearchOutcome::Incomplete { why, .. } => panic!("incomplete: {why}"),
    }
}

#[rstest]
#[case(Typing::Strings)]
#[case(Typing::Numbers)]
#[case(Typing::Mixed)]
#[tokio::test]
async fn documents_and_customers_are_read_whatever_their_types(#[case] typing: Typing) {
    let (_simulator, client) = start(Behaviour { typing, ..Behaviour::default() }).await;
    for (number, status, total, due) in [
        ("201801000001", DocumentStatus::NotPaid, "51.61", "51.61"),
        ("201803000001", DocumentStatus::Paid, "30", "0"),
        ("201804000001", DocumentStatus::Deleted, "40", "40"),
        ("201805000001", DocumentStatus::NotPaid, "75", "25"),
    ] {
        let number = DocumentNumber::parse(number).unwrap();
        let found = client.document_by_number(DocumentKind::Invoice, &number).await;
        let found = found.unwrap().unwrap();
        assert_eq!(found.status, status);
        assert_eq!(found.total, total.parse().unwrap());
        assert_eq!(found.open_sum(), due.parse().unwrap(), "{number}");
        assert_eq!(client.document(&found.reference).await.unwrap().unwrap(), found);
    }
    let customer = client.customer(CustomerId::new(2)).await.unwrap().unwrap();
    assert_eq!(
        (customer.name.as_str(), customer.billing_type.as_str()),
        ("Customer Two", "prepaid")
    );
    assert_eq!(client.customer(CustomerId::new(99)).await, Ok(None));
}

#[tokio::test]
async fn a_proforma_invoice_has_its_own_numbers() {
    let (simulator, client) = start(Behaviour::default()).await;
    let number = simulator.read(|world| world.books.proformas.get(1).unwrap().number.clone());
    let number = DocumentNumber::parse(&number).unwrap();
    let kind = DocumentKind::ProformaInvoice;
    let found = client.document_by_number(kind, &number).await.unwrap().unwrap();
    assert_eq!((found.reference.kind, found.total), (kind, "60".parse().unwrap()));
    let unknown = DocumentNumber::parse("no such number").unwrap();
    assert_eq!(client.document_by_number(kind, &unknown).await, Ok(None));
}

#[tokio::test]
async fn sixteen_payments_at_once_are_sixteen_payments_and_one_login() {
    let (simulator, client) = start(Behaviour::default()).await;
    let receipts: Vec<_> = (0..16).map(|n| format!("BP-x-{n}")).collect();
    let outcomes = join_all(receipts.iter().map(|receipt| pay(&client, receipt))).await;
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome, WriteOutcome::Done { splynx_id: Some(_) }))
    );
    assert!(receipts.iter().all(|receipt| payments_with(&simulator, receipt).len() == 1));
    let logins = simulator.log().iter().filter(|call| call.path.contains("auth/tokens")).count();
    assert_eq!(logins, 1);
}

#[tokio::test]
async fn the_token_is_renewed_over_and_over() {
    let behaviour = Behaviour { token_life: 7, ..Behaviour::default() };
    let (simulator, client) = start(behaviour).await;
    pay(&client, "BP-x-1").await;
    simulator.edit(|world| world.clock = world.clock.advanced(TimeDelta::seconds(8)));
    assert!(matches!(pay(&client, "BP-x-2").await, WriteOutcome::Done { .. }));
    assert_eq!(payments_with(&simulator, "BP-x-2").len(), 1);
    let renewals = |method: &str| {
        let log = simulator.log();
        let tokens = log.iter().filter(|call| call.path.starts_with("admin/auth/tokens"));
        tokens.filter(|call| call.method == method).count()
    };
    assert_eq!((renewals("POST"), renewals("GET")), (1, 1));
}

#[tokio::test]
async fn without_a_token_endpoint_every_request_is_signed() {
    let (simulator, client) = start(Behaviour::default()).await;
    let disabled = json!({"error": {
        "message": "Method is disabled!", "code": 405, "internal_code": "METHOD_DISABLED"
    }});
    let answer = Answer { body: Some(disabled), ..Answer::bare(StatusCode::METHOD_NOT_ALLOWED) };
    simulator.arm(Fault::on(Method::POST, "admin/auth/tokens", Kind::Status(answer)));
    let receipts: Vec<_> = (0..8).map(|n| format!("BP-x-{n}")).collect();
    let outcomes = join_all(receipts.iter().map(|receipt| pay(&client, receipt))).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, WriteOutcome::Done { .. })));
    let refused = simulator.log().iter().filter(|call| call.path.contains("payments")).count();
    assert_eq!(refused, 8, "no nonce was refused");
}

#[tokio::test]
async fn a_wrong_secret_is_told_in_words() {
    let (simulator, _) = start(Behaviour::default()).await;
    let wrong = Options { api_secret: "0".repeat(32), ..Options::default() };
    let WriteOutcome::NotExecuted(NotExecuted::Refused { sentence }) =
        pay(&client_of(&simulator, &wrong), KEY).await
    else {
        panic!("not refused");
    };
    assert!(
        sentence.starts_with("it does not accept the API key: Invalid signature!"),
        "{sentence}"
    );
}

#[rstest]
#[case::executed_and_dropped(Kind::ExecuteThenDrop, 1)]
#[case::dropped(Kind::Drop, 0)]
#[case::hangs(Kind::Hang, 0)]
#[case::garbage(Kind::Garbage, 1)]
#[case::garbage_unexecuted(Kind::GarbageUnexecuted, 0)]
#[case::bad_gateway(Kind::Status(Answer::bare(StatusCode::BAD_GATEWAY)), 0)]
#[case::executed_bad_gateway(Kind::ExecuteThenStatus(Answer::bare(StatusCode::GATEWAY_TIMEOUT)), 1)]
#[case::foreign_forbidden(Kind::Status(Answer::bare(StatusCode::FORBIDDEN)), 0)]
#[tokio::test]
async fn after_an_unclear_end_the_search_tells_the_truth(
    #[case] kind: Kind,
    #[case] executed: usize,
) {
    let (simulator, client) = start(Behaviour::default()).await;
    simulator.arm(Fault::on(Method::POST, "admin/finance/payments", kind).times(1));
    assert!(matches!(pay(&client, KEY).await, WriteOutcome::Unclear { .. }));
    let truth = payments_with(&simulator, KEY);
    assert_eq!(truth.len(), executed);
    assert_eq!(ids(&search(&client).await), truth);
}

#[tokio::test]
async fn a_request_executed_after_its_connection_broke_is_found_later() {
    let (simulator, client) = start(Behaviour::default()).await;
    let late = Kind::ExecuteLate { ms: 300 };
    simulator.arm(Fault::on(Method::POST, "admin/finance/payments", late).times(1));
    assert!(matches!(pay(&client, KEY).await, WriteOutcome::Unclear { .. }));
    assert!(ids(&search(&client).await).is_empty());
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(ids(&search(&client).await), payments_with(&simulator, KEY));
    assert_eq!(payments_with(&simulator, KEY).len(), 1);
}

#[tokio::test]
async fn what_splynx_refuses_is_surely_not_executed_and_told_in_its_words() {
    let (simulator, client) = start(Behaviour::default()).await;
    let body = payment(KEY).replace("5.00", "0");
    let invalid = write(&client, Endpoint::Payments, &body).await;
    let WriteOutcome::NotExecuted(NotExecuted::Refused { sentence }) = invalid else {
        panic!("{invalid:?}");
    };
    assert!(sentence.contains("amount: "), "{sentence}");
    simulator.edit(|world| {
        world.access.set_permission(r"api\admin\finance\Payments", "add", false);
    });
    let forbidden = pay(&client, KEY).await;
    assert!(
        matches!(forbidden, WriteOutcome::NotExecuted(NotExecuted::Refused { .. })),
        "{forbidden:?}"
    );
    assert_eq!(payments_with(&simulator, KEY).len(), 0);
    let answer = Answer { retry_after: Some(9), ..Answer::bare(StatusCode::TOO_MANY_REQUESTS) };
    simulator.arm(Fault::on(Method::POST, "admin/finance/payments", Kind::Status(answer)));
    let wait = TimeDelta::seconds(9);
    let throttled = WriteOutcome::NotExecuted(NotExecuted::Throttled { wait });
    assert_eq!(pay(&client, KEY).await, throttled);
}

#[tokio::test]
async fn a_document_is_changed_by_a_put() {
    let (_simulator, client) = start(Behaviour::default()).await;
    let number = DocumentNumber::parse("201801000001").unwrap();
    let kind = DocumentKind::Invoice;
    let before = client.document_by_number(kind, &number).await.unwrap().unwrap();
    let item = json!({"items": [{
        "description": format!("Bitpay fee {KEY}"), "quantity": 1, "unit": "",
        "price": "5.0000", "tax": "0.0000"
    }]});
    let endpoint = Endpoint::Document(kind, before.reference.id);
    let outcome = write(&client, endpoint, &item.to_string()).await;
    assert_eq!(outcome, WriteOutcome::Done { splynx_id: None });
    let after = client.document(&before.reference).await.unwrap().unwrap();
    assert!(after.has_item_ending_with(KEY));
    assert_eq!(after.total - before.total, "5".parse().unwrap());
    let gone = Endpoint::Document(kind, DocumentId::new(9999));
    let outcome = write(&client, gone, "{}").await;
    assert!(
        matches!(outcome, WriteOutcome::NotExecuted(NotExecuted::Refused { .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn an_ignored_filter_is_noticed_and_walked_around() {
    let behaviour = Behaviour { ignore_filter: true, ..Behaviour::default() };
    let (simulator, client) = start(behaviour).await;
    for n in 0..120 {
        pay(&client, &format!("BP-other-{n}")).await;
    }
    assert_eq!(client.filter_works().await, Ok(false));
    assert!(ids(&search(&client).await).is_empty());
    pay(&client, KEY).await;
    for n in 0..5 {
        pay(&client, &format!("BP-later-{n}")).await;
    }
    assert_eq!(ids(&search(&client).await), payments_with(&simulator, KEY));
    let number = DocumentNumber::parse("201801000001").unwrap();
    let found = client.document_by_number(DocumentKind::Invoice, &number).await.unwrap();
    assert_eq!(found.unwrap().reference.number, number);
    assert_eq!(client.payments_with_our_keys(yesterday(), tomorrow()).await.unwrap().len(), 126);
}

#[tokio::test]
async fn a_fee_is_found_among_the_customers_transactions() {
    for ignore_filter in [false, true] {
        let (_simulator, client) = start(Behaviour { ignore_filter, ..Behaviour::default() }).await;
        pay(&client, KEY).await;
        let customer = CustomerId::new(1);
        assert!(ids(&client.find_transactions(&key(), customer, yesterday()).await).is_empty());
        let fee = json!({
            "type": "debit", "customer_id": 1, "quantity": 1, "price": "5.0000", "tax_percent": "0.0000",
            "date": yesterday().to_string(), "category": 5, "description": format!("Bitpay fee {KEY}"),
            "comment": format!("Bitpay {KEY}"), "source": "auto",
        });
        let outcome = write(&client, Endpoint::Transactions, &fee.to_string()).await;
        let WriteOutcome::Done { splynx_id: Some(id) } = outcome else { panic!("{outcome:?}") };
        let found = client.find_transactions(&key(), customer, yesterday()).await;
        assert_eq!(ids(&found), [id.get()]);
    }
}

#[tokio::test]
async fn reconcile_sees_our_payments_with_their_sums() {
    let (_simulator, client) = start(Behaviour::default()).await;
    assert_eq!(client.payments_with_our_keys(yesterday(), tomorrow()).await, Ok(vec![]));
    pay(&client, KEY).await;
    pay(&client, "CASH-7").await;
    let [row] =
        client.payments_with_our_keys(yesterday(), tomorrow()).await.unwrap().try_into().unwrap();
    assert_eq!((row.customer, row.receipt_number.as_str()), (CustomerId::new(1), KEY));
    assert_eq!(row.amount, "5".parse().unwrap());
    let strangers = CreditKey::parse("BP-stranger-1").unwrap();
    let asked = [key(), strangers.clone()];
    assert_eq!(client.payments_by_keys(&asked, yesterday()).await, Ok(vec![row]));
    assert_eq!(client.payments_by_keys(&[strangers], yesterday()).await, Ok(vec![]));
}

#[tokio::test]
async fn reconcile_finds_keys_whether_or_not_splynx_heeds_its_filters() {
    for ignore_filter in [false, true] {
        let (_simulator, client) = start(Behaviour { ignore_filter, ..Behaviour::default() }).await;
        for n in 0..130 {
            pay(&client, &format!("CASH-{n}")).await;
        }
        pay(&client, KEY).await;
        pay(&client, KEY).await;
        let found = client.payments_by_keys(&[key()], yesterday()).await.unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
    }
}

#[tokio::test]
async fn a_statement_record_is_made_found_and_changed() {
    let (simulator, client) = start(Behaviour::default()).await;
    let statement = client.statement("Bitpay 10/2018").await.unwrap();
    assert_eq!(client.statement("Bitpay 10/2018").await, Ok(statement));
    assert_ne!(client.statement("Bitpay 11/2018").await, Ok(statement));
    assert_eq!(client.find_record("attempt-1").await, Ok(None));
    let body = json!({
        "bank_statements_process_id": statement.get(), "amount": "51.61", "status": "new",
        "customer_id": 1, "payment_date": "2018-10-31", "comment": "Bitpay",
        "additional_1": "attempt-1",
    });
    let record = client.add_record(&body.to_string()).await.unwrap();
    assert_eq!(client.find_record("attempt-1").await, Ok(Some(record)));
    client.change_record(record, r#"{"status":"processed"}"#).await.unwrap();
    let status = simulator.read(|world| {
        let id = record.get().try_into().unwrap();
        world.books.records.get(id).unwrap().status.clone()
    });
    assert_eq!(status, "processed");
    assert!(matches!(client.add_record("{}").await, Err(PeerError::Refused { .. })));
}

#[tokio::test]
async fn the_modules_settings_are_read() {
    let (simulator, client) = start(Behaviour::default()).await;
    assert_eq!(client.module_settings().await.unwrap().len(), 0);
    simulator.edit(|world| {
        world.module_settings().insert("currency".to_owned(), json!("EUR"));
        world.module_settings().insert("payment_method_id".to_owned(), json!(6));
    });
    let settings = client.module_settings().await.unwrap();
    assert_eq!(settings["currency"], "EUR");
    assert_eq!(settings["payment_method_id"], "6");
}

#[rstest]
#[case(Seed::Demo, false)]
#[case(Seed::Demo, true)]
#[case(Seed::Bare, false)]
#[tokio::test]
async fn visitors_are_who_they_are(#[case] seed: Seed, #[case] has_settings: bool) {
    let options = Options { seed, ..Options::default() };
    let simulator = Simulator::start(options.clone()).await.unwrap();
    simulator.edit(|world| {
        if seed == Seed::Bare {
            // The only customer has the only admin's id.
            assert_eq!(world.books.add_customer("recurring"), 1);
        }
        if has_settings {
            world.module_settings().insert("currency".to_owned(), json!("EUR"));
        }
    });
    let client = client_of(&simulator, &options);
    let admin = SecretString::from(simulator.open_session(Principal::Admin(1)));
    let customer = SecretString::from(simulator.open_session(Principal::Customer(1)));
    for freshness in [Freshness::Asked, Freshness::Remembered] {
        assert_eq!(client.identify(&admin, freshness).await, Ok(Identity::Admin { id: 1 }));
        let who = client.identify(&customer, freshness).await.unwrap();
        assert!(
            matches!(who, Identity::Customer(ref one) if one.id == CustomerId::new(1)),
            "{who:?}"
        );
        let nobody = SecretString::from("4f2k1hq0u3v5l8");
        assert_eq!(client.identify(&nobody, freshness).await, Ok(Identity::Nobody));
    }
    let now = SystemClock::default().now().timestamp();
    // No request has used the API key so far, and the sessions' tokens are deleted.
    assert_eq!(simulator.read(|world| world.access.live_tokens(now)), 0);
}

#[tokio::test]
async fn a_visitor_who_logged_out_cannot_change_anything_any_more() {
    let (simulator, client) = start(Behaviour::default()).await;
    let cookie = simulator.open_session(Principal::Customer(2));
    let secret = SecretString::from(cookie.clone());
    assert!(matches!(
        client.identify(&secret, Freshness::Remembered).await,
        Ok(Identity::Customer(_))
    ));
    simulator.edit(|world| world.access.revoke_session(&cookie));
    assert_eq!(client.identify(&secret, Freshness::Asked).await, Ok(Identity::Nobody));
    assert_eq!(client.identify(&secret, Freshness::Remembered).await, Ok(Identity::Nobody));
}

#[tokio::test]
async fn doctor_gets_its_answers() {
    let (_simulator, client) = start(Behaviour::default()).await;
    assert!(client.check().await.unwrap().good);
    assert_eq!(client.filter_works().await, Ok(true));
    assert_eq!(client.localization_currency().await, Ok(Some("USD".to_owned())));
    let methods = client.payment_methods().await.unwrap();
    assert!(methods.iter().any(|method| method.id == 5 && method.name == "Other" && method.active));
    let categories = client.transaction_categories().await.unwrap();
    assert!(categories.iter().any(|category| category.name == "Correction"));
    let points = client.entry_points().await.unwrap();
    assert!(points.iter().any(|point| point.name == "bitpay_pay_invoice_point"), "{points:?}");
    let permissions = client.probe_permissions().await;
    assert!(permissions.iter().all(|permission| permission.verdict.is_ok()), "{permissions:?}");
}

#[rstest]
#[case(r"api\admin\finance\Payments", "index", true)]
#[case(r"api\admin\finance\Payments", "view", true)]
#[case(r"api\admin\finance\Invoices", "index", true)]
#[case(r"api\admin\finance\Invoices", "view", true)]
#[case(r"api\admin\finance\Requests", "view", false)]
#[case(r"api\admin\finance\Transactions", "index", false)]
#[case(r"api\admin\finance\BankStatements", "index", false)]
#[case(r"api\admin\finance\BankStatementsRecords", "index", false)]
#[case(r"api\admin\finance\PaymentMethods", "index", false)]
#[case(r"api\admin\finance\PaymentMethods", "view", false)]
#[case(r"api\admin\administration\Partners", "index", false)]
#[case(r"api\admin\customers\Customer", "view", false)]
#[case(r"api\admin\config\Config", "index", false)]
#[tokio::test]
async fn every_permission_that_is_missing_is_named(
    #[case] controller: &str,
    #[case] action: &str,
    #[case] vital: bool,
    #[values(Seed::Demo, Seed::Bare)] seed: Seed,
) {
    let options = Options { seed, ..Options::default() };
    let simulator = Simulator::start(options.clone()).await.unwrap();
    let client = client_of(&simulator, &options);
    simulator.edit(|world| world.access.set_permission(controller, action, false));
    let permissions = client.probe_permissions().await;
    let missing: Vec<_> =
        permissions.iter().filter(|permission| permission.verdict.is_err()).collect();
    let [missing] = missing.as_slice() else { panic!("{missing:?}") };
    assert_eq!((missing.controller, missing.action, missing.vital), (controller, action, vital));
    assert!(matches!(missing.verdict, Err(PeerError::Refused { .. })), "{missing:?}");
}

#[tokio::test]
async fn a_splynx_that_is_down_is_unavailable_to_everybody() {
    let (simulator, client) = start(Behaviour::default()).await;
    simulator.arm(Fault::on_any("", Kind::Down));
    assert!(client.customer(CustomerId::new(1)).await.unwrap_err().is_unavailable());
    assert!(client.module_settings().await.unwrap_err().is_unavailable());
    let cookie = SecretString::from("4f2k1hq0u3v5l8");
    assert!(client.identify(&cookie, Freshness::Remembered).await.is_err());
    assert!(matches!(search(&client).await, SearchOutcome::Incomplete { unavailable: true, .. }));
    simulator.disarm();
    assert!(client.customer(CustomerId::new(1)).await.unwrap().is_some());
}

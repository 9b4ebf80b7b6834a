//! Transactions, statements and the short lists.

use reqwest::Method;
use rstest::rstest;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::support::{Api, plain, simulator};

fn debit(changes: &Value) -> Value {
    let mut body = json!({
        "type": "debit", "customer_id": 2, "price": "9.8039", "tax_percent": "2",
        "date": "2018-10-31", "category": 5, "description": "Bitpay fee BP-1-1",
        "comment": "BP-1-1", "source": "manual",
    });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[rstest]
#[case("debit", "-10.00")]
#[case("credit", "10.00")]
#[tokio::test]
async fn a_transaction_moves_the_deposit_by_its_total(#[case] kind: &str, #[case] effect: &str) {
    let simulator = simulator().await;
    let before = simulator.read(|world| world.books.deposit(2));
    let api = Api::signed(&simulator);

    let id = api.post("admin/finance/transactions", &debit(&json!({ "type": kind }))).await.id();

    let moved = simulator.read(|world| world.books.deposit(2)) - before;
    assert_eq!(moved, effect.parse::<Decimal>().unwrap());
    let path = format!("admin/finance/transactions/{id}");
    assert_eq!(api.field(&path, "total").await, "10.0000");
    assert_eq!(api.field(&path, "comment").await, "BP-1-1");
}

#[rstest]
#[case(json!({"type": null}), &["type"])]
#[case(json!({"type": "gift"}), &["type"])]
#[case(json!({"customer_id": 99}), &["customer_id"])]
#[case(json!({"category": 99}), &["category"])]
#[case(json!({"date": null}), &["date"])]
#[case(json!({"tax_percent": null}), &["tax_percent"])]
#[tokio::test]
async fn a_wrong_transaction_is_refused(#[case] changes: Value, #[case] complaints: &[&str]) {
    let simulator = simulator().await;
    let before = simulator.read(|world| world.books.deposit(2));
    let answer = Api::signed(&simulator).post("admin/finance/transactions", &debit(&changes)).await;
    assert_eq!(answer.complaints(), complaints);
    assert_eq!(simulator.read(|world| world.books.deposit(2)), before);
}

#[tokio::test]
async fn a_statement_record_is_made_and_processed() {
    let simulator = simulator().await;
    let api = Api::signed(&simulator);
    let title = json!({ "title": "Bitpay 10/2018", "status": "success" });
    let statement = api.post("admin/finance/bank-statements", &title).await.id();
    let record = json!({
        "bank_statements_process_id": statement, "amount": "51.61", "status": "new",
        "customer_id": 1, "payment_date": "2018-10-31", "comment": "Bitpay", "additional_1": "A1",
    });
    let record = api.post("admin/finance/bank-statements-records", &record).await.id();
    let path = format!("admin/finance/bank-statements-records/{record}");

    let done = json!({ "status": "processed", "payment_id": 1 });
    let answer = api.put(&path, &done).await;

    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    assert_eq!(api.field(&path, "status").await, "processed");
    assert_eq!(api.field(&path, "amount").await, "51.6100");
    assert_eq!(api.field(&path, "additional_1").await, "A1");
    let search = "admin/finance/bank-statements?main_attributes[title]=Bitpay 10/2018";
    let found = api.get(search).await.json();
    let row = &found.as_array().unwrap()[0];
    assert_eq!((plain(&row["records"]), plain(&row["processed"])), ("1".into(), "1".into()));
}

#[tokio::test]
async fn statements_of_equal_titles_are_two_statements() {
    let simulator = simulator().await;
    let api = Api::signed(&simulator);
    let title = json!({ "title": "Bitpay 10/2018", "status": "success" });
    let first = api.post("admin/finance/bank-statements", &title).await.id();
    assert_ne!(api.post("admin/finance/bank-statements", &title).await.id(), first);
}

#[rstest]
#[case("bank-statements", json!({}), &["title"])]
#[case("bank-statements", json!({"title": "x", "status": "done"}), &["status"])]
#[case("bank-statements-records", json!({}), &["bank_statements_process_id"])]
#[case("bank-statements-records", json!({"bank_statements_process_id": 9}), &["bank_statements_process_id"])]
#[case("payment-methods", json!({"name": "BitPay"}), &["is_active"])]
#[tokio::test]
async fn a_wrong_row_is_refused(
    #[case] path: &str,
    #[case] body: Value,
    #[case] complaints: &[&str],
) {
    let simulator = simulator().await;
    let answer = Api::signed(&simulator).post(&format!("admin/finance/{path}"), &body).await;
    assert_eq!(answer.complaints(), complaints);
}

#[tokio::test]
async fn the_live_default_methods_and_categories_are_there() {
    let simulator = simulator().await;
    let api = Api::signed(&simulator);
    let names = async |path: &str| {
        let rows = api.get(path).await.json().as_array().unwrap().clone();
        let pair = |row: &Value| format!("{} {}", plain(&row["id"]), plain(&row["name"]));
        rows.iter().map(pair).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        names("admin/finance/payment-methods").await,
        "1 Cash, 2 Bank transfer, 3 Credit card, 5 Other, 6 Refill card"
    );
    assert_eq!(
        names("admin/finance/transaction-categories").await,
        "1 Service, 2 Discount, 3 Payment, 4 Refund, 5 Correction"
    );
    let method = json!({ "name": "BitPay", "is_active": true });
    assert_eq!(api.post("admin/finance/payment-methods", &method).await.id(), 7);
}

#[tokio::test]
async fn an_email_is_queued() {
    let simulator = simulator().await;
    let mail = json!({
        "type": "add-on", "subject": "Look at it", "recipient": "noc@example.com", "message": "…",
    });
    assert_eq!(Api::signed(&simulator).post("admin/config/mail", &mail).await.status, 201);
    let state = simulator.state();
    assert_eq!(state.mails.get(1).unwrap().subject, "Look at it");
}

#[rstest]
#[case(Method::GET, "admin/finance/nonsense", "404 NOT_FOUND")]
#[case(Method::GET, "admin/finance/payments/99", "404 NOT_FOUND")]
#[case(Method::PUT, "admin/finance/payments", "405 METHOD_DISABLED")]
#[case(Method::GET, "admin/config/config", "400 INVALID_INPUT_DATA")]
#[tokio::test]
async fn what_is_not_there_is_said_so(
    #[case] method: Method,
    #[case] path: &str,
    #[case] expected: &str,
) {
    let simulator = simulator().await;
    let answer = Api::signed(&simulator).send(method, path, Some(&json!({}))).await;
    assert_eq!(answer.refusal(), expected);
}

#[tokio::test]
async fn the_entry_points_of_the_package_are_registered_read_only() {
    let simulator = simulator().await;
    let api = Api::signed(&simulator);
    let rows = api.get("admin/config/entry-points").await.json();
    let first = &rows.as_array().unwrap()[0];
    assert_eq!(first["name"], "bitpay_pay_invoice_point");
    assert_eq!(first["model"], "Invoices");
    assert_eq!(api.post("admin/config/entry-points", &json!({})).await.status, 403);
}

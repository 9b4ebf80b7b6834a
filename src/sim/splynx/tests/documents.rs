//! PUT of documents: items, sums and statuses.

use rstest::rstest;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::support::{Api, plain, simulator};
use crate::sim::splynx::{Simulator, Status};

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

async fn put(simulator: &Simulator, path: &str, body: Value) -> u16 {
    Api::signed(simulator).put(&format!("admin/finance/{path}"), &body).await.status
}

/// (items, total, due) of an invoice.
fn sums(simulator: &Simulator, id: u64) -> (usize, Decimal, Decimal) {
    let state = simulator.state();
    let invoice = state.invoices.get(id).unwrap();
    (invoice.items.len(), invoice.total, invoice.due)
}

fn fee() -> Value {
    json!({ "description": "Bitpay fee BP-1-1", "quantity": 1, "unit": "", "price": "9.8039", "tax": "2" })
}

#[rstest]
#[case::without_an_id(json!({}))]
#[case::with_id_zero(json!({ "id": 0 }))]
#[case::with_id_null(json!({ "id": null }))]
#[tokio::test]
async fn an_item_without_an_id_is_appended_every_time(#[case] id: Value) {
    let simulator = simulator().await;
    let mut item = fee();
    item.as_object_mut().unwrap().extend(id.as_object().unwrap().clone());

    assert_eq!(put(&simulator, "invoices/2", json!({ "items": [item.clone()] })).await, 202);
    assert_eq!(sums(&simulator, 2), (2, dec("110.00"), dec("110.00")));

    assert_eq!(put(&simulator, "invoices/2", json!({ "items": [item] })).await, 202);
    assert_eq!(sums(&simulator, 2), (3, dec("120.00"), dec("120.00")));
}

#[tokio::test]
async fn an_item_with_an_id_replaces_that_item_and_no_other() {
    let simulator = simulator().await;
    let items = simulator.state().invoices.get(1).unwrap().items.clone();
    let change = json!({ "items": [{ "id": items[0].id, "price": "10.0000", "tax": 0 }] });

    assert_eq!(put(&simulator, "invoices/1", change).await, 202);

    let after = simulator.state().invoices.get(1).unwrap().clone();
    assert_eq!(after.items.len(), 2);
    assert_eq!(after.items[0].description, items[0].description);
    assert_eq!(after.items[1], items[1]);
    assert_eq!((after.total, after.due), (dec("11.61"), dec("11.61")));
}

#[tokio::test]
async fn an_item_of_another_document_is_not_found() {
    let simulator = simulator().await;
    let foreign = simulator.state().invoices.get(2).unwrap().items[0].id;
    let change = json!({ "items": [{ "id": foreign, "description": "x" }] });
    assert_eq!(put(&simulator, "invoices/1", change).await, 422);
}

#[tokio::test]
async fn the_due_is_the_total_less_what_is_allocated() {
    let simulator = simulator().await;
    assert_eq!(sums(&simulator, 5), (1, dec("75"), dec("25")));
    put(&simulator, "invoices/5", json!({ "items": [fee()] })).await;
    assert_eq!(sums(&simulator, 5), (2, dec("85"), dec("35")));
}

#[tokio::test]
async fn an_item_is_charged_to_the_deposit() {
    let simulator = simulator().await;
    let before = simulator.read(|world| world.books.deposit(1));
    put(&simulator, "invoices/2", json!({ "items": [fee()] })).await;
    assert_eq!(simulator.read(|world| world.books.deposit(1)), before - dec("10.00"));

    let proforma = before - dec("10.00");
    put(&simulator, "proforma-invoices/1", json!({ "items": [fee()] })).await;
    assert_eq!(simulator.read(|world| world.books.deposit(1)), proforma);
}

#[tokio::test]
async fn an_item_shows_its_vat() {
    let simulator = simulator().await;
    let item =
        Api::signed(&simulator).get("admin/finance/invoices/1").await.json()["items"][0].clone();
    assert_eq!(plain(&item["price"]), "41.3223");
    assert_eq!(plain(&item["tax"]), "21.0000");
    assert_eq!(plain(&item["tax_amount"]), "8.6800");
}

#[tokio::test]
async fn a_status_is_put_and_read_back_with_an_empty_answer() {
    let simulator = simulator().await;
    let api = Api::signed(&simulator);
    let body = json!({ "status": "paid", "date_payment": "2018-10-31", "payment_id": 1 });

    let answer = api.put("admin/finance/invoices/1", &body).await;

    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    assert_eq!(api.field("admin/finance/invoices/1", "status").await, "paid");
    assert_eq!(api.field("admin/finance/invoices/1", "date_payment").await, "2018-10-31");
    assert_eq!(api.field("admin/finance/invoices/1", "payment_id").await, "1");
    assert_eq!(sums(&simulator, 1).2, Decimal::ZERO);
}

#[rstest]
#[case("invoices/1", json!({"status": "Paid"}), 422)]
#[case("invoices/1", json!({"payment_id": 99}), 422)]
#[case("invoices/1", json!({"items": "x"}), 422)]
#[case("invoices/1", json!({"items": [{"price": "1"}]}), 422)]
#[case("proforma-invoices/1", json!({"status": "deleted"}), 422)]
#[case("invoices/99", json!({"status": "paid"}), 404)]
#[case("invoices/x", json!({"status": "paid"}), 404)]
#[case("invoices", json!({"status": "paid"}), 405)]
#[tokio::test]
async fn a_wrong_put_changes_nothing(#[case] path: &str, #[case] body: Value, #[case] status: u16) {
    let simulator = simulator().await;
    let before = simulator.state().invoices.get(1).unwrap().clone();
    assert_eq!(put(&simulator, path, body).await, status);
    assert_eq!(*simulator.state().invoices.get(1).unwrap(), before);
}

#[tokio::test]
async fn sums_and_due_cannot_be_put() {
    let simulator = simulator().await;
    let body = json!({ "total": "1.00", "due": "0", "number": "x", "customer_id": 2 });
    assert_eq!(put(&simulator, "invoices/1", body).await, 202);
    let invoice = simulator.state().invoices.get(1).unwrap().clone();
    assert_eq!((invoice.total, invoice.due), (dec("51.61"), dec("51.61")));
    assert_eq!((invoice.number.as_str(), invoice.customer_id), ("201801000001", 1));
}

#[tokio::test]
async fn the_documents_of_the_demo_are_in_every_state() {
    let simulator = simulator().await;
    let state = simulator.state();
    let own = state.invoices.iter().filter(|invoice| invoice.customer_id == 1);
    let rows: Vec<_> = own
        .map(|row| (row.number.as_str(), row.total.to_string(), row.due.to_string(), row.status))
        .collect();
    let row =
        |number, total: &str, due: &str, status| (number, total.to_owned(), due.to_owned(), status);
    assert_eq!(
        rows,
        [
            row("201801000001", "51.61", "51.61", Status::NotPaid),
            row("201802000001", "100.00", "100.00", Status::NotPaid),
            row("201803000001", "30.00", "0.00", Status::Paid),
            row("201804000001", "40.00", "40.00", Status::Deleted),
            row("201805000001", "75.00", "25.00", Status::NotPaid),
        ]
    );
    assert_eq!(state.proformas.get(1).unwrap().number, "201801000001");
}

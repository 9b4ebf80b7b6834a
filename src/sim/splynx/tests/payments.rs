//! What a payment does, and above all what it does not do.

use rstest::rstest;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::support::{Api, simulator};
use crate::sim::splynx::{Direction, Draft, Kind, Simulator, Status};

/// A complete payment of customer 1, with these fields instead.
fn payment(changes: &Value) -> Value {
    let mut body = json!({
        "customer_id": 1, "payment_type": 5, "receipt_number": "BP-1-1", "date": "2018-10-31",
        "amount": "51.61", "comment": "BP-1-1",
        "field_1": "BP-1-1", "field_2": "", "field_3": "", "field_4": "", "field_5": "",
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
            _ => body[name] = value.clone(),
        }
    }
    body
}

async fn pay(simulator: &Simulator, changes: Value) -> u64 {
    Api::signed(simulator).post("admin/finance/payments", &payment(&changes)).await.id()
}

/// The status and the `due` of an invoice.
fn invoice(simulator: &Simulator, id: u64) -> (Status, String) {
    let state = simulator.state();
    let invoice = state.invoices.get(id).unwrap();
    (invoice.status, invoice.due.to_string())
}

fn proforma(simulator: &Simulator, id: u64) -> Status {
    simulator.state().proformas.get(id).unwrap().status
}

fn deposit(simulator: &Simulator, customer_id: u64) -> Decimal {
    simulator.read(|world| world.books.deposit(customer_id))
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_linked_payment_of_exactly_the_due_pays_the_invoice() {
    let simulator = simulator().await;
    let id = pay(&simulator, json!({ "invoice_id": 1 })).await;

    let state = simulator.state();
    let invoice = state.invoices.get(1).unwrap();
    assert_eq!(invoice.status, Status::Paid);
    assert_eq!(invoice.payment_id, Some(id));
    assert_eq!(invoice.date_payment.unwrap().to_string(), "2018-10-31");
    assert_eq!(invoice.due, Decimal::ZERO);
    assert_eq!(state.payments.get(id).unwrap().remind_amount, Decimal::ZERO);
}

#[rstest]
#[case::a_cent_less("51.60", "0.01")]
#[case::half("25.00", "26.61")]
#[case::a_cent_more("51.62", "51.61")]
#[case::double("103.22", "51.61")]
#[case::refund("-51.61", "51.61")]
#[case::a_hundredth_of_a_cent("51.6099", "0.0001")]
#[tokio::test]
async fn a_linked_payment_of_another_sum_is_recorded_but_pays_nothing(
    #[case] amount: &str,
    #[case] due: &str,
) {
    let simulator = simulator().await;
    let id = pay(&simulator, json!({ "invoice_id": 1, "amount": amount })).await;

    assert_eq!(simulator.state().payments.get(id).unwrap().amount, dec(amount));
    let (status, left) = invoice(&simulator, 1);
    assert_eq!((status, dec(&left)), (Status::NotPaid, dec(due)));
}

#[rstest]
#[case::partial_needs_what_is_left("25.00", Status::Paid)]
#[case::not_its_total("75.00", Status::NotPaid)]
#[tokio::test]
async fn a_partly_paid_invoice_is_paid_by_its_due(#[case] amount: &str, #[case] expected: Status) {
    let simulator = simulator().await;
    let partial = simulator.read(|world| {
        world.books.by_number(Kind::Invoice, "201805000001").map(|invoice| invoice.id).unwrap()
    });
    assert_eq!(invoice(&simulator, partial), (Status::NotPaid, "25.00".to_owned()));
    pay(&simulator, json!({ "invoice_id": partial, "amount": amount })).await;
    assert_eq!(invoice(&simulator, partial).0, expected);
}

#[rstest]
#[case("60.00", Status::Paid)]
#[case("59.99", Status::NotPaid)]
#[case("60.01", Status::NotPaid)]
#[tokio::test]
async fn a_proforma_is_paid_by_exactly_its_total(#[case] amount: &str, #[case] expected: Status) {
    let simulator = simulator().await;
    pay(&simulator, json!({ "request_id": 1, "amount": amount })).await;
    assert_eq!(proforma(&simulator, 1), expected);
    assert_eq!(invoice(&simulator, 1).0, Status::NotPaid, "linked money is not allocated");
}

#[tokio::test]
async fn with_sets_paid_off_no_payment_turns_a_document_paid() {
    let simulator = simulator().await;
    simulator.edit(|world| world.behaviour.sets_paid = false);
    pay(&simulator, json!({ "invoice_id": 1 })).await;
    pay(&simulator, json!({ "request_id": 1, "amount": "60" })).await;
    pay(&simulator, json!({ "customer_id": 2, "amount": "20.00" })).await;

    assert_eq!(invoice(&simulator, 1), (Status::NotPaid, "0.00".to_owned()));
    assert_eq!(invoice(&simulator, 6).0, Status::NotPaid);
    assert_eq!(proforma(&simulator, 1), Status::NotPaid);
}

#[rstest]
#[case::paid(3, Status::Paid)]
#[case::deleted(4, Status::Deleted)]
#[tokio::test]
async fn a_payment_for_a_closed_invoice_changes_nothing_of_it(
    #[case] id: u64,
    #[case] status: Status,
) {
    let simulator = simulator().await;
    let before = simulator.state().invoices.get(id).unwrap().clone();
    pay(&simulator, json!({ "invoice_id": id, "amount": before.total.to_string() })).await;
    let after = simulator.state().invoices.get(id).unwrap().clone();
    assert_eq!(before.status, status);
    assert_eq!(after, before);
}

#[tokio::test]
async fn two_equal_posts_are_two_payments() {
    let simulator = simulator().await;
    let before = (simulator.state().payments.len(), deposit(&simulator, 1));
    let first = pay(&simulator, json!({ "invoice_id": 1 })).await;
    let second = pay(&simulator, json!({ "invoice_id": 1 })).await;

    assert_ne!(first, second);
    let state = simulator.state();
    assert_eq!(state.payments.len(), before.0 + 2);
    assert_eq!(state.payments_with_receipt("BP-1-1").len(), 2);
    assert_eq!(deposit(&simulator, 1), before.1 + dec("103.22"));
}

#[tokio::test]
async fn unlinked_money_goes_to_the_oldest_unpaid_invoice_and_the_rest_stays() {
    let simulator = simulator().await;
    let before = deposit(&simulator, 1);
    let id = pay(&simulator, json!({ "amount": "80.00" })).await;

    assert_eq!(invoice(&simulator, 1), (Status::Paid, "0.00".to_owned()));
    assert_eq!(invoice(&simulator, 2), (Status::NotPaid, "100.00".to_owned()));
    assert_eq!(simulator.state().payments.get(id).unwrap().remind_amount, dec("28.39"));
    assert_eq!(deposit(&simulator, 1), before + dec("80.00"));
}

#[tokio::test]
async fn unlinked_money_that_does_not_cover_the_oldest_invoice_only_lowers_its_due() {
    let simulator = simulator().await;
    pay(&simulator, json!({ "amount": "51.60" })).await;
    assert_eq!(invoice(&simulator, 1), (Status::NotPaid, "0.01".to_owned()));
}

#[tokio::test]
async fn without_auto_allocate_unlinked_money_stays_on_the_balance() {
    let simulator = simulator().await;
    simulator.edit(|world| world.behaviour.auto_allocate = false);
    let before = deposit(&simulator, 1);
    let id = pay(&simulator, json!({ "amount": "80.00" })).await;

    assert_eq!(invoice(&simulator, 1), (Status::NotPaid, "51.61".to_owned()));
    assert_eq!(simulator.state().payments.get(id).unwrap().remind_amount, dec("80.00"));
    assert_eq!(deposit(&simulator, 1), before + dec("80.00"));
}

#[tokio::test]
async fn nobody_elses_invoice_is_touched() {
    let simulator = simulator().await;
    pay(&simulator, json!({ "customer_id": 2, "amount": "500" })).await;
    assert_eq!(invoice(&simulator, 1).0, Status::NotPaid);
    assert_eq!(invoice(&simulator, 6).0, Status::Paid);
}

#[tokio::test]
async fn every_payment_books_one_credit_transaction() {
    let simulator = simulator().await;
    let id = pay(&simulator, json!({ "invoice_id": 1, "amount": "10.5" })).await;
    let state = simulator.state();
    let payment = state.payments.get(id).unwrap();
    let own = state.transactions.iter().filter(|row| row.payment_id == Some(id));
    let own: Vec<_> = own.map(|row| (row.id, row.direction, row.total, row.category)).collect();
    let transaction_id = payment.transaction_id.unwrap();
    assert_eq!(own, [(transaction_id, Direction::Credit, dec("10.5"), 3)]);
}

#[tokio::test]
async fn a_deposit_is_always_the_sum_of_the_transactions() {
    let simulator = simulator().await;
    pay(&simulator, json!({ "invoice_id": 1 })).await;
    let id = pay(&simulator, json!({ "amount": "80.00" })).await;
    pay(&simulator, json!({ "amount": "-5" })).await;
    simulator.edit(|world| world.books.delete_payment(id));

    let state = simulator.state();
    for customer in &state.customers {
        let own = state.transactions.iter().filter(|row| row.customer_id == customer.id);
        let sum: Decimal = own.map(crate::sim::splynx::Transaction::effect).sum();
        assert_eq!(customer.deposit, sum, "{}", customer.login);
    }
    assert_eq!(deposit(&simulator, 1), dec("-51.61") - dec("130") + dec("51.61"));
}

#[tokio::test]
async fn a_deleted_payment_gives_its_money_and_its_invoice_back() {
    let simulator = simulator().await;
    let before = (invoice(&simulator, 1), deposit(&simulator, 1));
    let id = pay(&simulator, json!({ "invoice_id": 1 })).await;
    assert!(simulator.edit(|world| world.books.delete_payment(id)));
    assert_eq!((invoice(&simulator, 1), deposit(&simulator, 1)), before);
    assert!(!simulator.edit(|world| world.books.delete_payment(id)));
}

#[rstest]
#[case(json!({"customer_id": null}), &["customer_id"])]
#[case(json!({"customer_id": 99}), &["customer_id"])]
#[case(json!({"customer_id": "x"}), &["customer_id", "customer_id"])]
#[case(json!({"payment_type": null}), &["payment_type"])]
#[case(json!({"payment_type": 4}), &["payment_type"])]
#[case(json!({"amount": "0.00"}), &["amount"])]
#[case(json!({"amount": "ten"}), &["amount", "amount"])]
#[case(json!({"amount": "1.00001"}), &["amount", "amount"])]
#[case(json!({"amount": null}), &["amount"])]
#[case(json!({"date": null}), &["date"])]
#[case(json!({"date": "0000-00-00"}), &["date"])]
#[case(json!({"date": "2018-02-30"}), &["date"])]
#[case(json!({"date": "31.10.2018"}), &["date"])]
#[case(json!({"receipt_number": null}), &["receipt_number"])]
#[case(json!({"receipt_number": ""}), &["receipt_number"])]
#[case(json!({"receipt_number": "012345678901234567890123456789012"}), &["receipt_number"])]
#[case(json!({"comment": "x".repeat(257)}), &["comment"])]
#[case(json!({"field_1": null}), &["field_1"])]
#[case(json!({"field_5": null, "amount": 0}), &["field_5", "amount"])]
#[case(json!({"invoice_id": 99}), &["invoice_id"])]
#[case(json!({"invoice_id": 6}), &["invoice_id"])]
#[case(json!({"request_id": 2}), &["request_id"])]
#[tokio::test]
async fn an_incomplete_or_wrong_payment_is_refused_and_nothing_is_written(
    #[case] changes: Value,
    #[case] complaints: &[&str],
) {
    let simulator = simulator().await;
    let before = simulator.state();
    let answer = Api::signed(&simulator).post("admin/finance/payments", &payment(&changes)).await;
    assert_eq!(answer.complaints(), complaints);
    assert_eq!(simulator.state().payments.len(), before.payments.len());
    assert_eq!(simulator.state().transactions.len(), before.transactions.len());
}

#[tokio::test]
async fn an_inactive_payment_method_takes_no_payment() {
    let simulator = simulator().await;
    simulator.edit(|world| world.books.methods.get_mut(5).unwrap().is_active = false);
    let answer = Api::signed(&simulator).post("admin/finance/payments", &payment(&json!({}))).await;
    assert_eq!(answer.complaints(), ["payment_type"]);
}

#[rstest]
#[case("51.61")]
#[case("51.6100")]
#[tokio::test]
async fn the_longest_allowed_texts_are_taken(#[case] amount: &str) {
    let simulator = simulator().await;
    let changes = json!({
        "receipt_number": "r".repeat(32), "comment": "c".repeat(256), "field_1": "f".repeat(512),
        "amount": amount,
    });
    let id = pay(&simulator, changes).await;
    let state = simulator.state();
    assert_eq!(state.payments.get(id).unwrap().receipt_number.len(), 32);
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_a_bad_request() {
    let simulator = simulator().await;
    let api = Api::signed(&simulator);
    assert_eq!(api.post("admin/finance/payments", &json!([1])).await.refusal(), "400 BAD_REQUEST");
}

#[tokio::test]
async fn a_document_made_in_between_takes_the_next_number_of_its_month() {
    let simulator = simulator().await;
    let created = "2018-01-20T10:00:00".parse().unwrap();
    let id = simulator.add_document(Kind::Invoice, Draft::of(1, dec("9.99"), created));
    assert_eq!(simulator.state().invoices.get(id).unwrap().number, "201801000003");
}

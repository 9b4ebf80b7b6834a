//! Where a credit goes, and with which bytes.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};

use crate::app::postings::{Reach, of_decided, record};
use crate::app::tests::bench::{Bench, at, attempt, committed, credit, payable, usd};
use crate::domain::attempt::{Attempt, State};
use crate::domain::connection::Environment;
use crate::domain::credit::Target;
use crate::domain::ids::{CustomerId, DocumentId, SplynxId};
use crate::domain::payable::{DocumentItem, DocumentKind, Payable};
use crate::domain::posting::{PostingKind, PostingState};
use crate::domain::review::ReviewReason;
use crate::domain::rules::PaymentRules;
use crate::ports::billing::Endpoint;

const INVOICE: DocumentKind = DocumentKind::Invoice;
const PROFORMA: DocumentKind = DocumentKind::ProformaInvoice;

fn payment(amount: &str, words: &str) -> Value {
    json!({
        "customer_id": 42, "payment_type": 9, "receipt_number": "BP-ours-1", "date": "2023-11-14",
        "amount": amount, "comment": words, "field_1": "BP-ours-1", "field_2": "ours",
        "field_3": attempt(Payable::TopUp, false).id.to_string(), "field_4": "", "field_5": "",
    })
}

fn with(mut fields: Value, name: &str, value: i64) -> Value {
    fields[name] = value.into();
    fields
}

fn debit(words: &str) -> Value {
    json!({
        "type": "debit", "customer_id": 42, "quantity": 1, "price": "8.3333", "tax_percent": "20.0000",
        "date": "2023-11-14", "category": 5, "description": "Bitpay fee BP-ours-1", "comment": words,
        "source": "auto",
    })
}

/// Records one undecided credit of this sum and returns what was written.
async fn written(bench: &Bench, attempt: Attempt, sum: i64) -> Vec<(Endpoint, Value)> {
    let credits = vec![credit(1, usd(sum), Target::Undecided)];
    let mut turn = bench.turn(attempt, credits, vec![]).await;
    assert_eq!(record(&mut turn).await.unwrap(), Reach::Fine);
    assert_eq!(turn.ledger.attempt.state, State::Recorded);
    assert_eq!((turn.ledger.attempt.work_at, turn.ledger.attempt.failures), (None, 0));
    bench.desk().writes.iter().map(|(to, body, _)| (*to, body.clone())).collect()
}

fn to_document(kind: DocumentKind) -> Endpoint {
    Endpoint::Document(kind, DocumentId::new(7))
}

fn status(payment: i64) -> Value {
    json!({ "status": "paid", "date_payment": "2023-11-14", "payment_id": payment })
}

#[tokio::test]
async fn an_invoice_gets_its_payment_and_is_marked_paid() {
    let bench = Bench::new();
    bench.desk().shows(INVOICE, "100.00");
    let writes = written(&bench, attempt(payable(INVOICE), false), 10_000).await;
    let wanted = [
        (Endpoint::Payments, with(payment("100.00", "Bitpay BP-ours-1"), "invoice_id", 7)),
        (to_document(INVOICE), status(501)),
    ];
    assert_eq!(writes, wanted);
    assert_eq!(bench.reviews().await, []);
}

#[tokio::test]
async fn the_fee_of_an_invoice_is_on_it_before_the_payment() {
    let bench = Bench::new();
    bench.desk().shows(INVOICE, "100.00");
    let item = json!({ "items": [{
        "description": "Bitpay fee BP-ours-1", "quantity": 1, "unit": "", "price": "8.3333", "tax": "20.0000",
    }] });
    let writes = written(&bench, attempt(payable(INVOICE), true), 11_000).await;
    let wanted = [
        (to_document(INVOICE), item),
        (Endpoint::Payments, with(payment("110.00", "Bitpay BP-ours-1"), "invoice_id", 7)),
        (to_document(INVOICE), status(502)),
    ];
    assert_eq!(writes, wanted);
    assert_eq!(bench.reviews().await, []);
}

#[tokio::test]
async fn the_fee_of_a_proforma_invoice_is_debited_after_the_payment() {
    let bench = Bench::new();
    bench.desk().shows(PROFORMA, "100.00");
    let writes = written(&bench, attempt(payable(PROFORMA), true), 11_000).await;
    let wanted = [
        (Endpoint::Payments, with(payment("110.00", "Bitpay BP-ours-1"), "request_id", 7)),
        (Endpoint::Transactions, debit("Bitpay BP-ours-1")),
        (to_document(PROFORMA), status(501)),
    ];
    assert_eq!(writes, wanted);
    let searches = bench.desk().searches.iter().map(|(what, ..)| *what).collect::<Vec<_>>();
    assert_eq!(searches, ["payments", "transactions"], "each in its own place");
}

#[tokio::test]
async fn a_top_up_goes_to_the_balance_and_test_money_says_so() {
    let bench = Bench::new();
    let words = "TEST Bitpay BP-ours-1";
    let refill = Attempt { environment: Environment::Test, ..attempt(Payable::TopUp, true) };
    let writes = written(&bench, refill, 11_000).await;
    let wanted =
        [(Endpoint::Payments, payment("110.00", words)), (Endpoint::Transactions, debit(words))];
    assert_eq!(writes, wanted);
    assert_eq!(bench.reviews().await, []);
}

#[rstest]
#[case::a_part_of_the_price(Payable::TopUp, 1, 5_000)]
#[case::a_later_credit_of_the_whole_price(Payable::TopUp, 2, 11_000)]
#[tokio::test]
async fn only_the_whole_price_pays_the_fee(
    #[case] payable: Payable,
    #[case] n: u32,
    #[case] sum: i64,
) {
    let bench = Bench::new();
    let credits = vec![credit(n, usd(sum), Target::Undecided)];
    let mut turn = bench.turn(attempt(payable, true), credits, vec![]).await;
    assert_eq!(record(&mut turn).await.unwrap(), Reach::Fine);
    assert_eq!(bench.desk().endpoints(), [Endpoint::Payments]);
}

#[tokio::test]
async fn an_item_that_is_there_is_not_added_again() {
    let bench = Bench::new();
    bench.desk().shows(INVOICE, "110.00");
    let description = "Bitpay fee BP-ours-1 ".to_owned();
    let ours = DocumentItem { id: 77, description, price: rust_decimal::Decimal::ONE };
    let other = DocumentItem { id: 76, description: "Internet".to_owned(), ..ours.clone() };
    bench.desk().document.as_mut().unwrap().items.extend([other, ours]);
    let writes = written(&bench, attempt(payable(INVOICE), true), 11_000).await;
    let to: Vec<_> = writes.iter().map(|(to, _)| *to).collect();
    assert_eq!(to, [Endpoint::Payments, to_document(INVOICE)]);
    let item = committed(&bench, PostingKind::FeeItem).await;
    assert_eq!(item.state, PostingState::Posted { splynx_id: Some(SplynxId::new(77)) });
}

#[rstest]
#[case::of_another_customer(43, "100.00")]
#[case::of_another_sum(42, "90.00")]
#[case::of_another_sum_by_one_cent(42, "100.01")]
#[tokio::test]
async fn no_fee_goes_on_a_document_that_has_changed(#[case] customer: i64, #[case] total: &str) {
    let bench = Bench::new();
    bench.desk().shows(INVOICE, total);
    bench.desk().document.as_mut().unwrap().customer = CustomerId::new(customer);
    let credits = vec![credit(1, usd(11_000), Target::Undecided)];
    let mut turn = bench.turn(attempt(payable(INVOICE), true), credits, vec![]).await;
    record(&mut turn).await.unwrap();
    assert!(turn.ledger.postings.iter().all(|posting| posting.kind != PostingKind::FeeItem));
    assert!(bench.reasons().await.contains(&ReviewReason::DocumentChanged));
}

#[tokio::test]
async fn what_the_document_no_longer_asks_for_goes_to_the_balance_under_a_key_of_its_own() {
    let bench = Bench::new();
    bench.desk().shows(INVOICE, "60.00");
    let credits = vec![credit(1, usd(10_000), Target::Undecided)];
    let mut turn = bench.turn(attempt(payable(INVOICE), false), credits, vec![]).await;
    record(&mut turn).await.unwrap();
    let parts: Vec<_> = turn
        .ledger
        .credits
        .iter()
        .map(|it| (it.key.to_string(), it.n, it.amount, it.target))
        .collect();
    let wanted = [
        ("BP-ours-1".to_owned(), 1, usd(6_000), Target::Document),
        ("BP-ours-2".to_owned(), 2, usd(4_000), Target::Balance),
    ];
    assert_eq!(parts, wanted);
    let sums: Vec<_> =
        bench.desk().writes.iter().map(|(_, body, _)| body["amount"].clone()).collect();
    assert_eq!(sums[..2], [json!("60.00"), json!("40.00")]);
    let told = "100.00 USD went to the balance in whole or in part: only 60.00 USD are due on the document.";
    assert!(bench.reviews().await.contains(&(ReviewReason::DocumentChanged, told.to_owned())));
}

#[tokio::test]
async fn without_its_document_all_goes_to_the_balance_and_a_person_is_told() {
    let bench = Bench::new();
    let writes = written(&bench, attempt(payable(INVOICE), true), 11_000).await;
    assert_eq!(writes, [(Endpoint::Payments, payment("110.00", "Bitpay BP-ours-1"))]);
    assert_eq!(bench.reasons().await, [ReviewReason::DocumentChanged]);
}

#[tokio::test]
async fn a_sum_of_another_currency_waits_for_a_person() {
    let bench = Bench::new();
    let euro = crate::domain::money::Currency::parse("EUR").unwrap();
    let rules = bench.app.rules();
    bench.app.set_rules(PaymentRules { currency: euro, ..rules.as_ref().clone() });
    let credits = vec![credit(1, usd(10_000), Target::Undecided)];
    let mut turn = bench.turn(attempt(payable(INVOICE), false), credits, vec![]).await;
    bench.clock.set(10);
    assert_eq!(record(&mut turn).await.unwrap(), Reach::Unasked);
    assert_eq!(turn.ledger.attempt.work_at, Some(at(10) + TimeDelta::hours(1)));
    assert_eq!(turn.ledger.postings, []);
    let told = "100.00 USD was paid, but the currency is EUR now.".to_owned();
    assert_eq!(bench.reviews().await, [(ReviewReason::CurrencyChanged, told)]);
}

#[rstest]
#[case(9_999, Target::Document, &[PostingKind::DocumentPayment])]
#[case(10_000, Target::Document, &[PostingKind::DocumentPayment, PostingKind::DocumentStatus])]
#[case(10_001, Target::Document, &[PostingKind::DocumentPayment, PostingKind::DocumentStatus])]
#[case(10_000, Target::Balance, &[PostingKind::BalancePayment])]
#[tokio::test]
async fn what_a_person_decided_pays_the_document_if_it_covers_what_was_due(
    #[case] sum: i64,
    #[case] target: Target,
    #[case] kinds: &[PostingKind],
) {
    let bench = Bench::new();
    let decided = credit(1, usd(sum), target);
    let open = attempt(payable(INVOICE), false);
    let turn = bench.turn(open, vec![decided.clone()], vec![]).await;
    let postings = of_decided(&turn, &decided);
    let found: Vec<_> = postings.iter().map(|posting| posting.kind).collect();
    assert_eq!(found, kinds);
}

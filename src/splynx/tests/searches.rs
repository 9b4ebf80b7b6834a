//! Absence is only ever concluded from a filter that works or a walk that never lost its place.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::domain::ids::{CreditKey, CustomerId, SplynxId};
use crate::domain::posting::SearchOutcome;
use crate::ports::PeerError;
use crate::ports::billing::Billing as _;
use crate::splynx::testing::{Fake, Play, Seen, answer, own_error};

const KEY: &str = "BP-BukWCRGV8Q1tW9jXfBSeS7-1";

fn payment(id: i64, receipt: &str) -> Value {
    json!({
        "id": id, "customer_id": "1", "receipt_number": receipt, "amount": "5.0000",
        "comment": "", "date": "2018-10-31", "real_create_datetime": "2018-10-31 10:00:00"
    })
}

async fn search(fake: &Fake) -> SearchOutcome {
    let key = CreditKey::parse(KEY).unwrap();
    let since = NaiveDate::from_ymd_opt(2018, 10, 30).unwrap();
    fake.client().find_payments(&key, CustomerId::new(1), since).await
}

async fn search_debits(fake: &Fake) -> SearchOutcome {
    let key = CreditKey::parse(KEY).unwrap();
    let since = NaiveDate::from_ymd_opt(2018, 10, 30).unwrap();
    fake.client().find_transactions(&key, CustomerId::new(1), since).await
}

fn found(ids: &[i64]) -> SearchOutcome {
    SearchOutcome::Complete(ids.iter().copied().map(SplynxId::new).collect())
}

fn parameter(seen: &Seen, name: &str) -> Option<usize> {
    let query = seen.target.split_once('?')?.1;
    let value = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")))?;
    value.parse().ok()
}

/// A Splynx that ignores every filter, but orders and pages.
fn without_filter(rows: Vec<Value>, page: usize) -> Fake {
    Fake::start(move |seen, _| {
        let limit = parameter(seen, "limit").unwrap().min(page);
        let offset = parameter(seen, "offset").unwrap_or(0);
        let rows: Vec<_> = rows.iter().skip(offset).take(limit).collect();
        answer(200, json!(rows).to_string())
    })
}

#[tokio::test]
async fn a_filter_that_works_finds_the_payment_in_one_request() {
    let fake = Fake::start(|_, _| answer(200, json!([payment(17, KEY)]).to_string()));
    assert_eq!(search(&fake).await, found(&[17]));
    let [seen] = fake.requests().try_into().unwrap();
    assert!(seen.target.contains(&format!("main_attributes[receipt_number]={KEY}")));
    assert!(seen.target.contains("main_attributes[customer_id]=1"));
}

#[tokio::test]
async fn two_payments_with_the_key_are_both_reported() {
    let rows = json!([payment(18, KEY), payment(17, KEY)]);
    let fake = Fake::start(move |_, _| answer(200, rows.to_string()));
    assert_eq!(search(&fake).await, found(&[18, 17]));
}

#[tokio::test]
async fn an_empty_list_is_absence_and_nothing_else_is() {
    assert_eq!(search(&Fake::start(|_, _| answer(200, "[]"))).await, found(&[]));
    for (play, down) in [
        (answer(200, "{}"), false),
        (answer(200, ""), false),
        (answer(200, "<html>"), false),
        (answer(200, "null"), false),
        (own_error(403, "FORBIDDEN"), false),
        (answer(502, "[]"), true),
        (Play::Drop, true),
        (Play::Hang, true),
    ] {
        let outcome = search(&Fake::start(move |_, _| play.clone())).await;
        let SearchOutcome::Incomplete { unavailable, why } = outcome else {
            panic!("took it for a proof");
        };
        assert_eq!(unavailable, down, "{why}");
    }
}

#[tokio::test]
async fn a_receipt_number_in_other_case_is_neither_ours_nor_a_broken_filter() {
    let rows = json!([payment(17, &KEY.to_lowercase())]);
    let fake = Fake::start(move |_, _| answer(200, rows.to_string()));
    assert_eq!(search(&fake).await, found(&[]));
}

#[tokio::test]
async fn a_payment_whose_receipt_number_splynx_replaced_is_found_by_its_field() {
    let fake = Fake::start(|seen, _| {
        if !seen.target.contains("[field_1]") {
            return answer(200, "[]");
        }
        let mut row = payment(17, "2018-000123");
        row["field_1"] = json!(KEY);
        answer(200, json!([row]).to_string())
    });
    assert_eq!(search(&fake).await, found(&[17]));
}

#[tokio::test]
async fn an_ignored_filter_makes_us_walk_over_all_payments() {
    let mut rows: Vec<_> = (1..=250).rev().map(|id| payment(id, "other")).collect();
    assert_eq!(search(&without_filter(rows.clone(), 100)).await, found(&[]));
    rows[230] = payment(20, KEY);
    let fake = without_filter(rows.clone(), 100);
    assert_eq!(search(&fake).await, found(&[20]));
    // The search, three pages that share a row each, and one that shows nothing new.
    assert_eq!(fake.requests().len(), 5);
    assert_eq!(search(&without_filter(rows, 30)).await, found(&[20]));
}

#[tokio::test]
async fn a_walk_over_the_newest_rows_ends_a_day_before_the_posting() {
    let mut rows: Vec<_> = (1..=250).rev().map(|id| payment(id, "other")).collect();
    rows[20]["date"] = json!("2018-01-01");
    rows[120]["real_create_datetime"] = json!("2018-10-29 23:59:59");
    rows[120]["date"] = json!("2018-10-29");
    let fake = without_filter(rows, 100);
    assert_eq!(search(&fake).await, found(&[]));
    assert_eq!(fake.requests().len(), 3);
}

/// Even where the key was seen: whether it is there twice is not known, and Splynx will soon answer again.
#[tokio::test]
async fn a_failing_page_leaves_the_question_open() {
    let mut rows: Vec<_> = (1..=250).rev().map(|id| payment(id, "other")).collect();
    rows[3]["receipt_number"] = json!(KEY);
    let fake = Fake::start(move |seen, _| {
        if parameter(seen, "offset") == Some(99) {
            return answer(502, "");
        }
        answer(200, json!(rows[..100]).to_string())
    });
    let outcome = search(&fake).await;
    assert!(matches!(outcome, SearchOutcome::Incomplete { unavailable: true, .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_splynx_that_ignores_order_or_offset_leaves_the_question_open() {
    let ascending: Vec<_> = (1..=100).map(|id| payment(id, "other")).collect();
    let always_the_same: Vec<_> = (1..=100).rev().map(|id| payment(id, "other")).collect();
    for rows in [ascending, always_the_same] {
        let fake = Fake::start(move |_, _| answer(200, json!(rows).to_string()));
        assert!(matches!(
            search(&fake).await,
            SearchOutcome::Incomplete { unavailable: false, .. }
        ));
    }
}

#[tokio::test]
async fn a_walk_that_somebody_disturbed_is_begun_anew() {
    let rows: Vec<_> = (1..=150).rev().map(|id| payment(id, "other")).collect();
    let fake = Fake::start(move |seen, before| {
        let offset = parameter(seen, "offset").unwrap_or(0);
        let shift = usize::from(offset > 0 && before == 0);
        let page: Vec<_> = rows.iter().skip(offset + shift).take(100).collect();
        answer(200, json!(page).to_string())
    });
    assert_eq!(search(&fake).await, found(&[]));
}

#[tokio::test]
async fn a_splynx_that_shows_everything_at_once_needs_neither_order_nor_offset() {
    for rows in [99, 101] {
        let all: Vec<_> = (1..=rows).map(|id| payment(id, "other")).collect();
        let fake = Fake::start(move |_, _| answer(200, json!(all).to_string()));
        assert_eq!(search(&fake).await, found(&[]));
    }
}

/// The oldest row comes first, so that its age says nothing of the rows after it.
#[tokio::test]
async fn an_old_row_ends_no_walk_that_does_not_descend() {
    let mut rows: Vec<_> = (1..=100).map(|id| payment(id, "other")).collect();
    rows[0]["date"] = json!("2018-01-01");
    rows[0]["real_create_datetime"] = json!("2018-01-01 00:00:00");
    let fake = Fake::start(move |_, _| answer(200, json!(rows).to_string()));
    assert!(matches!(search(&fake).await, SearchOutcome::Incomplete { .. }));
}

#[tokio::test]
async fn a_payment_that_was_seen_is_there_even_if_the_walk_was_not_whole() {
    let mut rows: Vec<_> = (1..=100).map(|id| payment(id, "other")).collect();
    rows[46]["receipt_number"] = json!(KEY);
    let fake = Fake::start(move |_, _| answer(200, json!(rows).to_string()));
    assert_eq!(search(&fake).await, found(&[47]));
}

#[tokio::test]
async fn payments_of_other_customers_are_passed_over() {
    let mut rows: Vec<_> = (1..=20).rev().map(|id| payment(id, "other")).collect();
    for row in &mut rows[..10] {
        row["customer_id"] = json!(2);
        row["real_create_datetime"] = json!("2018-01-01 00:00:00");
        row["date"] = json!("2018-01-01");
    }
    rows[2]["receipt_number"] = json!(KEY);
    rows[15]["receipt_number"] = json!(KEY);
    assert_eq!(search(&without_filter(rows, 100)).await, found(&[5]));
}

fn debit(id: i64, description: &str) -> Value {
    json!({"id": id, "customer_id": 1, "type": "debit", "description": description})
}

#[tokio::test]
async fn a_fee_is_found_by_its_description() {
    let rows = json!([debit(9, &format!("Bitpay fee {KEY}"))]);
    let fake = Fake::start(move |_, _| answer(200, rows.to_string()));
    assert_eq!(search_debits(&fake).await, found(&[9]));
    let target = &fake.requests()[0].target;
    assert!(target.contains("main_attributes[description][0]=LIKE"), "{target}");
    assert!(target.contains(&format!("main_attributes[description][1]=%25{KEY}%25")), "{target}");
}

#[tokio::test]
async fn a_like_that_finds_nothing_proves_nothing_by_itself() {
    let fake = Fake::start(|seen, _| {
        if seen.target.contains("LIKE") {
            return answer(200, "[]");
        }
        let whole = json!([debit(9, "x"), debit(8, &format!("Bitpay fee {KEY}"))]);
        let end = json!([debit(8, "x")]);
        let page = if parameter(seen, "offset") == Some(0) { whole } else { end };
        answer(200, page.to_string())
    });
    assert_eq!(search_debits(&fake).await, found(&[8]));
}

#[tokio::test]
async fn the_payments_own_transaction_is_not_the_fee() {
    let mut credit = debit(9, &format!("Payment {KEY}"));
    credit["type"] = json!("credit");
    let fake = without_filter(vec![credit, debit(8, "Internet")], 100);
    assert_eq!(search_debits(&fake).await, found(&[]));
}

async fn list(fake: &Fake) -> Result<Vec<i64>, PeerError> {
    let since = NaiveDate::from_ymd_opt(2018, 10, 31).unwrap();
    let rows = fake.client().payments_with_our_keys(since, since).await?;
    Ok(rows.into_iter().map(|row| row.id.get()).collect())
}

/// Newest first: ours, one dated earlier, somebody else's, ours, and what lies before the time asked for.
fn mixed() -> Vec<Value> {
    let mut rows: Vec<_> = (1..=150).rev().map(|id| payment(id, "other")).collect();
    rows[0]["receipt_number"] = json!(KEY);
    rows[1]["receipt_number"] = json!("BP-old-1");
    rows[1]["date"] = json!("2018-10-30");
    rows[110]["receipt_number"] = json!("BT-x-2");
    for row in &mut rows[120..] {
        row["date"] = json!("2018-10-01");
        row["real_create_datetime"] = json!("2018-10-01 00:00:00");
        row["receipt_number"] = json!("BP-long-ago-1");
    }
    rows
}

#[tokio::test]
async fn reconcile_gets_all_payments_with_our_keys_of_some_days() {
    let fake = without_filter(mixed(), 100);
    assert_eq!(list(&fake).await.unwrap(), [150, 40]);
    let target = &fake.requests()[0].target;
    assert!(target.contains("main_attributes[receipt_number][0]=LIKE"), "{target}");
    assert!(target.contains("main_attributes[receipt_number][1]=B_-%25"), "{target}");
}

#[tokio::test]
async fn where_like_finds_nothing_all_payments_of_these_days_are_looked_through() {
    let fake = Fake::start(|seen, _| {
        if seen.target.contains("LIKE") {
            return answer(200, "[]");
        }
        assert!(seen.target.contains("main_attributes[date][0]=BETWEEN"), "{}", seen.target);
        assert!(seen.target.contains("main_attributes[date][1]=2018-10-31"), "{}", seen.target);
        let rows = [payment(7, KEY), payment(6, "other")];
        let offset = parameter(seen, "offset").unwrap();
        answer(200, json!(rows[offset..]).to_string())
    });
    assert_eq!(list(&fake).await.unwrap(), [7]);
}

#[tokio::test]
async fn a_list_that_changes_while_it_is_read_is_begun_anew() {
    let rows = mixed();
    let fake = Fake::start(move |seen, before| {
        let offset = parameter(seen, "offset").unwrap();
        let shift = usize::from(offset > 0 && before == 0);
        let page: Vec<_> = rows.iter().skip(offset + shift).take(100).collect();
        answer(200, json!(page).to_string())
    });
    assert_eq!(list(&fake).await.unwrap(), [150, 40]);
    // Receipt numbers, then each of the two texts: two pages each, all of them twice.
    assert_eq!(fake.requests().len(), 12);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_to_its_end_is_an_error() {
    let page: Vec<_> = mixed().into_iter().take(100).collect();
    let stuck = Fake::start(move |_, _| answer(200, json!(page).to_string()));
    assert!(matches!(list(&stuck).await, Err(PeerError::Unreadable { .. })));
    let page: Vec<_> = mixed().into_iter().take(100).collect();
    let failing = Fake::start(move |seen, _| match parameter(seen, "offset") {
        Some(0) => answer(200, json!(page).to_string()),
        _ => answer(502, ""),
    });
    assert!(list(&failing).await.unwrap_err().is_unavailable());
}

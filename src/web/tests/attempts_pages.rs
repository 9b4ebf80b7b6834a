//! The admin's list of attempts, and the page of one.

use chrono::{DateTime, TimeDelta, Utc};
use rstest::rstest;
use rust_decimal::Decimal;

use super::world::{ATTEMPT, Answer, Fault, House, lock};
use crate::domain::attempt::{Attempt, Opened, State, Terms};
use crate::domain::connection::{Environment, ProcessorKind};
use crate::domain::credit::{ByHand, Credit, Target, credit_key};
use crate::domain::fee::Fee;
use crate::domain::ids::{
    AttemptId, ConnectionId, CustomerId, DocumentId, DocumentNumber, Hook, PostingId,
    ProcessorInvoiceId, ResultToken, ReviewId, SplynxId,
};
use crate::domain::money::{Currency, Money};
use crate::domain::payable::{DocumentKind, DocumentRef, Payable};
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::domain::review::{Review, ReviewClosed, ReviewReason};

const LIST: &str = "/bitpay/admin/attempts";
const HOSTILE: &str = "\"><script>alert(1)</script>{{ frame }}";

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap() + TimeDelta::minutes(minutes)
}

fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::parse("USD").unwrap())
}

/// An attempt begun in the `n`-th minute, of customer `n` for document `INV-n` through processor invoice `proc-n`.
pub(super) fn attempt(n: i64, id: &str) -> Attempt {
    let random = u128::try_from(n).unwrap();
    let fee = Fee {
        gross: usd(161),
        net: Decimal::ONE,
        vat_percent: Decimal::ZERO,
        text: "Bitpay fee".to_owned(),
        category: 5,
    };
    Attempt {
        id: AttemptId::parse(id).unwrap(),
        hook: Hook::new(0xABC_DEF0 + random),
        result_token: ResultToken::new(0xFED_CBA0 + random),
        connection: ConnectionId::new(at(0), 1),
        processor: ProcessorKind::BitPay,
        environment: Environment::Production,
        customer: CustomerId::new(n),
        payable: Payable::Document(DocumentRef {
            kind: DocumentKind::Invoice,
            id: DocumentId::new(n),
            number: DocumentNumber::parse(&format!("INV-{n}")).unwrap(),
        }),
        terms: Terms::new(usd(5000), Some(fee), Decimal::from(50)).unwrap(),
        state: State::AwaitingPayment,
        opened: Some(Opened {
            invoice: ProcessorInvoiceId::parse(&format!("proc-{n}")).unwrap(),
            checkout_url: "https://bitpay.com/i/checkout-secret".to_owned(),
            expires_at: at(n + 15),
            opened_at: at(n),
        }),
        open_key: None,
        created_at: at(n),
        settled_at: None,
        recorded_at: None,
        monitor_until: at(100_000),
        last_seen: Some("new".to_owned()),
        look_at: None,
        work_at: None,
        failures: 0,
        version: 1,
    }
}

pub(super) fn put(house: &House, attempt: Attempt) {
    lock(&house.world.rows).attempts.push(attempt);
}

fn numbered(n: i64) -> Attempt {
    attempt(n, &AttemptId::new(at(n), 1).to_string())
}

pub(super) fn review(of: &Attempt, reason: ReviewReason, words: &str) -> Review {
    let id = ReviewId::new(at(0), 1);
    let words = words.to_owned();
    Review { id, attempt: of.id, reason, words, opened_at: at(30), closed: None }
}

/// A site where the attempts 1 to `last` were begun.
async fn house(last: i64) -> House {
    let house = House::paired().await;
    (1..=last).for_each(|n| put(&house, numbered(n)));
    house
}

async fn look(house: &House, path: &str) -> Answer {
    let page = house.get("admin-1", path).await;
    assert_eq!(page.status, 200, "{path}");
    page
}

/// The customers on a page of the list, in its order.
async fn customers(house: &House, query: &str) -> Vec<i64> {
    let page = look(house, &format!("{LIST}?{query}")).await;
    let cells = page.body.split("data-label=\"Customer ID\">").skip(1);
    cells.map(|cell| cell.split('<').next().unwrap().parse().unwrap()).collect()
}

#[rstest]
#[case::customer_of_the_same_id("customer-1", 403, "")]
#[case::nobody("nobody", 303, "https://isp.example/admin/login/?return=")]
#[case::without_a_session("", 303, "https://isp.example/admin/login/?return=")]
#[tokio::test]
async fn who_is_no_admin_sees_nothing(
    #[case] cookie: &str,
    #[case] status: u16,
    #[case] goal: &str,
) {
    let house = house(1).await;
    let known = format!("{LIST}/{}", numbered(1).id);
    let paths = [LIST.to_owned(), known, format!("{LIST}/{ATTEMPT}"), format!("{LIST}/no-id")];
    for path in paths {
        let answer = house.get(cookie, &path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.header("location").starts_with(goal), "{path}");
        assert!(!answer.body.contains("INV-1") && !answer.body.contains("proc-1"), "{path}");
    }
}

#[tokio::test]
async fn an_admin_without_a_session_comes_back_to_the_page_they_wanted() {
    let house = house(1).await;
    let id = numbered(1).id;
    let answer = house.get("nobody", &format!("{LIST}/{id}")).await;
    let back = format!("?return=%2Fbitpay%2Fadmin%2Fattempts%2F{id}");
    assert!(answer.header("location").ends_with(&back), "{}", answer.header("location"));
}

#[tokio::test]
async fn the_list_shows_every_attempt_newest_first() {
    let house = house(3).await;
    let reviewed = numbered(2);
    for reason in [ReviewReason::Refused, ReviewReason::Duplicate] {
        lock(&house.world.rows).reviews.push(review(&reviewed, reason, "Look."));
    }
    assert_eq!(customers(&house, "").await, [3, 2, 1]);
    let page = look(&house, LIST).await;
    let href = format!("href=\"{LIST}/{}\"", reviewed.id);
    for part in [&href, "Waiting for the payment", "Invoice INV-2", "51.61 USD", "proc-2"] {
        assert!(page.body.contains(part), "{part}");
    }
    assert!(page.body.contains("2026-09-21 14:1"), "{}", page.body);
    let badge = format!("class=\"badge\" href=\"{LIST}/{}#reviews\">To review: 2<", reviewed.id);
    assert_eq!(page.body.matches(&badge).count(), 1);
    assert_eq!(page.body.matches("class=\"badge\"").count(), 1);
}

#[tokio::test]
async fn a_long_list_is_read_page_by_page() {
    let house = house(101).await;
    let first: Vec<i64> = (52..=101).rev().collect();
    assert_eq!(customers(&house, "").await, first);
    assert_eq!(customers(&house, "page=2").await, (2..=51).rev().collect::<Vec<_>>());
    assert_eq!(customers(&house, "page=3").await, [1]);
    for no_page in ["page=0", "page=-1", "page=two", "page=", "page=99999999999", "page=1&page=2"] {
        assert_eq!(customers(&house, no_page).await, first, "{no_page}");
    }
    let ways = |page: &Answer| ["rel=\"prev\"", "rel=\"next\""].map(|way| page.body.contains(way));
    assert_eq!(ways(&look(&house, LIST).await), [false, true]);
    let middle = look(&house, &format!("{LIST}?page=2")).await;
    assert_eq!(ways(&middle), [true, true]);
    assert!(middle.body.contains("Page 2") && middle.body.contains("attempts?page=3"));
    assert_eq!(ways(&look(&house, &format!("{LIST}?page=3")).await), [true, false]);
    assert_eq!(customers(&house, "page=4294967295").await, Vec::<i64>::new());
}

#[tokio::test]
async fn a_full_last_page_leads_no_further() {
    let house = house(50).await;
    assert_eq!(customers(&house, "").await.len(), 50);
    assert!(!look(&house, LIST).await.body.contains("rel=\"next\""));
}

#[tokio::test]
async fn the_list_can_be_narrowed() {
    let house = house(3).await;
    let open = review(&numbered(3), ReviewReason::Refused, "Look.");
    let closed = ReviewClosed { at: at(40), by: "Admin".to_owned(), note: String::new() };
    let done = review(&numbered(1), ReviewReason::Refused, "Look.");
    let done = Review { closed: Some(closed), ..done };
    lock(&house.world.rows).reviews.extend([open, done]);
    assert_eq!(customers(&house, "review=1").await, [3]);
    assert_eq!(customers(&house, "q=2").await, [2]);
    assert_eq!(customers(&house, "q=+proc-1%00+").await, [1]);
    assert_eq!(customers(&house, &format!("q={}", numbered(3).id)).await, [3]);
    assert_eq!(customers(&house, "q=2&review=1").await, Vec::<i64>::new());
    let page = look(&house, &format!("{LIST}?q=2&review=1")).await;
    assert!(page.body.contains("Nothing was found.") && page.body.contains(" checked"));
    assert!(page.body.contains("value=\"2\""), "what was searched for can be corrected");
}

#[tokio::test]
async fn the_list_can_be_narrowed_by_fields_and_read_in_other_sizes() {
    let house = house(60).await;
    assert_eq!(customers(&house, "customer=7").await, [7]);
    assert_eq!(customers(&house, "customer=7&state=expired").await, Vec::<i64>::new());
    assert_eq!(customers(&house, "rows=25&page=3").await, (1..=10).rev().collect::<Vec<_>>());
    assert_eq!(customers(&house, "rows=100").await.len(), 60);
    let page = look(&house, &format!("{LIST}?rows=25&customer=&state=awaiting_payment")).await;
    assert!(page.body.contains("page=2&amp;rows=25&amp;state=awaiting_payment"), "{}", page.body);
    assert!(page.body.contains("value=\"awaiting_payment\" selected"));
    for (query, words) in [
        ("customer=seven", "A customer ID is a number."),
        ("day=31.12.2026", "A day looks like 2026-12-31."),
        ("state=lost", "There is no such state."),
        ("invoice=a+b", "This cannot be the ID of a BitPay invoice."),
        ("customer=99", "Nothing was found."),
    ] {
        let page = look(&house, &format!("{LIST}?{query}")).await;
        assert!(page.body.contains(words) && page.body.contains("Show all"), "{query}");
    }
}

#[tokio::test]
async fn an_empty_list_says_so() {
    let house = house(0).await;
    let page = look(&house, LIST).await;
    assert!(page.body.contains("No payment has been begun yet."));
    assert!(!page.body.contains("<table"));
}

/// An attempt with a credit, two postings and two reviews, whose free texts are these words.
async fn full_house(words: &str) -> House {
    let house = House::paired().await;
    let attempt = attempt(7, ATTEMPT);
    let invoice = ProcessorInvoiceId::parse("proc-7").unwrap();
    let credit = Credit {
        key: credit_key(ProcessorKind::BitPay, &invoice, 1).unwrap(),
        attempt: attempt.id,
        connection: attempt.connection,
        invoice,
        n: 1,
        amount: usd(5161),
        target: Target::Balance,
        date: at(0).date_naive(),
        by_hand: ByHand::Nothing,
    };
    let posting = |n, kind, state| Posting {
        id: PostingId::new(at(0), n),
        attempt: attempt.id,
        credit: Some(credit.key.clone()),
        kind,
        state,
        body: r#"{"frozen":"body"}"#.to_owned(),
        tries: 3,
        first_begun_at: Some(at(1)),
        last_error: Some(words.to_owned()),
    };
    let posted = PostingState::Posted { splynx_id: Some(SplynxId::new(4711)) };
    let unknown = PostingState::Unknown { begun_at: at(1), first_absent: None, search_at: at(20) };
    let by = words.to_owned();
    let closed = ReviewClosed { at: at(40), by, note: words.to_owned() };
    let done = review(&attempt, ReviewReason::DocumentChanged, words);
    let mut rows = lock(&house.world.rows);
    rows.reviews.push(review(&attempt, ReviewReason::CannotSearch, words));
    rows.reviews.push(Review { closed: Some(closed), ..done });
    rows.postings.push(posting(1, PostingKind::BalancePayment, posted));
    rows.postings.push(posting(2, PostingKind::FeeDebit, unknown));
    rows.credits.push(credit);
    let last_seen = Some(words.to_owned());
    let mut attempt = Attempt { state: State::Settled, last_seen, ..attempt };
    attempt.settled_at = Some(at(9));
    if words == HOSTILE {
        let number = DocumentNumber::parse(words).unwrap();
        let (kind, id) = (DocumentKind::ProformaInvoice, DocumentId::new(7));
        attempt.payable = Payable::Document(DocumentRef { kind, id, number });
    }
    rows.attempts.push(attempt);
    drop(rows);
    house
}

#[tokio::test]
async fn one_attempts_page_shows_every_row_that_hangs_on_it() {
    let house = full_house("Splynx was on holiday.").await;
    let page = look(&house, &format!("{LIST}/{ATTEMPT}")).await;
    for part in [
        &format!("Payment {ATTEMPT}"),
        "Final, on its way into Splynx",
        "Invoice INV-7",
        "50.00 USD",
        "1.61 USD",
        "51.61 USD",
        ">Production<",
        ">proc-7<",
        "BP-proc-7-1",
        "The balance",
        "2026-09-21",
        "Payment to the balance",
        "In Splynx",
        ">4711<",
        "Fee as a transaction",
        "Sent, outcome unclear; being searched for",
        "Next step: 2026-09-21 14:33 UTC",
        "Whether Splynx has the payment cannot be found out",
        "The document changed; the money went to the balance",
        "Opened 2026-09-21 14:43 UTC.",
        "Closed 2026-09-21 14:53 UTC by Splynx was on holiday.",
        &format!("href=\"{LIST}\""),
    ] {
        assert!(page.body.contains(part), "{part} is missing in {}", page.body);
    }
    assert_eq!(page.body.matches("Splynx was on holiday.").count(), 7);
    assert_eq!(page.body.matches("class=\"badge\">Open<").count(), 1);
}

#[tokio::test]
async fn a_new_attempt_has_nothing_to_show_and_says_so() {
    let house = house(1).await;
    let page = look(&house, &format!("{LIST}/{}", numbered(1).id)).await;
    for part in ["No money has become final yet.", "No person needs to look", "Nothing is to be"] {
        assert!(page.body.contains(part), "{part}");
    }
}

#[tokio::test]
async fn no_secret_of_an_attempt_is_on_a_page() {
    let house = full_house("words").await;
    let attempt = attempt(7, ATTEMPT);
    let (hook, token) = (attempt.hook.to_string(), attempt.result_token.to_string());
    for path in [LIST.to_owned(), format!("{LIST}/{ATTEMPT}")] {
        let page = look(&house, &path).await;
        for secret in [hook.as_str(), &token, "checkout-secret", "frozen", "0123456789abcdef"] {
            assert!(!page.body.contains(secret), "{path} shows {secret}");
        }
    }
}

#[tokio::test]
async fn hostile_words_are_shown_as_words() {
    let house = full_house(HOSTILE).await;
    let search: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    let one = format!("{LIST}/{ATTEMPT}");
    for path in [LIST.to_owned(), format!("{LIST}?q={search}"), one] {
        let page = look(&house, &path).await;
        assert!(!page.body.contains("<script"), "{path}: {}", page.body);
        assert!(page.body.contains("&lt;script&gt;"), "{path}: {}", page.body);
        assert!(page.body.contains("{{ frame }}"), "{path}: {}", page.body);
    }
}

#[rstest]
#[case::unknown(ATTEMPT)]
#[case::short("01KANE1M8")]
#[case::long("01KANE1M80000000000000000A0")]
#[case::no_ulid("01KANE1M8000000000000000U!")]
#[case::quotes("1'%20OR%20'1'='1")]
#[case::script("%3Cscript%3E")]
#[case::no_text("%ff")]
#[case::number("1")]
#[tokio::test]
async fn what_is_no_attempt_is_not_found_and_the_way_leads_back(#[case] id: &str) {
    let house = house(1).await;
    let answer = house.get("admin-1", &format!("{LIST}/{id}")).await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("Page not found"));
    assert!(answer.body.contains(&format!("href=\"{LIST}\"")));
    assert!(!answer.body.contains("<script"));
}

#[rstest]
#[case(Fault::StoreDown, 503)]
#[case(Fault::StoreUnreadable, 500)]
#[tokio::test]
async fn a_database_that_does_not_answer_is_told_without_its_words(
    #[case] fault: Fault,
    #[case] status: u16,
) {
    let house = house(1).await;
    house.world.breaks(fault);
    for path in [LIST.to_owned(), format!("{LIST}/{ATTEMPT}")] {
        let answer = house.get("admin-1", &path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(!answer.body.contains("secret words"), "{path}");
        assert!(answer.body.contains(&format!("href=\"{LIST}\"")), "{path}");
    }
}

#[tokio::test]
async fn the_config_page_leads_to_the_list() {
    let house = House::unpaired();
    let page = look(&house, "/bitpay/config").await;
    assert!(page.body.contains(&format!("href=\"{LIST}\"")));
    assert!(look(&house, LIST).await.body.contains("href=\"/bitpay/config\""));
}

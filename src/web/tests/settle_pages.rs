//! The admin settles a review on the page of its attempt.

use rstest::rstest;

use super::attempts_pages::{attempt, put, review};
use super::world::{ATTEMPT, Answer, Fault, House, lock};
use crate::domain::attempt::{Attempt, State};
use crate::domain::credit::{ByHand, Credit, Target, credit_key};
use crate::domain::ids::{PostingId, ProcessorInvoiceId};
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::domain::review::{Review, ReviewReason};
use crate::ports::store::JournalRow;

const PATH: &str = "/bitpay/admin/attempts/01KANE1M80000000000000000A";
const HOSTILE: &str = "\"><script>alert(1)</script>";

/// Splynx refuses the payment of the document: it waits.
async fn house(reason: ReviewReason) -> House {
    let house = House::paired().await;
    let attempt = Attempt { state: State::Settled, ..attempt(7, ATTEMPT) };
    let invoice = ProcessorInvoiceId::parse("proc-7").unwrap();
    let credit = Credit {
        key: credit_key(attempt.processor, &invoice, 1).unwrap(),
        attempt: attempt.id,
        connection: attempt.connection,
        invoice,
        n: 1,
        amount: attempt.terms.price,
        target: Target::Document,
        date: attempt.created_at.date_naive(),
        by_hand: ByHand::Nothing,
    };
    let posting = Posting {
        id: PostingId::new(attempt.created_at, 1),
        attempt: attempt.id,
        credit: Some(credit.key.clone()),
        kind: PostingKind::DocumentPayment,
        state: PostingState::Ready { not_before: attempt.monitor_until },
        body: String::new(),
        tries: 1,
        first_begun_at: None,
        last_error: Some("no".to_owned()),
    };
    {
        let mut rows = lock(&house.world.rows);
        rows.reviews.push(review(&attempt, reason, "Splynx refused the payment."));
        rows.credits.push(credit);
        rows.postings.push(posting);
    }
    put(&house, attempt);
    house
}

fn the_review(house: &House) -> Review {
    lock(&house.world.rows).reviews[0].clone()
}

fn credits(house: &House) -> Vec<(String, Target, ByHand)> {
    let rows = lock(&house.world.rows);
    let credits = rows.credits.iter();
    credits.map(|credit| (credit.amount.to_string(), credit.target, credit.by_hand)).collect()
}

async fn token(house: &House, cookie: &str) -> String {
    let page = house.get(cookie, PATH).await;
    let field = page.body.split("name=\"form_token\" value=\"").nth(1).unwrap();
    field.split('"').next().unwrap().to_owned()
}

async fn submit(house: &House, fields: &str) -> Answer {
    let (token, review) = (token(house, "admin-1").await, the_review(house).id);
    house.post("admin-1", PATH, format!("form_token={token}&review={review}&{fields}")).await
}

#[tokio::test]
async fn a_waiting_payment_goes_to_the_balance_under_its_own_key() {
    let house = house(ReviewReason::Refused).await;
    let page = house.get("admin-1", PATH).await;
    for words in ["What to do:", "Where shall 51.61 USD go?", "To the document", "Dismiss"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let done = submit(&house, "decision=balance&note=They%0D%0Aasked+for+it.").await;
    let goal = format!("{PATH}?done=balance");
    assert_eq!((done.status, done.header("location")), (303, goal.as_str()), "{}", done.body);
    assert_eq!(credits(&house), [("51.61 USD".to_owned(), Target::Balance, ByHand::Target)]);
    let closed = the_review(&house).closed.unwrap();
    assert_eq!((closed.by.as_str(), closed.note.as_str()), ("admin 1", "They asked for it."));
    let postings = lock(&house.world.rows).postings.clone();
    let states: Vec<_> = postings.iter().map(|it| (it.kind, it.is_final())).collect();
    assert_eq!(
        states,
        [(PostingKind::DocumentPayment, true), (PostingKind::BalancePayment, false)]
    );
    assert_eq!(postings[0].credit, postings[1].credit);
    assert!(postings[1].body.contains("\"receipt_number\":\"BP-proc-7-1\""));
    let page = house.get("admin-1", done.header("location")).await;
    assert!(page.body.contains("The add-on now writes the payment to the balance."));
    assert!(!page.body.contains("<form"), "nothing is left to settle");
}

#[tokio::test]
async fn a_payment_that_goes_there_already_is_only_sent_sooner() {
    let house = house(ReviewReason::Refused).await;
    let before = lock(&house.world.rows).postings[0].clone();
    assert_eq!(submit(&house, "decision=document&note=Again.").await.status, 303);
    let postings = lock(&house.world.rows).postings.clone();
    assert_eq!(postings.len(), 1);
    assert_eq!((postings[0].id, &postings[0].body), (before.id, &before.body));
    assert_ne!(postings[0].state, before.state);
    assert_eq!(credits(&house), [("51.61 USD".to_owned(), Target::Document, ByHand::Target)]);
}

#[tokio::test]
async fn dismissing_closes_the_review_and_moves_nothing() {
    let house = house(ReviewReason::Refused).await;
    let (before, version) = (credits(&house), lock(&house.world.rows).attempts[0].version);
    let done = submit(&house, "decision=dismiss&note=Known.").await;
    assert_eq!(done.header("location"), format!("{PATH}?done=dismiss"));
    assert_eq!(the_review(&house).closed.unwrap().by, "admin 1");
    assert_eq!((credits(&house), lock(&house.world.rows).attempts[0].version), (before, version));
}

#[tokio::test]
async fn money_in_no_credit_is_credited_up_to_the_price() {
    let house = house(ReviewReason::PaidInexactly).await;
    lock(&house.world.rows).credits.clear();
    lock(&house.world.rows).postings.clear();
    let page = house.get("admin-1", PATH).await;
    assert!(page.body.contains("at most 51.61 USD"), "{}", page.body);
    for amount in ["", "0", "-1", "51.62", "1.005", "ten", "1e1"] {
        let answer = submit(&house, &format!("decision=balance&amount={amount}&note=x")).await;
        assert_eq!(answer.status, 422, "{amount}");
        assert!(answer.body.contains("above zero and at most 51.61 USD"), "{amount}");
        assert!(answer.body.contains(&format!("value=\"{amount}\"")), "{amount}");
    }
    assert_eq!(credits(&house), []);
    assert_eq!(submit(&house, "decision=document&amount=20.5&note=x").await.status, 303);
    assert_eq!(credits(&house), [("20.50 USD".to_owned(), Target::Document, ByHand::Amount)]);
    let rows = lock(&house.world.rows);
    let kinds: Vec<_> = rows.postings.iter().map(|posting| posting.kind).collect();
    // A part does not make the document paid.
    assert_eq!(kinds, [PostingKind::DocumentPayment]);
}

#[tokio::test]
async fn a_review_that_is_not_about_missing_money_credits_none() {
    let house = house(ReviewReason::DocumentChanged).await;
    lock(&house.world.rows).credits.clear();
    lock(&house.world.rows).postings.clear();
    let page = house.get("admin-1", PATH).await;
    assert!(page.body.contains("There is no money to move here."));
    assert!(!page.body.contains("value=\"balance\""));
    let answer = submit(&house, "decision=balance&amount=1.00&note=x").await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("Nothing says that BitPay holds more money"), "{}", answer.body);
    assert_eq!(credits(&house), []);
}

#[rstest]
#[case(PostingState::Posting { begun_at: chrono::DateTime::UNIX_EPOCH })]
#[case(PostingState::Unknown {
    begun_at: chrono::DateTime::UNIX_EPOCH,
    first_absent: None,
    search_at: chrono::DateTime::UNIX_EPOCH,
})]
#[tokio::test]
async fn what_may_be_in_splynx_already_is_not_moved(#[case] state: PostingState) {
    let house = house(ReviewReason::CannotSearch).await;
    lock(&house.world.rows).postings[0].state = state;
    let before = credits(&house);
    let page = house.get("admin-1", PATH).await;
    assert!(page.body.contains("not known yet whether Splynx has BP-proc-7-1"), "{}", page.body);
    let answer = submit(&house, "decision=balance&note=x").await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("Nothing was changed."));
    assert_eq!((credits(&house), the_review(&house).closed), (before, None));
}

#[tokio::test]
async fn what_was_typed_is_kept_where_something_is_missing() {
    let house = house(ReviewReason::Refused).await;
    let answer = submit(&house, "decision=balance&note=+%0A+").await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("at most 500 characters"), "{}", answer.body);
    assert!(answer.body.contains("value=\"balance\" required checked"), "{}", answer.body);
    let long: String = url::form_urlencoded::byte_serialize("é".repeat(501).as_bytes()).collect();
    assert_eq!(submit(&house, &format!("decision=balance&note={long}")).await.status, 422);
    let hostile: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    let amount = format!("decision=balance&amount={hostile}&note={hostile}");
    let answer = submit(&house, &amount).await;
    assert_eq!(answer.status, 422);
    assert!(!answer.body.contains("<script") && answer.body.contains("&lt;script&gt;"));
    assert_eq!(the_review(&house).closed, None);
    assert_eq!(submit(&house, &format!("decision=dismiss&note={hostile}")).await.status, 303);
    let page = house.get("admin-1", PATH).await;
    assert!(!page.body.contains("<script") && page.body.contains("&lt;script&gt;"));
}

#[tokio::test]
async fn a_review_is_settled_once() {
    let house = house(ReviewReason::Refused).await;
    let form =
        format!("form_token={}&review={}", token(&house, "admin-1").await, the_review(&house).id);
    let form = format!("{form}&decision=dismiss&note=x");
    assert_eq!(house.post("admin-1", PATH, form.clone()).await.status, 303);
    let again = house.post("admin-1", PATH, form).await;
    assert_eq!(again.status, 422);
    assert!(again.body.contains("Somebody has settled this review already."));
}

#[rstest]
#[case("decision=balance&note=x", 400)]
#[case("decision=erase&review=REVIEW&note=x", 400)]
#[case("review=REVIEW&note=x", 400)]
#[case("decision=dismiss&review=xyz&note=x", 400)]
#[case("decision=dismiss&review=01KANE1M80000000000000000A&note=x", 422)]
#[tokio::test]
async fn a_form_that_is_not_ours_is_refused(#[case] fields: &str, #[case] status: u16) {
    let house = house(ReviewReason::Refused).await;
    let token = token(&house, "admin-1").await;
    let fields = fields.replace("REVIEW", &the_review(&house).id.to_string());
    let answer = house.post("admin-1", PATH, format!("form_token={token}&{fields}")).await;
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(the_review(&house).closed, None);
}

#[tokio::test]
async fn an_order_needs_the_token_of_the_admins_own_session() {
    let house = house(ReviewReason::Refused).await;
    let own = token(&house, "admin-1").await;
    let another_admins = token(&house, "admin-2").await;
    let form = |token: &str| {
        format!("form_token={token}&review={}&decision=dismiss&note=x", the_review(&house).id)
    };
    for token in ["", "00", &another_admins, &own[1..]] {
        let answer = house.post("admin-1", PATH, form(token)).await;
        assert_eq!(answer.status, 403, "{token}");
        assert!(answer.body.contains("out of date"), "{token}");
    }
    for (cookie, status) in [("customer-1", 403), ("nobody", 303), ("", 303)] {
        assert_eq!(house.post(cookie, PATH, form(&own)).await.status, status, "{cookie}");
    }
    house.world.breaks(Fault::SplynxDown);
    assert_eq!(house.post("admin-1", PATH, form(&own)).await.status, 503);
    assert_eq!(the_review(&house).closed, None);
}

#[tokio::test]
async fn an_order_about_nothing_is_not_found_and_a_database_that_is_down_is_told() {
    let house = house(ReviewReason::Refused).await;
    let (token, review) = (token(&house, "admin-1").await, the_review(&house).id);
    let form = format!("form_token={token}&review={review}&decision=dismiss&note=x");
    let other = PATH.replace("0A", "0B");
    assert_eq!(house.post("admin-1", &other, form.clone()).await.status, 404);
    assert_eq!(house.post("admin-1", &format!("{PATH}x"), form.clone()).await.status, 404);
    house.world.breaks(Fault::StoreDown);
    let answer = house.post("admin-1", PATH, form).await;
    assert_eq!(answer.status, 503);
    assert!(!answer.body.contains("secret words"));
}

#[tokio::test]
async fn the_timeline_shows_every_step_and_who_took_it() {
    let house = house(ReviewReason::Refused).await;
    let row = |seq, who: &str, what: &str, words: &str| JournalRow {
        seq,
        at: chrono::DateTime::from_timestamp(1_790_000_000 + seq, 0).unwrap(),
        attempt: Some(ATTEMPT.to_owned()),
        who: who.to_owned(),
        what: what.to_owned(),
        words: words.to_owned(),
    };
    lock(&house.world.rows).journal = vec![
        row(1, "customer 7", "begun", "51.61 USD"),
        row(2, "splynx-bitpay", "posting_posted", "in Splynx 4711"),
        row(3, "admin 1", "order", HOSTILE),
        row(4, "admin 1", "something new", "words"),
        JournalRow { attempt: None, ..row(5, "admin 1", "order", "of nobody") },
    ];
    let page = house.get("admin-1", PATH).await;
    let steps: Vec<&str> = page.body.split("<time>").skip(1).collect();
    assert_eq!(steps.len(), 4, "{}", page.body);
    for (step, parts) in steps.iter().zip([
        ["14:13:21<", "Begun.", "customer 7"],
        ["14:13:22<", "Done:", "in Splynx 4711"],
        ["14:13:23<", "Decided by a person:", "&lt;script&gt;"],
        ["14:13:24<", "Noted:", "something new: words"],
    ]) {
        for part in parts {
            assert!(step.contains(part), "{part}: {step}");
        }
    }
    assert!(!steps[1].contains("splynx-bitpay"), "the add-on itself goes without saying");
}

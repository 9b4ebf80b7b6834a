//! What customers see and where they are led.

use std::time::Duration;

use actix_web::test::TestRequest;
use rstest::rstest;

use super::world::{CHECKOUT, Fault, House, lock};
use crate::domain::attempt::State;
use crate::domain::connection::Environment;
use crate::domain::payable::DocumentStatus;
use crate::views::texts::languages;

const PAY: &str = "/bitpay/pay-invoice?item_id=7";

#[tokio::test]
async fn the_pay_page_shows_what_splynx_says_and_ignores_the_rest_of_the_address() {
    let house = House::with(Environment::Production, "https://isp.example/bitpay", "10");
    crate::app::pair::pair(&house.site.app, "u7m0VSR", &crate::domain::actor::Actor::Admin(1))
        .await
        .unwrap();
    house.world.invoice("201801000001", DocumentStatus::NotPaid);
    let path = "/bitpay/pay-invoice?module=splynx_bitpay_addon&model=Invoices&total=1\
                &item_id=201801000001";
    let answer = house.get("customer-1", path).await;
    assert_eq!(answer.status, 200);
    for part in ["Pay invoice #201801000001", "51.61 USD", "5.16 USD", "56.77 USD"] {
        assert!(answer.body.contains(part), "{part}");
    }
    assert!(answer.body.contains("action=\"/bitpay/pay-invoice?item_id=201801000001\""));
    assert!(lock(&house.world.rows).attempts.is_empty(), "looking begins nothing");
}

#[rstest]
#[case("/bitpay/pay-invoice?item_id=7&price=1&currency=EUR", "amount=0.01&price=1")]
#[case("/bitpay/pay-request?item_id=7", "")]
#[case("/bitpay/pay-proforma?item_id=7", "")]
#[case("/bitpay/pay-invoice", "item_id=7")]
#[tokio::test]
async fn paying_leads_to_the_checkout_over_what_splynx_says(
    #[case] path: &str,
    #[case] form: &'static str,
) {
    let house = House::paired().await;
    house.world.invoice("7", DocumentStatus::NotPaid);
    let answer = house.post("customer-1", path, form).await;
    assert_eq!((answer.status, answer.header("location")), (303, CHECKOUT));
    let rows = lock(&house.world.rows);
    assert_eq!(rows.attempts.len(), 1);
    assert_eq!(rows.attempts[0].terms.price.to_string(), "51.61 USD");
}

#[tokio::test]
async fn a_form_without_body_and_type_is_an_empty_form() {
    let house = House::paired().await;
    house.world.invoice("7", DocumentStatus::NotPaid);
    let request = TestRequest::post()
        .uri("/bitpay/pay-invoice?item_id=7")
        .insert_header(("cookie", "PHPSESSID=customer-1"))
        .insert_header(("origin", "https://isp.example"));
    assert_eq!(house.send(request).await.status, 303);
}

#[tokio::test]
async fn a_refill_leads_to_the_checkout() {
    let house = House::paired().await;
    let answer = house.post("customer-1", "/bitpay", "amount=25.50").await;
    assert_eq!((answer.status, answer.header("location")), (303, CHECKOUT));
    let rows = lock(&house.world.rows);
    assert_eq!(rows.attempts[0].terms.due.to_string(), "25.50 USD");
}

#[tokio::test]
async fn a_customer_who_begins_too_many_payments_waits_and_nobody_else_does() {
    let house = House::with_invoice().await;
    for amount in 5..10 {
        let form = format!("amount={amount}");
        assert_eq!(house.post("customer-1", "/bitpay/", form).await.status, 303);
        assert_eq!(house.post("customer-1", PAY, "").await.status, 303);
    }
    let begun = lock(&house.world.rows).attempts.len();
    let held = house.post("customer-1", "/bitpay/", "amount=99").await;
    assert_eq!(held.status, 429);
    assert!(held.body.contains("Too many payments"));
    let wait: u64 = held.header("retry-after").parse().unwrap();
    assert_eq!(house.post("customer-1", PAY, "").await.status, 429);
    let other_session = house.post("customer-1.phone", "/bitpay/", "amount=98").await;
    assert_eq!(other_session.status, 429, "the limit is the customer's, not the session's");
    assert_eq!(lock(&house.world.rows).attempts.len(), begun);
    assert_eq!(house.get("customer-1", PAY).await.status, 200, "looking is free");
    assert!((1..=7).contains(&wait), "{wait}");
    assert_eq!(house.post("customer-2", "/bitpay/", "amount=5").await.status, 303);
    house.world.advance(Duration::from_secs(wait));
    assert_eq!(house.post("customer-1", "/bitpay/", "amount=5").await.status, 303);
}

#[tokio::test]
async fn only_amounts_that_can_be_refilled_are_counted() {
    const WRONG: [&str; 4] = ["ten", "12,50", "5.001", "0.99"];
    let house = House::paired().await;
    let refill = async |amount: &str| {
        house.post("customer-1", "/bitpay/", format!("amount={amount}")).await.status
    };
    for amount in WRONG.iter().cycle().take(20) {
        assert_eq!(refill(amount).await, 422, "{amount}");
    }
    for amount in 5..15 {
        assert_eq!(refill(&amount.to_string()).await, 303, "{amount}");
    }
    assert_eq!(refill("15").await, 429, "the eleventh within a minute");
    assert_eq!(refill("ten").await, 422, "the field is still explained");
    assert_eq!(lock(&house.world.rows).attempts.len(), 10);
}

#[tokio::test]
async fn two_clicks_are_one_payment() {
    let house = House::with_invoice().await;
    for _ in 0..2 {
        assert_eq!(house.post("customer-1", PAY, "").await.header("location"), CHECKOUT);
    }
    assert_eq!(lock(&house.world.rows).attempts.len(), 1);
}

/// A house with one attempt in this state, and the address of its result page.
async fn result_page(state: State) -> (House, String) {
    let house = House::with_invoice().await;
    house.post("customer-1", PAY, "").await;
    let mut rows = lock(&house.world.rows);
    rows.attempts[0].state = state;
    let path = format!("/bitpay/result/{}", rows.attempts[0].result_token);
    drop(rows);
    (house, path)
}

#[rstest]
#[case(State::Opening, "waiting", "Waiting for your payment", true)]
#[case(State::AwaitingPayment, "waiting", "Waiting for your payment", true)]
#[case(State::Confirming, "confirming", "Payment seen", true)]
#[case(State::Settled, "settled", "Payment received", true)]
#[case(State::Recorded, "paid", "Payment successful!", false)]
#[case(State::Expired, "expired", "The time to pay is over", false)]
#[case(State::Refused, "refused", "Payment not accepted", false)]
#[tokio::test]
async fn the_result_page_shows_the_state_without_login_and_looks_again_while_it_may_change(
    #[case] state: State,
    #[case] progress: &str,
    #[case] title: &str,
    #[case] is_live: bool,
) {
    let (house, path) = result_page(state).await;
    let lie = format!("{path}?status=success&progress=paid&price=1");
    let page = house.send(TestRequest::get().uri(&lie)).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains(title), "{}", page.body);
    assert!(page.body.contains("51.61 USD") && page.body.contains("#7"));
    assert!(page.body.contains("aria-live=\"polite\""));
    let says = |state: &str| page.body.contains(&format!("data-progress=\"{state}\""));
    assert!(says(progress) && (progress == "paid" || !page.body.contains("successful")));
    let refresh = "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>";
    assert_eq!(page.body.contains(refresh), is_live);
    assert_eq!(page.body.contains("http-equiv=\"refresh\""), is_live);
    assert_eq!(page.body.contains("result.js"), is_live);
    assert_eq!(page.body.contains(CHECKOUT), state == State::AwaitingPayment);

    let json = TestRequest::get().uri(&path).insert_header(("accept", "application/json"));
    let json = house.send(json).await;
    assert!(json.header("content-type").starts_with("application/json"));
    assert_eq!(json.header("cache-control"), "no-store");
    let json: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!(json["progress"], progress);
    assert_eq!(json["title"], title);
    assert_eq!(json["is_live"], is_live);
}

#[tokio::test]
async fn every_state_has_its_words_in_every_language() {
    for state in State::ALL {
        let (house, path) = result_page(state).await;
        for language in languages() {
            let request = TestRequest::get().uri(&path);
            let request = request.insert_header(("accept-language", language.to_string()));
            assert_eq!(house.send(request).await.status, 200, "{state:?} {language}");
        }
    }
}

#[tokio::test]
async fn the_result_page_tells_its_script_in_the_customers_language() {
    let (house, path) = result_page(State::Recorded).await;
    let request = TestRequest::get()
        .uri(&path)
        .insert_header(("accept", "application/json"))
        .insert_header(("accept-language", "es"));
    assert!(house.send(request).await.body.contains("¡Pago realizado!"));
}

/// Coming back is a hint like any other, and no more than one is kept.
#[tokio::test]
async fn coming_back_makes_us_look_and_changes_nothing() {
    let (house, path) = result_page(State::AwaitingPayment).await;
    let before = format!("{:?}", lock(&house.world.rows).attempts);
    for _ in 0..3 {
        house.send(TestRequest::get().uri(&path)).await;
    }
    assert_eq!(lock(&house.world.rows).hints.len(), 1);
    assert_eq!(format!("{:?}", lock(&house.world.rows).attempts), before);
}

#[tokio::test]
async fn the_result_page_needs_neither_splynx_nor_the_processor() {
    let (house, path) = result_page(State::Confirming).await;
    house.world.breaks(Fault::SplynxDown);
    house.world.breaks(Fault::ProcessorDown);
    let page = house.send(TestRequest::get().uri(&path)).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Payment seen"));
    house.world.breaks(Fault::StoreDown);
    assert_eq!(house.send(TestRequest::get().uri(&path)).await.status, 503);
}

/// The page is open to whoever has its address: nothing of the customer is on it, nor a name of ours.
#[tokio::test]
async fn the_result_page_shows_number_sum_and_state_only() {
    let (house, path) = result_page(State::AwaitingPayment).await;
    let attempt = lock(&house.world.rows).attempts[0].clone();
    let page = house.send(TestRequest::get().uri(&path)).await;
    for secret in [attempt.id.to_string(), attempt.hook.to_string(), "Customer One".to_owned()] {
        assert!(!page.body.contains(&secret), "{secret}");
    }
    assert!(!path.contains(&attempt.id.to_string()));
}

#[rstest]
#[case("0123456789abcdef0123456789abcdef")]
#[case("0123456789ABCDEF0123456789ABCDEF")]
#[case("%ff")]
#[case("short")]
#[case("..%2f..")]
#[tokio::test]
async fn a_token_nobody_has_shows_nothing(#[case] token: &str) {
    let (house, _) = result_page(State::Recorded).await;
    let answer = house.send(TestRequest::get().uri(&format!("/bitpay/result/{token}"))).await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("Payment not found"));
}

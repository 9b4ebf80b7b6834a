//! Forged notifications and lying answers (F1 to F15 of the fault classes): a notification only means "look", and what
//! is seen must be about the very invoice that was made.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};
use splynx_bitpay::sim::bitpay::{InvoiceView, Status, ipn_signature};
use splynx_bitpay::sim::faults::{Answer, Fault, Kind};

use super::{State, state, talkative};
use crate::support::{
    Checkout, Customer, Engine, PATIENCE, World, client, decimal, eventually, holds,
    on_both_databases,
};

on_both_databases! {
    a_notification_proves_nothing_whoever_sends_it,
    what_is_not_about_an_invoice_does_not_pay_it,
    an_answer_about_another_price_or_currency_is_under_review,
    events_without_money_move_nothing,
    a_storm_of_notifications_asks_bitpay_little_and_records_once,
}

// Waiting costs nothing: several stories are told at the same time, each in a world of its own.

async fn a_notification_proves_nothing_whoever_sends_it(engine: Engine) {
    tokio::join!(
        a_forged_complete_moves_nothing(engine),
        a_signature_that_is_wrong_is_refused_and_one_that_is_right_proves_nothing(engine),
        coming_back_proves_nothing(engine),
    );
}

async fn what_is_not_about_an_invoice_does_not_pay_it(engine: Engine) {
    tokio::join!(
        an_unknown_hook_is_answered_like_a_known_one(engine),
        a_cheaper_invoice_pays_no_other(engine),
    );
}

async fn begun(engine: Engine) -> (World, Customer, Checkout, InvoiceView) {
    let world = World::with(engine, talkative()).await;
    let customer = world.customer().await;
    let checkout = customer.check_out(&world.invoice(&customer, "100.00")).await;
    let made = world.bitpay.invoice(&checkout.invoice).unwrap();
    (world, customer, checkout, made)
}

fn hook(made: &InvoiceView) -> &str {
    made.notification_url.as_deref().unwrap()
}

/// A notification as BitPay writes it, with any claims.
fn claim(made: &InvoiceView, claims: &Value) -> String {
    let mut body = json!({
        "id": made.id, "orderId": made.order_id, "url": made.url, "status": "complete",
        "price": 100, "currency": "USD", "amountPaid": 180_506, "exceptionStatus": false,
    });
    if let (Value::Object(body), Value::Object(claims)) = (&mut body, claims) {
        body.extend(claims.clone());
    }
    body.to_string()
}

async fn deliver(hook: &str, body: &str, signature: Option<&str>) -> u16 {
    let mut request = client().post(hook).header("content-type", "application/json");
    if let Some(signature) = signature {
        request = request.header("x-signature", signature);
    }
    let answer = request.body(body.to_owned()).send().await.unwrap();
    let status = answer.status().as_u16();
    assert_eq!(answer.text().await.unwrap(), "", "no oracle for strangers");
    status
}

/// Nothing has moved, and nothing will: the add-on has asked BitPay itself since.
async fn nothing_moves(world: &World, before: &State) {
    let asked = looks(world);
    eventually("the add-on has looked for itself", PATIENCE, async || {
        let now = looks(world);
        if now >= asked + 2 { Ok(()) } else { Err(format!("{now} looks")) }
    })
    .await;
    assert_eq!(state(world), *before);
}

/// How often BitPay was asked about an invoice.
fn looks(world: &World) -> usize {
    let log = world.bitpay.log();
    log.iter().filter(|call| call.method == "GET" && call.path.starts_with("invoices/")).count()
}

async fn is_still_payable(world: &World, checkout: &Checkout) {
    world.pay(checkout);
    let payments = world.payments_become(1, PATIENCE).await;
    assert_eq!(payments[0].receipt_number, checkout.key(1));
    assert_eq!(payments[0].amount, decimal("100.00"));
    world.results(checkout).says("paid").await;
    world.log_hides_secrets();
}

async fn a_forged_complete_moves_nothing(engine: Engine) {
    let (world, _, checkout, made) = begun(engine).await;
    let before = state(&world);
    for claims in [
        json!({}),
        json!({"status": "confirmed"}),
        json!({"status": "paid"}),
        json!({"price": 0.01}),
        json!({"price": "100000"}),
        json!({"currency": "BTC"}),
        json!({"exceptionStatus": "paidOver"}),
        json!({"orderId": "1' OR '1'='1"}),
        json!({"id": "../tokens"}),
        json!({"id": ["a"]}),
        json!({"url": "http://evil.example/"}),
        json!({"event": {"code": 1006, "name": "invoice_completed"}}),
    ] {
        assert_eq!(deliver(hook(&made), &claim(&made, &claims), None).await, 200);
    }
    nothing_moves(&world, &before).await;
    is_still_payable(&world, &checkout).await;
}

async fn a_signature_that_is_wrong_is_refused_and_one_that_is_right_proves_nothing(engine: Engine) {
    let (world, _, checkout, made) = begun(engine).await;
    let before = state(&world);
    let token = world.bitpay.tokens()[0].value.clone();
    let body = claim(&made, &json!({}));
    let right = ipn_signature(&token, body.as_bytes());
    let of_nothing = ipn_signature("", body.as_bytes());
    let of_another = ipn_signature("anothertoken", body.as_bytes());
    let of_other_bytes = ipn_signature(&token, format!("{body} ").as_bytes());
    for wrong in [of_nothing.as_str(), &of_another, &of_other_bytes, "", "0", "\u{7f}!", "null"] {
        let request = client().post(hook(&made)).body(body.clone());
        let Ok(header) = reqwest::header::HeaderValue::from_bytes(wrong.as_bytes()) else {
            continue;
        };
        let answer = request.header("x-signature", header).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 401, "{wrong:?}");
    }
    assert_eq!(deliver(hook(&made), &body, Some(&right)).await, 200);
    world.bitpay.send_false_ipn(&checkout.invoice, Status::Complete).unwrap();
    world.bitpay.settle().await;
    nothing_moves(&world, &before).await;
    world.hides("the log", &world.addon.log(), &right);
    is_still_payable(&world, &checkout).await;
}

async fn an_unknown_hook_is_answered_like_a_known_one(engine: Engine) {
    let (world, _, checkout, made) = begun(engine).await;
    let before = state(&world);
    let base = hook(&made).rsplit_once('/').unwrap().0;
    let body = claim(&made, &json!({}));
    let attempt = before.attempts[0].id.clone();
    for unknown in ["00000000000000000000000000000000", &attempt, &checkout.invoice, "a", "%27--"] {
        assert_eq!(deliver(&format!("{base}/{unknown}"), &body, None).await, 200, "{unknown}");
    }
    let webhook = hook(&made).replace("/ipn/", "/webhook/");
    assert_eq!(deliver(&webhook, &body, None).await, 200);
    nothing_moves(&world, &before).await;
    is_still_payable(&world, &checkout).await;
}

async fn a_cheaper_invoice_pays_no_other(engine: Engine) {
    let (world, customer, dear, made) = begun(engine).await;
    let cheap = customer.refill("1.00").await;
    world.pay(&cheap);
    world.payments_become(1, PATIENCE).await;
    // The true notifications of the cheap invoice, signed by BitPay, come to the hook of the dear one.
    for delivery in world.bitpay.deliveries() {
        deliver(hook(&made), &delivery.body, delivery.signature.as_deref()).await;
    }
    world.results(&dear).says("waiting").await;
    let before = state(&world);
    nothing_moves(&world, &before).await;
    let payments = world.payments();
    assert_eq!(payments.len(), 1);
    assert_eq!(payments[0].receipt_number, cheap.key(1));
}

/// BitPay itself answers with something that is not about this invoice.
async fn an_answer_about_another_price_or_currency_is_under_review(engine: Engine) {
    let (world, customer, first, _) = begun(engine).await;
    let mut lied_to = vec![(first, json!({"price": 1}))];
    for (amount, lie) in [
        ("21.00", json!({"currency": "EUR"})),
        ("22.00", json!({"id": "BukWCRGV8Q1tW9jXfBSeS7"})),
        ("23.00", json!({"orderId": "somebody-elses"})),
    ] {
        lied_to.push((customer.refill(amount).await, lie));
    }
    for (checkout, lie) in &lied_to {
        let made = world.bitpay.invoice(&checkout.invoice).unwrap();
        let mut data: Value = serde_json::from_str(&claim(&made, &json!({}))).unwrap();
        data["price"] = json!(made.price);
        if let (Value::Object(data), Value::Object(lie)) = (&mut data, lie) {
            data.extend(lie.clone());
        }
        let body = Some(json!({"facade": "pos/invoice", "data": data}));
        let kind = Kind::Status(Answer { code: StatusCode::OK, body, retry_after: None });
        let path = format!("invoices/{}", checkout.invoice);
        world.bitpay.arm(Fault::on(Method::GET, &path, kind));
    }
    for (checkout, lie) in &lied_to {
        eventually(&format!("a person is told of {lie}"), PATIENCE, async || {
            let story = world.story_of(&checkout.invoice);
            if story.contains("OPEN not_our_invoice") { Ok(()) } else { Err(story) }
        })
        .await;
    }
    assert!(world.payments().is_empty());
}

async fn coming_back_proves_nothing(engine: Engine) {
    let (world, _, checkout, made) = begun(engine).await;
    let before = state(&world);
    let result = made.redirect_url.unwrap();
    for parameters in ["status=success", "status=complete&paid=1", "invoiceStatus=paid&amount=100"]
    {
        let page = world.browser().get(&format!("{result}?{parameters}")).await;
        assert!(page.body.contains("data-progress=\"waiting\""), "{}", page.body);
    }
    nothing_moves(&world, &before).await;
    is_still_payable(&world, &checkout).await;
}

async fn events_without_money_move_nothing(engine: Engine) {
    let (world, customer, expiring, _) = begun(engine).await;
    let partial = customer.refill("20.00").await;
    let invalid = customer.refill("30.00").await;
    world.bitpay.set(|settings| settings.automatic = false);
    world.bitpay.expire(&expiring.invoice).unwrap();
    world.bitpay.pay(&partial.invoice, splynx_bitpay::sim::bitpay::PayKind::Less).unwrap();
    world.bitpay.expire(&partial.invoice).unwrap();
    world.pay(&invalid);
    world.bitpay.invalidate(&invalid.invoice).unwrap();
    for (checkout, progress) in [(&expiring, "expired"), (&partial, "review"), (&invalid, "review")]
    {
        world.bitpay.send_ipns(&checkout.invoice, 3).unwrap();
        world.results(checkout).says(progress).await;
    }
    holds("no payment", Duration::from_secs(2), async || match world.payments().as_slice() {
        [] => Ok(()),
        some => Err(format!("{some:?}")),
    })
    .await;
    let story = world.story_of(&partial.invoice);
    assert!(story.contains("OPEN paid_inexactly"), "{story}");
}

async fn a_storm_of_notifications_asks_bitpay_little_and_records_once(engine: Engine) {
    let (world, _, checkout, made) = begun(engine).await;
    let before = looks(&world);
    let body = claim(&made, &json!({}));
    let storm = (0..300).map(|_| deliver(hook(&made), &body, None));
    let answers = futures_util::future::join_all(storm).await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    let asked = looks(&world) - before;
    assert!(asked < 20, "300 notifications made us ask {asked} times");
    world.pay(&checkout);
    world.bitpay.send_ipns(&checkout.invoice, 200).unwrap();
    is_paid_once(&world, &checkout).await;
    world.bitpay.settle().await;
    assert_eq!(world.payments().len(), 1);
}

async fn is_paid_once(world: &World, checkout: &Checkout) {
    let payments = world.payments_become(1, PATIENCE).await;
    assert_eq!(payments[0].receipt_number, checkout.key(1));
    world.results(checkout).says("paid").await;
}

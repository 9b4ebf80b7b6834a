//! Amounts to refill, and fields that browsers have no business sending.

use super::{is_harmless, state, talkative};
use crate::support::{Engine, PATIENCE, World, decimal, on_both_databases};

on_both_databases! {
    what_is_no_amount_is_refused_with_a_sentence,
    a_price_a_currency_and_an_address_from_the_browser_are_ignored,
    too_many_payments_of_one_customer_are_held_back,
}

const NOT_AN_AMOUNT: &str = "Please enter an amount in digits";
const TOO_PRECISE: &str = "Please enter at most 2 decimal places";
const TOO_SMALL: &str = "The smallest amount is 1.00 USD";
const TOO_LARGE: &str = "The largest amount is 10000.00 USD";

const TABLE: &[(&str, &str)] = &[
    ("", NOT_AN_AMOUNT),
    (" ", NOT_AN_AMOUNT),
    ("ten", NOT_AN_AMOUNT),
    ("NaN", NOT_AN_AMOUNT),
    ("-5", NOT_AN_AMOUNT),
    ("-0.01", NOT_AN_AMOUNT),
    ("0", NOT_AN_AMOUNT),
    ("0.00", NOT_AN_AMOUNT),
    ("1e3", NOT_AN_AMOUNT),
    ("0x10", NOT_AN_AMOUNT),
    ("+5", NOT_AN_AMOUNT),
    ("1,000", NOT_AN_AMOUNT),
    ("10 EUR", NOT_AN_AMOUNT),
    ("1.2.3", NOT_AN_AMOUNT),
    ("\u{661}\u{662}", NOT_AN_AMOUNT),
    ("10\u{0}", NOT_AN_AMOUNT),
    ("<b>10</b>", NOT_AN_AMOUNT),
    ("10'; DROP TABLE attempts; --", NOT_AN_AMOUNT),
    ("10\" onerror=\"alert(1)", NOT_AN_AMOUNT),
    ("{{ 7*7 }}", NOT_AN_AMOUNT),
    ("1.001", TOO_PRECISE),
    ("10.0000001", TOO_PRECISE),
    ("0.99", TOO_SMALL),
    ("10000.01", TOO_LARGE),
    ("99999999999999999999999", TOO_LARGE),
];

async fn what_is_no_amount_is_refused_with_a_sentence(engine: Engine) {
    let world = World::with(engine, talkative()).await;
    let before = state(&world);
    for (amount, sentence) in TABLE {
        // One customer may begin ten payments a minute.
        let customer = world.customer().await;
        let page = customer.type_amount(amount).await;
        assert_eq!(page.status, 422, "{amount:?}: {}", page.body);
        assert!(page.body.contains(sentence), "{amount:?}: {}", page.body);
        is_harmless(&world, &page);
        if amount.starts_with("{{") {
            assert!(page.body.contains(&format!("value=\"{amount}\"")), "it is calculated");
        }
    }
    assert_eq!(state(&world), before);
    world.log_hides_secrets();
    for good in ["1", "1.00", " 25.5 ", "10000"] {
        world.customer().await.refill(good).await;
    }
}

async fn a_price_a_currency_and_an_address_from_the_browser_are_ignored(engine: Engine) {
    let world = World::with(engine, talkative()).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "51.61");
    let lies = [
        ("price", "0.01"),
        ("amount", "0.01"),
        ("due", "0"),
        ("fee", "-50"),
        ("currency", "JPY"),
        ("status", "complete"),
        ("customer_id", "2"),
        ("notificationURL", "http://evil.example/ipn"),
        ("redirectURL", "http://evil.example/"),
        ("url", "http://evil.example/"),
    ];
    let mut form = customer.browser.get(&invoice.page()).await.form_with("_top");
    for (name, value) in lies {
        form = form.with(name, value);
        form.action = format!("{}&{name}={value}", form.action);
    }
    let page = customer.browser.submit(&form).await;
    assert_eq!(page.status, 303);
    assert!(page.location().starts_with(world.bitpay.url()), "{}", page.location());
    let made = world.bitpay.invoices().pop().unwrap();
    assert_eq!((made.price, made.currency), (decimal("51.61"), "USD"));
    for address in [made.notification_url, made.redirect_url, made.close_url] {
        assert!(address.unwrap().starts_with(world.splynx.url()));
    }
    assert_eq!(world.attempts()[0].customer, customer.id);
    world.bitpay.pay(&made.id, splynx_bitpay::sim::bitpay::PayKind::Exact).unwrap();
    let payments = world.payments_become(1, PATIENCE).await;
    assert_eq!(payments[0].amount, decimal("51.61"));
}

async fn too_many_payments_of_one_customer_are_held_back(engine: Engine) {
    let world = World::with(engine, talkative()).await;
    let (hasty, calm) = (world.customer().await, world.customer().await);
    let mut held = None;
    for cents in 10..40 {
        let page = hasty.type_amount(&format!("5.{cents}")).await;
        if page.status == 429 {
            held = Some(page);
            break;
        }
        assert_eq!(page.status, 303);
    }
    let page = held.unwrap();
    assert!(page.body.contains("Too many payments at once"), "{}", page.body);
    assert!(page.headers.contains_key("retry-after"));
    assert!(world.attempts().len() < 20);
    calm.refill("5.00").await;
}

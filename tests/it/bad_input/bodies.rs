//! Bodies: too long, of a wrong type, no text; and methods that are not allowed.

use super::{is_harmless, state, talkative};
use crate::support::{Engine, PATIENCE, World, on_both_databases};

on_both_databases! {
    a_form_that_cannot_be_read_is_refused_with_a_sentence,
    a_notification_that_is_too_long_is_refused_and_any_other_is_taken,
    a_method_that_is_not_in_the_table_is_not_allowed,
}

const FORM: &str = "application/x-www-form-urlencoded";

async fn a_form_that_cannot_be_read_is_refused_with_a_sentence(engine: Engine) {
    let world = World::with(engine, talkative()).await;
    let admin = world.admin().await.browser;
    let before = state(&world);
    let long = |bytes: usize| format!("amount=10&x={}", "a".repeat(bytes)).into_bytes();
    let table: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        (FORM, long(9 * 1024), 413, "The form is too large"),
        (FORM, long(64 * 1024), 413, "The form is too large"),
        (FORM, long(1024 * 1024), 413, "The form is too large"),
        ("application/json", b"{\"amount\":\"10\"}".to_vec(), 415, "The form has a wrong format"),
        ("multipart/form-data; boundary=x", b"--x--".to_vec(), 415, "The form has a wrong format"),
        ("text/plain", b"amount=10".to_vec(), 415, "The form has a wrong format"),
        ("", b"amount=10".to_vec(), 415, "The form has a wrong format"),
        (FORM, b"amount=%FF".to_vec(), 400, "This request cannot be read"),
        (FORM, b"amount=\xff\xfe".to_vec(), 400, "This request cannot be read"),
        (FORM, b"amount=10&\xc3=1".to_vec(), 400, "This request cannot be read"),
    ];
    for (content_type, body, status, words) in table {
        let customer = world.customer().await;
        let invoice = world.invoice(&customer, "10.00");
        for (browser, path) in [
            (&customer.browser, "/bitpay/"),
            (&customer.browser, invoice.page().as_str()),
            (&admin, "/bitpay/config"),
        ] {
            let page = browser.post(path, content_type, body.clone()).await;
            assert_eq!(page.status, status, "{path} {content_type}: {}", page.body);
            assert!(page.body.contains(words), "{path} {content_type}: {}", page.body);
            is_harmless(&world, &page);
        }
    }
    assert_eq!(state(&world), before);
    world.log_hides_secrets();
}

async fn a_notification_that_is_too_long_is_refused_and_any_other_is_taken(engine: Engine) {
    let world = World::with(engine, talkative()).await;
    let customer = world.customer().await;
    let checkout = customer.refill("10.00").await;
    let before = state(&world);
    let hook = world.bitpay.invoice(&checkout.invoice).unwrap().notification_url.unwrap();
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000)).into_bytes();
    let table: Vec<(&str, Vec<u8>, u16)> = vec![
        ("application/json", vec![b' '; 64 * 1024 + 1], 413),
        ("application/json", vec![b'['; 1024 * 1024], 413),
        ("application/json", vec![b' '; 64 * 1024], 200),
        ("application/json", Vec::new(), 200),
        ("application/json", b"{".to_vec(), 200),
        ("application/json", deep, 200),
        ("application/json", b"\xff\xfe\x00".to_vec(), 200),
        ("text/html", b"<script>alert(1)</script>".to_vec(), 200),
        ("multipart/form-data", b"nothing".to_vec(), 200),
        ("", b"{\"id\":1.699895497e+21}".to_vec(), 200),
    ];
    for (content_type, body, status) in table {
        let page = world.browser().post(&hook, content_type, body).await;
        assert_eq!(page.status, status, "{content_type}");
        assert_eq!(page.body, "", "processors read no pages");
    }
    assert_eq!(state(&world), before);
    world.pay(&checkout);
    world.payments_become(1, PATIENCE).await;
    world.log_hides_secrets();
}

async fn a_method_that_is_not_in_the_table_is_not_allowed(engine: Engine) {
    let world = World::with(engine, talkative()).await;
    let customer = world.customer().await;
    let checkout = customer.refill("10.00").await;
    let before = state(&world);
    let made = world.bitpay.invoice(&checkout.invoice).unwrap();
    let (hook, result) = (made.notification_url.unwrap(), made.redirect_url.unwrap());
    for (method, address, status) in [
        ("GET", hook.as_str(), 405),
        ("PUT", &hook, 405),
        ("DELETE", &result, 405),
        ("POST", &result, 405),
        ("DELETE", "/bitpay/config", 405),
        ("PATCH", "/bitpay/", 405),
        ("GET", "/bitpay/unpair", 404),
        ("GET", "/bitpay/attempts", 404),
        ("GET", "/bitpay/ipn/", 404),
        ("GET", "/bitpay/static/..%2f..%2fconfig.toml", 404),
        ("GET", "/bitpay/metrics", 404),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let page = customer.browser.send(customer.browser.request(method, address)).await;
        assert_eq!(page.status, status, "{address}: {}", page.body);
        is_harmless(&world, &page);
    }
    assert_eq!(state(&world), before);
    world.log_hides_secrets();
}

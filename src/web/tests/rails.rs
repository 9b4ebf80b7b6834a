//! What holds for every route of the table.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use rstest::rstest;

use super::world::{Answer, House};
use crate::domain::connection::Environment;
use crate::web::routes::{self, Kind, ROUTES, Row};

/// A path of this row that reaches its handler.
fn path(row: &Row) -> String {
    row.path
        .replace("{token}", "0123456789abcdef0123456789abcdef")
        .replace("{hook}", "0123456789abcdef0123456789abcdef")
        .replace("{file}", "splynx-bitpay.css")
}

/// One call of every method of every route by every kind of visitor, and one of a method that is not allowed.
async fn all_answers(house: &House) -> Vec<(&'static Row, String, Answer)> {
    let mut answers = Vec::new();
    for row in ROUTES {
        for method in ["GET", "HEAD", "POST", "DELETE"] {
            for cookie in ["customer-1", "admin-1", "nobody"] {
                for site in ["same-origin", "cross-site"] {
                    let request = TestRequest::default()
                        .method(Method::from_bytes(method.as_bytes()).unwrap())
                        .uri(&path(row))
                        .insert_header(("cookie", format!("PHPSESSID={cookie}")))
                        .insert_header(("sec-fetch-site", site));
                    let name = format!("{method} {} by {cookie} {site}", row.path);
                    answers.push((row, name, house.send(request).await));
                }
            }
        }
    }
    answers
}

#[tokio::test]
async fn every_answer_has_the_headers_of_its_kind() {
    let house = House::paired().await;
    for (row, name, answer) in all_answers(&house).await {
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self' data:",
            "base-uri 'none'",
            "object-src 'none'",
            "frame-ancestors https://isp.example",
        ] {
            assert!(policy.split("; ").any(|found| found == part), "{name}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{name}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{name}");
        assert_eq!(answer.header("x-frame-options"), "SAMEORIGIN", "{name}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{name}");
        assert!(answer.header("permissions-policy").contains("camera=()"), "{name}");
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{name}");
        let cache = answer.header("cache-control");
        assert!(cache == "no-store" || row.kind == Kind::Static, "{name}: {cache}");
        let referrer = answer.header("referrer-policy");
        assert!(row.kind != Kind::Result || referrer == "no-referrer", "{name}: {referrer}");
    }
}

#[tokio::test]
async fn a_customers_form_may_lead_to_the_checkout_and_scripts_run_on_the_result_page_alone() {
    let house = House::paired().await;
    for (row, name, answer) in all_answers(&house).await {
        let policy = answer.header("content-security-policy");
        let leads_out = policy.contains("form-action 'self' https://bitpay.com");
        assert_eq!(leads_out, row.kind == Kind::Customer, "{name}: {policy}");
        assert_eq!(policy.contains("script-src 'self'"), row.kind == Kind::Result, "{name}");
    }
}

#[tokio::test]
async fn a_method_that_is_not_in_the_table_is_not_allowed() {
    let house = House::paired().await;
    for (row, name, answer) in all_answers(&house).await {
        let method = name.split(' ').next().unwrap();
        let is_known = row.verbs.iter().any(|verb| verb.methods.contains(&method));
        assert_eq!(answer.status == 405, !is_known, "{name}: {}", answer.status);
        if !is_known {
            assert_eq!(answer.header("allow"), routes::allow(row), "{name}");
        }
    }
}

#[rstest]
#[case("/bitpay", "/bitpay/")]
#[case("/bitpay/pay-invoice?item_id=1", "/bitpay/pay-invoice/?item_id=1")]
#[case("/bitpay/pay-request?item_id=1", "/bitpay/pay-request/?item_id=1")]
#[case("/bitpay/pay-proforma?item_id=1", "/bitpay/pay-proforma/?item_id=1")]
#[case("/bitpay/config", "/bitpay/config/")]
#[case("/bitpay/static/result.js", "/bitpay/static/result.js/")]
#[tokio::test]
async fn a_last_slash_makes_no_difference(#[case] without: &str, #[case] with: &str) {
    let house = House::paired().await;
    let (without, with) =
        (house.get("customer-1", without).await, house.get("customer-1", with).await);
    assert_eq!(without.status, with.status);
    assert_eq!(without.body, with.body);
    assert_ne!(with.status, 405);
}

#[rstest]
#[case("/")]
#[case("/bitpay/nothing")]
#[case("/bitpay/result")]
#[case("/bitpay/static/../locales/en/main.ftl")]
#[case("/bitpay/static/..%2flocales%2fen%2fmain.ftl")]
#[case("/bitpay/static/nothing.css")]
#[case("/metrics")]
#[case("/health")]
#[tokio::test]
async fn what_is_not_in_the_table_does_not_exist(#[case] path: &str) {
    let answer = House::paired().await.get("customer-1", path).await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("Page not found"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn without_tls_nothing_is_said_about_tls() {
    let house = House::with(Environment::Test, "http://127.0.0.1:8330/bitpay", "0");
    let answer = house.get("customer-1", "/bitpay/").await;
    assert_eq!(answer.header("strict-transport-security"), "");
    assert!(answer.body.contains("Test mode"));
}

#[tokio::test]
async fn a_page_speaks_the_visitors_language() {
    let house = House::paired().await;
    let request = TestRequest::get()
        .uri("/bitpay/")
        .insert_header(("cookie", "PHPSESSID=customer-1"))
        .insert_header(("accept-language", "es-AR,es;q=0.9,en;q=0.5"));
    let answer = house.send(request).await;
    assert!(answer.body.contains("<html lang=\"es\""));
    assert!(answer.body.contains("Importe"));
    assert_eq!(answer.header("content-language"), "es");
}

#[tokio::test]
async fn a_static_file_is_kept_for_ever_under_its_versioned_address_only() {
    let house = House::paired().await;
    let page = house.get("customer-1", "/bitpay/").await;
    let address = page.body.split('"').find(|part| part.contains("splynx-bitpay.css?v=")).unwrap();
    let versioned = house.get("", address).await;
    assert_eq!(versioned.status, 200);
    assert_eq!(versioned.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(versioned.header("cache-control"), "public, max-age=31536000, immutable");
    for path in ["/bitpay/static/splynx-bitpay.css", "/bitpay/static/splynx-bitpay.css?v=0"] {
        assert_eq!(house.get("", path).await.header("cache-control"), "no-cache");
    }
    let etag = versioned.header("etag");
    let again = TestRequest::get().uri(address).insert_header(("if-none-match", etag));
    let again = house.send(again).await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
}

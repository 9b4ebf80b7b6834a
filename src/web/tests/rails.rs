//! What holds for every route of the table.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use rstest::rstest;

use super::world::{Answer, House, path};
use crate::domain::connection::Environment;
use crate::web::routes::{self, Kind, ROUTES, Row};

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

/// One call of every method of every route by every kind of visitor, allowed or not.
async fn all_answers(house: &House) -> Vec<(&'static Row, String, Answer)> {
    let mut answers = Vec::new();
    for row in ROUTES {
        for method in METHODS {
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
        assert_eq!(answer.header("content-security-policy"), policy(row.kind), "{name}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{name}");
        assert_eq!(answer.header("x-frame-options"), "SAMEORIGIN", "{name}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{name}");
        assert!(answer.header("permissions-policy").contains("camera=()"), "{name}");
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{name}");
        let cache = answer.header("cache-control");
        assert!(cache == "no-store" || row.kind == Kind::Static, "{name}: {cache}");
        // A form's page must name its origin to ourselves; every other address is nobody's business.
        let is_form = matches!(row.kind, Kind::Customer | Kind::Admin);
        let referrer = if is_form { "same-origin" } else { "no-referrer" };
        assert_eq!(answer.header("referrer-policy"), referrer, "{name}");
    }
}

/// Only a customer's form may lead to the checkout, and scripts run on the result page alone (design 5).
fn policy(kind: Kind) -> String {
    let rest = match kind {
        Kind::Customer => "form-action 'self' https://bitpay.com",
        Kind::Admin => "form-action 'self'",
        Kind::Result => "form-action 'self'; script-src 'self'; connect-src 'self'",
        Kind::Hook | Kind::Static | Kind::Nowhere => "form-action 'none'",
    };
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
         object-src 'none'; frame-ancestors https://isp.example; {rest}"
    )
}

#[tokio::test]
async fn every_page_that_says_no_names_a_next_step() {
    let house = House::paired().await;
    for (row, name, answer) in all_answers(&house).await {
        if answer.status < 400 || row.kind == Kind::Hook {
            continue;
        }
        assert!(answer.body.contains("<h1"), "{name}: {}", answer.status);
        assert!(answer.body.contains("<a class=\"btn"), "{name}: {}", answer.status);
    }
}

#[tokio::test]
async fn asking_for_the_head_is_answered_as_asking_for_the_page() {
    let house = House::with_invoice().await;
    for row in ROUTES {
        for cookie in ["customer-1", "admin-1", "nobody"] {
            let head = TestRequest::default().method(Method::HEAD).uri(&path(row));
            let head = head.insert_header(("cookie", format!("PHPSESSID={cookie}")));
            let (head, get) = (house.send(head).await, house.get(cookie, &path(row)).await);
            assert_eq!(head.status, get.status, "{} by {cookie}", row.path);
            for header in ["content-type", "location", "vary", "content-security-policy"] {
                assert_eq!(head.header(header), get.header(header), "{} by {cookie}", row.path);
            }
        }
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
#[case("/bitpay/admin/attempts?page=2", "/bitpay/admin/attempts/?page=2")]
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
#[case("/bitpay//")]
#[case("/bitpay/pay-invoice/7")]
#[case("/bitpay/administrators")]
#[case("/bitpay/configuration")]
#[case("/bitpay/%ff")]
#[case("/bitpay/%3Cscript%3Ealert(1)%3C/script%3E")]
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
    assert!(answer.body.contains("href=\"https://isp.example/portal/\""));
    assert!(!answer.body.contains("<script"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[rstest]
#[case("/bitpay/admin", "/bitpay/config")]
#[case("/bitpay/admin/", "/bitpay/config")]
#[case("/bitpay/admin/attempts/7", "/bitpay/admin/attempts")]
#[case("/bitpay/config/nothing", "/bitpay/config")]
#[tokio::test]
async fn an_admin_who_got_lost_is_led_back_to_the_admins_page(
    #[case] path: &str,
    #[case] back: &str,
) {
    let answer = House::paired().await.get("admin-1", path).await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains(&format!("href=\"{back}\"")), "{}", answer.body);
    assert!(!answer.body.contains("/portal/"), "{}", answer.body);
}

#[tokio::test]
async fn without_tls_nothing_is_said_about_tls() {
    let house = House::with(Environment::Test, "http://127.0.0.1:8330/bitpay", "0");
    let answer = house.get("customer-1", "/bitpay/").await;
    assert_eq!(answer.header("strict-transport-security"), "");
    assert!(answer.body.contains("Test mode"));
}

#[rstest]
#[case(b"es-AR,es;q=0.9,en;q=0.5", "es", "Importe")]
#[case(b"EN-us", "en", "Amount")]
#[case(b"tlh,xx-unknown;q=0.9", "en", "Amount")]
#[case(b"../../../etc/passwd", "en", "Amount")]
#[case(b"\xff\xfe", "en", "Amount")]
#[case(b"", "en", "Amount")]
#[tokio::test]
async fn a_page_speaks_the_visitors_language_or_english(
    #[case] wish: &[u8],
    #[case] language: &str,
    #[case] word: &str,
) {
    let house = House::paired().await;
    let request = TestRequest::get()
        .uri("/bitpay/")
        .insert_header(("cookie", "PHPSESSID=customer-1"))
        .insert_header(("accept-language", wish));
    let answer = house.send(request).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains(&format!("<html lang=\"{language}\"")));
    assert!(answer.body.contains(word));
    assert_eq!(answer.header("content-language"), language);
    assert!(answer.header("vary").contains("Accept-Language"));
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

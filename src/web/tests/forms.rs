//! Which forms are read: by where they were sent from, and by what they are made of.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use actix_web::test::TestRequest;
use rstest::rstest;

use super::world::{House, lock, own_form, path, rows};
use crate::web;
use crate::web::routes::Kind;

/// Longer than any connection may last whose request never ends.
const PATIENCE: Duration = Duration::from_secs(20);
const FORM: &str = "application/x-www-form-urlencoded";

#[rstest]
#[case(&[("sec-fetch-site", "same-origin")], true)]
#[case(&[("sec-fetch-site", "same-origin"), ("origin", "https://isp.example")], true)]
#[case(&[("origin", "https://isp.example")], true)]
#[case(&[("sec-fetch-site", "same-site"), ("origin", "https://isp.example")], true)]
#[case(&[], false)]
#[case(&[("sec-fetch-site", "cross-site")], false)]
#[case(&[("sec-fetch-site", "same-site")], false)]
#[case(&[("sec-fetch-site", "none")], false)]
#[case(&[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")], false)]
#[case(&[("origin", "https://evil.example")], false)]
#[case(&[("origin", "null")], false)]
#[case(&[("origin", "http://isp.example")], false)]
#[case(&[("origin", "https://isp.example:8443")], false)]
#[case(&[("origin", "https://isp.example.evil.example")], false)]
#[case(&[("referer", "https://isp.example/portal/")], false)]
#[tokio::test]
async fn a_form_is_read_only_if_our_own_pages_sent_it(
    #[case] headers: &[(&str, &str)],
    #[case] is_read: bool,
) {
    let house = House::with_invoice().await;
    for row in rows(&[Kind::Customer, Kind::Admin]) {
        let cookie = if row.kind == Kind::Admin { "admin-1" } else { "customer-1" };
        let mut request = TestRequest::post()
            .uri(&path(row))
            .insert_header(("cookie", format!("PHPSESSID={cookie}")))
            .insert_header(("content-type", FORM))
            .set_payload("amount=5");
        for header in headers {
            request = request.append_header(*header);
        }
        let answer = house.send(request).await;
        let was_refused = answer.body.contains("not sent from our pages");
        assert_eq!(was_refused, !is_read, "{}: {}", row.path, answer.status);
        assert!(is_read || answer.status == 403, "{}: {}", row.path, answer.status);
    }
    assert_eq!(lock(&house.world.asked).is_empty(), !is_read, "nobody is asked about a stranger");
    assert_eq!(lock(&house.world.rows).attempts.is_empty(), !is_read);
}

/// Processors are no browsers: their notifications come from elsewhere.
#[tokio::test]
async fn a_notification_may_come_from_anywhere() {
    let house = House::paired().await;
    for row in rows(&[Kind::Hook]) {
        let request = TestRequest::post()
            .uri(&path(row))
            .insert_header(("origin", "https://bitpay.com"))
            .insert_header(("sec-fetch-site", "cross-site"));
        assert_eq!(house.send(request).await.status, 200, "{}", row.path);
    }
}

#[rstest]
#[case(FORM, "amount=5", 303)]
#[case("application/x-www-form-urlencoded; charset=UTF-8", "amount=5", 303)]
#[case("APPLICATION/X-WWW-FORM-URLENCODED", "amount=5", 303)]
#[case("application/json", "{\"amount\":5}", 415)]
#[case("multipart/form-data; boundary=x", "--x--", 415)]
#[case("text/plain", "amount=5", 415)]
#[case("", "amount=5", 415)]
#[case(FORM, "amount=%FF", 400)]
#[case(FORM, "%C3%28=1&amount=5", 400)]
#[case(FORM, &b"amount=5\xff"[..], 400)]
#[tokio::test]
async fn a_form_is_of_the_one_type_and_is_text(
    #[case] content_type: &'static str,
    #[case] body: impl AsRef<[u8]>,
    #[case] status: u16,
) {
    let house = House::with_invoice().await;
    for row in rows(&[Kind::Customer]) {
        let request = own_form("customer-1", &path(row), "")
            .insert_header(("content-type", content_type))
            .set_payload(body.as_ref().to_vec());
        let answer = house.send(request).await;
        assert_eq!(answer.status, status, "{}", row.path);
        assert!(status == 303 || answer.body.contains("<h1"), "{}", row.path);
    }
    assert_eq!(lock(&house.world.rows).attempts.is_empty(), status != 303);
}

/// The portal's dashboard: digits, at most one decimal point among them, and spaces around.
#[rstest]
#[case("25")]
#[case("25.5")]
#[case("25.50")]
#[case(" 25.50 ")]
#[case("0025")]
#[tokio::test]
async fn the_dashboards_form_lets_through_what_is_read(#[case] amount: &str) {
    let entry_point = include_str!("../../../deploy/entry-points/dashboard-add-money.twig");
    let pattern = entry_point.split("pattern=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(pattern, " *[0-9]+([.][0-9]+)? *", "a comma is refused by the add-on");
    assert!(entry_point.contains("with a decimal point"), "the browser says what it wants");
    let form = format!("amount={}", amount.replace(' ', "+"));
    assert_eq!(House::paired().await.post("customer-1", "/bitpay/", form).await.status, 303);
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused_in_addresses_too() {
    let house = House::with_invoice().await;
    let path = "/bitpay/pay-invoice?item_id=7&note=%FF";
    for answer in [house.get("customer-1", path).await, house.post("customer-1", path, "").await] {
        assert_eq!(answer.status, 400);
        assert!(answer.body.contains("cannot be read"));
    }
    assert!(lock(&house.world.rows).attempts.is_empty());
}

#[rstest]
#[case(8 * 1024, 422)]
#[case(8 * 1024 + 1, 413)]
#[tokio::test]
async fn a_form_has_at_most_eight_kibibytes(#[case] length: usize, #[case] status: u16) {
    let house = House::paired().await;
    let body = format!("amount={}", "9".repeat(length - "amount=".len()));
    assert_eq!(house.post("customer-1", "/bitpay/", body).await.status, status);
}

#[tokio::test]
async fn a_form_that_is_far_too_large_gets_a_page_that_says_so() {
    let house = House::with_invoice().await;
    for row in rows(&[Kind::Customer, Kind::Admin]) {
        let cookie = if row.kind == Kind::Admin { "admin-1" } else { "customer-1" };
        let answer = house.post(cookie, &path(row), "x".repeat(64 * 1024 + 1)).await;
        assert_eq!(answer.status, 413, "{}", row.path);
        assert!(answer.body.contains("The form is too large"), "{}", row.path);
    }
    assert!(lock(&house.world.rows).attempts.is_empty());
}

/// Speaks to a real server: sends `request`, then nothing more, and reads until the connection is closed.
async fn over_the_wire(house: House, request: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let site = std::sync::Arc::into_inner(house.site.into_inner()).unwrap();
    let server = web::serve(listener, site).unwrap();
    let client = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the connection ends in time");
        answer
    });
    tokio::select! {
        stopped = server => panic!("the server stopped: {stopped:?}"),
        answer = client => answer.unwrap(),
    }
}

#[rstest]
#[case("/bitpay/", "HTTP/1.1 408 Request Timeout")]
#[case("/bitpay/ipn/0123456789abcdef0123456789abcdef", "HTTP/1.1 408 Request Timeout")]
#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up(#[case] path: &str, #[case] status: &str) {
    let house = House::paired().await;
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: isp.example\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: {FORM}\r\nContent-Length: 20\r\nConnection: close\r\n\r\namount=5"
    );
    let answer = over_the_wire(house, request).await;
    assert!(answer.starts_with(status), "{answer}");
}

#[tokio::test]
async fn the_answer_about_the_head_has_no_body() {
    let request = "HEAD /bitpay/nothing HTTP/1.1\r\nHost: isp.example\r\nConnection: close\r\n\r\n";
    let answer = over_the_wire(House::unpaired(), request.to_owned()).await;
    assert!(answer.starts_with("HTTP/1.1 404 Not Found"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

/// Nobody reads these bodies, and they never end: the connection must end nevertheless.
#[rstest]
#[case("GET /bitpay/static/splynx-bitpay.css", "HTTP/1.1 200 OK")]
#[case("POST /bitpay/nothing", "HTTP/1.1 404 Not Found")]
#[case("PUT /bitpay/", "HTTP/1.1 405 Method Not Allowed")]
#[case("POST /bitpay/", "HTTP/1.1 403 Forbidden")]
#[tokio::test]
async fn a_body_that_nobody_reads_keeps_no_connection(#[case] line: &str, #[case] status: &str) {
    let request = format!(
        "{line} HTTP/1.1\r\nHost: isp.example\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
    );
    let answer = over_the_wire(House::paired().await, request).await;
    assert!(answer.starts_with(status), "{answer}");
}

#[tokio::test]
async fn endless_chunks_are_cut_off() {
    let house = House::paired().await;
    let chunk = format!("2000\r\n{}\r\n", "a".repeat(0x2000));
    let request = format!(
        "POST /bitpay/ipn/x HTTP/1.1\r\nHost: isp.example\r\nTransfer-Encoding: chunked\r\n\
         Connection: close\r\n\r\n{}",
        chunk.repeat(9)
    );
    let answer = over_the_wire(house, request).await;
    assert!(answer.starts_with("HTTP/1.1 413 Payload Too Large"), "{answer}");
}

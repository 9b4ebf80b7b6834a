//! The reverse proxy to the add-on.

use std::net::TcpListener;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use reqwest::Method;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use rstest::rstest;
use serde_json::{Map, Value, json};

use super::support::{http, simulator};
use crate::sim::splynx::Simulator;

async fn echo(request: HttpRequest, body: String) -> HttpResponse {
    let headers: Map<String, Value> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
        .collect();
    let seen = json!({
        "method": request.method().as_str(), "uri": request.uri().to_string(), "body": body,
        "headers": headers,
    });
    HttpResponse::SeeOther()
        .insert_header(("Location", "https://test.bitpay.com/invoice?id=1"))
        .append_header(("Set-Cookie", "a=1"))
        .append_header(("Set-Cookie", "b=2"))
        .json(seen)
}

/// An add-on that tells what it was sent, behind a simulator.
async fn behind_echo() -> Simulator {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let simulator = simulator().await;
    simulator.set_bitpay_url(&format!("http://{}", listener.local_addr().unwrap()));
    let app = || App::new().default_service(web::to(echo));
    let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
    std::thread::spawn(|| actix_web::rt::System::new().block_on(server));
    simulator
}

#[tokio::test]
async fn a_request_arrives_as_the_browser_sent_it() {
    let simulator = behind_echo().await;
    let path = "/bitpay/pay-invoice?module=m&item_id=2018%2F01";
    let request = http("browser").request(Method::POST, format!("{}{path}", simulator.url()));
    let request = request.header(COOKIE, "PHPSESSID=abc").header("Origin", simulator.url());
    let request = request.header("X-Forwarded-For", "6.6.6.6").body("amount=10");

    let response = request.send().await.unwrap();

    assert_eq!(response.status().as_u16(), 303);
    assert_eq!(response.headers()[LOCATION], "https://test.bitpay.com/invoice?id=1");
    let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().cloned().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    let seen: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let host = simulator.url().trim_start_matches("http://");
    assert_eq!((seen["method"].clone(), seen["uri"].clone()), (json!("POST"), json!(path)));
    assert_eq!(seen["body"], "amount=10");
    let header = |name: &str| seen["headers"][name].as_str().unwrap_or_default().to_owned();
    assert_eq!(header("cookie"), "PHPSESSID=abc");
    assert_eq!(header("origin"), simulator.url());
    assert_eq!(header("host"), host);
    assert_eq!(header("x-forwarded-host"), host);
    assert_eq!(header("x-forwarded-for"), "6.6.6.6, 127.0.0.1");
    assert_eq!(header("x-forwarded-proto"), "http");
}

#[rstest]
#[case("/bitpay")]
#[case("/bitpay/")]
#[case("/bitpay/ipn/0123")]
#[case("/bitpay/config?x=1")]
#[tokio::test]
async fn every_path_under_bitpay_goes_to_the_addon(#[case] path: &str) {
    let simulator = behind_echo().await;
    let response = http("browser").get(format!("{}{path}", simulator.url())).send().await.unwrap();
    let seen: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(seen["uri"], path);
}

#[tokio::test]
async fn without_an_addon_the_proxy_is_a_bad_gateway() {
    let simulator = simulator().await;
    let get = async || {
        http("browser").get(format!("{}/bitpay/", simulator.url())).send().await.unwrap().status()
    };
    assert_eq!(get().await.as_u16(), 502);
    simulator.set_bitpay_url("http://127.0.0.1:9");
    assert_eq!(get().await.as_u16(), 502);
}

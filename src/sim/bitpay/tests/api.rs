//! The REST API refuses what BitPay refuses.

use rstest::rstest;
use serde_json::{Value, json};

use super::support::{MERCHANT, Merchant, STRANGER, production_simulator, simulator};
use crate::sim::bitpay::{Options, PayKind, Simulator, Status};
use crate::sim::faults::{Fault, Kind};

fn error(text: &str) -> (u16, Value) {
    (500, json!({ "error": text }))
}

#[tokio::test]
async fn a_pairing_code_is_exchanged_once() {
    let simulator = simulator().await;
    let merchant = Merchant::with_key(&simulator, MERCHANT);
    let code = simulator.create_pairing_code();
    let (status, body) = merchant.pair(&code).await;
    assert_eq!((status, body["data"][0]["facade"].as_str()), (200, Some("pos")));
    assert_eq!(body["data"][0]["policies"][0]["params"], json!([merchant.sin()]));
    assert_eq!(merchant.pair(&code).await, error("Unable to create token"));
}

#[tokio::test]
async fn an_expired_pairing_code_is_refused() {
    let simulator = simulator().await;
    let merchant = Merchant::with_key(&simulator, MERCHANT);
    let code = simulator.create_pairing_code();
    simulator.advance(std::time::Duration::from_hours(24));
    assert_eq!(merchant.pair(&code).await, error("Unable to create token"));
}

#[tokio::test]
async fn an_invoice_is_created_and_read_with_a_signature() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let (status, created) = merchant.invoice(json!({"orderId": "BP-1", "price": "20.10"})).await;
    assert_eq!((status, created["facade"].as_str()), (200, Some("pos/invoice")));
    let data = &created["data"];
    let id = data["id"].as_str().unwrap();
    assert_eq!(id.len(), 22);
    assert_eq!(data["status"], "new");
    assert_eq!(data["price"].to_string(), "20.1");
    assert_eq!(data["exceptionStatus"], json!(false));
    assert_eq!(data["url"], json!(format!("{}/invoice?id={id}", simulator.url())));
    let time = |name: &str| data[name].as_i64().unwrap();
    assert_eq!(time("expirationTime") - time("invoiceTime"), 900_000);
    assert_eq!(data.get("refundInfo"), None);
    assert_eq!(data.get("notificationURL"), None);
    assert!(data["paymentTotals"]["SHIB"].to_string().contains("e+24"));
    let (status, read) = merchant.get(&format!("/invoices/{id}")).await;
    assert_eq!((status, &read["data"]["orderId"]), (200, &json!("BP-1")));
    assert_eq!(merchant.get(&format!("/invoices/{id}/")).await.0, 200, "with a slash at the end");
}

#[tokio::test]
async fn a_signature_of_another_url_or_body_is_refused() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let body = json!({"token": merchant.token, "price": 20, "currency": "USD"}).to_string();
    let spaced = body.replace(':', ": ");
    let (base, identity) = (simulator.url(), merchant.identity());
    let good = format!("{base}/invoices{body}");
    let other_path = format!("{base}/invoices/{body}");
    let other_host = good.replace("127.0.0.1", "localhost");
    for message in [&body, &other_path, &other_host] {
        let answer = merchant.send("POST", "/invoices", &body, message, &identity).await;
        assert_eq!(answer, error("Invalid signature"), "{message}");
    }
    let answer = merchant.send("POST", "/invoices", &spaced, &good, &identity).await;
    assert_eq!(answer, error("Invalid signature"));
    assert_eq!(merchant.send("POST", "/invoices", &body, &good, &identity).await.0, 200);
    assert_eq!(merchant.signed("POST", "/invoices", &spaced).await.0, 200, "bytes count, not JSON");
    assert_eq!(simulator.invoices().len(), 2);
}

#[tokio::test]
async fn the_query_of_a_read_is_signed_too() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let id = merchant.open_invoice(json!({})).await;
    let target = format!("/invoices/{id}?token={}", merchant.token);
    let bare = format!("{}/invoices/{id}", simulator.url());
    let answer = merchant.send("GET", &target, "", &bare, &merchant.identity()).await;
    assert_eq!(answer, error("Invalid signature"));
}

#[tokio::test]
async fn a_foreign_identity_is_refused() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let id = merchant.open_invoice(json!({})).await;
    let mut stranger = Merchant::with_key(&simulator, STRANGER);
    stranger.token.clone_from(&merchant.token);
    assert_eq!(stranger.invoice(json!({})).await, error("Unauthorized sin"));
    assert_eq!(stranger.get(&format!("/invoices/{id}")).await, error("Unauthorized sin"));
    let body = json!({"token": merchant.token, "price": 20, "currency": "USD"});
    assert_eq!(stranger.post_unsigned("/invoices", &body).await, error("Unauthorized sin"));
    let message = format!("{}/invoices{body}", simulator.url());
    let borrowed = merchant.identity();
    let answer = stranger.send("POST", "/invoices", &body.to_string(), &message, &borrowed).await;
    assert_eq!(answer, error("Invalid signature"), "the right identity with the wrong key");
}

#[tokio::test]
async fn an_upper_case_identity_is_the_same_one() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let body = json!({"token": merchant.token, "price": 20, "currency": "USD"}).to_string();
    let message = format!("{}/invoices{body}", simulator.url());
    let identity = merchant.identity().to_uppercase();
    assert_eq!(merchant.send("POST", "/invoices", &body, &message, &identity).await.0, 200);
}

#[tokio::test]
async fn another_merchants_invoice_is_not_found() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let id = merchant.open_invoice(json!({"guid": "one"})).await;
    let mut other = Merchant::with_key(&simulator, STRANGER);
    let (_, paired) = other.pair(&simulator.create_pairing_code_of("another")).await;
    other.token = paired["data"][0]["token"].as_str().unwrap().to_owned();
    for target in [format!("/invoices/{id}"), "/invoices/guid/one".to_owned()] {
        let (status, body) = other.get(&target).await;
        assert_eq!((status, body["code"].as_str()), (404, Some("020101")), "{target}");
    }
    let (_, own) = other.invoice(json!({"guid": "one"})).await;
    assert_ne!(own["data"]["id"], json!(id), "a guid belongs to its merchant");
}

#[tokio::test]
async fn unknown_and_disabled_tokens_are_refused() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let (status, body) = merchant.get("/tokens").await;
    assert_eq!((status, body), (200, json!({"data": [{"pos": merchant.token}]})));
    assert_eq!(merchant.invoice(json!({"token": "nonsense"})).await, error("Invalid token"));
    assert!(simulator.disable_token(&merchant.token));
    assert_eq!(merchant.invoice(json!({})).await, error("Token is disabled"));
    assert_eq!(merchant.signed("GET", "/tokens", "").await, error("Unauthorized sin"));
}

#[tokio::test]
async fn the_same_guid_is_the_same_invoice() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let first = merchant.open_invoice(json!({"guid": "BP-1", "price": 20})).await;
    let again = merchant.open_invoice(json!({"guid": "BP-1", "price": 30})).await;
    assert_eq!(first, again);
    assert_ne!(merchant.open_invoice(json!({"guid": "BP-2"})).await, first);
    assert_ne!(merchant.open_invoice(json!({})).await, merchant.open_invoice(json!({})).await);
    assert_eq!(simulator.invoice(&first).unwrap().price.to_string(), "20");
    let (_, found) = merchant.get("/invoices/guid/BP-1").await;
    assert_eq!(found["data"]["id"], json!(first));
}

#[rstest]
#[case(json!({"currency": null}), 400, json!({"errors": [{"error": "Missing required parameter.", "param": "currency"}]}))]
#[case(json!({"price": 0}), 400, json!({
    "status": "error", "code": "010110", "data": null, "error": "Invoice price is below minimum threshold"
}))]
#[case(json!({"price": 1_000_000}), 400, json!({
    "status": "error", "code": "010111", "data": null, "error": "Invoice price is above maximum threshold"
}))]
#[case(json!({"price": 20.001}), 400, json!({
    "status": "error", "code": "010102", "data": null, "error": "Invalid params", "message": "Invalid params: price"
}))]
#[case(json!({"notificationURL": "http://isp.example/bitpay/ipn/1"}), 400, json!({
    "status": "error", "code": "010102", "data": null, "error": "Invalid params",
    "message": "Invalid params: notificationURL"
}))]
#[tokio::test]
async fn a_bad_invoice_is_refused_and_not_created(
    #[case] more: Value,
    #[case] status: u16,
    #[case] body: Value,
) {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    assert_eq!(merchant.invoice(more).await, (status, body));
    assert!(simulator.invoices().is_empty());
}

#[tokio::test]
async fn the_signed_endpoints_want_their_version() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let (status, body) =
        merchant.get_unsigned(&format!("/invoices/x?token={}", merchant.token)).await;
    assert_eq!(status, 400);
    assert!(body["error"].as_str().unwrap().contains("X-Accept-Version"));
}

#[tokio::test]
async fn everybody_sees_a_part_of_an_invoice_whatever_signature_they_bring() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let id = merchant.open_invoice(json!({"orderId": "BP-1", "guid": "secret"})).await;
    let target = format!("/invoices/{id}");
    let (status, body) = merchant.get_unsigned(&target).await;
    assert_eq!((status, body["facade"].as_str()), (200, Some("public/invoice")));
    assert_eq!(body["data"]["status"], "new");
    for hidden in ["token", "guid", "orderId", "buyer", "posData"] {
        assert_eq!(body["data"].get(hidden), None, "{hidden}");
    }
    for target in [target.as_str(), "/rates/BTC/USD", "/rates/", "/currencies"] {
        let answer = merchant.send("GET", target, "", "stale", &merchant.identity()).await;
        assert_eq!(answer.0, 200, "{target}");
    }
}

#[tokio::test]
async fn a_token_without_authentication_needs_no_signature() {
    let simulator = simulator().await;
    let merchant = Merchant::with_key(&simulator, MERCHANT);
    let token = simulator.create_open_token();
    let body = json!({"token": token, "price": 20, "currency": "USD"});
    let (status, created) = merchant.post_unsigned("/invoices", &body).await;
    assert_eq!(status, 200);
    let target = format!("/invoices/{}?token={token}", created["data"]["id"].as_str().unwrap());
    let (status, read) = merchant.get_unsigned(&target).await;
    assert_eq!((status, read["facade"].as_str()), (200, Some("pos/invoice")));
}

async fn merchant_facade(simulator: &Simulator) -> Merchant {
    let mut merchant = Merchant::with_key(simulator, STRANGER);
    let body = json!({"id": merchant.sin(), "facade": "merchant", "label": "ISP"});
    let (_, asked) = merchant.post_unsigned("/tokens", &body).await;
    let token = &asked["data"][0];
    merchant.token = token["token"].as_str().unwrap().to_owned();
    assert_eq!(merchant.invoice(json!({})).await, error("Unauthorized sin"), "not approved yet");
    assert!(simulator.approve(token["pairingCode"].as_str().unwrap()));
    merchant
}

#[tokio::test]
async fn only_the_merchant_facade_searches_invoices() {
    let simulator = simulator().await;
    let pos = Merchant::paired(&simulator).await;
    let first = pos.open_invoice(json!({"orderId": "A"})).await;
    pos.open_invoice(json!({"orderId": "B"})).await;
    let day = chrono_day(&simulator);
    let search = format!("/invoices?dateStart={day}&dateEnd={day}");
    assert_eq!(pos.get(&search).await, error("Not authorized for facade: pos"));
    let merchant = merchant_facade(&simulator).await;
    let ids = |body: &Value| -> Vec<Value> {
        body["data"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect()
    };
    let (_, all) = merchant.get(&search).await;
    assert_eq!(ids(&all).len(), 2);
    let (_, one) = merchant.get(&format!("{search}&orderId=A&status=new")).await;
    assert_eq!(ids(&one), [json!(first)]);
    let (_, none) = merchant.get(&format!("{search}&status=complete")).await;
    assert!(ids(&none).is_empty());
    let (_, old) = merchant.get("/invoices?dateStart=2001-01-01&dateEnd=2001-01-02").await;
    assert!(ids(&old).is_empty());
    let (status, missing) = merchant.get("/invoices?dateStart=2001-01-01").await;
    assert_eq!((status, missing["errors"][0]["param"].as_str()), (400, Some("dateEnd")));
    simulator.arm(Fault::on_any("invoices", Kind::IgnoreFilter));
    let (_, every) = merchant.get("/invoices?dateStart=2001-01-01&dateEnd=2001-01-02").await;
    assert_eq!(ids(&every).len(), 2);
}

/// The day the simulator lives in, as its state tells.
fn chrono_day(simulator: &Simulator) -> String {
    let now = simulator.state()["now"].as_i64().unwrap();
    crate::sim::bitpay::Moment::from_ms(now).date()
}

#[tokio::test]
async fn the_test_environment_pays_by_itself() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let id = merchant.open_invoice(json!({})).await;
    let body = json!({"token": merchant.token, "status": "complete"}).to_string();
    let target = format!("/invoices/pay/{id}");
    let (status, paid) = merchant.signed("PUT", &target, &body).await;
    assert_eq!((status, paid["data"]["status"].as_str()), (200, Some("complete")));
    let (status, again) = merchant.signed("PUT", &target, &body).await;
    assert_eq!((status, again["code"].as_str()), (400, Some("030117")));
}

#[tokio::test]
async fn production_does_not_pay_by_itself() {
    let simulator = production_simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let id = merchant.open_invoice(json!({})).await;
    let body = json!({"token": merchant.token, "status": "complete"}).to_string();
    assert_eq!(merchant.signed("PUT", &format!("/invoices/pay/{id}"), &body).await.0, 404);
    assert_eq!(simulator.invoice(&id).unwrap().status, Status::New);
}

#[tokio::test]
async fn an_invoice_expires_when_its_time_has_come() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let open = merchant.open_invoice(json!({})).await;
    let paid = merchant.open_invoice(json!({})).await;
    simulator.pay(&paid, PayKind::Exact).unwrap();
    simulator.advance(std::time::Duration::from_mins(15));
    let (_, read) = merchant.get(&format!("/invoices/{open}")).await;
    assert_eq!(read["data"]["status"], "expired");
    let (_, read) = merchant.get(&format!("/invoices/{paid}")).await;
    assert_eq!(read["data"]["status"], "paid");
}

#[tokio::test]
async fn over_and_underpayments_are_refunded_and_never_kept() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let under = merchant.open_invoice(json!({})).await;
    let over = merchant.open_invoice(json!({})).await;
    simulator.pay(&under, PayKind::Less).unwrap();
    let (_, read) = merchant.get(&format!("/invoices/{under}")).await;
    assert_eq!(read["data"]["status"], "new");
    assert_eq!(read["data"]["exceptionStatus"], "paidPartial");
    assert!(read["data"]["amountPaid"].as_u64().unwrap() > 0);
    assert!(simulator.complete(&under).is_err());
    simulator.expire(&under).unwrap();
    assert!(simulator.complete(&under).is_err());
    simulator.pay(&over, PayKind::More).unwrap();
    assert_eq!(simulator.complete(&over), Ok(Status::Complete));
    let (_, read) = merchant.get(&format!("/invoices/{over}")).await;
    assert_eq!(read["data"]["exceptionStatus"], "paidOver");
    assert_eq!(read["data"]["price"], json!(20));
    let refunded: Vec<_> = simulator.refunds().into_iter().map(|refund| refund.invoice).collect();
    assert_eq!(refunded, [under, over]);
}

#[tokio::test]
async fn a_fault_strikes_the_api_and_the_log_tells() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let answer = crate::sim::faults::Answer::bare(actix_web::http::StatusCode::BAD_GATEWAY);
    simulator.arm(
        Fault::on(actix_web::http::Method::POST, "invoices", Kind::ExecuteThenStatus(answer))
            .times(1),
    );
    assert_eq!(merchant.invoice(json!({"guid": "g"})).await.0, 502);
    assert_eq!(simulator.invoices().len(), 1, "it was executed all the same");
    assert_eq!(merchant.invoice(json!({"guid": "g"})).await.0, 200);
    assert_eq!(simulator.invoices().len(), 1);
    let log = simulator.log();
    let statuses: Vec<_> = log.iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [Some(200), Some(502), Some(200)]);
    assert!(log[1].fault.is_some());
}

#[tokio::test]
async fn behind_a_proxy_the_public_scheme_is_signed_and_shown() {
    let public_url = Some("https://bitpay.example/".to_owned());
    let simulator = Simulator::start(Options { public_url, ..Options::default() }).await.unwrap();
    assert_eq!(simulator.url(), "https://bitpay.example");
    let mut merchant = Merchant::with_key(&simulator, MERCHANT);
    let listen = simulator.address();
    merchant.base = format!("http://{listen}");
    let (_, paired) = merchant.pair(&simulator.create_pairing_code()).await;
    assert_eq!(paired["data"][0]["facade"], "pos");
    let identity = merchant.identity();
    let (http, https) = (format!("http://{listen}/tokens"), format!("https://{listen}/tokens"));
    let refused = merchant.send("GET", "/tokens", "", &http, &identity).await;
    assert_eq!(refused, error("Invalid signature"));
    assert_eq!(merchant.send("GET", "/tokens", "", &https, &identity).await.0, 200);
}

//! The control API over HTTP.

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::support::{Api, http, simulator};
use crate::sim::splynx::Simulator;

/// Sends a control request: the status and the JSON.
async fn control(simulator: &Simulator, method: Method, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/_control/{path}", simulator.url());
    let response = http("control").request(method, url).json(&body).send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

async fn post(simulator: &Simulator, path: &str, body: Value) -> Value {
    let (status, answer) = control(simulator, Method::POST, path, body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

#[tokio::test]
async fn the_state_shows_every_row_and_what_decides_over_the_next_request() {
    let simulator = simulator().await;
    let (_, state) = control(&simulator, Method::GET, "state", json!({})).await;
    assert_eq!(state["payments"].as_array().unwrap().len(), 2);
    assert_eq!(state["invoices"][0]["number"], "201801000001");
    assert_eq!(state["invoices"][0]["due"], "51.61");
    assert_eq!(state["behaviour"]["sets_paid"], true);
    assert!(state["customers"][0].get("password").is_none());
}

#[tokio::test]
async fn a_fault_is_armed_strikes_is_logged_and_is_disarmed() {
    let simulator = simulator().await;
    let api = Api::signed(&simulator);
    let fault =
        json!({ "method": "GET", "path": "admin/finance/payments", "kind": "status", "code": 502 });
    post(&simulator, "faults", fault).await;

    assert_eq!(api.get("admin/finance/payments").await.status, 502);
    assert_eq!(api.get("admin/finance/invoices").await.status, 200);
    let (_, faults) = control(&simulator, Method::GET, "faults", json!({})).await;
    assert_eq!(faults[0]["struck"], 1);
    control(&simulator, Method::DELETE, "faults", json!({})).await;
    assert_eq!(api.get("admin/finance/payments?limit=1").await.status, 200);

    let (_, log) = control(&simulator, Method::GET, "log", json!({})).await;
    let lines: Vec<_> = log.as_array().unwrap().iter().map(|line| line["status"].clone()).collect();
    assert_eq!(lines, [json!(502), json!(200), json!(200)]);
    assert_eq!(log[2]["query"], "limit=1");
}

#[tokio::test]
async fn customers_and_documents_are_made_and_changed() {
    let simulator = simulator().await;
    let customer = post(&simulator, "customers", json!({ "billing_type": "prepaid" })).await;
    assert_eq!(customer["login"], "customer4");

    let draft = json!({ "customer_id": 4, "total": "12.34", "date": "2026-01-02" });
    let invoice = post(&simulator, "invoices", draft).await;
    assert_eq!((&invoice["number"], &invoice["due"]), (&json!("202601000001"), &json!("12.34")));

    let items = json!([{ "description": "Fibre", "price": "10", "tax": 21 }]);
    let proforma = post(&simulator, "proformas", json!({ "customer_id": 4, "items": items })).await;
    assert_eq!(proforma["total"], "12.10");

    let path = format!("invoices/{}", invoice["id"]);
    let change = json!({ "total": "20.00", "due": "5.00", "status": "pending", "customer_id": 2 });
    let (_, changed) = control(&simulator, Method::PATCH, &path, change).await;
    let seen = ["total", "due", "status", "customer_id"].map(|name| changed[name].to_string());
    assert_eq!(seen, ["\"20.00\"", "\"5.00\"", "\"pending\"", "2"]);
    let deposits = simulator.read(|world| [2, 4].map(|id| world.books.deposit(id).to_string()));
    assert_eq!(deposits, ["-40.00", "0.00"], "what the invoice charged moved along");
}

#[tokio::test]
async fn a_payment_is_made_at_the_counter_and_deleted() {
    let simulator = simulator().await;
    let cash = json!({ "customer_id": 1, "invoice_id": 1, "amount": "51.61" });
    let id = post(&simulator, "payments", cash).await["id"].to_string();
    let api = Api::signed(&simulator);
    assert_eq!(api.field("admin/finance/invoices/1", "status").await, "paid");
    let (status, _) =
        control(&simulator, Method::DELETE, &format!("payments/{id}"), json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(api.field("admin/finance/invoices/1", "status").await, "not_paid");
}

#[tokio::test]
async fn switches_change_the_running_server() {
    let simulator = simulator().await;
    let changes =
        json!({ "sets_paid": false, "token_life": 60, "bitpay_url": "http://127.0.0.1:9" });
    post(&simulator, "options", changes).await;
    let denied =
        json!({ "controller": "api\\admin\\finance\\Payments", "action": "add", "allow": false });
    post(&simulator, "permissions", denied).await;
    post(&simulator, "clock", json!({ "stand_at": "2030-01-01T00:00:00Z", "advance_seconds": 60 }))
        .await;

    let seen = simulator.read(|world| {
        (world.behaviour.sets_paid, world.behaviour.token_life, world.clock.now().to_rfc3339())
    });
    assert_eq!(seen, (false, 60, "2030-01-01T00:01:00+00:00".to_owned()));
    assert!(simulator.read(|world| world.behaviour.auto_allocate), "the rest stays");
    let api = Api::signed(&simulator);
    assert_eq!(api.post("admin/finance/payments", &json!({})).await.status, 403);
}

#[tokio::test]
async fn sessions_are_opened_and_revoked() {
    let simulator = simulator().await;
    let session = post(&simulator, "sessions", json!({ "customer": 2 })).await;
    let id = session["session_id"].as_str().unwrap();
    let api = Api::session(&simulator, id).await;
    assert_eq!(api.field("admin/customers/customer/2", "login").await, "customer2");

    post(&simulator, "sessions/revoke", json!({ "session_id": id })).await;

    assert_eq!(simulator.read(|world| world.access.session(id)), None);
}

#[tokio::test]
async fn a_reset_brings_the_start_back() {
    let simulator = simulator().await;
    post(&simulator, "payments", json!({ "customer_id": 1, "amount": "1" })).await;
    post(&simulator, "options", json!({ "sets_paid": false })).await;
    post(&simulator, "reset", json!({})).await;
    assert_eq!(simulator.state().payments.len(), 2);
    assert!(simulator.read(|world| world.behaviour.sets_paid));
    assert!(simulator.log().is_empty());
}

#[rstest]
#[case("options", json!({"sets_payd": true}))]
#[case("faults", json!({"kind": "burn"}))]
#[case("invoices", json!({"customer_id": 99, "total": "1"}))]
#[case("invoices", json!({"customer_id": 1, "total": "much"}))]
#[case("sessions", json!({"admin": 1, "customer": 1}))]
#[case("entry-points", json!({"name": "x", "enabled": true}))]
#[tokio::test]
async fn a_control_request_that_cannot_be_understood_is_refused(
    #[case] path: &str,
    #[case] body: Value,
) {
    let simulator = simulator().await;
    let (status, answer) = control(&simulator, Method::POST, path, body).await;
    assert_eq!(status, 400);
    assert!(answer["error"].is_string());
}

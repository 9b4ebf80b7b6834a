//! The control API does over HTTP what the handle does.

use rstest::rstest;
use serde_json::{Value, json};

use super::support::{Merchant, simulator};
use crate::sim::faults::{Fault, Kind};

#[tokio::test]
async fn the_control_api_pairs_pays_and_shows_the_state() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let id = merchant.open_invoice(json!({"orderId": "BP-1"})).await;
    let pay = |kind: &str| json!({"kind": kind, "currency": "ETH"});
    let (status, view) =
        merchant.control("POST", &format!("invoices/{id}/pay"), &pay("less")).await;
    assert_eq!((status, &view["exception_status"]), (200, &json!("paidPartial")));
    let (_, view) = merchant.control("POST", &format!("invoices/{id}/pay"), &pay("exact")).await;
    assert_eq!((&view["status"], &view["coin"]), (&json!("paid"), &json!("ETH")));
    for (step, status) in [("confirm", "confirmed"), ("complete", "complete")] {
        let (_, view) =
            merchant.control("POST", &format!("invoices/{id}/{step}"), &json!({})).await;
        assert_eq!(view["status"], status);
    }
    let (_, state) = merchant.control("GET", "state", &json!({})).await;
    assert_eq!(state["invoices"][0]["order_id"], "BP-1");
    assert_eq!(state["tokens"][0]["facade"], "pos");
    let used: Vec<_> = state["pairing_codes"].as_object().unwrap().values().collect();
    assert_eq!(used[0]["used"], json!(true));
}

#[rstest]
#[case("POST", "invoices/ID/complete", json!({}), 409)]
#[case("POST", "invoices/ID/confirm", json!({}), 409)]
#[case("POST", "invoices/ID/decline", json!({}), 409)]
#[case("POST", "invoices/ID/pay", json!({"kind": "much"}), 400)]
#[case("POST", "invoices/ID/pay", json!({"kind": "exact", "sum": 1}), 400)]
#[case("POST", "invoices/ID/pay", json!({"kind": "exact", "currency": "GOLD"}), 409)]
#[case("POST", "invoices/ID/ipn", json!({"times": -1}), 400)]
#[case("POST", "invoices/none/pay", json!({"kind": "exact"}), 404)]
#[case("POST", "invoices/none/ipn", json!({}), 404)]
#[case("POST", "options", json!({"send_ipns": true}), 400)]
#[case("POST", "pairing-codes", json!({"code": "short"}), 400)]
#[case("POST", "faults", json!({"kind": "burn"}), 400)]
#[case("POST", "tokens/none/disable", json!({}), 404)]
#[case("GET", "nothing", json!({}), 404)]
#[tokio::test]
async fn a_control_that_makes_no_sense_is_refused(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: Value,
    #[case] status: u16,
) {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let id = merchant.open_invoice(json!({})).await;
    let (found, body) = merchant.control(method, &path.replace("ID", &id), &body).await;
    assert_eq!((found, body["error"].is_string()), (status, true), "{body}");
    assert_eq!(simulator.invoice(&id).unwrap().status, crate::sim::bitpay::Status::New);
}

#[tokio::test]
async fn a_late_payment_goes_back_unless_it_is_accepted() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let back = merchant.open_invoice(json!({})).await;
    let kept = merchant.open_invoice(json!({})).await;
    let (_, view) =
        merchant.control("POST", &format!("invoices/{back}/pay"), &json!({"kind": "late"})).await;
    assert_eq!(
        (&view["status"], &view["exception_status"]),
        (&json!("expired"), &json!("paidLate"))
    );
    let accepted = json!({"kind": "late", "accepted": true});
    let (_, view) = merchant.control("POST", &format!("invoices/{kept}/pay"), &accepted).await;
    assert_eq!((&view["status"], &view["exception_status"]), (&json!("paid"), &json!("paidLate")));
    let refunds = simulator.refunds();
    assert_eq!((refunds.len(), &refunds[0].invoice), (1, &back));
}

#[tokio::test]
async fn faults_options_clock_and_log_are_controlled_over_http() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let fault =
        json!({"method": "GET", "path": "rates", "kind": "status", "code": 503, "times": 1});
    assert_eq!(merchant.control("POST", "faults", &fault).await.0, 200);
    assert_eq!(merchant.get_unsigned("/rates").await.0, 503);
    assert_eq!(merchant.get_unsigned("/rates").await.0, 200);
    let (_, left) = merchant.control("DELETE", "faults", &json!({})).await;
    assert_eq!(left, json!([]));
    let (_, options) = merchant.control("POST", "options", &json!({"minute_ms": 5})).await;
    assert_eq!((&options["minute_ms"], &options["send_ipn"]), (&json!(5), &json!(true)));
    let before = simulator.state()["now"].as_i64().unwrap();
    let (_, after) = merchant.control("POST", "clock", &json!({"advance_s": 3600})).await;
    assert!(after["now"].as_i64().unwrap() - before >= 3_600_000);
    let (_, log) = merchant.control("GET", "log", &json!({})).await;
    let paths: Vec<_> = log.as_array().unwrap().iter().map(|entry| entry["path"].clone()).collect();
    assert_eq!(paths, ["tokens", "rates", "rates"], "controls are not logged");
    merchant.control("DELETE", "log", &json!({})).await;
    assert!(simulator.log().is_empty());
}

#[tokio::test]
async fn a_pairing_code_from_the_control_api_works() {
    let simulator = simulator().await;
    let merchant = Merchant::with_key(&simulator, super::support::MERCHANT);
    let (_, made) = merchant.control("POST", "pairing-codes", &json!({})).await;
    assert_eq!(merchant.pair(made["code"].as_str().unwrap()).await.0, 200);
    let foreign = json!({"code": "PR0D123", "environment": "production"});
    assert_eq!(merchant.control("POST", "pairing-codes", &foreign).await.0, 200);
    assert_eq!(merchant.pair("PR0D123").await.0, 500);
}

#[tokio::test]
async fn a_hanging_request_does_not_keep_the_simulator_from_stopping() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    simulator.arm(Fault::on_any("rates", Kind::Hang));
    let hanging = merchant.page("/rates");
    tokio::select! {
        answer = hanging => panic!("{answer:?}"),
        () = tokio::time::sleep(std::time::Duration::from_millis(50)) => {}
    }
    let base = merchant.base.clone();
    simulator.stop();
    assert!(std::net::TcpStream::connect(base.trim_start_matches("http://")).is_err());
}

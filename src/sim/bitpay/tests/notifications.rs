//! Notifications leave as BitPay sends them, and are repeated until they are answered with 200.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{Merchant, Receiver, simulator};
use crate::sim::bitpay::{
    DeliveryState, Event, PayKind, Settings, Simulator, Status, ipn_signature,
};

/// The smallest minute, so that all tries happen in a moment.
async fn quick() -> Simulator {
    let simulator = simulator().await;
    simulator.set(|settings| settings.minute_ms = 1);
    simulator
}

fn events(simulator: &Simulator) -> Vec<Event> {
    simulator.deliveries().into_iter().map(|delivery| delivery.event).collect()
}

#[tokio::test]
async fn a_flat_notification_is_signed_with_the_api_token() {
    let simulator = quick().await;
    let inbox = Receiver::answering(&[]).await;
    let merchant = Merchant::paired(&simulator).await;
    let id = merchant.open_invoice(json!({"notificationURL": inbox.url, "orderId": "BP-1"})).await;
    simulator.pay(&id, PayKind::Exact).unwrap();
    simulator.settle().await;
    let received = inbox.received();
    assert_eq!(received.len(), 1);
    let expected = ipn_signature(&merchant.token, received[0].body.as_bytes());
    assert_eq!(received[0].signature.as_deref(), Some(expected.as_str()));
    let body = received[0].json();
    assert_eq!(
        (&body["id"], &body["status"], &body["orderId"]),
        (&json!(id), &json!("paid"), &json!("BP-1"))
    );
    assert_eq!(body.get("event"), None);
    assert_eq!(body.get("posData"), None, "what was not set is not there");
    assert_eq!(body.get("token"), None);
}

#[tokio::test]
async fn an_extended_notification_has_its_data_first_and_the_time_in_its_event() {
    let simulator = quick().await;
    let inbox = Receiver::answering(&[]).await;
    let merchant = Merchant::paired(&simulator).await;
    let more = json!({"notificationURL": inbox.url, "extendedNotifications": true});
    let id = merchant.open_invoice(more).await;
    simulator.expire(&id).unwrap();
    simulator.settle().await;
    let received = inbox.received();
    assert!(received[0].body.starts_with(r#"{"data":{"#));
    let body = received[0].json();
    assert_eq!(
        (&body["event"]["code"], &body["event"]["name"]),
        (&json!(1004), &json!("invoice_expired"))
    );
    assert!(body["event"]["timestamp"].is_i64());
    assert_eq!(body["data"]["status"], "expired");
}

#[tokio::test]
async fn only_200_is_success_and_six_tries_are_all() {
    let simulator = quick().await;
    let refusals = [201, 204, 302, 404, 500, 503];
    let inbox = Receiver::answering(&refusals).await;
    let merchant = Merchant::paired(&simulator).await;
    let id = merchant.open_invoice(json!({"notificationURL": inbox.url})).await;
    simulator.pay(&id, PayKind::Exact).unwrap();
    simulator.advance(Duration::from_secs(1));
    wait_for(&simulator, DeliveryState::GaveUp).await;
    let delivery = simulator.deliveries().remove(0);
    let statuses: Vec<_> = delivery.attempts.iter().filter_map(|attempt| attempt.status).collect();
    assert_eq!(statuses, refusals);
    assert_eq!(inbox.received().len(), 6, "no redirect was followed");
}

/// Waits until the first notification has come to this end.
async fn wait_for(simulator: &Simulator, state: DeliveryState) {
    for _ in 0..500 {
        if simulator.deliveries()[0].state == state {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", simulator.deliveries());
}

#[tokio::test]
async fn a_retry_waits_for_its_minute_and_tells_the_status_of_then() {
    let simulator = simulator().await;
    let inbox = Receiver::answering(&[503]).await;
    let merchant = Merchant::paired(&simulator).await;
    let id = merchant
        .open_invoice(json!({"notificationURL": inbox.url, "fullNotifications": true}))
        .await;
    simulator.pay(&id, PayKind::Exact).unwrap();
    simulator.settle().await;
    simulator.advance(Duration::from_secs(50));
    simulator.settle().await;
    assert_eq!(inbox.received().len(), 1, "the minute is not over");
    simulator.set(|settings| settings.send_ipn = false);
    simulator.complete(&id).unwrap();
    simulator.settle().await;
    simulator.set(|settings| settings.send_ipn = true);
    simulator.advance(Duration::from_secs(10));
    wait_for(&simulator, DeliveryState::Delivered).await;
    let told: Vec<Value> =
        inbox.received().iter().map(|ipn| ipn.json()["status"].clone()).collect();
    assert_eq!(told, [json!("paid"), json!("complete")]);
    assert_eq!(simulator.deliveries()[1].state, DeliveryState::NotSent);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let id = merchant.open_invoice(json!({"notificationURL": "http://127.0.0.1:1/ipn"})).await;
    simulator.pay(&id, PayKind::Exact).unwrap();
    simulator.settle().await;
    let delivery = simulator.deliveries().remove(0);
    assert_eq!(delivery.state, DeliveryState::Pending);
    assert_eq!(delivery.attempts[0].error.as_deref(), Some("cannot connect"));
}

#[tokio::test]
async fn what_is_notified_follows_the_two_flags() {
    let cases = [
        (json!({"fullNotifications": false}), vec![Event::Confirmed]),
        (json!({}), vec![Event::PaidInFull, Event::Confirmed, Event::Completed]),
        (
            json!({"extendedNotifications": true}),
            vec![Event::PaidInFull, Event::RefundComplete, Event::Confirmed, Event::Completed],
        ),
    ];
    for (flags, expected) in cases {
        let simulator = quick().await;
        let merchant = Merchant::paired(&simulator).await;
        let mut more = json!({"notificationURL": "http://127.0.0.1:1/ipn"});
        more.as_object_mut().unwrap().extend(flags.as_object().unwrap().clone());
        let id = merchant.open_invoice(more).await;
        simulator.pay(&id, PayKind::More).unwrap();
        simulator.confirm(&id).unwrap();
        simulator.complete(&id).unwrap();
        assert_eq!(events(&simulator), expected, "{flags}");
    }
}

#[tokio::test]
async fn a_paid_invoice_goes_on_by_itself() {
    let simulator = quick().await;
    simulator.set(|settings| {
        *settings = Settings { automatic: true, step_ms: 1_000, ..settings.clone() };
    });
    let inbox = Receiver::answering(&[]).await;
    let merchant = Merchant::paired(&simulator).await;
    let mut ids = Vec::new();
    for speed in ["high", "medium", "low"] {
        let more = json!({"notificationURL": inbox.url, "transactionSpeed": speed});
        let id = merchant.open_invoice(more).await;
        simulator.pay(&id, PayKind::Exact).unwrap();
        ids.push(id);
    }
    let statuses =
        || -> Vec<Status> { ids.iter().map(|id| simulator.invoice(id).unwrap().status).collect() };
    assert_eq!(statuses(), [Status::Confirmed, Status::Paid, Status::Paid]);
    simulator.advance(Duration::from_secs(1));
    assert_eq!(statuses(), [Status::Complete, Status::Confirmed, Status::Complete]);
    simulator.advance(Duration::from_secs(1));
    assert_eq!(statuses(), [Status::Complete; 3]);
    simulator.settle().await;
    assert_eq!(inbox.received().len(), 3 + 3 + 2, "low speed has no confirmed");
}

#[tokio::test]
async fn a_resend_wants_the_token_of_the_invoice() {
    let simulator = quick().await;
    let inbox = Receiver::answering(&[]).await;
    let merchant = Merchant::paired(&simulator).await;
    let (_, created) = merchant.invoice(json!({"notificationURL": inbox.url})).await;
    let (id, token) = (created["data"]["id"].as_str().unwrap(), &created["data"]["token"]);
    let target = format!("/invoices/{id}/notifications");
    let refused = merchant.post(&target, &json!({"token": merchant.token})).await;
    assert_eq!(refused, (500, json!({"error": "Invalid token"})));
    let sent = merchant.post_unsigned(&target, &json!({"token": token})).await;
    assert_eq!(sent, (200, json!({"data": "Success"})));
    simulator.settle().await;
    assert_eq!(inbox.received()[0].json()["status"], "new");
    assert_eq!(events(&simulator), [Event::ManuallyNotified]);
}

#[tokio::test]
async fn notifications_may_be_unsigned_many_or_lies() {
    let simulator = quick().await;
    let inbox = Receiver::answering(&[]).await;
    let merchant = Merchant::paired(&simulator).await;
    let id = merchant.open_invoice(json!({"notificationURL": inbox.url})).await;
    simulator.set(|settings| settings.sign_ipn = false);
    simulator.send_ipns(&id, 20).unwrap();
    simulator.settle().await;
    assert_eq!(inbox.received().len(), 20);
    assert!(inbox.received().iter().all(|ipn| ipn.signature.is_none()));
    simulator.send_false_ipn(&id, Status::Complete).unwrap();
    simulator.settle().await;
    assert_eq!(inbox.received()[20].json()["status"], "complete");
    assert_eq!(simulator.invoice(&id).unwrap().status, Status::New);
}

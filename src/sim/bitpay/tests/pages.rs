//! A shopper pays on the checkout page, a merchant makes tokens in the dashboard.

use rstest::rstest;
use serde_json::{Value, json};

use super::support::{MERCHANT, Merchant, simulator};
use crate::sim::bitpay::{PayKind, Simulator, Status};

async fn shop() -> (Simulator, Merchant, String) {
    let simulator = simulator().await;
    let merchant = Merchant::paired(&simulator).await;
    let more = json!({
        "itemDesc": "Invoice <2025>", "redirectURL": "https://isp.example/bitpay/result/1",
        "closeURL": "https://isp.example/portal",
    });
    let id = merchant.open_invoice(more).await;
    (simulator, merchant, id)
}

#[tokio::test]
async fn a_shopper_chooses_a_currency_and_pays() {
    let (simulator, merchant, id) = shop().await;
    let page = format!("/invoice?id={id}");
    let (status, html) = merchant.page(&page).await;
    assert_eq!(status, 200);
    assert!(html.contains("20.00 USD") && html.contains("Choose how to pay"), "{html}");
    assert!(html.contains("Invoice &lt;2025&gt;"), "texts of the merchant are escaped");
    assert!(html.contains("https://isp.example/portal") && !html.contains("Return to"));
    let currency = format!("/invoice/{id}/currency");
    assert_eq!(merchant.submit(&currency, &[("currency", "ETH")]).await, (303, page.clone()));
    let (_, html) = merchant.page(&page).await;
    assert!(html.contains("ETH</button>") && !html.contains("Choose how to pay"), "{html}");
    let act = format!("/invoice/{id}/act");
    assert_eq!(merchant.submit(&act, &[("action", "pay")]).await, (303, page.clone()));
    let (_, html) = merchant.page(&page).await;
    assert!(html.contains("<h2>Paid</h2>"), "{html}");
    assert!(html.contains(r#"href="https://isp.example/bitpay/result/1">Return to isp.example"#));
    assert_eq!(simulator.invoice(&id).unwrap().coin, Some("ETH"));
}

#[rstest]
#[case("less", Status::New)]
#[case("more", Status::Paid)]
#[case("late", Status::Expired)]
#[case("late-accepted", Status::Paid)]
#[case("expire", Status::Expired)]
#[tokio::test]
async fn the_test_tools_do_to_a_new_invoice_what_they_say(
    #[case] action: &str,
    #[case] status: Status,
) {
    let (simulator, merchant, id) = shop().await;
    let (answer, _) = merchant.submit(&format!("/invoice/{id}/act"), &[("action", action)]).await;
    assert_eq!((answer, simulator.invoice(&id).unwrap().status), (303, status));
}

#[tokio::test]
async fn every_offered_tool_works_and_every_page_renders() {
    let (_simulator, merchant, first) = shop().await;
    let mut open = vec![(first, Vec::<String>::new())];
    let mut seen = std::collections::BTreeSet::new();
    while let Some((id, path)) = open.pop() {
        let (status, html) = merchant.page(&format!("/invoice?id={id}")).await;
        assert_eq!(status, 200, "{html}");
        let state = html.split("class=\"state state-").nth(1).unwrap().split('"').next().unwrap();
        if !seen.insert(state.to_owned()) {
            continue;
        }
        for tool in html.split("name=\"action\" value=\"").skip(1) {
            let tool = tool.split('"').next().unwrap();
            let copy = merchant.open_invoice(json!({})).await;
            let act = format!("/invoice/{copy}/act");
            for step in path.iter().map(String::as_str).chain([tool]) {
                let (status, page) = merchant.submit(&act, &[("action", step)]).await;
                assert_eq!(status, 303, "{path:?} {tool}: {page}");
            }
            open.push((copy, path.iter().cloned().chain([tool.to_owned()]).collect()));
        }
    }
    let all = ["complete", "confirmed", "declined", "expired", "invalid", "new", "paid"];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

#[tokio::test]
async fn a_refused_action_is_explained_on_the_page() {
    let (_simulator, merchant, id) = shop().await;
    let act = format!("/invoice/{id}/act");
    let (status, html) = merchant.submit(&act, &[("action", "complete")]).await;
    assert_eq!(status, 409);
    assert!(html.contains("role=\"alert\"") && html.contains("cannot be completed"), "{html}");
    assert_eq!(merchant.page("/invoice?id=none").await.0, 404);
    assert_eq!(merchant.submit("/invoice/none/act", &[("action", "pay")]).await.0, 404);
}

#[tokio::test]
async fn the_page_learns_that_the_invoice_has_moved_on() {
    let (simulator, merchant, id) = shop().await;
    let target = format!("/invoice/{id}/status");
    let (_, before) = merchant.get_unsigned(&target).await;
    assert_eq!(merchant.get_unsigned(&target).await.1, before);
    let (_, html) = merchant.page(&format!("/invoice?id={id}")).await;
    assert!(html.contains(before["fingerprint"].as_str().unwrap()));
    simulator.pay(&id, PayKind::Exact).unwrap();
    assert_ne!(merchant.get_unsigned(&target).await.1, before);
}

#[tokio::test]
async fn a_shopper_is_sent_back_without_a_click_only_where_the_merchant_wants_it() {
    let (simulator, merchant, manual) = shop().await;
    let more = json!({"redirectURL": "https://isp.example/back", "autoRedirect": true});
    let automatic = merchant.open_invoice(more).await;
    for (id, redirects) in [(manual, false), (automatic, true)] {
        let (_, html) = merchant.page(&format!("/invoice?id={id}")).await;
        assert!(!html.contains("data-redirect"), "not before it is paid");
        simulator.pay(&id, PayKind::Exact).unwrap();
        let (_, html) = merchant.page(&format!("/invoice?id={id}")).await;
        assert_eq!(html.contains("data-redirect=\"https://isp.example/back\""), redirects);
    }
}

fn between<'a>(html: &'a str, from: &str, to: &str) -> &'a str {
    html.split(from).nth(1).unwrap().split(to).next().unwrap()
}

#[tokio::test]
async fn a_pairing_code_from_the_dashboard_pairs() {
    let simulator = simulator().await;
    let merchant = Merchant::with_key(&simulator, MERCHANT);
    assert_eq!(merchant.page("/").await, (303, "/dashboard".to_owned()));
    let form = [("label", "ISP <one>"), ("authentication", "on")];
    let (status, html) = merchant.submit("/dashboard/tokens", &form).await;
    assert_eq!(status, 200);
    let code = between(&html, "id=\"pairing-code\">", "<");
    assert!(code.len() == 7 && code.chars().all(|c| c.is_ascii_alphanumeric()), "{code}");
    assert_eq!(merchant.pair(code).await.1["data"][0]["label"], "ISP <one>");
    let (_, html) = merchant.page("/dashboard/merchant/api-tokens").await;
    assert!(html.contains("ISP &lt;one&gt;") && html.contains("<td>used</td>"), "{html}");
}

#[tokio::test]
async fn a_token_without_authentication_is_shown_and_can_be_switched_off_and_on() {
    let simulator = simulator().await;
    let merchant = Merchant::with_key(&simulator, MERCHANT);
    let (_, html) = merchant.submit("/dashboard/tokens", &[("label", "")]).await;
    let token = between(&html, "id=\"new-token\">", "<").to_owned();
    let body = json!({"token": token, "price": 20, "currency": "USD"});
    for (verb, expected) in [("disable", 500), ("enable", 200)] {
        let (status, _) =
            merchant.submit(&format!("/dashboard/tokens/{verb}"), &[("token", &token)]).await;
        assert_eq!(status, 303);
        assert_eq!(merchant.post_unsigned("/invoices", &body).await.0, expected);
    }
    assert_eq!(merchant.submit("/dashboard/tokens/disable", &[("token", "none")]).await.0, 404);
}

#[tokio::test]
async fn a_requested_token_is_approved_on_its_page() {
    let simulator = simulator().await;
    let merchant = Merchant::with_key(&simulator, MERCHANT);
    let body = json!({"id": merchant.sin(), "facade": "merchant", "label": "ISP"});
    let (_, asked) = merchant.post_unsigned("/tokens", &body).await;
    let code = asked["data"][0]["pairingCode"].as_str().unwrap().to_owned();
    let page = format!("/api-access-request?pairingCode={code}");
    let (status, html) = merchant.page(&page).await;
    assert!(status == 200 && html.contains("<strong>merchant</strong>"), "{html}");
    let (status, _) = merchant.submit("/api-access-request", &[("pairingCode", &code)]).await;
    assert_eq!(status, 200);
    assert_eq!(merchant.page(&page).await.0, 404, "once");
    let (status, tokens): (u16, Value) = merchant.signed("GET", "/tokens", "").await;
    assert_eq!((status, tokens["data"].as_array().unwrap().len()), (200, 1));
}

//! Signatures, nonces and tokens.

use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use super::support::{AGENT, Api, KEY, SECRET, http, http_elsewhere, simulator};
use crate::sim::splynx::api::auth::signature;
use crate::sim::splynx::{Principal, Simulator};

#[rstest]
#[case(
    "API_KEY",
    "API_SECRET",
    "1542493076",
    "711A1D26625308F6170FEE9373DC3C418C85DB9598768871886B6B2FC2AF5B02"
)]
fn a_signature_is_that_of_the_php_client(
    #[case] key: &str,
    #[case] secret: &str,
    #[case] nonce: &str,
    #[case] expected: &str,
) {
    assert_eq!(signature(key, secret, nonce), expected);
}

#[tokio::test]
async fn requests_signed_as_the_php_client_signs_are_served_one_after_another() {
    let simulator = simulator().await;
    let api = Api::signed(&simulator);

    for _ in 0..3 {
        assert_eq!(api.get("admin/finance/payment-methods").await.status, 200);
    }
}

fn header(key: &str, signature: &str, nonce: &str) -> String {
    format!("Splynx-EA (key={key}&signature={signature}&nonce={nonce})")
}

async fn refusal(simulator: &Simulator, header: Option<&str>) -> String {
    let answer = Api::bearing(simulator, header).get("admin/finance/payments").await;
    if answer.status == 200 { "served".to_owned() } else { answer.refusal() }
}

#[tokio::test]
async fn a_wrong_proof_is_refused() {
    let simulator = simulator().await;
    let good = signature(KEY, SECRET, "5");
    let cases = [
        (None, "401 MISSED_AUTHORIZATION_HEADER"),
        (Some("Bearer x".to_owned()), "401 UNAUTHORIZED"),
        (Some("Splynx-EA (access_token=)".to_owned()), "401 EMPTY_ACCESS_TOKEN"),
        (Some("Splynx-EA (access_token=x.y.z)".to_owned()), "401 UNAUTHORIZED"),
        (Some(header("other", &good, "5")), "401 UNAUTHORIZED"),
        (Some(header(KEY, &good, "6")), "401 UNAUTHORIZED"),
        (Some(header(KEY, &good.to_lowercase(), "5")), "401 UNAUTHORIZED"),
        (Some(header(KEY, &signature(KEY, "other", "5"), "5")), "401 UNAUTHORIZED"),
        (Some(header(KEY, &good, "5")), "served"),
    ];
    for (given, expected) in cases {
        assert_eq!(refusal(&simulator, given.as_deref()).await, expected, "{given:?}");
    }
}

#[tokio::test]
async fn a_nonce_must_be_greater_than_every_one_before() {
    let simulator = simulator().await;
    let with = |nonce: &str| header(KEY, &signature(KEY, SECRET, nonce), nonce);

    assert_eq!(refusal(&simulator, Some(&with("100"))).await, "served");
    assert_eq!(refusal(&simulator, Some(&with("100"))).await, "401 UNAUTHORIZED");
    assert_eq!(refusal(&simulator, Some(&with("99"))).await, "401 UNAUTHORIZED");
    assert_eq!(refusal(&simulator, Some(&with("101"))).await, "served");

    simulator.edit(|world| world.behaviour.check_nonce = false);
    assert_eq!(refusal(&simulator, Some(&with("99"))).await, "served");
}

#[tokio::test]
async fn a_refused_signature_uses_up_no_nonce() {
    let simulator = simulator().await;
    assert_eq!(refusal(&simulator, Some(&header(KEY, "BAD", "900"))).await, "401 UNAUTHORIZED");
    let later = header(KEY, &signature(KEY, SECRET, "5"), "5");
    assert_eq!(refusal(&simulator, Some(&later)).await, "served");
}

#[tokio::test]
async fn basic_is_served_only_with_unsecure_access() {
    use base64::Engine as _;
    let simulator = simulator().await;
    let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{KEY}:{SECRET}"));
    let header = format!("Basic {credentials}");

    assert_eq!(refusal(&simulator, Some(&header)).await, "401 UNAUTHORIZED");
    simulator.edit(|world| world.behaviour.unsecure_access = true);
    assert_eq!(refusal(&simulator, Some(&header)).await, "served");
}

/// The access and the refresh token of the API key.
async fn key_tokens(simulator: &Simulator, nonce: u64) -> (String, String) {
    let request = json!({
        "auth_type": "api_key", "key": KEY, "nonce": nonce,
        "signature": signature(KEY, SECRET, &nonce.to_string()),
    });
    let answer = Api::bearing(simulator, None).post("admin/auth/tokens", &request).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let body = answer.json();
    assert!(body["permissions"].is_array());
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

fn bearer(access: &str) -> String {
    format!("Splynx-EA (access_token={access})")
}

#[tokio::test]
async fn a_token_serves_until_it_expires_and_is_renewed_once() {
    let simulator = simulator().await;
    let (access, refresh) = key_tokens(&simulator, 1).await;
    assert_eq!(refusal(&simulator, Some(&bearer(&access))).await, "served");

    simulator.edit(|world| world.clock = world.clock.advanced(chrono::TimeDelta::minutes(30)));
    assert_eq!(refusal(&simulator, Some(&bearer(&access))).await, "401 EXPIRED_ACCESS_TOKEN");

    let anybody = Api::bearing(&simulator, None);
    let renewed = anybody.get(&format!("admin/auth/tokens/{refresh}")).await;
    assert_eq!(renewed.status, 200);
    assert!(renewed.json().get("permissions").is_none());
    let access = renewed.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(refusal(&simulator, Some(&bearer(&access))).await, "served");

    let again = anybody.get(&format!("admin/auth/tokens/{refresh}")).await;
    assert_eq!(again.refusal(), "404 NOT_FOUND");
}

#[tokio::test]
async fn an_old_refresh_token_is_refused() {
    let simulator = simulator().await;
    let (_, refresh) = key_tokens(&simulator, 1).await;
    simulator.edit(|world| world.clock = world.clock.advanced(chrono::TimeDelta::hours(11)));
    let answer = Api::bearing(&simulator, None).get(&format!("admin/auth/tokens/{refresh}")).await;
    assert_eq!(answer.refusal(), "401 EXPIRED_REFRESH_TOKEN");
}

#[tokio::test]
async fn a_deleted_token_is_banned() {
    let simulator = simulator().await;
    let (access, refresh) = key_tokens(&simulator, 1).await;
    let path = format!("admin/auth/tokens/{refresh}");
    let anybody = Api::bearing(&simulator, None);
    assert_eq!(anybody.send(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(refusal(&simulator, Some(&bearer(&access))).await, "401 TOKEN_BANNED");
    assert_eq!(anybody.get(&path).await.refusal(), "401 TOKEN_BANNED");
}

#[tokio::test]
async fn a_token_is_bound_to_the_user_agent_it_was_given_to() {
    let simulator = simulator().await;
    let (access, _) = key_tokens(&simulator, 1).await;
    let mut api = Api::bearing(&simulator, Some(&bearer(&access)));
    api.http = http("Another agent");
    let answer = api.get("admin/finance/payments").await;
    assert_eq!(answer.refusal(), "401 USER_AGENT_CHANGED");
    api.http = http(AGENT);
    assert_eq!(api.get("admin/finance/payments").await.status, 200);
}

#[tokio::test]
async fn a_token_is_bound_to_the_address_it_was_given_to() {
    let simulator = simulator().await;
    let (access, _) = key_tokens(&simulator, 1).await;
    let mut api = Api::bearing(&simulator, Some(&bearer(&access)));
    api.http = http_elsewhere(AGENT);
    assert_eq!(api.get("admin/finance/payments").await.refusal(), "401 IP_CHANGED");
}

#[rstest]
#[case(json!({"auth_type": "admin", "login": "admin", "password": "admin"}), "201")]
#[case(json!({"auth_type": "admin", "login": "admin", "password": "no"}), "401 UNAUTHORIZED")]
#[case(json!({"auth_type": "customer", "login": "customer1", "password": "customer1"}), "201")]
#[case(json!({"auth_type": "customer", "login": "admin", "password": "admin"}), "401 UNAUTHORIZED")]
#[case(json!({"auth_type": "session", "session_id": "nonsense"}), "401 INVALID_USER")]
#[case(json!({"auth_type": "session"}), "401 INVALID_USER")]
#[case(json!({"auth_type": "magic"}), "401 INVALID_AUTH_TYPE")]
#[tokio::test]
async fn a_token_is_given_only_for_what_it_asks(
    #[case] request: serde_json::Value,
    #[case] expected: &str,
) {
    let simulator = simulator().await;
    let answer = Api::bearing(&simulator, None).post("admin/auth/tokens", &request).await;
    let found = if answer.status == 201 { "201".to_owned() } else { answer.refusal() };
    assert_eq!(found, expected);
}

#[tokio::test]
async fn the_tokens_of_admin_1_and_customer_1_tell_only_the_same_id() {
    use base64::Engine as _;
    let simulator = simulator().await;
    let mut payloads = Vec::new();
    for principal in [Principal::Admin(1), Principal::Customer(1)] {
        let session_id = simulator.open_session(principal);
        let request = json!({ "auth_type": "session", "session_id": session_id });
        let answer =
            Api::bearing(&simulator, None).post("admin/auth/tokens", &request).await.json();
        let payload =
            answer["access_token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
        let json = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let names: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        payloads.push((json["id"].to_string(), names));
    }
    assert_eq!(payloads[0].0, "1");
    assert_eq!(payloads[0], payloads[1]);
}

#[tokio::test]
async fn a_revoked_session_is_exchanged_for_nothing() {
    let simulator = simulator().await;
    let session_id = simulator.open_session(Principal::Customer(1));
    simulator.edit(|world| world.access.revoke_session(&session_id));
    let request = json!({ "auth_type": "session", "session_id": session_id });
    let answer = Api::bearing(&simulator, None).post("admin/auth/tokens", &request).await;
    assert_eq!(answer.refusal(), "401 INVALID_USER");
}

#[tokio::test]
async fn the_health_check_needs_no_key_unless_it_is_to_check_one() {
    let simulator = simulator().await;
    let anybody = Api::bearing(&simulator, None);
    assert_eq!(anybody.get("admin/api/check").await.json()["status"], "ok");
    assert_eq!(anybody.get("admin/api/check?checkAuth=true").await.status, 401);
    let signed = Api::signed(&simulator);
    assert_eq!(signed.get("admin/api/check?checkAuth=true").await.status, 200);
}

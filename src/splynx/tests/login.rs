//! One login for everybody, renewed when it must be.

use std::sync::Arc;

use futures_util::future::join_all;
use secrecy::SecretString;

use crate::domain::ids::CustomerId;
use crate::domain::payable::Customer;
use crate::ports::PeerError;
use crate::ports::billing::Billing as _;
use crate::splynx::testing::{Fake, Play, Seen, StillClock, answer, own_error, token};
use crate::splynx::{Client, auth};

fn customer_1() -> Play {
    answer(200, r#"{"id":"1","name":"Customer One","billing_type":"recurring"}"#)
}

async fn ask(client: &Client) -> Result<Option<Customer>, PeerError> {
    client.customer(CustomerId::new(1)).await
}

#[test]
fn the_signature_is_the_documented_one() {
    let secret = SecretString::from("API_SECRET");
    assert_eq!(
        auth::signature("API_KEY", &secret, 1_542_493_076),
        "711A1D26625308F6170FEE9373DC3C418C85DB9598768871886B6B2FC2AF5B02"
    );
}

#[tokio::test]
async fn sixteen_callers_share_one_login_and_the_secret_is_not_sent() {
    let fake = Fake::start(|_, _| customer_1());
    let client = fake.client();
    let answers = join_all((0..16).map(|_| ask(&client))).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Some(_)))));
    let [login] = fake.logins().try_into().unwrap();
    let body: serde_json::Value = serde_json::from_str(&login.body).unwrap();
    assert_eq!(body["auth_type"], "api_key");
    // The still clock's time in hundredths of a second.
    assert_eq!(body["nonce"].to_string(), "154249307600");
    assert!(!login.body.contains("API_SECRET"));
    assert_eq!(fake.requests()[0].authorization, "Splynx-EA (access_token=access-0)");
    assert!(login.head.to_lowercase().contains("content-type: application/json"));
}

#[tokio::test]
async fn callers_who_waited_for_a_failed_login_share_its_failure() {
    let fake = Fake::with_logins(|_, _| answer(502, "<html>"));
    let client = fake.client();
    let answers = join_all((0..16).map(|_| ask(&client))).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_err_and(PeerError::is_unavailable)));
    assert_eq!(fake.logins().len(), 1);
    assert!(ask(&client).await.is_err());
    assert_eq!(fake.logins().len(), 2);
}

#[tokio::test]
async fn a_token_is_renewed_shortly_before_it_expires() {
    let fake = Fake::start(|seen, _| {
        if seen.is("GET", "auth/tokens/refresh-0") {
            let Play::Answer(_, _, body) = token(7) else { unreachable!() };
            return answer(200, body);
        }
        customer_1()
    });
    let clock = Arc::new(StillClock::default());
    let client = fake.client_at(&clock);
    ask(&client).await.unwrap();
    clock.advance(1794);
    ask(&client).await.unwrap();
    assert!(fake.requests().iter().all(|seen| seen.authorization.ends_with("=access-0)")));
    clock.advance(1);
    ask(&client).await.unwrap();
    assert_eq!(fake.requests().last().unwrap().authorization, "Splynx-EA (access_token=access-7)");
    assert_eq!(fake.logins().len(), 1);
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_is_replaced_by_a_new_login() {
    let fake = Fake::start(|seen, _| {
        let is_renewal = seen.target.contains("refresh-");
        if is_renewal { own_error(403, "EXPIRED_REFRESH_TOKEN") } else { customer_1() }
    });
    let clock = Arc::new(StillClock::default());
    let client = fake.client_at(&clock);
    ask(&client).await.unwrap();
    clock.advance(1800);
    ask(&client).await.unwrap();
    assert_eq!(fake.logins().len(), 2);
}

#[tokio::test]
async fn an_expired_token_is_renewed_and_a_banned_one_replaced() {
    for (code, logins) in [("EXPIRED_ACCESS_TOKEN", 1), ("TOKEN_BANNED", 2), ("UNAUTHORIZED", 2)] {
        let fake = Fake::start(move |seen: &Seen, before| {
            if seen.target.contains("/auth/tokens/") {
                return token(9);
            }
            if before == 0 { own_error(401, code) } else { customer_1() }
        });
        assert!(ask(&fake.client()).await.unwrap().is_some());
        assert_eq!(fake.logins().len(), logins, "{code}");
    }
}

#[tokio::test]
async fn a_401_is_answered_by_one_renewal_and_no_more() {
    let fake = Fake::start(|_, _| own_error(401, "UNAUTHORIZED"));
    assert_eq!(
        ask(&fake.client()).await.unwrap_err().to_string(),
        "Splynx refused: No! (UNAUTHORIZED)"
    );
    assert_eq!((fake.requests().len(), fake.logins().len()), (2, 2));
}

#[tokio::test]
async fn many_callers_with_one_expired_token_renew_it_once() {
    let fake = Fake::start(|seen, _| {
        if seen.is("GET", "auth/tokens/refresh-0") {
            return token(5);
        }
        if seen.authorization.contains("access-0") {
            return own_error(401, "EXPIRED_ACCESS_TOKEN");
        }
        customer_1()
    });
    let client = fake.client();
    let answers = join_all((0..16).map(|_| ask(&client))).await;
    assert!(answers.iter().all(Result::is_ok));
    let renewals = fake.requests().iter().filter(|seen| seen.target.contains("refresh-0")).count();
    assert_eq!((renewals, fake.logins().len()), (1, 1));
}

#[tokio::test]
async fn without_tokens_every_request_is_signed_with_a_rising_nonce() {
    let fake = Fake::with_logins(|seen, _| {
        let is_login = seen.is("POST", "auth/tokens");
        if is_login { own_error(405, "METHOD_DISABLED") } else { customer_1() }
    });
    let client = fake.client();
    let answers = join_all((0..8).map(|_| ask(&client))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(fake.logins().len(), 1);
    let nonces: Vec<i64> =
        fake.requests().iter().map(|seen| nonce_of(&seen.authorization)).collect();
    assert!(nonces.is_sorted_by(|one, next| one < next), "{nonces:?}");
}

fn nonce_of(authorization: &str) -> i64 {
    let (head, nonce) = authorization.trim_end_matches(')').rsplit_once("&nonce=").unwrap();
    let nonce = nonce.parse().unwrap();
    let signature = auth::signature("API_KEY", &SecretString::from("API_SECRET"), nonce);
    assert_eq!(head, format!("Splynx-EA (key=API_KEY&signature={signature}"));
    nonce
}

#[tokio::test]
async fn a_signature_overtaken_by_another_process_is_tried_once_more() {
    let fake = Fake::with_logins(|seen, before| match (seen.method.as_str(), before) {
        ("POST", 0) => own_error(401, "UNAUTHORIZED"),
        ("POST", _) => token(0),
        _ => customer_1(),
    });
    assert!(ask(&fake.client()).await.is_ok());
    assert_eq!(fake.logins().len(), 2);
}

#[tokio::test]
async fn a_wrong_key_is_a_refusal_in_splynx_words() {
    let fake = Fake::with_logins(|_, _| own_error(403, "FORBIDDEN"));
    assert_eq!(
        ask(&fake.client()).await.unwrap_err().to_string(),
        "Splynx refused: it does not accept the API key: No! (FORBIDDEN)"
    );
}

#[tokio::test]
async fn a_server_without_splynx_is_no_reason_to_sign() {
    let fake = Fake::with_logins(|_, _| answer(404, "<html>Not Found</html>"));
    assert!(matches!(ask(&fake.client()).await, Err(PeerError::Unreadable { .. })));
    assert_eq!(fake.requests().len(), 0);
}

#[tokio::test]
async fn nothing_prints_a_secret() {
    let fake = Fake::start(|_, _| Play::Drop);
    let client = fake.client();
    let error = ask(&client).await.unwrap_err();
    let printed = format!("{client:?} {error:?} {error} {:?}", client.credential().await);
    for secret in ["API_SECRET", "API_KEY", "access-0", "refresh-0"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

//! Who a visitor is fails closed.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use rstest::rstest;
use secrecy::SecretString;

use crate::ports::PeerError;
use crate::ports::billing::{Freshness, Identity, Sessions as _};
use crate::splynx::Client;
use crate::splynx::testing::{Fake, Play, StillClock, answer, own_error};

fn session_token(id: &str) -> Play {
    let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"id":{id}}}"#));
    answer(
        201,
        format!(r#"{{"access_token":"e30.{payload}.c2ln","refresh_token":"session-refresh"}}"#),
    )
}

/// A Splynx that gives a token for `id`, and answers these to the two questions.
fn fake(id: &'static str, config: Play, customers: Play) -> Fake {
    fake_with_localization(id, config, customers, denied())
}

fn fake_with_localization(
    id: &'static str,
    config: Play,
    customers: Play,
    localization: Play,
) -> Fake {
    Fake::with_logins(move |seen, _| {
        if seen.is("POST", "auth/tokens") {
            assert_eq!(seen.body, r#"{"auth_type":"session","session_id":"cookie-1"}"#);
            session_token(id)
        } else if seen.is("DELETE", "auth/tokens/session-refresh") {
            answer(204, "")
        } else if seen.is("GET", "config/config?module=add-on&path=splynx_bitpay_addon") {
            config.clone()
        } else if seen.is("GET", "config/config?module=main&path=localization") {
            localization.clone()
        } else {
            assert!(seen.is("GET", "customers/customer?limit=2"), "{}", seen.target);
            customers.clone()
        }
    })
}

async fn identify(client: &Client, freshness: Freshness) -> Result<Identity, PeerError> {
    client.identify(&SecretString::from("cookie-1"), freshness).await
}

fn word(identity: &Result<Identity, PeerError>) -> String {
    match identity {
        Ok(Identity::Admin { id }) => format!("admin {id}"),
        Ok(Identity::Customer(customer)) => format!("customer {} {}", customer.id, customer.name),
        Ok(Identity::Nobody) => "nobody".to_owned(),
        Err(_) => "error".to_owned(),
    }
}

fn denied() -> Play {
    own_error(403, "FORBIDDEN")
}

fn customer(id: &str) -> Play {
    answer(200, format!(r#"[{{"id":{id},"name":"Customer One","login":"one"}}]"#))
}

fn settings() -> Play {
    answer(200, r#"{"currency":"USD"}"#)
}

#[rstest]
#[case::admin("1", settings(), customer("1"), "admin 1")]
#[case::customer("1", denied(), customer("1"), "customer 1 Customer One")]
#[case::numbers_as_text("\"1\"", denied(), customer("\"1\""), "customer 1 Customer One")]
#[case::denied_by_401(
    "1",
    own_error(401, "UNAUTHORIZED"),
    customer("1"),
    "customer 1 Customer One"
)]
#[case::denied_by_404("1", own_error(404, "NOT_FOUND"), customer("1"), "customer 1 Customer One")]
#[case::denied_by_405(
    "1",
    own_error(405, "METHOD_DISABLED"),
    customer("1"),
    "customer 1 Customer One"
)]
#[case::admin_without_our_module("1", denied(), answer(200, r#"[{"id":1},{"id":2}]"#), "nobody")]
#[case::other_customer("1", denied(), customer("2"), "nobody")]
#[case::sees_no_customer("1", denied(), answer(200, "[]"), "nobody")]
#[case::sees_no_list("1", denied(), denied(), "nobody")]
#[case::token_without_owner("null", denied(), customer("1"), "nobody")]
#[case::settings_in_an_error(
    "1",
    answer(200, r#"{"error":{"message":"x"}}"#),
    customer("1"),
    "nobody"
)]
#[case::odd_refusal("1", own_error(422, "BAD_REQUEST"), customer("1"), "nobody")]
#[case::nothing_saved_yet("1", answer(200, "[]"), answer(200, r#"[{"id":1},{"id":2}]"#), "admin 1")]
#[case::customer_who_sees_empty_settings("1", answer(200, "[]"), customer("1"), "nobody")]
#[case::settings_page_of_a_proxy("1", answer(200, "<html>"), customer("1"), "error")]
#[case::denied_by_a_proxy("1", answer(403, "<html>"), customer("1"), "error")]
#[case::settings_down("1", answer(502, ""), customer("1"), "error")]
#[case::settings_silent("1", Play::Hang, customer("1"), "error")]
#[case::customers_down("1", denied(), answer(500, ""), "error")]
#[case::customers_unreadable("1", denied(), answer(200, "{}"), "error")]
#[tokio::test]
async fn somebody_is_only_who_splynx_surely_says(
    #[case] id: &'static str,
    #[case] config: Play,
    #[case] customers: Play,
    #[case] who: &str,
) {
    let fake = fake(id, config, customers);
    assert_eq!(word(&identify(&fake.client(), Freshness::Asked).await), who);
    let last = fake.requests().pop().unwrap();
    assert_eq!(last.method, "DELETE", "the token was not deleted");
    assert!(last.authorization.starts_with("Splynx-EA (access_token=e30."));
}

#[rstest]
#[case(settings(), "admin 1")]
#[case(denied(), "nobody")]
#[case(answer(200, "[]"), "nobody")]
#[case(answer(502, ""), "error")]
#[tokio::test]
async fn an_admin_with_one_customer_and_no_settings_is_told_by_the_localization(
    #[case] localization: Play,
    #[case] who: &str,
) {
    let fake = fake_with_localization("1", answer(200, "[]"), customer("1"), localization);
    assert_eq!(word(&identify(&fake.client(), Freshness::Asked).await), who);
}

#[rstest]
#[case::unknown(own_error(401, "UNAUTHORIZED"), "nobody")]
#[case::unsupported_user(own_error(400, "INVALID_USER"), "nobody")]
#[case::not_offered(own_error(405, "METHOD_DISABLED"), "error")]
#[case::throttled(own_error(429, "EXCEEDED_MAX_ATTEMPTS"), "error")]
#[case::down(answer(502, ""), "error")]
#[case::dropped(Play::Drop, "error")]
#[case::no_token(answer(201, "{}"), "error")]
#[tokio::test]
async fn a_cookie_that_is_not_exchanged_is_nobodys(#[case] play: Play, #[case] who: &str) {
    let fake = Fake::with_logins(move |_, _| play.clone());
    assert_eq!(word(&identify(&fake.client(), Freshness::Remembered).await), who);
    assert_eq!(fake.requests().len(), 0);
}

#[tokio::test]
async fn a_visitor_is_remembered_for_showing_but_not_for_changing() {
    let fake = fake("1", denied(), customer("1"));
    let clock = Arc::new(StillClock::default());
    let client = fake.client_at(&clock);
    for (freshness, wait, exchanges) in [
        (Freshness::Remembered, 0, 1),
        (Freshness::Remembered, 59, 1),
        (Freshness::Asked, 0, 2),
        (Freshness::Remembered, 59, 2),
        (Freshness::Remembered, 1, 3),
    ] {
        clock.advance(wait);
        assert!(matches!(identify(&client, freshness).await, Ok(Identity::Customer(_))));
        assert_eq!(fake.logins().len(), exchanges);
    }
}

#[tokio::test]
async fn visitors_with_one_cookie_share_one_question() {
    let fake = fake("1", denied(), customer("1"));
    let client = fake.client();
    let all = join_all((0..16).map(|_| identify(&client, Freshness::Remembered))).await;
    assert!(all.iter().all(|who| matches!(who, Ok(Identity::Customer(_)))));
    assert_eq!(fake.logins().len(), 1);
}

#[tokio::test]
async fn visitors_who_came_together_fail_together() {
    let fake = Fake::with_logins(|_, _| Play::Hang);
    let client = fake.client();
    let all = join_all((0..16).map(|_| identify(&client, Freshness::Asked))).await;
    assert!(all.iter().all(|who| who.as_ref().is_err_and(PeerError::is_unavailable)));
    assert_eq!(fake.logins().len(), 1);
}

#[tokio::test]
async fn a_flood_of_invented_cookies_does_not_reach_splynx_nor_push_out_visitors() {
    let fake = Fake::with_logins(|seen, _| {
        if seen.body.contains("cookie-1") {
            return session_token("1");
        }
        if seen.is("GET", "config/config") {
            return settings();
        }
        own_error(401, "UNAUTHORIZED")
    });
    let client = fake.client();
    identify(&client, Freshness::Remembered).await.unwrap();
    let cookies: Vec<_> = (0..200).map(|n| SecretString::from(format!("invented-{n}"))).collect();
    let all =
        join_all(cookies.iter().map(|cookie| client.identify(cookie, Freshness::Asked))).await;
    assert!(all.iter().all(|who| matches!(who, Ok(Identity::Nobody) | Err(_))));
    assert!(fake.logins().len() < 30, "{} questions", fake.logins().len());
    assert_eq!(word(&identify(&client, Freshness::Remembered).await), "admin 1");
    assert_eq!(word(&identify(&client, Freshness::Asked).await), "admin 1");
}

#[tokio::test]
async fn a_cookie_that_php_cannot_have_made_is_not_asked_about() {
    let fake = Fake::with_logins(|_, _| Play::Drop);
    let odd = SecretString::from("two words");
    assert_eq!(fake.client().identify(&odd, Freshness::Asked).await, Ok(Identity::Nobody));
    assert_eq!(fake.logins().len(), 0);
}

//! A write is never executed twice by this client, whatever happens to its connection.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;

use crate::domain::ids::{CustomerId, DocumentId, SplynxId};
use crate::domain::payable::DocumentKind;
use crate::domain::posting::{NotExecuted, WriteOutcome};
use crate::ports::billing::{Billing as _, Endpoint, Write};
use crate::splynx::Client;
use crate::splynx::testing::{Fake, Play, StillClock, answer, client_of, own_error, token};

const BODY: &str = r#"{"customer_id":1,"amount":"51.61"}"#;

async fn pay(client: &Client) -> WriteOutcome {
    post_until(client, Duration::MAX).await
}

async fn post_until(client: &Client, not_after: Duration) -> WriteOutcome {
    client.write(Write { endpoint: Endpoint::Payments, body: BODY, not_after }).await
}

fn made(id: i64) -> WriteOutcome {
    WriteOutcome::Done { splynx_id: Some(SplynxId::new(id)) }
}

#[tokio::test]
async fn a_payment_is_sent_byte_for_byte() {
    let fake = Fake::start(|_, _| answer(201, r#"{"id":17}"#));
    assert_eq!(pay(&fake.client()).await, made(17));
    let [seen] = fake.requests().try_into().unwrap();
    assert!(seen.is("POST", "finance/payments"));
    assert_eq!(seen.body, BODY);
}

#[tokio::test]
async fn a_document_is_changed_by_a_put_that_may_answer_nothing() {
    let fake = Fake::start(|_, _| answer(202, ""));
    let endpoint = Endpoint::Document(DocumentKind::ProformaInvoice, DocumentId::new(42));
    let write = Write { endpoint, body: "{}", not_after: Duration::MAX };
    assert_eq!(fake.client().write(write).await, WriteOutcome::Done { splynx_id: None });
    assert!(fake.requests()[0].is("PUT", "finance/proforma-invoices/42"));
}

#[rstest]
#[case::dropped(Play::Drop)]
#[case::silent(Play::Hang)]
#[case::no_http(Play::Bytes("SSH-2.0-OpenSSH\r\n\r\n"))]
#[case::cut_head(Play::Bytes("HTTP/1.1 201 Created\r\nContent-"))]
#[case::cut_body(Play::Bytes("HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{\"id\":17}"))]
#[case::bad_gateway(answer(502, "<html>502</html>"))]
#[case::garbage(answer(201, "<html>hello</html>"))]
#[case::redirect(Play::Answer(302, "Location: https://elsewhere.example/\r\n", String::new()))]
#[tokio::test]
async fn an_unclear_end_is_unclear_and_not_repeated(#[case] play: Play) {
    let fake = Fake::start(move |_, _| play.clone());
    assert!(matches!(pay(&fake.client()).await, WriteOutcome::Unclear { .. }));
    assert_eq!(fake.requests().len(), 1);
}

/// A pooled connection may be closed already: hyper would send again, and nobody could tell what Splynx had read.
#[tokio::test]
async fn every_write_has_a_connection_of_its_own() {
    let fake = Fake::start(|seen, before| match (seen.method.as_str(), before) {
        ("GET", _) => answer(200, r#"{"id":1}"#),
        (_, 1) => Play::Drop,
        (_, _) => answer(201, r#"{"id":17}"#),
    });
    let client = fake.client();
    client.customer(CustomerId::new(1)).await.unwrap();
    assert_eq!(pay(&client).await, made(17));
    assert!(matches!(pay(&client).await, WriteOutcome::Unclear { .. }));
    assert_eq!(pay(&client).await, made(17));
    client.customer(CustomerId::new(1)).await.unwrap();
    let used: Vec<_> =
        fake.requests().iter().map(|seen| (seen.method.clone(), seen.connection)).collect();
    let writes: BTreeSet<_> = used
        .iter()
        .filter(|(method, _)| method == "POST")
        .map(|(_, connection)| connection)
        .collect();
    assert_eq!((used.len(), writes.len()), (5, 3));
    assert_eq!(used.first(), used.last(), "reads share one");
}

#[tokio::test]
async fn a_401_renews_the_token_and_sends_once_more() {
    let fake = Fake::start(|_, before| match before {
        0 => own_error(401, "TOKEN_BANNED"),
        _ => answer(201, r#"{"id":17}"#),
    });
    assert_eq!(pay(&fake.client()).await, made(17));
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn a_401_from_somebody_else_is_unclear() {
    let fake = Fake::start(|_, _| answer(401, "<html>Please log in to the proxy</html>"));
    assert!(matches!(pay(&fake.client()).await, WriteOutcome::Unclear { .. }));
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_refused_connection_is_surely_not_executed() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = client_of(&format!("http://{free}/"), &Arc::new(StillClock::default()));
    let outcome = pay(&client).await;
    assert!(matches!(outcome, WriteOutcome::NotExecuted(NotExecuted::Unreachable { .. })));
}

#[tokio::test]
async fn a_failed_handshake_is_surely_not_executed() {
    let fake = Fake::start(|_, _| Play::Drop);
    let http = format!("{:?}", fake.client());
    let https = http.split('"').nth(1).unwrap().replace("http:", "https:");
    let domain = https.trim_end_matches("api/2.0/");
    let client = client_of(domain, &Arc::new(StillClock::default()));
    let outcome = pay(&client).await;
    assert!(matches!(outcome, WriteOutcome::NotExecuted(NotExecuted::Unreachable { .. })));
}

#[tokio::test]
async fn a_login_that_failed_means_that_the_write_never_left() {
    let fake = Fake::with_logins(|_, _| Play::Drop);
    let outcome = pay(&fake.client()).await;
    assert!(matches!(outcome, WriteOutcome::NotExecuted(NotExecuted::Unreachable { .. })));
    assert_eq!(fake.requests().len(), 0);
}

#[tokio::test]
async fn a_refused_key_is_told_in_words() {
    let fake = Fake::with_logins(|_, _| own_error(403, "FORBIDDEN"));
    let sentence = "it does not accept the API key: No! (FORBIDDEN)".to_owned();
    let refused = WriteOutcome::NotExecuted(NotExecuted::Refused { sentence });
    assert_eq!(pay(&fake.client()).await, refused);
}

#[tokio::test]
async fn a_write_whose_lease_ran_out_does_not_leave() {
    let fake = Fake::start(|_, _| answer(201, r#"{"id":17}"#));
    let clock = Arc::new(StillClock::default());
    let client = fake.client_at(&clock);
    clock.advance(10);
    let outcome = post_until(&client, Duration::from_secs(9)).await;
    assert!(matches!(outcome, WriteOutcome::NotExecuted(NotExecuted::Unreachable { .. })));
    assert_eq!(fake.requests().len(), 0);
    assert_eq!(post_until(&client, Duration::from_secs(10)).await, made(17));
}

#[tokio::test]
async fn a_lease_that_runs_out_during_the_login_is_noticed() {
    let clock = Arc::new(StillClock::default());
    let slow = clock.clone();
    let fake = Fake::with_logins(move |seen, before| {
        if seen.is("POST", "auth/tokens") {
            slow.advance(30);
            return token(before);
        }
        answer(201, r#"{"id":17}"#)
    });
    let outcome = post_until(&fake.client_at(&clock), Duration::from_secs(20)).await;
    assert!(matches!(outcome, WriteOutcome::NotExecuted(NotExecuted::Unreachable { .. })));
    assert_eq!(fake.requests().len(), 0);
}

#[tokio::test]
async fn a_throttled_write_tells_how_long_to_wait() {
    let fake = Fake::start(|_, _| Play::Answer(429, "Retry-After: 7\r\n", String::new()));
    let wait = chrono::TimeDelta::seconds(7);
    let throttled = WriteOutcome::NotExecuted(NotExecuted::Throttled { wait });
    assert_eq!(pay(&fake.client()).await, throttled);
}

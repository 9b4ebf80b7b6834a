//! A JSON message to an address of the admin's choice.
//!
//! **Invariant:** one POST, no redirect followed, nothing of the answer kept but its status; the address, which is as
//! good as a password at most services, stays out of every error.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

use crate::domain::alert::Channel;
use crate::http;
use crate::ports::PeerError;
use crate::ports::notifier::{Line, Message, Notifier};

/// The name in sentences.
const PEER: &str = "the webhook";

/// A message that is not taken by then is tried again later.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why there can be no webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWebhook {
    /// The address cannot be read.
    #[error("alerts.webhook_url is not an address")]
    Address,
    /// The TLS library could not be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Posts messages to one address.
#[derive(Clone)]
pub struct Webhook {
    http: reqwest::Client,
    url: SecretString,
    origin: String,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Webhook {
    /// To this address. Asks nothing yet.
    ///
    /// # Errors
    ///
    /// [`InvalidWebhook`].
    pub fn new(url: SecretString) -> Result<Self, InvalidWebhook> {
        let parsed = Url::parse(url.expose_secret()).map_err(|_| InvalidWebhook::Address)?;
        let user_agent = concat!("splynx-bitpay/", env!("CARGO_PKG_VERSION"));
        let http = http::client(user_agent, TIMEOUT)
            .map_err(|error| InvalidWebhook::Tls(http::explain(error)))?;
        Ok(Self { http, origin: parsed.origin().ascii_serialization(), url })
    }
}

#[async_trait]
impl Notifier for Webhook {
    fn channel(&self) -> Channel {
        Channel::Webhook
    }

    /// Scheme, host and port: the secret is behind them.
    fn destination(&self) -> String {
        format!("webhook at {}", self.origin)
    }

    async fn tell(&self, message: &Message) -> Result<(), PeerError> {
        let request = self
            .http
            .post(self.url.expose_secret())
            .header(CONTENT_TYPE, "application/json")
            .body(body(message).to_string());
        let answer = request.send().await.map_err(|error| unavailable(http::explain(error)))?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            300..=399 => Err(refused("It redirects. Write its final address.")),
            408 | 429 => Err(unavailable("it asked to wait".to_owned())),
            status @ 400..=499 => {
                Err(refused(&format!("HTTP {status}. Correct alerts.webhook_url.")))
            }
            status => Err(unavailable(format!("HTTP {status}"))),
        }
    }
}

/// `text` is what chat services show; the rest is for machines.
fn body(message: &Message) -> Value {
    json!({
        "text": format!("{}\n{}", message.subject, message.text),
        "subject": message.subject,
        "count": message.open,
        "over": message.over,
        "alerts": message.lines.iter().map(line).collect::<Value>(),
    })
}

fn line(line: &Line) -> Value {
    json!({
        "kind": line.kind,
        "reason": line.reason,
        "words": line.words,
        "attempt": line.attempt,
        "link": line.link,
        "since": line.since.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        "times": line.times,
        "state": if line.over { "over" } else { "open" },
    })
}

fn unavailable(why: String) -> PeerError {
    PeerError::Unavailable { peer: PEER, why }
}

fn refused(sentence: &str) -> PeerError {
    PeerError::Refused { peer: PEER, sentence: sentence.to_owned() }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn message() -> Message {
        let since = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let line = Line {
            kind: "review",
            reason: "refused".to_owned(),
            words: "Splynx refused.".to_owned(),
            attempt: Some("01A".to_owned()),
            link: "https://isp.example/bitpay/admin/attempts/01A".to_owned(),
            since,
            times: 0,
            over: false,
        };
        let text = "Splynx refused.".to_owned();
        Message { subject: "One".to_owned(), text, open: 7, over: 0, lines: vec![line] }
    }

    #[test]
    fn the_message_says_what_where_and_since_when() {
        let body = body(&message());
        assert_eq!(body["text"], "One\nSplynx refused.");
        assert_eq!((&body["count"], &body["over"]), (&json!(7), &json!(0)));
        assert_eq!(
            body["alerts"],
            json!([{
                "kind": "review", "reason": "refused", "words": "Splynx refused.", "attempt": "01A",
                "link": "https://isp.example/bitpay/admin/attempts/01A",
                "since": "2023-11-14T22:13:20Z", "times": 0, "state": "open",
            }])
        );
    }

    #[tokio::test]
    async fn an_address_that_is_not_reached_is_not_told() {
        let address = "http://127.0.0.1:1/canary?token=canary".to_owned();
        let webhook = Webhook::new(address.into()).unwrap();
        let error = webhook.tell(&message()).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        let said = format!("{error} {webhook:?} {}", webhook.destination());
        assert!(!said.contains("canary"), "{said}");
        assert!(said.contains("webhook at http://127.0.0.1:1"), "{said}");
    }
}

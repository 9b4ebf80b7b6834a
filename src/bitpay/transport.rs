//! One request to BitPay and its answer: signed, paced, timed and counted.
//!
//! **Invariant:** the text that is signed is the very text that is sent; no error carries an address with a query, a
//! body or a token.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock, Reference as _};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use super::error::{Answer, Failure, judge};
use super::key::Key;
use super::{Limits, PEER_CODE};
use crate::http;
use crate::ports::clock::Clock;

/// What a request is for; the closed set of the metrics' label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// `POST /tokens`.
    ExchangeCode,
    /// `GET /tokens`.
    FindToken,
    /// `POST /invoices`.
    OpenInvoice,
    /// `GET /invoices/:id`, of none.
    CheckToken,
    /// `GET /invoices/guid/:guid`.
    FindInvoice,
    /// `GET /invoices/:id`.
    ObserveInvoice,
    /// `GET /invoices`.
    ListInvoices,
}

impl Operation {
    /// The word in metrics.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::ExchangeCode => "exchange_code",
            Self::FindToken => "find_token",
            Self::CheckToken => "check_token",
            Self::OpenInvoice => "open_invoice",
            Self::FindInvoice => "find_invoice",
            Self::ObserveInvoice => "observe_invoice",
            Self::ListInvoices => "list_invoices",
        }
    }
}

/// One request.
#[derive(Debug)]
pub(super) struct Request<'a> {
    /// What for.
    pub(super) operation: Operation,
    /// Where to.
    pub(super) url: Url,
    /// Posted as it is; nothing is asked for with GET.
    pub(super) body: Option<Vec<u8>>,
    /// Signs it. Without one, the request goes unsigned.
    pub(super) key: Option<&'a Key>,
    /// What must not come back in an error's words.
    pub(super) secret: Option<&'a SecretString>,
}

/// The way to every BitPay account of this process: one pool of connections, one pace.
#[derive(Debug)]
pub(super) struct Transport {
    http: Client,
    pace: DefaultDirectRateLimiter,
    pace_clock: DefaultClock,
    patience: Duration,
    clock: Arc<dyn Clock>,
}

impl Transport {
    /// Makes the pool. Fails when TLS cannot be set up.
    pub(super) fn new(clock: Arc<dyn Clock>, limits: Limits) -> Result<Self, reqwest::Error> {
        let user_agent = concat!("splynx-bitpay/", env!("CARGO_PKG_VERSION"));
        let per_second = NonZeroU32::new(limits.requests_per_second).unwrap_or(NonZeroU32::MIN);
        let pace_clock = DefaultClock::default();
        Ok(Self {
            http: http::client(user_agent, limits.timeout)?,
            pace: RateLimiter::direct_with_clock(Quota::per_second(per_second), pace_clock.clone()),
            pace_clock,
            patience: limits.timeout,
            clock,
        })
    }

    /// Sends the request once and judges the answer.
    pub(super) async fn call(&self, request: Request<'_>) -> Result<Value, Failure> {
        let operation = request.operation.code();
        let secret = request.secret;
        let result = match self.turn().await {
            Ok(()) => self.timed(request).await.map_err(|failure| scrubbed(failure, secret)),
            Err(failure) => Err(failure),
        };
        if let Err(failure) = &result {
            metrics::counter!(
                "splynx_bitpay_peer_errors_total",
                "peer" => PEER_CODE, "operation" => operation, "kind" => failure.code()
            )
            .increment(1);
        }
        result
    }

    /// Waits until the pace allows one more request, but not longer than a request may take.
    async fn turn(&self) -> Result<(), Failure> {
        let started = self.pace_clock.now();
        while let Err(not_yet) = self.pace.check() {
            let now = self.pace_clock.now();
            let waited = Duration::from(now.duration_since(started));
            let wait = not_yet.wait_time_from(now);
            if waited.saturating_add(wait) > self.patience {
                return Err(Failure::NotSent(
                    "too many of our own requests are waiting".to_owned(),
                ));
            }
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    async fn timed(&self, request: Request<'_>) -> Result<Value, Failure> {
        let operation = request.operation.code();
        let started = self.clock.monotonic();
        let result = self.exchange(request).await;
        let took = self.clock.monotonic().saturating_sub(started);
        metrics::histogram!(
            "splynx_bitpay_peer_seconds", "peer" => PEER_CODE, "operation" => operation
        )
        .record(took);
        result
    }

    async fn exchange(&self, request: Request<'_>) -> Result<Value, Failure> {
        let response = self.prepared(request).send().await.map_err(not_answered)?;
        let status = response.status().as_u16();
        let retry_after = seconds_to_wait(&response);
        let body = http::read_body(response).await.map_err(Failure::Unavailable)?;
        judge(Answer { status, retry_after, body: &body })
    }

    /// Signs `url ‖ body` as they will be sent (facts 1.1). The JSON content type goes with GET too: BTCPay Server
    /// answers with its checkout page otherwise (facts 3.1).
    fn prepared(&self, request: Request<'_>) -> RequestBuilder {
        let method = if request.body.is_some() { Method::POST } else { Method::GET };
        let body = request.body.unwrap_or_default();
        let mut builder = self
            .http
            .request(method, request.url.clone())
            .header("x-accept-version", "2.0.0")
            .header("x-bitpay-plugin-info", concat!("splynx-bitpay_v", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "application/json");
        if let Some(key) = request.key {
            builder = builder
                .header("x-identity", key.identity())
                .header("x-signature", key.sign(request.url.as_str(), &body));
        }
        if body.is_empty() { builder } else { builder.body(body) }
    }
}

fn not_answered(error: reqwest::Error) -> Failure {
    let surely_not_sent = error.is_connect() || error.is_builder();
    let why = http::explain(error);
    if surely_not_sent { Failure::NotSent(why) } else { Failure::Unavailable(why) }
}

fn seconds_to_wait(response: &Response) -> Option<u64> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

/// BitPay may quote a token back; its words must not carry it further.
fn scrubbed(failure: Failure, secret: Option<&SecretString>) -> Failure {
    let secret = secret.map_or("", |secret| secret.expose_secret());
    match failure {
        Failure::Refused(complaint) => Failure::Refused(complaint.without(secret)),
        Failure::Unavailable(why) if !secret.is_empty() => {
            Failure::Unavailable(why.replace(secret, "…"))
        }
        other => other,
    }
}

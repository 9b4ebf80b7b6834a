//! Sends one request to Splynx and brings back one whole answer.
//!
//! **Invariant:** everything that asks Splynx passes [`Client::send`]: the pace, the lease, the time limit and the
//! metrics are there and nowhere else.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::auth::{Auth, Credential};
use super::limits::Pace;
use super::operation::Operation;
use super::outcome::{Answer, Failure};
use super::remembered::Remembered;
use super::wire::Unreadable;
use crate::domain::schedule::Timing;
use crate::http;
use crate::ports::PeerError;
use crate::ports::billing::Nonces;
use crate::ports::clock::Clock;

/// Splynx binds tokens to it (facts/splynx 1.3), so it is the same for every request.
const USER_AGENT: &str = concat!("splynx-bitpay/", env!("CARGO_PKG_VERSION"));

/// Nobody is asked to wait longer than this, whatever `Retry-After` says.
const RETRY_AFTER_MAX: i64 = 3600;

/// Where Splynx is and who we are there.
#[derive(Clone)]
pub struct Config {
    /// `https://isp.example/`: with or without the last slash, no query.
    pub api_domain: Url,
    /// The API key: 32 lower-case hex digits.
    pub api_key: String,
    /// Its secret; never sent.
    pub api_secret: SecretString,
    /// Bounds every request by `request_timeout`.
    pub timing: Timing,
    /// How often Splynx may be asked, on average; at least 1.
    pub requests_per_second: u32,
    /// The add-on's name in Splynx: `splynx_bitpay_addon`.
    pub module: String,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("api_domain", &self.api_domain.as_str())
            .field("timing", &self.timing)
            .field("requests_per_second", &self.requests_per_second)
            .field("module", &self.module)
            .finish_non_exhaustive()
    }
}

/// Why no client can be made of a [`Config`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfig {
    /// `api_domain` is no place an API can be at.
    #[error("splynx.api_domain must be http:// or https:// with a host, without user, query or #")]
    ApiDomain,
    /// The TLS library could not be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Splynx. Cheap to clone: all clones share one token, one pace and one memory of sessions.
#[derive(Clone)]
pub struct Client {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    base: Url,
    pub(super) module: String,
    /// How long one request may take.
    pub(super) timeout: Duration,
    reads: reqwest::Client,
    writes: reqwest::Client,
    pace: Pace,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) auth: Auth,
    pub(super) sessions: Remembered,
    /// Two attempts of one month shall not both make its statement.
    pub(super) statement_turn: Mutex<()>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("splynx::Client")
            .field("base", &self.inner.base.as_str())
            .finish_non_exhaustive()
    }
}

/// One request to be sent. Without `Debug`: its path or body may be a secret.
#[derive(Clone)]
pub(super) struct Request<'a> {
    operation: Operation,
    method: Method,
    path: Vec<String>,
    query: Vec<(String, String)>,
    body: Option<&'a str>,
    not_after: Option<Duration>,
}

impl<'a> Request<'a> {
    /// A GET; the path is relative to the API, without its version.
    pub(super) fn get(operation: Operation, path: &str) -> Self {
        Self::new(operation, Method::GET, path)
    }

    /// Any method.
    pub(super) fn new(operation: Operation, method: Method, path: &str) -> Self {
        Self {
            operation,
            method,
            path: path.split('/').map(str::to_owned).collect(),
            query: vec![],
            body: None,
            not_after: None,
        }
    }

    /// One more path segment, whatever it contains.
    pub(super) fn segment(mut self, segment: impl fmt::Display) -> Self {
        self.path.push(segment.to_string());
        self
    }

    /// One more query parameter.
    pub(super) fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// A JSON body, sent byte for byte.
    pub(super) fn body(mut self, body: &'a str) -> Self {
        self.body = Some(body);
        self
    }

    /// On the monotonic clock: the request must not leave past this moment.
    pub(super) fn not_after(mut self, moment: Duration) -> Self {
        self.not_after = Some(moment);
        self
    }
}

impl Client {
    /// Makes a client. Asks nothing yet.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`].
    pub fn new(
        config: Config,
        clock: Arc<dyn Clock>,
        nonces: Arc<dyn Nonces>,
    ) -> Result<Self, InvalidConfig> {
        let timeout = config.timing.request_timeout.to_std().unwrap_or_default();
        let tls = |error: reqwest::Error| InvalidConfig::Tls(http::explain(error));
        Ok(Self {
            inner: Arc::new(Inner {
                base: base(config.api_domain)?,
                module: config.module,
                timeout,
                reads: http::client(USER_AGENT, timeout).map_err(tls)?,
                writes: http::one_shot_client(USER_AGENT, timeout).map_err(tls)?,
                pace: Pace::new(config.requests_per_second),
                clock,
                auth: Auth::new(config.api_key, config.api_secret, nonces),
                sessions: Remembered::default(),
                statement_turn: Mutex::new(()),
            }),
        })
    }

    /// Sends a request with the API key's credentials; renews them once if Splynx does not accept them.
    ///
    /// A request answered by 401 was surely not executed, so that repeating it is safe even for a write.
    pub(super) async fn exchange(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        let credential = self.credential().await.map_err(Failure::NotSent)?;
        let answer = self.send_as(request, &credential).await?;
        let Some(refusal) = answer.is_unauthorized() else {
            return Ok(answer);
        };
        tracing::debug!(operation = request.operation.code(), code = refusal.code, "renewing");
        let renewed = self.other_credential(&credential, &refusal).await;
        self.send_as(request, &renewed.map_err(Failure::NotSent)?).await
    }

    async fn send_as(
        &self,
        request: &Request<'_>,
        credential: &Credential,
    ) -> Result<Answer, Failure> {
        match credential {
            Credential::Token { header, .. } => self.send(request, Some(header.clone())).await,
            Credential::Signature => {
                // Splynx may insist on rising nonces, so signed requests must arrive in the order they were signed.
                let _turn = self.inner.auth.turn.lock().await;
                let header = self.sign().await.map_err(Failure::NotSent)?;
                self.send(request, Some(header)).await
            }
        }
    }

    /// Reads JSON. A read whose connection broke off is repeated once: it changes nothing.
    pub(super) async fn read(&self, request: &Request<'_>) -> Result<Value, PeerError> {
        self.answer(request).await?.json()
    }

    /// Reads one thing by its id. `None`: Splynx says that there is none.
    pub(super) async fn read_one(&self, request: &Request<'_>) -> Result<Option<Value>, PeerError> {
        let answer = self.answer(request).await?;
        if answer.status == StatusCode::NOT_FOUND && answer.refusal().is_some() {
            return Ok(None);
        }
        answer.json().map(Some)
    }

    /// The answer to a read, whatever it says.
    pub(super) async fn answer(&self, request: &Request<'_>) -> Result<Answer, PeerError> {
        match self.exchange(request).await {
            Err(Failure::Lost { timed_out: false, .. }) => Ok(self.exchange(request).await?),
            result => Ok(result?),
        }
    }

    /// Sends a request as it is, once.
    pub(super) async fn send(
        &self,
        request: &Request<'_>,
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, Failure> {
        if !self.inner.pace.wait(self.inner.timeout).await {
            return Err(Failure::unsent("too many requests are waiting for it"));
        }
        let begun = self.inner.clock.monotonic();
        if request.not_after.is_some_and(|moment| moment < begun) {
            return Err(Failure::unsent("the lease ran out before the request could leave"));
        }
        let result = self.transmit(request, authorization).await;
        let took = self.inner.clock.monotonic().saturating_sub(begun);
        match &result {
            Ok(answer) => request.operation.answered(answer.status, took),
            Err(Failure::NotSent(_)) => request.operation.unanswered(false, took),
            Err(Failure::Lost { .. }) => request.operation.unanswered(true, took),
        }
        result
    }

    async fn transmit(
        &self,
        request: &Request<'_>,
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, Failure> {
        let client =
            if request.operation.is_write() { &self.inner.writes } else { &self.inner.reads };
        let mut builder = client
            .request(request.method.clone(), self.url(request))
            .header(CONTENT_TYPE, "application/json");
        if let Some(authorization) = authorization {
            builder = builder.header(AUTHORIZATION, authorization);
        }
        if let Some(body) = request.body {
            builder = builder.body(body.to_owned());
        }
        let response = builder.send().await.map_err(not_answered)?;
        let (status, retry_after) = (response.status(), retry_after(&response));
        let body = http::read_body(response)
            .await
            .map_err(|why| Failure::Lost { why, timed_out: false })?;
        Ok(Answer { status, retry_after, body })
    }

    fn url(&self, request: &Request<'_>) -> Url {
        let mut url = self.inner.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(&request.path);
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        url
    }
}

/// `{api_domain}/api/2.0/` (facts/splynx 1.1).
fn base(mut api_domain: Url) -> Result<Url, InvalidConfig> {
    let plain = matches!(api_domain.scheme(), "http" | "https")
        && api_domain.has_host()
        && api_domain.username().is_empty()
        && api_domain.password().is_none()
        && api_domain.query().is_none()
        && api_domain.fragment().is_none();
    if !plain {
        return Err(InvalidConfig::ApiDomain);
    }
    let path = api_domain.path().trim_end_matches('/').to_owned();
    api_domain.set_path(&format!("{path}/api/2.0/"));
    Ok(api_domain)
}

/// A request surely did not leave only if there was never a connection to send it on.
fn not_answered(error: reqwest::Error) -> Failure {
    if error.is_connect() || error.is_builder() {
        Failure::unsent(http::explain(error))
    } else {
        let timed_out = error.is_timeout();
        Failure::Lost { why: http::explain(error), timed_out }
    }
}

fn retry_after(response: &Response) -> Option<TimeDelta> {
    let seconds: i64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(TimeDelta::seconds(seconds.clamp(1, RETRY_AFTER_MAX)))
}

/// The value of an `Authorization` header, kept out of logs.
pub(super) fn secret_header(text: &str) -> Result<HeaderValue, Unreadable> {
    let mut header = HeaderValue::from_str(text)
        .map_err(|_| Unreadable("the access token cannot stand in a header".to_owned()))?;
    header.set_sensitive(true);
    Ok(header)
}

//! The add-on's own credentials at Splynx (facts/splynx 1.2, 1.3).
//!
//! An access token, got with a signature and renewed by its refresh token; where Splynx gives out no tokens, a
//! signature on every request.
//!
//! **Invariants:** one login at a time, however many callers wait; they share its outcome, good or bad. The secret
//! never leaves this file: only signatures made with it do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use tokio::sync::Mutex;

use super::client::{Client, Request, secret_header};
use super::operation::Operation;
use super::outcome::{Answer, refused};
use super::wire::error::Refusal;
use super::wire::{self, Row, Unreadable};
use crate::ports::PeerError;
use crate::ports::billing::Nonces;

/// Where tokens are made, renewed and deleted.
pub(super) const TOKENS: &str = "admin/auth/tokens";

/// A token is renewed this long before it expires (the official client's rule).
const MARGIN: i64 = 5;

/// An access token lives no longer than this, whatever it says about itself.
const LIFE_MAX: i64 = 30 * 60;

/// How long a token is used that by our clock is born expired: the clocks differ, and a 401 will tell.
const LIFE_IN_DOUBT: i64 = 60;

/// How long to sign requests before tokens are tried again.
const SIGNING: Duration = Duration::from_mins(30);

/// What it takes to authenticate.
pub(super) struct Auth {
    key: String,
    secret: SecretString,
    nonces: Arc<dyn Nonces>,
    state: Mutex<State>,
    /// Orders arrivals and failures without a clock.
    tickets: AtomicU64,
    /// Held from drawing a nonce to the end of the request it signs.
    pub(super) turn: Mutex<()>,
}

#[derive(Default)]
struct State {
    means: Option<Means>,
    /// Counts the tokens, so that one that was renewed meanwhile is not renewed again.
    generation: u64,
    /// The last login that failed, and the ticket drawn when it did.
    failure: Option<(u64, PeerError)>,
}

enum Means {
    Token { token: Token, fresh_until: Duration, renewable_until: Duration },
    Signature { until: Duration },
}

/// How a request is to be authenticated.
#[derive(Debug)]
pub(super) enum Credential {
    /// By the access token.
    Token { header: HeaderValue, generation: u64 },
    /// By a signature of its own.
    Signature,
}

/// What Splynx gives out for a login.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) access: SecretString,
    pub(super) refresh: SecretString,
    access_expiration: Option<i64>,
    refresh_expiration: Option<i64>,
}

impl Token {
    /// Reads the answer to a login or a renewal.
    pub(super) fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let value = wire::json(body)?;
        let row = Row::of(&value)?;
        Ok(Self {
            access: row.required_text("access_token")?.into(),
            refresh: row.text("refresh_token").into(),
            access_expiration: row.integer("access_token_expiration")?,
            refresh_expiration: row.integer("refresh_token_expiration")?,
        })
    }

    /// The header that carries it.
    pub(super) fn header(&self) -> Result<HeaderValue, Unreadable> {
        secret_header(&format!("Splynx-EA (access_token={})", self.access.expose_secret()))
    }

    /// For how many seconds from `now` on it can be used.
    fn life(&self, now: i64) -> i64 {
        match self.access_expiration.map(|end| end.saturating_sub(now).saturating_sub(MARGIN)) {
            Some(life) if life > 0 => life.min(LIFE_MAX),
            Some(_) | None => LIFE_IN_DOUBT,
        }
    }

    /// For how many seconds from `now` on it can be renewed.
    fn renewable(&self, now: i64) -> i64 {
        if self.refresh.expose_secret().is_empty() {
            return 0;
        }
        self.refresh_expiration.map_or(i64::MAX, |end| end.saturating_sub(now) - MARGIN)
    }
}

impl Auth {
    pub(super) fn new(key: String, secret: SecretString, nonces: Arc<dyn Nonces>) -> Self {
        Self {
            key,
            secret,
            nonces,
            state: Mutex::default(),
            tickets: AtomicU64::new(1),
            turn: Mutex::new(()),
        }
    }

    fn ticket(&self) -> u64 {
        self.tickets.fetch_add(1, Ordering::Relaxed)
    }
}

impl State {
    fn credential(&self, now: Duration) -> Result<Option<Credential>, Unreadable> {
        Ok(match &self.means {
            Some(Means::Token { token, fresh_until, .. }) if now < *fresh_until => {
                Some(Credential::Token { header: token.header()?, generation: self.generation })
            }
            Some(Means::Signature { until }) if now < *until => Some(Credential::Signature),
            _ => None,
        })
    }

    /// The token to renew, if it still can be.
    fn renewable(&self, now: Duration) -> Option<&Token> {
        match &self.means {
            Some(Means::Token { token, renewable_until, .. }) if now < *renewable_until => {
                Some(token)
            }
            _ => None,
        }
    }
}

impl Client {
    /// The credentials to use now.
    pub(super) async fn credential(&self) -> Result<Credential, PeerError> {
        let arrived = self.inner.auth.ticket();
        let mut state = self.inner.auth.state.lock().await;
        self.credential_from(&mut state, arrived).await
    }

    /// Other credentials than those Splynx just refused.
    pub(super) async fn other_credential(
        &self,
        refused: &Credential,
        refusal: &Refusal,
    ) -> Result<Credential, PeerError> {
        let Credential::Token { generation, .. } = refused else {
            return Ok(Credential::Signature);
        };
        let arrived = self.inner.auth.ticket();
        let mut state = self.inner.auth.state.lock().await;
        if state.generation == *generation {
            state.distrust(refusal);
        }
        self.credential_from(&mut state, arrived).await
    }

    async fn credential_from(
        &self,
        state: &mut State,
        arrived: u64,
    ) -> Result<Credential, PeerError> {
        let now = self.inner.clock.monotonic();
        if let Some(credential) = state.credential(now)? {
            return Ok(credential);
        }
        match &state.failure {
            // It failed while this caller was waiting: asking again at once would only multiply the wait.
            Some((failed, error)) if *failed > arrived => return Err(error.clone()),
            _ => {}
        }
        match self.authenticate(state.renewable(now)).await {
            Ok(means) => {
                state.means = Some(means);
                state.generation = state.generation.wrapping_add(1);
                state.failure = None;
                state.credential(now)?.ok_or_else(|| refused("its token lives too short"))
            }
            Err(error) => {
                state.failure = Some((self.inner.auth.ticket(), error.clone()));
                Err(error)
            }
        }
    }

    async fn authenticate(&self, renewable: Option<&Token>) -> Result<Means, PeerError> {
        if let Some(token) = renewable {
            let request =
                Request::get(Operation::Renew, TOKENS).segment(token.refresh.expose_secret());
            let answer = self.send(&request, None).await?;
            if answer.status.is_success()
                && let Ok(renewed) = Token::read(&answer.body)
            {
                return Ok(self.means(renewed));
            }
        }
        self.login().await
    }

    async fn login(&self) -> Result<Means, PeerError> {
        let mut answer = self.ask_for_token().await?;
        if answer.is_unauthorized().is_some() {
            // Another process may have been faster with a higher nonce.
            answer = self.ask_for_token().await?;
        }
        match (answer.status.as_u16(), answer.refusal()) {
            (200 | 201, _) => Ok(self.means(Token::read(&answer.body)?)),
            (404 | 405, Some(_)) => {
                tracing::debug!("Splynx gives out no tokens: requests are signed one by one");
                let until = self.inner.clock.monotonic().saturating_add(SIGNING);
                Ok(Means::Signature { until })
            }
            (_, Some(refusal)) => {
                Err(refused(format!("it does not accept the API key: {}", refusal.sentence)))
            }
            (_, None) => Err(answer.error()),
        }
    }

    async fn ask_for_token(&self) -> Result<Answer, PeerError> {
        let auth = &self.inner.auth;
        let nonce = self.nonce().await?;
        let body = serde_json::json!({
            "auth_type": "api_key",
            "key": auth.key,
            "nonce": nonce,
            "signature": signature(&auth.key, &auth.secret, nonce),
        })
        .to_string();
        let request = Request::new(Operation::Login, Method::POST, TOKENS).body(&body);
        Ok(self.send(&request, None).await?)
    }

    /// The header that authenticates one request by itself.
    pub(super) async fn sign(&self) -> Result<HeaderValue, PeerError> {
        let auth = &self.inner.auth;
        let nonce = self.nonce().await?;
        let signature = signature(&auth.key, &auth.secret, nonce);
        Ok(secret_header(&format!(
            "Splynx-EA (key={}&signature={signature}&nonce={nonce})",
            auth.key
        ))?)
    }

    /// The next nonce, on the official client's scale: hundredths of seconds.
    pub(super) async fn nonce(&self) -> Result<i64, PeerError> {
        let millis = self.inner.clock.now().timestamp_millis();
        let floor = millis.saturating_add(5).div_euclid(10);
        self.inner.auth.nonces.next(&self.inner.auth.key, floor).await
    }

    fn means(&self, token: Token) -> Means {
        let now = self.inner.clock.now().timestamp();
        let from_now = |seconds: i64| {
            let seconds = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
            self.inner.clock.monotonic().saturating_add(seconds)
        };
        let fresh_until = from_now(token.life(now));
        let renewable_until = from_now(token.renewable(now));
        Means::Token { token, fresh_until, renewable_until }
    }
}

impl State {
    /// Stops using the current token. Only one that merely expired may still be renewed.
    fn distrust(&mut self, refusal: &Refusal) {
        match &mut self.means {
            Some(Means::Token { fresh_until, .. }) if refusal.code == "EXPIRED_ACCESS_TOKEN" => {
                *fresh_until = Duration::ZERO;
            }
            means => *means = None,
        }
    }
}

/// `UPPERCASE_HEX(HMAC_SHA256(key = secret, message = nonce || key))` (facts/splynx 1.2).
pub(super) fn signature(key: &str, secret: &SecretString, nonce: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of every length"));
    mac.update(nonce.to_string().as_bytes());
    mac.update(key.as_bytes());
    hex::encode_upper(mac.finalize().into_bytes())
}

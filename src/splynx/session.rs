//! Who a visitor is: the portal's session cookie, exchanged for a token and tried (design 5, Identity).
//!
//! **Invariant:** it fails closed. Somebody is an admin or a customer only on a whole, readable answer that says so;
//! whatever is odd makes them nobody, and whatever is broken is an error.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;

use super::auth::{TOKENS, Token};
use super::client::{Client, Request};
use super::operation::Operation;
use super::outcome::{Answer, Failure, refused, unavailable};
use super::settings::{config_request, settings};
use super::wire::{self, Row, records};
use crate::domain::payable::Customer;
use crate::ports::PeerError;
use crate::ports::billing::{Freshness, Identity, Sessions};

/// How long a visitor waits for a token to be deleted that nobody needs any more.
const LOGOUT_PATIENCE: Duration = Duration::from_secs(2);

/// The longest session id PHP makes.
const COOKIE_MAX: usize = 256;

/// What an answer to a session's token says.
enum Verdict<T> {
    /// It may, and this is what it sees.
    Allowed(T),
    /// It may not.
    Denied,
    /// Splynx refused in a way that says nothing.
    Odd,
}

#[async_trait]
impl Sessions for Client {
    #[tracing::instrument(name = "splynx.identify", skip_all)]
    async fn identify(
        &self,
        cookie: &SecretString,
        freshness: Freshness,
    ) -> Result<Identity, PeerError> {
        if !is_session_id(cookie.expose_secret()) {
            return Ok(Identity::Nobody);
        }
        let (sessions, clock) = (&self.inner.sessions, &self.inner.clock);
        let arrived = sessions.ticket();
        let slot = sessions.slot(cookie, clock.monotonic());
        let mut memory = slot.memory.lock().await;
        if let Some(identity) = memory.recall(freshness, arrived, clock.monotonic()) {
            return Ok(identity);
        }
        // Visitors who came together fail together: one after the other, the last would wait for ever.
        if let Some(error) = memory.failed_since(arrived) {
            return Err(error);
        }
        let known = memory.is_somebody(clock.monotonic());
        let place = sessions.place(self.inner.timeout).await;
        if place.is_none() || !(known || sessions.is_calm(clock.monotonic())) {
            return Err(unavailable("too many unknown sessions at once"));
        }
        let asked = sessions.ticket();
        let identity = match self.ask_who(cookie).await {
            Ok(identity) => identity,
            Err(error) => {
                memory.fail(error.clone(), sessions.ticket());
                return Err(error);
            }
        };
        let now = clock.monotonic();
        if identity == Identity::Nobody {
            sessions.count_stranger(now);
        }
        memory.keep(identity.clone(), asked, now);
        Ok(identity)
    }
}

impl Client {
    async fn ask_who(&self, cookie: &SecretString) -> Result<Identity, PeerError> {
        let Some(token) = self.session_token(cookie).await? else {
            return Ok(Identity::Nobody);
        };
        let header = token.header()?;
        let identity = self.who(&header, subject(token.access.expose_secret())).await;
        self.delete_token(&token, header).await;
        identity
    }

    /// Exchanges the cookie. `None`: Splynx knows no such session.
    async fn session_token(&self, cookie: &SecretString) -> Result<Option<Token>, PeerError> {
        let body = serde_json::json!({
            "auth_type": "session",
            "session_id": cookie.expose_secret(),
        })
        .to_string();
        let request = Request::new(Operation::SessionLogin, Method::POST, TOKENS).body(&body);
        let answer = self.ask(&request, None).await?;
        match (answer.status.as_u16(), answer.refusal()) {
            (200 | 201, _) => Ok(Some(Token::read(&answer.body)?)),
            (405, Some(refusal)) => {
                Err(refused(format!("it does not exchange sessions: {}", refusal.sentence)))
            }
            (_, Some(refusal)) if refusal.code == "INVALID_AUTH_TYPE" => {
                Err(refused(format!("it does not exchange sessions: {}", refusal.sentence)))
            }
            (_, Some(_)) => Ok(None),
            (_, None) => Err(answer.error()),
        }
    }

    /// Admin or customer, by what the session's own token may read.
    async fn who(&self, header: &HeaderValue, subject: Option<i64>) -> Result<Identity, PeerError> {
        let admin = Identity::Admin { id: subject.unwrap_or_default() };
        match self.sees_settings(header, "add-on", &self.inner.module).await? {
            Verdict::Allowed(true) => Ok(admin),
            Verdict::Allowed(false) if self.is_surely_admin(header, subject).await? => Ok(admin),
            Verdict::Allowed(false) | Verdict::Odd => Ok(Identity::Nobody),
            Verdict::Denied => match self.visible_customer(header, subject).await? {
                Verdict::Allowed(Some(customer)) => Ok(Identity::Customer(customer)),
                _ => Ok(Identity::Nobody),
            },
        }
    }

    /// The settings were allowed but empty: nothing is saved yet, or nothing is shown to this reader.
    ///
    /// A customer would see only themselves; so would an admin of the same id with a single customer, but only admins
    /// read the localization (facts/splynx 2.6), and that is never empty.
    async fn is_surely_admin(
        &self,
        header: &HeaderValue,
        subject: Option<i64>,
    ) -> Result<bool, PeerError> {
        if matches!(self.visible_customer(header, subject).await?, Verdict::Allowed(None)) {
            return Ok(true);
        }
        let localization = self.sees_settings(header, "main", "localization").await?;
        Ok(matches!(localization, Verdict::Allowed(true)))
    }

    /// Whether the token reads these settings, and whether there are any.
    async fn sees_settings(
        &self,
        header: &HeaderValue,
        module: &str,
        path: &str,
    ) -> Result<Verdict<bool>, PeerError> {
        let request = config_request(Operation::SessionProbe, module, path);
        let answer = self.ask(&request, Some(header)).await?;
        if answer.status != StatusCode::OK {
            return verdict_without(&answer);
        }
        let value = answer.json()?;
        if value.get("error").is_some() {
            return Ok(Verdict::Odd);
        }
        Ok(Verdict::Allowed(!settings(&value).is_empty()))
    }

    /// The one customer the token sees, if that is the one it was made for.
    async fn visible_customer(
        &self,
        header: &HeaderValue,
        subject: Option<i64>,
    ) -> Result<Verdict<Option<Customer>>, PeerError> {
        let request =
            Request::get(Operation::SessionProbe, "admin/customers/customer").query("limit", 2);
        let answer = self.ask(&request, Some(header)).await?;
        if answer.status != StatusCode::OK {
            return verdict_without(&answer);
        }
        let value = answer.json()?;
        let own = match wire::rows(&value)?.as_slice() {
            [only] => Some(records::customer(*only)?)
                .filter(|customer| Some(customer.id.get()) == subject),
            _ => None,
        };
        Ok(Verdict::Allowed(own))
    }

    /// Best effort: a token that is left over expires within half an hour.
    async fn delete_token(&self, token: &Token, header: HeaderValue) {
        let refresh = token.refresh.expose_secret();
        if refresh.is_empty() {
            return;
        }
        let request = Request::new(Operation::Logout, Method::DELETE, TOKENS).segment(refresh);
        let logout = tokio::time::timeout(LOGOUT_PATIENCE, self.send(&request, Some(header)));
        if !matches!(logout.await, Ok(Ok(_))) {
            tracing::debug!("a session's token was left to expire");
        }
    }

    /// Sends with other credentials than the API key's; once more if the connection broke off.
    async fn ask(
        &self,
        request: &Request<'_>,
        header: Option<&HeaderValue>,
    ) -> Result<Answer, PeerError> {
        match self.send(request, header.cloned()).await {
            Err(Failure::Lost { timed_out: false, .. }) => {
                Ok(self.send(request, header.cloned()).await?)
            }
            result => Ok(result?),
        }
    }
}

fn verdict_without<T>(answer: &Answer) -> Result<Verdict<T>, PeerError> {
    match (answer.status.as_u16(), answer.refusal()) {
        (401 | 403 | 404 | 405, Some(_)) => Ok(Verdict::Denied),
        (_, Some(_)) => Ok(Verdict::Odd),
        (_, None) => Err(answer.error()),
    }
}

/// Whether PHP could have made it; anything else need not be asked about.
fn is_session_id(cookie: &str) -> bool {
    (1..=COOKIE_MAX).contains(&cookie.len()) && cookie.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The `id` in the payload of a JWT (facts/splynx 1.3). Not verified: Splynx just gave us the token itself.
fn subject(access_token: &str) -> Option<i64> {
    let payload = access_token.split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let value = wire::json(&bytes).ok()?;
    Row::of(&value).ok()?.id("id").ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"{"id":7,"exp":1}"#, Some(7))]
    #[case(r#"{"id":"7"}"#, Some(7))]
    #[case(r#"{"id":0}"#, None)]
    #[case(r#"{"sub":7}"#, None)]
    #[case(r#"{"id":7.5}"#, None)]
    #[case("seven", None)]
    fn the_token_names_its_owner(#[case] payload: &str, #[case] id: Option<i64>) {
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload));
        assert_eq!(subject(&token), id);
    }

    #[rstest]
    #[case("2dbf3280a8a5")]
    #[case("")]
    #[case("a.b.c")]
    fn a_token_that_is_no_jwt_names_nobody(#[case] token: &str) {
        assert_eq!(subject(token), None);
    }

    #[rstest]
    #[case("4f2k1hq0u3v5l8", true)]
    #[case("a,b-C9", true)]
    #[case("", false)]
    #[case("a b", false)]
    #[case("ä", false)]
    #[case("a\r\nb", false)]
    fn only_what_php_can_make_is_a_session_id(#[case] cookie: &str, #[case] good: bool) {
        assert_eq!(is_session_id(cookie), good);
    }
}

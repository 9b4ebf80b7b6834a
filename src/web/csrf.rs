//! Forms that were not sent by our own pages are refused (design 5, Browser rules).
//!
//! **Invariant:** a POST by neither `Sec-Fetch-Site: same-origin` nor the portal's `Origin` reaches no handler of a
//! customer's or the admin's page; the admin's handlers want a token bound to the session as well.

use std::fmt;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, ORIGIN};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use sha2::{Digest as _, Sha256};

use super::refusal::Refusal;
use super::routes::{Kind, Row};
use super::{Site, client_ip};
use crate::views::notice::NoticeKind;

/// Binds the admin's forms to their session.
pub struct FormKey(SecretBox<[u8; 32]>);

impl FormKey {
    /// Takes 32 random bytes that stay the same as long as the installation lives.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// The token of this session's forms. Tells nothing about the session.
    #[must_use]
    pub fn token(&self, session: &SecretString) -> String {
        hex::encode(self.mac(session).finalize().into_bytes())
    }

    /// Whether `token` is the one of this session, in constant time.
    #[must_use]
    pub fn verify(&self, session: &SecretString, token: &str) -> bool {
        hex::decode(token).is_ok_and(|token| self.mac(session).verify_slice(&token).is_ok())
    }

    fn mac(&self, session: &SecretString) -> Hmac<Sha256> {
        let key = self.0.expose_secret();
        let mut mac = Hmac::<Sha256>::new_from_slice(key)
            .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
        mac.update(b"splynx-bitpay form token\0");
        mac.update(&Sha256::digest(session.expose_secret().as_bytes()));
        mac
    }
}

impl Clone for FormKey {
    fn clone(&self) -> Self {
        Self::new(*self.0.expose_secret())
    }
}

impl fmt::Debug for FormKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FormKey(…)")
    }
}

/// Lets a request through when it changes nothing, comes from our own pages, or is no browser's.
///
/// # Errors
///
/// A 403 for everything else.
pub fn judge(site: &Site, row: &Row, request: &HttpRequest) -> Result<(), Refusal> {
    let is_form = matches!(row.kind, Kind::Customer | Kind::Admin) && row.takes_forms();
    if !is_form || *request.method() != Method::POST || is_own(site, request) {
        return Ok(());
    }
    let client = client_ip::of(site, request);
    tracing::warn!(%client, route = row.path, "a form that our pages did not send was refused");
    Err(Refusal::of(NoticeKind::ForeignForm))
}

/// Current browsers say where a request started; all of them name the origin of a POST. The portal's dashboard posts
/// to us from the very origin we live under.
fn is_own(site: &Site, request: &HttpRequest) -> bool {
    let header = |name: HeaderName| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    };
    header(HeaderName::from_static("sec-fetch-site")) == "same-origin"
        || header(ORIGIN) == site.portal_origin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_own_session_and_key_only() {
        let key = FormKey::new([7; 32]);
        let session = SecretString::from("session-one");
        let token = key.token(&session);
        assert!(key.verify(&session, &token));
        assert!(!key.verify(&SecretString::from("session-two"), &token));
        assert!(!FormKey::new([8; 32]).verify(&session, &token));
        for wrong in ["", "00", "zz", &token[..62], &format!("{token}00")] {
            assert!(!key.verify(&session, wrong), "{wrong}");
        }
    }

    #[test]
    fn a_key_shows_nothing_of_itself() {
        assert_eq!(format!("{:?}", FormKey::new([7; 32])), "FormKey(…)");
    }
}

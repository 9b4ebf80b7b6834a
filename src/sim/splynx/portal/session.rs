//! PHP sessions: the cookie, and who stands behind it.
//!
//! **Invariant:** portal and admin pages share one cookie, as they do in Splynx; the session says which of them it is.

use std::fmt;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use url::form_urlencoded;

use super::see_other;

use crate::sim::splynx::access::Principal;
use crate::sim::splynx::world::Shared;

/// The cookie of PHP.
pub(super) const COOKIE: &str = "PHPSESSID";

/// The id in the cookie of this request.
pub(super) fn id_of(request: &HttpRequest) -> Option<String> {
    request.cookie(COOKIE).map(|cookie| cookie.value().to_owned())
}

/// Who sends this request.
pub(super) fn principal(request: &HttpRequest, shared: &Shared) -> Option<Principal> {
    shared.world().access.session(&id_of(request)?)
}

/// Nobody of the wanted kind is logged in; the answer leads to the login and back.
#[derive(Debug)]
pub(super) struct NotLoggedIn {
    login: String,
}

impl NotLoggedIn {
    /// The way over this login page back to the request.
    pub(super) fn at(login: &str, request: &HttpRequest) -> Self {
        let wanted = request.uri().to_string();
        let wanted: String = form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
        Self { login: format!("{login}?return={wanted}") }
    }
}

impl fmt::Display for NotLoggedIn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("nobody is logged in")
    }
}

impl ResponseError for NotLoggedIn {
    fn error_response(&self) -> HttpResponse {
        see_other(&self.login)
    }
}

/// The cookie of a session.
pub(super) fn cookie(id: &str) -> Cookie<'static> {
    Cookie::build(COOKIE, id.to_owned()).path("/").http_only(true).same_site(SameSite::Lax).finish()
}

/// Where to go after the login: a path of this server, or its start page.
pub(super) fn local_path(wanted: &str, otherwise: &str) -> String {
    let local = wanted.starts_with('/')
        && !wanted.starts_with("//")
        && !wanted.contains(['\\', '\r', '\n', '\t']);
    if local { wanted.to_owned() } else { otherwise.to_owned() }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/bitpay/", "/bitpay/")]
    #[case("/bitpay/pay-invoice?item_id=7", "/bitpay/pay-invoice?item_id=7")]
    #[case("", "/portal/")]
    #[case("https://evil.example/", "/portal/")]
    #[case("//evil.example/", "/portal/")]
    #[case("/\\evil.example/", "/portal/")]
    #[case("/\t/evil.example/", "/portal/")]
    fn a_login_returns_to_a_path_of_this_server_only(#[case] wanted: &str, #[case] expected: &str) {
        assert_eq!(local_path(wanted, "/portal/"), expected);
    }
}

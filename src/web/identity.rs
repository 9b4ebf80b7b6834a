//! Who is there. Fails closed (design 5, Identity).
//!
//! **Invariant:** a handler gets a customer only from a session that Splynx says belongs to that customer, and acts for
//! an admin only likewise. When Splynx cannot tell, nobody gets anything.

use actix_web::HttpRequest;
use secrecy::SecretString;
use url::form_urlencoded::byte_serialize;

use super::refusal::Refusal;
use super::{Site, client_ip};
use crate::domain::payable::Customer;
use crate::ports::billing::{Freshness, Identity};
use crate::views::Link;
use crate::views::notice::NoticeKind;

/// Longer cookies belong to no session.
const COOKIE_BYTES_MAX: usize = 512;

/// An admin's session: what their forms are bound to.
#[derive(Debug, Clone)]
pub struct AdminSession {
    /// Their id in Splynx.
    pub admin: i64,
    /// The cookie's value.
    pub cookie: SecretString,
}

/// The customer who is logged in to the portal. `back` is where they return to after logging in.
///
/// # Errors
///
/// The way to the portal's login, or a page that says why this page is not for them.
pub async fn customer(
    site: &Site,
    request: &HttpRequest,
    freshness: Freshness,
    back: &str,
) -> Result<Customer, Refusal> {
    match identify(site, request, freshness, back).await? {
        (Identity::Customer(customer), _) => Ok(customer),
        (Identity::Admin { .. }, _) => Err(Refusal::with_links(
            NoticeKind::AdminOnCustomerPage,
            vec![Link::out(site.portal("/admin/customers/list"), "log-in-as-customer")],
        )),
        (Identity::Nobody, _) => Err(login(request, &site.portal("/portal/login/"), back)),
    }
}

/// The admin who is logged in to Splynx.
///
/// # Errors
///
/// The way to the admin login, or a page that says why this page is not for them.
pub async fn admin(
    site: &Site,
    request: &HttpRequest,
    freshness: Freshness,
    back: &str,
) -> Result<AdminSession, Refusal> {
    match identify(site, request, freshness, back).await? {
        (Identity::Admin { id }, Some(cookie)) => Ok(AdminSession { admin: id, cookie }),
        (Identity::Customer(_), _) => {
            let client = client_ip::of(site, request);
            tracing::warn!(%client, "a customer was refused the admin's page");
            let portal = Link::out(site.portal("/portal/"), "back-portal");
            Err(Refusal::with_links(NoticeKind::CustomerOnAdminPage, vec![portal]))
        }
        _ => Err(login(request, &site.portal("/admin/login/"), back)),
    }
}

async fn identify(
    site: &Site,
    request: &HttpRequest,
    freshness: Freshness,
    back: &str,
) -> Result<(Identity, Option<SecretString>), Refusal> {
    let Some(cookie) = session_cookie(site, request) else {
        return Ok((Identity::Nobody, None));
    };
    match site.sessions.identify(&cookie, freshness).await {
        Ok(identity) => Ok((identity, Some(cookie))),
        Err(error) => {
            tracing::warn!(%error, "Splynx cannot tell whose session this is");
            let again = Link::here(back, "try-again");
            Err(Refusal::with_links(NoticeKind::SplynxDown, vec![again]))
        }
    }
}

/// The value of the portal's session cookie, if it can be one.
fn session_cookie(site: &Site, request: &HttpRequest) -> Option<SecretString> {
    let cookie = request.cookie(&site.settings.session_cookie)?;
    let value = cookie.value();
    let can_be = !value.is_empty()
        && value.len() <= COOKIE_BYTES_MAX
        && value.bytes().all(|byte| byte.is_ascii_graphic());
    can_be.then(|| SecretString::from(value))
}

/// A window of its own is sent to the login page. In the portal's modal a login page would look broken: there a page
/// with a link that leaves the modal is shown.
fn login(request: &HttpRequest, page: &str, back: &str) -> Refusal {
    let back: String = byte_serialize(back.as_bytes()).collect();
    let address = format!("{page}?return={back}");
    let destination = request.headers().get("sec-fetch-dest");
    match destination.and_then(|value| value.to_str().ok()) {
        None | Some("document") => Refusal::Elsewhere(address),
        Some(_) => Refusal::with_links(NoticeKind::Login, vec![Link::out(address, "log-in")]),
    }
}

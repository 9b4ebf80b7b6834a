//! The admin's pages.

use actix_web::HttpRequest;

use super::body::Fields;
use super::identity::AdminSession;
use super::refusal::Refusal;
use super::{Site, client_ip};
use crate::views::Link;
use crate::views::notice::NoticeKind;

pub mod attempt;
pub mod attempts;
pub mod config;
pub mod settle;

/// Lets a form through that carries the token of this admin's session. `back` is where they get another one.
///
/// # Errors
///
/// A 403 for any other.
fn carries_token(
    site: &Site,
    request: &HttpRequest,
    session: &AdminSession,
    form: &Fields,
    back: &str,
) -> Result<(), Refusal> {
    let token = form.get("form_token").unwrap_or_default();
    if site.settings.form_key.verify(&session.cookie, token) {
        return Ok(());
    }
    let client = client_ip::of(site, request);
    tracing::warn!(%client, "an admin's form without this session's token was refused");
    let again = Link::here(back, "try-again");
    Err(Refusal::with_links(NoticeKind::StaleForm, vec![again]))
}

/// Where an admin can go on when the page at this path says no.
#[must_use]
pub fn way_back(path: &str) -> Link {
    if path.starts_with(attempts::PATH) {
        Link::here(attempts::PATH, "back-attempts")
    } else {
        Link::here(config::PATH, "back-config")
    }
}

//! The security headers of every answer (design 5, Browser rules).
//!
//! **Invariant:** a page runs no script and loads nothing from elsewhere, is framed by Splynx alone, and is kept by no
//! cache.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use super::Site;
use super::routes::Kind;

const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), \
                           gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

/// Puts the headers of this kind of route on an answer.
pub fn apply(site: &Site, kind: Kind, headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(CONTENT_SECURITY_POLICY, &policy(site, kind));
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(X_FRAME_OPTIONS, "SAMEORIGIN");
    set(REFERRER_POLICY, referrer(kind));
    set(HeaderName::from_static("permissions-policy"), PERMISSIONS);
    // A page in a frame is not touched by it; a page of its own cannot be reached by the window that opened it.
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("x-robots-tag"), "noindex, nofollow");
    if site.is_https {
        set(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if kind != Kind::Static {
        set(CACHE_CONTROL, "no-store");
    }
}

/// The address of a result page is a secret of its customer. A form's page must tell its origin to ourselves, because
/// browsers without `Sec-Fetch-Site` are judged by `Origin`, which `no-referrer` would turn into `null`.
fn referrer(kind: Kind) -> &'static str {
    match kind {
        Kind::Customer | Kind::Admin => "same-origin",
        Kind::Result | Kind::Hook | Kind::Static | Kind::Nowhere => "no-referrer",
    }
}

fn policy(site: &Site, kind: Kind) -> String {
    let frame_ancestors = &site.portal_origin;
    let always = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
         object-src 'none'; frame-ancestors {frame_ancestors}"
    );
    match kind {
        // Chromium holds the redirect after a form against form-action: the way to the checkout must be on it.
        Kind::Customer => {
            format!("{always}; form-action 'self' {}", site.settings.processor_origins.join(" "))
        }
        Kind::Admin => format!("{always}; form-action 'self'"),
        Kind::Result => {
            format!("{always}; form-action 'self'; script-src 'self'; connect-src 'self'")
        }
        Kind::Hook | Kind::Static | Kind::Nowhere => format!("{always}; form-action 'none'"),
    }
}

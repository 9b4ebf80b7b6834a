//! The pages and hooks: HTTP in, use cases called, pages out.
//!
//! **Invariant:** who cannot be told to be somebody is nobody; a request that changes something was sent by our own
//! pages; no answer leaves without the headers of its kind. All three are kept by [`rails`], which every route of the
//! one table in [`routes`] runs on, and by the test that walks that table.

use std::net::{IpAddr, TcpListener};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use actix_web::dev::Server;
use actix_web::{HttpServer, web};
use url::Url;

use crate::app::App;
use crate::domain::connection::Environment;
use crate::ports::billing::Sessions;
use crate::views::Templates;

pub mod access_log;
pub mod admin;
pub mod body;
pub mod client_ip;
pub mod csrf;
pub mod customer;
pub mod dead_ends;
pub mod headers;
pub mod hooks;
pub mod identity;
pub mod language;
pub mod limits;
pub mod ops;
pub mod pages;
pub mod rails;
pub mod refusal;
pub mod routes;
pub mod static_files;
#[cfg(test)]
mod tests;
mod unread;

/// Threads that answer requests. The add-on is a guest on the Splynx server and must not be noticed there.
const WORKERS: usize = 2;

/// What the pages need to know beside the use cases.
#[derive(Debug, Clone)]
pub struct SiteSettings {
    /// The cookie that carries the portal's session.
    pub session_cookie: String,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Where the checkout lives, as origins: `https://bitpay.com`. Forms may lead there.
    pub processor_origins: Vec<String>,
    /// Binds the admin's forms to their session. Secret, and the same as long as the installation lives.
    pub form_key: csrf::FormKey,
    /// How much one customer or one sender may ask of us.
    pub limits: Limits,
}

/// How much one customer or one sender may ask of us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Payments a customer may begin in a minute.
    pub checkouts_per_minute: NonZeroU32,
    /// How long the body of a request may take to arrive.
    pub body_deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const TEN: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
        Self { checkouts_per_minute: TEN, body_deadline: Duration::from_secs(10) }
    }
}

/// Why the pages cannot be served with these settings.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// An address is no URL with a host.
    #[error("`{0}` is no web address")]
    NotAnAddress(String),
    /// A template is wrong.
    #[error("the templates cannot be read: {0}")]
    Templates(#[from] tera::Error),
}

/// Everything a handler needs.
pub struct Site {
    /// The use cases.
    pub app: App,
    /// Who is there.
    pub sessions: Arc<dyn Sessions>,
    /// The pages.
    pub templates: Templates,
    /// What was configured.
    pub settings: SiteSettings,
    /// Scheme, host and port of the portal.
    pub portal_origin: String,
    /// Whether customers reach us over TLS.
    pub is_https: bool,
    /// How often each customer may begin a payment.
    pub checkouts: limits::CheckoutLimiter,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("portal_origin", &self.portal_origin)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Site {
    /// Puts the pages on the use cases.
    ///
    /// # Errors
    ///
    /// [`SiteError`] when the portal's or our own address is none.
    pub fn new(
        app: App,
        sessions: Arc<dyn Sessions>,
        settings: SiteSettings,
    ) -> Result<Self, SiteError> {
        let portal_origin = address(&app.settings.portal_url)?.origin().ascii_serialization();
        let is_https = address(&app.settings.public_url)?.scheme() == "https";
        let limit = settings.limits.checkouts_per_minute;
        let checkouts = limits::CheckoutLimiter::new(limit, Arc::clone(&app.clock));
        let templates = Templates::load()?;
        Ok(Self { app, sessions, templates, settings, portal_origin, is_https, checkouts })
    }

    /// An address in the portal.
    #[must_use]
    pub fn portal(&self, path: &str) -> String {
        format!("{}{path}", self.app.settings.portal_url)
    }

    /// Whether no real money flows.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.app.settings.environment == Environment::Test
    }
}

fn address(text: &str) -> Result<Url, SiteError> {
    Url::parse(text)
        .ok()
        .filter(Url::has_host)
        .ok_or_else(|| SiteError::NotAnAddress(text.to_owned()))
}

/// Serves the pages and hooks until the server is stopped.
///
/// # Errors
///
/// When the listener cannot be used.
pub fn serve(listener: TcpListener, site: Site) -> io::Result<Server> {
    let site = web::Data::new(site);
    let server = HttpServer::new(move || {
        actix_web::App::new().configure(|config| routes::mount(config, &site))
    });
    let server = server
        .workers(WORKERS)
        .client_request_timeout(Duration::from_secs(5))
        .client_disconnect_timeout(Duration::from_secs(2))
        .keep_alive(Duration::from_secs(75))
        .shutdown_timeout(20)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

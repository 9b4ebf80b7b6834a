//! The table of BitPay's REST endpoints, and who is asking.
//!
//! **Invariant:** signatures are checked over the URL and the bytes as they arrived, before anything is parsed.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::clock::Moment;
use super::reply::{ApiError, Reply, Verb};
use super::signature;
use super::tokens::{Facade, Standing, Token};
use super::world::World;
use super::{invoices, rates};
use crate::sim::faults::Tweaks;

/// The version of the API the signed endpoints insist on.
const VERSION: &str = "2.0.0";

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct ApiRequest {
    /// The method.
    pub method: Method,
    /// The path, decoded no further.
    pub path: String,
    /// The query without the question mark.
    pub query: String,
    /// The address of this BitPay, for the links it gives out.
    pub base: String,
    /// When it arrived.
    pub now: Moment,
    /// A search returns every row, whatever is asked for.
    pub ignore_filter: bool,
    /// Who signed it, or why nobody did; looked at only where a signature is due.
    signer: Result<String, ApiError>,
    is_json: bool,
    body: Bytes,
}

impl ApiRequest {
    /// Takes down a request. It must be signed with the scheme of `base` and the host the client sent.
    #[must_use]
    pub(super) fn new(request: &HttpRequest, body: Bytes, base: &str, now: Moment) -> Self {
        let headers = request.headers();
        let scheme = base.split_once("://").map_or("http", |(scheme, _)| scheme);
        let host = text(headers, "host").unwrap_or_default();
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let url = format!("{scheme}://{host}{target}");
        let kind = text(headers, "content-type");
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            query: request.query_string().to_owned(),
            base: base.to_owned(),
            now,
            ignore_filter: false,
            signer: signer(headers, &url, &body),
            is_json: kind.is_some_and(|kind| kind.starts_with("application/json")),
            body,
        }
    }

    /// The request at the moment it is carried out, which a fault may have put off.
    #[must_use]
    pub(super) fn executed(self, now: Moment, tweaks: Tweaks) -> Self {
        Self { now, ignore_filter: tweaks.ignore_filter, ..self }
    }

    /// The body as an object; anything else counts as empty, as with the middleware BitPay uses.
    #[must_use]
    pub(super) fn json(&self) -> Map<String, Value> {
        if !self.is_json {
            return Map::new();
        }
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A parameter of the query.
    #[must_use]
    pub(super) fn param(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.into_owned())
    }

    fn verb(&self) -> Verb {
        match self.method {
            Method::POST => Verb::Post,
            Method::GET => Verb::Get,
            Method::PUT => Verb::Put,
            _ => Verb::Other,
        }
    }
}

/// Who signed the full URL and the body, in a request of the right version.
fn signer(headers: &HeaderMap, url: &str, body: &[u8]) -> Result<String, ApiError> {
    if text(headers, "x-accept-version").as_deref() != Some(VERSION) {
        return Err(ApiError::Version);
    }
    let (Some(identity), Some(signature)) =
        (text(headers, "x-identity"), text(headers, "x-signature"))
    else {
        return Err(ApiError::UnauthorizedSin);
    };
    let message = [url.as_bytes(), body].concat();
    Ok(signature::signer(&identity, &signature, &message)?)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Answers one API request.
pub(super) fn serve(world: &mut World, request: &ApiRequest) -> Reply {
    route(world, request).unwrap_or_else(|error| error.reply(request.verb()))
}

/// All endpoints. A trailing slash changes nothing.
fn route(world: &mut World, request: &ApiRequest) -> Result<Reply, ApiError> {
    let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
    match (request.method.as_str(), path.as_slice()) {
        ("POST", ["tokens"]) => world.create_token(&request.json(), request.now),
        ("GET", ["tokens"]) => world.list_tokens(request.signer.as_deref().map_err(Clone::clone)?),
        ("POST", ["invoices"]) => invoices::create(world, request),
        ("GET", ["invoices"]) => invoices::list(world, request),
        ("GET", ["invoices", "guid", guid]) => invoices::show_by_guid(world, request, guid),
        ("GET", ["invoices", id]) => invoices::show(world, request, id),
        ("PUT", ["invoices", "pay", id]) => invoices::pay(world, request, id),
        ("POST", ["invoices", id, "notifications"]) => invoices::resend(world, request, id),
        ("GET", ["rates"]) => rates::of_coin("BTC"),
        ("GET", ["rates", coin]) => rates::of_coin(coin),
        ("GET", ["rates", coin, fiat]) => rates::of_pair(coin, fiat),
        ("GET", ["currencies"]) => Ok(rates::currencies()),
        _ => Err(ApiError::NotFound),
    }
}

/// The token a request may use: known, enabled, and asked for by the identity that owns it.
///
/// # Errors
/// Says which of these it is not.
pub(super) fn authorize(
    world: &World,
    request: &ApiRequest,
    value: &str,
) -> Result<Token, ApiError> {
    let token = world.tokens.get(value).ok_or(ApiError::InvalidToken)?;
    if token.standing == Standing::Disabled {
        return Err(ApiError::DisabledToken);
    }
    // A token without an owner needs no signature; whatever one is sent along is not looked at.
    if let Some(owner) = &token.sin {
        let signer = request.signer.as_ref().map_err(Clone::clone)?;
        if signer != owner || token.standing != Standing::Active {
            return Err(ApiError::UnauthorizedSin);
        }
    }
    Ok(token.clone())
}

/// The token, if its facade is one of these.
///
/// # Errors
/// As [`authorize`], or names the facade that is not enough.
pub(super) fn authorize_for(
    world: &World,
    request: &ApiRequest,
    value: &str,
    facades: &[Facade],
) -> Result<Token, ApiError> {
    let token = authorize(world, request, value)?;
    if facades.contains(&token.facade) {
        Ok(token)
    } else {
        Err(ApiError::Facade(token.facade.name()))
    }
}

//! The reverse proxy of `/bitpay`, as the add-on's nginx snippet sets it up.
//!
//! **Invariant:** method, path, query, body, cookies and `Host` arrive as the browser sent them; `X-Forwarded-For` is
//! appended to, as nginx does, so a value the browser invents comes first and must not be trusted.

use std::time::Duration;

use actix_web::http::header::HeaderName;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};

use crate::sim::splynx::world::Shared;

/// Headers that belong to one connection.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The client of the proxy; it follows no redirects.
#[expect(clippy::disallowed_methods, reason = "a simulated nginx has a client of its own")]
pub(in crate::sim::splynx) fn client() -> reqwest::Client {
    // Another part of the process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1));
    // nginx opens a connection for each request unless told otherwise.
    let builder = builder.pool_max_idle_per_host(0);
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap_or_default()
}

/// Passes a request to the add-on.
pub(super) async fn handle(
    request: HttpRequest,
    body: Bytes,
    shared: Data<Shared>,
    client: Data<reqwest::Client>,
) -> HttpResponse {
    let Some(base) = shared.world().bitpay_url.clone() else {
        return gateway(502, "the address of the add-on is not set");
    };
    let url = format!("{}{}", base.trim_end_matches('/'), request.uri());
    let Ok(method) = reqwest::Method::from_bytes(request.method().as_str().as_bytes()) else {
        return gateway(400, "the method is unknown");
    };
    let outgoing = client.request(method, url).headers(forwarded(&request)).body(body.to_vec());
    match outgoing.send().await {
        Ok(response) => relay(response).await,
        Err(error) if error.is_timeout() => gateway(504, "the add-on does not answer"),
        Err(_) => gateway(502, "the add-on cannot be reached"),
    }
}

/// The browser's headers and what nginx adds to them.
fn forwarded(request: &HttpRequest) -> reqwest::header::HeaderMap {
    let mut headers = reqwest::header::HeaderMap::new();
    for (name, value) in request.headers() {
        if !HOP_BY_HOP.contains(&name.as_str()) {
            append(&mut headers, name.as_str(), value.as_bytes());
        }
    }
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let peer = request.peer_addr().map(|address| address.ip().to_string()).unwrap_or_default();
    let chain = match text("x-forwarded-for") {
        Some(before) => format!("{before}, {peer}"),
        None => peer.clone(),
    };
    let host = text("host").unwrap_or_default().to_owned();
    let added = [
        ("x-forwarded-for", chain),
        ("x-forwarded-proto", "http".to_owned()),
        ("x-forwarded-host", host),
        ("x-real-ip", peer),
    ];
    for (name, value) in added {
        headers.remove(name);
        append(&mut headers, name, value.as_bytes());
    }
    headers
}

fn append(headers: &mut reqwest::header::HeaderMap, name: &str, value: &[u8]) {
    let name = reqwest::header::HeaderName::from_bytes(name.as_bytes());
    let value = reqwest::header::HeaderValue::from_bytes(value);
    if let (Ok(name), Ok(value)) = (name, value) {
        headers.append(name, value);
    }
}

async fn relay(response: reqwest::Response) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(response.status().as_u16());
    let mut builder = HttpResponse::build(status.unwrap_or_default());
    for (name, value) in response.headers() {
        let pass = !HOP_BY_HOP.contains(&name.as_str());
        if let (true, Ok(name)) = (pass, HeaderName::from_bytes(name.as_str().as_bytes())) {
            builder.append_header((name, value.as_bytes()));
        }
    }
    match response.bytes().await {
        Ok(body) => builder.body(body),
        Err(_) => gateway(502, "the add-on broke off its answer"),
    }
}

fn gateway(status: u16, why: &str) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(status).unwrap_or_default();
    let page = format!("<html><body><center><h1>{status}</h1>{why}</center></body></html>");
    HttpResponse::build(status).content_type("text/html").body(page)
}

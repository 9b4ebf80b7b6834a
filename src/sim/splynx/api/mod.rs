//! The REST API v2.0: what is asked for, by whom, and may they.
//!
//! **Invariant:** every request is authenticated and permitted before its resource sees it; `admin/api/check` and
//! `admin/auth` alone need nothing.

pub(super) mod auth;
mod config;
mod documents;
mod failure;
mod input;
mod lists;
mod payments;
mod query;
mod resource;
mod search;
mod statements;
mod transactions;
mod wire;

use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use self::failure::Failure;
use self::query::Node;
use super::world::{Shared, World};
use crate::sim::faults::{Call, Tweaks, guard};

/// The prefix of every path.
pub(super) const PREFIX: &str = "/api/2.0/";

/// A request, taken out of the HTTP server's hands.
#[derive(Debug)]
struct Request {
    method: Method,
    path: String,
    query: Node,
    body: Bytes,
    is_json: bool,
    authorization: Option<String>,
    user_agent: String,
    ip: String,
}

/// A success.
#[derive(Debug)]
struct Reply {
    status: StatusCode,
    total: Option<usize>,
    body: Option<Value>,
}

impl Reply {
    fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, total: None, body: Some(body) }
    }

    fn created(body: Value) -> Self {
        Self { status: StatusCode::CREATED, total: None, body: Some(body) }
    }

    /// 202 with an empty body, as Splynx answers a PUT.
    fn accepted() -> Self {
        Self { status: StatusCode::ACCEPTED, total: None, body: None }
    }

    fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, total: None, body: None }
    }

    fn counted(total: usize) -> Self {
        Self { status: StatusCode::NO_CONTENT, total: Some(total), body: None }
    }

    fn respond(self) -> HttpResponse {
        let mut builder = HttpResponse::build(self.status);
        if let Some(total) = self.total {
            builder.insert_header(("X-total-count", total.to_string()));
        }
        match self.body {
            Some(body) => builder.json(body),
            None => builder.finish(),
        }
    }
}

/// Serves every path under [`PREFIX`], through the script of faults.
pub(super) async fn handle(
    request: HttpRequest,
    body: Bytes,
    shared: Data<Shared>,
) -> HttpResponse {
    let request_ = take(&request, body.clone());
    let call = Call {
        method: request_.method.clone(),
        path: request_.path.clone(),
        query: request.query_string().to_owned(),
        body: String::from_utf8_lossy(&body).into_owned(),
        at: shared.world().clock.now().to_rfc3339(),
    };
    let executor = shared.clone();
    let execute = move |tweaks: Tweaks| async move { execute(&executor, &request_, tweaks) };
    guard(&shared.script, &request, call, execute).await
}

fn take(request: &HttpRequest, body: Bytes) -> Request {
    let text = |name: header::HeaderName| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let content_type = text(header::CONTENT_TYPE).unwrap_or_default().to_lowercase();
    Request {
        method: request.method().clone(),
        path: request.path().strip_prefix(PREFIX).unwrap_or_default().trim_matches('/').to_owned(),
        query: query::parse(request.query_string()),
        body,
        is_json: content_type.starts_with("application/json"),
        authorization: text(header::AUTHORIZATION),
        user_agent: text(header::USER_AGENT).unwrap_or_default(),
        ip: request.peer_addr().map(|address| address.ip().to_string()).unwrap_or_default(),
    }
}

fn execute(shared: &Shared, request: &Request, tweaks: Tweaks) -> HttpResponse {
    let mut world = shared.world();
    let reply = route(&mut world, request, tweaks);
    drop(world);
    reply.map_or_else(|failure| failure.respond(), Reply::respond)
}

fn route(world: &mut World, request: &Request, tweaks: Tweaks) -> Result<Reply, Failure> {
    let has_body = matches!(request.method, Method::POST | Method::PUT);
    if has_body && !request.is_json {
        return Err(Failure::bad_request("Content-Type must be application/json"));
    }
    let segments: Vec<&str> = request.path.split('/').collect();
    match segments.as_slice() {
        ["admin", "api", "check"] => check(world, request),
        ["admin", "auth", rest @ ..] => auth::serve(world, request, rest),
        _ => resource::serve(world, request, &segments, tweaks),
    }
}

fn check(world: &mut World, request: &Request) -> Result<Reply, Failure> {
    if request.method != Method::GET {
        return Err(Failure::disabled());
    }
    if request.query.get("checkAuth").and_then(Node::text) == Some("true") {
        auth::principal(world, request)?;
    }
    Ok(Reply::ok(json!({ "status": "ok", "message": "API is valid", "same_server": 0 })))
}

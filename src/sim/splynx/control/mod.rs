//! The control API `/_control/…`: what tests in other processes and the demo use.
//!
//! **Invariant:** it is served to loopback only. Whatever it does, `Simulator` can do in process as well.

mod documents;
mod switches;

use actix_web::http::Method;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::world::Shared;
use crate::sim::faults::Fault;

/// What a control request comes to: JSON, or a sentence that says what is wrong with it.
type Outcome = Result<Value, String>;

/// Serves every path under `/_control/`.
pub(super) async fn handle(
    request: HttpRequest,
    body: Bytes,
    shared: Data<Shared>,
) -> HttpResponse {
    let loopback = request.peer_addr().is_some_and(|address| address.ip().is_loopback());
    if !loopback {
        return HttpResponse::Forbidden().json(json!({ "error": "loopback only" }));
    }
    let path = request.path().trim_start_matches("/_control/").trim_matches('/').to_owned();
    let segments: Vec<&str> = path.split('/').collect();
    match route(&shared, request.method(), &segments, &body) {
        Some(Ok(value)) => HttpResponse::Ok().json(value),
        Some(Err(error)) => HttpResponse::BadRequest().json(json!({ "error": error })),
        None => HttpResponse::NotFound().json(json!({ "error": "no such control" })),
    }
}

fn route(shared: &Shared, method: &Method, segments: &[&str], body: &[u8]) -> Option<Outcome> {
    Some(match (method.as_str(), segments) {
        ("GET", ["state"]) => Ok(state(shared)),
        ("GET", ["faults"]) => Ok(shared.script.describe()),
        ("POST", ["faults"]) => arm(shared, body),
        ("DELETE", ["faults"]) => done(|| shared.script.disarm()),
        ("GET", ["log"]) => serde_json::to_value(shared.script.log()).map_err(|e| e.to_string()),
        ("DELETE", ["log"]) => done(|| shared.script.clear_log()),
        ("POST", ["reset"]) => done(|| shared.reset()),
        ("POST", ["options"]) => switches::options(shared, body),
        ("POST", ["clock"]) => switches::clock(shared, body),
        ("POST", ["permissions"]) => switches::permissions(shared, body),
        ("POST", ["entry-points"]) => switches::entry_points(shared, body),
        ("POST", ["sessions"]) => switches::open_session(shared, body),
        ("POST", ["sessions", "revoke"]) => switches::revoke_session(shared, body),
        (_, rest) => return documents::route(shared, method, rest, body),
    })
}

/// Reads the JSON of a control request; an empty body is an empty object.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = if body.is_empty() { b"{}".as_slice() } else { body };
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

#[expect(clippy::unnecessary_wraps, reason = "every arm of the route is an outcome")]
fn done(work: impl FnOnce()) -> Outcome {
    work();
    Ok(json!({ "done": true }))
}

/// All rows, and what decides over the next request.
fn state(shared: &Shared) -> Value {
    let world = shared.world();
    let mut state = serde_json::to_value(&world.books).unwrap_or_default();
    let now = world.clock.now();
    let more = json!({
        "behaviour": world.behaviour, "now": now.to_rfc3339(), "bitpay_url": world.bitpay_url,
        "live_tokens": world.access.live_tokens(now.timestamp()),
        "settings": world.settings.iter().map(|((module, path, partner), values)| json!({
            "module": module, "path": path, "partner_id": partner, "values": values,
        })).collect::<Value>(),
    });
    if let (Some(state), Value::Object(more)) = (state.as_object_mut(), more) {
        state.extend(more);
    }
    state
}

fn arm(shared: &Shared, body: &[u8]) -> Outcome {
    let fault: Fault = read(body)?;
    done(|| shared.script.arm(fault))
}

//! One line and one figure per request.
//!
//! **Invariant:** a request is named by the pattern of its route, never by its path: hooks and result tokens are
//! secrets. The labels of the metrics come from closed sets.

use std::time::Duration;

use actix_web::dev::ServiceResponse;

use super::Site;
use super::routes::Row;

/// Notes an answer that is about to leave.
pub fn note(site: &Site, row: &'static Row, response: &ServiceResponse, started: Duration) {
    let took = site.app.clock.monotonic().saturating_sub(started);
    let method = method_label(response.request().method().as_str());
    let status = response.status().as_u16();
    tracing::info!(method, route = row.path, status, ms = took.as_millis(), "request");
    let labels = [
        ("route", row.path.to_owned()),
        ("method", method.to_owned()),
        ("status", status.to_string()),
    ];
    metrics::histogram!("splynx_bitpay_http_seconds", &labels).record(took);
}

/// A stranger can invent methods without end.
fn method_label(method: &str) -> &'static str {
    match method {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        _ => "other",
    }
}

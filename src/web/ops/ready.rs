//! `/ready`: whether the service has all it needs, and what it waits for.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use futures_util::future::join_all;
use serde::Serialize;

use super::{OpsState, Probe};

/// A probe that takes longer has failed.
const PROBE_DEADLINE: Duration = Duration::from_secs(5);

#[derive(Debug, Serialize)]
struct Answer {
    ready: bool,
    waiting_for: Vec<Missing>,
}

#[derive(Debug, Serialize)]
struct Missing {
    name: &'static str,
    why: String,
}

/// 200 when nothing is missing, 503 with the list otherwise.
pub async fn get(state: web::Data<OpsState>) -> HttpResponse {
    let looks = state.probes.iter().map(|probe| look(probe.as_ref()));
    let waiting_for: Vec<Missing> = join_all(looks).await.into_iter().flatten().collect();
    let ready = waiting_for.is_empty();
    let mut response = if ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(Answer { ready, waiting_for })
}

async fn look(probe: &dyn Probe) -> Option<Missing> {
    let checked = tokio::time::timeout(PROBE_DEADLINE, probe.check()).await;
    let why = checked.unwrap_or_else(|_| Err("no answer in time".to_owned())).err()?;
    Some(Missing { name: probe.name(), why })
}

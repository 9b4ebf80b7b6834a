//! `/metrics`: the figures, in Prometheus' text format.

use actix_web::{HttpResponse, web};

use super::OpsState;

/// The figures of this moment.
pub async fn get(state: web::Data<OpsState>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body((state.metrics)().await)
}

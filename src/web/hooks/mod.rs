//! What processors call. They read a status and nothing else (design 4.3).
//!
//! **Invariant:** the answer depends on our own store alone; neither Splynx nor the processor is asked, and nothing of
//! the body is believed.

use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse, web};

use super::body::{self, HOOK_BYTES_MAX};
use super::refusal::{RETRY_SECONDS, Refusal};
use super::{Site, client_ip};
use crate::app::receive_hint::{Reception, receive_hint};
use crate::domain::ids::Hook;
use crate::ports::store::StoreError;

pub mod ipn;
pub mod webhook;

/// Takes one hint.
///
/// # Errors
///
/// A body that is too large, too slow or broken.
async fn take(
    site: &Site,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Refusal> {
    let deadline = site.settings.limits.body_deadline;
    let body = body::read(request, payload, HOOK_BYTES_MAX, deadline).await?;
    let reception = receive(site, request, &body).await;
    metrics::counter!("splynx_bitpay_hints_total", "outcome" => outcome(&reception)).increment(1);
    Ok(match reception {
        Ok(Reception::Taken | Reception::UnknownHook) => HttpResponse::Ok().finish(),
        Ok(Reception::BadSignature) => {
            let client = client_ip::of(site, request);
            tracing::warn!(%client, "a notification with a wrong signature was refused");
            HttpResponse::Unauthorized().finish()
        }
        Err(error) => {
            tracing::error!(%error, "a notification could not be kept; the sender will repeat it");
            HttpResponse::ServiceUnavailable().insert_header((RETRY_AFTER, RETRY_SECONDS)).finish()
        }
    })
}

/// A text that cannot be a hook is treated as one that nobody has: strangers learn nothing.
async fn receive(site: &Site, request: &HttpRequest, body: &[u8]) -> Result<Reception, StoreError> {
    let Ok(hook) = Hook::parse(request.match_info().get("hook").unwrap_or_default()) else {
        return Ok(Reception::UnknownHook);
    };
    // A signature that is not even text is still a signature, and a wrong one.
    let signature = request.headers().get("x-signature");
    let signature = signature.map(|value| value.to_str().unwrap_or("unreadable"));
    receive_hint(&site.app, &hook, body, signature).await
}

fn outcome(reception: &Result<Reception, StoreError>) -> &'static str {
    match reception {
        Ok(Reception::Taken) => "taken",
        Ok(Reception::UnknownHook) => "unknown",
        Ok(Reception::BadSignature) => "bad_signature",
        Err(_) => "unavailable",
    }
}

//! `/bitpay/ipn/{hook}`: the notification address given to BitPay; the hook names the attempt.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::web::Site;
use crate::web::refusal::Refusal;

/// Takes a notification of any type and content.
///
/// # Errors
///
/// A body that is too large, too slow or broken.
pub async fn post(
    site: web::Data<Site>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Refusal> {
    super::take(&site, &request, payload).await
}

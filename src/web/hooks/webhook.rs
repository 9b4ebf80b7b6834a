//! `/bitpay/webhook/{hook}`: the address for processors that call a webhook; the hook names what it is about.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::web::Site;
use crate::web::refusal::Refusal;

/// Takes a delivery of any type and content.
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

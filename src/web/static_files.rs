//! Style sheet, script and icon.
//!
//! **Invariant:** only under the address that carries its hash may a file be kept for ever.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse};

use super::body;
use super::refusal::Refusal;
use crate::views::assets::asset;
use crate::views::notice::NoticeKind;

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// `GET /bitpay/static/{file}`.
///
/// # Errors
///
/// A 404 when there is no such file.
pub async fn get(request: HttpRequest) -> Result<HttpResponse, Refusal> {
    let name = request.match_info().get("file").unwrap_or_default();
    let asset = asset(name).ok_or_else(|| Refusal::of(NoticeKind::NotFound))?;
    let is_versioned = body::query(&request)?.get("v") == Some(asset.version.as_str());
    let cache = if is_versioned { FOR_EVER } else { ASK_AGAIN };
    let etag = format!("\"{}\"", asset.version);
    let known = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == etag));
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((CACHE_CONTROL, cache)).insert_header((ETAG, etag));
    if is_known {
        return Ok(response.finish());
    }
    Ok(response.insert_header((CONTENT_TYPE, asset.content_type)).body(asset.bytes.into_owned()))
}

//! Reading what browsers and processors send: bounded in size and in time.
//!
//! **Invariant:** no body is longer in memory than its limit, none takes longer to arrive than the deadline, and a form
//! that is not UTF-8 is no form.

use std::time::Duration;

use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{HttpRequest, web};
use futures_util::StreamExt as _;

use super::Site;
use super::refusal::Refusal;
use crate::views::notice::NoticeKind;

/// Forms have a few short fields.
pub const FORM_BYTES_MAX: usize = 8 * 1024;
/// The longest notification known has about 4 KiB.
pub const HOOK_BYTES_MAX: usize = 64 * 1024;

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// Longer than the limit.
    TooLarge,
    /// It took longer than the deadline.
    TooSlow,
    /// The connection broke or the encoding is wrong.
    Broken,
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Self::of(match error {
            BodyError::TooLarge => NoticeKind::TooLarge,
            BodyError::TooSlow => NoticeKind::TooSlow,
            BodyError::Broken => NoticeKind::BadRequest,
        })
    }
}

/// Reads a whole body.
///
/// # Errors
///
/// [`BodyError`] when it is too large, too slow or broken.
pub async fn read(
    request: &HttpRequest,
    body: web::Payload,
    bytes_max: usize,
    deadline: Duration,
) -> Result<Vec<u8>, BodyError> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|length| length.parse::<usize>().ok()).unwrap_or_default();
    if announced > bytes_max {
        return Err(BodyError::TooLarge);
    }
    tokio::time::timeout(deadline, read_to_end(body, bytes_max))
        .await
        .unwrap_or(Err(BodyError::TooSlow))
}

async fn read_to_end(mut body: web::Payload, bytes_max: usize) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| BodyError::Broken)?;
        if bytes.len().saturating_add(chunk.len()) > bytes_max {
            return Err(BodyError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The fields of a form or a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// The first field with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Takes a query or a form apart.
    ///
    /// # Errors
    ///
    /// A 400 when it is not UTF-8.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let fields: Vec<(String, String)> =
            url::form_urlencoded::parse(bytes).into_owned().collect();
        // The parser puts this character where the bytes are no UTF-8. Nobody types it.
        let is_damaged = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
        if fields.iter().any(|(name, value)| is_damaged(name) || is_damaged(value)) {
            return Err(Refusal::of(NoticeKind::BadRequest));
        }
        Ok(Self(fields))
    }
}

/// The fields of the address.
///
/// # Errors
///
/// A 400 when they are not UTF-8.
pub fn query(request: &HttpRequest) -> Result<Fields, Refusal> {
    Fields::parse(request.query_string().as_bytes())
}

/// Reads a form.
///
/// # Errors
///
/// 413, 408, 415 or 400, each with its page.
pub async fn form(
    site: &Site,
    request: &HttpRequest,
    body: web::Payload,
) -> Result<Fields, Refusal> {
    let is_form = is_form(request);
    let bytes = read(request, body, FORM_BYTES_MAX, site.settings.limits.body_deadline).await?;
    if is_form || (bytes.is_empty() && !request.headers().contains_key(CONTENT_TYPE)) {
        return Fields::parse(&bytes);
    }
    Err(Refusal::of(NoticeKind::WrongType))
}

fn is_form(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_field_by_field() {
        let fields = Fields::parse("amount=10.50&note=caf%C3%A9+%26+t%C3%A9&amount=9".as_bytes());
        let fields = fields.unwrap();
        assert_eq!(fields.get("amount"), Some("10.50"));
        assert_eq!(fields.get("note"), Some("café & té"));
        assert_eq!(fields.get("other"), None);
    }

    #[test]
    fn bytes_that_are_no_text_are_no_form() {
        for bytes in [&b"amount=%FF"[..], b"amount=\xff", b"%C3=1"] {
            assert!(Fields::parse(bytes).is_err(), "{bytes:?}");
        }
    }
}

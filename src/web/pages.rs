//! Answers with a page in the visitor's language.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, HeaderValue, LOCATION, VARY};
use actix_web::{HttpRequest, HttpResponse};

use super::refusal::Notice;
use super::{Site, language};
use crate::views::notice::NoticePage;
use crate::views::{Frame, View};

const HTML: &str = "text/html; charset=utf-8";

/// The page, rendered.
#[must_use]
pub fn show<V: View>(
    site: &Site,
    request: &HttpRequest,
    status: StatusCode,
    view: &V,
) -> HttpResponse {
    fill(site, request, HttpResponse::new(status), view)
}

/// Puts the page of a notice into the empty answer it belongs to.
#[must_use]
pub fn notice(
    site: &Site,
    request: &HttpRequest,
    empty: HttpResponse,
    notice: &Notice,
) -> HttpResponse {
    let view = NoticePage::new(notice.kind, notice.links.clone());
    fill(site, request, empty, &view)
}

/// Sends the browser on. After a POST it asks for the new address by GET.
#[must_use]
pub fn see_other(address: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, address)).finish()
}

fn fill<V: View>(
    site: &Site,
    request: &HttpRequest,
    mut response: HttpResponse,
    view: &V,
) -> HttpResponse {
    let language = language::of(request);
    let html = match site.templates.render(view, &Frame::new(&language, site.is_test())) {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, template = V::TEMPLATE, "a page cannot be rendered");
            return HttpResponse::InternalServerError().body("Something went wrong.");
        }
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(HTML));
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Language, Cookie"));
    if let Ok(language) = HeaderValue::from_str(&language.to_string()) {
        headers.insert(CONTENT_LANGUAGE, language);
    }
    response.set_body(html).map_into_boxed_body()
}

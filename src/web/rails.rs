//! What every request runs on, whatever its route.
//!
//! **Invariant:** no handler is called with a form that our own pages did not send, and no answer leaves without the
//! headers of its kind, a line in the log and a figure in the metrics. Every page that says no names a next step.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError as _, web};

use super::refusal::{Notice, Refusal};
use super::routes::{Kind, Row};
use super::{Site, access_log, admin, csrf, headers, pages, unread};
use crate::views::Link;

/// Where the admin's pages are.
const ADMIN_FOLDERS: [&str; 2] = ["/bitpay/admin", admin::config::PATH];

/// Runs one request.
///
/// # Errors
///
/// Never by itself: what the routing below could not answer.
pub async fn run<B: MessageBody + 'static>(
    row: &'static Row,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(site) = request.app_data::<web::Data<Site>>().cloned() else {
        return Ok(request.into_response(HttpResponse::InternalServerError().finish()));
    };
    let started = site.app.clock.monotonic();
    let body = unread::Held::of(&mut request);
    let response = match csrf::judge(&site, row, request.request()) {
        Ok(()) => next.call(request).await?.map_into_boxed_body(),
        Err(refusal) => request.error_response(refusal),
    };
    let mut response = with_page(&site, row, response);
    headers::apply(&site, row.kind, response.response_mut().headers_mut());
    access_log::note(&site, row, &response, started);
    Ok(body.until_sent(response))
}

/// Puts the page of a refusal into its answer. Senders of hooks read no pages.
fn with_page(site: &Site, row: &Row, response: ServiceResponse) -> ServiceResponse {
    let refusal = response.response().error().and_then(|error| error.as_error::<Refusal>());
    let Some(Refusal::Notice(notice)) = refusal.cloned() else {
        return response;
    };
    if row.kind == Kind::Hook {
        return response;
    }
    let (request, _) = response.into_parts();
    let notice = with_next_step(site, leads_back(row, request.path()), notice);
    let empty = Refusal::Notice(notice.clone()).error_response();
    let page = pages::notice(site, &request, empty, &notice);
    ServiceResponse::new(request, page)
}

/// Whoever refused without knowing where to go from there leaves that to the kind of the route.
fn with_next_step(site: &Site, back: Back, notice: Notice) -> Notice {
    if !notice.links.is_empty() {
        return notice;
    }
    let link = match back {
        Back::ToAdmin => Link::here(admin::config::PATH, "back-config"),
        Back::ToPortal => Link::out(site.portal("/portal/"), "back-portal"),
    };
    Notice { links: vec![link], ..notice }
}

/// Whose pages the next step is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Back {
    ToAdmin,
    ToPortal,
}

/// Below the admin's addresses nobody but an admin gets lost, even where no route is.
fn leads_back(row: &Row, path: &str) -> Back {
    let is_below = |folder: &str| {
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_admins = match row.kind {
        Kind::Admin => true,
        Kind::Nowhere => ADMIN_FOLDERS.iter().any(|folder| is_below(folder)),
        _ => false,
    };
    if is_admins { Back::ToAdmin } else { Back::ToPortal }
}

//! `/bitpay/admin/attempts/{id}`: why a payment stands where it stands.
//!
//! **Invariant:** this page only reads.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::attempts::PATH;
use crate::domain::ids::AttemptId;
use crate::ports::billing::Freshness;
use crate::ports::store::StoreError;
use crate::views::Link;
use crate::views::attempt::AttemptPage;
use crate::views::notice::NoticeKind;
use crate::web::refusal::Refusal;
use crate::web::{Site, dead_ends, identity, pages};

/// Shows one attempt with all that hangs on it.
///
/// # Errors
///
/// [`Refusal`] says what is shown instead.
pub async fn get(site: web::Data<Site>, request: HttpRequest) -> Result<HttpResponse, Refusal> {
    let id = AttemptId::parse(request.match_info().get("id").unwrap_or_default()).ok();
    // Who is nobody learns nothing, not even whether this can be an attempt.
    let back = id.map_or_else(|| PATH.to_owned(), address);
    identity::admin(&site, &request, Freshness::Remembered, &back).await?;
    let id = id.ok_or_else(not_found)?;
    let page = page(&site, id).await.map_err(|error| dead_ends::store_down(&error))?;
    let page = page.ok_or_else(not_found)?;
    Ok(pages::show(&site, &request, StatusCode::OK, &page))
}

/// The address of an attempt's page.
pub(super) fn address(id: AttemptId) -> String {
    format!("{PATH}/{id}")
}

fn not_found() -> Refusal {
    Refusal::with_links(NoticeKind::NotFound, vec![super::way_back(PATH)])
}

async fn page(site: &Site, id: AttemptId) -> Result<Option<AttemptPage>, StoreError> {
    let store = &site.app.store;
    let Some(ledger) = store.ledger(id).await? else {
        return Ok(None);
    };
    let reviews = store.reviews(id).await?;
    let ways =
        vec![Link::here(PATH, "back-attempts"), Link::out(site.portal("/admin/"), "back-admin")];
    let (attempt, credits, postings) = (&ledger.attempt, &ledger.credits, &ledger.postings);
    Ok(Some(AttemptPage::new(attempt, credits, postings, &reviews, ways)))
}

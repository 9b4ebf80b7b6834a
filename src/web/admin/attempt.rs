//! `/bitpay/admin/attempts/{id}`: why a payment stands where it stands, and what a person can decide about it.
//!
//! **Invariant:** asking for this page only reads.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::attempts::PATH;
use crate::domain::ids::AttemptId;
use crate::domain::settlement::Choice;
use crate::ports::billing::Freshness;
use crate::views::Link;
use crate::views::attempt::{AttemptPage, Shown};
use crate::views::notice::NoticeKind;
use crate::web::identity::AdminSession;
use crate::web::refusal::Refusal;
use crate::web::{Site, body, dead_ends, identity, pages};

/// More rows of the journal are shown by `splynx-bitpay audit show` only.
const TIMELINE_ROWS: u32 = 1000;

/// Shows one attempt with all that hangs on it.
///
/// # Errors
///
/// [`Refusal`] says what is shown instead.
pub async fn get(site: web::Data<Site>, request: HttpRequest) -> Result<HttpResponse, Refusal> {
    let id = named(&request);
    let session = identity::admin(&site, &request, Freshness::Remembered, &back(id)).await?;
    let page = page(&site, id.ok_or_else(not_found)?, &session).await?;
    let query = body::query(&request)?;
    let done = query.get("done").and_then(|done| page.done(done));
    Ok(pages::show(&site, &request, StatusCode::OK, &AttemptPage { done, ..page }))
}

/// The attempt in the address, if it can be one.
pub(super) fn named(request: &HttpRequest) -> Option<AttemptId> {
    AttemptId::parse(request.match_info().get("id").unwrap_or_default()).ok()
}

/// Where an admin comes back to after logging in. Who is nobody learns nothing, not even whether this can be an attempt.
pub(super) fn back(id: Option<AttemptId>) -> String {
    id.map_or_else(|| PATH.to_owned(), address)
}

/// The address of an attempt's page.
pub(super) fn address(id: AttemptId) -> String {
    format!("{PATH}/{id}")
}

pub(super) fn not_found() -> Refusal {
    Refusal::with_links(NoticeKind::NotFound, vec![super::way_back(PATH)])
}

/// The page as it is to be shown to this admin.
pub(super) async fn page(
    site: &Site,
    id: AttemptId,
    session: &AdminSession,
) -> Result<AttemptPage, Refusal> {
    let down = |error| dead_ends::store_down(&error);
    let store = &site.app.store;
    let ledger = store.ledger(id).await.map_err(down)?.ok_or_else(not_found)?;
    let reviews = store.reviews(id).await.map_err(down)?;
    let journal = store.journal(Some(id), 0, TIMELINE_ROWS).await.map_err(down)?;
    let (attempt, credits, postings) = (&ledger.attempt, &ledger.credits, &ledger.postings);
    // Sums that cannot be leave nothing to decide here; the review of that tells the rest.
    let choice = Choice::of(attempt, credits, postings).unwrap_or(Choice::Nothing);
    let steps = journal.iter().map(|row| (row.at, &*row.who, &*row.what, &*row.words)).collect();
    let shown = Shown { attempt, credits, postings, reviews: &reviews, choice, steps };
    let ways =
        vec![Link::here(PATH, "back-attempts"), Link::out(site.portal("/admin/"), "back-admin")];
    let form_token = site.settings.form_key.token(&session.cookie);
    Ok(AttemptPage::new(&shown, address(id), form_token, ways))
}

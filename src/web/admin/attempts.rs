//! `/bitpay/admin/attempts`: what was paid, what is open, what waits for a person.
//!
//! **Invariant:** this page only reads.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use url::form_urlencoded::Serializer;

use crate::domain::attempt::Attempt;
use crate::domain::ids::AttemptId;
use crate::ports::billing::Freshness;
use crate::ports::store::{AttemptFilter, StoreError};
use crate::views::Link;
use crate::views::attempts::{AttemptLine, AttemptsPage};
use crate::web::body::Fields;
use crate::web::refusal::Refusal;
use crate::web::{Site, body, dead_ends, identity, pages};

/// The page's own address.
pub(super) const PATH: &str = "/bitpay/admin/attempts";
/// Attempts on one page.
const ROWS: u8 = 50;
/// No name of an attempt is longer.
const SEARCH_CHARACTERS_MAX: usize = 64;

/// What the address asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wish {
    /// From 1.
    page: u32,
    is_review_only: bool,
    /// Empty for everything.
    search: String,
}

/// Shows one page of the list, newest first.
///
/// # Errors
///
/// [`Refusal`] says what is shown instead.
pub async fn get(site: web::Data<Site>, request: HttpRequest) -> Result<HttpResponse, Refusal> {
    identity::admin(&site, &request, Freshness::Remembered, PATH).await?;
    let wish = Wish::read(&body::query(&request)?);
    let page = page(&site, wish).await.map_err(|error| dead_ends::store_down(&error))?;
    Ok(pages::show(&site, &request, StatusCode::OK, &page))
}

impl Wish {
    /// Whatever is no page number asks for the first page: nothing can be broken by looking.
    fn read(query: &Fields) -> Self {
        let page = query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1);
        let search = query.get("q").unwrap_or_default().chars().filter(|c| !c.is_control());
        let search: String = search.take(SEARCH_CHARACTERS_MAX).collect();
        Self {
            page: std::cmp::max(page, 1),
            is_review_only: query.get("review") == Some("1"),
            search: search.trim().to_owned(),
        }
    }

    /// One more than fits, to know whether there is another page.
    fn filter(&self) -> AttemptFilter {
        AttemptFilter {
            about: (!self.search.is_empty()).then(|| self.search.clone()),
            under_review: self.is_review_only,
            limit: u32::from(ROWS).saturating_add(1),
            offset: self.page.saturating_sub(1).saturating_mul(u32::from(ROWS)),
            ..AttemptFilter::default()
        }
    }

    /// The address of another page of the same list.
    fn address(&self, page: u32) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("page", &page.to_string());
        if self.is_review_only {
            query.append_pair("review", "1");
        }
        if !self.search.is_empty() {
            query.append_pair("q", &self.search);
        }
        format!("{PATH}?{}", query.finish())
    }
}

async fn page(site: &Site, wish: Wish) -> Result<AttemptsPage, StoreError> {
    let store = &site.app.store;
    let mut attempts = store.list(&wish.filter()).await?;
    let has_older = attempts.len() > usize::from(ROWS);
    attempts.truncate(usize::from(ROWS));
    let ids: Vec<AttemptId> = attempts.iter().map(|attempt| attempt.id).collect();
    let reviews = store.open_reviews(&ids).await?;
    let newer = wish.page.checked_sub(1).filter(|page| *page > 0);
    let older = wish.page.checked_add(1).filter(|_| has_older);
    Ok(AttemptsPage {
        action: PATH,
        number: wish.page.to_string(),
        rows: attempts.iter().map(|attempt| line(attempt, &reviews)).collect(),
        newer: newer.map(|page| wish.address(page)),
        older: older.map(|page| wish.address(page)),
        ways: vec![
            Link::here(super::config::PATH, "back-config"),
            Link::out(site.portal("/admin/"), "back-admin"),
        ],
        is_review_only: wish.is_review_only,
        search: wish.search,
    })
}

fn line(attempt: &Attempt, reviews: &[(AttemptId, i64)]) -> AttemptLine {
    let open = reviews.iter().find(|(id, _)| *id == attempt.id).map_or(0, |(_, open)| *open);
    AttemptLine::of(attempt, super::attempt::address(attempt.id), open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_beyond_all_numbers_stays_within_them() {
        let wish = Wish { page: u32::MAX, is_review_only: false, search: String::new() };
        assert_eq!(wish.filter().offset, u32::MAX);
    }

    #[test]
    fn what_was_searched_for_is_kept_from_page_to_page() {
        let wish = Wish { page: 1, is_review_only: true, search: "a&b=\"".to_owned() };
        assert_eq!(wish.address(2), "/bitpay/admin/attempts?page=2&review=1&q=a%26b%3D%22");
    }
}

//! `/bitpay/admin/attempts`: what was paid, what is open, what waits for a person.
//!
//! **Invariant:** this page only reads.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use url::form_urlencoded::Serializer;

use crate::domain::attempt::{Attempt, State};
use crate::domain::ids::{AttemptId, CustomerId, ProcessorInvoiceId};
use crate::ports::billing::Freshness;
use crate::ports::store::{AttemptFilter, StoreError};
use crate::views::Link;
use crate::views::attempts::{AttemptLine, AttemptsPage, Choice};
use crate::web::body::Fields;
use crate::web::refusal::Refusal;
use crate::web::{Site, body, dead_ends, identity, pages};

/// The page's own address.
pub(super) const PATH: &str = "/bitpay/admin/attempts";
/// Attempts on one page, unless another size is asked for.
const ROWS: u16 = 50;
/// The sizes that can be asked for.
const PAGE_SIZES: [u16; 4] = [25, 50, 100, 200];
/// No name of an attempt is longer.
const SEARCH_CHARACTERS_MAX: usize = 64;

/// What the address asks for. What cannot be read asks for nothing: nothing can be broken by looking.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wish {
    /// From 1.
    page: u32,
    /// Attempts on one page.
    rows: u16,
    is_review_only: bool,
    /// Empty for everything, as are the following.
    search: String,
    customer: String,
    document: String,
    invoice: String,
    state: String,
    day: String,
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
    fn read(query: &Fields) -> Self {
        let page = query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1);
        let rows = query.get("rows").and_then(|rows| rows.parse().ok());
        let text = |name| {
            let text = query.get(name).unwrap_or_default().chars().filter(|c| !c.is_control());
            text.take(SEARCH_CHARACTERS_MAX).collect::<String>().trim().to_owned()
        };
        Self {
            page: std::cmp::max(page, 1),
            rows: rows.filter(|rows| PAGE_SIZES.contains(rows)).unwrap_or(ROWS),
            is_review_only: query.get("review") == Some("1"),
            search: text("q"),
            customer: text("customer"),
            document: text("document"),
            invoice: text("invoice"),
            state: text("state"),
            day: text("day"),
        }
    }

    /// The filter, or the name of the first field that nothing can match.
    ///
    /// One row more is asked for than fits, to know whether there is another page.
    fn filter(&self) -> Result<AttemptFilter, &'static str> {
        fn some<'a, T>(
            name: &'static str,
            text: &'a str,
            read: impl Fn(&'a str) -> Option<T>,
        ) -> Result<Option<T>, &'static str> {
            if text.is_empty() { Ok(None) } else { read(text).map(Some).ok_or(name) }
        }
        Ok(AttemptFilter {
            customer: some("customer", &self.customer, |id| id.parse().ok().map(CustomerId::new))?,
            state: some("state", &self.state, State::from_code)?,
            document: some("document", &self.document, |number| Some(number.to_owned()))?,
            invoice: some("invoice", &self.invoice, |id| ProcessorInvoiceId::parse(id).ok())?,
            day: some("day", &self.day, |day| day.parse().ok())?,
            about: some("q", &self.search, |text| Some(text.to_owned()))?,
            under_review: self.is_review_only,
            limit: u32::from(self.rows).saturating_add(1),
            offset: self.page.saturating_sub(1).saturating_mul(u32::from(self.rows)),
        })
    }

    /// Whether anything narrows the list.
    fn is_narrowed(&self) -> bool {
        let texts = [&self.search, &self.customer, &self.document, &self.invoice, &self.state];
        self.is_review_only || !self.day.is_empty() || texts.iter().any(|text| !text.is_empty())
    }

    /// The address of another page of the same list.
    fn address(&self, page: u32) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("page", &page.to_string());
        if self.rows != ROWS {
            query.append_pair("rows", &self.rows.to_string());
        }
        if self.is_review_only {
            query.append_pair("review", "1");
        }
        let texts = [
            ("q", &self.search),
            ("customer", &self.customer),
            ("document", &self.document),
            ("invoice", &self.invoice),
            ("state", &self.state),
            ("day", &self.day),
        ];
        for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            query.append_pair(name, text);
        }
        format!("{PATH}?{}", query.finish())
    }
}

async fn page(site: &Site, wish: Wish) -> Result<AttemptsPage, StoreError> {
    let store = &site.app.store;
    let filter = wish.filter();
    let mut attempts = match &filter {
        Ok(filter) => store.list(filter).await?,
        Err(_) => vec![],
    };
    let has_older = attempts.len() > usize::from(wish.rows);
    attempts.truncate(usize::from(wish.rows));
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
        is_narrowed: wish.is_narrowed(),
        unreadable: filter.err().unwrap_or_default(),
        sizes: PAGE_SIZES.map(|size| Choice::of(size.to_string(), size == wish.rows)).to_vec(),
        states: State::ALL
            .map(|state| Choice::of(state.code().to_owned(), state.code() == wish.state))
            .to_vec(),
        search: wish.search,
        customer: wish.customer,
        document: wish.document,
        invoice: wish.invoice,
        day: wish.day,
    })
}

fn line(attempt: &Attempt, reviews: &[(AttemptId, i64)]) -> AttemptLine {
    let open = reviews.iter().find(|(id, _)| *id == attempt.id).map_or(0, |(_, open)| *open);
    AttemptLine::of(attempt, super::attempt::address(attempt.id), open)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn wish(query: &str) -> Wish {
        Wish::read(&Fields::parse(query.as_bytes()).unwrap())
    }

    #[test]
    fn a_page_beyond_all_numbers_stays_within_them() {
        let beyond = Wish { page: u32::MAX, ..wish("") };
        assert_eq!(beyond.filter().unwrap().offset, u32::MAX);
    }

    #[rstest]
    #[case("page=2&review=1&q=a%26b%3D%22")]
    #[case("page=2&rows=100&customer=7&document=INV%2F1&invoice=abc&state=expired&day=2026-11-21")]
    fn what_was_searched_for_is_kept_from_page_to_page(#[case] query: &str) {
        assert_eq!(wish(query).address(2), format!("{PATH}?{query}"));
    }

    #[rstest]
    #[case("customer=seven", "customer")]
    #[case("state=lost", "state")]
    #[case("day=yesterday", "day")]
    #[case("invoice=a+b", "invoice")]
    fn what_nothing_can_match_is_named(#[case] query: &str, #[case] field: &str) {
        assert_eq!(wish(query).filter(), Err(field));
    }

    #[test]
    fn a_size_that_is_not_offered_is_the_usual_one() {
        for query in ["rows=0", "rows=51", "rows=-1", "rows=99999", "rows=many", ""] {
            assert_eq!(wish(query).rows, ROWS, "{query}");
        }
        assert_eq!(wish("rows=200").rows, 200);
    }
}

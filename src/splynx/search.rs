//! Proves that a row is in Splynx, or that it is not.
//!
//! **Invariant:** absence is only ever concluded from a filter that was seen to work or from a walk over all rows,
//! newest first, that never lost its place. Presence needs no such proof.

use chrono::NaiveDate;
use serde_json::Value;

use super::client::{Client, Request};
use super::operation::Operation;
use super::wire::{self, Row, Unreadable};
use crate::domain::ids::{CreditKey, CustomerId, SplynxId};
use crate::domain::posting::SearchOutcome;
use crate::ports::PeerError;

/// Rows asked for at once.
pub(super) const PAGE: usize = 100;

/// A walk longer than this is given up: a person is quicker.
const PAGES_MAX: usize = 500;

/// A list of rows in Splynx.
#[derive(Debug, Clone, Copy)]
pub(super) struct Collection {
    pub(super) operation: Operation,
    pub(super) path: &'static str,
}

/// Why a search did not come to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// Splynx did not answer as it should.
    Peer(PeerError),
    /// The rows do not prove anything. In words.
    Unproven(String),
}

impl From<PeerError> for Stop {
    fn from(error: PeerError) -> Self {
        Self::Peer(error)
    }
}

impl From<Unreadable> for Stop {
    fn from(error: Unreadable) -> Self {
        Self::Peer(error.into())
    }
}

/// Says what a search proved.
pub(super) fn outcome(result: Result<Vec<SplynxId>, Stop>) -> SearchOutcome {
    match result {
        Ok(ids) => SearchOutcome::Complete(ids),
        Err(Stop::Peer(error)) => SearchOutcome::Incomplete {
            unavailable: error.is_unavailable(),
            why: error.to_string(),
        },
        Err(Stop::Unproven(why)) => SearchOutcome::Incomplete { why, unavailable: false },
    }
}

/// Whether a text carries the key as a word of its own: `BP-x-1` is not in `BP-x-10`.
pub(super) fn carries(text: &str, key: &CreditKey) -> bool {
    let in_a_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.split(|c| !in_a_word(c)).any(|word| word == key.as_str())
}

/// Whether a row belongs to the customer.
pub(super) fn is_of(row: Row<'_>, customer: CustomerId) -> bool {
    row.integer("customer_id") == Ok(Some(customer.get()))
}

/// The ids of the rows that are hits.
pub(super) fn hits(
    rows: &[Row<'_>],
    is_hit: impl Fn(Row<'_>) -> bool,
) -> Result<Vec<SplynxId>, Unreadable> {
    rows.iter().filter(|row| is_hit(**row)).map(|row| row.id("id").map(SplynxId::new)).collect()
}

/// A condition on one field of the rows searched for (facts/splynx 1.5).
pub(super) fn main_attribute(field: &str) -> String {
    format!("main_attributes[{field}]")
}

impl Collection {
    /// A request for its rows, newest first.
    pub(super) fn newest(self, limit: usize) -> Request<'static> {
        Request::get(self.operation, self.path).query("order[id]", "DESC").query("limit", limit)
    }
}

impl Client {
    /// Walks over all rows of the customer, newest first, back to one that was made before `since`.
    pub(super) async fn walk(
        &self,
        collection: Collection,
        customer: CustomerId,
        since: NaiveDate,
        is_hit: impl Fn(Row<'_>) -> bool + Send,
    ) -> Result<Walk, Stop> {
        let mut walk = Walk::new(customer, since);
        for _ in 0..PAGES_MAX {
            let request = collection
                .newest(PAGE)
                .query(main_attribute("customer_id"), customer)
                .query("offset", walk.offset());
            let page = self.read(&request).await?;
            match walk.step(&page, &is_hit) {
                Ok(Progress::More) => {}
                Ok(Progress::Done) => return Ok(walk),
                // What was seen was seen: only absence would have needed the rest.
                Err(Stop::Unproven(_)) if !walk.hits.is_empty() => return Ok(walk),
                Err(stop) => return Err(stop),
            }
        }
        Err(Stop::Unproven(format!("there are more than {PAGES_MAX} pages to look through")))
    }
}

/// A walk over the rows of a list.
///
/// Each page begins with the last row of the page before. If it does not, rows came or went meanwhile, or Splynx
/// ignores the offset, and a row may have been missed.
#[derive(Debug)]
pub(super) struct Walk {
    customer: CustomerId,
    since: NaiveDate,
    /// The lowest id so far.
    last: Option<i64>,
    /// Rows seen.
    pub(super) seen: usize,
    /// Rows each page shares with the one before: none if Splynx gives one row at a time.
    overlap: usize,
    /// Rows that are hits.
    pub(super) hits: Vec<SplynxId>,
}

/// Whether to ask for another page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    More,
    Done,
}

impl Walk {
    fn new(customer: CustomerId, since: NaiveDate) -> Self {
        Self { customer, since, last: None, seen: 0, overlap: 0, hits: vec![] }
    }

    fn offset(&self) -> usize {
        self.seen.saturating_sub(self.overlap)
    }

    fn step(&mut self, page: &Value, is_hit: &impl Fn(Row<'_>) -> bool) -> Result<Progress, Stop> {
        let rows = wire::rows(page)?;
        let new = self.new_rows(&rows)?;
        if new.is_empty() {
            return Ok(Progress::Done);
        }
        for row in new {
            if self.take(*row, is_hit)? == Progress::Done {
                return Ok(Progress::Done);
            }
        }
        Ok(Progress::More)
    }

    /// The rows that the page before did not have.
    fn new_rows<'r, 'v>(&mut self, rows: &'r [Row<'v>]) -> Result<&'r [Row<'v>], Stop> {
        if self.last.is_none() {
            self.overlap = usize::from(rows.len() > 1);
            return Ok(rows);
        }
        if self.overlap == 0 {
            return Ok(rows);
        }
        match rows.split_first() {
            Some((first, rest)) if first.integer("id")? == self.last => Ok(rest),
            _ => Err(Stop::Unproven("the list changed while it was read".to_owned())),
        }
    }

    fn take(&mut self, row: Row<'_>, is_hit: &impl Fn(Row<'_>) -> bool) -> Result<Progress, Stop> {
        let id = row.id("id")?;
        if self.last.is_some_and(|last| id >= last) {
            return Err(Stop::Unproven("Splynx does not list the newest rows first".to_owned()));
        }
        self.last = Some(id);
        self.seen = self.seen.saturating_add(1);
        if !is_of(row, self.customer) {
            return Ok(Progress::More);
        }
        if is_hit(row) {
            self.hits.push(SplynxId::new(id));
        }
        // Not `date`: an admin may enter a payment of last month today, above ours.
        let made = row.date("real_create_datetime");
        Ok(if made.is_some_and(|day| day < self.since) { Progress::Done } else { Progress::More })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn key() -> CreditKey {
        CreditKey::parse("BP-BukWCRGV8Q1tW9jXfBSeS7-1").unwrap()
    }

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2018, 10, day).unwrap()
    }

    /// A row of customer 1, made on a day of October.
    fn row(id: i64, made: u32) -> Value {
        json!({
            "id": id, "customer_id": "1", "date": "2018-01-01",
            "real_create_datetime": format!("2018-10-{made:02} 12:00:00")
        })
    }

    fn walk(pages: &[Vec<Value>]) -> Result<Walk, Stop> {
        let mut walk = Walk::new(CustomerId::new(1), day(20));
        for page in pages {
            let hit = |row: Row<'_>| row.integer("id") == Ok(Some(50));
            if walk.step(&json!(page), &hit)? == Progress::Done {
                return Ok(walk);
            }
        }
        panic!("the walk wants another page after {} rows", walk.seen);
    }

    #[rstest]
    #[case("BP-BukWCRGV8Q1tW9jXfBSeS7-1", true)]
    #[case("BitPay BP-BukWCRGV8Q1tW9jXfBSeS7-1", true)]
    #[case("TEST (BP-BukWCRGV8Q1tW9jXfBSeS7-1), thanks", true)]
    #[case("BP-BukWCRGV8Q1tW9jXfBSeS7-10", false)]
    #[case("XBP-BukWCRGV8Q1tW9jXfBSeS7-1", false)]
    #[case("BP-bukwcrgv8q1tw9jxfbses7-1", false)]
    #[case("", false)]
    fn a_text_carries_only_the_whole_key(#[case] text: &str, #[case] carried: bool) {
        assert_eq!(carries(text, &key()), carried);
    }

    #[test]
    fn a_walk_ends_where_nothing_new_comes() {
        let walk = walk(&[vec![row(60, 25), row(50, 25)], vec![row(50, 25)]]).unwrap();
        assert_eq!((walk.seen, walk.hits), (2, vec![SplynxId::new(50)]));
    }

    #[test]
    fn a_walk_ends_at_a_row_made_before_the_posting() {
        let walk = walk(&[vec![row(60, 25), row(59, 19), row(58, 18)]]).unwrap();
        assert_eq!((walk.seen, walk.hits), (2, vec![]));
    }

    #[test]
    fn an_old_date_on_a_new_payment_does_not_end_a_walk() {
        let walk = walk(&[vec![row(60, 21), row(50, 20)], vec![row(50, 20)]]).unwrap();
        assert_eq!(walk.hits, vec![SplynxId::new(50)]);
    }

    #[test]
    fn rows_of_other_customers_are_passed_over_and_do_not_end_a_walk() {
        let mut other = row(60, 1);
        other["customer_id"] = json!(2);
        let mut same_key = row(50, 21);
        same_key["customer_id"] = json!(2);
        let walk = walk(&[vec![other, row(55, 21), same_key.clone()], vec![same_key]]).unwrap();
        assert_eq!((walk.seen, walk.hits), (3, vec![]));
    }

    #[test]
    fn rows_one_at_a_time_are_walked_to_the_end() {
        let walk = walk(&[vec![row(60, 25)], vec![row(50, 25)], vec![]]).unwrap();
        assert_eq!((walk.seen, walk.hits.len()), (2, 1));
    }

    #[rstest]
    #[case::ascending(&[vec![row(50, 25), row(60, 25)]])]
    #[case::repeated_id(&[vec![row(60, 25), row(60, 25)]])]
    #[case::row_went_between_pages(&[vec![row(60, 25), row(55, 25)], vec![row(54, 25)]])]
    #[case::row_came_between_pages(&[vec![row(60, 25), row(55, 25)], vec![row(60, 25), row(55, 25)]])]
    #[case::page_vanished(&[vec![row(60, 25), row(55, 25)], vec![]])]
    #[case::offset_ignored(&[vec![row(60, 25)], vec![row(60, 25)]])]
    fn a_walk_that_lost_its_place_proves_nothing(#[case] pages: &[Vec<Value>]) {
        assert!(matches!(walk(pages), Err(Stop::Unproven(_))));
    }

    #[rstest]
    #[case(json!({"payments": []}))]
    #[case(json!([{"customer_id": 1}]))]
    fn a_page_of_another_shape_proves_nothing(#[case] page: Value) {
        let mut walk = Walk::new(CustomerId::new(1), day(20));
        assert!(matches!(walk.step(&page, &|_| false), Err(Stop::Peer(_))));
    }
}

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
    /// Walks over rows, newest first, until `take` has enough or there are no more.
    ///
    /// `request` is [`Collection::newest`], perhaps with a filter; that Splynx heeds it is for `take` to judge.
    /// Returns how many rows were seen.
    pub(super) async fn walk(
        &self,
        request: &Request<'static>,
        mut take: impl FnMut(Row<'_>) -> Result<Progress, Stop> + Send,
    ) -> Result<usize, Stop> {
        let mut walk = Walk::default();
        for _ in 0..PAGES_MAX {
            let page = self.read(&request.clone().query("offset", walk.offset())).await?;
            if walk.step(&page, &mut take)? == Progress::Done {
                return Ok(walk.seen);
            }
        }
        Err(Stop::Unproven(format!("there are more than {PAGES_MAX} pages to look through")))
    }

    /// The customer's rows that are hits, back to a row that was made before `since`.
    ///
    /// `None`: there was no row at all, of no customer.
    pub(super) async fn walk_for(
        &self,
        collection: Collection,
        customer: CustomerId,
        since: NaiveDate,
        is_hit: impl Fn(Row<'_>) -> bool + Send + Sync,
    ) -> Result<Option<Vec<SplynxId>>, Stop> {
        let request = collection.newest(PAGE).query(main_attribute("customer_id"), customer);
        let mut hits = vec![];
        let seen = self
            .walk(&request, |row| {
                let own = is_of(row, customer);
                if own && is_hit(row) {
                    hits.push(SplynxId::new(row.id("id")?));
                }
                Ok(if own && is_older(row, since) { Progress::Done } else { Progress::More })
            })
            .await;
        match seen {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(hits)),
            // What was seen was seen: only absence would have needed the rest.
            Err(Stop::Unproven(_)) if !hits.is_empty() => Ok(Some(hits)),
            Err(stop) => Err(stop),
        }
    }
}

/// Whether a row, and so every row below it, was made before that day.
///
/// Its `date` alone does not say so: an admin may enter a payment of last month today, above ours. Nor does the moment
/// it was made, if Splynx's clock is wrong.
pub(super) fn is_older(row: Row<'_>, since: NaiveDate) -> bool {
    ["real_create_datetime", "date"]
        .into_iter()
        .all(|field| row.date(field).is_some_and(|day| day < since))
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// There may be more.
    More,
    /// What was seen is enough.
    Done,
}

/// A place in a list of rows.
///
/// Each page begins with the last row of the page before. If it does not, rows came or went meanwhile, or Splynx
/// ignores the offset, and a row may have been missed.
#[derive(Debug, Default)]
struct Walk {
    /// The lowest id so far.
    last: Option<i64>,
    /// Rows seen.
    seen: usize,
    /// Rows each page shares with the one before: none if Splynx gives one row at a time.
    overlap: usize,
}

impl Walk {
    fn offset(&self) -> usize {
        self.seen.saturating_sub(self.overlap)
    }

    fn step(
        &mut self,
        page: &Value,
        take: &mut impl FnMut(Row<'_>) -> Result<Progress, Stop>,
    ) -> Result<Progress, Stop> {
        let rows = wire::rows(page)?;
        let new = self.new_rows(&rows)?;
        if new.is_empty() {
            return Ok(Progress::Done);
        }
        for row in new {
            self.advance(row.id("id")?)?;
            if take(*row)? == Progress::Done {
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

    fn advance(&mut self, id: i64) -> Result<(), Stop> {
        if self.last.is_some_and(|last| id >= last) {
            return Err(Stop::Unproven("Splynx does not list the newest rows first".to_owned()));
        }
        self.last = Some(id);
        self.seen = self.seen.saturating_add(1);
        Ok(())
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

    /// Pages are written as `60 50 | 50 40`.
    fn ids(pages: &str) -> Result<Vec<i64>, Stop> {
        let mut walk = Walk::default();
        let mut ids = vec![];
        for page in pages.split('|') {
            let rows: Vec<_> = page.split_whitespace().map(|id| json!({ "id": id })).collect();
            let mut take = |row: Row<'_>| {
                ids.push(row.id("id")?);
                Ok(if ids.last() == Some(&1) { Progress::Done } else { Progress::More })
            };
            if walk.step(&json!(rows), &mut take)? == Progress::Done {
                return Ok(ids);
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

    #[rstest]
    #[case::nothing_new("60 50 | 50", &[60, 50])]
    #[case::three_pages("60 50 | 50 40 | 40 30 | 30", &[60, 50, 40, 30])]
    #[case::enough("60 1 0", &[60, 1])]
    #[case::one_at_a_time("60 | 50 |", &[60, 50])]
    #[case::none("", &[])]
    fn a_walk_takes_every_row_once(#[case] pages: &str, #[case] taken: &[i64]) {
        assert_eq!(ids(pages).unwrap(), taken);
    }

    #[rstest]
    #[case::ascending("50 60")]
    #[case::repeated_id("60 60")]
    #[case::row_went_between_pages("60 55 | 54")]
    #[case::row_came_between_pages("60 55 | 60 55")]
    #[case::page_vanished("60 55 |")]
    #[case::offset_ignored("60 | 60")]
    fn a_walk_that_lost_its_place_proves_nothing(#[case] pages: &str) {
        assert!(matches!(ids(pages), Err(Stop::Unproven(_))));
    }

    #[rstest]
    #[case(json!({"payments": []}))]
    #[case(json!([{"customer_id": 1}]))]
    fn a_page_of_another_shape_proves_nothing(#[case] page: Value) {
        let step = Walk::default().step(&page, &mut |_| Ok(Progress::More));
        assert!(matches!(step, Err(Stop::Peer(_))));
    }

    #[rstest]
    #[case::both("2018-10-19 23:59:59", "2018-10-19", true)]
    #[case::entered_later("2018-10-20 00:00:00", "2018-01-01", false)]
    #[case::wrong_clock("1970-01-01 00:00:00", "2018-10-20", false)]
    #[case::unknown("", "2018-10-19", false)]
    fn a_row_is_older_only_if_all_says_so(
        #[case] made: &str,
        #[case] date: &str,
        #[case] older: bool,
    ) {
        let row = json!({ "real_create_datetime": made, "date": date });
        let since = NaiveDate::from_ymd_opt(2018, 10, 20).unwrap();
        assert_eq!(is_older(Row::of(&row).unwrap(), since), older);
    }
}

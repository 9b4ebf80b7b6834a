//! Proves that a row is in Splynx, or that it is not.
//!
//! **Invariant:** absence is only ever concluded from a filter that was seen to work or from a walk over all rows,
//! newest first, that never lost its place. Presence needs no such proof.

use chrono::NaiveDate;
use serde_json::Value;

use super::client::{Client, Request};
use super::operation::Operation;
use super::outcome::unreadable;
use super::wire::{self, Row, Unreadable};
use crate::domain::ids::{CreditKey, CustomerId, SplynxId};
use crate::domain::posting::SearchOutcome;
use crate::ports::PeerError;

/// Rows asked for at once.
pub(super) const PAGE: usize = 100;

/// A walk longer than this is given up: a person is quicker.
const PAGES_MAX: usize = 500;

/// How often a walk is tried that loses its place.
const TRIES: u32 = 3;

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

/// What a walk over rows found.
#[derive(Debug)]
pub(super) struct Walked<T> {
    /// Rows seen, picked or not.
    pub(super) seen: usize,
    /// What was picked.
    pub(super) found: Vec<T>,
    /// In words, why rows may have been missed; `None`: none was.
    pub(super) gap: Option<String>,
}

impl Client {
    /// Walks over rows, newest first, to one that `is_end` or to the last.
    ///
    /// `request` is [`Collection::newest`], perhaps with a filter; that Splynx heeds it is for `pick` to judge. A walk
    /// that loses its place is begun anew: somebody paid meanwhile, and that is no reason to call a person.
    pub(super) async fn walk<T: Send>(
        &self,
        request: &Request<'static>,
        pick: impl Fn(Row<'_>) -> Result<Option<T>, Unreadable> + Send + Sync,
        is_end: impl Fn(Row<'_>) -> bool + Send + Sync,
    ) -> Result<Walked<T>, PeerError> {
        for _ in 1..TRIES {
            let walked = self.walk_once(request, &pick, &is_end).await?;
            if walked.gap.is_none() {
                return Ok(walked);
            }
        }
        self.walk_once(request, &pick, &is_end).await
    }

    async fn walk_once<T: Send>(
        &self,
        request: &Request<'static>,
        pick: &(impl Fn(Row<'_>) -> Result<Option<T>, Unreadable> + Send + Sync),
        is_end: &(impl Fn(Row<'_>) -> bool + Send + Sync),
    ) -> Result<Walked<T>, PeerError> {
        let mut walk = Walk::new(PAGE);
        let mut found = vec![];
        for _ in 0..PAGES_MAX {
            let page = self.read(&request.clone().query("offset", walk.offset())).await?;
            let step = walk.step(&page, &mut |row| {
                found.extend(pick(row)?);
                Ok(if is_end(row) { Progress::Done } else { Progress::More })
            });
            let gap = match step {
                Ok(Progress::More) => continue,
                Ok(Progress::Done) => None,
                Err(Stop::Unproven(why)) => Some(why),
                Err(Stop::Peer(error)) => return Err(error),
            };
            return Ok(Walked { seen: walk.seen, found, gap });
        }
        Err(unreadable(format!("there are more than {PAGES_MAX} pages to look through")))
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
        let pick = |row: Row<'_>| {
            let hit = is_of(row, customer) && is_hit(row);
            hit.then(|| row.id("id").map(SplynxId::new)).transpose()
        };
        let is_end = |row: Row<'_>| is_of(row, customer) && is_older(row, since);
        let Walked { seen, found, gap } = self.walk(&request, pick, is_end).await?;
        match gap {
            // What was seen was seen: only absence would have needed the rest.
            Some(why) if found.is_empty() => Err(Stop::Unproven(why)),
            _ => Ok((seen > 0).then_some(found)),
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
enum Progress {
    /// There may be more.
    More,
    /// What was seen is enough.
    Done,
}

/// A place in a list of rows.
///
/// Each page begins with the last row of the page before. If it does not, rows came or went meanwhile, or Splynx
/// ignores the offset, and a row may have been missed. A list that fits into one answer needs neither order nor offset.
#[derive(Debug)]
struct Walk {
    /// Rows asked for at once.
    limit: usize,
    /// The rows of the first page.
    first_page: Option<Vec<i64>>,
    /// The last row so far.
    last: Option<i64>,
    /// Whether every row so far was older than the one before.
    descends: bool,
    /// Rows seen.
    seen: usize,
    /// Rows each page shares with the one before: none if Splynx gives one row at a time.
    overlap: usize,
}

impl Walk {
    fn new(limit: usize) -> Self {
        Self { limit, first_page: None, last: None, descends: true, seen: 0, overlap: 0 }
    }

    fn offset(&self) -> usize {
        self.seen.saturating_sub(self.overlap)
    }

    fn step(
        &mut self,
        page: &Value,
        take: &mut impl FnMut(Row<'_>) -> Result<Progress, Stop>,
    ) -> Result<Progress, Stop> {
        let rows = wire::rows(page)?;
        let ids: Vec<_> = rows.iter().map(|row| row.id("id")).collect::<Result<_, _>>()?;
        let new = self.new_rows(&rows, &ids)?;
        if new.is_empty() {
            return Ok(Progress::Done);
        }
        let mut progress = Progress::More;
        for row in new {
            if take(*row)? == Progress::Done {
                progress = Progress::Done;
            }
            self.advance(row.id("id")?);
        }
        // One row alone descends and ascends.
        let enough = progress == Progress::Done && self.descends && self.seen > 1;
        let whole_in_one = self.first_page.is_none() && rows.len() != self.limit;
        self.first_page.get_or_insert(ids);
        match (enough, self.descends || whole_in_one) {
            (true, _) => Ok(Progress::Done),
            (false, true) => Ok(Progress::More),
            (false, false) => Err(unproven("Splynx does not list the newest rows first")),
        }
    }

    /// The rows that the pages before did not have.
    fn new_rows<'r, 'v>(
        &mut self,
        rows: &'r [Row<'v>],
        ids: &[i64],
    ) -> Result<&'r [Row<'v>], Stop> {
        let Some(first_page) = &self.first_page else {
            self.overlap = usize::from(rows.len() > 1);
            return Ok(rows);
        };
        // The same rows at another offset, and not as many as asked for: Splynx shows all it has, whatever is asked.
        if first_page == ids && ids.len() != self.limit && self.seen == ids.len() {
            return Ok(&[]);
        }
        if self.overlap == 0 {
            return Ok(rows);
        }
        match rows.split_first() {
            Some((first, rest)) if first.integer("id")? == self.last => Ok(rest),
            _ => Err(unproven("the list changed while it was read")),
        }
    }

    fn advance(&mut self, id: i64) {
        self.descends &= self.last.is_none_or(|last| id < last);
        self.last = Some(id);
        self.seen = self.seen.saturating_add(1);
    }
}

fn unproven(why: &str) -> Stop {
    Stop::Unproven(why.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn key() -> CreditKey {
        CreditKey::parse("BP-BukWCRGV8Q1tW9jXfBSeS7-1").unwrap()
    }

    /// Pages are written as `60 50 | 50 40`; three rows were asked for, and row 10 is old enough to end the walk.
    fn ids(pages: &str) -> Result<Vec<i64>, Stop> {
        let mut walk = Walk::new(3);
        let mut ids = vec![];
        for page in pages.split('|') {
            let rows: Vec<_> = page.split_whitespace().map(|id| json!({ "id": id })).collect();
            let mut take = |row: Row<'_>| {
                ids.push(row.id("id")?);
                Ok(if ids.last() == Some(&10) { Progress::Done } else { Progress::More })
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
    #[case::full_pages("60 50 40 | 40 30 20 | 20", &[60, 50, 40, 30, 20])]
    #[case::short_pages("60 50 | 50 40 | 40 30 | 30", &[60, 50, 40, 30])]
    #[case::old_enough("60 50 10", &[60, 50, 10])]
    #[case::one_at_a_time("60 | 50 |", &[60, 50])]
    #[case::one_old_row("10 |", &[10])]
    #[case::none("", &[])]
    #[case::all_in_one_answer("50 60 | 50 60", &[50, 60])]
    #[case::all_in_one_long_answer("10 50 60 70 | 10 50 60 70", &[10, 50, 60, 70])]
    #[case::one_row_whatever_the_offset("60 | 60", &[60])]
    #[case::short_in_another_order("50 60 | 60", &[50, 60])]
    fn a_walk_takes_every_row_once(#[case] pages: &str, #[case] taken: &[i64]) {
        assert_eq!(ids(pages).unwrap(), taken);
    }

    #[rstest]
    #[case::ascending("50 60 70")]
    #[case::ascending_from_an_old_row("10 60 70")]
    #[case::repeated_id("60 60 60")]
    #[case::more_in_another_order("50 60 | 60 70")]
    #[case::row_went_between_pages("60 55 | 54")]
    #[case::row_came_between_pages("60 55 50 | 55 50")]
    #[case::page_vanished("60 55 |")]
    #[case::offset_ignored("60 55 50 | 60 55 50")]
    #[case::one_row_then_a_newer_one("10 | 60")]
    fn a_walk_that_lost_its_place_proves_nothing(#[case] pages: &str) {
        assert!(matches!(ids(pages), Err(Stop::Unproven(_))), "{:?}", ids(pages));
    }

    #[rstest]
    #[case(json!({"payments": []}))]
    #[case(json!([{"customer_id": 1}]))]
    fn a_page_of_another_shape_proves_nothing(#[case] page: Value) {
        let step = Walk::new(3).step(&page, &mut |_| Ok(Progress::More));
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

//! The table `postings`.
//!
//! **Invariant:** what belongs to one state is stored in that state only, and one credit has one living posting of a
//! kind; both are rules of the schema as well.

use diesel::prelude::*;

use super::cell::{Row, millis};
use super::connection::AnyConnection;
use super::failure::Failure;
use super::schema::postings;
use crate::domain::ids::{AttemptId, CreditKey, PostingId, SplynxId};
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::ports::store::StoreError;

const READY: &str = "ready";
const POSTING: &str = "posting";
const UNKNOWN: &str = "unknown";
const POSTED: &str = "posted";
pub(super) const DUPLICATE: &str = "duplicate";
const DROPPED: &str = "dropped";

/// The states in which something is still to be done.
pub(super) const OPEN: [&str; 3] = [READY, POSTING, UNKNOWN];

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = postings)]
pub(super) struct PostingRow {
    id: String,
    attempt: String,
    credit: Option<String>,
    kind: String,
    #[diesel(embed)]
    progress: Progress,
}

/// The part of a row that changes in its life.
#[derive(Debug, Clone, Default, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = postings, treat_none_as_null = true)]
pub(super) struct Progress {
    state: String,
    not_before: Option<i64>,
    begun_at: Option<i64>,
    first_absent: Option<i64>,
    search_at: Option<i64>,
    splynx_id: Option<i64>,
    splynx_ids: Option<String>,
    body: String,
    tries: i64,
    first_begun_at: Option<i64>,
    last_error: Option<String>,
}

impl Progress {
    fn of(posting: &Posting) -> Self {
        Self {
            body: posting.body.clone(),
            tries: i64::from(posting.tries),
            first_begun_at: posting.first_begun_at.map(millis),
            last_error: posting.last_error.clone(),
            ..Self::of_state(&posting.state)
        }
    }

    fn of_state(state: &PostingState) -> Self {
        let none = Self::default();
        match state {
            PostingState::Ready { not_before } => {
                Self { state: READY.to_owned(), not_before: Some(millis(*not_before)), ..none }
            }
            PostingState::Posting { begun_at } => {
                Self { state: POSTING.to_owned(), begun_at: Some(millis(*begun_at)), ..none }
            }
            PostingState::Unknown { begun_at, first_absent, search_at } => Self {
                state: UNKNOWN.to_owned(),
                begun_at: Some(millis(*begun_at)),
                first_absent: first_absent.map(millis),
                search_at: Some(millis(*search_at)),
                ..none
            },
            PostingState::Posted { splynx_id } => {
                Self { state: POSTED.to_owned(), splynx_id: splynx_id.map(SplynxId::get), ..none }
            }
            PostingState::Duplicate { splynx_ids } => Self {
                state: DUPLICATE.to_owned(),
                splynx_ids: Some(write_ids(splynx_ids)),
                ..none
            },
            PostingState::Dropped => Self { state: DROPPED.to_owned(), ..none },
        }
    }

    fn state(&self, row: Row<'_>) -> Result<PostingState, StoreError> {
        let time = |column, millis| row.time(column, row.read(column, millis)?);
        Ok(match self.state.as_str() {
            READY => PostingState::Ready { not_before: time("not_before", self.not_before)? },
            POSTING => PostingState::Posting { begun_at: time("begun_at", self.begun_at)? },
            UNKNOWN => PostingState::Unknown {
                begun_at: time("begun_at", self.begun_at)?,
                first_absent: row.optional_time("first_absent", self.first_absent)?,
                search_at: time("search_at", self.search_at)?,
            },
            POSTED => PostingState::Posted { splynx_id: self.splynx_id.map(SplynxId::new) },
            DUPLICATE => {
                let ids = self.splynx_ids.as_deref().and_then(read_ids);
                PostingState::Duplicate { splynx_ids: row.read("splynx_ids", ids)? }
            }
            DROPPED => PostingState::Dropped,
            _ => return Err(row.inconsistent("state")),
        })
    }
}

impl PostingRow {
    fn of(posting: &Posting) -> Self {
        Self {
            id: posting.id.to_string(),
            attempt: posting.attempt.to_string(),
            credit: posting.credit.as_ref().map(ToString::to_string),
            kind: posting.kind.code().to_owned(),
            progress: Progress::of(posting),
        }
    }

    fn into_posting(self) -> Result<Posting, StoreError> {
        let row = Row { table: "postings", key: &self.id };
        let credit = self.credit.as_deref().map(CreditKey::parse).transpose();
        let first_begun_at = self.progress.first_begun_at;
        Ok(Posting {
            id: row.read("id", PostingId::parse(&self.id))?,
            attempt: row.read("attempt", AttemptId::parse(&self.attempt))?,
            credit: row.read("credit", credit)?,
            kind: row.read("kind", PostingKind::from_code(&self.kind))?,
            state: self.progress.state(row)?,
            tries: row.count("tries", self.progress.tries)?,
            first_begun_at: row.optional_time("first_begun_at", first_begun_at)?,
            body: self.progress.body.clone(),
            last_error: self.progress.last_error.clone(),
        })
    }
}

fn write_ids(ids: &[SplynxId]) -> String {
    let numbers: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    serde_json::Value::from(numbers).to_string()
}

fn read_ids(text: &str) -> Option<Vec<SplynxId>> {
    let numbers: Vec<i64> = serde_json::from_str(text).ok()?;
    Some(numbers.into_iter().map(SplynxId::new).collect())
}

/// Writes a posting: a new row behind the others of its attempt, or the progress of the one that has its id.
pub(super) fn put(conn: &mut AnyConnection, posting: &Posting) -> Result<(), Failure> {
    let row = PostingRow::of(posting);
    let known = postings::table
        .filter(postings::id.eq(row.id.clone()))
        .filter(postings::attempt.eq(row.attempt.clone()));
    if diesel::update(known).set(row.progress.clone()).execute(conn)? == 1 {
        return Ok(());
    }
    let last: Option<i64> = postings::table
        .filter(postings::attempt.eq(row.attempt.clone()))
        .select(diesel::dsl::max(postings::place))
        .first(conn)?;
    let place = last.unwrap_or_default().saturating_add(1);
    diesel::insert_into(postings::table).values((row, postings::place.eq(place))).execute(conn)?;
    Ok(())
}

/// Ends the waiting of an attempt's postings: the next try or search is due now. Changes no state.
pub(super) fn hurry(conn: &mut AnyConnection, attempt: &str, now: i64) -> Result<(), Failure> {
    let own = || postings::table.filter(postings::attempt.eq(attempt.to_owned()));
    diesel::update(own().filter(postings::not_before.gt(now)))
        .set(postings::not_before.eq(now))
        .execute(conn)?;
    diesel::update(own().filter(postings::search_at.gt(now)))
        .set(postings::search_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// The postings of these attempts, by attempt and in the order they were made.
pub(super) fn of_attempts(
    conn: &mut AnyConnection,
    ids: &[String],
) -> Result<Vec<Posting>, Failure> {
    let rows: Vec<PostingRow> = postings::table
        .filter(postings::attempt.eq_any(ids.to_vec()))
        .order((postings::attempt, postings::place))
        .select(PostingRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(PostingRow::into_posting).collect::<Result<_, _>>()?)
}

/// How many postings have an unknown outcome.
pub(super) fn count_unknown(conn: &mut AnyConnection) -> Result<i64, Failure> {
    Ok(postings::table.filter(postings::state.eq(UNKNOWN)).count().get_result(conn)?)
}

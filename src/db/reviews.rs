//! The table `reviews`.
//!
//! **Invariant:** one attempt has one open review of a reason.

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::cell::{Row, millis};
use super::connection::AnyConnection;
use super::failure::Failure;
use super::schema::reviews;
use crate::domain::ids::{AttemptId, ReviewId};
use crate::domain::review::{Review, ReviewClosed, ReviewReason};
use crate::ports::store::StoreError;

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = reviews)]
struct ReviewRow {
    id: String,
    attempt: String,
    reason: String,
    words: String,
    opened_at: i64,
    closed_at: Option<i64>,
    closed_by: Option<String>,
    closed_note: Option<String>,
}

impl ReviewRow {
    fn of(review: &Review) -> Self {
        let closed = review.closed.as_ref();
        Self {
            id: review.id.to_string(),
            attempt: review.attempt.to_string(),
            reason: review.reason.code().to_owned(),
            words: review.words.clone(),
            opened_at: millis(review.opened_at),
            closed_at: closed.map(|closed| millis(closed.at)),
            closed_by: closed.map(|closed| closed.by.clone()),
            closed_note: closed.map(|closed| closed.note.clone()),
        }
    }

    fn into_review(self) -> Result<Review, StoreError> {
        let row = Row { table: "reviews", key: &self.id };
        let closed = match self.closed_at {
            None => None,
            Some(at) => Some(ReviewClosed {
                at: row.time("closed_at", at)?,
                by: row.read("closed_by", self.closed_by.clone())?,
                note: row.read("closed_note", self.closed_note.clone())?,
            }),
        };
        Ok(Review {
            id: row.read("id", ReviewId::parse(&self.id))?,
            attempt: row.read("attempt", AttemptId::parse(&self.attempt))?,
            reason: row.read("reason", ReviewReason::from_code(&self.reason))?,
            opened_at: row.time("opened_at", self.opened_at)?,
            words: self.words.clone(),
            closed,
        })
    }
}

/// Opens a review, unless one of its reason is open at its attempt, or a person has just closed one that said the same.
/// Returns whether it did.
pub(super) fn open(conn: &mut AnyConnection, review: &Review) -> Result<bool, Failure> {
    let row = ReviewRow::of(review);
    let last: Option<ReviewRow> = reviews::table
        .filter(reviews::attempt.eq(row.attempt.clone()))
        .filter(reviews::reason.eq(row.reason.clone()))
        // The open one first: a later one cannot have been closed before it.
        .order((reviews::closed_at.is_null().desc(), reviews::closed_at.desc()))
        .select(ReviewRow::as_select())
        .first(conn)
        .optional()?;
    let last = last.map(ReviewRow::into_review).transpose()?;
    let is_news = last.is_none_or(|last| review.is_news_after(&last));
    if is_news {
        diesel::insert_into(reviews::table).values(row).execute(conn)?;
    }
    Ok(is_news)
}

/// Closes a review that is open, and returns it as it was.
pub(super) fn close(
    conn: &mut AnyConnection,
    id: ReviewId,
    closed: &ReviewClosed,
) -> Result<Option<Review>, Failure> {
    let open = || {
        reviews::table.filter(reviews::id.eq(id.to_string())).filter(reviews::closed_at.is_null())
    };
    let found: Option<ReviewRow> = open().select(ReviewRow::as_select()).first(conn).optional()?;
    let changed = diesel::update(open())
        .set((
            reviews::closed_at.eq(millis(closed.at)),
            reviews::closed_by.eq(closed.by.clone()),
            reviews::closed_note.eq(closed.note.clone()),
        ))
        .execute(conn)?;
    Ok(found.filter(|_| changed == 1).map(ReviewRow::into_review).transpose()?)
}

/// The reviews of one attempt, newest first.
pub(super) fn of_attempt(conn: &mut AnyConnection, id: AttemptId) -> Result<Vec<Review>, Failure> {
    let rows: Vec<ReviewRow> = reviews::table
        .filter(reviews::attempt.eq(id.to_string()))
        .order((reviews::opened_at.desc(), reviews::id.desc()))
        .select(ReviewRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(ReviewRow::into_review).collect::<Result<_, _>>()?)
}

/// How many reviews are open at each of these attempts; those without one are left out.
pub(super) fn count_open(
    conn: &mut AnyConnection,
    attempts: &[AttemptId],
) -> Result<Vec<(AttemptId, i64)>, Failure> {
    let ids: Vec<String> = attempts.iter().map(ToString::to_string).collect();
    let counted: Vec<(String, i64)> = reviews::table
        .filter(reviews::attempt.eq_any(ids))
        .filter(reviews::closed_at.is_null())
        .group_by(reviews::attempt)
        .select((reviews::attempt, count_star()))
        .load(conn)?;
    let mut counts = Vec::with_capacity(counted.len());
    for (id, count) in counted {
        let row = Row { table: "reviews", key: &id };
        counts.push((row.read("attempt", AttemptId::parse(&id))?, count));
    }
    Ok(counts)
}

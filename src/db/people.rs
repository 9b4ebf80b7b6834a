//! What people want to see: lists of attempts, and figures.
//!
//! **Invariant:** nothing here writes.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use diesel::dsl::{count_star, exists, min};
use diesel::prelude::*;

use super::attempts::AttemptRow;
use super::cell::{Row, millis};
use super::connection::AnyConnection;
use super::failure::Failure;
use super::postings;
use super::schema::{attempts, credits, postings as postings_table, reviews};
use crate::domain::attempt::{Attempt, State};
use crate::domain::credit::Target;
use crate::domain::ids::AttemptId;
use crate::domain::posting::PostingKind;
use crate::domain::review::ReviewReason;
use crate::ports::store::{AttemptFilter, Figures, StoreError};

/// The postings without which a credit is not wholly in Splynx.
pub(super) const MONEY: [PostingKind; 4] = [
    PostingKind::FeeItem,
    PostingKind::DocumentPayment,
    PostingKind::BalancePayment,
    PostingKind::FeeDebit,
];

/// Attempts made at or after `since` that have a processor invoice, oldest first.
pub(super) fn opened_since(
    conn: &mut AnyConnection,
    since: DateTime<Utc>,
    limit: u32,
    offset: u32,
) -> Result<Vec<Attempt>, Failure> {
    let rows: Vec<AttemptRow> = attempts::table
        .filter(attempts::created_at.ge(millis(since)))
        .filter(attempts::invoice.is_not_null())
        .order((attempts::created_at, attempts::id))
        .limit(i64::from(limit))
        .offset(i64::from(offset))
        .select(AttemptRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(AttemptRow::into_attempt).collect::<Result<_, _>>()?)
}

/// Attempts that pass the filter, newest first.
pub(super) fn list(
    conn: &mut AnyConnection,
    filter: &AttemptFilter,
) -> Result<Vec<Attempt>, Failure> {
    let mut query = attempts::table.into_boxed();
    if let Some(customer) = filter.customer {
        query = query.filter(attempts::customer.eq(customer.get()));
    }
    if let Some(state) = filter.state {
        query = query.filter(attempts::state.eq(state.code()));
    }
    if let Some(number) = &filter.document {
        query = query.filter(attempts::document_number.eq(number.clone()));
    }
    if let Some(invoice) = &filter.invoice {
        query = query.filter(attempts::invoice.eq(invoice.to_string()));
    }
    if let Some(text) = &filter.about {
        let own_id = AttemptId::parse(text).map_or_else(|_| text.clone(), |id| id.to_string());
        let by_name = attempts::id
            .eq(own_id)
            .or(attempts::document_number.eq(text.clone()))
            .or(attempts::invoice.eq(text.clone()));
        query = match text.parse::<i64>() {
            Ok(customer) => query.filter(by_name.or(attempts::customer.eq(customer))),
            Err(_) => query.filter(by_name),
        };
    }
    if let Some(day) = filter.day {
        let (first, next) = bounds(day);
        query = query.filter(attempts::created_at.ge(first));
        query = query.filter(attempts::created_at.lt(next));
    }
    if filter.under_review {
        let open = reviews::table
            .filter(reviews::attempt.eq(attempts::id))
            .filter(reviews::closed_at.is_null());
        query = query.filter(exists(open));
    }
    let rows: Vec<AttemptRow> = query
        .order((attempts::created_at.desc(), attempts::id.desc()))
        .limit(i64::from(filter.limit))
        .offset(i64::from(filter.offset))
        .select(AttemptRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(AttemptRow::into_attempt).collect::<Result<_, _>>()?)
}

/// The first millisecond of a day (UTC), and of the one after it.
fn bounds(day: NaiveDate) -> (i64, i64) {
    let first = millis(day.and_time(NaiveTime::MIN).and_utc());
    (first, first.saturating_add(TimeDelta::days(1).num_milliseconds()))
}

/// The figures of `/metrics` and `doctor`. Every state and reason is there, if only with zero.
pub(super) fn figures(conn: &mut AnyConnection) -> Result<Figures, Failure> {
    Ok(Figures {
        attempts: attempts_by_state(conn)?,
        reviews: reviews_by_reason(conn)?,
        oldest_open_credit: oldest_open_credit(conn)?
            .map(|millis| {
                Row { table: "credits", key: "the oldest open one" }.time("made_at", millis)
            })
            .transpose()?,
        unknown_postings: postings::count_unknown(conn)?,
    })
}

fn attempts_by_state(conn: &mut AnyConnection) -> Result<Vec<(State, i64)>, Failure> {
    let counted: Vec<(String, i64)> = attempts::table
        .group_by(attempts::state)
        .select((attempts::state, count_star()))
        .load(conn)?;
    refuse_strangers(&counted, "attempts", "state", |code| State::from_code(code).is_some())?;
    Ok(State::ALL.map(|state| (state, count_of(&counted, state.code()))).to_vec())
}

fn reviews_by_reason(conn: &mut AnyConnection) -> Result<Vec<(ReviewReason, i64)>, Failure> {
    let counted: Vec<(String, i64)> = reviews::table
        .filter(reviews::closed_at.is_null())
        .group_by(reviews::reason)
        .select((reviews::reason, count_star()))
        .load(conn)?;
    refuse_strangers(&counted, "reviews", "reason", |code| {
        ReviewReason::from_code(code).is_some()
    })?;
    Ok(ReviewReason::ALL.map(|reason| (reason, count_of(&counted, reason.code()))).to_vec())
}

/// A code this version does not know must not vanish from the sums.
fn refuse_strangers(
    counted: &[(String, i64)],
    table: &'static str,
    column: &'static str,
    is_known: impl Fn(&str) -> bool,
) -> Result<(), StoreError> {
    match counted.iter().find(|(code, _)| !is_known(code)) {
        None => Ok(()),
        Some((code, _)) => Err(Row { table, key: code }.inconsistent(column)),
    }
}

fn count_of(counted: &[(String, i64)], code: &str) -> i64 {
    counted.iter().find(|(found, _)| found == code).map_or(0, |(_, count)| *count)
}

/// When the oldest credit was made that waits for its target or for one of its postings.
fn oldest_open_credit(conn: &mut AnyConnection) -> Result<Option<i64>, Failure> {
    let undecided: Option<i64> = credits::table
        .filter(credits::target.eq(Target::Undecided.code()))
        .select(min(credits::made_at))
        .first(conn)?;
    let unposted: Option<i64> = postings_table::table
        .inner_join(credits::table)
        .filter(postings_table::state.eq_any(postings::OPEN))
        .filter(postings_table::kind.eq_any(MONEY.map(PostingKind::code)))
        .select(min(credits::made_at))
        .first(conn)?;
    Ok(undecided.into_iter().chain(unposted).min())
}

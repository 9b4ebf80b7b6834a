//! What stands by our own books: open reviews, duplicates without one, credits that take too long.
//!
//! **Invariant:** a topic ends by itself when what it stood for is over; whoever gathers twice finds nothing new.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::super::cell::{Row, millis};
use super::super::connection::AnyConnection;
use super::super::failure::Failure;
use super::super::people::MONEY;
use super::super::postings::{DUPLICATE, OPEN};
use super::super::schema::{alerts, credits, postings, reviews};
use super::{forget, raise};
use crate::domain::alert::{AlertKind, LATE, Topic};
use crate::domain::credit::Target;
use crate::domain::ids::AttemptId;
use crate::domain::money::{Currency, Money};
use crate::domain::posting::PostingKind;
use crate::domain::review::ReviewReason;
use crate::ports::store::StoreError;

/// Topics taken up in one transaction, of each kind: payments wait behind it.
const PAGE: i64 = 100;

/// A row that stands: its name, its attempt, since when.
type Found = (String, String, i64);

/// Whether there is anything to take up or to end.
pub(super) fn is_needed(conn: &mut AnyConnection, now: DateTime<Utc>) -> Result<bool, Failure> {
    Ok(!reviews(conn, 1)?.is_empty()
        || !duplicates(conn, 1)?.is_empty()
        || !late_credits(conn, now, 1)?.is_empty()
        || any_is_over(conn)?)
}

/// Takes up what is new and ends what is over.
pub(super) fn gather(conn: &mut AnyConnection, now: DateTime<Utc>) -> Result<bool, Failure> {
    end_what_is_over(conn, now)?;
    let mut found = reviews(conn, PAGE)?;
    let mut is_full = is_full(&found);
    for more in [duplicates(conn, PAGE)?, late_credits(conn, now, PAGE)?] {
        is_full |= self::is_full(&more);
        found.extend(more);
    }
    for topic in &found {
        raise(conn, topic)?;
    }
    Ok(is_full)
}

fn is_full(page: &[Topic]) -> bool {
    i64::try_from(page.len()).is_ok_and(|count| count >= PAGE)
}

/// Open reviews nobody has taken up.
fn reviews(conn: &mut AnyConnection, limit: i64) -> Result<Vec<Topic>, Failure> {
    let known = alerts::table
        .filter(alerts::kind.eq(AlertKind::Review.code()))
        .filter(alerts::subject.eq(reviews::id))
        .filter(alerts::closed_at.is_null());
    let rows: Vec<(Found, (String, String))> = reviews::table
        .filter(reviews::closed_at.is_null())
        .filter(not(exists(known)))
        .order((reviews::opened_at, reviews::id))
        .limit(limit)
        .select((
            (reviews::id, reviews::attempt, reviews::opened_at),
            (reviews::reason, reviews::words),
        ))
        .load(conn)?;
    let topic = |(found, (reason, words)): (Found, (String, String))| {
        topic(AlertKind::Review, found, reason, words)
    };
    Ok(rows.into_iter().map(topic).collect::<Result<_, _>>()?)
}

/// Postings that Splynx has twice, and no review ever told of it.
fn duplicates(conn: &mut AnyConnection, limit: i64) -> Result<Vec<Topic>, Failure> {
    let known = alerts::table
        .filter(alerts::kind.eq(AlertKind::Duplicate.code()))
        .filter(alerts::subject.eq(postings::id))
        .filter(alerts::closed_at.is_null());
    let reviewed = reviews::table
        .filter(reviews::attempt.eq(postings::attempt))
        .filter(reviews::reason.eq(ReviewReason::Duplicate.code()));
    let rows: Vec<(Found, Option<String>)> = postings::table
        .inner_join(credits::table)
        .filter(postings::state.eq(DUPLICATE))
        .filter(not(exists(reviewed)))
        .filter(not(exists(known)))
        .order(postings::id)
        .limit(limit)
        .select(((postings::id, postings::attempt, credits::made_at), postings::credit))
        .load(conn)?;
    let topic = |(found, key): (Found, Option<String>)| {
        let key = key.unwrap_or_default();
        let words = format!("{key}: Splynx has this payment more than once.");
        topic(AlertKind::Duplicate, found, AlertKind::Duplicate.code().to_owned(), words)
    };
    Ok(rows.into_iter().map(topic).collect::<Result<_, _>>()?)
}

/// Credits that have not been wholly in Splynx for too long.
fn late_credits(
    conn: &mut AnyConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Topic>, Failure> {
    let known = || {
        alerts::table
            .filter(alerts::kind.eq(AlertKind::LateCredit.code()))
            .filter(alerts::subject.eq(credits::key))
            .filter(alerts::closed_at.is_null())
    };
    let columns = (
        (credits::key, credits::attempt, credits::made_at),
        (credits::amount_minor, credits::currency),
    );
    let mut rows: Vec<(Found, (i64, String))> = credits::table
        .filter(credits::target.eq(Target::Undecided.code()))
        .filter(credits::made_at.le(millis(now - LATE)))
        .filter(not(exists(known())))
        .order(credits::made_at)
        .limit(limit)
        .select(columns)
        .load(conn)?;
    let unposted: Vec<(Found, (i64, String))> = postings::table
        .inner_join(credits::table)
        .filter(postings::state.eq_any(OPEN))
        .filter(postings::kind.eq_any(MONEY.map(PostingKind::code)))
        .filter(credits::made_at.le(millis(now - LATE)))
        .filter(not(exists(known())))
        .order(credits::made_at)
        .limit(limit)
        .select(columns)
        .load(conn)?;
    rows.extend(unposted);
    let topic = |(found, (minor, currency)): (Found, (i64, String))| {
        let key = found.0.clone();
        let row = Row { table: "credits", key: &key };
        let currency = row.read("currency", Currency::parse(&currency))?;
        let amount = Money::from_minor(minor, currency);
        let words =
            format!("{key}: {amount} is final and has not been in Splynx for over an hour.");
        topic(AlertKind::LateCredit, found, AlertKind::LateCredit.code().to_owned(), words)
    };
    Ok(rows.into_iter().map(topic).collect::<Result<_, StoreError>>()?)
}

fn topic(
    kind: AlertKind,
    (subject, attempt, since): Found,
    reason: String,
    words: String,
) -> Result<Topic, StoreError> {
    let row = Row { table: "alerts", key: &subject };
    let since = row.time("since", since)?;
    let attempt = Some(row.read("attempt", AttemptId::parse(&attempt))?);
    Ok(Topic { kind, subject, reason, attempt, words, since })
}

/// The condition under which a topic that stands is over, as a query on `alerts`.
macro_rules! over {
    () => {{
        let review = reviews::table
            .filter(reviews::id.eq(alerts::subject))
            .filter(reviews::closed_at.is_null());
        let duplicate = postings::table
            .filter(postings::id.eq(alerts::subject))
            .filter(postings::state.eq(DUPLICATE));
        let undecided = credits::table
            .filter(credits::key.eq(alerts::subject))
            .filter(credits::target.eq(Target::Undecided.code()));
        let unposted = postings::table
            .filter(postings::credit.eq(alerts::subject.nullable()))
            .filter(postings::state.eq_any(OPEN))
            .filter(postings::kind.eq_any(MONEY.map(PostingKind::code)));
        let is = |kind: AlertKind| alerts::kind.eq(kind.code());
        let review = is(AlertKind::Review).and(not(exists(review)));
        let duplicate = is(AlertKind::Duplicate).and(not(exists(duplicate)));
        let credit =
            is(AlertKind::LateCredit).and(not(exists(undecided))).and(not(exists(unposted)));
        alerts::closed_at.is_null().and(review.or(duplicate).or(credit))
    }};
}

fn any_is_over(conn: &mut AnyConnection) -> Result<bool, Failure> {
    let found: Option<String> =
        alerts::table.filter(over!()).select(alerts::subject).first(conn).optional()?;
    Ok(found.is_some())
}

fn end_what_is_over(conn: &mut AnyConnection, now: DateTime<Utc>) -> Result<(), Failure> {
    diesel::update(alerts::table.filter(over!()))
        .set(alerts::closed_at.eq(millis(now)))
        .execute(conn)?;
    forget(conn, now)
}

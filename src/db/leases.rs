//! Who works on which attempt: the lease columns of `attempts`.
//!
//! **Invariant:** no two owners hold one attempt at one moment; taking a lease bumps the version, so that an owner whose
//! lease ran out can no longer write (fencing).

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

use super::attempts::AttemptRow;
use super::cell::{Row, millis};
use super::connection::AnyConnection;
use super::failure::Failure;
use super::schema::{attempts, hints};
use crate::domain::attempt::Attempt;
use crate::domain::schedule::{LOOK_AHEAD_MAX, WORK_AHEAD_MAX};
use crate::ports::store::Readiness;

/// What a lease is decided on.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = attempts)]
struct Due {
    id: String,
    version: i64,
    look_at: Option<i64>,
    looks: i64,
    last_look: Option<i64>,
}

/// The moment of leasing, and those behind which only a wrong clock plans.
#[derive(Debug, Clone, Copy)]
struct Moments {
    now: i64,
    beyond_work: i64,
    beyond_look: i64,
}

impl Moments {
    fn at(now: DateTime<Utc>) -> Self {
        Self {
            now: millis(now),
            beyond_work: millis(now + WORK_AHEAD_MAX),
            beyond_look: millis(now + LOOK_AHEAD_MAX),
        }
    }

    /// As `schedule::is_look_due` has it.
    fn is_look_due(self, look_at: Option<i64>) -> bool {
        look_at.is_some_and(|look_at| look_at <= self.now || look_at > self.beyond_look)
    }
}

/// Nobody holds it, or only somebody whose clock was wrong.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_free(now: i64, beyond_work: i64) -> _ {
    let none = attempts::lease_until.is_null();
    let over = attempts::lease_until.le(now);
    let wrong = attempts::lease_until.gt(beyond_work);
    none.or(over).or(wrong)
}

/// As `schedule::is_due` and `schedule::is_look_due` have it.
#[diesel::dsl::auto_type(no_type_alias)]
fn is_due(now: i64, beyond_work: i64, beyond_look: i64) -> _ {
    let look = attempts::look_at.le(now).or(attempts::look_at.gt(beyond_look));
    let work = attempts::work_at.le(now).or(attempts::work_at.gt(beyond_work));
    look.or(work)
}

/// Leases up to `limit` attempts that may be taken, the ones that wait longest first. Returns their ids: whether a row
/// can be read must not decide about the others.
pub(super) fn lease_due(
    conn: &mut AnyConnection,
    owner: &str,
    now: DateTime<Utc>,
    lease: TimeDelta,
    readiness: Readiness,
    limit: u32,
) -> Result<Vec<String>, Failure> {
    let moments = Moments::at(now);
    let mut leased = Vec::new();
    for candidate in ready(conn, moments, readiness, limit)? {
        if take(conn, &candidate, owner, moments, lease)? {
            leased.push(candidate.id);
        }
    }
    let left = limit.saturating_sub(u32::try_from(leased.len()).unwrap_or(limit));
    if left == 0 {
        return Ok(leased);
    }
    for candidate in planned_by_a_wrong_clock(conn, moments, readiness, left)? {
        if take(conn, &candidate, owner, moments, lease)? {
            leased.push(candidate.id);
        }
    }
    Ok(leased)
}

fn ready(
    conn: &mut AnyConnection,
    moments: Moments,
    readiness: Readiness,
    limit: u32,
) -> Result<Vec<Due>, Failure> {
    let Moments { now, beyond_look, .. } = moments;
    let mut query = attempts::table.filter(attempts::ready_at.le(now)).into_boxed();
    if readiness == Readiness::LooksOnly {
        query = query.filter(attempts::look_at.le(now).or(attempts::look_at.gt(beyond_look)));
    }
    Ok(query
        .order(attempts::ready_at)
        .limit(i64::from(limit))
        .select(Due::as_select())
        .load(conn)?)
}

/// What lies too far ahead is due, but never while somebody holds it. Each of the three is found by an index.
fn planned_by_a_wrong_clock(
    conn: &mut AnyConnection,
    moments: Moments,
    readiness: Readiness,
    limit: u32,
) -> Result<Vec<Due>, Failure> {
    let Moments { now, beyond_work, beyond_look } = moments;
    let far = attempts::ready_at
        .gt(beyond_look)
        .or(attempts::work_at.gt(beyond_work))
        .or(attempts::lease_until.gt(beyond_work));
    let mut query = attempts::table
        .filter(far)
        .filter(is_free(now, beyond_work))
        .filter(is_due(now, beyond_work, beyond_look))
        .into_boxed();
    if readiness == Readiness::LooksOnly {
        query = query.filter(attempts::look_at.le(now).or(attempts::look_at.gt(beyond_look)));
    }
    Ok(query
        .order((attempts::ready_at, attempts::id))
        .limit(i64::from(limit))
        .select(Due::as_select())
        .load(conn)?)
}

fn take(
    conn: &mut AnyConnection,
    candidate: &Due,
    owner: &str,
    moments: Moments,
    lease: TimeDelta,
) -> Result<bool, Failure> {
    let Moments { now, beyond_work, beyond_look } = moments;
    let is_look = moments.is_look_due(candidate.look_at);
    // The version tells whether another process was faster, be it by a lease or by a step; the moments tell what does
    // not bump it.
    let unchanged = attempts::table
        .filter(attempts::id.eq(candidate.id.clone()))
        .filter(attempts::version.eq(candidate.version))
        .filter(is_free(now, beyond_work))
        .filter(is_due(now, beyond_work, beyond_look));
    let taken = diesel::update(unchanged)
        .set((
            attempts::lease_owner.eq(owner.to_owned()),
            attempts::lease_until.eq(now.saturating_add(lease.num_milliseconds())),
            attempts::version.eq(candidate.version.saturating_add(1)),
            attempts::looks.eq(candidate.looks.saturating_add(i64::from(is_look))),
            attempts::last_look.eq(if is_look { Some(now) } else { candidate.last_look }),
        ))
        .execute(conn)?;
    if taken == 1 && is_look {
        let served = hints::table
            .filter(hints::attempt.eq(candidate.id.clone()))
            .filter(hints::wake.le(candidate.looks));
        diesel::delete(served).execute(conn)?;
    }
    Ok(taken == 1)
}

/// The attempts with these ids, in this order.
pub(super) fn load_in_order(
    conn: &mut AnyConnection,
    ids: &[String],
) -> Result<Vec<Attempt>, Failure> {
    let rows: Vec<AttemptRow> = attempts::table
        .filter(attempts::id.eq_any(ids.to_vec()))
        .select(AttemptRow::as_select())
        .load(conn)?;
    let mut leased = Vec::with_capacity(rows.len());
    for id in ids {
        if let Some(row) = rows.iter().find(|row| row.id == *id) {
            leased.push(row.clone().into_attempt()?);
        }
    }
    Ok(leased)
}

/// Puts a row aside that cannot be read: it is looked at again in an hour, by a version that may be able to.
pub(super) fn set_aside(
    conn: &mut AnyConnection,
    id: &str,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let later = millis(now + TimeDelta::hours(1));
    let own = || attempts::table.find(id.to_owned());
    diesel::update(own().filter(attempts::look_at.is_not_null()))
        .set(attempts::look_at.eq(later))
        .execute(conn)?;
    diesel::update(own().filter(attempts::work_at.is_not_null()))
        .set(attempts::work_at.eq(later))
        .execute(conn)?;
    Ok(())
}

/// When the next attempt may be taken.
pub(super) fn next_due(conn: &mut AnyConnection) -> Result<Option<DateTime<Utc>>, Failure> {
    let next: Option<i64> = attempts::table
        .filter(attempts::ready_at.is_not_null())
        .select(diesel::dsl::min(attempts::ready_at))
        .first(conn)?;
    let row = Row { table: "attempts", key: "the next one due" };
    Ok(row.optional_time("ready_at", next)?)
}

/// Ends every lease.
pub(super) fn end_all(conn: &mut AnyConnection) -> Result<(), Failure> {
    diesel::update(attempts::table.filter(attempts::lease_until.is_not_null()))
        .set((attempts::lease_owner.eq(None::<String>), attempts::lease_until.eq(None::<i64>)))
        .execute(conn)?;
    Ok(())
}

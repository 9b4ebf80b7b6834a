//! Who works on which attempt: the lease columns of `attempts`.
//!
//! **Invariant:** no two owners hold one attempt at one moment; taking a lease bumps the version, so that an owner whose
//! lease ran out can no longer write (fencing).

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::auto_type;
use diesel::prelude::*;

use super::attempts::AttemptRow;
use super::cell::{Row, millis};
use super::connection::AnyConnection;
use super::failure::Failure;
use super::schema::{attempts, hints};
use crate::domain::attempt::Attempt;
use crate::domain::schedule::{LOOK_AHEAD_MAX, WORK_AHEAD_MAX};
use crate::ports::store::Errand;

/// What a lease is decided on.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = attempts)]
struct Due {
    id: String,
    customer: i64,
    version: i64,
    looks: i64,
    last_look: Option<i64>,
}

/// Candidates are read by so many.
const PAGE: u32 = 64;

/// A lease to be had.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) owner: &'a str,
    pub(super) now: DateTime<Utc>,
    pub(super) lease: TimeDelta,
    pub(super) errand: Errand,
}

impl Wanted<'_> {
    fn at(&self) -> i64 {
        millis(self.now)
    }

    /// Work or the end of a lease that lies so far ahead was planned by a wrong clock (`schedule::is_due`).
    fn beyond(&self) -> i64 {
        millis(self.now + WORK_AHEAD_MAX)
    }

    /// So was a look (`schedule::is_look_due`).
    fn beyond_looks(&self) -> i64 {
        millis(self.now + LOOK_AHEAD_MAX)
    }
}

/// Leases up to `limit` attempts that may be taken, in the order of the errand. Returns their ids: whether a row can be
/// read must not decide about the others.
pub(super) fn lease_due(
    conn: &mut AnyConnection,
    wanted: Wanted<'_>,
    limit: u32,
) -> Result<Vec<String>, Failure> {
    let most = usize::try_from(limit).unwrap_or_default();
    let mut leased = Vec::new();
    match wanted.errand {
        Errand::Look => {
            for candidate in due_looks(conn, &wanted, limit)? {
                if take(conn, &candidate, &wanted)? {
                    leased.push(candidate.id);
                }
            }
        }
        Errand::Work => {
            let mut held = customers_at_work(conn, &wanted)?;
            for is_settled in [true, false] {
                lease_work(conn, &wanted, is_settled, &mut held, most, &mut leased)?;
            }
        }
    }
    Ok(leased)
}

#[auto_type]
fn free(at: i64, beyond: i64) -> _ {
    let until = attempts::lease_until;
    until.is_null().or(until.le(at)).or(until.gt(beyond))
}

#[auto_type]
fn work_is_due(at: i64, beyond: i64) -> _ {
    // The first condition tells the planner that the partial index will do.
    let work_at = attempts::work_at;
    work_at.is_not_null().and(work_at.le(at).or(work_at.gt(beyond)))
}

/// Two queries, so that each is a stretch of the index.
fn due_looks(
    conn: &mut AnyConnection,
    wanted: &Wanted<'_>,
    limit: u32,
) -> Result<Vec<Due>, Failure> {
    let (at, beyond) = (wanted.at(), wanted.beyond());
    let looks = |limit: i64| {
        let free = attempts::table.filter(free(at, beyond)).into_boxed();
        free.order((attempts::look_at, attempts::id)).limit(limit).select(Due::as_select())
    };
    let limit = i64::from(limit);
    let mut due: Vec<Due> = looks(limit).filter(attempts::look_at.le(at)).load(conn)?;
    let left = limit.saturating_sub(i64::try_from(due.len()).unwrap_or(limit));
    if left > 0 {
        due.extend(looks(left).filter(attempts::look_at.gt(wanted.beyond_looks())).load(conn)?);
    }
    Ok(due)
}

/// Whose attempts somebody holds while there is work at them.
fn customers_at_work(conn: &mut AnyConnection, wanted: &Wanted<'_>) -> Result<Vec<i64>, Failure> {
    let (at, beyond) = (wanted.at(), wanted.beyond());
    Ok(attempts::table
        .filter(attempts::lease_until.gt(at))
        .filter(attempts::lease_until.le(beyond))
        .filter(work_is_due(at, beyond))
        .select(attempts::customer)
        .distinct()
        .load(conn)?)
}

/// Leases the oldest of each customer, page by page: one customer may have more that is due than a page holds.
fn lease_work(
    conn: &mut AnyConnection,
    wanted: &Wanted<'_>,
    is_settled: bool,
    held: &mut Vec<i64>,
    most: usize,
    leased: &mut Vec<String>,
) -> Result<(), Failure> {
    while leased.len() < most {
        let page = due_work(conn, wanted, is_settled, held)?;
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or_default();
        for candidate in page {
            if leased.len() == most || held.contains(&candidate.customer) {
                continue;
            }
            held.push(candidate.customer);
            if take(conn, &candidate, wanted)? {
                leased.push(candidate.id);
            }
        }
        if is_last {
            break;
        }
    }
    Ok(())
}

fn due_work(
    conn: &mut AnyConnection,
    wanted: &Wanted<'_>,
    is_settled: bool,
    held: &[i64],
) -> Result<Vec<Due>, Failure> {
    let (at, beyond) = (wanted.at(), wanted.beyond());
    let due = attempts::table
        .filter(work_is_due(at, beyond))
        .filter(free(at, beyond))
        .filter(attempts::customer.ne_all(held.to_vec()))
        .order((attempts::settled_at, attempts::created_at, attempts::id))
        .limit(i64::from(PAGE))
        .select(Due::as_select())
        .into_boxed();
    let due = if is_settled {
        due.filter(attempts::settled_at.is_not_null())
    } else {
        due.filter(attempts::settled_at.is_null())
    };
    Ok(due.load(conn)?)
}

fn take(conn: &mut AnyConnection, candidate: &Due, wanted: &Wanted<'_>) -> Result<bool, Failure> {
    let now = wanted.at();
    let is_look = wanted.errand == Errand::Look;
    // The version tells whether another process was faster, be it by a lease or by a step.
    let unchanged = attempts::table
        .filter(attempts::id.eq(candidate.id.clone()))
        .filter(attempts::version.eq(candidate.version))
        .filter(free(now, wanted.beyond()));
    let taken = diesel::update(unchanged)
        .set((
            attempts::lease_owner.eq(wanted.owner.to_owned()),
            attempts::lease_until.eq(now.saturating_add(wanted.lease.num_milliseconds())),
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

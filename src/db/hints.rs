//! The table `hints`, and how a hint moves the next look forward.
//!
//! **Invariant:** a hint is not lost to a step that was computed before it came, never bumps a version, and brings looks
//! at one attempt no closer together than [`HINT_GAP`].

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::cell::millis;
use super::connection::AnyConnection;
use super::failure::Failure;
use super::postings;
use super::schema::{attempts, hints};
use crate::domain::schedule::HINT_GAP;
use crate::ports::store::HintOutcome;

/// Where the looks at an attempt stand.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = attempts)]
struct Watched {
    id: String,
    looks: i64,
    last_look: Option<i64>,
    look_at: Option<i64>,
    work_at: Option<i64>,
}

impl Watched {
    /// When a hint of this moment may be followed. A last look that lies ahead was written before the clock was set
    /// back.
    fn earliest(&self, hint: i64) -> i64 {
        let gap = HINT_GAP.num_milliseconds();
        self.last_look.map_or(hint, |last| hint.max(last.min(hint).saturating_add(gap)))
    }
}

/// What a hint would find, without writing: most deliveries repeat one that is stored already. `None`: it must be
/// written.
pub(super) fn peek(conn: &mut AnyConnection, hook: &str) -> Result<Option<HintOutcome>, Failure> {
    let Some(attempt) = by_hook(conn, hook)? else {
        return Ok(Some(HintOutcome::Unknown));
    };
    let stored = hint_of(conn, &attempt)?.is_some();
    Ok(stored.then_some(HintOutcome::AlreadyStored))
}

/// Stores a hint for the attempt with this hook.
pub(super) fn record(
    conn: &mut AnyConnection,
    hook: &str,
    now: DateTime<Utc>,
) -> Result<HintOutcome, Failure> {
    lock(conn, Key::Hook(hook))?;
    match by_hook(conn, hook)? {
        None => Ok(HintOutcome::Unknown),
        Some(attempt) => store(conn, &attempt, millis(now)),
    }
}

/// Makes the attempt due for work now, and for a look as soon as a hint would.
pub(super) fn wake(
    conn: &mut AnyConnection,
    id: &str,
    now: DateTime<Utc>,
) -> Result<bool, Failure> {
    lock(conn, Key::Id(id))?;
    let found = attempts::table.find(id.to_owned()).select(Watched::as_select());
    let Some(attempt) = found.first(conn).optional()? else {
        return Ok(false);
    };
    let now = millis(now);
    store(conn, &attempt, now)?;
    // A step in progress was computed from what it had read and would write the old plans back: it loses its race, and
    // the attempt is due again when its lease ends.
    let leased = attempts::table.find(id.to_owned()).filter(attempts::lease_owner.is_not_null());
    diesel::update(leased).set(attempts::version.eq(attempts::version + 1)).execute(conn)?;
    if attempt.work_at.is_none_or(|work_at| work_at > now) {
        diesel::update(attempts::table.find(attempt.id))
            .set(attempts::work_at.eq(now))
            .execute(conn)?;
    }
    postings::hurry(conn, id, now)?;
    Ok(true)
}

fn store(conn: &mut AnyConnection, attempt: &Watched, now: i64) -> Result<HintOutcome, Failure> {
    if hint_of(conn, attempt)?.is_some() {
        return Ok(HintOutcome::AlreadyStored);
    }
    diesel::insert_into(hints::table)
        .values((
            hints::attempt.eq(attempt.id.clone()),
            hints::wake.eq(attempt.looks),
            hints::at.eq(now),
        ))
        .execute(conn)?;
    let earliest = attempt.earliest(now);
    if attempt.look_at.is_none_or(|look_at| look_at > earliest) {
        diesel::update(attempts::table.find(attempt.id.clone()))
            .set(attempts::look_at.eq(earliest))
            .execute(conn)?;
    }
    Ok(HintOutcome::Stored)
}

/// Brings the next look forward again after a step was written, if a hint waits for it. The step was computed from what
/// its worker had read, and so knows nothing of a hint that came later.
pub(super) fn keep_early(conn: &mut AnyConnection, id: &str) -> Result<(), Failure> {
    let found = attempts::table.find(id.to_owned()).select(Watched::as_select());
    let attempt: Watched = found.first(conn)?;
    let Some(hint) = hint_of(conn, &attempt)? else {
        return Ok(());
    };
    let earliest = attempt.earliest(hint);
    if attempt.look_at.is_none_or(|look_at| look_at > earliest) {
        diesel::update(attempts::table.find(attempt.id))
            .set(attempts::look_at.eq(earliest))
            .execute(conn)?;
    }
    Ok(())
}

fn by_hook(conn: &mut AnyConnection, hook: &str) -> Result<Option<Watched>, Failure> {
    let found =
        attempts::table.filter(attempts::hook.eq(hook.to_owned())).select(Watched::as_select());
    Ok(found.first(conn).optional()?)
}

/// When the hint for the coming look came, if there is one.
fn hint_of(conn: &mut AnyConnection, attempt: &Watched) -> Result<Option<i64>, Failure> {
    let hint = hints::table.find((attempt.id.clone(), attempt.looks)).select(hints::at);
    Ok(hint.first(conn).optional()?)
}

#[derive(Clone, Copy)]
enum Key<'a> {
    Hook(&'a str),
    Id(&'a str),
}

/// Holds the attempt's row until the transaction ends, so that a hint and a step of another process follow one another.
/// In SQLite a writing transaction is alone anyway.
fn lock(conn: &mut AnyConnection, key: Key<'_>) -> Result<(), Failure> {
    let AnyConnection::Postgres(link) = conn else {
        return Ok(());
    };
    let rows = attempts::table.select(attempts::id);
    match key {
        Key::Hook(hook) => rows
            .filter(attempts::hook.eq(hook.to_owned()))
            .for_no_key_update()
            .load::<String>(link)?,
        Key::Id(id) => {
            rows.filter(attempts::id.eq(id.to_owned())).for_no_key_update().load::<String>(link)?
        }
    };
    Ok(())
}

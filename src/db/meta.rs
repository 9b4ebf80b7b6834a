//! The table `meta`: single values by name.
//!
//! **Invariant:** the check value opens with the key that sealed everything else here, and is never replaced.

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::prelude::*;

use super::cell::Row;
use super::connection::AnyConnection;
use super::failure::{Failure, is_unique_violation};
use super::schema::meta;
use super::seal::SealKey;
use crate::ports::entropy::Entropy;
use crate::ports::store::StoreError;

/// The name, and the sealed content, of the check value.
const SEAL_CHECK: &str = "seal_check";

/// Where the journal ends.
const JOURNAL_HEAD: &str = "journal_head";

/// Where everything here was moved to, and when.
const MOVED_TO: &str = "moved_to";

/// What a remembered value's name begins with, so that none can be mistaken for the check value.
const REMEMBERED: &str = "remembered/";

/// That a database is not to be served any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedTo {
    /// When its content was moved.
    pub at: DateTime<Utc>,
    /// The address of the new database, without its password.
    pub place: String,
}

/// Whether the database was sealed with this key. One that was never sealed is not: see [`set_seal`].
pub(super) fn is_sealed_with(
    conn: &mut AnyConnection,
    key: &SealKey,
) -> Result<Option<bool>, Failure> {
    let Some(value) = get(conn, SEAL_CHECK)? else {
        return Ok(None);
    };
    let opened = hex::decode(value).ok().and_then(|sealed| key.open(SEAL_CHECK, &sealed).ok());
    Ok(Some(opened.is_some_and(|plain| plain.as_slice() == SEAL_CHECK.as_bytes())))
}

/// Seals a database that was never sealed.
pub(super) fn set_seal(
    conn: &mut AnyConnection,
    key: &SealKey,
    entropy: &dyn Entropy,
) -> Result<(), Failure> {
    let sealed = key
        .seal(entropy, SEAL_CHECK, SEAL_CHECK.as_bytes())
        .map_err(|error| StoreError::Refused(error.to_string()))?;
    insert(conn, SEAL_CHECK, &hex::encode(sealed))?;
    Ok(())
}

/// The last good value under a name.
pub(super) fn remembered(conn: &mut AnyConnection, name: &str) -> Result<Option<String>, Failure> {
    get(conn, &format!("{REMEMBERED}{name}"))
}

/// Keeps a last good value.
pub(super) fn remember(conn: &mut AnyConnection, name: &str, value: &str) -> Result<(), Failure> {
    let name = format!("{REMEMBERED}{name}");
    if update(conn, &name, value)? {
        return Ok(());
    }
    let added = conn.transaction(|conn| insert(conn, &name, value));
    match added {
        Err(Failure::Query(error)) if is_unique_violation(&error) => {
            // Another process added it in between; the later value is ours.
            update(conn, &name, value)?;
            Ok(())
        }
        other => other,
    }
}

/// Where the journal ends.
pub(super) fn journal_head(conn: &mut AnyConnection) -> Result<Option<String>, Failure> {
    get(conn, JOURNAL_HEAD)
}

/// The same, and nobody else moves it before this transaction ends. In SQLite a writing transaction is alone anyway.
pub(super) fn lock_journal_head(conn: &mut AnyConnection) -> Result<Option<String>, Failure> {
    let AnyConnection::Postgres(link) = conn else {
        return journal_head(conn);
    };
    let value = meta::table.find(JOURNAL_HEAD).select(meta::value).for_no_key_update();
    Ok(value.first(link).optional()?)
}

/// Moves the end of the journal.
pub(super) fn set_journal_head(conn: &mut AnyConnection, value: &str) -> Result<(), Failure> {
    if update(conn, JOURNAL_HEAD, value)? { Ok(()) } else { insert(conn, JOURNAL_HEAD, value) }
}

/// Where the database was moved to.
pub(super) fn moved_to(conn: &mut AnyConnection) -> Result<Option<MovedTo>, Failure> {
    let Some(value) = get(conn, MOVED_TO)? else {
        return Ok(None);
    };
    let parsed = value.split_once(' ').and_then(|(at, place)| {
        let at = at.parse().ok()?;
        Some(MovedTo { at, place: place.to_owned() })
    });
    Ok(Some(Row { table: "meta", key: MOVED_TO }.read("value", parsed)?))
}

/// Keeps where the database was moved to, which stops everybody from using it.
pub(super) fn set_moved_to(conn: &mut AnyConnection, moved: &MovedTo) -> Result<(), Failure> {
    let at = moved.at.to_rfc3339_opts(SecondsFormat::Secs, true);
    insert(conn, MOVED_TO, &format!("{at} {}", moved.place))
}

/// Takes that back.
pub(super) fn forget_move(conn: &mut AnyConnection) -> Result<(), Failure> {
    diesel::delete(meta::table.find(MOVED_TO)).execute(conn)?;
    Ok(())
}

fn get(conn: &mut AnyConnection, name: &str) -> Result<Option<String>, Failure> {
    let value = meta::table.find(name.to_owned()).select(meta::value);
    Ok(value.first(conn).optional()?)
}

fn update(conn: &mut AnyConnection, name: &str, value: &str) -> Result<bool, Failure> {
    let row = diesel::update(meta::table.find(name.to_owned()));
    Ok(row.set(meta::value.eq(value.to_owned())).execute(conn)? == 1)
}

fn insert(conn: &mut AnyConnection, name: &str, value: &str) -> Result<(), Failure> {
    diesel::insert_into(meta::table)
        .values((meta::name.eq(name.to_owned()), meta::value.eq(value.to_owned())))
        .execute(conn)?;
    Ok(())
}

//! The table `journal`: every step of every attempt, chained so that no row can be changed, moved or taken out unseen.
//!
//! **Invariant:** rows are written by the transaction of the step they tell of, behind all rows that are committed. What
//! somebody did to the chain never stops the money: the add-on writes on, and writes down that the chain was broken.

mod chain;
mod steps;
mod verify;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::cell::{Row, millis};
use super::connection::AnyConnection;
use super::failure::Failure;
use super::meta;
use super::schema::journal;
use crate::domain::actor::Actor;
use crate::domain::ids::AttemptId;
use crate::ports::store::JournalRow;

pub(super) use self::chain::JournalKey;
pub use self::chain::{Head, InvalidHead};
pub(super) use self::steps::{
    Before, begun, closed, connection, connection_ended, review_opened, steps, woken,
};
pub use self::verify::{Flaw, Verdict};
pub(super) use self::verify::{Page, Verification, page};

/// What the add-on writes when the chain's end is not where it left it.
const BROKEN: &str = "chain_broken";

/// A row that is not in the chain yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    at: i64,
    attempt: Option<String>,
    who: String,
    what: String,
    words: String,
}

impl Entry {
    pub(super) fn new(
        at: DateTime<Utc>,
        attempt: Option<AttemptId>,
        who: &Actor,
        what: impl Into<String>,
        words: String,
    ) -> Self {
        Self {
            at: millis(at),
            attempt: attempt.map(|id| id.to_string()),
            who: who.to_string(),
            what: what.into(),
            words,
        }
    }
}

/// A row as it stands in the table.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = journal)]
struct ChainedRow {
    seq: i64,
    at: i64,
    attempt: Option<String>,
    who: String,
    what: String,
    words: String,
    previous: Vec<u8>,
    mac: Vec<u8>,
}

impl ChainedRow {
    fn into_row(self) -> Result<JournalRow, Failure> {
        let key = self.seq.to_string();
        let at = Row { table: "journal", key: &key }.time("at", self.at)?;
        let Self { seq, attempt, who, what, words, .. } = self;
        Ok(JournalRow { seq, at, attempt, who, what, words })
    }
}

/// Writes these entries behind the last row. To be called last in a transaction: from here to its end no other process
/// can write a row.
pub(super) fn append(
    conn: &mut AnyConnection,
    key: &JournalKey,
    entries: Vec<Entry>,
) -> Result<(), Failure> {
    let Some(first) = entries.first() else {
        return Ok(());
    };
    let at = first.at;
    let (mut head, is_whole) = end_of_chain(conn)?;
    let broken = (!is_whole).then(|| Entry {
        at,
        attempt: None,
        who: Actor::Worker.to_string(),
        what: BROKEN.to_owned(),
        words: format!(
            "the journal did not end as it was left; it goes on behind row {}",
            head.seq
        ),
    });
    let mut rows = Vec::with_capacity(entries.len());
    for entry in broken.into_iter().chain(entries) {
        let row = key.chained(&head, entry);
        head = Head::of(&row);
        rows.push(row);
    }
    insert(conn, &rows)?;
    meta::set_journal_head(conn, &head.to_string())
}

/// Where the chain ends, and whether what `meta` says of its end is so.
fn end_of_chain(conn: &mut AnyConnection) -> Result<(Head, bool), Failure> {
    let kept = meta::lock_journal_head(conn)?.and_then(|text| Head::parse(&text).ok());
    let last: Option<ChainedRow> = journal::table
        .order(journal::seq.desc())
        .select(ChainedRow::as_select())
        .first(conn)
        .optional()?;
    let last = last.map_or_else(Head::default, |row| Head::of(&row));
    Ok(match kept {
        Some(kept) if kept == last => (last, true),
        // Rows are gone from the end: their numbers are not used again, so that they are missed.
        Some(kept) if kept.seq > last.seq => (kept, false),
        _ => (last, false),
    })
}

fn insert(conn: &mut AnyConnection, rows: &[ChainedRow]) -> Result<(), Failure> {
    match conn {
        AnyConnection::Postgres(link) => {
            diesel::insert_into(journal::table).values(rows).execute(link)?;
        }
        AnyConnection::Sqlite(link) => {
            for row in rows {
                diesel::insert_into(journal::table).values(row).execute(link)?;
            }
        }
    }
    Ok(())
}

/// Rows for people: at most `limit` after the number `after`, of one attempt or of all, oldest first.
pub(super) fn list(
    conn: &mut AnyConnection,
    attempt: Option<AttemptId>,
    after: i64,
    limit: u32,
) -> Result<Vec<JournalRow>, Failure> {
    let mut query = journal::table.filter(journal::seq.gt(after)).into_boxed();
    if let Some(id) = attempt {
        query = query.filter(journal::attempt.eq(id.to_string()));
    }
    let rows: Vec<ChainedRow> = query
        .order(journal::seq)
        .limit(i64::from(limit))
        .select(ChainedRow::as_select())
        .load(conn)?;
    rows.into_iter().map(ChainedRow::into_row).collect()
}

/// Whether a row of the chain has this head.
pub(super) fn has(conn: &mut AnyConnection, head: &Head) -> Result<bool, Failure> {
    let row: Option<ChainedRow> =
        journal::table.find(head.seq).select(ChainedRow::as_select()).first(conn).optional()?;
    Ok(row.is_some_and(|row| head.is_of(&row)))
}

/// Where the chain ends by the word of `meta`.
pub(super) fn head(conn: &mut AnyConnection) -> Result<Option<Head>, Failure> {
    Ok(meta::journal_head(conn)?.and_then(|text| Head::parse(&text).ok()))
}

//! That nobody else has the database while it is moved.
//!
//! **Invariant:** after [`keep_out`], until the transaction ends, no other session of the add-on has anything of this
//! database in its head, and none can read or write a row. Whoever waited for that reads what the move left.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::tables::TABLES;
use crate::db::connection::{AnyConnection, Role};
use crate::db::failure::Failure;
use crate::db::postgres::PgLink;
use crate::db::{DatabaseUrl, Missing, OpenError};

/// How SQLite says that somebody else has the file.
const LOCKED: &str = "database is locked";

/// Those who bear the name that is ours, or that the address gives us.
const NEIGHBOURS: &str = "\
    SELECT count(*) AS neighbours FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid() \
    AND application_name IN ('splynx-bitpay', current_setting('application_name'))";

/// How often, and how far apart, it is looked whether those who were there have gone.
const LOOKS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(200);

/// Why the database is not ours alone.
pub(super) enum NotAlone {
    /// Somebody else has it.
    InUse,
    /// It cannot be opened at all.
    Open(OpenError),
}

impl From<Failure> for NotAlone {
    fn from(failure: Failure) -> Self {
        Self::Open(failure.into())
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    neighbours: i64,
}

/// Opens a database. SQLite's file is ours alone from here on.
pub(super) fn open(url: &DatabaseUrl, missing: Missing) -> Result<AnyConnection, NotAlone> {
    AnyConnection::open(url, Role::Sole, missing).map_err(|why| {
        if why.contains(LOCKED) {
            NotAlone::InUse
        } else {
            NotAlone::Open(OpenError::Unavailable(why))
        }
    })
}

/// Begins the transaction in which everything is moved, alone.
pub(super) fn keep_out(conn: &mut AnyConnection) -> Result<(), NotAlone> {
    conn.begin_write().map_err(Failure::from)?;
    let AnyConnection::Postgres(link) = conn else {
        return Ok(());
    };
    // The two databases wait for each other, the last statement for the disk: longer than a payment may.
    link.wait_for_ever();
    // First without any lock: a service at work is not to notice that somebody tried.
    wait_until_alone(link)?;
    let names: Vec<_> = TABLES.iter().map(|table| table.name).collect();
    let lock = format!(
        "SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE {} IN ACCESS EXCLUSIVE MODE",
        names.join(", ")
    );
    // Nobody holds a row for longer than the server waits here, unless at work.
    link.batch_execute(&lock).map_err(|_| NotAlone::InUse)?;
    if is_alone(link)? { Ok(()) } else { Err(NotAlone::InUse) }
}

/// The server needs a moment to notice that a service has ended.
fn wait_until_alone(link: &mut PgLink) -> Result<(), NotAlone> {
    for _ in 0..LOOKS {
        if is_alone(link)? {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    Err(NotAlone::InUse)
}

fn is_alone(link: &mut PgLink) -> Result<bool, NotAlone> {
    // Within a transaction the server repeats what it said first, unless told to look again.
    link.batch_execute("SELECT pg_stat_clear_snapshot()").map_err(Failure::from)?;
    let count: Count = diesel::sql_query(NEIGHBOURS).get_result(link).map_err(Failure::from)?;
    Ok(count.neighbours == 0)
}

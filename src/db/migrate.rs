//! Bringing the schema up to date, and checking the seal, when a database is opened.
//!
//! **Invariant:** all migrations and the first seal are one transaction that one process at a time may begin; a crash
//! inside leaves the database as it was.

use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::connection::{AnyConnection, MultiBackend};
use super::failure::{self, Failure};
use super::seal::SealKey;
use super::{Migrations, OpenError, meta};
use crate::ports::entropy::Entropy;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRESQL: EmbeddedMigrations = embed_migrations!("migrations/postgresql");

/// The one key of PostgreSQL's advisory locks that is ours: the letters `splynxbp`.
const ADVISORY_LOCK: &str = "\
    SET LOCAL lock_timeout = '60s'; \
    SELECT pg_advisory_xact_lock(x'73706c796e786270'::bigint)";

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// Makes a database ready for use: schema up to date, seal made or checked.
pub(super) fn prepare(
    conn: &mut AnyConnection,
    migrations: Migrations,
    key: &SealKey,
    entropy: &dyn Entropy,
) -> Result<(), OpenError> {
    let pending = pending(conn)?;
    if migrations == Migrations::MustBeDone && !pending.is_empty() {
        return Err(OpenError::PendingMigrations(pending));
    }
    let sealed = if pending.is_empty() { meta::is_sealed_with(conn, key)? } else { None };
    match sealed {
        Some(true) => Ok(()),
        Some(false) => Err(OpenError::SealedWithAnotherKey),
        None => migrate_and_seal(conn, key, entropy),
    }
}

/// The names of the migrations that were not run yet, in order.
pub(super) fn pending(conn: &mut AnyConnection) -> Result<Vec<String>, OpenError> {
    // A database that is new has no such table.
    let run: Vec<String> = __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .load(conn)
        .unwrap_or_default();
    // Both databases have migrations of equal names; a test sees to it.
    let known = MigrationSource::<Sqlite>::migrations(&SQLITE)
        .map_err(|error| OpenError::Migration(error.to_string()))?;
    let mut pending: Vec<String> = known
        .iter()
        .filter(|migration| !run.contains(&migration.name().version().to_string()))
        .map(|migration| migration.name().to_string())
        .collect();
    pending.sort_unstable();
    Ok(pending)
}

fn migrate_and_seal(
    conn: &mut AnyConnection,
    key: &SealKey,
    entropy: &dyn Entropy,
) -> Result<(), OpenError> {
    conn.begin_write().map_err(Failure::from)?;
    let done = in_transaction(conn, key, entropy);
    match done {
        Ok(()) => Ok(conn.commit().map_err(Failure::from)?),
        Err(error) => {
            conn.roll_back();
            Err(error)
        }
    }
}

fn in_transaction(
    conn: &mut AnyConnection,
    key: &SealKey,
    entropy: &dyn Entropy,
) -> Result<(), OpenError> {
    let source = match conn {
        AnyConnection::Sqlite(_) => SQLITE,
        AnyConnection::Postgres(link) => {
            link.wait_for_ever();
            diesel::connection::SimpleConnection::batch_execute(link, ADVISORY_LOCK)
                .map_err(Failure::from)?;
            POSTGRESQL
        }
    };
    run(conn, source).map_err(OpenError::Migration)?;
    match meta::is_sealed_with(conn, key)? {
        Some(true) => Ok(()),
        Some(false) => Err(OpenError::SealedWithAnotherKey),
        None => Ok(meta::set_seal(conn, key, entropy)?),
    }
}

fn run(conn: &mut AnyConnection, source: EmbeddedMigrations) -> Result<(), String> {
    let pending: Vec<Box<dyn Migration<MultiBackend>>> =
        conn.pending_migrations(source).map_err(|error| error.to_string())?;
    for migration in pending {
        tracing::info!(migration = %migration.name(), "bringing the database up to date");
        conn.run_migration(&migration)
            .map_err(|error| format!("{} failed: {error}", migration.name()))?;
    }
    Ok(())
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Query(error) => Self::Unavailable(failure::words(&error)),
            Failure::Store(error) => Self::Unavailable(error.to_string()),
        }
    }
}

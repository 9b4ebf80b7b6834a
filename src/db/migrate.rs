//! Bringing the schema up to date, and checking the seal, when a database is opened.
//!
//! **Invariant:** all migrations and the first seal are one transaction that one process at a time may begin; a crash
//! inside leaves the database as it was. So is the way back. A database that a newer version has brought further is
//! left alone.

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

/// Makes a database ready for use: schema up to date, seal made or checked; and not moved elsewhere.
pub(super) fn prepare(
    conn: &mut AnyConnection,
    migrations: Migrations,
    key: &SealKey,
    entropy: &dyn Entropy,
) -> Result<(), OpenError> {
    bring_up(conn, migrations, key, entropy)?;
    match meta::moved_to(conn)? {
        Some(moved) => Err(OpenError::Moved(moved)),
        None => Ok(()),
    }
}

/// Brings the schema up to date, and makes or checks the seal.
pub(super) fn bring_up(
    conn: &mut AnyConnection,
    migrations: Migrations,
    key: &SealKey,
    entropy: &dyn Entropy,
) -> Result<(), OpenError> {
    let pending = pending(conn)?;
    let may_run = match migrations {
        Migrations::Run => true,
        Migrations::OnlyOfANewOne => applied(conn).is_empty(),
        Migrations::MustBeDone => false,
    };
    if !may_run && !pending.is_empty() {
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
///
/// [`OpenError::Newer`] where some were run that this version does not know.
pub(super) fn pending(conn: &mut AnyConnection) -> Result<Vec<String>, OpenError> {
    let run = applied(conn);
    let known = known()?;
    let unknown: Vec<String> =
        run.iter().filter(|version| !known.iter().any(|it| it.0 == **version)).cloned().collect();
    if !unknown.is_empty() {
        return Err(OpenError::Newer { unknown, last: last()? });
    }
    let pending = known.into_iter().filter(|(version, _)| !run.contains(version));
    Ok(pending.map(|(_, name)| name).collect())
}

/// The number of the last migration of this version.
pub(super) fn last() -> Result<String, OpenError> {
    Ok(known()?.pop().map(|(version, _)| version).unwrap_or_default())
}

/// The numbers of the migrations that were run, in order. A database that is new has no such table.
fn applied(conn: &mut AnyConnection) -> Vec<String> {
    __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .order(__diesel_schema_migrations::version)
        .load(conn)
        .unwrap_or_default()
}

/// Number and name of the migrations of this version, in order. Both databases have migrations of equal names; a test
/// sees to it.
fn known() -> Result<Vec<(String, String)>, OpenError> {
    let known = MigrationSource::<Sqlite>::migrations(&SQLITE)
        .map_err(|error| OpenError::Migration(error.to_string()))?;
    let mut names: Vec<_> = known
        .iter()
        .map(|migration| (migration.name().version().to_string(), migration.name().to_string()))
        .collect();
    names.sort_unstable();
    Ok(names)
}

/// Takes back, the last one first, what was run after the migration of this number (or full name).
pub(super) fn take_back(conn: &mut AnyConnection, to: &str) -> Result<Vec<String>, OpenError> {
    let known = known()?;
    let wanted = known.iter().find(|(version, name)| version == to || name == to);
    let Some((target, _)) = wanted.cloned() else {
        let names: Vec<_> = known.into_iter().map(|(_, name)| name).collect();
        let words = format!("there is no migration {to}; there are {}", names.join(", "));
        return Err(OpenError::Migration(words));
    };
    let pending = pending(conn)?;
    if pending.iter().any(|name| name.starts_with(&target)) {
        let words = format!("it is not at {target} yet, so there is nothing to take back");
        return Err(OpenError::Migration(words));
    }
    in_write(conn, |conn| {
        let source = locked_source(conn)?;
        revert_after(conn, &source, &target).map_err(OpenError::Migration)
    })
}

fn revert_after(
    conn: &mut AnyConnection,
    source: &EmbeddedMigrations,
    target: &str,
) -> Result<Vec<String>, String> {
    let run = applied(conn);
    let mut migrations: Vec<Box<dyn Migration<MultiBackend>>> =
        source.migrations().map_err(|error| error.to_string())?;
    migrations.sort_by_key(|migration| std::cmp::Reverse(migration.name().version().to_string()));
    let mut names = Vec::new();
    for migration in migrations {
        let version = migration.name().version().to_string();
        if version.as_str() <= target || !run.contains(&version) {
            continue;
        }
        let name = migration.name().to_string();
        tracing::info!(migration = %name, "taking the database back");
        conn.revert_migration(&migration)
            .map_err(|error| format!("{name} could not be taken back: {error}"))?;
        names.push(name);
    }
    Ok(names)
}

fn migrate_and_seal(
    conn: &mut AnyConnection,
    key: &SealKey,
    entropy: &dyn Entropy,
) -> Result<(), OpenError> {
    in_write(conn, |conn| in_transaction(conn, key, entropy))
}

/// All of it or nothing.
fn in_write<T>(
    conn: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, OpenError>,
) -> Result<T, OpenError> {
    conn.begin_write().map_err(Failure::from)?;
    match work(conn) {
        Ok(value) => {
            conn.commit().map_err(Failure::from)?;
            Ok(value)
        }
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
    let source = locked_source(conn)?;
    run(conn, source).map_err(OpenError::Migration)?;
    match meta::is_sealed_with(conn, key)? {
        Some(true) => Ok(()),
        Some(false) => Err(OpenError::SealedWithAnotherKey),
        None => Ok(meta::set_seal(conn, key, entropy)?),
    }
}

/// The migrations for this database, once nobody else can change its schema.
fn locked_source(conn: &mut AnyConnection) -> Result<EmbeddedMigrations, OpenError> {
    match conn {
        AnyConnection::Sqlite(_) => Ok(SQLITE),
        AnyConnection::Postgres(link) => {
            link.wait_for_ever();
            diesel::connection::SimpleConnection::batch_execute(link, ADVISORY_LOCK)
                .map_err(Failure::from)?;
            Ok(POSTGRESQL)
        }
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

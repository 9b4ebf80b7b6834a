//! `migrate`: brings the database to this version, or back to an older one's schema.

use std::path::Path;

use anyhow::Context as _;

use super::output::Streams;
use super::{Ending, progress, wiring};
use crate::config;
use crate::db::{self, Migrations, OpenError, ServeLock};

/// Runs the migrations that are missing.
pub(super) async fn run(path: &Path, streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    let config = config::load(path)?.config;
    let url = wiring::database_url(&config)?;
    // The version that serves would work on a schema it is not made for.
    let _not_serving = ServeLock::take(&url).context("stop the service first")?;
    // A database that is not there yet has none done; opening makes it.
    let pending = match db::pending_migrations(&url).await {
        Err(error @ OpenError::Newer { .. }) => return Err(error.into()),
        pending => pending.unwrap_or_default(),
    };
    let opening = wiring::open_database(&config, Migrations::Run);
    progress::during("bringing the database up to date", opening).await?;
    for name in &pending {
        writeln!(streams.out, "done: {name}")?;
    }
    writeln!(streams.out, "The database is up to date.")?;
    Ok(Ending::Good)
}

/// Prints the number of this version's last migration, for a newer binary's `--back-to`. Needs neither configuration nor
/// database.
pub(super) fn latest(streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    writeln!(streams.out, "{}", db::last_migration()?)?;
    Ok(Ending::Good)
}

/// Takes back what was run after the migration `to`, so that an older version can go on with the database.
pub(super) async fn back(
    path: &Path,
    to: &str,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Ending> {
    let config = config::load(path)?.config;
    let url = wiring::database_url(&config)?;
    // This version would work on a schema it is not made for.
    let _not_serving = ServeLock::take(&url).context("stop the service first")?;
    let going = db::take_back(&url, to);
    let names = progress::during("taking the database back", going).await?;
    for name in &names {
        writeln!(streams.out, "taken back: {name}")?;
    }
    writeln!(
        streams.out,
        "The database is as {to} left it. Install the older version now: starting this one brings it up to date again."
    )?;
    Ok(Ending::Good)
}

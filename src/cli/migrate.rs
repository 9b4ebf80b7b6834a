//! `migrate`: brings the database to this version.

use std::path::Path;

use super::output::Streams;
use super::{Ending, progress, wiring};
use crate::config;
use crate::db::{self, Migrations};

/// Runs the migrations that are missing.
pub(super) async fn run(path: &Path, streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    let config = config::load(path)?.config;
    let url = wiring::database_url(&config)?;
    // A database that is not there yet has none done; opening makes it.
    let pending = db::pending_migrations(&url).await.unwrap_or_default();
    let opening = wiring::open_database(&config, Migrations::Run);
    progress::during("bringing the database up to date", opening).await?;
    for name in &pending {
        writeln!(streams.out, "done: {name}")?;
    }
    writeln!(streams.out, "The database is up to date.")?;
    Ok(Ending::Good)
}

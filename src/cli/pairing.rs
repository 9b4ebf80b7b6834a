//! `pair`, `unpair` and `pairing`: the processor account, from the command line.
//!
//! **Invariant:** tokens are shown masked.

use std::path::Path;

use super::output::Streams;
use super::{Ending, progress, wiring};
use crate::app::pair;
use crate::config;
use crate::db::Migrations;
use crate::domain::connection::Connection;

/// Exchanges a pairing code for a token.
pub(super) async fn pair(
    path: &Path,
    code: &str,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Ending> {
    let world = wiring::connect(&config::load(path)?.config, Migrations::Run).await?;
    let connection = progress::during("asking BitPay", pair::pair(&world.app, code)).await?;
    writeln!(streams.out, "Paired.")?;
    describe(&connection, streams)?;
    Ok(Ending::Good)
}

/// Retires the account.
pub(super) async fn unpair(path: &Path, streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    let world = wiring::connect(&config::load(path)?.config, Migrations::Run).await?;
    if pair::unpair(&world.app).await? {
        writeln!(streams.out, "Unpaired. Payments that are under way are still watched.")?;
    } else {
        writeln!(streams.out, "Nothing was paired.")?;
    }
    Ok(Ending::Good)
}

/// Shows the account.
pub(super) async fn show(path: &Path, streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    let world = wiring::connect(&config::load(path)?.config, Migrations::Run).await?;
    let pairing = pair::pairing(&world.app).await?;
    let Some(connection) = &pairing.active else {
        let address = &pairing.processor_url;
        writeln!(streams.out, "Not paired with {address}: run `splynx-bitpay pair CODE`.")?;
        return Ok(Ending::NotGood);
    };
    describe(connection, streams)?;
    Ok(Ending::Good)
}

fn describe(connection: &Connection, streams: &mut Streams<'_>) -> anyhow::Result<()> {
    let token = connection.secrets.token.as_ref().map(pair::masked).unwrap_or_default();
    let since = connection.activated_at.unwrap_or(connection.created_at).format("%Y-%m-%d %H:%M");
    writeln!(streams.out, "mode:      {}", connection.environment.code())?;
    writeln!(streams.out, "processor: {}", connection.base_url)?;
    writeln!(streams.out, "token:     {token}")?;
    writeln!(streams.out, "client id: {}", connection.sin)?;
    writeln!(streams.out, "since:     {since} UTC")?;
    Ok(())
}

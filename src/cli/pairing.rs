//! `pair`, `unpair` and `pairing`: the processor account, from the command line.
//!
//! **Invariant:** tokens are shown masked.

use std::path::Path;

use super::output::Streams;
use super::{Ending, progress, who, wiring};
use crate::app::pair::{self, PairError};
use crate::config;
use crate::db::Migrations;
use crate::domain::connection::Connection;
use crate::views::texts::Language;

/// Exchanges a pairing code for a token.
pub(super) async fn pair(
    path: &Path,
    code: &str,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Ending> {
    let world = wiring::connect(&config::load(path)?.config, Migrations::Run).await?;
    let by = who::at_the_terminal();
    let pairing = progress::during("asking BitPay", pair::pair(&world.app, code, &by));
    let connection = pairing.await.map_err(told)?;
    writeln!(streams.out, "Paired.")?;
    describe(&connection, streams)?;
    Ok(Ending::Good)
}

/// What an admin reads: the English sentence of the page.
fn told(error: PairError) -> anyhow::Error {
    match error {
        PairError::Refused(failure) | PairError::Unclear(failure) => {
            let key = format!("pairing-failed-{}", failure.kind.code());
            let arguments = [("address", failure.address.as_str()), ("said", &failure.said)];
            let sentence = Language::default().text_with(&key, &arguments);
            anyhow::Error::msg(sentence.unwrap_or_else(|| failure.to_string()))
        }
        PairError::Store(error) => error.into(),
    }
}

/// Retires the account.
pub(super) async fn unpair(path: &Path, streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    let world = wiring::connect(&config::load(path)?.config, Migrations::Run).await?;
    if pair::unpair(&world.app, &who::at_the_terminal()).await? {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::pairing::{PairingFailure, PairingFailureKind};

    #[test]
    fn every_failure_is_told_in_the_english_of_the_page() {
        for kind in PairingFailureKind::ALL.iter().copied() {
            let (address, said) = ("https://pay.example".to_owned(), "the very words".to_owned());
            let failure = PairingFailure { kind, address, said };
            let plain = failure.to_string();
            for error in [PairError::Refused(failure.clone()), PairError::Unclear(failure)] {
                let sentence = told(error).to_string();
                assert_ne!(sentence, plain, "{kind:?} has no sentence");
                assert!(sentence.ends_with(['.', ')']), "{sentence}");
            }
        }
    }
}

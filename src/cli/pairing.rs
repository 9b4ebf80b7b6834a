//! `pair`, `unpair` and `pairing`: the processor account, from the command line.
//!
//! **Invariant:** tokens are shown masked.

use std::io::{BufRead, stdin};
use std::path::Path;

use anyhow::{Context as _, ensure};

use super::output::Streams;
use super::{Ending, progress, who, wiring};
use crate::app::pair::{self, PairError};
use crate::config;
use crate::db::Migrations;
use crate::domain::connection::Connection;
use crate::views::texts::Language;

/// In place of a code: it is on standard input.
const FROM_STANDARD_INPUT: &str = "-";

/// Longer lines are no codes.
const LONGEST_CODE: u64 = 4096;

/// Exchanges a pairing code for a token.
pub(super) async fn pair(
    path: &Path,
    code: &str,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Ending> {
    let config = config::load(path)?.config;
    let code = match code {
        FROM_STANDARD_INPUT => code_from(&mut stdin().lock())?,
        code => code.to_owned(),
    };
    let world = wiring::connect(&config, Migrations::OnlyOfANewOne).await?;
    let by = who::at_the_terminal();
    let pairing = progress::during("asking BitPay", pair::pair(&world.app, &code, &by));
    let connection = pairing.await.map_err(told)?;
    writeln!(streams.out, "Paired.")?;
    describe(&connection, streams)?;
    Ok(Ending::Good)
}

/// The code in the first line.
fn code_from(input: &mut dyn BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::Read::take(input, LONGEST_CODE)
        .read_line(&mut line)
        .context("standard input cannot be read")?;
    let code = line.trim();
    ensure!(!code.is_empty(), "there is no pairing code on standard input");
    Ok(code.to_owned())
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
    let world = wiring::connect(&config::load(path)?.config, Migrations::OnlyOfANewOne).await?;
    if pair::unpair(&world.app, &who::at_the_terminal()).await? {
        writeln!(streams.out, "Unpaired. Payments that are under way are still watched.")?;
    } else {
        writeln!(streams.out, "Nothing was paired.")?;
    }
    Ok(Ending::Good)
}

/// Shows the account.
pub(super) async fn show(path: &Path, streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    let world = wiring::connect(&config::load(path)?.config, Migrations::OnlyOfANewOne).await?;
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
    use rstest::rstest;

    use super::*;
    use crate::ports::pairing::{PairingFailure, PairingFailureKind};

    #[rstest]
    #[case("abcDEF7\n", "abcDEF7")]
    #[case(" abcDEF7\r\nmore\n", "abcDEF7")]
    #[case("abcDEF7", "abcDEF7")]
    fn a_code_is_the_first_line_of_standard_input(#[case] input: &str, #[case] code: &str) {
        assert_eq!(code_from(&mut input.as_bytes()).unwrap(), code);
    }

    #[rstest]
    #[case("")]
    #[case("\nabcDEF7\n")]
    fn without_a_code_nothing_is_asked(#[case] input: &str) {
        let error = code_from(&mut input.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "there is no pairing code on standard input");
    }

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

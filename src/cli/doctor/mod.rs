//! `doctor`: checks everything the add-on needs, and says for each failure what to do.
//!
//! **Invariant:** it changes nothing but what `serve` would change at its start, and shows no secret. With
//! `--test-alert` it sends one message.

mod pairing;
mod permissions;
mod remedy;
mod splynx;
mod telling;

use std::path::Path;

use serde::Serialize;

use super::output::Streams;
use super::wiring;
use super::{Ending, progress};
use crate::config::{self, Config, ConfigErrors, Loaded};
use crate::db::Migrations;
use crate::http;
use crate::ports::{self, PeerError};

/// How long the public address may take to answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// The name of the check of everything that is our own.
const DATABASE: &str = "database and keys";

/// What one check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Good,
    Warning,
    Bad,
}

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    verdict: Verdict,
    found: String,
    /// What to do; empty when all is well.
    remedy: String,
}

/// What is wanted of `doctor`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// The list as JSON.
    pub(super) json: bool,
    /// Whether a test message is sent.
    pub(super) test_alert: bool,
}

/// Checks everything, prints the list.
pub(super) async fn run(
    path: &Path,
    wish: Wish,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Ending> {
    let mut checks = Checks::default();
    progress::during("examining", examine(path, wish, &mut checks)).await;
    if wish.json {
        serde_json::to_writer_pretty(&mut *streams.out, &checks.0)?;
        writeln!(streams.out)?;
    } else {
        for check in &checks.0 {
            let mark = match check.verdict {
                Verdict::Good => "ok  ",
                Verdict::Warning => "warn",
                Verdict::Bad => "BAD ",
            };
            writeln!(streams.out, "{mark} {:<22} {}", check.name, check.found)?;
            if !check.remedy.is_empty() {
                writeln!(streams.out, "     {:<22} -> {}", "", check.remedy)?;
            }
        }
    }
    let bad = checks.0.iter().any(|check| check.verdict == Verdict::Bad);
    Ok(if bad { Ending::NotGood } else { Ending::Good })
}

#[derive(Debug, Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn good(&mut self, name: &'static str, found: impl Into<String>) {
        self.add(name, Verdict::Good, found, "");
    }

    fn bad(&mut self, name: &'static str, found: impl Into<String>, remedy: &str) {
        self.add(name, Verdict::Bad, found, remedy);
    }

    fn warn(&mut self, name: &'static str, found: impl Into<String>, remedy: &str) {
        self.add(name, Verdict::Warning, found, remedy);
    }

    /// Splynx did not do what was asked: `refused` is what to do if it would not. Was it our own database that kept
    /// the question from being asked, then that is what is told.
    fn splynx_failed(
        &mut self,
        name: &'static str,
        verdict: Verdict,
        error: &PeerError,
        refused: &str,
    ) {
        match error {
            PeerError::Unavailable { peer, why } if *peer == ports::DATABASE => {
                self.bad(DATABASE, why.as_str(), remedy::database(why));
            }
            PeerError::Refused { .. } => self.add(name, verdict, error.to_string(), refused),
            error => self.add(name, verdict, error.to_string(), remedy::splynx(error)),
        }
    }

    fn add(
        &mut self,
        name: &'static str,
        verdict: Verdict,
        found: impl Into<String>,
        remedy: &str,
    ) {
        self.0.push(Check { name, verdict, found: found.into(), remedy: remedy.to_owned() });
    }
}

async fn examine(path: &Path, wish: Wish, checks: &mut Checks) {
    let loaded = config::load(path).map_err(ConfigErrors::with_lacking);
    let Loaded { config, warnings, .. } = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            return checks.bad("configuration", error.to_string(), remedy::configuration(path));
        }
    };
    if let Err(error) = config.require_api() {
        return checks.bad("configuration", error.to_string(), remedy::configuration(path));
    }
    checks.good("configuration", config.path.display().to_string());
    for warning in warnings {
        checks.warn("configuration", format!("{}: {}", warning.key, warning.sentence), "");
    }
    let world = match wiring::connect(&config, Migrations::OnlyOfANewOne).await {
        Ok(world) => world,
        Err(error) => {
            return checks.bad(DATABASE, format!("{error:#}"), remedy::opening(&error));
        }
    };
    checks.good(DATABASE, "open, up to date, sealed with this key");
    splynx::check(&world, &config, checks).await;
    pairing::check(&world, checks).await;
    telling::check(&world, &config, wish.test_alert, checks).await;
    public_address(&config, checks).await;
}

/// Whether the address that customers and BitPay use leads to a running add-on.
async fn public_address(config: &Config, checks: &mut Checks) {
    let address = format!(
        "{}/bitpay/result/00000000000000000000000000000000",
        config.splynx.splynx_url.without_slash()
    );
    let answer = match http::client("splynx-bitpay doctor", PATIENCE) {
        Ok(client) => client.get(&address).send().await,
        Err(error) => Err(error),
    };
    match answer {
        // Our own pages alone say so: a result page that does not exist, under our content policy.
        Ok(answer)
            if answer.status() == 404
                && answer.headers().contains_key("content-security-policy") =>
        {
            checks.good("public address", format!("{}/bitpay", config.splynx.splynx_url));
        }
        Ok(answer) => {
            let status = answer.status();
            let found = format!("something else answers at {address} (HTTP {})", status.as_u16());
            checks.bad("public address", found, remedy::foreign(status.as_u16()));
        }
        Err(error) => {
            let why = http::explain(error);
            let remedy = remedy::unreached(&why);
            checks.bad("public address", format!("{address}: {why}"), remedy);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_fails_under_splynx_is_told_as_the_database() {
        let mut checks = Checks::default();
        let why = "the database is unavailable: the disk is full".to_owned();
        let error = PeerError::Unavailable { peer: ports::DATABASE, why };
        checks.splynx_failed("Splynx API", Verdict::Bad, &error, "allow it");
        let [check] = checks.0.as_slice() else { panic!("{checks:?}") };
        assert_eq!((check.name, check.verdict), (DATABASE, Verdict::Bad));
        assert!(check.remedy.contains("make room"), "{check:?}");
    }
}

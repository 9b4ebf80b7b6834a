//! `doctor`: checks everything the add-on needs, and says for each failure what to do.
//!
//! **Invariant:** it changes nothing but what `serve` would change at its start, and shows no secret.

mod pairing;
mod permissions;
mod splynx;

use std::path::Path;

use serde::Serialize;

use super::output::Streams;
use super::wiring;
use super::{Ending, progress};
use crate::config::{self, Config, Loaded};
use crate::db::Migrations;
use crate::http;

/// How long the public address may take to answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

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

/// Checks everything, prints the list.
pub(super) async fn run(
    path: &Path,
    json: bool,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Ending> {
    let mut checks = Checks::default();
    progress::during("examining", examine(path, &mut checks)).await;
    if json {
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

async fn examine(path: &Path, checks: &mut Checks) {
    let Loaded { config, warnings, .. } = match config::load(path) {
        Ok(loaded) => loaded,
        Err(error) => return checks.bad("configuration", error.to_string(), "mend the file"),
    };
    checks.good("configuration", config.path.display().to_string());
    for warning in warnings {
        checks.warn("configuration", format!("{}: {}", warning.key, warning.sentence), "");
    }
    let world = match wiring::connect(&config, Migrations::Run).await {
        Ok(world) => world,
        Err(error) => {
            let remedy = "read the sentence; `config show` tells where each value comes from";
            return checks.bad("database and keys", format!("{error:#}"), remedy);
        }
    };
    checks.good("database and keys", "open, up to date, sealed with this key");
    splynx::check(&world, &config, checks).await;
    pairing::check(&world, checks).await;
    public_address(&config, checks).await;
}

/// Whether the address that customers and BitPay use leads to a running add-on.
async fn public_address(config: &Config, checks: &mut Checks) {
    let address = format!(
        "{}/bitpay/result/00000000000000000000000000000000",
        config.splynx.splynx_url.without_slash()
    );
    let remedy = "start the service, and let the web server pass /bitpay on to [server] listen";
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
            let found = format!("something else answers under /bitpay ({})", answer.status());
            checks.bad("public address", found, remedy);
        }
        Err(error) => checks.bad("public address", http::explain(error), remedy),
    }
}

//! `doctor`: checks everything the add-on needs, and says for each failure what to do.
//!
//! **Invariant:** it changes nothing but what `serve` would change at its start, and shows no secret.

mod pairing;

use std::path::Path;

use serde::Serialize;

use super::currency::{Answer, compare};
use super::output::Streams;
use super::wiring::{self, World};
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
    splynx(&world, checks).await;
    pairing::check(&world, checks).await;
    public_address(&config, checks).await;
}

async fn splynx(world: &World, checks: &mut Checks) {
    match world.splynx.check().await {
        Ok(check) if check.good => checks.good("Splynx API", check.message),
        Ok(check) => {
            checks.bad("Splynx API", check.message, "check [splynx] api_key and api_secret");
        }
        Err(error) => {
            let remedy = "check [splynx] api_domain, api_key, api_secret and the key's allowed IPs";
            return checks.bad("Splynx API", error.to_string(), remedy);
        }
    }
    permissions(world, checks).await;
    match world.splynx.filter_works().await {
        Ok(true) => checks.good("Splynx search", "a key that does not exist finds nothing"),
        Ok(false) => checks.warn(
            "Splynx search",
            "the filter by receipt number is ignored",
            "payments are searched page by page, which is slow but safe",
        ),
        Err(error) => checks.bad("Splynx search", error.to_string(), "allow Payments[index]"),
    }
    payment_method(world, checks).await;
    currency(world, checks).await;
}

async fn permissions(world: &World, checks: &mut Checks) {
    let mut missing = 0_u32;
    for permission in world.splynx.probe_permissions().await {
        if let Err(sentence) = permission.verdict {
            missing = missing.saturating_add(1);
            let remedy = format!(
                "Administration > API keys > Permissions: allow {} {}",
                permission.controller, permission.actions
            );
            checks.bad("Splynx permissions", sentence, &remedy);
        }
    }
    if missing == 0 {
        checks.good("Splynx permissions", "all that can be tried by reading are there");
    }
}

async fn payment_method(world: &World, checks: &mut Checks) {
    let wanted = world.app.rules().payment_method_id;
    match world.splynx.payment_methods().await {
        Ok(methods) => match methods.iter().find(|method| method.id == wanted) {
            Some(method) if method.active => {
                checks.good("payment method", format!("{wanted} {}", method.name));
            }
            Some(method) => {
                let found = format!("{wanted} {} is not active", method.name);
                checks.bad(
                    "payment method",
                    found,
                    "activate it in Config > Finance > Payment methods",
                );
            }
            None => {
                let found = format!("there is no payment method {wanted}");
                checks.bad("payment method", found, "set [payments] payment_method_id");
            }
        },
        Err(error) => {
            checks.warn("payment method", error.to_string(), "allow PaymentMethods[index]");
        }
    }
}

async fn currency(world: &World, checks: &mut Checks) {
    let ours = world.app.rules().currency;
    match compare(&world.splynx, ours).await {
        Ok(Answer::Same) => checks.good("currency", ours.code()),
        Ok(Answer::Different(difference)) => {
            checks.bad("currency", difference.sentence(), &difference.remedy());
        }
        Ok(Answer::Untold) => {
            checks.good("currency", format!("{ours}; Splynx does not tell its own"))
        }
        Err(error) => checks.warn("currency", error.to_string(), ""),
    }
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

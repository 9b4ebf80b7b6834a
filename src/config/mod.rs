//! The configuration: a file, overridden by the environment, checked once and for all.
//!
//! One file per section says its keys, their defaults and meanings; [`key`] gathers them, [`mod@reference`] prints them,
//! [`load`] reads them. What Splynx's own settings change about payments is laid on top by [`module_settings`].
//!
//! **Invariant:** a [`Config`] is good. Nothing behind [`load`] looks at a text of the configuration again.

mod alerts;
mod base_url;
mod bitpay;
mod database;
pub mod edit;
mod file;
mod finding;
pub mod key;
mod layers;
mod log;
pub mod module_settings;
mod parse;
mod payments;
pub mod reference;
pub mod replace;
mod seal_key;
mod secret;
mod server;
pub mod show;
mod splynx;
mod suggestion;
mod variables;
mod worker;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use alerts::Alerts;
pub use base_url::BaseUrl;
pub use bitpay::Bitpay;
pub use database::Database;
pub use finding::{ConfigErrors, Finding, Place};
pub use log::{Log, LogFormat};
pub use seal_key::{SealKeyError, SealKeySource};
pub use server::Server;
pub use splynx::{ApiCredentials, Splynx};
pub use variables::Variables;
pub use worker::Worker;

use crate::domain::rules::PaymentRules;
use finding::{Findings, Found};
use layers::Sections;

/// Where the configuration is when nobody says otherwise.
pub const DEFAULT_PATH: &str = "/etc/splynx-bitpay/config.toml";

/// The whole configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it came from, as a full path.
    pub path: PathBuf,
    /// Where the add-on listens.
    pub server: Server,
    /// Where payments are remembered.
    pub database: Database,
    /// How Splynx is reached.
    pub splynx: Splynx,
    /// Which BitPay.
    pub bitpay: Bitpay,
    /// What file and environment say about payments. What Splynx says on top: [`module_settings::overlay`].
    pub rules: PaymentRules,
    /// How often the worker looks.
    pub worker: Worker,
    /// How a person is told.
    pub alerts: Alerts,
    /// What is logged.
    pub log: Log,
    /// The keys that the environment sets; the module's settings inside Splynx do not reach them.
    pinned: BTreeSet<&'static str>,
    /// What is missing for commands that talk to Splynx.
    lacking: Vec<Finding>,
}

impl Config {
    /// The credentials of Splynx's API, for commands that cannot do without.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] that name what is empty, with its line.
    pub fn require_api(&self) -> Result<&ApiCredentials, ConfigErrors> {
        let lacking = || ConfigErrors::new(&self.path, self.lacking.clone());
        self.splynx.api.as_ref().ok_or_else(lacking)
    }
}

/// A configuration that was read, and what is to be said about it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What can be used, but should be looked at.
    pub warnings: Vec<Finding>,
    /// Every key with its value, for people to see.
    pub entries: Vec<Entry>,
}

/// One key in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: &'static key::Key,
    /// Its value as TOML, secrets masked.
    pub value: String,
    /// Where it was written.
    pub place: Place,
}

/// Reads the file at `path` and the environment of this process.
///
/// # Errors
///
/// [`ConfigErrors`]: everything that is wrong, with key, line and what is expected.
pub fn load(path: &Path) -> Result<Loaded, ConfigErrors> {
    load_with(path, &Variables::of_this_process())
}

/// Reads the file at `path`, with `variables` for an environment.
///
/// # Errors
///
/// [`ConfigErrors`]: everything that is wrong, with key, line and what is expected.
pub fn load_with(path: &Path, variables: &Variables) -> Result<Loaded, ConfigErrors> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
    parse_text(&text, &Context { path: &path, variables })
}

fn unreadable(path: &Path, error: &std::io::Error) -> ConfigErrors {
    let sentence = match error.kind() {
        std::io::ErrorKind::NotFound => {
            "there is no such file; `splynx-bitpay config default` prints one to begin with, `--config FILE` names another".to_owned()
        }
        std::io::ErrorKind::InvalidData => "the file is not UTF-8 text".to_owned(),
        _ => format!("the file cannot be read: {error}"),
    };
    ConfigErrors::new(path, vec![Finding::whole(sentence)])
}

/// What the sections need besides their own keys.
#[derive(Debug, Clone, Copy)]
struct Context<'a> {
    /// The file, as a full path.
    path: &'a Path,
    /// For `env:NAME`.
    variables: &'a Variables,
}

fn parse_text(text: &str, context: &Context<'_>) -> Result<Loaded, ConfigErrors> {
    let layers::Layers { sections, places, shown, mut findings } =
        layers::lay(text, context.variables)
            .map_err(|problems| ConfigErrors::new(context.path, problems))?;
    let config = parse_sections(sections, context, pinned(&places), &mut findings);
    let Found { problems, warnings, lacking } = findings.finish();
    match config {
        Some(config) if problems.is_empty() => {
            let config = Config { lacking, ..config };
            Ok(Loaded { config, warnings, entries: entries(shown, &places) })
        }
        _ => Err(ConfigErrors::new(context.path, problems).beside(lacking)),
    }
}

/// Parses all sections before giving up, so that every problem is told.
fn parse_sections(
    sections: Sections,
    context: &Context<'_>,
    pinned: BTreeSet<&'static str>,
    findings: &mut Findings,
) -> Option<Config> {
    let server = sections.server.parse(context, findings);
    let database = sections.database.parse(context, findings);
    let splynx = sections.splynx.parse(context, findings);
    let bitpay = sections.bitpay.parse(findings);
    let payments = sections.payments.parse(findings);
    let worker = sections.worker.parse(findings);
    let alerts = sections.alerts.parse(context, findings);
    let log = sections.log.parse(findings);
    let (bitpay, transaction_speed) = bitpay?;
    let payments = payments?;
    Some(Config {
        path: context.path.to_owned(),
        server: server?,
        database: database?,
        splynx: splynx?,
        bitpay,
        rules: PaymentRules {
            currency: payments.currency,
            payment_method_id: payments.payment_method_id,
            minimum: payments.minimum,
            maximum: payments.maximum,
            fee: payments.fee,
            transaction_speed,
            statements: payments.statements,
        },
        worker: worker?,
        alerts: alerts?,
        log: log?,
        pinned,
        lacking: Vec::new(),
    })
}

fn pinned(places: &BTreeMap<&'static str, Place>) -> BTreeSet<&'static str> {
    let from_environment =
        places.iter().filter(|(_, place)| matches!(place, Place::Environment { .. }));
    from_environment.map(|(path, _)| *path).collect()
}

fn entries(
    mut shown: BTreeMap<&'static str, String>,
    places: &BTreeMap<&'static str, Place>,
) -> Vec<Entry> {
    let entry = |key: &'static key::Key| Entry {
        key,
        value: shown.remove(key.path).unwrap_or_default(),
        place: places.get(key.path).cloned().unwrap_or(Place::Default),
    };
    key::all().map(entry).collect()
}

#[cfg(test)]
mod tests;

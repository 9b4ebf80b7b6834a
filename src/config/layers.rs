//! Lays file and environment over the defaults and remembers where each value came from.
//!
//! **Invariant:** what reaches the `config` crate has been checked key by key before, so that it has nothing left to
//! complain about: our findings name lines, its errors cannot.

use std::collections::BTreeMap;

use config::{Environment, FileFormat, Map, Source, Value};
use serde::Deserialize;

use super::file::{self, Written};
use super::finding::{Finding, Findings, Place};
use super::key::{self, PREFIX, SEPARATOR};
use super::variables::Variables;

/// All sections as written, before their values are parsed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sections {
    pub(super) server: super::server::ServerKeys,
    pub(super) database: super::database::DatabaseKeys,
    pub(super) splynx: super::splynx::SplynxKeys,
    pub(super) bitpay: super::bitpay::BitpayKeys,
    pub(super) payments: super::payments::PaymentsKeys,
    pub(super) worker: super::worker::WorkerKeys,
    pub(super) alerts: super::alerts::AlertsKeys,
    pub(super) log: super::log::LogKeys,
}

/// The layers laid over one another.
pub(super) struct Layers {
    /// What is in force.
    pub(super) sections: Sections,
    /// Where each key that is not a default was written.
    pub(super) places: BTreeMap<&'static str, Place>,
    /// The same values as text that may be shown.
    pub(super) shown: BTreeMap<&'static str, String>,
    /// What was wrong with the shape of the file or the environment.
    pub(super) findings: Findings,
}

/// Lays the layers: defaults, then the file, then the environment.
///
/// # Errors
///
/// When the file is not TOML, or the `config` crate disagrees with our table of keys.
pub(super) fn lay(text: &str, variables: &Variables) -> Result<Layers, Vec<Finding>> {
    let mut problems: Vec<Finding> = Vec::new();
    let written = file::read(text, &mut problems)?;
    let overrides = variables.overrides(&mut problems);

    let mut places: BTreeMap<&'static str, Place> =
        written.iter().map(|(path, value)| (*path, Place::line(value.line))).collect();
    for (key, variable, _) in &overrides {
        places.insert(key.path, Place::Environment { variable: variable.clone() });
    }

    let environment = overrides.into_iter().map(|(_, variable, value)| (variable, value)).collect();
    let merged = config::Config::builder()
        .add_source(config::File::from_str(&defaults(), FileFormat::Toml))
        .add_source(FileLayer(written))
        .add_source(
            Environment::with_prefix(PREFIX.trim_end_matches('_'))
                .prefix_separator(SEPARATOR)
                .separator(SEPARATOR)
                .source(Some(environment)),
        )
        .build()
        .map_err(|error| disagreement(&error))?;
    let shown = key::all().map(|key| (key.path, super::show::value(key, &merged))).collect();
    let sections = merged.try_deserialize().map_err(|error| disagreement(&error))?;
    Ok(Layers {
        sections,
        places: places.clone(),
        shown,
        findings: Findings::new(places, problems),
    })
}

fn disagreement(error: &config::ConfigError) -> Vec<Finding> {
    vec![Finding::whole(error.to_string())]
}

/// The defaults as TOML, without the explanations.
pub(super) fn defaults() -> String {
    let section = |section: &key::Section| {
        let keys = section.keys.iter().map(|key| format!("{} = {}\n", key.name, key.default));
        format!("[{}]\n{}", section.name, keys.collect::<Vec<_>>().concat())
    };
    key::SECTIONS.iter().map(section).collect::<Vec<_>>().concat()
}

/// The checked file as a layer of the `config` crate.
#[derive(Clone)]
struct FileLayer(BTreeMap<&'static str, Written>);

impl std::fmt::Debug for FileLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Source for FileLayer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        let value = |written: &Written| Value::new(None, written.value.clone());
        Ok(self.0.iter().map(|(path, written)| ((*path).to_owned(), value(written))).collect())
    }
}

//! `splynx-bitpay config`: check, print or explain the configuration.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Subcommand;

use super::output::Streams;
use super::{Ending, wiring};
use crate::config::{self, ConfigErrors, Finding, module_settings, reference, show};

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say everything that is wrong with the configuration, with line and key.
    Check,
    /// Print a configuration file with every key, its meaning and its default.
    Default,
    /// Print what is in force and where each value comes from, without secrets.
    Show,
}

impl Command {
    /// Does it with the file at `path`.
    ///
    /// # Errors
    ///
    /// The configuration's own, or that the answer cannot be written.
    pub(super) fn run(&self, path: &Path, streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
        match self {
            Self::Check => check(path, streams),
            Self::Default => default(streams),
            Self::Show => super::block_on(show(path, streams)),
        }
    }
}

fn check(path: &Path, streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    let loaded = config::load(path).map_err(ConfigErrors::with_lacking)?;
    loaded.config.require_api()?;
    warn(&loaded.warnings, streams);
    writeln!(streams.out, "The configuration {} is good.", loaded.config.path.display())?;
    Ok(Ending::Good)
}

fn default(streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    write!(streams.out, "{}", reference::default_file())?;
    Ok(Ending::Good)
}

async fn show(path: &Path, streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    let loaded = config::load(path)?;
    warn(&loaded.warnings, streams);
    let settings = match wiring::remembered_settings(&loaded.config).await {
        Ok(settings) => settings,
        Err(error) => {
            // The answer counts; a warning that cannot be written is no reason to fail.
            writeln!(
                streams.err,
                "warning: what the module's settings in Splynx override is not shown: {error:#}"
            )
            .ok();
            BTreeMap::new()
        }
    };
    let used = module_settings::used(&loaded.config, &settings);
    write!(streams.out, "{}", show::text(&loaded.entries, &used))?;
    Ok(Ending::Good)
}

fn warn(warnings: &[Finding], streams: &mut Streams<'_>) {
    for warning in warnings {
        // The answer counts; a warning that cannot be written is no reason to fail.
        writeln!(streams.err, "warning: {warning}").ok();
    }
}

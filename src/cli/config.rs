//! `splynx-bitpay config`: check, print, explain or change the configuration.
//!
//! **Invariant:** a secret comes in by standard input alone: a command line can be read by everybody on the machine.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, bail};
use clap::Subcommand;

use super::output::Streams;
use super::{Ending, wiring};
use crate::config::edit::{self, Change};
use crate::config::{self, ConfigErrors, Finding, Variables, module_settings, reference, show};

/// No value of a configuration is longer.
const LONGEST: u64 = 64 * 1024;

/// What stands for standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say everything that is wrong with the configuration, with line and key.
    Check,
    /// Print a configuration file with every key, its meaning and its default.
    Default,
    /// Print what is in force and where each value comes from, without secrets.
    Show,
    /// Print one key of the file, or its default. Secrets are not printed.
    Get {
        /// SECTION.KEY, such as `splynx.splynx_url`.
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// Change one key of the file; comments, order and everything else stay. A bad value changes nothing.
    Set {
        /// SECTION.KEY, such as `splynx.splynx_url`.
        #[arg(value_name = "KEY")]
        key: String,
        /// The new value, lists with commas; `-` reads it from standard input, as secrets must be.
        #[arg(value_name = "VALUE", allow_hyphen_values = true)]
        value: String,
    },
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
            Self::Get { key } => get(path, key, streams),
            Self::Set { key, value } => set(path, key, value, streams),
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

fn get(path: &Path, key: &str, streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    writeln!(streams.out, "{}", edit::get(path, key)?)?;
    Ok(Ending::Good)
}

fn set(path: &Path, key: &str, value: &str, streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    let value = match value {
        STANDARD_INPUT => one_line(std::io::stdin().lock())?,
        value if edit::is_secret(edit::known(key)?, value) => bail!(
            "a secret on a command line can be read by everybody on this machine: write `config set {key} -` and give \
             it on standard input"
        ),
        value => value.to_owned(),
    };
    let said = match edit::set(path, &[(key, &value)], &Variables::of_this_process())? {
        Change::Made => "is set",
        Change::WasThere => "was set to this already",
    };
    writeln!(streams.out, "{key} {said}.")?;
    Ok(Ending::Good)
}

/// The one line of `input`, without its end.
pub(super) fn one_line(input: impl Read) -> anyhow::Result<String> {
    let mut text = String::new();
    input.take(LONGEST).read_to_string(&mut text).context("standard input cannot be read")?;
    let line = text.trim_end_matches(['\r', '\n']);
    if line.contains(['\r', '\n']) {
        bail!("standard input has more than one line");
    }
    Ok(line.to_owned())
}

fn warn(warnings: &[Finding], streams: &mut Streams<'_>) {
    for warning in warnings {
        // The answer counts; a warning that cannot be written is no reason to fail.
        writeln!(streams.err, "warning: {warning}").ok();
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("s3cret\n", "s3cret")]
    #[case("s3cret", "s3cret")]
    #[case("s3 cret\r\n", "s3 cret")]
    #[case("", "")]
    fn a_value_is_one_line(#[case] input: &str, #[case] value: &str) {
        assert_eq!(one_line(input.as_bytes()).unwrap(), value);
    }

    #[test]
    fn more_than_one_line_is_no_value_and_is_not_repeated() {
        let error = one_line("hunter2\nmore".as_bytes()).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

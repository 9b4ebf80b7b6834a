//! The `splynx-bitpay` command: one file per subcommand.
//!
//! **Invariant:** exit code 0 is good, 1 the thing failed and standard error says what and what to do, 2 wrong usage.

mod config;
pub mod output;
pub mod progress;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::DEFAULT_PATH;
use output::Streams;

/// Lets the customers of a Splynx ISP pay by bitcoin.
#[derive(Debug, Parser)]
#[command(name = "splynx-bitpay", version, about, max_term_width = 100)]
struct Arguments {
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_PATH)]
    config: PathBuf,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check, print or explain the configuration.
    #[command(subcommand)]
    Config(config::Command),
}

/// How a command ended. What failed is an error instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All is well.
    Good,
    /// The command worked and has told of something that is not well.
    NotGood,
}

/// Runs the command that `arguments` (with the program's name) ask for, on the streams of this process.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut out = output::Tolerant::new(std::io::stdout().lock());
    let mut err = std::io::stderr();
    ExitCode::from(execute(arguments, Streams { out: &mut out, err: &mut err }))
}

/// Runs a command on any streams. Returns its exit code.
fn execute(arguments: impl IntoIterator<Item = OsString>, mut streams: Streams<'_>) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(message) => return explain(&message, &mut streams),
    };
    let ending = dispatch(&arguments, &mut streams)
        .and_then(|ending| Ok(streams.out.flush().map(|()| ending)?));
    match ending {
        Ok(Ending::Good) => 0,
        Ok(Ending::NotGood) => 1,
        Err(error) => {
            // With standard error gone too, the exit code is all there is to tell.
            writeln!(streams.err, "splynx-bitpay: {error:#}").ok();
            1
        }
    }
}

fn dispatch(arguments: &Arguments, streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    match &arguments.command {
        Command::Config(command) => command.run(&arguments.config, streams),
    }
}

/// Prints clap's message: the help that was asked for, or what is wrong with the arguments.
fn explain(message: &clap::Error, streams: &mut Streams<'_>) -> u8 {
    let text = message.render();
    let (printed, code) = if message.use_stderr() {
        (write!(streams.err, "{text}"), 2)
    } else {
        (write!(streams.out, "{text}").and_then(|()| streams.out.flush()), 0)
    };
    printed.map_or(1, |()| code)
}

#[cfg(test)]
mod tests;

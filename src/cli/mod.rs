//! The `splynx-bitpay` command: one file per subcommand.
//!
//! **Invariant:** exit code 0 is good, 1 the thing failed and standard error says what and what to do, 2 wrong usage.

mod attempts;
mod audit;
mod backup;
mod config;
mod currency;
mod doctor;
mod entry_points;
mod install_splynx;
#[cfg(test)]
mod manual;
mod migrate;
mod move_database;
pub mod output;
mod owner;
mod pairing;
pub mod progress;
mod reconcile;
mod serve;
mod who;
mod wiring;

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
    /// Serve the pages and record payments until told to stop.
    Serve,
    /// Pair with the processor by a pairing code, or by a token made without "Require Authentication".
    Pair {
        /// The code from BitPay's dashboard; `-` reads it from standard input, so that no list of processes shows it.
        #[arg(value_name = "CODE")]
        code: String,
    },
    /// Stop using the paired account for new payments; open ones are still watched.
    Unpair,
    /// Show the paired account.
    Pairing,
    /// Check everything the add-on needs, and say what to do.
    Doctor {
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// Send a test message to everybody who is told of what a person must look at.
        #[arg(long)]
        test_alert: bool,
    },
    /// Bring the database to this version, or back for an older one.
    Migrate {
        /// Take back every migration after this one, before an older version is installed. Stop the service first.
        #[arg(long, value_name = "NUMBER")]
        back_to: Option<String>,
        /// Change nothing; print the number of the last migration this version knows.
        #[arg(long, conflicts_with = "back_to")]
        latest: bool,
    },
    /// Move everything to another database: from SQLite to PostgreSQL, to another PostgreSQL, or back. Stop the service
    /// first; nothing is taken away from the old one.
    MoveDatabase(move_database::Wish),
    /// Copy the database into a file, beside a running service, and remove old copies.
    Backup(backup::Wish),
    /// Look at payments, and settle what waits for a person.
    #[command(subcommand)]
    Attempts(attempts::Command),
    /// Read the audit journal, or prove that nobody has changed it.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Compare processor, add-on and Splynx. Names what differs, changes nothing.
    Reconcile(reconcile::Wish),
    /// Check, print, explain or change the configuration.
    #[command(subcommand)]
    Config(config::Command),
    /// Wire the add-on into the Splynx of this host: API key, permissions, module, entry points, nginx. Can be repeated.
    InstallSplynx(install_splynx::Wish),
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
    let words: Vec<OsString> = arguments.into_iter().collect();
    let mut out = output::Tolerant::new(std::io::stdout().lock());
    let mut err = std::io::stderr();
    let mut streams = Streams { out: &mut out, err: &mut err };
    // Here and not in `execute`: what tests run inside their own process must stay in it.
    if let Ok(arguments) = Arguments::try_parse_from(&words)
        && let Err(error) = owner::become_owner(&arguments, &words)
    {
        return ExitCode::from(fail(&error, &mut streams));
    }
    ExitCode::from(execute(words, streams))
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
        Err(error) => fail(&error, &mut streams),
    }
}

/// Says what went wrong. Returns the exit code.
fn fail(error: &anyhow::Error, streams: &mut Streams<'_>) -> u8 {
    // With standard error gone too, the exit code is all there is to tell.
    writeln!(streams.err, "splynx-bitpay: {error:#}").ok();
    1
}

fn dispatch(arguments: &Arguments, streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    let path = &arguments.config;
    match &arguments.command {
        Command::Serve => block_on(serve::run(path)),
        Command::Pair { code } => block_on(pairing::pair(path, code, streams)),
        Command::Unpair => block_on(pairing::unpair(path, streams)),
        Command::Pairing => block_on(pairing::show(path, streams)),
        Command::Doctor { json, test_alert } => {
            let wish = doctor::Wish { json: *json, test_alert: *test_alert };
            block_on(doctor::run(path, wish, streams))
        }
        Command::Migrate { latest: true, .. } => migrate::latest(streams),
        Command::Migrate { back_to: Some(to), .. } => block_on(migrate::back(path, to, streams)),
        Command::Migrate { back_to: None, .. } => block_on(migrate::run(path, streams)),
        Command::MoveDatabase(wish) => block_on(move_database::run(path, wish, streams)),
        Command::Backup(wish) => block_on(backup::run(path, wish, streams)),
        Command::Attempts(command) => block_on(command.run(path, streams)),
        Command::Audit(command) => block_on(command.run(path, streams)),
        Command::Reconcile(wish) => block_on(reconcile::run(path, *wish, streams)),
        Command::Config(command) => command.run(path, streams),
        Command::InstallSplynx(wish) => block_on(install_splynx::run(path, wish, streams)),
    }
}

/// Runs a command to its end, on this thread alone: the add-on is a guest on the Splynx server.
fn block_on<F>(work: F) -> anyhow::Result<Ending>
where
    F: Future<Output = anyhow::Result<Ending>>,
{
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
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

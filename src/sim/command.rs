//! The `splynx-bitpay-sim` command: each simulator alone, or the demo.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::{bitpay, demo, splynx};

/// Simulated Splynx and BitPay servers for trying the add-on out. Loopback only; no money is real.
#[derive(Debug, Parser)]
#[command(name = "splynx-bitpay-sim", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything at once: portal, add-on with an embedded database, BitPay.
    Demo(demo::Options),
    /// A Splynx server: API, portal, admin pages.
    Splynx {
        /// Where it listens.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8332")]
        listen: String,
        /// Where the add-on listens; the portal passes /bitpay on to it.
        #[arg(long, value_name = "URL")]
        addon: Option<String>,
    },
    /// A BitPay server: API, dashboard, checkout.
    Bitpay {
        /// Where it listens.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8333")]
        listen: SocketAddr,
        /// The address it is reached by, where that is not the one it listens on: with TLS in front of it.
        #[arg(long, value_name = "URL")]
        public_url: Option<String>,
        /// Pairing codes that are valid at once.
        #[arg(long = "pairing-code", value_name = "CODE")]
        pairing_codes: Vec<String>,
    },
}

/// Runs the command that `arguments` (with the program's name) ask for.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(message) => {
            let code = if message.use_stderr() { 2 } else { 0 };
            message.print().ok();
            return ExitCode::from(code);
        }
    };
    let ended = match arguments.command {
        Command::Demo(options) => demo::run(&options),
        Command::Splynx { listen, addon } => {
            splynx::run(splynx::Options { listen, bitpay_url: addon, ..splynx::Options::default() })
        }
        Command::Bitpay { listen, public_url, pairing_codes } => bitpay::run(bitpay::Options {
            listen,
            public_url,
            pairing_codes,
            ..bitpay::Options::default()
        }),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(std::io::stderr(), "splynx-bitpay-sim: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

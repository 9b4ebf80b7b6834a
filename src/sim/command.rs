//! The `splynx-bitpay-sim` command: each simulator alone, or the demo.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::arguments::{loopback, pairing_code, server_url};
use super::{bitpay, demo, simulate, splynx};

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
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8332", value_parser = loopback)]
        listen: SocketAddr,
        /// Where the add-on listens; the portal passes /bitpay on to it.
        #[arg(long, value_name = "URL", value_parser = server_url)]
        addon: Option<String>,
    },
    /// A BitPay server: API, dashboard, checkout.
    Bitpay {
        /// Where it listens.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8333", value_parser = loopback)]
        listen: SocketAddr,
        /// The address it is reached by, where that is not the one it listens on: with TLS in front of it.
        #[arg(long, value_name = "URL", value_parser = server_url)]
        public_url: Option<String>,
        /// Pairing codes that are valid at once.
        #[arg(long = "pairing-code", value_name = "CODE", value_parser = pairing_code)]
        pairing_codes: Vec<String>,
    },
    /// The money path in a simulated world, seed by seed: crashes, lost answers, wrong clocks.
    Simulate(simulate::command::Options),
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
        Command::Splynx { listen, addon } => splynx::run(splynx::Options {
            listen: listen.to_string(),
            bitpay_url: addon,
            ..splynx::Options::default()
        }),
        Command::Bitpay { listen, public_url, pairing_codes } => bitpay::run(bitpay::Options {
            listen,
            public_url,
            pairing_codes,
            ..bitpay::Options::default()
        }),
        Command::Simulate(options) => simulate::command::run(&options),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(std::io::stderr(), "splynx-bitpay-sim: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use rstest::rstest;

    use super::*;

    fn ended(words: &[&str]) -> ExitCode {
        run(std::iter::once(&"splynx-bitpay-sim").chain(words).map(OsString::from))
    }

    #[test]
    fn the_command_line_is_well_defined() {
        Arguments::command().debug_assert();
    }

    #[rstest]
    #[case(&["splynx", "--listen", "0.0.0.0:8332"])]
    #[case(&["splynx", "--listen", "127.0.0.1"])]
    #[case(&["splynx", "--addon", "127.0.0.1:8330"])]
    #[case(&["splynx", "--addon", "ftp://127.0.0.1"])]
    #[case(&["bitpay", "--listen", "192.0.2.1:8333"])]
    #[case(&["bitpay", "--listen", "[::]:8333"])]
    #[case(&["bitpay", "--public-url", "bitpay.example"])]
    #[case(&["bitpay", "--public-url", "https://bitpay.example/?a=b"])]
    #[case(&["bitpay", "--pairing-code", "short"])]
    #[case(&["bitpay", "--pairing-code", "seven-7"])]
    #[case(&["demo", "--port", "0"])]
    #[case(&["demo", "--port", "65533"])]
    fn wrong_usage_is_two(#[case] words: &[&str]) {
        assert_eq!(ended(words), ExitCode::from(2));
    }

    #[rstest]
    #[case(&["splynx", "--listen", "127.0.0.1:0", "--addon", "http://127.0.0.1:8330/"])]
    #[case(&["bitpay", "--listen", "[::1]:8333", "--pairing-code", "DemoPay", "--pairing-code", "Bench01"])]
    #[case(&["bitpay", "--public-url", "https://localhost:8443"])]
    #[case(&["demo", "--port", "65532"])]
    #[case(&["simulate", "--seed", "7", "--count", "2", "--trace", "--minutes", "1"])]
    fn good_usage_is_understood(#[case] words: &[&str]) {
        let words = std::iter::once(&"splynx-bitpay-sim").chain(words);
        assert!(Arguments::try_parse_from(words).is_ok());
    }
}

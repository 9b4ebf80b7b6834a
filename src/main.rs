//! The `splynx-bitpay` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    splynx_bitpay::cli::run(std::env::args_os())
}

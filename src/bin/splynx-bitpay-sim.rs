//! The simulators and the demo. Never part of the production binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    splynx_bitpay::sim::command::run(std::env::args_os())
}

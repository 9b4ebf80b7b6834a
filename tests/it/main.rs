//! The `splynx-bitpay` command.

fn main() {}

//! The outside world as real HTTP servers: Splynx and BitPay, for tests and the demo.
//!
//! **Invariant:** no simulator shares a wire struct with the adapter it tests; otherwise both would be wrong together.

mod arguments;
pub mod bitpay;
pub mod command;
pub mod demo;
pub mod faults;
pub mod postgres;
pub mod simulate;
pub mod splynx;

use std::io::{self, Write as _};

/// Says on standard output what whoever started it must know.
fn announce(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

//! The outside world as real HTTP servers: Splynx and BitPay, for tests and the demo.
//!
//! **Invariant:** no simulator shares a wire struct with the adapter it tests; otherwise both would be wrong together.

pub mod bitpay;
pub mod command;
pub mod demo;
pub mod faults;
pub mod postgres;
pub mod splynx;

//! BitPay, or a server that speaks its API v2.

pub mod ipn;
pub mod key;

//! The Splynx adapter: [`Client`] implements the ports of [`ports::billing`](crate::ports::billing).
//!
//! `client` sends, `auth` decides with which credentials, `outcome` says what an answer means for the money, `search`
//! proves presence and absence, `session` says who a visitor is; the other files are one resource each.
//!
//! **Invariants:** no request that writes is ever sent twice by this module, but for one repetition after a 401, which
//! Splynx surely did not execute. No wire shape leaves it. No secret, body or address with a query is logged or put into
//! an error.

mod auth;
mod billing;
mod client;
mod diagnostics;
mod documents;
mod limits;
mod mail;
mod operation;
mod outcome;
mod payments;
mod permissions;
mod reconciling;
mod remembered;
mod search;
mod session;
mod settings;
mod statements;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod wire;

pub use client::{Client, Config, InvalidConfig};
pub use diagnostics::{ApiCheck, Choice, EntryPoint, Permission};
pub use mail::Mailer;
pub use permissions::{GRANTS, Grant};

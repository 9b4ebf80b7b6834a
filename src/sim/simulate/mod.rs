//! Deterministic simulation of the money path: one seed, one world (R23, docs/adr/0005).
//!
//! **Invariant:** the use cases, the domain and the worker's turn are the real ones; only their ports are simulated, and
//! the same seed gives the same events for ever.

mod bitpay;
mod clock;
pub mod command;
mod coverage;
pub(crate) mod disk;
mod executor;
mod journal;
mod oracle;
mod people;
mod plan;
mod process;
mod rng;
mod run;
mod splynx;
mod world;

#[cfg(test)]
mod scenes;
#[cfg(test)]
mod tests;

pub use self::coverage::{Coverage, Happening};
pub use self::run::{Outcome, simulate};

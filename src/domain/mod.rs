//! The add-on's own rules, pure: no I/O, no clock, no randomness.
//!
//! **Invariant:** this module names no other module of the crate, so that all of it can be tested by calling it.

pub mod actor;
pub mod alert;
pub mod allocation;
pub mod attempt;
pub mod connection;
pub mod credit;
pub mod fee;
pub mod ids;
pub mod money;
pub mod observation;
pub mod payable;
pub mod posting;
pub mod proof;
pub mod recording;
pub mod review;
pub mod rules;
pub mod schedule;
pub mod settlement;
#[cfg(test)]
mod transitions;

//! The heavy suites of real processes, each small in `make test` and full by `make torture`.
//!
//! **Invariant:** the oracle of every one of them is what the simulated Splynx holds; what is killed, repeated or
//! mistimed is the unmodified binary.

mod clock;
mod crew;
pub(crate) mod orders;
mod r01_storm;
mod r02_triple;
mod r03_kill;
mod r04_unclear;
mod r05_down;
mod r06_away;
mod r09_clock;
mod r18_two;
mod rain;
mod shopper;
mod shopping;

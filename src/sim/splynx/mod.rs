//! Splynx as a real HTTP server: its REST API v2.0, its portal, and a control API for tests and the demo.
//!
//! It keeps state, verifies signatures and tokens, and follows the money rules in `ledger`. It never helps a client:
//! there is no idempotency, nothing is paid by a wrong sum, and nobody reads what is not theirs.

mod access;
mod api;
mod books;
mod clock;
mod control;
mod edits;
mod entry_points;
mod ledger;
mod options;
mod portal;
pub mod rows;
mod seed;
mod server;
mod table;
mod world;

#[cfg(test)]
mod tests;

pub use access::{Access, Principal, Token};
pub use books::{Books, Draft, DraftItem};
pub use clock::SimClock;
pub use entry_points::EntryPoint;
pub use options::{Behaviour, Options, Seed, Typing};
pub use rows::{
    Admin, Category, Customer, Direction, Document, Item, Kind, Mail, Method, Partner, Payment,
    Record, Relation, Statement, Status, Transaction,
};
pub use server::{Simulator, run};
pub use table::{Cell, Column, Row, Table};
pub use world::{SettingsGroup, World};

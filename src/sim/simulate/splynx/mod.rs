//! The simulated Splynx: its rows, and how requests to it fare on the way.
//!
//! **Invariant:** a payment is not idempotent: each execution makes a row. What was sent lives on here, whatever becomes of
//! its sender.

mod books;
mod reads;
mod statements;
mod writes;

use std::sync::Arc;

use super::clock::HostClock;
use super::executor::Life;
use super::world::World;

pub(super) use self::books::{Books, MoneyRow};

/// How long a request to Splynx may take, in milliseconds.
pub(super) const TIMEOUT: i64 = 15_000;

/// Splynx as one process sees it.
pub(super) struct SplynxPort {
    pub(super) world: Arc<World>,
    pub(super) life: Life,
    pub(super) clock: Arc<HostClock>,
}

//! The store a story is played on.
//!
//! **Invariant:** a story sees the port alone, whichever store is behind it.

use std::fmt;
use std::ops::Deref;

use super::Db;
use crate::ports::store::Store;
use crate::sim::simulate::disk::DiskPort;

/// The store a story is played on.
pub(super) enum Held {
    Db(Db),
    Simulated(DiskPort),
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}

impl Deref for Held {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Db(db) => db,
            Self::Simulated(disk) => disk,
        }
    }
}

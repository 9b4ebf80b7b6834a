//! Loopback ports for one test: free, and free again after the add-on was killed.
//!
//! **Invariant:** the ports lie below those the system gives to outgoing connections, and a locked file keeps other
//! tests away from them, so that a restarted add-on always finds its own again.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

/// The system's own ports begin at 32768.
const FIRST: u16 = 12_000;
const LAST: u16 = 31_990;

/// Neighbouring ports, kept until this is dropped.
#[derive(Debug)]
pub(crate) struct Ports {
    first: u16,
    _locks: Vec<File>,
}

impl Ports {
    /// Takes two ports that nobody has.
    pub(crate) fn take() -> Self {
        Self::take_pairs(1)
    }

    /// Takes four ports that nobody has, as the demo wants them.
    pub(crate) fn take_four() -> Self {
        Self::take_pairs(2)
    }

    fn take_pairs(count: u16) -> Self {
        let folder = std::env::temp_dir().join("splynx-bitpay-test-ports");
        fs::create_dir_all(&folder).unwrap();
        let span = u32::from(LAST - FIRST);
        let start = std::process::id().wrapping_mul(2_654_435) % span;
        for step in (0..span).step_by(2) {
            let offset = u16::try_from((start + step) % span).unwrap() & !1;
            let first = FIRST + offset;
            let pairs = (0..count).map(|pair| take_pair(&folder, first + 2 * pair));
            if let Some(locks) = pairs.collect() {
                return Self { first, _locks: locks };
            }
        }
        panic!("no free ports on loopback");
    }

    /// The first of them.
    pub(crate) fn first(&self) -> u16 {
        self.first
    }

    /// For the pages.
    pub(crate) fn pages(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.first))
    }

    /// For `/health`, `/ready` and `/metrics`.
    pub(crate) fn ops(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.first + 1))
    }
}

fn take_pair(folder: &Path, first: u16) -> Option<File> {
    let lock = File::create(folder.join(first.to_string())).unwrap();
    let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (lock.try_lock().is_ok() && free(first) && free(first + 1)).then_some(lock)
}

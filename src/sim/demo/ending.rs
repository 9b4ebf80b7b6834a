//! What ends the demo: Ctrl-C, the service manager's SIGTERM, the closing of the terminal.
//!
//! **Invariant:** a signal that comes while nobody waits is kept until somebody does.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals, from the moment this was made.
pub(super) struct Ending {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Ending {
    /// From now on none of them ends the process at once.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Returns when one of them has come.
    pub(super) async fn wanted(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }

    /// Whether one of them has come or is on its way.
    pub(super) async fn is_wanted_soon(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(200), self.wanted()).await.is_ok()
    }
}

//! The two listeners at work: known to serve, watched, and ended so that nobody's request is lost.
//!
//! **Invariant:** a listener that ends by itself, or a task that panics, ends the service, which the service manager then
//! starts anew.

use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use anyhow::{bail, ensure};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::worker::tasks::Tasks;

/// What was accepted has reached the thread that answers it after this time.
const HANDING_ON: Duration = Duration::from_millis(100);

/// Both servers.
pub(super) struct Servers {
    pages: ServerHandle,
    ops: ServerHandle,
    ended: CancellationToken,
}

/// How the service manager says that it is over.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens for SIGTERM and SIGINT.
    pub(super) fn listen() -> anyhow::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn come(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

impl Servers {
    /// Starts both.
    pub(super) fn start(tasks: &Tasks, pages: Server, ops: Server) -> Self {
        let ended = CancellationToken::new();
        let servers = Self { pages: pages.handle(), ops: ops.handle(), ended };
        for server in [pages, ops] {
            let ended = servers.ended.clone();
            tasks.start(async move {
                if let Err(error) = server.await {
                    tracing::error!(%error, "a listener ended");
                }
                ended.cancel();
            });
        }
        servers
    }

    /// Returns when both accept connections and have threads that answer them.
    pub(super) async fn serve(&self) -> anyhow::Result<()> {
        // A server obeys from the moment on when all its threads run; to resume what was never paused changes nothing.
        self.pages.resume().await;
        self.ops.resume().await;
        self.live()
    }

    /// Returns when somebody says that it is over, or a part of the service is gone.
    pub(super) async fn until(&self, signals: &mut Signals, tasks: &Tasks) -> anyhow::Result<()> {
        tokio::select! {
            () = signals.come() => Ok(()),
            () = self.ended.cancelled() => self.live(),
            () = tasks.fallen() => bail!("a part of the service panicked; the log says where"),
        }
    }

    fn live(&self) -> anyhow::Result<()> {
        ensure!(!self.ended.is_cancelled(), "a listener ended by itself; the log says why");
        Ok(())
    }

    /// Ends both; requests under way are answered.
    pub(super) async fn stop(&self, socket_outlives_us: bool) {
        if socket_outlives_us {
            // A server that stops drops what it has accepted and not begun to read. So it first accepts no more:
            // whoever connects from now on waits in the socket for the next process.
            self.pages.pause().await;
            tokio::time::sleep(HANDING_ON).await;
        }
        self.pages.stop(true).await;
        self.ops.stop(false).await;
    }
}

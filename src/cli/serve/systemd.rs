//! What systemd hands over, and what it is told: sockets, readiness, the end, the watchdog.
//!
//! **Invariant:** without systemd nothing here does anything, and nothing fails for it.

use std::env;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use listenfd::ListenFd;
use sd_notify::NotifyState;

use crate::config::Server;
use crate::db::Db;
use crate::worker::tasks::Tasks;

/// `FileDescriptorName=` of the socket for `/health`, `/ready` and `/metrics`.
const OPS: &str = "ops";

/// Between two questions to the database, at most: there is no need to wait for the half of a long interval.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The sockets that systemd listens on for us. They outlive this process: what connects while it is restarted waits.
#[derive(Debug, Default)]
pub(super) struct Handed {
    pages: Option<TcpListener>,
    ops: Option<TcpListener>,
}

/// What is served on.
#[derive(Debug)]
pub(super) struct Sockets {
    /// For the pages and hooks.
    pub(super) pages: TcpListener,
    /// For those who watch the service.
    pub(super) ops: TcpListener,
    /// Whether systemd goes on listening for the pages when this process has ended.
    pub(super) outlive_us: bool,
}

impl Handed {
    /// Takes what was handed over. To be called before there are threads: it takes variables out of the environment.
    pub(super) fn take() -> anyhow::Result<Self> {
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut sockets = ListenFd::from_env();
        let mut names = names.split(':');
        let mut handed = Self::default();
        for index in 0..sockets.len() {
            let name = names.next().unwrap_or_default();
            let socket = sockets.take_tcp_listener(index);
            let socket = socket.context("systemd hands over something that is no TCP socket")?;
            let place = if name == OPS { &mut handed.ops } else { &mut handed.pages };
            ensure!(
                place.is_none(),
                "systemd hands over several sockets for the same: one is for the pages, and one may be named `{OPS}`"
            );
            *place = socket;
        }
        Ok(handed)
    }

    /// The sockets to serve on: those that were handed over, and our own in place of those that were not.
    pub(super) fn or_own(self, config: &Server) -> anyhow::Result<Sockets> {
        let outlive_us = self.pages.is_some();
        let pages = or_own(self.pages, config.listen, "server.listen")?;
        let ops = or_own(self.ops, config.ops_listen, "server.ops_listen")?;
        let address = ops.local_addr()?;
        ensure!(
            address.ip().is_loopback(),
            "systemd's socket `{OPS}` listens on {address}; what is served there is for this machine alone"
        );
        Ok(Sockets { pages, ops, outlive_us })
    }
}

fn or_own(
    handed: Option<TcpListener>,
    wanted: SocketAddr,
    key: &str,
) -> anyhow::Result<TcpListener> {
    let Some(socket) = handed else {
        return TcpListener::bind(wanted)
            .with_context(|| format!("{key}: cannot listen on {wanted}"));
    };
    let address = socket.local_addr().context("systemd's socket has no address")?;
    if address != wanted {
        tracing::warn!(key, %wanted, %address, "systemd listens on another address, and that one is served");
    }
    Ok(socket)
}

/// Tells that both listeners serve.
pub(super) fn ready(pages: SocketAddr) {
    tell(&[NotifyState::Ready, NotifyState::Status(&format!("serving on {pages}"))]);
}

/// Tells that the end has begun.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("finishing what has begun")]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd cannot be told how the service is");
    }
}

/// Where systemd wants to know that the service lives, tells it so.
///
/// It kills a service that does not tell, and starts another one. So the question is what a new process would mend:
///
/// * **A runtime that does not turn, threads that wait for each other or are gone.** A new process has new ones. Then no
///   one answers here, and nothing is told.
/// * **A database that is locked, full, read-only, slow or not reachable.** A new process would find the same one, and
///   could not even open it; killed again and again it would be given up, and nobody would take notifications when the
///   database is back. So whatever the database's threads answer is an answer, also that it cannot be read, and also to
///   somebody else whose question stood before ours. Nothing they do takes longer than their patience, of seconds. It
///   is a read, since a write waits for whoever has the pen and for a slow disk. `/ready` and `/metrics` tell of all
///   this.
pub(super) fn watch(db: &Arc<Db>, tasks: &Tasks) {
    let Some(interval) = sd_notify::watchdog_enabled() else {
        return;
    };
    let (db, stopping) = (Arc::clone(db), tasks.clone());
    let pause = (interval / 4).min(LONGEST_PAUSE);
    tasks.start(async move {
        let pulse = || {
            let db = Arc::clone(&db);
            async move { db.pulse().await }
        };
        tokio::select! {
            () = stopping.stopping() => {}
            () = ping(pause, pulse, || tell(&[NotifyState::Watchdog])) => {
                tracing::error!("the database's threads are gone; systemd is not told any more");
            }
        }
    });
}

/// Pings after each pulse; ends when there will be none any more.
async fn ping<F: Future<Output = bool>>(
    pause: Duration,
    mut pulse: impl FnMut() -> F,
    mut ping: impl FnMut(),
) {
    while pulse().await {
        ping();
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const PAUSE: Duration = Duration::from_millis(5);

    #[tokio::test]
    async fn a_database_that_answers_is_told_of_again_and_again() {
        let pings = Cell::new(0);
        let watching = ping(PAUSE, async || true, || pings.set(pings.get() + 1));
        assert!(tokio::time::timeout(PAUSE * 100, watching).await.is_err());
        assert!(pings.get() >= 3, "{}", pings.get());
    }

    #[tokio::test]
    async fn a_database_that_does_not_answer_is_not_told_of() {
        let pings = Cell::new(0);
        let answers = Cell::new(2);
        let pulse = async || match answers.replace(answers.get() - 1) {
            0 => std::future::pending().await,
            _ => true,
        };
        let watching = ping(PAUSE, pulse, || pings.set(pings.get() + 1));
        assert!(tokio::time::timeout(PAUSE * 100, watching).await.is_err());
        assert_eq!(pings.get(), 2);
    }

    #[tokio::test]
    async fn threads_that_are_gone_are_not_told_of() {
        ping(PAUSE, async || false, || panic!("they are gone")).await;
    }

    #[test]
    fn a_socket_of_another_address_is_taken() {
        let handed = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, wanted) = (handed.local_addr().unwrap(), "127.0.0.1:1".parse().unwrap());
        let taken = or_own(Some(handed), wanted, "server.listen").unwrap();
        assert_eq!(taken.local_addr().unwrap(), address);
    }

    #[test]
    fn an_address_that_is_taken_is_told_with_its_key() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap();
        let error = or_own(None, address, "server.listen").unwrap_err().to_string();
        assert_eq!(error, format!("server.listen: cannot listen on {address}"));
    }
}

//! Runs what is due, and posts notifications over real HTTP.
//!
//! **Invariant:** no redirect is followed, and no lock is held while a request is on its way.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::rt::{spawn, time::sleep};
use anyhow::Context as _;
use reqwest::redirect::Policy;
use tokio::sync::Semaphore;

use super::Shared;
use super::ipn::{Attempt, Outgoing};

/// How many notifications are on their way at once.
const CONCURRENT: usize = 64;

/// How long the scheduler sleeps when nothing is planned; a change wakes it earlier.
const IDLE: Duration = Duration::from_mins(1);

/// The client notifications leave by.
///
/// # Errors
/// Fails if the TLS library cannot be set up.
#[expect(
    clippy::disallowed_methods,
    reason = "the simulator shares no HTTP client with the add-on it tests"
)]
pub(super) fn client() -> anyhow::Result<reqwest::Client> {
    // Another part of the process may have chosen a provider before; any of them will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().redirect(Policy::none()).no_proxy();
    builder.build().context("cannot set up the client for notifications")
}

/// Does what falls due until the server ends.
pub(super) async fn run(shared: Arc<Shared>, client: reqwest::Client) {
    let slots = Rc::new(Semaphore::new(CONCURRENT));
    loop {
        let woken = shared.wake.notified();
        let now = shared.clock.now();
        let (leaving, next) = {
            let mut world = shared.world();
            world.run_due(now);
            let leaving = std::mem::take(&mut world.leaving);
            shared.sending.fetch_add(leaving.len(), Ordering::SeqCst);
            (leaving, world.agenda.next())
        };
        for number in leaving {
            spawn(send(Arc::clone(&shared), client.clone(), Rc::clone(&slots), number));
        }
        shared.settled.notify_waiters();
        let pause = next.map_or(IDLE, |next| now.until(next).max(Duration::from_millis(1)));
        tokio::select! {
            () = woken => {}
            () = sleep(pause) => {}
        }
    }
}

async fn send(shared: Arc<Shared>, client: reqwest::Client, slots: Rc<Semaphore>, number: u64) {
    // The semaphore is never closed, so that a slot is always granted.
    let slot = slots.acquire().await;
    let outgoing = shared.world().outgoing(number, &shared.base, shared.clock.now());
    if let Some(outgoing) = outgoing {
        let (status, error) = match post(&client, &outgoing).await {
            Ok(status) => (Some(status), None),
            Err(error) => (None, Some(describe(&error))),
        };
        let at = shared.clock.now();
        shared.world().record_attempt(number, Attempt { at, status, error });
    }
    drop(slot);
    shared.sending.fetch_sub(1, Ordering::SeqCst);
    shared.wake.notify_one();
    shared.settled.notify_waiters();
}

async fn post(client: &reqwest::Client, outgoing: &Outgoing) -> Result<u16, reqwest::Error> {
    let mut request = client
        .post(&outgoing.url)
        .header("content-type", "application/json")
        .timeout(Duration::from_millis(outgoing.timeout_ms))
        .body(outgoing.body.clone());
    if let Some(signature) = &outgoing.signature {
        request = request.header("x-signature", signature);
    }
    let answer = request.send().await?;
    Ok(answer.status().as_u16())
}

fn describe(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "cannot connect"
    } else {
        "no answer"
    };
    kind.to_owned()
}

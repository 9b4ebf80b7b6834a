//! BitPay as a real HTTP server: its REST API, its checkout page, its notifications and a control API.
//!
//! **Invariant:** keeps state, verifies every signature, and never shares a wire struct with the add-on's adapter.

mod agenda;
mod api;
mod checkout;
mod clock;
mod control;
mod currencies;
mod dashboard;
mod handle;
mod invoice;
mod invoices;
mod ipn;
mod order;
mod pages;
mod progress;
mod random;
mod rates;
mod reply;
mod sender;
mod server;
mod settings;
mod signature;
#[cfg(test)]
mod tests;
mod tokens;
mod wire;
mod world;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

pub use self::clock::Moment;
pub use self::control::{ControlError, InvoiceView, IpnRequest, PayKind, PayRequest};
pub use self::handle::{Simulator, run};
pub use self::invoice::{
    Event, Exception, IllegalMove, Refund, RefundReason, Share, Speed, Status,
};
pub use self::ipn::{Attempt, Delivery, DeliveryState};
pub use self::settings::Settings;
pub use self::signature::{SignatureError, ipn_signature, is_sin, signer, sin_of};
pub use self::tokens::{Facade, PairingCode, Standing, Token};
use self::world::World;
use super::faults::Script;

/// BitPay's two worlds; nothing of one works in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// `test.bitpay.com`: invoices can be paid by an API call.
    Test,
    /// `bitpay.com`.
    Production,
}

/// How a simulator starts.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address in the links it gives out; from `listen` if there is none.
    pub public_url: Option<String>,
    /// Which world it is.
    pub environment: Environment,
    /// Pairing codes that wait in the dashboard.
    pub pairing_codes: Vec<String>,
    /// Tokens of the dashboard that need no signature.
    pub open_tokens: Vec<String>,
    /// How it behaves at first.
    pub settings: Settings,
}

impl Default for Options {
    /// On a free port of loopback, in the test environment, with nothing in the dashboard.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            environment: Environment::Test,
            pairing_codes: Vec::new(),
            open_tokens: Vec::new(),
            settings: Settings::default(),
        }
    }
}

/// What the server's threads and the handle share.
#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    clock: clock::Clock,
    script: Script,
    /// The address in links, without a slash at the end.
    base: String,
    /// Something was planned or the clock moved.
    wake: Notify,
    /// Something finished.
    settled: Notify,
    /// Notifications on their way.
    sending: AtomicUsize,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the state, then lets the scheduler see what was planned.
    fn change<T>(&self, work: impl FnOnce(&mut World, Moment) -> T) -> T {
        let now = self.clock.now();
        let mut world = self.world();
        world.run_due(now);
        let result = work(&mut world, now);
        drop(world);
        self.wake.notify_one();
        result
    }

    /// Moves the time forward and does what falls due.
    fn advance(&self, by: std::time::Duration) {
        self.clock.advance(by);
        self.change(|_, _| ());
    }

    /// Whether nothing is due and no notification is on its way.
    fn is_settled(&self) -> bool {
        let world = self.world();
        let now = self.clock.now();
        let idle = self.sending.load(Ordering::SeqCst) == 0 && world.leaving.is_empty();
        idle && world.agenda.next().is_none_or(|next| next > now)
    }
}

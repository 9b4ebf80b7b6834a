//! The use cases, one file each.
//!
//! **Invariant:** a use case knows the domain and the ports alone; it commits what it is about to do before it does it.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::TimeDelta;
use tokio::sync::Notify;

use crate::domain::connection::Environment;
use crate::domain::rules::PaymentRules;
use crate::domain::schedule::Timing;
use crate::ports::billing::{Billing, Statements};
use crate::ports::clock::Clock;
use crate::ports::entropy::Entropy;
use crate::ports::processor::Processors;
use crate::ports::store::Store;

pub mod absences;
pub mod alerts;
pub mod dead_end;
pub mod open_attempt;
pub mod pair;
pub mod postings;
pub mod receive_hint;
pub mod reconcile;
pub mod refresh_attempt;
pub mod results;
pub mod settle;
pub mod start_payment;
pub mod statement_record;
pub mod work;

#[cfg(test)]
mod tests;

/// What never changes while the process runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where customers reach the add-on, without a slash at its end: `https://isp.example/bitpay`.
    pub public_url: String,
    /// Where customers reach the portal, without a slash at its end: `https://isp.example`.
    pub portal_url: String,
    /// Test or real money.
    pub environment: Environment,
    /// The processor's API, with a slash at its end; every new connection is made there.
    pub processor_url: String,
    /// Request timeout, lease and quiescence.
    pub timing: Timing,
    /// Pause between two looks at a young attempt.
    pub poll: TimeDelta,
    /// How long an attempt is watched.
    pub monitor: TimeDelta,
    /// The name of this process in leases.
    pub owner: String,
}

/// Everything a use case needs.
#[derive(Clone)]
pub struct App {
    /// Our memory.
    pub store: Arc<dyn Store>,
    /// Splynx: documents and payments.
    pub billing: Arc<dyn Billing>,
    /// Splynx: payment statements.
    pub statements: Arc<dyn Statements>,
    /// The processor accounts.
    pub processors: Arc<dyn Processors>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What never changes.
    pub settings: Arc<Settings>,
    /// Rings when an attempt became due now.
    pub wake: Arc<Notify>,
    /// What this process alone knows of searches that found nothing.
    pub absences: Arc<absences::Absences>,
    rules: Arc<RwLock<Arc<PaymentRules>>>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The ports an [`App`] is built on.
pub struct Ports {
    /// Our memory.
    pub store: Arc<dyn Store>,
    /// Splynx: documents and payments.
    pub billing: Arc<dyn Billing>,
    /// Splynx: payment statements.
    pub statements: Arc<dyn Statements>,
    /// The processor accounts.
    pub processors: Arc<dyn Processors>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl App {
    /// Puts the use cases on their ports.
    #[must_use]
    pub fn new(ports: Ports, settings: Settings, rules: PaymentRules) -> Self {
        let Ports { store, billing, statements, processors, clock, entropy } = ports;
        Self {
            store,
            billing,
            statements,
            processors,
            clock,
            entropy,
            settings: Arc::new(settings),
            wake: Arc::new(Notify::new()),
            absences: Arc::default(),
            rules: Arc::new(RwLock::new(Arc::new(rules))),
        }
    }

    /// The rules in force now.
    #[must_use]
    pub fn rules(&self) -> Arc<PaymentRules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts new rules in force; attempts that exist keep what they froze.
    pub fn set_rules(&self, rules: PaymentRules) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }
}

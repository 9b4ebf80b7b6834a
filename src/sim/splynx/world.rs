//! Everything a simulated Splynx knows at one moment, and the handle its threads share.
//!
//! **Invariant:** a request is executed under one lock, so no two of them interleave.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::access::{Access, Lives};
use super::books::Books;
use super::clock::SimClock;
use super::entry_points::{EntryPoint, shipped};
use super::options::{Behaviour, Options, Seed};
use super::seed;
use crate::sim::faults::Script;

/// A group of settings: its module, its path, and the partner (0 for the common ones).
pub type SettingsGroup = (String, String, u64);

/// Everything a simulated Splynx knows.
#[derive(Debug)]
pub struct World {
    /// The database.
    pub books: Books,
    /// Keys, tokens and sessions.
    pub access: Access,
    /// What it does by itself.
    pub behaviour: Behaviour,
    /// Its clock.
    pub clock: SimClock,
    /// Settings by group and key.
    pub settings: BTreeMap<SettingsGroup, BTreeMap<String, Value>>,
    /// The entry points of the add-on.
    pub entry_points: Vec<EntryPoint>,
    /// Where the add-on listens.
    pub bitpay_url: Option<String>,
    /// The ISO 4217 code of the localization.
    pub currency: String,
    /// Where it listens itself, as `http://address:port`.
    pub url: String,
}

impl World {
    pub(super) fn new(options: &Options, url: &str) -> Self {
        let mut entry_points = shipped();
        if options.seed == Seed::Demo {
            // As an admin leaves them who wants all of them; the package ships the refill on the dashboard disabled.
            for point in &mut entry_points {
                point.enabled = true;
            }
        }
        Self {
            books: seed::fill(options.seed),
            access: Access::new(&options.api_key, &options.api_secret),
            behaviour: options.behaviour,
            clock: options.clock,
            settings: settings(&options.currency),
            entry_points,
            bitpay_url: options.bitpay_url.clone(),
            currency: options.currency.clone(),
            url: url.to_owned(),
        }
    }

    pub(super) fn lives(&self) -> Lives {
        Lives { access: self.behaviour.token_life, refresh: self.behaviour.refresh_life }
    }

    /// The settings of the add-on, as saved in Config → Integrations → Modules list.
    pub fn module_settings(&mut self) -> &mut BTreeMap<String, Value> {
        let group = ("add-on".to_owned(), "splynx_bitpay_addon".to_owned(), 0);
        self.settings.entry(group).or_default()
    }
}

fn settings(currency: &str) -> BTreeMap<SettingsGroup, BTreeMap<String, Value>> {
    let group = |path: &str, pairs: &[(&str, &str)]| {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), Value::from(*value));
        (("main".to_owned(), path.to_owned(), 0), pairs.iter().map(own).collect())
    };
    BTreeMap::from([
        group("localization", &[("currency", currency), ("currency_symbol", currency)]),
        group("portal", &[("authentication_field", "login"), ("portal_title", "Splynx")]),
        group("system", &[("timezone", "UTC")]),
    ])
}

/// What all threads of one simulator share.
#[derive(Debug)]
pub(super) struct Shared {
    world: Mutex<World>,
    /// The faults and the log.
    pub(super) script: Script,
    /// How it was started, for a reset.
    pub(super) options: Options,
}

impl Shared {
    pub(super) fn new(options: Options, url: &str) -> Self {
        let world = Mutex::new(World::new(&options, url));
        Self { world, script: Script::default(), options }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Back to the start; only the address of the add-on stays.
    pub(super) fn reset(&self) {
        let mut world = self.world();
        let (url, bitpay_url) = (world.url.clone(), world.bitpay_url.clone());
        *world = World { bitpay_url, ..World::new(&self.options, &url) };
        self.script.disarm();
        self.script.clear_log();
    }
}

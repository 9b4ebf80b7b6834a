//! How a simulated Splynx is started, and what can be changed while it runs.

use serde::{Deserialize, Serialize};

use super::clock::SimClock;

/// How numbers look in JSON. Real installations differ, and one installation differs from itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Typing {
    /// Ids and amounts are strings, amounts with four decimals.
    Strings,
    /// Ids and amounts are numbers.
    Numbers,
    /// Ids and amounts are strings, but the `id`, `total` and `due` of every odd row are numbers.
    #[default]
    Mixed,
}

/// What a simulated Splynx does by itself. Everything can be changed while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of an installation")]
pub struct Behaviour {
    /// A linked payment of the exact sum turns its document Paid.
    pub sets_paid: bool,
    /// An unlinked payment is allocated to the customer's oldest unpaid invoice.
    pub auto_allocate: bool,
    /// How numbers look in JSON.
    pub typing: Typing,
    /// The life of an access token, in seconds.
    pub token_life: i64,
    /// The life of a refresh token, in seconds.
    pub refresh_life: i64,
    /// A nonce must be greater than the last one of its key.
    pub check_nonce: bool,
    /// The key may be used with HTTP Basic ("Unsecure access").
    pub unsecure_access: bool,
    /// Searches return every row whatever their filter says.
    pub ignore_filter: bool,
    /// "Entry points status for portal" of the module.
    pub portal_entry_points: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            sets_paid: true,
            auto_allocate: true,
            typing: Typing::Mixed,
            token_life: 30 * 60,
            refresh_life: 10 * 3600,
            check_nonce: true,
            unsecure_access: false,
            ignore_filter: false,
            portal_entry_points: true,
        }
    }
}

/// What the database holds at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Seed {
    /// An admin, three customers and some documents in every state.
    #[default]
    Demo,
    /// The admin, payment methods and categories, and no customer.
    Bare,
}

/// How a simulated Splynx is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `address:port`; port 0 takes a free one.
    pub listen: String,
    /// The API key of the add-on.
    pub api_key: String,
    /// The API secret of the add-on.
    pub api_secret: String,
    /// Where the add-on listens, e.g. `http://127.0.0.1:8330`; every path under `/bitpay` goes there.
    pub bitpay_url: Option<String>,
    /// What the database holds at the start.
    pub seed: Seed,
    /// The ISO 4217 code of Config → Main → Localization.
    pub currency: String,
    /// The clock it lives by.
    pub clock: SimClock,
    /// What it does by itself.
    pub behaviour: Behaviour,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            api_key: "0123456789abcdef0123456789abcdef".to_owned(),
            api_secret: "fedcba9876543210fedcba9876543210".to_owned(),
            bitpay_url: None,
            seed: Seed::Demo,
            currency: "USD".to_owned(),
            clock: SimClock::default(),
            behaviour: Behaviour::default(),
        }
    }
}

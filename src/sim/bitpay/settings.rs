//! What the simulated BitPay can be told while it runs.
//!
//! **Invariant:** a change names only known settings, and either all of it holds or none.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The behaviour that tests and the demo may change at any time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whether notifications leave at all; without, the merchant must ask by itself.
    pub send_ipn: bool,
    /// Whether notifications carry `x-signature`.
    pub sign_ipn: bool,
    /// Whether a paid invoice goes on to confirmed and complete by itself.
    pub automatic: bool,
    /// Milliseconds between two automatic statuses.
    pub step_ms: u64,
    /// Milliseconds a minute of the notification's retry schedule takes.
    pub minute_ms: u64,
    /// Milliseconds the merchant's server has to answer a notification.
    pub ipn_timeout_ms: u64,
    /// Milliseconds from an invoice's creation to its expiry.
    pub expiry_ms: u64,
    /// Milliseconds a pairing code can be used.
    pub pairing_code_ms: u64,
    /// Refused pairing codes a minute, after which every pairing is refused.
    pub failed_pairings_per_minute: u32,
    /// The smallest price, in US dollars.
    pub price_minimum: Decimal,
    /// The largest price, in US dollars.
    pub price_maximum: Decimal,
}

impl Default for Settings {
    /// As BitPay is, only that confirmations take half a second instead of an hour.
    fn default() -> Self {
        Self {
            send_ipn: true,
            sign_ipn: true,
            automatic: true,
            step_ms: 500,
            minute_ms: 60_000,
            ipn_timeout_ms: 10_000,
            expiry_ms: 900_000,
            pairing_code_ms: 86_400_000,
            failed_pairings_per_minute: 30,
            price_minimum: Decimal::from_parts(1, 0, 0, false, 2),
            price_maximum: Decimal::from_parts(100_000, 0, 0, false, 0),
        }
    }
}

impl Settings {
    /// These settings with the given ones changed.
    ///
    /// # Errors
    /// Names the setting that is unknown or has a value of the wrong kind.
    pub fn changed(&self, change: &Value) -> Result<Self, serde_json::Error> {
        let mut all = serde_json::to_value(self)?;
        if let (Value::Object(all), Value::Object(change)) = (&mut all, change) {
            all.extend(change.clone());
        }
        serde_json::from_value(all)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_touches_what_it_names_and_nothing_else() {
        let changed = Settings::default()
            .changed(&json!({"send_ipn": false, "price_minimum": "2.50"}))
            .unwrap();
        let expected = Settings {
            send_ipn: false,
            price_minimum: Decimal::new(250, 2),
            ..Settings::default()
        };
        assert_eq!(changed, expected);
    }

    #[test]
    fn an_unknown_setting_or_a_wrong_kind_changes_nothing() {
        assert!(Settings::default().changed(&json!({"send_ipns": false})).is_err());
        assert!(Settings::default().changed(&json!({"step_ms": -1})).is_err());
    }
}

//! The add-on's settings as an admin saved them in Splynx.
//!
//! **Invariant:** read only, and lenient: the shape of the answer is not documented (facts/splynx 2.6), so every known
//! spelling of "a list of keys and values" is taken, and settings of single partners never stand for everybody's.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::client::{Client, Request};
use super::operation::Operation;
use super::wire;
use crate::ports::PeerError;

impl Client {
    /// All settings of the module, key by key; none if Splynx does not know the module.
    pub(super) async fn read_settings(&self) -> Result<BTreeMap<String, String>, PeerError> {
        let request = config_request(Operation::ReadSettings, "add-on", &self.inner.module);
        let value = self.read_one(&request).await?;
        Ok(value.as_ref().map(settings).unwrap_or_default())
    }
}

/// A request for one part of Splynx's configuration.
pub(super) fn config_request(operation: Operation, module: &str, path: &str) -> Request<'static> {
    Request::get(operation, "admin/config/config").query("module", module).query("path", path)
}

/// Whatever can be read of a configuration.
pub(super) fn settings(value: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    match value {
        Value::Array(list) => take_list(list, &mut found),
        Value::Object(object) => take_object(object, &mut found),
        _ => {}
    }
    found
}

fn take_list(list: &[Value], found: &mut BTreeMap<String, String>) {
    list.iter().filter_map(Value::as_object).for_each(|entry| take_entry(entry, found));
}

/// `{"key": "currency", "value": "USD"}`.
fn take_entry(entry: &Map<String, Value>, found: &mut BTreeMap<String, String>) {
    let partner = entry.get("partner_id").and_then(wire::text).unwrap_or_default();
    let name = entry.get("key").or_else(|| entry.get("name")).and_then(wire::text);
    let value = entry.get("value").and_then(wire::text);
    if let (true, Some(name), Some(value)) = (matches!(partner.as_str(), "" | "0"), name, value) {
        found.insert(name, value);
    }
}

/// `{"currency": "USD"}`, `{"currency": {"value": "USD"}}` or `{"common": {"currency": "USD"}}`.
fn take_object(object: &Map<String, Value>, found: &mut BTreeMap<String, String>) {
    if object.contains_key("key") && object.contains_key("value") {
        return take_entry(object, found);
    }
    for (name, value) in object {
        let is_partner = name != "0" && name.bytes().all(|byte| byte.is_ascii_digit());
        match value {
            Value::Object(inner) if inner.contains_key("key") => take_entry(inner, found),
            Value::Object(inner) => match inner.get("value").and_then(wire::text) {
                Some(text) => drop(found.insert(name.clone(), text)),
                None if is_partner => {}
                None => take_object(inner, found),
            },
            Value::Array(list) => take_list(list, found),
            scalar => {
                if let Some(text) = wire::text(scalar) {
                    found.insert(name.clone(), text);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::flat(json!({"currency": "EUR", "payment_method_id": 5, "serviceFee": "1.5"}))]
    #[case::list(json!([
        {"key": "currency", "value": "EUR"},
        {"key": "payment_method_id", "value": "5", "partner_id": 0},
        {"key": "serviceFee", "value": 1.5},
        {"key": "currency", "value": "USD", "partner_id": 3}
    ]))]
    #[case::described(json!({
        "currency": {"value": "EUR", "type": "select"},
        "payment_method_id": {"value": 5},
        "serviceFee": {"value": "1.5"}
    }))]
    #[case::sections(json!({
        "common": {"serviceFee": "1.5"},
        "default_partners_settings": {"currency": "EUR", "payment_method_id": "5"},
        "3": {"currency": "USD"}
    }))]
    #[case::numbered(json!({
        "0": {"key": "currency", "value": "EUR"},
        "1": {"key": "payment_method_id", "value": 5},
        "2": {"key": "serviceFee", "value": "1.5"}
    }))]
    fn settings_are_read_in_every_known_shape(#[case] value: Value) {
        let settings = settings(&value);
        let pairs: Vec<_> = settings.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("currency", "EUR"), ("payment_method_id", "5"), ("serviceFee", "1.5")]);
    }

    #[rstest]
    #[case(json!([]))]
    #[case(json!({}))]
    #[case(json!(null))]
    #[case(json!({"currency": null}))]
    fn no_settings_are_no_settings(#[case] value: Value) {
        assert_eq!(settings(&value), BTreeMap::new());
    }
}

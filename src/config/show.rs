//! `config show`: every key in force and where it comes from, as TOML.
//!
//! **Invariant:** no secret is shown. References (`file:`, `env:`) are, because they help and give nothing away.

use std::collections::BTreeMap;

use super::database::without_password;
use super::key::{Key, Kind};
use super::secret::Reference;
use super::{Entry, Place};

/// What stands for a secret.
const MASK: &str = "********";

/// All entries with their sections; `from_splynx` are the keys the module's settings inside Splynx override.
#[must_use]
pub fn text(entries: &[Entry], from_splynx: &BTreeMap<&'static str, &str>) -> String {
    let mut lines = Vec::new();
    let mut section = "";
    for entry in entries {
        let (name, _) = entry.key.path.split_once('.').unwrap_or_default();
        if name != section {
            let blank = if section.is_empty() { "" } else { "\n" };
            lines.push(format!("{blank}[{name}]\n"));
            section = name;
        }
        lines.push(line(entry, from_splynx.get(entry.key.path).copied()));
    }
    lines.concat()
}

fn line(entry: &Entry, from_splynx: Option<&str>) -> String {
    let (value, place) = match from_splynx {
        Some(value) => (toml(entry.key.kind, value), &Place::ModuleSettings),
        None => (entry.value.clone(), &entry.place),
    };
    format!("{:<70} # {place}\n", format!("{} = {value}", entry.key.name))
}

/// The value of `key` as TOML that may be shown.
pub(super) fn value(key: &Key, merged: &config::Config) -> String {
    if key.kind == Kind::TextList {
        let list = merged.get::<super::key::TextList>(key.path).map(|list| list.0);
        let items: Vec<String> = list.unwrap_or_default().iter().map(|item| quoted(item)).collect();
        return format!("[{}]", items.join(", "));
    }
    toml(key.kind, &merged.get_string(key.path).unwrap_or_default())
}

fn toml(kind: Kind, text: &str) -> String {
    match kind {
        Kind::Number => text.to_owned(),
        Kind::Text | Kind::Amount | Kind::TextList => quoted(text),
        Kind::Secret => quoted(masked(text)),
        Kind::DatabaseUrl => quoted(&without_password(text)),
    }
}

fn masked(text: &str) -> &str {
    match Reference::of(text) {
        Reference::File(_) | Reference::Variable(_) | Reference::WrittenOut("") => text,
        Reference::WrittenOut(_) => MASK,
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

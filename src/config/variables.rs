//! The environment, given from outside so that tests can own it.
//!
//! **Invariant:** a variable with our prefix that names no key is an error: a misspelt override must not be silent.

use std::collections::BTreeMap;

use super::finding::{Finding, Place};
use super::key::{self, Key, Kind, PREFIX, SEPARATOR};
use super::suggestion;

/// Environment variables by name. Values may be secrets: debug output shows names only.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Variables {
    /// The variables of this process. Those that are not UTF-8 are left out.
    #[must_use]
    pub fn of_this_process() -> Self {
        let texts = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self(texts.collect())
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The overrides, as `(key, variable, value)`; those that name no key or have the wrong shape become findings.
    pub(super) fn overrides(
        &self,
        findings: &mut Vec<Finding>,
    ) -> Vec<(&'static Key, String, String)> {
        let mut overrides = Vec::new();
        for (variable, value) in &self.0 {
            let Some(rest) = variable.strip_prefix(PREFIX) else { continue };
            match override_of(rest, value) {
                Ok(key) => overrides.push((key, variable.clone(), value.clone())),
                Err((key, sentence)) => findings.push(Finding {
                    place: Place::Environment { variable: variable.clone() },
                    key,
                    sentence,
                }),
            }
        }
        overrides
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// The key a variable without its prefix names, or the key's path as far as it is known and what is wrong.
fn override_of(rest: &str, value: &str) -> Result<&'static Key, (String, String)> {
    let path = rest.to_ascii_lowercase().replacen(SEPARATOR, ".", 1);
    let Some(key) = key::find(&path) else {
        let (section, name) = path.split_once('.').unwrap_or((path.as_str(), ""));
        return Err((path.clone(), suggestion::unknown_key(section, name)));
    };
    if key.kind == Kind::Number && value.parse::<i64>().is_err() {
        return Err((path, "expected a whole number".to_owned()));
    }
    Ok(key)
}

//! The API key: made once in Splynx, and written into the configuration.
//!
//! **Invariant:** the secret goes from Splynx's command into the configuration file and nowhere else.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use super::addon::Addon;
use super::host::Host;
use super::outcome::Outcome;
use crate::config::edit::{self, Change};
use crate::config::{self, Config, Variables};

/// How the key is called in Splynx. The official add-on base names it after the add-on too, so that there is one.
pub(super) const TITLE: &str = "Splynx BitPay add-on";

/// In a dry run the key has no number yet.
const NO_ID: &str = "N";

/// The key, as Splynx has it.
#[derive(Debug)]
pub(super) struct ApiKey {
    /// Its number in Splynx.
    pub(super) id: String,
    key: String,
    secret: SecretString,
}

impl ApiKey {
    /// Makes the key in Splynx, or finds the one that was made.
    ///
    /// # Errors
    ///
    /// In words.
    pub(super) fn fetch(host: &mut Host, addon: &Addon) -> Result<Self, String> {
        let made = addon.call(host, "add-or-get-api-key", &[("title", TITLE)]);
        let id = made.map_err(|failure| failure.to_string())?;
        let id = if host.is_dry() { NO_ID.to_owned() } else { number(&id)? };
        let pair = addon.call_for_secret(host, "get-api-key-and-secret", &[("id", &id)]);
        let pair = pair.map_err(|failure| failure.to_string())?;
        if host.is_dry() {
            return Ok(Self { id, key: String::new(), secret: SecretString::default() });
        }
        let (key, secret) = split(&pair).ok_or_else(|| {
            format!("Splynx answered something else than key and secret for the API key {id}")
        })?;
        Ok(Self { id, key: key.to_owned(), secret: secret.into() })
    }

    /// Whether the configuration uses this very key.
    pub(super) fn is_used_by(&self, config: &Config) -> bool {
        config.splynx.api.as_ref().is_some_and(|api| {
            api.key == self.key && api.secret.expose_secret() == self.secret.expose_secret()
        })
    }

    /// Writes the key into the configuration file.
    pub(super) fn write(&self, host: &Host, path: &Path, config: &Config) -> Outcome {
        let what = format!("key {} \"{TITLE}\" in {}", self.id, path.display());
        if self.is_used_by(config) {
            return Outcome::was_there(what);
        }
        if host.is_dry() {
            return Outcome::done(what);
        }
        let pair =
            [("splynx.api_key", &*self.key), ("splynx.api_secret", self.secret.expose_secret())];
        match edit::set(path, &pair, &Variables::of_this_process()) {
            Err(error) => Outcome::failed(&error),
            Ok(Change::Made | Change::WasThere) => match config::load(path) {
                Ok(loaded) if self.is_used_by(&loaded.config) => Outcome::done(what),
                Ok(_) => Outcome::failed(&format!("{what} is overridden by the environment"))
                    .remedy(["take SPLYNX_BITPAY__SPLYNX__API_KEY and __API_SECRET away there"]),
                Err(error) => Outcome::failed(&error),
            },
        }
    }
}

/// The number in the last line: PHP may have warned of something above it.
fn number(said: &str) -> Result<String, String> {
    let last = said.lines().last().unwrap_or_default().trim();
    let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        Ok(last.to_owned())
    } else {
        Err(format!("Splynx answered no number for the API key, but: {last:?}"))
    }
}

/// `key,secret` in the last line.
fn split(said: &str) -> Option<(&str, &str)> {
    let (key, secret) = said.lines().last()?.trim().split_once(',')?;
    let whole = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_graphic());
    (whole(key) && whole(secret)).then_some((key, secret))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("17", Some("17"))]
    #[case("PHP Deprecated:  something\n17", Some("17"))]
    #[case("", None)]
    #[case("Error!", None)]
    #[case("-1", None)]
    fn the_number_of_a_key_is_a_number(#[case] said: &str, #[case] id: Option<&str>) {
        assert_eq!(number(said).ok().as_deref(), id);
    }

    #[rstest]
    #[case("abc,def", Some(("abc", "def")))]
    #[case("PHP Warning, again\nabc,def", Some(("abc", "def")))]
    #[case("abc,", None)]
    #[case(",def", None)]
    #[case("abc", None)]
    #[case("No such key, sorry", None)]
    fn key_and_secret_are_two_words(#[case] said: &str, #[case] pair: Option<(&str, &str)>) {
        assert_eq!(split(said), pair);
    }
}

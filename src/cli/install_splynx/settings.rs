//! The module's settings in Splynx: what the configuration says, where nobody has said anything there.
//!
//! **Invariant:** a setting that is there is never overwritten, and without having looked nothing is written.

use super::addon::Addon;
use super::host::Host;
use super::outcome::Outcome;
use crate::cli::wiring::MODULE;
use crate::config::{Config, module_settings};
use crate::ports::billing::Billing as _;
use crate::splynx;

/// Writes the settings that Splynx does not have.
pub(super) async fn run(
    host: &mut Host,
    addon: &Addon,
    config: &Config,
    splynx: &splynx::Client,
) -> Outcome {
    let present = match splynx.module_settings().await {
        Ok(present) => present,
        Err(error) => {
            return Outcome::not_possible(format!("what is set there cannot be read: {error}"))
                .remedy([
                    "nothing was written; the configuration file holds until Splynx says more",
                ]);
        }
    };
    let mut lacking = module_settings::of(&config.rules);
    lacking.retain(|(setting, _)| !present.contains_key(*setting));
    if lacking.is_empty() {
        return Outcome::was_there("what an admin set in Splynx stays");
    }
    with_own_currency(&mut lacking, splynx).await;
    for (setting, value) in &lacking {
        let options = [("addon", MODULE), ("key", *setting), ("value", value.as_str())];
        if let Err(failure) = addon.call(host, "config-set", &options) {
            return Outcome::not_possible(failure.to_string())
                .remedy(["the configuration file holds for what is not set in Splynx"]);
        }
    }
    let written = lacking.iter().map(|(setting, value)| format!("{setting} = {value}"));
    Outcome::done(written.collect::<Vec<_>>().join(", "))
}

/// Documents are in Splynx's own currency, whatever a configuration file says that nobody has touched yet.
async fn with_own_currency(settings: &mut [(&'static str, String)], splynx: &splynx::Client) {
    let Ok(Some(own)) = splynx.localization_currency().await else { return };
    let currency = settings.iter_mut().find(|(setting, _)| *setting == "currency");
    if let Some((_, value)) = currency {
        *value = own;
    }
}

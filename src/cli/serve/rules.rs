//! Follows the module's settings inside Splynx, and whether the currency is still Splynx's own.
//!
//! **Invariant:** nothing here holds up serving: what Splynx cannot be asked now is asked again later.

use crate::app::App;
use crate::cli::currency::{Answer, Difference, compare};
use crate::cli::wiring::{MODULE_SETTINGS, World};
use crate::config::{Config, module_settings};
use crate::splynx;
use crate::worker::housekeeping::SETTINGS_EVERY;
use crate::worker::tasks::Tasks;

/// Reads the module settings now and then; with Splynx unreachable the last good values hold.
pub(super) struct Follower {
    config: Config,
    app: App,
    splynx: splynx::Client,
    /// The difference that was last told; it is told again only when it has changed.
    told: Option<Difference>,
}

impl Follower {
    /// Of the rules of `world`.
    pub(super) fn new(config: &Config, world: &World) -> Self {
        Self {
            config: config.clone(),
            app: world.app.clone(),
            splynx: world.splynx.clone(),
            told: None,
        }
    }

    /// Follows until the process stops.
    pub(super) async fn run(mut self, tasks: Tasks) {
        loop {
            if let Err(error) = self.refresh().await {
                tracing::info!(error = format!("{error:#}"), "the module settings were not read");
            }
            self.compare_currencies().await;
            tokio::select! {
                () = tasks.stopping() => return,
                () = tokio::time::sleep(SETTINGS_EVERY) => {}
            }
        }
    }

    async fn refresh(&self) -> anyhow::Result<()> {
        let settings = self.app.billing.module_settings().await?;
        let (rules, warnings) = module_settings::overlay(&self.config, &settings);
        for warning in warnings {
            tracing::warn!(warning, "module settings");
        }
        // Remembered even where they change nothing now: `config show` tells where a value comes from.
        self.app.store.remember(MODULE_SETTINGS, &serde_json::to_string(&settings)?).await?;
        if rules != *self.app.rules() {
            tracing::info!("new payment rules from the module settings are in force");
            self.app.set_rules(rules);
        }
        Ok(())
    }

    async fn compare_currencies(&mut self) {
        let difference = match compare(&self.splynx, self.app.rules().currency).await {
            Ok(Answer::Different(difference)) => Some(difference),
            Ok(Answer::Same | Answer::Untold) => None,
            Err(error) => return tracing::debug!(%error, "Splynx's currency was not read"),
        };
        if let Some(difference) = &difference
            && self.told.as_ref() != Some(difference)
        {
            tracing::error!(
                found = difference.sentence(),
                remedy = difference.remedy(),
                "the currencies differ"
            );
        }
        self.told = difference;
    }
}

//! Follows the module's settings inside Splynx.

use crate::app::App;
use crate::cli::wiring::MODULE_SETTINGS;
use crate::config::{Config, module_settings};
use crate::worker::housekeeping::SETTINGS_EVERY;
use crate::worker::tasks::Tasks;

/// Reads the module settings now and then; with Splynx unreachable the last good values hold.
pub(super) async fn follow(config: Config, app: App, tasks: Tasks) {
    loop {
        if let Err(error) = refresh(&config, &app).await {
            tracing::info!(error = format!("{error:#}"), "the module settings were not read");
        }
        tokio::select! {
            () = tasks.stopping() => return,
            () = tokio::time::sleep(SETTINGS_EVERY) => {}
        }
    }
}

async fn refresh(config: &Config, app: &App) -> anyhow::Result<()> {
    let settings = app.billing.module_settings().await?;
    let (rules, warnings) = module_settings::overlay(config, &settings);
    for warning in warnings {
        tracing::warn!(warning, "module settings");
    }
    if rules != *app.rules() {
        tracing::info!("new payment rules from the module settings are in force");
        app.store.remember(MODULE_SETTINGS, &serde_json::to_string(&settings)?).await?;
        app.set_rules(rules);
    }
    Ok(())
}

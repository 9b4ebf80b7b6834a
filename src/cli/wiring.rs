//! Puts the use cases on their adapters, as the configuration says. The only place that knows all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use crate::alerting::{LogBook, Webhook};
use crate::app::{App, Ports, Settings};
use crate::bitpay;
use crate::config::{self, Config};
use crate::db::{self, DatabaseUrl, Db, Migrations, OpenError, SealKey};
use crate::ports::billing::Nonces;
use crate::ports::clock::{Clock, SystemClock};
use crate::ports::entropy::{Entropy, SystemEntropy};
use crate::ports::notifier::Notifier;
use crate::ports::store::Store;
use crate::splynx;

/// The name under which the module settings last read from Splynx are remembered.
pub(super) const MODULE_SETTINGS: &str = "module_settings";
/// The add-on's name inside Splynx (design 5).
pub(super) const MODULE: &str = "splynx_bitpay_addon";

/// Everything wired together.
pub(super) struct World {
    /// The use cases.
    pub app: App,
    /// The Splynx adapter, for sessions and diagnostics.
    pub splynx: splynx::Client,
    /// The database adapter.
    pub db: Arc<Db>,
    /// The key everything else that must be secret is derived from.
    pub secret: SecretString,
}

/// Where the database is.
pub(super) fn database_url(config: &Config) -> anyhow::Result<DatabaseUrl> {
    address(&config.database)
}

/// The same of any database.
pub(super) fn address(database: &config::Database) -> anyhow::Result<DatabaseUrl> {
    let text = match database {
        config::Database::Sqlite(path) => {
            SecretString::from(format!("sqlite://{}", path.display()))
        }
        config::Database::Postgres(url) => url.clone(),
    };
    Ok(DatabaseUrl::parse(text.expose_secret())?)
}

/// Opens the database with the configured key.
pub(super) async fn open_database(
    config: &Config,
    migrations: Migrations,
) -> anyhow::Result<(Arc<Db>, SecretString)> {
    with_key(config, async |secret, entropy| {
        let options = db::Options {
            url: database_url(config)?,
            seal_key: seal_key(&secret)?,
            migrations,
            clock: Arc::new(SystemClock::default()),
            entropy,
        };
        Ok((Arc::new(Db::open(options).await?), secret))
    })
    .await
}

/// The key that seals the database.
pub(super) fn seal_key(secret: &SecretString) -> anyhow::Result<SealKey> {
    Ok(SealKey::parse(secret.expose_secret().as_bytes())?)
}

/// Does something to the database by the configured key, which is made where there is none.
pub(super) async fn with_key<T>(
    config: &Config,
    work: impl AsyncFnOnce(SecretString, Arc<dyn Entropy>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let (secret, made) = config.server.secret_key.load_or_make(entropy.as_ref())?;
    let done = work(secret, entropy).await;
    let is_foreign = |error: &anyhow::Error| {
        let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<OpenError>());
        causes.any(|cause| *cause == OpenError::SealedWithAnotherKey)
    };
    match (done, made) {
        // A key that was made just now opens nothing, and would hide that the right one is missing.
        (Err(error), Some(file)) if is_foreign(&error) => {
            std::fs::remove_file(&file).ok();
            bail!(
                "the secret key {} is missing, and the database was sealed with it: put it back from your backup",
                file.display()
            )
        }
        (done, _) => done,
    }
}

/// Wires everything together. Asks nobody: Splynx and the processor may be down.
pub(super) async fn connect(config: &Config, migrations: Migrations) -> anyhow::Result<World> {
    let (db, secret) = open_database(config, migrations).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let splynx = splynx_client(config, &clock, Arc::<Db>::clone(&db))?;
    let limits = bitpay::Limits {
        requests_per_second: config.worker.processor_rate.get(),
        ..bitpay::Limits::default()
    };
    let processors = bitpay::Accounts::new(Arc::clone(&clock), Arc::clone(&entropy), limits)
        .context("TLS cannot be set up")?;
    let rules = remembered_rules(config, &db).await?;
    let store: Arc<dyn Store> = Arc::<Db>::clone(&db);
    let ports = Ports {
        store,
        billing: Arc::new(splynx.clone()),
        statements: Arc::new(splynx.clone()),
        processors: Arc::new(processors),
        clock,
        entropy: Arc::clone(&entropy),
    };
    let app = App::new(ports, settings(config, entropy.as_ref()), rules);
    Ok(World { app, splynx, db, secret })
}

/// Every configured way to a person; the log where there is none.
pub(super) fn notifiers(config: &Config, world: &World) -> anyhow::Result<Vec<Box<dyn Notifier>>> {
    let mut notifiers: Vec<Box<dyn Notifier>> = vec![];
    if let Some(to) = &config.alerts.mail_to {
        notifiers.push(Box::new(splynx::Mailer::new(world.splynx.clone(), to.clone())));
    }
    if let Some(url) = &config.alerts.webhook_url {
        notifiers.push(Box::new(Webhook::new(url.clone())?));
    }
    if notifiers.is_empty() {
        notifiers.push(Box::new(LogBook));
    }
    Ok(notifiers)
}

/// A secret for one purpose, derived from the installation's own.
pub(super) fn derived(secret: &SecretString, purpose: &str) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.chain_update(purpose.as_bytes()).finalize().into_bytes().into()
}

/// Splynx with the configured API key. Asks nothing yet.
pub(super) fn splynx_client(
    config: &Config,
    clock: &Arc<dyn Clock>,
    nonces: Arc<dyn Nonces>,
) -> anyhow::Result<splynx::Client> {
    let api = config.require_api()?;
    let wanted = splynx::Config {
        api_domain: config.splynx.api_domain.with_slash().parse()?,
        api_key: api.key.clone(),
        api_secret: api.secret.clone(),
        timing: config.worker.timing,
        requests_per_second: config.worker.splynx_rate.get(),
        module: MODULE.to_owned(),
    };
    Ok(splynx::Client::new(wanted, Arc::clone(clock), nonces)?)
}

fn settings(config: &Config, entropy: &dyn Entropy) -> Settings {
    let portal = config.splynx.splynx_url.without_slash();
    Settings {
        public_url: format!("{portal}/bitpay"),
        portal_url: portal.to_owned(),
        environment: config.bitpay.environment,
        processor_url: config.bitpay.api_url.with_slash().to_owned(),
        timing: config.worker.timing,
        poll: config.worker.poll,
        monitor: config.worker.monitor,
        owner: format!("{}-{:016x}", std::process::id(), entropy.random_u128() >> 64),
    }
}

/// The last good module settings hold until Splynx can be asked (design 5).
async fn remembered_rules(
    config: &Config,
    db: &Db,
) -> anyhow::Result<crate::domain::rules::PaymentRules> {
    let settings = settings_of(db.remembered(MODULE_SETTINGS).await?);
    Ok(config::module_settings::overlay(config, &settings).0)
}

/// The last good module settings, without opening the database for more than that. None where there is no database.
pub(super) async fn remembered_settings(
    config: &Config,
) -> anyhow::Result<BTreeMap<String, String>> {
    if matches!(&config.database, config::Database::Sqlite(path) if !path.exists()) {
        return Ok(BTreeMap::new());
    }
    Ok(settings_of(db::remembered(&database_url(config)?, MODULE_SETTINGS).await?))
}

fn settings_of(remembered: Option<String>) -> BTreeMap<String, String> {
    remembered.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

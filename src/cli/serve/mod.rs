//! `serve`: the pages, the hooks and the worker, until the process is told to stop.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use tokio::sync::Notify;

use super::Ending;
use super::wiring::{self, World};
use crate::config::{self, Config, ConfigErrors};
use crate::db::{DatabaseUrl, Migrations, ServeLock};
use crate::logging;
use crate::ports::clock::{Clock as _, SystemClock};
use crate::ports::store::Store as _;
use crate::web::{self, Site, SiteSettings};
use crate::worker::housekeeping::Housekeeping;
use crate::worker::outage::Outage;
use crate::worker::tasks::Tasks;
use crate::worker::telling::Telling;
use crate::worker::{self, housekeeping, telling};

mod anchor;
mod figures;
mod probes;
mod rules;
mod servers;
mod systemd;

use servers::{Servers, Signals};
use systemd::Handed;

/// How long the end may take: requests to Splynx in flight are waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves until SIGTERM or SIGINT.
pub(super) async fn run(path: &Path) -> anyhow::Result<Ending> {
    // First of all: it takes variables out of the environment, and there is no other thread yet.
    let handed = Handed::take()?;
    let loaded = config::load(path).map_err(ConfigErrors::with_lacking)?;
    let config = loaded.config;
    config.require_api()?;
    logging::start(config.log).map_err(|error| anyhow::anyhow!("{error}"))?;
    for warning in &loaded.warnings {
        tracing::warn!(key = warning.key, warning.sentence, "configuration");
    }
    let url = wiring::database_url(&config)?;
    let _lock = ServeLock::take(&url)?;
    let sockets = handed.or_own(&config.server)?;
    let (listen, ops_listen) = (sockets.pages.local_addr()?, sockets.ops.local_addr()?);
    let metrics = figures::install(SystemClock::default().now())?;
    let world = wiring::connect(&config, Migrations::Run).await?;
    if matches!(url, DatabaseUrl::SqliteFile(_)) {
        // We hold the only lock: whoever had a lease is gone.
        world.db.end_all_leases().await?;
    }
    let tasks = Tasks::default();
    let outage = Arc::new(Outage::default());
    let pages = pages(&config, &world, sockets.pages)?;
    tasks.start(figures::sum_up(metrics.clone(), tasks.clone()));
    let ops = web::ops::serve(sockets.ops, probes::ops(&world, &outage, metrics))?;
    let servers = Servers::start(&tasks, pages, ops);
    start_work(&config, &world, &tasks, &outage)?;
    let mut signals = Signals::listen()?;
    servers.serve().await?;
    systemd::ready(listen);
    systemd::watch(&world.db, &tasks);
    tracing::info!(%listen, ops = %ops_listen, "serving");
    let end = servers.until(&mut signals, &tasks).await;
    systemd::stopping();
    tracing::info!("stopping: what has begun is finished");
    servers.stop(sockets.outlive_us).await;
    tasks.finish(PATIENCE).await;
    // The servers' threads may hold the database for a moment longer than this process lasts.
    world.db.close();
    end.map(|()| Ending::Good)
}

fn pages(config: &Config, world: &World, listener: TcpListener) -> anyhow::Result<Server> {
    let settings = SiteSettings {
        session_cookie: config.splynx.session_cookie.clone(),
        trusted_proxies: config.server.trusted_proxies.clone(),
        processor_origins: vec![config.bitpay.api_url.origin()],
        form_key: web::csrf::FormKey::new(wiring::derived(&world.secret, "forms")),
        limits: web::Limits::default(),
    };
    let site = Site::new(world.app.clone(), Arc::new(world.splynx.clone()), settings)?;
    Ok(web::serve(listener, site)?)
}

fn start_work(
    config: &Config,
    world: &World,
    tasks: &Tasks,
    outage: &Arc<Outage>,
) -> anyhow::Result<()> {
    let (bell, database_back) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let telling = Telling {
        notifiers: wiring::notifiers(config, world)?,
        splynx: Arc::new(world.splynx.clone()),
        repeat: config.alerts.repeat,
        bell: Arc::clone(&bell),
    };
    let jobs = Housekeeping {
        every: config.worker.reconcile.to_std().unwrap_or(Duration::from_hours(1)),
        outage: Arc::clone(outage),
        database_back: Arc::clone(&database_back),
        telling: bell,
    };
    if !config.alerts.reach_somebody() {
        tracing::warn!("nobody is told: set alerts.mail_to or alerts.webhook_url");
    }
    let app = &world.app;
    tasks.start(worker::run(app.clone(), tasks.clone(), Arc::clone(outage)));
    tasks.start(telling::run(app.clone(), tasks.clone(), telling));
    tasks.start(housekeeping::watch_database(app.clone(), tasks.clone(), database_back));
    tasks.start(housekeeping::run(app.clone(), tasks.clone(), jobs));
    tasks.start(rules::Follower::new(config, world).run(tasks.clone()));
    tasks.start(anchor::run(Arc::clone(&world.db), tasks.clone()));
    Ok(())
}

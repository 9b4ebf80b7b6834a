//! What `/ready` waits for.

use std::sync::Arc;

use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusHandle;

use super::figures;
use crate::app::App;
use crate::cli::wiring::World;
use crate::web::ops::{OpsState, Probe};
use crate::worker::outage::Outage;

/// What the ops listener serves.
pub(super) fn ops(world: &World, outage: &Arc<Outage>, metrics: PrometheusHandle) -> OpsState {
    let app = world.app.clone();
    let (database, processor) = (Database(app.clone()), Processor(app.clone()));
    let splynx = Splynx(Arc::clone(outage));
    let probes: Vec<Arc<dyn Probe>> =
        vec![Arc::new(database), Arc::new(splynx), Arc::new(processor)];
    let told = probes.clone();
    OpsState {
        probes,
        metrics: Arc::new(move || {
            let (app, metrics, probes) = (app.clone(), metrics.clone(), told.clone());
            Box::pin(async move {
                figures::readiness(&probes).await;
                figures::render(&app, &metrics).await
            })
        }),
    }
}

struct Database(App);

#[async_trait]
impl Probe for Database {
    fn name(&self) -> &'static str {
        "database"
    }

    /// By writing: one that can be read only, full or locked takes no notification and records no payment.
    async fn check(&self) -> Result<(), String> {
        let now = self.0.clock.now().to_rfc3339();
        self.0.store.remember("readiness", &now).await.map_err(|error| error.to_string())
    }
}

/// Payments wait in the database while Splynx is down; pages for customers cannot be shown.
struct Splynx(Arc<Outage>);

#[async_trait]
impl Probe for Splynx {
    fn name(&self) -> &'static str {
        "splynx"
    }

    async fn check(&self) -> Result<(), String> {
        if self.0.is_down() {
            Err("Splynx does not answer; payments are queued and recorded once it is back"
                .to_owned())
        } else {
            Ok(())
        }
    }
}

struct Processor(App);

#[async_trait]
impl Probe for Processor {
    fn name(&self) -> &'static str {
        "pairing"
    }

    async fn check(&self) -> Result<(), String> {
        match self.0.store.active_connection().await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err("no processor is paired: run `splynx-bitpay pair CODE`".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

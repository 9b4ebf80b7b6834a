//! For those who watch the service: `/health`, `/ready` and `/metrics`, on a listener of their own.
//!
//! **Invariant:** nothing here is reachable through the listener of the pages.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use actix_web::dev::Server;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpServer, middleware};
use async_trait::async_trait;
use futures_util::future::BoxFuture;

pub mod health;
pub mod metrics;
pub mod ready;

/// One thing the service needs before it can do its work.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Its name, in one word.
    fn name(&self) -> &'static str;

    /// Looks whether it is there.
    ///
    /// # Errors
    ///
    /// In words an admin can act on.
    async fn check(&self) -> Result<(), String>;
}

/// What there is to watch.
#[derive(Clone)]
pub struct OpsState {
    /// What must be there for the service to be ready.
    pub probes: Vec<Arc<dyn Probe>>,
    /// Writes the metrics in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> BoxFuture<'static, String> + Send + Sync>,
}

impl fmt::Debug for OpsState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.probes.iter().map(|probe| probe.name()).collect();
        f.debug_struct("OpsState").field("probes", &names).finish_non_exhaustive()
    }
}

/// Serves the three pages until the server is stopped.
///
/// # Errors
///
/// When the listener cannot be used.
pub fn serve(listener: TcpListener, state: OpsState) -> io::Result<Server> {
    let state = web::Data::new(state);
    let server = HttpServer::new(move || {
        let headers = middleware::DefaultHeaders::new()
            .add((CACHE_CONTROL, "no-store"))
            .add(("x-content-type-options", "nosniff"));
        actix_web::App::new().wrap(headers).configure(|config| mount(config, &state))
    });
    let server = server
        .workers(1)
        .client_request_timeout(Duration::from_secs(5))
        .disable_signals()
        .shutdown_timeout(1)
        .listen(listener)?;
    Ok(server.run())
}

fn mount(config: &mut ServiceConfig, state: &web::Data<OpsState>) {
    config
        .app_data(state.clone())
        .route("/health", web::get().to(health::get))
        .route("/ready", web::get().to(ready::get))
        .route("/metrics", web::get().to(metrics::get));
}

#[cfg(test)]
mod tests {
    use actix_web::test;

    use super::*;

    struct Fixed(&'static str, Result<(), &'static str>);

    #[async_trait]
    impl Probe for Fixed {
        fn name(&self) -> &'static str {
            self.0
        }

        async fn check(&self) -> Result<(), String> {
            self.1.map_err(ToOwned::to_owned)
        }
    }

    async fn ask(probes: Vec<Arc<dyn Probe>>, path: &str) -> (u16, String) {
        let state =
            OpsState { probes, metrics: Arc::new(|| Box::pin(async { "up 1\n".to_owned() })) };
        let state = web::Data::new(state);
        let app = actix_web::App::new().configure(|config| mount(config, &state));
        let service = test::init_service(app).await;
        let request = test::TestRequest::get().uri(path).to_request();
        let response = test::call_service(&service, request).await;
        let status = response.status().as_u16();
        let body = test::read_body(response).await;
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_service_that_has_all_it_needs_is_ready() {
        let (status, body) = ask(vec![Arc::new(Fixed("database", Ok(())))], "/ready").await;
        assert_eq!((status, body.as_str()), (200, "{\"ready\":true,\"waiting_for\":[]}"));
    }

    #[tokio::test]
    async fn a_service_that_waits_says_what_it_waits_for() {
        let probes: Vec<Arc<dyn Probe>> = vec![
            Arc::new(Fixed("database", Ok(()))),
            Arc::new(Fixed("splynx", Err("no answer in time"))),
        ];
        let (status, body) = ask(probes.clone(), "/ready").await;
        assert_eq!(status, 503);
        assert_eq!(
            body,
            "{\"ready\":false,\"waiting_for\":[{\"name\":\"splynx\",\"why\":\"no answer in time\"}]}"
        );
        assert_eq!(ask(probes, "/health").await, (200, "ok\n".to_owned()));
    }

    #[tokio::test]
    async fn metrics_are_written_by_whom_they_are_given_by() {
        assert_eq!(ask(vec![], "/metrics").await, (200, "up 1\n".to_owned()));
    }
}

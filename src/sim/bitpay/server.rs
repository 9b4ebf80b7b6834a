//! The HTTP side: API requests go through the script of faults to [`super::api`], pages and controls beside it.
//!
//! **Invariant:** only API requests are logged and struck by faults; the controls always work.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::rt::{System, spawn};
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use tokio::sync::oneshot;

use super::Shared;
use super::api::{self, ApiRequest};
use super::{checkout, control, dashboard, pages, sender};
use crate::sim::faults::{Call, guard, keep_socket};

/// Bytes a request's body may have; an invoice takes a few hundred.
const BODY_LIMIT: usize = 1 << 20;

/// Runs the server in the calling thread until it is stopped; says when it is up.
///
/// # Errors
/// Fails if the server cannot be built, which is then also what `ready` hears.
pub(super) fn run(
    listener: TcpListener,
    shared: &Arc<Shared>,
    signals: Signals,
    ready: oneshot::Sender<ServerHandle>,
) -> anyhow::Result<()> {
    System::new().block_on(async {
        let client = sender::client()?;
        let server = build(listener, shared, signals)?;
        // Nobody waits any more if the starter has left; then nobody will stop the server either.
        let _ = ready.send(server.handle());
        let work = spawn(sender::run(Arc::clone(shared), client));
        let end = server.await;
        work.abort();
        Ok(end?)
    })
}

/// Who ends the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signals {
    /// Ctrl-C and SIGTERM, for the program.
    Obeyed,
    /// Only the handle, for tests.
    Ignored,
}

fn build(listener: TcpListener, shared: &Arc<Shared>, signals: Signals) -> std::io::Result<Server> {
    let data = Data::from(Arc::clone(shared));
    let server = HttpServer::new(move || App::new().app_data(data.clone()).configure(services))
        .on_connect(keep_socket)
        .h1_allow_half_closed(false)
        .workers(2)
        // A connection that is kept open and idle is closed in silence; a 408 would be taken for the answer to a
        // request that crosses it.
        .client_request_timeout(Duration::ZERO)
        .shutdown_timeout(1);
    let server = if signals == Signals::Ignored { server.disable_signals() } else { server };
    Ok(server.listen(listener)?.run())
}

fn services(config: &mut ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(BODY_LIMIT))
        .configure(checkout::routes)
        .configure(dashboard::routes)
        .route("/assets/style.css", web::get().to(pages::style))
        .route("/assets/checkout.js", web::get().to(pages::script))
        .route("/_control/{path:.*}", web::route().to(controls))
        .default_service(web::route().to(answer));
}

async fn answer(request: HttpRequest, body: Bytes, shared: Data<Shared>) -> HttpResponse {
    let now = shared.clock.now();
    let call = Call {
        method: request.method().clone(),
        path: request.path().trim_start_matches('/').to_owned(),
        query: request.query_string().to_owned(),
        body: String::from_utf8_lossy(&body).into_owned(),
        at: now.rfc3339(),
    };
    let asked = ApiRequest::new(&request, body, &shared.base, now);
    let state = Data::clone(&shared);
    guard(&shared.script, &request, call, move |tweaks| async move {
        // A delayed request happens when it is executed, not when it came.
        let asked = asked.executed(state.clock.now(), tweaks);
        HttpResponse::from(state.change(|world, _| api::serve(world, &asked)))
    })
    .await
}

async fn controls(
    request: HttpRequest,
    path: web::Path<String>,
    body: Bytes,
    shared: Data<Shared>,
) -> HttpResponse {
    control::serve(&shared, request.method().as_str(), &path, &body).into()
}

//! The server: started from any runtime, in a thread of its own.
//!
//! **Invariant:** it never takes part in its caller's runtime, so it answers while the caller blocks.

use std::io;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::web::{self, Data, PayloadConfig};
use actix_web::{App, HttpServer};
use anyhow::Context as _;

use super::access::Principal;
use super::books::{Books, Draft};
use super::options::Options;
use super::rows::Kind;
use super::world::{Shared, World};
use super::{api, control, portal};
use crate::sim::announce;
use crate::sim::faults::{Entry, Fault, keep_socket};

/// A running simulated Splynx. It stops when it is dropped.
#[derive(Debug)]
pub struct Simulator {
    url: String,
    shared: Data<Shared>,
    handle: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Simulator {
    /// Starts it and returns when it listens.
    ///
    /// # Errors
    /// When the address cannot be bound.
    #[expect(clippy::unused_async, reason = "the callers' runtimes need not care")]
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        Self::start_blocking(options)
    }

    /// Starts it, for callers without a runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn start_blocking(options: Options) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(&options.listen)
            .with_context(|| format!("cannot listen on {}", options.listen))?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Data::new(Shared::new(options, &url));
        let (sender, receiver) = mpsc::channel();
        let state = shared.clone();
        let serve = move || {
            let system = actix_web::rt::System::new();
            system.block_on(async {
                let server = server(listener, state)?;
                // The receiver waits below; it cannot be gone.
                let _ = sender.send(server.handle());
                server.await
            })
        };
        let thread = std::thread::Builder::new().name("sim-splynx".to_owned()).spawn(serve)?;
        let handle = receiver.recv().context("the server did not start")?;
        Ok(Self { url, shared, handle, thread: Some(thread) })
    }

    /// `http://address:port`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// All rows as they are now.
    #[must_use]
    pub fn state(&self) -> Books {
        self.shared.world().books.clone()
    }

    /// Reads something without copying all rows.
    pub fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.shared.world())
    }

    /// Changes anything, between two requests.
    pub fn edit<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.shared.world())
    }

    /// Where the add-on listens from now on.
    pub fn set_bitpay_url(&self, url: &str) {
        self.shared.world().bitpay_url = Some(url.to_owned());
    }

    /// Arms a fault.
    pub fn arm(&self, fault: Fault) {
        self.shared.script.arm(fault);
    }

    /// Disarms all faults.
    pub fn disarm(&self) {
        self.shared.script.disarm();
    }

    /// The API requests so far.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.shared.script.log()
    }

    /// Back to the start: rows, keys, sessions, faults and log.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Makes a document and returns its id.
    #[expect(clippy::must_use_candidate, reason = "the document is the point, not its id")]
    pub fn add_document(&self, kind: Kind, draft: Draft) -> u64 {
        self.edit(|world| world.books.add_document(kind, draft))
    }

    /// Opens a portal or admin session and returns the value of its cookie.
    #[must_use]
    pub fn open_session(&self, principal: Principal) -> String {
        self.edit(|world| world.access.open_session(principal))
    }

    /// Stops it and waits until it has stopped.
    ///
    /// # Errors
    /// When the server itself failed.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.handle.stop(false).await;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => Ok(result?),
            _ => Ok(()),
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // The command is sent by the call itself; nobody waits for its end.
        drop(self.handle.stop(false));
    }
}

/// Runs it until the process is interrupted; says first where everything is.
///
/// # Errors
/// When the address cannot be bound.
pub fn run(options: Options) -> anyhow::Result<()> {
    let addon = options.bitpay_url.clone();
    let (key, secret) = (options.api_key.clone(), options.api_secret.clone());
    let simulator = Simulator::start_blocking(options)?;
    let url = simulator.url();
    announce(&format!(
        "The simulated Splynx is ready. Nothing in it is real.\n\n\
         API:          {url}/api/2.0/\n\
         API key:      {key}\n\
         API secret:   {secret}\n\
         Portal:       {url}/portal/        customer1 / customer1, customer2 / customer2, customer3 / customer3\n\
         Admin:        {url}/admin/         admin / admin\n\
         Add-on:       {addon}\n\
         Control API:  {url}/_control/state\n\nCtrl-C ends it.\n",
        addon = addon.as_deref().unwrap_or("none; --addon URL says where it listens"),
    ))?;
    actix_web::rt::System::new().block_on(actix_web::rt::signal::ctrl_c())?;
    Ok(())
}

fn server(listener: TcpListener, shared: Data<Shared>) -> io::Result<Server> {
    let pages = Data::new(portal::Pages::load().map_err(io::Error::other)?);
    let app = move || {
        App::new()
            .app_data(shared.clone())
            .app_data(pages.clone())
            .app_data(Data::new(portal::client()))
            .app_data(PayloadConfig::new(4 * 1024 * 1024))
            .service(web::resource("/api/2.0/{path:.*}").to(api::handle))
            .service(web::resource("/_control/{path:.*}").to(control::handle))
            .configure(portal::routes)
            .default_service(web::to(portal::not_found))
    };
    let server = HttpServer::new(app).workers(2).shutdown_timeout(1).disable_signals();
    // A connection that is kept open and idle is closed in silence, as nginx does; a 408 would be taken for the answer
    // to a request that crosses it.
    let server = server.client_request_timeout(Duration::ZERO);
    let server = server.h1_allow_half_closed(false).on_connect(keep_socket);
    Ok(server.listen(listener)?.run())
}

//! The simulator as a value: started, controlled from the same process, stopped.
//!
//! **Invariant:** the server runs in threads of its own, so that callers may use any runtime or none.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use anyhow::Context as _;
use serde_json::Value;
use tokio::sync::{Notify, oneshot};

use super::clock::Clock;
use super::control::{ControlError, InvoiceView, IpnRequest, PayKind, PayRequest};
use super::invoice::{Refund, Status};
use super::ipn::Delivery;
use super::random;
use super::server::{self, Signals};
use super::tokens::Token;
use super::world::World;
use super::{Environment, Options, Settings, Shared};
use crate::sim::announce;
use crate::sim::faults::{Entry, Fault, Script};

/// A running simulator; dropping it ends the server.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: ServerHandle,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

/// Runs the simulator in the calling thread until Ctrl-C or SIGTERM; says first where everything is.
///
/// # Errors
/// Fails if the address cannot be listened on.
pub fn run(options: Options) -> anyhow::Result<()> {
    let codes = match options.pairing_codes.as_slice() {
        [] => "none; the dashboard makes them, or --pairing-code CODE".to_owned(),
        codes => codes.join(", "),
    };
    let (listener, shared) = prepare(options)?;
    announce(&format!(
        "The simulated BitPay is ready. Nothing in it is real.\n\n\
         API:            {base}/\n\
         Dashboard:      {base}/dashboard\n\
         Pairing codes:  {codes}\n\
         Control API:    http://{address}/_control/state\n\nCtrl-C ends it.\n",
        base = shared.base,
        address = listener.local_addr()?,
    ))?;
    let (ready, _) = oneshot::channel();
    server::run(listener, &shared, Signals::Obeyed, ready)
}

fn prepare(options: Options) -> anyhow::Result<(TcpListener, Arc<Shared>)> {
    let listener = TcpListener::bind(options.listen)
        .with_context(|| format!("the simulated BitPay cannot listen on {}", options.listen))?;
    let address = listener.local_addr().context("the listener has no address")?;
    let base = options.public_url.unwrap_or_else(|| format!("http://{address}"));
    let clock = Clock::default();
    let now = clock.now();
    let mut world = World::new(options.environment, options.settings);
    for code in &options.pairing_codes {
        let merchant = world.merchant.clone();
        world.add_pairing_code(code, options.environment, merchant, now);
    }
    for token in &options.open_tokens {
        world.add_open_token(token, None, now);
    }
    let shared = Shared {
        world: Mutex::new(world),
        clock,
        script: Script::default(),
        base: base.trim_end_matches('/').to_owned(),
        wake: Notify::new(),
        settled: Notify::new(),
        sending: AtomicUsize::new(0),
    };
    Ok((listener, Arc::new(shared)))
}

impl Simulator {
    /// Starts a simulator and returns when it answers.
    ///
    /// # Errors
    /// Fails if the address cannot be listened on.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let (listener, shared) = prepare(options)?;
        let address = listener.local_addr().context("the listener has no address")?;
        let (ready, is_ready) = oneshot::channel();
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("bitpay-sim".to_owned())
            .spawn(move || server::run(listener, &theirs, Signals::Ignored, ready))
            .context("the simulated BitPay has no thread")?;
        let server = is_ready.await.context("the simulated BitPay did not start")?;
        Ok(Self { shared, address, server, thread: Some(thread) })
    }

    /// Where it answers, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.shared.base
    }

    /// The address it listens on, with the port it was given.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the server and waits for it.
    pub fn stop(self) {
        drop(self);
    }

    /// Makes a pairing code in the merchant's dashboard.
    #[must_use]
    pub fn create_pairing_code(&self) -> String {
        let code = random::pairing_code();
        self.add_pairing_code(&code);
        code
    }

    /// Puts this pairing code into the merchant's dashboard.
    pub fn add_pairing_code(&self, code: &str) {
        self.shared.change(|world, now| {
            let (environment, merchant) = (world.environment, world.merchant.clone());
            world.add_pairing_code(code, environment, merchant, now);
        });
    }

    /// Makes a pairing code in the dashboard of another merchant, named by any text.
    #[must_use]
    pub fn create_pairing_code_of(&self, merchant: &str) -> String {
        let code = random::pairing_code();
        self.shared.change(|world, now| {
            let environment = world.environment;
            world.add_pairing_code(&code, environment, merchant.to_owned(), now);
        });
        code
    }

    /// Makes a pairing code that works in this environment alone.
    #[must_use]
    pub fn create_pairing_code_for(&self, environment: Environment) -> String {
        let code = random::pairing_code();
        self.shared.change(|world, now| {
            let merchant = world.merchant.clone();
            world.add_pairing_code(&code, environment, merchant, now);
        });
        code
    }

    /// Makes a token that needs no signature.
    #[must_use]
    pub fn create_open_token(&self) -> String {
        let token = random::token();
        self.shared.change(|world, now| world.add_open_token(&token, None, now));
        token
    }

    /// Approves the request for a token that has this pairing code; says whether there was one.
    #[must_use]
    pub fn approve(&self, code: &str) -> bool {
        self.shared.change(|world, now| world.approve(code, now))
    }

    /// All tokens, oldest first.
    #[must_use]
    pub fn tokens(&self) -> Vec<Token> {
        let world = self.shared.world();
        world.token_order.iter().filter_map(|value| world.tokens.get(value)).cloned().collect()
    }

    /// Switches a token off; says whether it exists.
    #[must_use]
    pub fn disable_token(&self, token: &str) -> bool {
        self.shared.change(|world, _| world.stand(token, super::Standing::Disabled))
    }

    /// Lets a token do all that a merchant may, such as listing invoices; says whether it exists.
    #[must_use]
    pub fn promote_token(&self, token: &str) -> bool {
        self.shared.change(|world, _| world.promote(token))
    }

    /// All invoices, oldest first.
    #[must_use]
    pub fn invoices(&self) -> Vec<InvoiceView> {
        self.shared.world().views(&self.shared.base)
    }

    /// One invoice.
    #[must_use]
    pub fn invoice(&self, id: &str) -> Option<InvoiceView> {
        self.shared.world().view(id, &self.shared.base)
    }

    /// A shopper pays.
    ///
    /// # Errors
    /// The invoice is unknown or cannot be paid like that.
    pub fn pay(&self, id: &str, kind: PayKind) -> Result<Status, ControlError> {
        self.pay_with(id, &PayRequest::of(kind))
    }

    /// A shopper pays in a coin and amount of the caller's choice.
    ///
    /// # Errors
    /// The invoice is unknown or cannot be paid like that.
    pub fn pay_with(&self, id: &str, request: &PayRequest) -> Result<Status, ControlError> {
        self.shared.change(|world, now| world.pay(id, request, now))
    }

    /// The invoice is confirmed.
    ///
    /// # Errors
    /// Unless it is paid.
    pub fn confirm(&self, id: &str) -> Result<Status, ControlError> {
        self.move_invoice(id, "confirm")
    }

    /// The invoice is complete.
    ///
    /// # Errors
    /// Unless its whole price was paid and kept.
    pub fn complete(&self, id: &str) -> Result<Status, ControlError> {
        self.move_invoice(id, "complete")
    }

    /// The invoice expires now.
    ///
    /// # Errors
    /// Unless it is new.
    pub fn expire(&self, id: &str) -> Result<Status, ControlError> {
        self.move_invoice(id, "expire")
    }

    /// The payment is not confirmed in time.
    ///
    /// # Errors
    /// Unless the invoice is paid or confirmed.
    pub fn invalidate(&self, id: &str) -> Result<Status, ControlError> {
        self.move_invoice(id, "invalidate")
    }

    /// The merchant gives a confirmed payment back.
    ///
    /// # Errors
    /// Unless the invoice is confirmed.
    pub fn decline(&self, id: &str) -> Result<Status, ControlError> {
        self.move_invoice(id, "decline")
    }

    /// The merchant refunds a complete payment.
    ///
    /// # Errors
    /// Unless the invoice is complete, and the second time.
    pub fn refund(&self, id: &str) -> Result<Status, ControlError> {
        self.move_invoice(id, "refund")
    }

    fn move_invoice(&self, id: &str, name: &str) -> Result<Status, ControlError> {
        self.shared.change(|world, now| world.move_invoice(id, name, now))
    }

    /// Sends so many more notifications of an invoice.
    ///
    /// # Errors
    /// The invoice is unknown.
    pub fn send_ipns(&self, id: &str, times: u32) -> Result<(), ControlError> {
        let request = IpnRequest { times, event: super::Event::ManuallyNotified, claim: None };
        self.shared.change(|world, now| world.send_ipns(id, &request, now))
    }

    /// Sends a rightly signed notification that claims a status the invoice does not have.
    ///
    /// # Errors
    /// The invoice is unknown.
    pub fn send_false_ipn(&self, id: &str, claim: Status) -> Result<(), ControlError> {
        let request = IpnRequest { times: 1, event: super::Event::Completed, claim: Some(claim) };
        self.shared.change(|world, now| world.send_ipns(id, &request, now))
    }

    /// All notifications, oldest first.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.world().deliveries.values().cloned().collect()
    }

    /// Money that went back to shoppers.
    #[must_use]
    pub fn refunds(&self) -> Vec<Refund> {
        self.shared.world().refunds.clone()
    }

    /// Waits until nothing is due and no notification is on its way.
    pub async fn settle(&self) {
        loop {
            let settled = self.shared.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            if self.shared.is_settled() {
                return;
            }
            settled.await;
        }
    }

    /// The behaviour now.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.shared.world().settings.clone()
    }

    /// Changes the behaviour.
    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        self.shared.change(|world, _| change(&mut world.settings));
    }

    /// Moves the simulated time forward; all that falls due in between happens.
    pub fn advance(&self, by: Duration) {
        self.shared.advance(by);
    }

    /// Arms one more fault.
    pub fn arm(&self, fault: Fault) {
        self.shared.script.arm(fault);
    }

    /// Disarms all faults.
    pub fn disarm(&self) {
        self.shared.script.disarm();
    }

    /// The API requests so far, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.shared.script.log()
    }

    /// Everything the control API shows at `/_control/state`.
    #[must_use]
    pub fn state(&self) -> Value {
        super::control::serve(&self.shared, "GET", "state", &[]).body
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // The command is sent by the call; the future would only wait for what the join below waits for.
        drop(self.server.stop(false));
        if let Some(thread) = self.thread.take() {
            // A panic there has failed what the caller was doing already.
            let _ = thread.join();
        }
    }
}

//! One test's world: the simulated Splynx with its proxy, the simulated BitPay, a database, and the add-on between
//! them.
//!
//! **Invariant:** everything lives on loopback and goes with the value. Customers reach the add-on through the
//! portal's address, as on a Splynx server.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use rust_decimal::Decimal;
use splynx_bitpay::sim::{bitpay, splynx};
use tempfile::TempDir;

use super::addon::Addon;
use super::browser::Browser;
use super::database::{Database, Engine};
use super::eventually::eventually;
use super::people::{Admin, Customer, Document};
use super::ports::Ports;

/// The simulated Splynx's API secret; must never be seen.
pub(crate) const API_SECRET: &str = "canary5ec7e7fedcba9876543210fedc";
/// The key that seals the database; must never be seen.
pub(crate) const SECRET_KEY: &str =
    "0badc0de0badc0de0badc0de0badc0de0badc0de0badc0de0badc0de0badc0de";

/// A sum as people write it.
pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// How a world begins.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// `worker.poll_seconds`.
    pub(crate) poll_seconds: u32,
    /// `worker.quiescence_seconds`. Requests to Splynx may take two fifths of it, leases last four fifths.
    pub(crate) quiescence_seconds: u32,
    /// `worker.splynx_requests_per_second` and `worker.processor_requests_per_second`.
    pub(crate) requests_per_second: u32,
    /// `payments.service_fee_percent`.
    pub(crate) fee_percent: &'static str,
    /// `payments.fee_vat_percent`.
    pub(crate) fee_vat_percent: &'static str,
    /// `log.level`.
    pub(crate) log_level: &'static str,
    /// Whether an admin has paired already.
    pub(crate) paired: bool,
    /// `worker.reconcile_seconds`.
    pub(crate) reconcile_seconds: u32,
    /// The lines of `[alerts]`.
    pub(crate) alerts: String,
    /// How the simulated BitPay behaves.
    pub(crate) bitpay: bitpay::Settings,
    /// How the simulated Splynx behaves.
    pub(crate) splynx: splynx::Behaviour,
}

impl Default for Setup {
    /// Everything as shipped, but in seconds instead of minutes.
    fn default() -> Self {
        Self {
            poll_seconds: 1,
            quiescence_seconds: 5,
            requests_per_second: 200,
            fee_percent: "0",
            fee_vat_percent: "0",
            log_level: "info",
            paired: true,
            reconcile_seconds: 3600,
            alerts: String::new(),
            bitpay: bitpay::Settings { step_ms: 100, ..bitpay::Settings::default() },
            splynx: splynx::Behaviour::default(),
        }
    }
}

/// The world of one test.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) addon: Addon,
    pub(crate) splynx: splynx::Simulator,
    pub(crate) bitpay: bitpay::Simulator,
    pub(crate) setup: Setup,
    config: PathBuf,
    ports: Ports,
    pub(crate) database: Database,
    home: TempDir,
}

impl World {
    /// As it is on most days: running and paired.
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with(engine, Setup::default()).await
    }

    /// Builds the world and starts the add-on.
    pub(crate) async fn with(engine: Engine, setup: Setup) -> Self {
        let world = Self::stopped(engine, setup).await;
        world.addon.start().await;
        if world.setup.paired {
            let code = world.bitpay.create_pairing_code();
            world.admin().await.pair(&code).await;
            world.addon.ready().await;
        }
        world
    }

    /// Builds the world; the add-on is not started.
    pub(crate) async fn stopped(engine: Engine, setup: Setup) -> Self {
        let home = TempDir::new().unwrap();
        let ports = Ports::take();
        let database = Database::fresh(engine, home.path());
        let splynx = splynx::Simulator::start(splynx::Options {
            api_secret: API_SECRET.to_owned(),
            bitpay_url: Some(format!("http://{}", ports.pages())),
            seed: splynx::Seed::Bare,
            behaviour: setup.splynx,
            ..splynx::Options::default()
        })
        .await
        .unwrap();
        let bitpay = bitpay::Simulator::start(bitpay::Options {
            settings: setup.bitpay.clone(),
            ..bitpay::Options::default()
        })
        .await
        .unwrap();
        let config = home.path().join("config.toml");
        let addon = Addon::new(&config, &home.path().join("log"), ports.ops());
        let world = Self { addon, splynx, bitpay, setup, config, ports, database, home };
        world.configure_as(&world.configuration());
        world
    }

    /// Writes the configuration file.
    pub(crate) fn configure_as(&self, text: &str) {
        fs::write(&self.config, text).unwrap();
    }

    /// Takes the configuration file away.
    pub(crate) fn remove_configuration(&self) {
        fs::remove_file(&self.config).unwrap();
    }

    /// Where SQLite's file would be.
    pub(crate) fn database_file(&self) -> PathBuf {
        self.home.path().join("splynx-bitpay.db")
    }

    /// Where the add-on listens, past the portal's proxy.
    pub(crate) fn pages(&self) -> SocketAddr {
        self.ports.pages()
    }

    /// Where it answers those who watch it.
    pub(crate) fn ops(&self) -> SocketAddr {
        self.ports.ops()
    }

    /// The configuration as the tests want it.
    pub(crate) fn configuration(&self) -> String {
        let Setup { poll_seconds, quiescence_seconds, requests_per_second, .. } = &self.setup;
        let Setup { fee_percent, fee_vat_percent, log_level, .. } = &self.setup;
        let Setup { reconcile_seconds, alerts, .. } = &self.setup;
        format!(
            "[server]\nlisten = \"{pages}\"\nops_listen = \"{ops}\"\nsecret_key = \"{SECRET_KEY}\"\n\n\
             [database]\nurl = \"{database}\"\n\n\
             [splynx]\napi_domain = \"{splynx}/\"\napi_key = \"{key}\"\napi_secret = \"{API_SECRET}\"\n\
             splynx_url = \"{splynx}\"\n\n\
             [bitpay]\nenvironment = \"test\"\napi_url = \"{bitpay}/\"\n\n\
             [payments]\nservice_fee_percent = \"{fee_percent}\"\nfee_vat_percent = \"{fee_vat_percent}\"\n\n\
             [worker]\npoll_seconds = {poll_seconds}\nquiescence_seconds = {quiescence_seconds}\n\
             splynx_requests_per_second = {requests_per_second}\n\
             processor_requests_per_second = {requests_per_second}\n\
             reconcile_seconds = {reconcile_seconds}\n\n\
             [alerts]\n{alerts}\n\n\
             [log]\nlevel = \"{log_level}\"\n",
            pages = self.ports.pages(),
            ops = self.ports.ops(),
            database = self.database.url(),
            splynx = self.splynx.url(),
            bitpay = self.bitpay.url(),
            key = splynx::Options::default().api_key,
        )
    }

    /// A stranger's browser at the portal.
    pub(crate) fn browser(&self) -> Browser {
        Browser::at(self.splynx.url())
    }

    /// The admin, logged in.
    pub(crate) async fn admin(&self) -> Admin {
        let mut browser = self.browser();
        browser.log_in("/admin/login/", "admin", "admin").await;
        Admin { browser }
    }

    /// A new customer, logged in.
    pub(crate) async fn customer(&self) -> Customer {
        let id = self.splynx.edit(|world| world.books.add_customer("recurring"));
        let mut browser = self.browser();
        let name = format!("customer{id}");
        browser.log_in("/portal/login/", &name, &name).await;
        Customer { id, browser }
    }

    /// A new unpaid invoice.
    pub(crate) fn invoice(&self, customer: &Customer, sum: &str) -> Document {
        self.document(splynx::Kind::Invoice, customer, sum)
    }

    /// A new unpaid proforma invoice.
    pub(crate) fn proforma(&self, customer: &Customer, sum: &str) -> Document {
        self.document(splynx::Kind::Proforma, customer, sum)
    }

    fn document(&self, kind: splynx::Kind, customer: &Customer, sum: &str) -> Document {
        self.splynx.edit(|world| {
            let now = world.clock.now().naive_utc();
            let draft = splynx::Draft::of(customer.id, decimal(sum), now);
            let id = world.books.add_document(kind, draft);
            let number = world.books.documents(kind).get(id).unwrap().number.clone();
            Document { kind, id, number }
        })
    }

    /// The document as Splynx has it now.
    pub(crate) fn look(&self, document: &Document) -> splynx::Document {
        self.splynx
            .read(|world| world.books.documents(document.kind).get(document.id).unwrap().clone())
    }

    /// Cash at the counter.
    pub(crate) fn pay_in_cash(&self, customer: &Customer, document: &Document, amount: &str) {
        self.splynx.edit(|splynx| {
            let now = splynx.clock.now().naive_utc();
            let payment = splynx::Payment {
                id: 0,
                customer_id: customer.id,
                invoice_id: Some(document.id),
                request_id: None,
                transaction_id: None,
                payment_type: 1,
                receipt_number: "CASH-1".to_owned(),
                date: now.date(),
                amount: decimal(amount),
                comment: String::new(),
                fields: Default::default(),
                note: String::new(),
                memo: String::new(),
                remind_amount: Decimal::ZERO,
                created: now,
                added_by: "admin".to_owned(),
            };
            splynx.books.post_payment(payment, splynx.behaviour);
        });
    }

    /// All payments in Splynx.
    pub(crate) fn payments(&self) -> Vec<splynx::Payment> {
        self.splynx.read(|world| world.books.payments.iter().cloned().collect())
    }

    /// The customer's balance.
    pub(crate) fn balance(&self, customer: &Customer) -> Decimal {
        self.splynx.read(|world| world.books.deposit(customer.id))
    }

    /// Waits until Splynx has exactly so many payments, and returns them. More are a failure at once.
    pub(crate) async fn payments_become(
        &self,
        count: usize,
        deadline: Duration,
    ) -> Vec<splynx::Payment> {
        eventually(&format!("{count} payments in Splynx"), deadline, async || {
            let payments = self.payments();
            assert!(payments.len() <= count, "too many payments: {payments:#?}");
            if payments.len() == count { Ok(payments) } else { Err(format!("{payments:?}")) }
        })
        .await
    }
}

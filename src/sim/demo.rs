//! The demo: everything on loopback, with the embedded database. Ctrl-C ends all of it.
//!
//! **Invariant:** the add-on in it is the real binary with a real configuration, reached through the portal's address
//! as it is on a Splynx server.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;

use super::{bitpay, splynx};

/// The pairing code that waits in the demo's BitPay dashboard.
const PAIRING_CODE: &str = "DemoPay";

/// How to run the demo.
#[derive(Debug, Args)]
pub struct Options {
    /// The first of four ports on loopback: portal, BitPay, add-on, add-on's figures.
    #[arg(long, value_name = "PORT", default_value_t = 8320)]
    port: u16,
    /// The add-on's database; by default a SQLite file in a folder that is removed at the end.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Service fee in per cent.
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    fee: String,
    /// Send no notifications: payments are found by polling alone.
    #[arg(long)]
    no_ipn: bool,
    /// The add-on's binary; by default the one beside this one.
    #[arg(long, value_name = "FILE")]
    addon: Option<PathBuf>,
}

/// Starts everything, prints where it is, and waits for Ctrl-C.
///
/// # Errors
///
/// When a port is taken, or the add-on does not start.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let at = |offset: u16| SocketAddr::from(([127, 0, 0, 1], options.port.saturating_add(offset)));
    let home = Home::make(options.port)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let portal = runtime.block_on(splynx::Simulator::start(splynx::Options {
        listen: at(0).to_string(),
        bitpay_url: Some(format!("http://{}", at(2))),
        ..splynx::Options::default()
    }))?;
    let settings = bitpay::Settings { send_ipn: !options.no_ipn, ..bitpay::Settings::default() };
    let processor = runtime.block_on(bitpay::Simulator::start(bitpay::Options {
        listen: at(1),
        pairing_codes: vec![PAIRING_CODE.to_owned()],
        settings,
        ..bitpay::Options::default()
    }))?;
    let config = home.0.join("config.toml");
    fs::write(&config, configuration(options, &home.0, at))?;
    let mut addon = Addon::start(options.addon.as_deref(), &config)?;
    addon.wait_until_it_answers(at(3))?;
    announce(at, &config)?;
    runtime.block_on(until_the_end(&mut addon))?;
    drop(addon);
    processor.stop();
    runtime.block_on(portal.stop())?;
    Ok(())
}

fn configuration(options: &Options, home: &Path, at: impl Fn(u16) -> SocketAddr) -> String {
    let sim = splynx::Options::default();
    let database = options
        .database
        .clone()
        .unwrap_or_else(|| format!("sqlite://{}/splynx-bitpay.db", home.display()));
    format!(
        "[server]\nlisten = \"{addon}\"\nops_listen = \"{ops}\"\n\n[database]\nurl = \"{database}\"\n\n\
         [splynx]\napi_domain = \"http://{portal}/\"\napi_key = \"{key}\"\napi_secret = \"{secret}\"\n\
         splynx_url = \"http://{portal}\"\n\n[bitpay]\nenvironment = \"test\"\napi_url = \"http://{bitpay}/\"\n\n\
         [payments]\nservice_fee_percent = \"{fee}\"\nfee_vat_percent = \"2\"\n\n\
         [worker]\npoll_seconds = 3\nquiescence_seconds = 20\n\n[log]\nlevel = \"info\"\n",
        addon = at(2),
        ops = at(3),
        portal = at(0),
        bitpay = at(1),
        key = sim.api_key,
        secret = sim.api_secret,
        fee = options.fee,
    )
}

fn announce(at: impl Fn(u16) -> SocketAddr, config: &Path) -> std::io::Result<()> {
    let text = format!(
        "\nThe demo is ready. Nothing in it is real.\n\n\
         Portal:      http://{portal}/portal/         customer1 / customer1\n\
         Admin:       http://{portal}/admin/          admin / admin\n\
         BitPay:      http://{bitpay}/dashboard       pairing code {PAIRING_CODE}\n\
         Figures:     http://{ops}/metrics\n\
         Commands:    splynx-bitpay --config {config} doctor\n\n\
         1. Log in as the admin, open Config > Integrations > Bitpay, pair with the code.\n\
         2. Log in as the customer, pay an invoice.\n\nCtrl-C ends it.\n",
        portal = at(0),
        bitpay = at(1),
        ops = at(3),
        config = config.display(),
    );
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Waits for Ctrl-C, or for the add-on to end by itself.
async fn until_the_end(addon: &mut Addon) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        tokio::select! {
            ended = tokio::signal::ctrl_c() => return Ok(ended?),
            _ = terminate.recv() => return Ok(()),
            () = tokio::time::sleep(Duration::from_millis(300)) => {}
        }
        if let Some(status) = addon.0.try_wait()? {
            bail!("the add-on ended by itself ({status})");
        }
    }
}

/// The real add-on, as a process of its own. Ended with the demo.
struct Addon(Child);

impl Addon {
    fn start(binary: Option<&Path>, config: &Path) -> anyhow::Result<Self> {
        let beside = std::env::current_exe()?.with_file_name("splynx-bitpay");
        let binary = binary.unwrap_or(&beside);
        let child = Command::new(binary)
            .arg("serve")
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        Ok(Self(child))
    }

    fn wait_until_it_answers(&mut self, ops: SocketAddr) -> anyhow::Result<()> {
        for _ in 0..200 {
            if answers(ops) {
                return Ok(());
            }
            if let Some(status) = self.0.try_wait()? {
                bail!("the add-on did not start ({status})");
            }
            sleep(Duration::from_millis(50));
        }
        bail!("the add-on did not answer within ten seconds")
    }
}

impl Drop for Addon {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn answers(ops: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&ops, Duration::from_millis(200))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /health HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.contains(" 200 "))
    };
    ask().unwrap_or(false)
}

/// The demo's folder. Removed at the end.
struct Home(PathBuf);

impl Home {
    fn make(port: u16) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("splynx-bitpay-demo-{port}"));
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

//! The demo: everything on loopback, with the embedded database. Ctrl-C ends all of it.
//!
//! **Invariant:** the add-on in it is the real binary with a real configuration, reached through the portal's address
//! as it is on a Splynx server. Nothing is touched before all ports are known to be free: another demo may be running.

mod addon;
mod ending;

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;

use self::addon::{Addon, beside, typed};
use self::ending::Ending;
use super::{announce, bitpay, splynx};

/// The pairing code that waits in the demo's BitPay dashboard.
const PAIRING_CODE: &str = "DemoPay";

/// How to run the demo.
#[derive(Debug, Args)]
pub struct Options {
    /// The first of four ports on loopback: portal, BitPay, add-on, add-on's figures.
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 8320,
        value_parser = clap::value_parser!(u16).range(1..=65532)
    )]
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

impl Options {
    /// 0: the portal, 1: BitPay, 2: the add-on, 3: its figures.
    fn at(&self, offset: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port.saturating_add(offset)))
    }
}

/// Starts everything, prints where it is, and waits for Ctrl-C.
///
/// # Errors
///
/// When a port is taken, or the add-on does not start.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(stage(options))
}

async fn stage(options: &Options) -> anyhow::Result<()> {
    require_free_ports(options)?;
    let mut ending = Ending::new()?;
    let portal = splynx::Simulator::start(splynx::Options {
        listen: options.at(0).to_string(),
        bitpay_url: Some(format!("http://{}", options.at(2))),
        ..splynx::Options::default()
    })
    .await?;
    let settings = bitpay::Settings { send_ipn: !options.no_ipn, ..bitpay::Settings::default() };
    let processor = bitpay::Simulator::start(bitpay::Options {
        listen: options.at(1),
        pairing_codes: vec![PAIRING_CODE.to_owned()],
        settings,
        ..bitpay::Options::default()
    })
    .await?;
    let binary = options.addon.clone().map_or_else(beside, Ok)?;
    // The folder is ours now: it is named by the port the portal listens on.
    let home = Home::make(options.port)?;
    let config = home.0.join("config.toml");
    fs::write(&config, configuration(options, &home.0))?;
    let mut addon = Addon::start(&binary, &config, &home.0)?;
    play(options, &mut addon, &mut ending, &announcement(options, &binary, &config)).await?;
    drop(addon);
    processor.stop();
    portal.stop().await
}

/// Says when all is ready, and returns when the demo is to end.
async fn play(
    options: &Options,
    addon: &mut Addon,
    ending: &mut Ending,
    announcement: &str,
) -> anyhow::Result<()> {
    tokio::select! {
        () = ending.wanted() => return Ok(()),
        ready = addon.ready(options.at(3)) => ready?,
    }
    announce(announcement)?;
    let status = tokio::select! {
        () = ending.wanted() => return Ok(()),
        status = addon.ended() => status?,
    };
    // A signal of the terminal reaches the add-on too, and it may be the faster one.
    if ending.is_wanted_soon().await {
        return Ok(());
    }
    bail!("the add-on ended by itself ({status})")
}

/// Another demo, or an add-on that one left behind, must neither lose its folder nor be taken for ours.
fn require_free_ports(options: &Options) -> anyhow::Result<()> {
    for offset in 0..4 {
        let address = options.at(offset);
        let Err(error) = TcpListener::bind(address) else { continue };
        let why = match error.kind() {
            ErrorKind::AddrInUse => "is in use, perhaps by another demo".to_owned(),
            _ => format!("cannot be used ({error})"),
        };
        bail!(
            "port {} {why}: choose the first of four other ports with --port, e.g. --port {}",
            address.port(),
            if options.port < 60_000 { options.port.saturating_add(100) } else { 8320 },
        );
    }
    Ok(())
}

fn configuration(options: &Options, home: &Path) -> String {
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
        addon = options.at(2),
        ops = options.at(3),
        portal = options.at(0),
        bitpay = options.at(1),
        key = sim.api_key,
        secret = sim.api_secret,
        fee = options.fee,
    )
}

fn announcement(options: &Options, binary: &Path, config: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    format!(
        "\nThe demo is ready. Nothing in it is real.\n\n\
         Portal:      http://{portal}/portal/         customer1 / customer1\n\
         Admin:       http://{portal}/admin/          admin / admin\n\
         BitPay:      http://{bitpay}/dashboard       pairing code {PAIRING_CODE}\n\
         Figures:     http://{ops}/metrics\n\
         Commands:    {binary} --config {config} doctor\n\n\
         1. Log in as the admin, open Config > Integrations > Bitpay, pair with the code.\n\
         2. Log in as the customer, pay an invoice.\n\nCtrl-C ends it.\n",
        portal = options.at(0),
        bitpay = options.at(1),
        ops = options.at(3),
        binary = typed(binary, &here),
        config = typed(config, &here),
    )
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

#[cfg(test)]
mod tests {
    use clap::Parser;
    use rstest::rstest;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        options: Options,
    }

    fn options(port: u16) -> Options {
        Command::try_parse_from(["demo", "--port", &port.to_string()]).unwrap().options
    }

    #[rstest]
    fn a_demo_on_a_taken_port_leaves_the_folder_alone(#[values(0, 1, 2, 3)] offset: u16) {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = other.local_addr().unwrap().port();
        let first = taken - offset;
        let home = Home::make(first).unwrap();
        let theirs = home.0.join("config.toml");
        fs::write(&theirs, "theirs").unwrap();

        let refusal = run(&options(first)).unwrap_err().to_string();

        assert!(refusal.starts_with("port ") && refusal.contains("--port "), "{refusal}");
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
    }

    #[test]
    fn the_refusal_names_the_port() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = other.local_addr().unwrap().port();
        let refusal = run(&options(taken)).unwrap_err().to_string();
        assert!(refusal.starts_with(&format!("port {taken} is in use")), "{refusal}");
    }

    #[rstest]
    #[case("0")]
    #[case("65533")]
    #[case("http")]
    fn a_port_that_has_no_three_after_it_is_wrong_usage(#[case] port: &str) {
        assert!(Command::try_parse_from(["demo", "--port", port]).is_err());
    }
}

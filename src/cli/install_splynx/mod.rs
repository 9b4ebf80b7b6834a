//! `install-splynx`: wires the add-on into the Splynx of this host. One file per step.
//!
//! **Invariants:** every step can be repeated and says what it came to; what a person must do instead is said to the
//! last click; Splynx's database is never written, and what an admin set in Splynx stays. A Splynx or an nginx that
//! is not here is no failure.

mod addon;
mod api_key;
mod bundle;
mod by_hand;
mod entry_points;
mod export;
mod host;
mod module;
mod nginx;
mod outcome;
mod permissions;
mod reader;
mod settings;
mod white_list;

use std::path::{Path, PathBuf};

use clap::Args;

use super::Ending;
use super::output::Streams;
use crate::config::{self, Config};
use crate::splynx;
use addon::Addon;
use api_key::ApiKey;
use host::Host;
use outcome::{Outcome, Report};

/// What is wanted of `install-splynx`.
#[derive(Debug, Args)]
pub(super) struct Wish {
    /// Where Splynx is.
    #[arg(long, value_name = "DIR", default_value = "/var/www/splynx")]
    splynx_dir: PathBuf,
    /// Where nginx is configured.
    #[arg(long, value_name = "DIR", default_value = nginx::USUAL)]
    nginx_dir: PathBuf,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// For a Splynx on another host: write everything that belongs there into this folder, and do nothing else.
    #[arg(long, value_name = "DIR", conflicts_with = "dry_run")]
    export: Option<PathBuf>,
}

/// One installation.
struct Installation<'a, 'b> {
    wish: &'a Wish,
    config: Config,
    host: Host,
    report: Report,
    streams: &'a mut Streams<'b>,
}

/// Wires the add-on into Splynx, as the file at `path` says.
///
/// # Errors
///
/// That the configuration cannot be used or the answer not be written. A step that failed is told in the answer.
pub(super) async fn run(
    path: &Path,
    wish: &Wish,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Ending> {
    let config = config::load(path)?.config;
    if let Some(folder) = &wish.export {
        return export::run(folder, &config.path, config.server.listen, streams);
    }
    let host = if wish.dry_run { Host::untouched() } else { Host::new() };
    let mut installation = Installation { wish, config, host, report: Report::default(), streams };
    installation.run().await?;
    let failed = installation.report.has_failed();
    Ok(if failed { Ending::NotGood } else { Ending::Good })
}

impl Installation<'_, '_> {
    async fn run(&mut self) -> anyhow::Result<()> {
        let splynx_dir = self.wish.splynx_dir.as_path();
        match Addon::find(splynx_dir) {
            Some(addon) => {
                self.say("Splynx", &Outcome::was_there(splynx_dir.display().to_string()))?;
                self.in_splynx(&addon).await?;
            }
            None => self.without_splynx()?,
        }
        let web_server =
            nginx::run(&mut self.host, &self.wish.nginx_dir, self.config.server.listen);
        self.say("nginx", &web_server)?;
        let client = self.client();
        let client = client.as_ref().map_err(String::as_str);
        self.say("entry points", &entry_points::run(client).await)
    }

    /// The steps inside Splynx.
    async fn in_splynx(&mut self, addon: &Addon) -> anyhow::Result<()> {
        match ApiKey::fetch(&mut self.host, addon) {
            Ok(key) => self.with_key(addon, &key).await?,
            Err(why) => {
                let by_hand = by_hand::api_key(&self.config.path);
                self.say("API key", &Outcome::failed(&why).remedy(by_hand))?;
            }
        }
        let client = self.client().ok();
        let splynx = &self.wish.splynx_dir;
        let registered = module::run(&mut self.host, splynx, client.as_ref()).await;
        self.say("module", &registered)?;
        let set = match &client {
            Some(client) => settings::run(&mut self.host, addon, &self.config, client).await,
            None => Outcome::not_possible("there is no API key to look with at what is set"),
        };
        self.say("module settings", &set)
    }

    async fn with_key(&mut self, addon: &Addon, key: &ApiKey) -> anyhow::Result<()> {
        let is_used = key.is_used_by(&self.config);
        let allowed_from =
            white_list::run(&mut self.host, addon, &self.config, &key.id, is_used).await;
        let written = key.write(&self.host, &self.config.path, &self.config);
        self.say("API key", &written)?;
        self.say("allowed IPs", &allowed_from)?;
        let allowed = permissions::run(&mut self.host, addon, &key.id, is_used);
        self.say("permissions", &allowed)
    }

    fn without_splynx(&mut self) -> anyhow::Result<()> {
        let splynx = self.wish.splynx_dir.display();
        let why = format!("Splynx is not on this host ({splynx}/system/script/addon)");
        let outcome = Outcome::not_possible(why)
            .remedy(by_hand::api_key(&self.config.path))
            .remedy([
                "module, entry points and web server: `splynx-bitpay install-splynx --export DIR` writes what \
                 belongs there, and what to click",
            ]);
        self.say("Splynx", &outcome)
    }

    /// Splynx's API, with the key that the configuration has now.
    fn client(&self) -> Result<splynx::Client, String> {
        reader::open(&self.config.path).map_err(|error| format!("{error:#}"))
    }

    fn say(&mut self, name: &str, outcome: &Outcome) -> anyhow::Result<()> {
        Ok(self.report.step(name, outcome, &mut self.host, self.streams)?)
    }
}

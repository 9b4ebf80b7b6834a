//! Module and entry points: our PHP installer inside Splynx, run by the official add-on base.
//!
//! **Invariant:** the base is run when there is something to register: the installer is new, or Splynx does not have
//! every entry point. Otherwise what an admin changed of them stays.

use std::path::{Path, PathBuf};

use super::host::{Failure, Host, Line, Written};
use super::outcome::Outcome;
use super::{bundle, by_hand};
use crate::cli::entry_points::missing;
use crate::splynx;

/// The official add-on base, the newer one first.
const BASES: [&str; 2] = ["splynx-addon-base-2", "splynx-addon-base"];

/// Where the add-on stands inside Splynx (design 5).
pub(super) fn folder(splynx: &Path) -> PathBuf {
    splynx.join("addons/splynx-bitpay")
}

/// Writes the installer and runs it where there is a base.
pub(super) async fn run(
    host: &mut Host,
    splynx: &Path,
    client: Option<&splynx::Client>,
) -> Outcome {
    let folder = folder(splynx);
    let written = match write(host, &folder) {
        Ok(written) => written,
        Err(why) => return Outcome::failed(&why),
    };
    let Some(base) = base(splynx) else {
        return without_base(written, &folder, client).await;
    };
    if written == Written::Same && has_all(client).await {
        return Outcome::was_there(format!("{} and every entry point", folder.display()));
    }
    let installer = Line::new("php").arg("yii").arg("install/index").inside(&folder);
    match host.run(&installer) {
        Ok(_) => Outcome::done(format!("registered from {} by {base}", folder.display())),
        Err(Failure::Missing(command)) => {
            Outcome::not_possible(format!("there is no command {command} here"))
                .remedy(by_hand::module(&folder))
        }
        Err(failure) => Outcome::failed(&failure).remedy(by_hand::module(&folder)),
    }
}

fn write(host: &mut Host, folder: &Path) -> Result<Written, String> {
    let mut all = Written::Same;
    for (path, content) in bundle::addon() {
        if host.write(&folder.join(path), &content)? == Written::Changed {
            all = Written::Changed;
        }
    }
    Ok(all)
}

fn base(splynx: &Path) -> Option<&'static str> {
    let is_there = |name: &&str| splynx.join("addons").join(name).join("vendor").is_dir();
    BASES.into_iter().find(|name| is_there(name))
}

/// Whether Splynx has every entry point; `false` also where that cannot be found out.
async fn has_all(client: Option<&splynx::Client>) -> bool {
    match client {
        Some(client) => client.entry_points().await.is_ok_and(|points| missing(&points).is_empty()),
        None => false,
    }
}

async fn without_base(written: Written, folder: &Path, client: Option<&splynx::Client>) -> Outcome {
    if written == Written::Same && has_all(client).await {
        return Outcome::was_there(format!("{} and every entry point", folder.display()));
    }
    Outcome::not_possible("Splynx's add-on base is not installed, which registers modules")
        .remedy(["either: apt-get install splynx-addon-base-2, then splynx-bitpay install-splynx"])
        .remedy(["or by hand:"])
        .remedy(by_hand::module(folder))
}

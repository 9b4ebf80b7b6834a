//! For a Splynx on another host: writes everything into a folder, with the clicks to do there.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::{bundle, by_hand, host::Host, nginx};
use crate::cli::Ending;
use crate::cli::output::Streams;

/// Writes the files and names them.
///
/// # Errors
///
/// That a file cannot be written.
pub(super) fn run(
    folder: &Path,
    config: &Path,
    listen: SocketAddr,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Ending> {
    let mut host = Host::new();
    for (path, content) in files(folder, config, listen) {
        let path = folder.join(path);
        host.write(&path, &content).map_err(io::Error::other)?;
        writeln!(streams.out, "{}", path.display())?;
    }
    writeln!(streams.out, "What to do with them: {}", folder.join(README).display())?;
    Ok(Ending::Good)
}

/// What a person reads first.
const README: &str = "README.txt";

fn files(folder: &Path, config: &Path, listen: SocketAddr) -> Vec<bundle::File> {
    let addon = Path::new("splynx-bitpay");
    let mut files: Vec<bundle::File> = vec![
        (PathBuf::from(README), text(folder, config, listen)),
        (PathBuf::from("nginx/splynx-bitpay.addons"), Cow::Owned(nginx::snippet(listen).into())),
        (PathBuf::from("apache/splynx-bitpay.conf"), Cow::Borrowed(bundle::APACHE.as_bytes())),
    ];
    files.extend(bundle::addon().into_iter().map(|(path, content)| (addon.join(path), content)));
    files
}

fn text(folder: &Path, config: &Path, listen: SocketAddr) -> Cow<'static, [u8]> {
    let addon = folder.join("splynx-bitpay");
    let list = |lines: Vec<String>| lines.join("\n    ");
    let text = format!(
        "Splynx BitPay add-on, for a Splynx on another host\n\n\
         1. API key\n    {}\n\n\
         2. Module and entry points\n    Where Splynx's add-on base is installed (splynx-addon-base-2): copy \
         splynx-bitpay/ to\n    /var/www/splynx/addons/splynx-bitpay there, and run in it: php yii install/index\n    \
         Else by hand:\n    {}\n\n\
         3. Web server of Splynx\n    nginx: copy nginx/splynx-bitpay.addons to /etc/nginx/sites-available/ and put \
         this host's address into it;\n    Apache: apache/splynx-bitpay.conf says where it goes. {} must be \
         reachable from there, and\n    [server] trusted_proxies must name that web server.\n",
        list(by_hand::api_key(config)),
        list(by_hand::module(&addon)),
        listen,
    );
    Cow::Owned(text.into_bytes())
}

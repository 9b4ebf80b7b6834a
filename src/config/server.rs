//! `[server]`: where the add-on listens.

use std::net::{IpAddr, SocketAddr};

use super::finding::Findings;
use super::key::section;
use super::seal_key::SealKeySource;
use super::{Context, parse, secret};

section! {
    /// Where the add-on listens, and the key that seals secrets.
    struct ServerKeys in server {
        /// Where customers' and admins' pages and the processors' notifications are served.
        /// The web server in front passes `/bitpay` on to it.
        listen: Text = "127.0.0.1:8330";
        /// Where `/health`, `/ready` and `/metrics` are served. This machine only.
        ops_listen: Text = "127.0.0.1:8331";
        /// Addresses of the web servers in front. Only their `X-Forwarded-For` is believed.
        trusted_proxies: TextList = ["127.0.0.1"];
        /// Seals tokens and keys in the database: 64 hex characters, `file:/path` or `env:NAME`.
        /// Empty: systemd's credential `secret-key`, else `secret.key` beside this file, made at the first start.
        /// Keep a copy: without it the pairings in the database cannot be read.
        secret_key: Secret = "";
    }
}

/// Where the add-on listens, and the key that seals secrets.
#[derive(Debug, Clone)]
pub struct Server {
    /// Pages and notifications.
    pub listen: SocketAddr,
    /// Health and metrics; a loopback address.
    pub ops_listen: SocketAddr,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Where the key is kept that seals tokens and keys.
    pub secret_key: SealKeySource,
}

impl ServerKeys {
    /// Parses the section, noting everything that is wrong with it.
    pub(super) fn parse(self, context: &Context<'_>, findings: &mut Findings) -> Option<Server> {
        let listen = findings.check("server.listen", parse::address(&self.listen));
        let ops_listen = findings.check("server.ops_listen", apart(&self.ops_listen, listen));
        let trusted_proxies =
            findings.check("server.trusted_proxies", parse::addresses(&self.trusted_proxies.0));
        let secret_key = match self.secret_key.0.as_str() {
            "" => Ok(SealKeySource::default_for(context.path, context.variables)),
            text => secret::resolve(text, context.variables)
                .and_then(|key| SealKeySource::configured(&key)),
        };
        let secret_key = findings.check("server.secret_key", secret_key);
        Some(Server {
            listen: listen?,
            ops_listen: ops_listen?,
            trusted_proxies: trusted_proxies?,
            secret_key: secret_key?,
        })
    }
}

fn apart(text: &str, listen: Option<SocketAddr>) -> Result<SocketAddr, String> {
    let address = parse::loopback_address(text)?;
    if Some(address) == listen && address.port() != 0 {
        return Err("this is server.listen already; write another port".to_owned());
    }
    Ok(address)
}

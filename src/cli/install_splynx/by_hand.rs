//! What a person does where this command cannot: every click and every field.
//!
//! **Invariant:** it is printed from the same tables that the steps work from.

use std::net::SocketAddr;
use std::path::Path;

use super::api_key::TITLE;
use super::nginx;
use crate::cli::entry_points::{Shipped, shipped};
use crate::cli::wiring::MODULE;
use crate::splynx::GRANTS;

/// An API key with its permissions.
pub(super) fn api_key(config: &Path) -> Vec<String> {
    let permissions = GRANTS
        .iter()
        .map(|grant| format!("allow {} [{}]", grant.controller, grant.actions.join(", ")));
    let make = format!(
        "in Splynx, Administration > API keys > Add: title \"{TITLE}\", allowed IPs: this server's; Permissions:"
    );
    let write = format!(
        "put key and secret into {}: `splynx-bitpay config set splynx.api_key KEY`, `splynx-bitpay config set \
         splynx.api_secret -` (type the secret, Enter, Ctrl-D)",
        config.display()
    );
    std::iter::once(make).chain(permissions).chain([write]).collect()
}

/// The module and its entry points.
pub(super) fn module(files: &Path) -> Vec<String> {
    let mut lines = vec![format!(
        "in Splynx, Config > Integrations > Modules list > Add: module {MODULE}, title \"{TITLE}\", entry points status \
         for portal: enabled; then Edit entry points > Add, for each:"
    )];
    lines.extend(shipped().iter().map(|point| entry_point(point, files)));
    lines
}

fn entry_point(point: &Shipped, files: &Path) -> String {
    let code = match point.code_file.as_str() {
        "" => String::new(),
        name => format!("the text of {}", files.join("entry-points").join(name).display()),
    };
    let fields = [
        ("name", point.name.as_str()),
        ("title", &point.title),
        ("place", &point.place),
        ("type", &point.kind),
        ("model", &point.model),
        ("root", &point.root),
        ("icon", &point.icon),
        ("background", &point.background),
        ("URL", &point.url),
        ("size", &point.size),
        ("location", &point.location),
        ("code", &code),
        ("enabled", if point.enabled { "yes" } else { "as you like" }),
    ];
    let filled = fields.iter().filter(|(_, value)| !value.is_empty());
    filled.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("; ")
}

/// The web server in front of Splynx.
pub(super) fn web_server(listen: SocketAddr) -> Vec<String> {
    let snippet = nginx::snippet(listen);
    let target = snippet.lines().find_map(|line| line.trim().strip_prefix("proxy_pass "));
    vec![
        format!(
            "let the web server at splynx.splynx_url pass /bitpay on to {}",
            target.unwrap_or_default().trim_end_matches(';')
        ),
        "`splynx-bitpay install-splynx --export DIR` writes snippets for nginx and Apache there"
            .to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_and_every_entry_point_is_spelled_out() {
        let key = api_key(Path::new("/etc/splynx-bitpay/config.toml")).join("\n");
        for grant in &GRANTS {
            let line = format!("allow {} [{}]", grant.controller, grant.actions.join(", "));
            assert!(key.contains(&line), "{key}");
        }
        let module = module(Path::new("/tmp/files"));
        assert_eq!(module.len(), 1 + 6);
        assert_eq!(
            module[1],
            "name: bitpay_pay_invoice_point; title: Pay by BitPay; place: portal; type: action_link; model: Invoices; \
             icon: fa-btc; URL: /bitpay/pay-invoice; size: medium; enabled: yes"
        );
        assert!(
            module[4]
                .contains("code: the text of /tmp/files/entry-points/dashboard-add-money.twig")
        );
        assert!(module[4].ends_with("enabled: as you like"));
    }

    #[test]
    fn the_web_server_is_told_where_to() {
        let lines = web_server("0.0.0.0:9000".parse().unwrap());
        assert!(lines[0].ends_with("on to http://127.0.0.1:9000"), "{lines:?}");
    }
}

//! What the simulators take from their command line.
//!
//! **Invariant:** a simulator listens on loopback only: its control API obeys everybody.

use std::net::SocketAddr;

use url::Url;

/// An address on loopback, with its port.
pub(super) fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "this is no address with a port, such as 127.0.0.1:8332".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("a simulator obeys everybody who reaches it, so it listens on loopback only: 127.0.0.1 or [::1]".to_owned())
    }
}

/// The address of a web server, without a slash at its end.
pub(super) fn server_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| format!("this is no URL: {error}"))?;
    let web = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
    let bare = url.query().is_none() && url.fragment().is_none();
    if web && bare {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err("this is no address of a server, such as http://127.0.0.1:8330".to_owned())
    }
}

/// A pairing code, as BitPay's dashboard makes them.
pub(super) fn pairing_code(text: &str) -> Result<String, String> {
    if text.len() == 7 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Ok(text.to_owned())
    } else {
        Err("a pairing code has seven letters and digits, such as DemoPay".to_owned())
    }
}

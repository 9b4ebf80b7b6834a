//! From where the API key may be used: from this machine.
//!
//! **Invariant:** a list that works is left alone, since an admin may have added to it; it is set for a key that is new,
//! and for one that Splynx does not accept.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs as _, UdpSocket};

use url::Url;

use super::addon::Addon;
use super::host::Host;
use super::outcome::Outcome;
use super::reader;
use crate::config::Config;
use crate::ports::PeerError;

/// Sets the list of the key `id`; `is_used` says that the configuration had this key before.
pub(super) async fn run(
    host: &mut Host,
    addon: &Addon,
    config: &Config,
    id: &str,
    is_used: bool,
) -> Outcome {
    if is_used && !is_refused(config).await {
        return Outcome::was_there("left as it is");
    }
    let api = Url::parse(config.splynx.api_domain.with_slash()).ok();
    let addresses = api.as_ref().map(own_addresses_towards).unwrap_or_default();
    let list = listed(addresses);
    match addon.call(host, "api-key-white-list", &[("id", id), ("list", &list)]) {
        Ok(_) => Outcome::done(list),
        Err(failure) => Outcome::failed(&failure).remedy([format!(
            "in Splynx, Administration > API keys, open key {id} and write {list} into its allowed IPs"
        )]),
    }
}

/// Whether Splynx says no to the key. That it cannot be asked is no reason to change anything.
async fn is_refused(config: &Config) -> bool {
    match reader::open(&config.path) {
        Ok(splynx) => match splynx.check().await {
            Ok(check) => !check.good,
            Err(error) => matches!(error, PeerError::Refused { .. }),
        },
        Err(_) => false,
    }
}

/// The address that Splynx sees when this machine asks it by its public name. Nothing is sent: a datagram socket that
/// is connected knows its own side.
fn own_addresses_towards(api: &Url) -> BTreeSet<IpAddr> {
    let (Some(host), Some(port)) = (api.host_str(), api.port_or_known_default()) else {
        return BTreeSet::new();
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let own = |to: std::net::SocketAddr| {
        let any: (IpAddr, u16) = if to.is_ipv4() {
            (Ipv4Addr::UNSPECIFIED.into(), 0)
        } else {
            (std::net::Ipv6Addr::UNSPECIFIED.into(), 0)
        };
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect(to).ok()?;
        socket.local_addr().ok().map(|own| own.ip())
    };
    (host, port).to_socket_addrs().into_iter().flatten().filter_map(own).collect()
}

fn listed(addresses: BTreeSet<IpAddr>) -> String {
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let others = addresses.into_iter().filter(|address| *address != local);
    let all = std::iter::once(local).chain(others);
    all.map(|address| address.to_string()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[], "127.0.0.1")]
    #[case(&["127.0.0.1"], "127.0.0.1")]
    #[case(&["203.0.113.7", "2001:db8::7"], "127.0.0.1,203.0.113.7,2001:db8::7")]
    fn the_list_begins_with_this_machine(#[case] addresses: &[&str], #[case] list: &str) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        assert_eq!(listed(addresses), list);
    }

    #[rstest]
    #[case("http://127.0.0.1:8080/", Some("127.0.0.1"))]
    #[case("https://isp.invalid/", None)]
    fn the_own_address_is_the_one_that_splynx_sees(#[case] api: &str, #[case] own: Option<&str>) {
        let addresses = own_addresses_towards(&Url::parse(api).unwrap());
        let expected: BTreeSet<IpAddr> = own.into_iter().map(|own| own.parse().unwrap()).collect();
        assert_eq!(addresses, expected);
    }
}

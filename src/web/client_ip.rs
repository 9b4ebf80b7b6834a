//! Where a request came from, for the log.
//!
//! **Invariant:** `X-Forwarded-For` is believed only as far as it was written by proxies we trust.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;

use super::Site;

/// The address of the client, as far as our own proxies can tell.
#[must_use]
pub fn of(site: &Site, request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let forwarded = request.headers().get_all("x-forwarded-for");
    let forwarded: Vec<&str> = forwarded.filter_map(|value| value.to_str().ok()).collect();
    first_stranger(peer, &forwarded.join(","), &site.settings.trusted_proxies)
}

/// Each proxy appends whom it heard from: read from the end, the first address that is no proxy of ours is the client.
fn first_stranger(peer: IpAddr, forwarded: &str, trusted: &[IpAddr]) -> IpAddr {
    let mut client = peer;
    for hop in forwarded.rsplit(',') {
        if !trusted.contains(&client) {
            return client;
        }
        let Ok(hop) = hop.trim().parse() else {
            return client;
        };
        client = hop;
    }
    client
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("198.51.100.7", "203.0.113.9", "198.51.100.7")]
    #[case("127.0.0.1", "203.0.113.9", "203.0.113.9")]
    #[case("127.0.0.1", "192.0.2.1, 203.0.113.9", "203.0.113.9")]
    #[case("127.0.0.1", "192.0.2.1, 203.0.113.9, 10.0.0.1", "203.0.113.9")]
    #[case("127.0.0.1", "", "127.0.0.1")]
    #[case("127.0.0.1", "203.0.113.9, unknown", "127.0.0.1")]
    #[case("127.0.0.1", "2001:db8::1", "2001:db8::1")]
    fn only_our_own_proxies_are_believed(
        #[case] peer: &str,
        #[case] forwarded: &str,
        #[case] client: &str,
    ) {
        let trusted = ["127.0.0.1".parse().unwrap(), "10.0.0.1".parse().unwrap()];
        let found = first_stranger(peer.parse().unwrap(), forwarded, &trusted);
        assert_eq!(found, client.parse::<IpAddr>().unwrap());
    }
}

//! Where one BitPay is, and the addresses there.
//!
//! **Invariant:** requests and customers go nowhere but to the origin of the connection's base address, over TLS
//! unless that is this very machine.

use chrono::NaiveDate;
use secrecy::{ExposeSecret as _, SecretString};
use url::{Host, Url};

use super::PEER;
use crate::domain::connection::Environment;
use crate::domain::ids::ProcessorInvoiceId;
use crate::ports::PeerError;

/// Invoices listed at once.
const PAGE: usize = 100;

/// The base address of one API.
#[derive(Debug, Clone)]
pub(super) struct Site {
    base: Url,
    environment: Environment,
}

impl Site {
    /// Reads a base address; the slash at its end may be missing.
    pub(super) fn parse(base_url: &str, environment: Environment) -> Result<Self, PeerError> {
        let with_slash = format!("{}/", base_url.trim().trim_end_matches('/'));
        let base = Url::parse(&with_slash).map_err(|_| refused("is no address"))?;
        let plain = base.query().is_none()
            && base.fragment().is_none()
            && base.username().is_empty()
            && base.password().is_none();
        if !plain {
            return Err(refused("may have no user name, query or fragment"));
        }
        if !is_private(&base) {
            return Err(refused("must begin with https://"));
        }
        Ok(Self { base, environment })
    }

    /// Scheme, host and port: safe to show.
    pub(super) fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// Test or real money.
    pub(super) fn environment(&self) -> Environment {
        self.environment
    }

    /// Whether this is BitPay itself, and not another server that speaks its API.
    pub(super) fn is_bitpay(&self) -> bool {
        matches!(self.base.host_str(), Some("bitpay.com" | "www.bitpay.com" | "test.bitpay.com"))
    }

    /// `/tokens`.
    pub(super) fn tokens(&self) -> Url {
        self.at("tokens")
    }

    /// `/invoices`.
    pub(super) fn invoices(&self) -> Url {
        self.at("invoices")
    }

    /// `/invoices/:id?token=…`.
    pub(super) fn invoice(&self, id: &ProcessorInvoiceId, token: &SecretString) -> Url {
        with_token(self.at(&format!("invoices/{id}")), token)
    }

    /// `/invoices/:id?token=…` of an invoice that never was: a well-formed id that is all zeros in base58.
    pub(super) fn no_invoice(&self, token: &SecretString) -> Url {
        with_token(self.at("invoices/1111111111111111111111"), token)
    }

    /// `/invoices/guid/:guid?token=…`.
    pub(super) fn invoice_by_guid(&self, guid: &str, token: &SecretString) -> Url {
        with_token(self.at(&format!("invoices/guid/{guid}")), token)
    }

    /// `/invoices?token=…&dateStart=…`: the merchant facade alone may ask it (facts 2.4).
    pub(super) fn list(
        &self,
        since: NaiveDate,
        until: NaiveDate,
        offset: usize,
        token: &SecretString,
    ) -> Url {
        let mut url = with_token(self.at("invoices"), token);
        url.query_pairs_mut()
            .append_pair("dateStart", &since.to_string())
            .append_pair("dateEnd", &until.to_string())
            .append_pair("limit", &PAGE.to_string())
            .append_pair("offset", &offset.to_string());
        url
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url
    }

    /// The address of a checkout page as it shall be given to browsers, if it is one of this site.
    ///
    /// A page elsewhere would let whoever controls the answer send our customers anywhere, and a test checkout behind
    /// a production connection would take coins without worth.
    pub(super) fn checkout(&self, text: &str) -> Option<String> {
        let url = Url::parse(text).ok()?;
        let here = url.origin() == self.base.origin() || self.is_twin(&url);
        let plain = url.username().is_empty() && url.password().is_none();
        (here && plain && is_private(&url)).then(|| url.to_string())
    }

    /// `bitpay.com` and `www.bitpay.com` are one site.
    fn is_twin(&self, url: &Url) -> bool {
        let production = |url: &Url| {
            url.scheme() == "https"
                && url.port().is_none()
                && matches!(url.host_str(), Some("bitpay.com" | "www.bitpay.com"))
        };
        production(&self.base) && production(url)
    }
}

/// Whether nobody on the way can read along: TLS, or a machine's talk with itself.
fn is_private(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

fn with_token(mut url: Url, token: &SecretString) -> Url {
    url.query_pairs_mut().append_pair("token", token.expose_secret());
    url
}

fn refused(what: &str) -> PeerError {
    let sentence = format!(
        "The base address of this connection {what} (http:// is for this machine alone). Correct \
         bitpay.api_url and pair again."
    );
    PeerError::Refused { peer: PEER, sentence }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn site(base: &str) -> Site {
        Site::parse(base, Environment::Test).unwrap()
    }

    #[rstest]
    #[case("https://bitpay.com/", "https://bitpay.com/invoices")]
    #[case("https://bitpay.com", "https://bitpay.com/invoices")]
    #[case("https://bitpay.com:443//", "https://bitpay.com/invoices")]
    #[case("https://pay.example/btcpay/", "https://pay.example/btcpay/invoices")]
    #[case("http://127.0.0.1:8344/", "http://127.0.0.1:8344/invoices")]
    #[case("http://[::1]:8344", "http://[::1]:8344/invoices")]
    #[case("http://localhost:8344", "http://localhost:8344/invoices")]
    fn a_base_address_may_have_a_port_and_a_path(#[case] base: &str, #[case] invoices: &str) {
        assert_eq!(site(base).invoices().as_str(), invoices);
    }

    #[rstest]
    #[case("http://bitpay.com/")]
    #[case("http://192.168.1.5/")]
    #[case("http://localhost.example/")]
    #[case("ftp://bitpay.com/")]
    #[case("bitpay.com")]
    #[case("")]
    #[case("https://admin:secret@bitpay.com/")]
    #[case("https://bitpay.com/?token=1")]
    #[case("https://bitpay.com/#1")]
    fn a_base_address_that_leaks_is_refused(#[case] base: &str) {
        let error = Site::parse(base, Environment::Production).unwrap_err();
        assert!(matches!(error, PeerError::Refused { .. }));
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn a_token_is_encoded_as_a_query_wants_it() {
        let id = ProcessorInvoiceId::parse("G3viJEJgE8Jk2oekSdgT2A").unwrap();
        let url = site("https://test.bitpay.com/").invoice(&id, &SecretString::from("a+b&c d/é"));
        assert_eq!(
            url.as_str(),
            "https://test.bitpay.com/invoices/G3viJEJgE8Jk2oekSdgT2A?token=a%2Bb%26c+d%2F%C3%A9"
        );
    }

    #[rstest]
    #[case("https://bitpay.com/", "https://bitpay.com/invoice?id=1", true)]
    #[case("https://www.bitpay.com/", "https://bitpay.com/invoice?id=1", true)]
    #[case("https://test.bitpay.com/", "https://test.bitpay.com/invoice?id=1", true)]
    #[case("http://127.0.0.1:8344/", "http://127.0.0.1:8344/invoice?id=1", true)]
    #[case("https://pay.example/btcpay/", "https://pay.example/btcpay/invoice?id=1", true)]
    #[case("https://bitpay.com/", "https://test.bitpay.com/invoice?id=1", false)]
    #[case("https://test.bitpay.com/", "https://bitpay.com/invoice?id=1", false)]
    #[case("https://bitpay.com/", "http://bitpay.com/invoice?id=1", false)]
    #[case("https://bitpay.com/", "https://bitpay.com.evil.example/invoice", false)]
    #[case("https://bitpay.com/", "https://bitpay.com@evil.example/invoice", false)]
    #[case("https://bitpay.com/", "https://x:y@bitpay.com/invoice", false)]
    #[case("https://bitpay.com/", "https://bitpay.com:8443/invoice", false)]
    #[case("https://bitpay.com/", "javascript:alert(1)", false)]
    #[case("https://bitpay.com/", "/invoice?id=1", false)]
    #[case("https://pay.example/", "https://bitpay.com/invoice?id=1", false)]
    #[case("http://127.0.0.1:8344/", "http://127.0.0.1:8345/invoice", false)]
    fn a_checkout_is_at_the_same_site(#[case] base: &str, #[case] url: &str, #[case] here: bool) {
        assert_eq!(site(base).checkout(url).is_some(), here);
    }
}

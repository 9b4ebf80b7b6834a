//! `[bitpay]`: which BitPay, and how long a payment is waited for.

use super::base_url::BaseUrl;
use super::finding::Findings;
use super::key::section;
use super::parse;
use crate::domain::connection::Environment;
use crate::domain::rules::TransactionSpeed;

section! {
    /// Which BitPay, and how long a payment is waited for.
    struct BitpayKeys in bitpay {
        /// `production` or `test`. With `test` no real money flows, and every page says so.
        environment: Text = "production";
        /// The API's address, if it is not BitPay's own: a BTCPay Server or a simulator.
        /// Empty: `https://bitpay.com/`, or `https://test.bitpay.com/` with `test`.
        api_url: Text = "";
        /// When a payment counts: `high` at once, `medium` after one confirmation, `low` after six.
        /// The module's settings inside Splynx come before this file.
        transaction_speed: Text = "medium";
    }
}

/// Which BitPay.
#[derive(Debug, Clone)]
pub struct Bitpay {
    /// Real money or not.
    pub environment: Environment,
    /// The API.
    pub api_url: BaseUrl,
}

impl BitpayKeys {
    /// Parses the section, noting everything that is wrong with it.
    pub(super) fn parse(self, findings: &mut Findings) -> Option<(Bitpay, TransactionSpeed)> {
        let environment =
            findings.check("bitpay.environment", parse::environment(&self.environment));
        let speed = findings
            .check("bitpay.transaction_speed", parse::transaction_speed(&self.transaction_speed));
        let address = match (self.api_url.as_str(), environment) {
            ("", Some(Environment::Test)) => "https://test.bitpay.com/",
            ("", _) => "https://bitpay.com/",
            (address, _) => address,
        };
        let api_url = findings.check("bitpay.api_url", BaseUrl::parse(address));
        Some((Bitpay { environment: environment?, api_url: api_url? }, speed?))
    }
}

//! The refill page: how much to put on the balance.

use serde::Serialize;

use super::View;

/// What the refill page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefillPage {
    /// Where the form goes.
    pub action: String,
    /// What the customer typed before, if they did.
    pub amount: String,
    /// What was wrong with it.
    pub error: Option<AmountError>,
    /// The currency's code.
    pub currency: &'static str,
    /// The least that is accepted, with its currency.
    pub minimum: String,
    /// The most that is accepted, with its currency.
    pub maximum: String,
    /// Per cent that come on top, where a fee is asked for.
    pub fee_percent: Option<String>,
    /// Back to the portal.
    pub back: String,
}

/// What was wrong with an amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AmountError {
    /// The key of the sentence.
    pub key: &'static str,
    /// The figure in it: a limit or a number of decimal places.
    pub figure: String,
}

impl View for RefillPage {
    const TEMPLATE: &'static str = "customer/refill.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            action: "/bitpay/".to_owned(),
            amount: String::new(),
            error: None,
            currency: "USD",
            minimum: "1.00 USD".to_owned(),
            maximum: "10000.00 USD".to_owned(),
            fee_percent: None,
            back: "https://isp.example/portal/".to_owned(),
        };
        let failed = |amount: &str, key: &'static str, figure: &str| Self {
            amount: amount.to_owned(),
            error: Some(AmountError { key, figure: figure.to_owned() }),
            ..empty.clone()
        };
        vec![
            empty.clone(),
            Self { fee_percent: Some("1.5".to_owned()), ..empty.clone() },
            failed("<b>ten</b>", "amount-not-an-amount", ""),
            failed("1.234", "amount-too-precise", "2"),
            failed("0.50", "amount-too-small", "1.00 USD"),
            failed("99999999", "amount-too-large", "10000.00 USD"),
        ]
    }
}

//! The page a customer comes back to, and what it tells its own script.

use serde::Serialize;

use super::{Link, View};

/// What the result page shows: number, sum and state only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResultPage {
    /// `waiting`, `confirming`, `settled`, `paid`, `expired`, `refused` or `review`; ends the keys of the texts.
    pub progress: &'static str,
    /// What is paid: `invoice`, `proforma` or `top-up`; ends the key of its text.
    pub payable: &'static str,
    /// The document's number; empty for a top-up.
    pub number: String,
    /// The sum.
    pub price: String,
    /// Where the customer can still pay.
    pub checkout: Option<String>,
    /// Whether the page should look again by itself.
    pub is_live: bool,
    /// Back to the portal.
    pub back: Link,
}

/// What the page's script is told when it looks again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResultState {
    /// As [`ResultPage::progress`].
    pub progress: &'static str,
    /// The heading, in the customer's language.
    pub title: String,
    /// The sentence below it.
    pub text: String,
    /// Whether the customer can still pay.
    pub is_payable: bool,
    /// Whether to look again.
    pub is_live: bool,
}

impl ResultPage {
    /// Every word [`Self::progress`] can have.
    pub const PROGRESS: [&'static str; 7] =
        ["waiting", "confirming", "settled", "paid", "expired", "refused", "review"];
}

impl View for ResultPage {
    const TEMPLATE: &'static str = "customer/result.html";

    fn samples() -> Vec<Self> {
        let page = |progress: &'static str| Self {
            progress,
            payable: "invoice",
            number: "201801000001".to_owned(),
            price: "51.61 USD".to_owned(),
            checkout: (progress == "waiting").then(|| "https://bitpay.com/i/x".to_owned()),
            is_live: matches!(progress, "waiting" | "confirming" | "settled"),
            back: Link::out("https://isp.example/portal/finance/invoices", "back-invoices"),
        };
        let mut samples: Vec<Self> = Self::PROGRESS.into_iter().map(page).collect();
        samples.push(Self {
            payable: "top-up",
            number: String::new(),
            back: Link::out("https://isp.example/portal/finance/payments/list", "back-payments"),
            ..page("paid")
        });
        samples.push(Self { payable: "proforma", ..page("waiting") });
        samples
    }
}

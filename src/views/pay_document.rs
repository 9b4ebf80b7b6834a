//! The page a *Pay* button opens in the portal's modal: what a document will cost.

use serde::Serialize;

use super::View;
use crate::domain::payable::DocumentKind;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PayDocumentPage {
    /// Where the form goes.
    pub action: String,
    /// `invoice` or `proforma`; ends the keys of the texts.
    pub kind: &'static str,
    /// The document's number.
    pub number: String,
    /// What is due, with its currency.
    pub due: String,
    /// What comes on top, where a fee is asked for.
    pub fee: Option<String>,
    /// The sum.
    pub price: String,
    /// Back to the portal's list of such documents.
    pub back: String,
}

/// How the keys of texts about a document end.
#[must_use]
pub fn kind_key(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Invoice => "invoice",
        DocumentKind::ProformaInvoice => "proforma",
    }
}

impl View for PayDocumentPage {
    const TEMPLATE: &'static str = "customer/pay_document.html";

    fn samples() -> Vec<Self> {
        let invoice = Self {
            action: "/bitpay/pay-invoice?item_id=201801000001".to_owned(),
            kind: kind_key(DocumentKind::Invoice),
            number: "201801000001".to_owned(),
            due: "51.61 USD".to_owned(),
            fee: None,
            price: "51.61 USD".to_owned(),
            back: "https://isp.example/portal/finance/invoices".to_owned(),
        };
        let proforma = Self {
            action: "/bitpay/pay-proforma?item_id=P-7".to_owned(),
            kind: kind_key(DocumentKind::ProformaInvoice),
            number: "P-<7>".to_owned(),
            fee: Some("0.77 USD".to_owned()),
            price: "52.38 USD".to_owned(),
            back: "https://isp.example/portal/finance/requests".to_owned(),
            ..invoice.clone()
        };
        vec![invoice, proforma]
    }
}

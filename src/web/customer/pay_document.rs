//! `/bitpay/pay-invoice` and `/bitpay/pay-proforma`: what a *Pay* button opens in the portal's modal.
//!
//! **Invariant:** the browser names a document and nothing else; `module`, `model` and anything further is ignored.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use url::form_urlencoded::byte_serialize;

use crate::app::dead_end::DeadEnd;
use crate::app::start_payment::{self, Quote};
use crate::domain::payable::DocumentKind;
use crate::ports::billing::Freshness;
use crate::views::pay_document::{PayDocumentPage, kind_key};
use crate::web::refusal::Refusal;
use crate::web::{Site, body, dead_ends, identity, pages};

/// Shows what the document will cost.
///
/// # Errors
///
/// [`Refusal`] says what is shown instead.
pub async fn get(
    kind: DocumentKind,
    site: web::Data<Site>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let query = body::query(&request)?;
    let number = query.get("item_id").unwrap_or_default();
    let address = address(kind, number);
    let customer = identity::customer(&site, &request, Freshness::Remembered, &address).await?;
    let quote = start_payment::quote_document(&site.app, &customer, kind, number)
        .await
        .map_err(|error| dead_end(&site, kind, &address, &error))?;
    let page = page(&site, kind, address, &quote);
    Ok(pages::show(&site, &request, StatusCode::OK, &page))
}

/// Begins the payment and sends the whole window to the checkout.
///
/// # Errors
///
/// [`Refusal`] says what is shown instead.
pub async fn post(
    kind: DocumentKind,
    site: web::Data<Site>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Refusal> {
    let form = body::form(&site, &request, payload).await?;
    let query = body::query(&request)?;
    let number = query.get("item_id").or(form.get("item_id")).unwrap_or_default();
    let address = address(kind, number);
    let customer = identity::customer(&site, &request, Freshness::Asked, &address).await?;
    site.checkouts.check(customer.id)?;
    let checkout = start_payment::pay_document(&site.app, &customer, kind, number)
        .await
        .map_err(|error| dead_end(&site, kind, &address, &error))?;
    Ok(pages::see_other(&checkout.url))
}

/// The page's own address for this document.
fn address(kind: DocumentKind, number: &str) -> String {
    let page = match kind {
        DocumentKind::Invoice => "pay-invoice",
        DocumentKind::ProformaInvoice => "pay-proforma",
    };
    let number: String = byte_serialize(number.as_bytes()).collect();
    format!("/bitpay/{page}?item_id={number}")
}

fn dead_end(site: &Site, kind: DocumentKind, address: &str, error: &DeadEnd) -> Refusal {
    dead_ends::refusal(error, address, dead_ends::back_to_documents(site, kind))
}

fn page(site: &Site, kind: DocumentKind, action: String, quote: &Quote) -> PayDocumentPage {
    let number = quote.payable.document().map(|document| document.number.to_string());
    PayDocumentPage {
        action,
        kind: kind_key(kind),
        number: number.unwrap_or_default(),
        due: quote.due.to_string(),
        fee: quote.fee.is_positive().then(|| quote.fee.to_string()),
        price: quote.price.to_string(),
        back: dead_ends::back_to_documents(site, kind).href,
    }
}

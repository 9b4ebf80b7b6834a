//! Making a processor invoice and asking about it (facts 2.1, 2.4).
//!
//! **Invariant:** a wish makes the same bytes every time, and its guid is the attempt's id, so that repeating it never
//! makes a second invoice at BitPay; an answer that is not about the wish opens nothing.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Number, Value};

use super::complaint::Topic;
use super::error::Failure;
use super::site::Site;
use super::wire::{Invoice, missing, unreadable};
use crate::domain::ids::AttemptId;
use crate::ports::processor::{InvoiceWish, OpenedInvoice};

/// The body of `POST /invoices`. The fields go out in this order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewInvoice<'a> {
    token: &'a str,
    price: Number,
    currency: &'static str,
    order_id: String,
    guid: String,
    pos_data: String,
    item_desc: &'a str,
    #[serde(rename = "notificationURL")]
    notification_url: &'a str,
    #[serde(rename = "redirectURL")]
    redirect_url: &'a str,
    #[serde(rename = "closeURL")]
    close_url: &'a str,
    transaction_speed: &'a str,
    full_notifications: bool,
    extended_notifications: bool,
}

/// The bytes of the request for `wish`.
pub(super) fn request_body(wish: &InvoiceWish, token: &SecretString) -> Result<Vec<u8>, Failure> {
    let attempt = wish.attempt.to_string();
    let price = wish.price.amount_text().parse::<Number>();
    let body = NewInvoice {
        token: token.expose_secret(),
        price: price.map_err(|_| unsendable())?,
        currency: wish.price.currency().code(),
        order_id: attempt.clone(),
        guid: attempt.clone(),
        // Comes back in every notification; BitPay takes at most 100 characters.
        pos_data: format!("{{\"a\":\"{attempt}\"}}"),
        item_desc: &wish.description,
        notification_url: &wish.notification_url,
        redirect_url: &wish.redirect_url,
        close_url: &wish.close_url,
        transaction_speed: &wish.transaction_speed,
        full_notifications: true,
        extended_notifications: true,
    };
    serde_json::to_vec(&body).map_err(|_| unsendable())
}

fn unsendable() -> Failure {
    Failure::NotSent("the price could not be written".to_owned())
}

/// Whether the POST was refused only because an earlier one was executed.
pub(super) fn exists_already(failure: &Failure) -> bool {
    failure.is_about(Topic::GuidExists)
}

/// Reads the answer to a wish: our price, our order id, and a checkout page on the processor's own site.
pub(super) fn opened(
    answer: &Value,
    wish: &InvoiceWish,
    site: &Site,
) -> Result<OpenedInvoice, Failure> {
    let invoice = Invoice::read(answer)?;
    if !is_ours(&invoice, wish.attempt) {
        return Err(unreadable("its order id is not the one that was sent"));
    }
    if invoice.price != wish.price {
        let (theirs, ours) = (invoice.price, wish.price);
        return Err(unreadable(&format!("its price is {theirs}, but {ours} was sent")));
    }
    let url = invoice.url.ok_or(missing("url"))?;
    let checkout_url = site
        .checkout(&url)
        .ok_or(unreadable("its checkout page is not on the processor's site"))?;
    Ok(OpenedInvoice {
        invoice: invoice.id,
        checkout_url,
        expires_at: invoice.expires_at.ok_or(missing("expirationTime"))?,
        price: invoice.price,
    })
}

/// The order id decides. Only where it is left out does the guid: BTCPay Server draws a new guid for every answer.
fn is_ours(invoice: &Invoice, attempt: AttemptId) -> bool {
    let told = invoice.order_id.as_deref().or(invoice.guid.as_deref());
    told.is_none_or(|told| told == attempt.to_string())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::domain::connection::Environment;
    use crate::domain::money::{Currency, Money};

    fn wish(amount: &str, currency: &str) -> InvoiceWish {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        InvoiceWish {
            attempt: AttemptId::new(now, 1),
            price: Money::parse(amount, Currency::parse(currency).unwrap()).unwrap(),
            description: "Invoice \"1\"".to_owned(),
            notification_url: "https://isp.example/bitpay/ipn/00".to_owned(),
            redirect_url: "https://isp.example/bitpay/result/00".to_owned(),
            close_url: "https://isp.example/bitpay/result/00".to_owned(),
            transaction_speed: "medium".to_owned(),
        }
    }

    fn token() -> SecretString {
        SecretString::from("T0ken")
    }

    fn answer(name: &str, value: Value) -> Value {
        let mut data = json!({
            "id": "G3viJEJgE8Jk2oekSdgT2A", "status": "new", "price": 51.6, "currency": "USD",
            "url": "https://bitpay.com/invoice?id=G3viJEJgE8Jk2oekSdgT2A",
            "expirationTime": 1_700_000_900_000_i64,
            "orderId": wish("51.60", "USD").attempt.to_string(),
        });
        data[name] = value;
        json!({ "data": data })
    }

    fn opened_by(answer: &Value) -> Result<OpenedInvoice, Failure> {
        let site = Site::parse("https://bitpay.com/", Environment::Production).unwrap();
        opened(answer, &wish("51.60", "USD"), &site)
    }

    #[test]
    fn a_wish_is_written_the_same_way_every_time() {
        let body = request_body(&wish("51.60", "USD"), &token()).unwrap();
        assert_eq!(
            String::from_utf8(body).unwrap(),
            concat!(
                r#"{"token":"T0ken","price":51.60,"currency":"USD","#,
                r#""orderId":"01HF7YAT000000000000000001","guid":"01HF7YAT000000000000000001","#,
                r#""posData":"{\"a\":\"01HF7YAT000000000000000001\"}","itemDesc":"Invoice \"1\"","#,
                r#""notificationURL":"https://isp.example/bitpay/ipn/00","#,
                r#""redirectURL":"https://isp.example/bitpay/result/00","#,
                r#""closeURL":"https://isp.example/bitpay/result/00","transactionSpeed":"medium","#,
                r#""fullNotifications":true,"extendedNotifications":true}"#
            )
        );
    }

    #[rstest]
    #[case("500", "JPY", r#""price":500,"currency":"JPY""#)]
    #[case("1.005", "KWD", r#""price":1.005,"currency":"KWD""#)]
    #[case("0.07", "EUR", r#""price":0.07,"currency":"EUR""#)]
    #[case("92233720368547758.07", "USD", r#""price":92233720368547758.07,"#)]
    fn a_price_has_the_decimal_places_of_its_currency(
        #[case] amount: &str,
        #[case] currency: &str,
        #[case] part: &str,
    ) {
        let body = request_body(&wish(amount, currency), &token()).unwrap();
        assert!(String::from_utf8(body).unwrap().contains(part));
    }

    #[rstest]
    #[case("price", json!("51.60"))]
    #[case("orderId", json!(null))]
    #[case("guid", json!("another in every answer of BTCPay"))]
    #[case("status", json!("of a later day"))]
    #[case("status", json!("expired"))]
    fn an_answer_to_the_wish_opens_the_invoice(#[case] name: &str, #[case] value: Value) {
        let opened = opened_by(&answer(name, value)).unwrap();
        assert_eq!(opened.invoice.as_str(), "G3viJEJgE8Jk2oekSdgT2A");
        assert_eq!(opened.checkout_url, "https://bitpay.com/invoice?id=G3viJEJgE8Jk2oekSdgT2A");
        assert_eq!(opened.expires_at.timestamp(), 1_700_000_900);
    }

    #[rstest]
    #[case("price", json!(51.61), "its price is 51.61 USD, but 51.60 USD was sent")]
    #[case("currency", json!("EUR"), "its price is 51.60 EUR, but 51.60 USD was sent")]
    #[case("orderId", json!("x"), "its order id is not the one that was sent")]
    #[case("url", json!(null), "it has no url")]
    #[case("url", json!("https://evil.example/"), "its checkout page is not on the processor's site")]
    #[case("expirationTime", json!(null), "it has no expirationTime")]
    fn any_other_answer_opens_nothing(#[case] name: &str, #[case] value: Value, #[case] why: &str) {
        assert_eq!(opened_by(&answer(name, value)), Err(unreadable(why)));
    }

    #[test]
    fn without_an_order_id_the_guid_must_be_ours() {
        let mut answer = answer("orderId", json!(null));
        answer["data"]["guid"] = json!("x");
        assert!(opened_by(&answer).is_err());
    }
}

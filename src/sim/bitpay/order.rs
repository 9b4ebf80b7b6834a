//! The body of `POST /invoices`, checked as strictly as BitPay checks it.
//!
//! **Invariant:** an [`Order`] exists only with a price its currency can express and URLs BitPay would call.

use std::net::IpAddr;

use rust_decimal::Decimal;
use serde_json::{Map, Value};
use url::{Host, Url};

use super::currencies::{Coin, Fiat};
use super::invoice::Speed;
use super::reply::ApiError;
use super::settings::Settings;

/// What the merchant asked for.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "orderId is BitPay's own word")]
pub(super) struct Order {
    /// The price, in `currency`.
    pub price: Decimal,
    /// The price currency.
    pub currency: &'static Fiat,
    /// The merchant's idempotency key.
    pub guid: Option<String>,
    /// The merchant's reference.
    pub order_id: Option<String>,
    /// What the shopper is told they buy.
    pub item_desc: Option<String>,
    /// The merchant's article.
    pub item_code: Option<String>,
    /// Passed through.
    pub pos_data: Option<String>,
    /// Where notifications go. Never shown again.
    pub notification_url: Option<Url>,
    /// Where the shopper goes after paying.
    pub redirect_url: Option<Url>,
    /// Where the shopper goes after giving up.
    pub close_url: Option<Url>,
    /// Whether the shopper goes there without a click.
    pub auto_redirect: bool,
    /// How many confirmations are awaited.
    pub speed: Speed,
    /// Whether every status is notified, not only the first final one.
    pub full_notifications: bool,
    /// Whether expiries and refunds are notified too, as `{event, data}`.
    pub extended_notifications: bool,
    /// The shopper, as given.
    pub buyer: Map<String, Value>,
    /// The coins offered; empty is all.
    pub coins: Vec<&'static Coin>,
    /// Milliseconds until the expiry, if the merchant chose them.
    pub acceptance_window: Option<u64>,
}

impl Order {
    /// Reads the body of `POST /invoices`.
    ///
    /// # Errors
    /// Says which parameter is missing or wrong, or that the price is out of bounds.
    pub(super) fn read(body: &Map<String, Value>, settings: &Settings) -> Result<Self, ApiError> {
        let missing: Vec<_> =
            ["price", "currency"].into_iter().filter(|name| absent(body, name)).collect();
        if !missing.is_empty() {
            return Err(ApiError::Missing(missing));
        }
        let currency = text(body, "currency")?
            .and_then(|code| Fiat::find(&code))
            .ok_or(ApiError::InvalidParam("currency"))?;
        let price = price(body, currency)?;
        within_bounds(price, currency, settings)?;
        let extended_notifications = flag(body, "extendedNotifications")?.unwrap_or(false);
        Ok(Self {
            price,
            currency,
            guid: text(body, "guid")?,
            order_id: text(body, "orderId")?,
            item_desc: text(body, "itemDesc")?,
            item_code: text(body, "itemCode")?,
            pos_data: text(body, "posData")?,
            notification_url: notification_url(body)?,
            redirect_url: web_url(body, "redirectURL")?,
            close_url: web_url(body, "closeURL")?,
            auto_redirect: flag(body, "autoRedirect")?.unwrap_or(false),
            speed: speed(body)?,
            full_notifications: extended_notifications
                || flag(body, "fullNotifications")?.unwrap_or(true),
            extended_notifications,
            buyer: buyer(body)?,
            coins: coins(body)?,
            acceptance_window: window(body)?,
        })
    }

    /// The field of the buyer, if it is a text.
    #[must_use]
    pub(super) fn buyer_text(&self, field: &str) -> Option<&str> {
        self.buyer.get(field).and_then(Value::as_str)
    }
}

fn absent(body: &Map<String, Value>, name: &str) -> bool {
    matches!(body.get(name), None | Some(Value::Null))
        || body.get(name) == Some(&Value::String(String::new()))
}

fn text(body: &Map<String, Value>, name: &'static str) -> Result<Option<String>, ApiError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ApiError::InvalidParam(name)),
    }
}

fn flag(body: &Map<String, Value>, name: &'static str) -> Result<Option<bool>, ApiError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(ApiError::InvalidParam(name)),
    }
}

/// A number or a text; both are in use among BitPay's clients.
fn price(body: &Map<String, Value>, currency: &Fiat) -> Result<Decimal, ApiError> {
    let read = match body.get("price") {
        Some(Value::Number(number)) => decimal(&number.to_string()),
        Some(Value::String(text)) => decimal(text),
        _ => None,
    };
    let price: Decimal = read.ok_or(ApiError::InvalidParam("price"))?;
    if price.is_sign_negative() || price.normalize().scale() > currency.precision {
        return Err(ApiError::InvalidParam("price"));
    }
    Ok(price.normalize())
}

/// As JavaScript reads a number: digits, a point, an exponent.
fn decimal(text: &str) -> Option<Decimal> {
    let plain = text.chars().all(|c| c.is_ascii_digit() || ".eE+-".contains(c));
    text.parse().ok().filter(|_| plain)
}

fn within_bounds(price: Decimal, currency: &Fiat, settings: &Settings) -> Result<(), ApiError> {
    let usd = price.checked_div(currency.per_usd).unwrap_or(Decimal::MAX);
    if usd < settings.price_minimum {
        return Err(ApiError::BelowMinimum);
    }
    if usd > settings.price_maximum {
        return Err(ApiError::AboveMaximum);
    }
    Ok(())
}

fn speed(body: &Map<String, Value>) -> Result<Speed, ApiError> {
    match text(body, "transactionSpeed")?.as_deref() {
        Some("high") => Ok(Speed::High),
        None | Some("medium") => Ok(Speed::Medium),
        Some("low") => Ok(Speed::Low),
        Some(_) => Err(ApiError::InvalidParam("transactionSpeed")),
    }
}

/// BitPay insists on https; plain http is let through to loopback alone, where tests live.
fn notification_url(body: &Map<String, Value>) -> Result<Option<Url>, ApiError> {
    let url = web_url(body, "notificationURL")?;
    if url.as_ref().is_some_and(|url| url.scheme() == "http" && !is_loopback(url)) {
        return Err(ApiError::InvalidParam("notificationURL"));
    }
    Ok(url)
}

fn web_url(body: &Map<String, Value>, name: &'static str) -> Result<Option<Url>, ApiError> {
    let Some(text) = text(body, name)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let url = Url::parse(&text).map_err(|_| ApiError::InvalidParam(name))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(ApiError::InvalidParam(name));
    }
    Ok(Some(url))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

fn buyer(body: &Map<String, Value>) -> Result<Map<String, Value>, ApiError> {
    let buyer = match body.get("buyer") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(buyer)) => buyer.clone(),
        Some(_) => return Err(ApiError::InvalidParam("buyer")),
    };
    let country = buyer.get("country").and_then(Value::as_str).unwrap_or("XX");
    let alpha2 = country.is_empty()
        || (country.len() == 2 && country.chars().all(|c| c.is_ascii_uppercase()));
    if alpha2 { Ok(buyer) } else { Err(ApiError::InvalidParam("buyer.country")) }
}

fn coins(body: &Map<String, Value>) -> Result<Vec<&'static Coin>, ApiError> {
    const NAME: &str = "paymentCurrencies";
    let codes = match body.get(NAME) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(codes)) => codes,
        Some(_) => return Err(ApiError::InvalidParam(NAME)),
    };
    let coin =
        |code: &Value| code.as_str().and_then(Coin::find).ok_or(ApiError::InvalidParam(NAME));
    codes.iter().map(coin).collect()
}

fn window(body: &Map<String, Value>) -> Result<Option<u64>, ApiError> {
    match body.get("acceptanceWindow") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(ApiError::InvalidParam("acceptanceWindow")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn read(extra: Value) -> Result<Order, ApiError> {
        let (Value::Object(mut body), Value::Object(extra)) =
            (json!({"price": 20, "currency": "USD"}), extra)
        else {
            panic!("not an object");
        };
        body.extend(extra);
        Order::read(&body, &Settings::default())
    }

    #[rstest]
    #[case(json!(20), "20")]
    #[case(json!("20.10"), "20.1")]
    #[case(json!(0.01), "0.01")]
    #[case(serde_json::from_str("2e1").unwrap(), "20")]
    fn a_price_is_a_number_or_a_text(#[case] price: Value, #[case] expected: &str) {
        assert_eq!(read(json!({ "price": price })).unwrap().price.to_string(), expected);
    }

    #[rstest]
    #[case(json!({"price": 20.001}), "price")]
    #[case(json!({"price": 20.1, "currency": "JPY"}), "price")]
    #[case(json!({"price": "twenty"}), "price")]
    #[case(json!({"price": -1}), "price")]
    #[case(json!({"price": true}), "price")]
    #[case(json!({"price": "1_000"}), "price")]
    #[case(json!({"currency": "XYZ"}), "currency")]
    #[case(json!({"currency": 1}), "currency")]
    #[case(json!({"notificationURL": "http://isp.example/ipn"}), "notificationURL")]
    #[case(json!({"notificationURL": "http://127.0.0.1.isp.example/ipn"}), "notificationURL")]
    #[case(json!({"notificationURL": "ftp://127.0.0.1/ipn"}), "notificationURL")]
    #[case(json!({"redirectURL": "javascript:alert(1)"}), "redirectURL")]
    #[case(json!({"transactionSpeed": "fast"}), "transactionSpeed")]
    #[case(json!({"fullNotifications": "true"}), "fullNotifications")]
    #[case(json!({"orderId": 12}), "orderId")]
    #[case(json!({"buyer": "Customer One"}), "buyer")]
    #[case(json!({"buyer": {"country": "Germany"}}), "buyer.country")]
    #[case(json!({"paymentCurrencies": ["BTC", "GOLD"]}), "paymentCurrencies")]
    fn a_wrong_parameter_is_named(#[case] extra: Value, #[case] param: &'static str) {
        assert_eq!(read(extra).unwrap_err(), ApiError::InvalidParam(param));
    }

    #[rstest]
    #[case("https://isp.example/bitpay/ipn/x")]
    #[case("http://127.0.0.1:8330/bitpay/ipn/x")]
    #[case("http://[::1]:8330/x")]
    #[case("http://localhost/x")]
    fn a_notification_goes_over_https_or_to_loopback(#[case] url: &str) {
        assert_eq!(
            read(json!({"notificationURL": url})).unwrap().notification_url.unwrap().as_str(),
            url
        );
    }

    #[rstest]
    #[case(json!({"price": 0}), ApiError::BelowMinimum)]
    #[case(json!({"price": 100_000.01}), ApiError::AboveMaximum)]
    fn a_price_is_bounded(#[case] extra: Value, #[case] error: ApiError) {
        assert_eq!(read(extra).unwrap_err(), error);
    }

    #[test]
    fn the_bounds_are_dollars_whatever_the_price_is_in() {
        assert!(read(json!({"price": 100_001, "currency": "JPY"})).is_ok());
        assert_eq!(
            read(json!({"price": 0.01, "currency": "CZK"})).unwrap_err(),
            ApiError::BelowMinimum
        );
    }

    #[test]
    fn all_missing_parameters_are_listed() {
        let error = Order::read(&Map::new(), &Settings::default()).unwrap_err();
        assert_eq!(error, ApiError::Missing(vec!["price", "currency"]));
    }

    #[test]
    fn extended_notifications_imply_full_ones() {
        let order =
            read(json!({"extendedNotifications": true, "fullNotifications": false})).unwrap();
        assert!(order.full_notifications);
        assert!(read(json!({})).unwrap().full_notifications);
    }
}

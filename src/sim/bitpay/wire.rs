//! An invoice as BitPay prints it, in full, for the public, and in a notification.
//!
//! **Invariant:** the simulator's own shapes, never the add-on's. Numbers print as JavaScript prints them: whole up to
//! 10^21, with an exponent from there on. `refundInfo` is a list, as BitPay's documentation has it, and there only for
//! what the merchant refunded: two official SDKs disagree about its type, so nothing more is made of it.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Number, Value, json};

use super::api::ApiRequest;
use super::clock::Moment;
use super::currencies::{Coin, FIATS, Quote};
use super::invoice::{Event, Exception, Status};
use super::progress::Progress;
use super::tokens::Facade;
use super::world::Invoice;

/// A decimal as a JSON number, without trailing zeros.
#[must_use]
pub(super) fn number(amount: Decimal) -> Value {
    parse_number(&amount.normalize().to_string())
}

/// A count of smallest units as JavaScript would print it.
#[must_use]
pub(super) fn units(units: u128) -> Value {
    let text = units.to_string();
    if text.len() <= 21 {
        return parse_number(&text);
    }
    let exponent = text.len().saturating_sub(1);
    let (first, rest) = text.split_at(1);
    let rest = rest.trim_end_matches('0');
    let point = if rest.is_empty() { "" } else { "." };
    parse_number(&format!("{first}{point}{rest}e+{exponent}"))
}

fn parse_number(text: &str) -> Value {
    text.parse::<Number>().map_or(Value::Null, Value::Number)
}

/// What each quote of the invoice says, by coin.
fn by_coin<F: Fn(&Quote) -> Value>(invoice: &Invoice, value: F) -> Value {
    let pairs =
        invoice.progress.quotes.iter().map(|quote| (quote.coin.code.to_owned(), value(quote)));
    Value::Object(pairs.collect())
}

/// The part of an invoice that everybody may see who knows its id.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "BitPay's fields, not ours")]
struct Public<'a> {
    url: String,
    status: Status,
    price: Value,
    currency: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_desc: Option<&'a str>,
    invoice_time: Moment,
    expiration_time: Moment,
    current_time: Moment,
    id: &'a str,
    low_fee_detected: bool,
    amount_paid: Value,
    display_amount_paid: String,
    exception_status: Value,
    target_confirmations: u8,
    transactions: Vec<Value>,
    transaction_speed: Value,
    #[serde(rename = "redirectURL", skip_serializing_if = "Option::is_none")]
    redirect_url: Option<&'a str>,
    auto_redirect: bool,
    #[serde(rename = "closeURL", skip_serializing_if = "Option::is_none")]
    close_url: Option<&'a str>,
    payment_subtotals: Value,
    payment_totals: Value,
    payment_display_totals: Value,
    payment_display_sub_totals: Value,
    exchange_rates: Value,
    miner_fees: Value,
    json_pay_pro_required: bool,
    merchant_name: &'static str,
    bitpay_id_required: bool,
    supported_transaction_currencies: Value,
    payment_codes: Value,
    universal_codes: Value,
    is_cancelled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_currency: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    underpaid_amount: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overpaid_amount: Option<Value>,
}

impl<'a> Public<'a> {
    fn new(invoice: &'a Invoice, request: &ApiRequest) -> Self {
        let progress = &invoice.progress;
        let order = &invoice.order;
        let base = &request.base;
        let id = progress.id.as_str();
        Self {
            url: format!("{base}/invoice?id={id}"),
            status: progress.status,
            price: number(order.price),
            currency: order.currency.code,
            item_desc: order.item_desc.as_deref(),
            invoice_time: invoice.created,
            expiration_time: progress.expires,
            current_time: request.now,
            id,
            low_fee_detected: false,
            amount_paid: amount_paid(progress),
            display_amount_paid: display_amount_paid(progress),
            exception_status: exception_status(progress),
            target_confirmations: 6,
            transactions: transactions(invoice),
            transaction_speed: json!(progress.speed),
            redirect_url: order.redirect_url.as_ref().map(url::Url::as_str),
            auto_redirect: order.auto_redirect,
            close_url: order.close_url.as_ref().map(url::Url::as_str),
            payment_subtotals: by_coin(invoice, |quote| units(quote.coin.units(quote.subtotal))),
            payment_totals: by_coin(invoice, |quote| units(quote.coin.units(quote.total))),
            payment_display_totals: by_coin(invoice, |quote| {
                json!(quote.coin.display(quote.total))
            }),
            payment_display_sub_totals: by_coin(invoice, |quote| {
                json!(quote.coin.display(quote.subtotal))
            }),
            exchange_rates: by_coin(invoice, |quote| exchange_rates(quote.coin)),
            miner_fees: by_coin(invoice, |quote| miner_fee(quote, invoice)),
            json_pay_pro_required: false,
            merchant_name: "Simulated Merchant",
            bitpay_id_required: false,
            supported_transaction_currencies: by_coin(invoice, |_| json!({"enabled": true})),
            payment_codes: by_coin(invoice, |quote| payment_code(quote.coin, base, id)),
            universal_codes: json!({
                "paymentString": format!("{base}/i/{id}"),
                "verificationLink": format!("{base}/invoice?id={id}"),
            }),
            is_cancelled: false,
            transaction_currency: paid_coin(progress).map(|coin| coin.code),
            underpaid_amount: underpaid(progress),
            overpaid_amount: overpaid(progress),
        }
    }
}

/// What only the merchant sees.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Private<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pos_data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_code: Option<&'a str>,
    guid: &'a str,
    buyer: &'a Map<String, Value>,
    refund_addresses: Vec<Value>,
    refund_address_request_pending: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_info: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buyer_provided_email: Option<&'a str>,
    buyer_provided_info: Value,
    shopper: Value,
    token: &'a str,
}

impl<'a> Private<'a> {
    fn new(invoice: &'a Invoice) -> Self {
        let order = &invoice.order;
        let email = order.buyer_text("email");
        let mut info = Map::new();
        if let Some(email) = email {
            info.insert("emailAddress".to_owned(), json!(email));
        }
        if let Some(coin) = invoice.progress.coin {
            info.insert("selectedWallet".to_owned(), json!("bitpay"));
            info.insert("selectedTransactionCurrency".to_owned(), json!(coin.code));
        }
        Self {
            order_id: order.order_id.as_deref(),
            pos_data: order.pos_data.as_deref(),
            item_code: order.item_code.as_deref(),
            guid: &invoice.guid,
            buyer: &order.buyer,
            refund_addresses: Vec::new(),
            refund_address_request_pending: false,
            refund_info: refund_info(invoice),
            buyer_provided_email: email,
            buyer_provided_info: Value::Object(info),
            shopper: json!({}),
            token: &invoice.resource_token,
        }
    }
}

/// What the merchant gave back of a complete invoice.
fn refund_info(invoice: &Invoice) -> Option<Value> {
    let refund = invoice.progress.refunded.as_ref()?;
    let order = &invoice.order;
    let amounts = json!({
        order.currency.code: number(order.price),
        refund.currency: number(refund.amount),
    });
    Some(json!([{
        "supportRequest": refund.id,
        "currency": order.currency.code,
        "amounts": amounts,
    }]))
}

/// All fields for the holder of a token.
#[must_use]
pub(super) fn data(invoice: &Invoice, request: &ApiRequest) -> Value {
    let mut all = object(&Public::new(invoice, request));
    all.extend(object(&Private::new(invoice)));
    Value::Object(all)
}

/// `{"facade": "pos/invoice", "data": …}`.
#[must_use]
pub(super) fn resource(invoice: &Invoice, facade: Facade, request: &ApiRequest) -> Value {
    json!({"facade": format!("{}/invoice", facade.name()), "data": data(invoice, request)})
}

/// `{"facade": "public/invoice", "data": …}`.
#[must_use]
pub(super) fn public(invoice: &Invoice, request: &ApiRequest) -> Value {
    json!({"facade": "public/invoice", "data": object(&Public::new(invoice, request))})
}

fn object<T: Serialize>(value: &T) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn paid_coin(progress: &Progress) -> Option<&'static Coin> {
    progress.coin.filter(|_| !progress.payments.is_empty())
}

fn amount_paid(progress: &Progress) -> Value {
    units(progress.coin.map_or(0, |coin| coin.units(progress.paid())))
}

fn display_amount_paid(progress: &Progress) -> String {
    paid_coin(progress).map_or_else(|| "0".to_owned(), |coin| coin.display(progress.paid()))
}

fn exception_status(progress: &Progress) -> Value {
    progress.exception.map_or(Value::Bool(false), |exception| json!(exception))
}

fn underpaid(progress: &Progress) -> Option<Value> {
    (progress.exception == Some(Exception::PaidPartial)).then(|| number(progress.missing()))
}

fn overpaid(progress: &Progress) -> Option<Value> {
    let quote = progress.quote()?;
    (progress.exception == Some(Exception::PaidOver)).then(|| number(progress.paid() - quote.total))
}

fn transactions(invoice: &Invoice) -> Vec<Value> {
    let progress = &invoice.progress;
    let confirmations = match progress.status {
        Status::Confirmed => 1,
        Status::Complete => 6,
        _ => 0,
    };
    let Some(coin) = progress.coin else {
        return Vec::new();
    };
    let one = |payment: &super::invoice::Payment| {
        json!({
            "amount": units(coin.units(payment.amount)),
            "confirmations": confirmations,
            "receivedTime": payment.at.rfc3339(),
            "time": payment.at.rfc3339(),
            "txid": payment.txid,
            "exRates": {invoice.order.currency.code: number(coin.rate(invoice.order.currency))},
            "outputIndex": 0,
        })
    };
    progress.payments.iter().map(one).collect()
}

fn exchange_rates(coin: &Coin) -> Value {
    let rates = FIATS.iter().take(3).map(|fiat| (fiat.code.to_owned(), number(coin.rate(fiat))));
    Value::Object(rates.collect())
}

fn miner_fee(quote: &Quote, invoice: &Invoice) -> Value {
    let coin = quote.coin;
    let fiat = (coin.network_fee * coin.rate(invoice.order.currency)).round_dp(2);
    let per_byte = Decimal::from_parts(79_151, 0, 0, false, 3);
    let per_byte = if coin.network_fee.is_zero() { Decimal::ZERO } else { per_byte };
    json!({
        "satoshisPerByte": number(per_byte),
        "totalFee": units(coin.units(coin.network_fee)),
        "fiatAmount": number(fiat),
    })
}

fn payment_code(coin: &Coin, base: &str, id: &str) -> Value {
    let link = format!("{base}/i/{id}");
    let scheme = coin.scheme;
    if coin.chain == "ETH" {
        json!({"EIP681": format!("{scheme}:?r={link}")})
    } else {
        json!({"BIP72b": format!("{scheme}:?r={link}"), "BIP73": link})
    }
}

/// The flat body of a notification: a part of the invoice. What the merchant did not set is not there.
#[must_use]
pub(super) fn notification(invoice: &Invoice, status: Status, base: &str, now: Moment) -> Value {
    let progress = &invoice.progress;
    let order = &invoice.order;
    let mut body = json!({
        "id": progress.id,
        "url": format!("{base}/invoice?id={}", progress.id),
        "status": status,
        "price": number(order.price),
        "currency": order.currency.code,
        "invoiceTime": invoice.created,
        "expirationTime": progress.expires,
        "currentTime": now,
        "exceptionStatus": exception_status(progress),
        "buyerFields": buyer_fields(invoice),
        "paymentSubtotals": by_coin(invoice, |quote| units(quote.coin.units(quote.subtotal))),
        "paymentTotals": by_coin(invoice, |quote| units(quote.coin.units(quote.total))),
        "exchangeRates": by_coin(invoice, |quote| exchange_rates(quote.coin)),
        "amountPaid": amount_paid(progress),
    });
    if let Some(fields) = body.as_object_mut() {
        let mut set = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                fields.insert(name.to_owned(), json!(value));
            }
        };
        set("orderId", order.order_id.as_deref());
        set("posData", order.pos_data.as_deref());
        set("transactionCurrency", paid_coin(progress).map(|coin| coin.code));
    }
    body
}

/// The extended body: the data first, then the event with its time, as recorded.
#[must_use]
pub(super) fn extended_notification(data: &Value, event: Event, now: Moment) -> String {
    let event = format!(
        r#"{{"name":"{}","code":{},"timestamp":{}}}"#,
        event.name(),
        event.code(),
        now.ms()
    );
    format!(r#"{{"data":{data},"event":{event}}}"#)
}

fn buyer_fields(invoice: &Invoice) -> Value {
    const NAMES: [(&str, &str); 10] = [
        ("name", "buyerName"),
        ("address1", "buyerAddress1"),
        ("address2", "buyerAddress2"),
        ("locality", "buyerCity"),
        ("region", "buyerState"),
        ("postalCode", "buyerZip"),
        ("country", "buyerCountry"),
        ("phone", "buyerPhone"),
        ("notify", "buyerNotify"),
        ("email", "buyerEmail"),
    ];
    let buyer = &invoice.order.buyer;
    let fields =
        NAMES.iter().filter_map(|(from, to)| Some(((*to).to_owned(), buyer.get(*from)?.clone())));
    Value::Object(fields.collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, "0")]
    #[case(29_600, "29600")]
    #[case(100_000_000_000_000_000_000, "100000000000000000000")]
    #[case(999_999_999_999_999_999_999, "999999999999999999999")]
    #[case(1_000_000_000_000_000_000_000, "1e+21")]
    #[case(1_699_895_497_000_000_000_000, "1.699895497e+21")]
    fn units_print_as_javascript_prints_them(#[case] count: u128, #[case] text: &str) {
        assert_eq!(units(count).to_string(), text);
    }

    #[test]
    fn a_price_loses_its_trailing_zeros() {
        assert_eq!(number(Decimal::new(2000, 2)).to_string(), "20");
        assert_eq!(number(Decimal::new(2010, 2)).to_string(), "20.1");
    }
}

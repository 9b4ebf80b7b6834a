//! What BitPay sends, read into our words (facts 2.2, 2.3, 7).
//!
//! **Invariant:** only the fields named here are looked at, so no number of any size elsewhere can break the reading;
//! and a status that is not known to be final never counts as money.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::error::Failure;
use crate::domain::ids::ProcessorInvoiceId;
use crate::domain::money::{Currency, Money};
use crate::domain::observation::{Exception, Observation, ProcessorStatus};

/// An invoice at BitPay, so far as it concerns us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invoice {
    /// 22 base58 characters.
    pub(super) id: ProcessorInvoiceId,
    /// The checkout page, as BitPay wrote it.
    pub(super) url: Option<String>,
    /// Ours, where it was sent back.
    pub(super) order_id: Option<String>,
    /// Ours at BitPay; at BTCPay Server a new one in every answer.
    pub(super) guid: Option<String>,
    /// In fiat.
    pub(super) price: Money,
    /// The end of the time to pay.
    pub(super) expires_at: Option<DateTime<Utc>>,
    /// Where it stands.
    pub(super) status: ProcessorStatus,
    /// What is special about the payment.
    pub(super) exception: Exception,
}

impl Invoice {
    /// Reads `{"data": {…}}`.
    pub(super) fn read(answer: &Value) -> Result<Self, Failure> {
        Self::read_data(answer.get("data").filter(|data| data.is_object()).ok_or(missing("data"))?)
    }

    /// Reads `{"data": [{…}, …]}`.
    pub(super) fn read_list(answer: &Value) -> Result<Vec<Self>, Failure> {
        let rows = answer.get("data").and_then(Value::as_array).ok_or(missing("data"))?;
        rows.iter().map(Self::read_data).collect()
    }

    fn read_data(data: &Value) -> Result<Self, Failure> {
        let id = text(data, "id").ok_or(missing("id"))?;
        Ok(Self {
            id: ProcessorInvoiceId::parse(&id)
                .map_err(|_| unreadable("its id has another shape"))?,
            url: text(data, "url"),
            order_id: text(data, "orderId"),
            guid: text(data, "guid"),
            price: price(data)?,
            expires_at: moment(data, "expirationTime"),
            status: status(&text(data, "status").ok_or(missing("status"))?),
            exception: exception(data),
        })
    }

    /// The same in the words of the domain. BitPay's `amountPaid` is crypto and says nothing in fiat.
    pub(super) fn observation(self) -> Observation {
        Observation {
            invoice: self.id,
            order_id: self.order_id,
            price: self.price,
            status: self.status,
            exception: self.exception,
            paid: None,
        }
    }
}

/// A field that is a text, or a number to be taken as one. An empty text is as good as none.
fn text(data: &Value, name: &str) -> Option<String> {
    match data.get(name)? {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn price(data: &Value) -> Result<Money, Failure> {
    let code = text(data, "currency").ok_or(missing("currency"))?;
    let currency = Currency::parse(&code).map_err(|error| unreadable(&error.to_string()))?;
    let amount = text(data, "price").ok_or(missing("price"))?;
    Money::parse(&amount, currency).map_err(|error| unreadable(&format!("its price: {error}")))
}

/// Times are in milliseconds.
fn moment(data: &Value, name: &str) -> Option<DateTime<Utc>> {
    let millis = text(data, name)?.parse::<i64>().ok()?;
    DateTime::from_timestamp_millis(millis)
}

/// `confirmed` is final: at the speed the admin chose, BitPay guarantees the money from there (design 4.5).
fn status(word: &str) -> ProcessorStatus {
    match word {
        "new" => ProcessorStatus::Unpaid,
        "paid" => ProcessorStatus::Seen,
        "confirmed" | "complete" => ProcessorStatus::Settled,
        "expired" => ProcessorStatus::Expired,
        "invalid" => ProcessorStatus::Invalid,
        "declined" => ProcessorStatus::Declined,
        unknown => {
            let word = unknown.chars().filter(char::is_ascii_alphanumeric).take(32);
            tracing::warn!(
                status = word.collect::<String>(),
                "BitPay tells an invoice status that this version does not know; taken as unpaid"
            );
            ProcessorStatus::Unpaid
        }
    }
}

fn exception(data: &Value) -> Exception {
    match data.get("exceptionStatus").and_then(Value::as_str) {
        Some("paidPartial") => Exception::PaidPartial,
        Some("paidOver") => Exception::PaidOver,
        Some("paidLate" | "paidLater") => Exception::PaidLate,
        Some("marked") => Exception::Marked,
        // What BitPay itself gives back goes with an exception; without one, the merchant did it.
        _ if is_refunded(data) => Exception::Refunded,
        _ => Exception::None,
    }
}

/// Official SDKs disagree whether this is one object or a list of them.
fn is_refunded(data: &Value) -> bool {
    match data.get("refundInfo") {
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
        _ => false,
    }
}

pub(super) fn missing(name: &str) -> Failure {
    unreadable(&format!("it has no {name}"))
}

pub(super) fn unreadable(why: &str) -> Failure {
    Failure::Unreadable(why.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    /// As published with BitPay's own SDK, with the integers that do not fit 64 bits.
    const CREATED: &str = r#"{"facade":"pos/invoice","data":{
        "url":"https://bitpay.com/invoice?id=G3viJEJgE8Jk2oekSdgT2A","posData":"…","status":"new",
        "price":20,"currency":"USD","itemDesc":"Item 1","orderId":"20210511_fghij",
        "invoiceTime":1620733980748,"expirationTime":1620734880748,"currentTime":1620733980807,
        "guid":"payment1234","id":"G3viJEJgE8Jk2oekSdgT2A","lowFeeDetected":false,
        "amountPaid":0,"displayAmountPaid":"0","exceptionStatus":false,"targetConfirmations":6,"transactions":[],
        "transactionSpeed":"medium","buyer":{"email":"john@doe.com"},
        "redirectURL":"https://merchantwebsite.com/shop/return","autoRedirect":false,
        "closeURL":"https://merchantwebsite.com/shop/cancel","refundAddresses":[],"refundAddressRequestPending":false,
        "paymentSubtotals":{"BTC":18000,"ETH":2505000000000000,"PAX":10000000000000000000},
        "paymentTotals":{"BTC":29600,"ETH":2505000000000000,"PAX":123000000000000000000,"DAI":1.699895497e+21},
        "paymentDisplayTotals":{"BTC":"0.000296"},"paymentDisplaySubTotals":{"BTC":"0.000180"},
        "exchangeRates":{"BTC":{"USD":55413.609335,"EUR":45540.39841}},
        "minerFees":{"BTC":{"satoshisPerByte":79.151,"totalFee":11600,"fiatAmount":6.43}},
        "shopper":{},"jsonPayProRequired":false,"merchantName":"…","bitpayIdRequired":false,
        "isCancelled":false,"token":"resource"}}"#;
    /// A public sample of 2014.
    const LEGACY: &str = r#"{"facade":"public/invoice","data":{"url":"https://bitpay.com/invoice?id=5NxFkXcJbCSivtQRJa4kHP","status":"expired","btcPrice":"0.0032","price":1.99,"currency":"USD","exRates":{"USD":619.39},"invoiceTime":1400000000000,"expirationTime":1400000900000,"id":"5NxFkXcJbCSivtQRJa4kHP","exceptionStatus":false}}"#;

    fn read(data: &Value) -> Result<Invoice, Failure> {
        Invoice::read(&json!({ "data": data }))
    }

    fn with(name: &str, value: Value) -> Value {
        let mut data = json!({
            "id": "G3viJEJgE8Jk2oekSdgT2A", "status": "new", "price": 20, "currency": "USD",
        });
        data[name] = value;
        data
    }

    #[test]
    fn a_published_answer_is_read_whole() {
        let invoice = Invoice::read(&serde_json::from_str(CREATED).unwrap()).unwrap();
        assert_eq!(invoice.id.as_str(), "G3viJEJgE8Jk2oekSdgT2A");
        assert_eq!(invoice.price.to_string(), "20.00 USD");
        assert_eq!(invoice.order_id.as_deref(), Some("20210511_fghij"));
        assert_eq!(invoice.guid.as_deref(), Some("payment1234"));
        assert_eq!(invoice.expires_at.unwrap().to_rfc3339(), "2021-05-11T12:08:00.748+00:00");
        assert_eq!((invoice.status, invoice.exception), (ProcessorStatus::Unpaid, Exception::None));
    }

    #[test]
    fn an_answer_of_2014_is_read_too() {
        let invoice = Invoice::read(&serde_json::from_str(LEGACY).unwrap()).unwrap();
        assert_eq!(invoice.price.minor(), 199);
        assert_eq!((invoice.status, invoice.order_id), (ProcessorStatus::Expired, None));
    }

    #[rstest]
    #[case("new", ProcessorStatus::Unpaid)]
    #[case("paid", ProcessorStatus::Seen)]
    #[case("confirmed", ProcessorStatus::Settled)]
    #[case("complete", ProcessorStatus::Settled)]
    #[case("expired", ProcessorStatus::Expired)]
    #[case("invalid", ProcessorStatus::Invalid)]
    #[case("declined", ProcessorStatus::Declined)]
    #[case("Complete", ProcessorStatus::Unpaid)]
    #[case("completed", ProcessorStatus::Unpaid)]
    #[case("of a later day", ProcessorStatus::Unpaid)]
    fn a_status_is_final_only_if_it_is_known_to_be(
        #[case] word: &str,
        #[case] status: ProcessorStatus,
    ) {
        assert_eq!(read(&with("status", json!(word))).unwrap().status, status);
    }

    #[rstest]
    #[case(json!(false), Exception::None)]
    #[case(json!(null), Exception::None)]
    #[case(json!("false"), Exception::None)]
    #[case(json!("paidPartial"), Exception::PaidPartial)]
    #[case(json!("paidOver"), Exception::PaidOver)]
    #[case(json!("paidLate"), Exception::PaidLate)]
    #[case(json!("paidLater"), Exception::PaidLate)]
    #[case(json!("marked"), Exception::Marked)]
    #[case(json!("of a later day"), Exception::None)]
    fn an_exception_is_false_or_a_word(#[case] value: Value, #[case] exception: Exception) {
        assert_eq!(read(&with("exceptionStatus", value)).unwrap().exception, exception);
    }

    #[rstest]
    #[case(json!([{"supportRequest": "x", "currency": "USD", "amounts": {"USD": 20}}]), Exception::Refunded)]
    #[case(json!({"supportRequest": "x"}), Exception::Refunded)]
    #[case(json!([]), Exception::None)]
    #[case(json!({}), Exception::None)]
    #[case(json!(null), Exception::None)]
    fn a_refund_by_the_merchant_is_noticed_in_either_shape(
        #[case] info: Value,
        #[case] exception: Exception,
    ) {
        assert_eq!(read(&with("refundInfo", info.clone())).unwrap().exception, exception);
        let mut over = with("exceptionStatus", json!("paidOver"));
        over["refundInfo"] = info;
        assert_eq!(read(&over).unwrap().exception, Exception::PaidOver, "BitPay's own refund");
    }

    #[rstest]
    #[case("20", 2000)]
    #[case("20.5", 2050)]
    #[case("\"51.61\"", 5161)]
    #[case("\"51.610\"", 5161)]
    #[case("92233720368547758.07", i64::MAX)]
    fn a_price_is_a_number_or_a_text(#[case] price: &str, #[case] minor: i64) {
        let price = serde_json::from_str(price).unwrap();
        assert_eq!(read(&with("price", price)).unwrap().price.minor(), minor);
    }

    #[rstest]
    #[case("price", "20.001", "more than 2 decimal places")]
    #[case("price", "0.30000000000000004", "more than 2 decimal places")]
    #[case("price", "1.69e+21", "not an amount")]
    #[case("price", "\"\"", "no price")]
    #[case("price", "null", "no price")]
    #[case("price", "92233720368547758.08", "too large")]
    #[case("currency", "\"BTC\"", "not an ISO 4217 currency")]
    #[case("currency", "null", "no currency")]
    #[case("id", "\"../tokens\"", "another shape")]
    #[case("id", "null", "no id")]
    #[case("status", "null", "no status")]
    fn a_field_that_cannot_be_trusted_makes_the_answer_unreadable(
        #[case] name: &str,
        #[case] value: &str,
        #[case] why: &str,
    ) {
        let failure = read(&with(name, serde_json::from_str(value).unwrap())).unwrap_err();
        assert!(
            matches!(&failure, Failure::Unreadable(words) if words.contains(why)),
            "{failure:?}"
        );
    }

    #[rstest]
    #[case(json!({}))]
    #[case(json!({"data": []}))]
    #[case(json!({"data": "x"}))]
    fn an_answer_without_data_is_unreadable(#[case] answer: Value) {
        assert!(matches!(Invoice::read(&answer), Err(Failure::Unreadable(_))));
    }

    #[rstest]
    #[case(json!(null))]
    #[case(json!("soon"))]
    #[case(json!(1.69e21))]
    fn a_time_that_cannot_be_read_is_none(#[case] value: Value) {
        assert_eq!(read(&with("expirationTime", value)).unwrap().expires_at, None);
    }
}

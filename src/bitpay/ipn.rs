//! Instant payment notifications: whether BitPay sent one, and what it is called (facts 2.7).
//!
//! **Invariant:** a body is never evidence. Nothing here says anything about money; a notification only means "look".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use sha2::Sha256;

/// Why a notification's `x-signature` does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no token to check against. Anybody can sign with an empty key.
    #[error("there is no token to check the signature with")]
    NoKey,
    /// Not the base64 text of 32 bytes.
    #[error("the signature is not a base64 text of 32 bytes")]
    Malformed,
    /// Made by somebody else, or the body was changed on its way.
    #[error("the signature does not match the body")]
    Mismatch,
}

/// Checks `x-signature`: standard base64 of HMAC-SHA256 with the API token as key, over the raw body as it came.
///
/// # Errors
///
/// [`SignatureError`]; the comparison takes constant time.
pub fn verify(token: &SecretString, body: &[u8], header: &str) -> Result<(), SignatureError> {
    let token = token.expose_secret();
    if token.trim().is_empty() {
        return Err(SignatureError::NoKey);
    }
    let signature = STANDARD.decode(header.trim()).map_err(|_| SignatureError::Malformed)?;
    if signature.len() != 32 {
        return Err(SignatureError::Malformed);
    }
    let mac = Hmac::<Sha256>::new_from_slice(token.as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.chain_update(body).verify_slice(&signature).map_err(|_| SignatureError::Mismatch)
}

/// Every event of BitPay and of BTCPay's BitPay-like notifications (facts 2.7, 3.3).
const EVENTS: [(u64, &str); 16] = [
    (1001, "invoice_created"),
    (1002, "invoice_receivedPayment"),
    (1003, "invoice_paidInFull"),
    (1004, "invoice_expired"),
    (1005, "invoice_confirmed"),
    (1006, "invoice_completed"),
    (1008, "invoice_markedInvalid"),
    (1009, "invoice_paidAfterExpiration"),
    (1012, "invoice_manuallyNotified"),
    (1013, "invoice_failedToConfirm"),
    (1016, "invoice_refundComplete"),
    (1019, "invoice_declined"),
    (2000, "invoice_expiredPaidPartial"),
    (2008, "invoice_markedComplete"),
    // Sent by no version seen so far; BTCPay's source lists them.
    (1014, "invoice_paymentSettled"),
    (2009, "invoice_refund"),
];

const REFUND_EVENTS: [&str; 4] =
    ["refund_created", "refund_pending", "refund_success", "refund_failure"];

/// What the notification calls itself, from a closed set, so that it can label a metric.
///
/// The extended shape is `{event, data}` in any order; the other is the bare invoice, called `flat`. What is neither is
/// `unreadable`, and an event of a later day is `other`.
#[must_use]
pub fn event_name(body: &[u8]) -> &'static str {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return "unreadable" };
    match body.get("event") {
        Some(event) => known_event(event),
        None if body.get("id").is_some_and(Value::is_string) => "flat",
        None => "unreadable",
    }
}

fn known_event(event: &Value) -> &'static str {
    let name = event.get("name").and_then(Value::as_str).unwrap_or_default();
    let code = event.get("code").and_then(Value::as_u64);
    let by_name = EVENTS.iter().map(|(_, known)| *known).chain(REFUND_EVENTS);
    by_name
        .into_iter()
        .find(|known| *known == name)
        .or_else(|| EVENTS.iter().find(|(known, _)| Some(*known) == code).map(|(_, name)| *name))
        .unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const TOKEN: &str = "G7XM9fcM1gtCN7DUr8ZWtPGVFLTKiYWanHR4kvqsnjP3";
    const CONFIRMED: &str = r#"{"event":{"code":1005,"name":"invoice_confirmed"},"data":{"id":"G3viJEJgE8Jk2oekSdgT2A","status":"confirmed"}}"#;
    const CONFIRMED_SIGNATURE: &str = "1eWaHdsqFQp+aHkP6BYEUX190I7ufrBtwnHHiCSAJUE=";
    /// As recorded at BitPay's test site in 2024.
    const RECORDED: &str = r#"{"data":{"id":"LXXgiWHZuKbt9yurP5RpMQ","url":"https://test.bitpay.com/invoice?id=LXXgiWHZuKbt9yurP5RpMQ","status":"complete","price":100,"currency":"USD","invoiceTime":1720196480461,"expirationTime":1720197380461,"currentTime":1720196481431,"exceptionStatus":false,"buyerFields":{"buyerName":"Test","buyerAddress1":"168 General Grove","buyerCity":"Port Horizon","buyerState":"New Port","buyerZip":"KY7 1TH","buyerCountry":"AD","buyerPhone":"+990123456789","buyerNotify":true,"buyerEmail":"test@email.com"},"paymentSubtotals":{"BTC":176951,"ETH":33503000000000000,"PAX":100000000000000000000,"MATIC":216309756000000000000},"paymentTotals":{"BTC":180506,"PAX":100000000000000000000},"exchangeRates":{},"amountPaid":180506,"transactionCurrency":"BTC"},"event":{"name":"invoice_completed","code":1006,"timestamp":1720196481452}}"#;

    fn check(key: &str, body: &str, header: &str) -> Result<(), SignatureError> {
        verify(&SecretString::from(key), body.as_bytes(), header)
    }

    #[rstest]
    #[case("test", r#"{"id":"test"}"#, "0KkGd2YCcbkhX15N8QF1moe/E6SG+EjHf6B8BE1uzr0=")]
    #[case(TOKEN, CONFIRMED, CONFIRMED_SIGNATURE)]
    #[case(TOKEN, CONFIRMED, " 1eWaHdsqFQp+aHkP6BYEUX190I7ufrBtwnHHiCSAJUE=\n")]
    fn a_signature_made_with_the_token_counts(
        #[case] key: &str,
        #[case] body: &str,
        #[case] header: &str,
    ) {
        assert_eq!(check(key, body, header), Ok(()));
    }

    #[rstest]
    #[case::another_key("other", CONFIRMED, CONFIRMED_SIGNATURE, SignatureError::Mismatch)]
    #[case::another_body(TOKEN, "{}", CONFIRMED_SIGNATURE, SignatureError::Mismatch)]
    #[case::spaces_added(TOKEN, &format!("{CONFIRMED} "), CONFIRMED_SIGNATURE, SignatureError::Mismatch)]
    #[case::empty(TOKEN, CONFIRMED, "", SignatureError::Malformed)]
    #[case::no_base64(TOKEN, CONFIRMED, "not base64!", SignatureError::Malformed)]
    #[case::too_short(TOKEN, CONFIRMED, "1eWaHdsqFQp+aA==", SignatureError::Malformed)]
    #[case::hex(TOKEN, CONFIRMED, "d5e59a1ddb2a150a7e687", SignatureError::Malformed)]
    fn any_other_signature_does_not(
        #[case] key: &str,
        #[case] body: &str,
        #[case] header: &str,
        #[case] error: SignatureError,
    ) {
        assert_eq!(check(key, body, header), Err(error));
    }

    #[rstest]
    #[case("")]
    #[case("  ")]
    fn an_empty_key_verifies_nothing_even_when_the_sums_agree(#[case] key: &str) {
        let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap().chain_update(CONFIRMED);
        let header = STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(check(key, CONFIRMED, &header), Err(SignatureError::NoKey));
    }

    #[rstest]
    #[case::event_first(CONFIRMED, "invoice_confirmed")]
    #[case::data_first(RECORDED, "invoice_completed")]
    #[case::code_alone(r#"{"event":{"code":1003},"data":{}}"#, "invoice_paidInFull")]
    #[case::refund(r#"{"event":{"name":"refund_success"},"data":{}}"#, "refund_success")]
    #[case::of_btcpay(
        r#"{"event":{"code":2000,"name":"invoice_expiredPaidPartial"},"data":{}}"#,
        "invoice_expiredPaidPartial"
    )]
    #[case::of_a_payout(r#"{"event":{"code":4001,"name":"recipient_invited"}}"#, "other")]
    #[case::no_object(r#"{"event":"x"}"#, "other")]
    #[case::flat(r#"{"id":"LXXgiWHZuKbt9yurP5RpMQ","status":"paid","price":"100"}"#, "flat")]
    #[case::huge(
        r#"{"id":"a","paymentTotals":{"PAX":123000000000000000000,"X":1.69e+21}}"#,
        "flat"
    )]
    #[case::foreign("[]", "unreadable")]
    #[case::empty("", "unreadable")]
    #[case::html("<html>", "unreadable")]
    fn an_event_has_a_name_from_a_closed_set(#[case] body: &str, #[case] name: &str) {
        assert_eq!(event_name(body.as_bytes()), name);
    }

    #[test]
    fn a_deep_body_is_unreadable_rather_than_a_crash() {
        assert_eq!(event_name("[".repeat(10_000).as_bytes()), "unreadable");
    }
}

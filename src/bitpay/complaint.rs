//! The words of a BitPay error: finding them in all shapes they come in (facts 1.5), and saying them to an admin.
//!
//! **Invariant:** what BitPay said is quoted short and without control characters, and never stands alone: a sentence
//! says first what to do.

use serde_json::Value;

/// What an error is about, so far as somebody has to act on it in their own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    /// The pairing code was not taken.
    PairingCode,
    /// BitPay asks to wait.
    TooManyRequests,
    /// The key is not known there.
    UnknownKey,
    /// The signature does not fit the address and the body as they arrived.
    BadSignature,
    /// The token does not belong to the key or was removed.
    InvalidToken,
    /// The token waits for approval or was switched off.
    TokenDisabled,
    /// The merchant has not finished signing up.
    AccountNotSetUp,
    /// The token may not do this.
    Facade,
    /// The merchant's tier does not allow the amount or the volume.
    LimitExceeded,
    /// Below the smallest price.
    BelowMinimum,
    /// Above the largest price.
    AboveMaximum,
    /// The invoice is not known there.
    InvoiceNotFound,
    /// An invoice with this guid exists.
    GuidExists,
    /// A parameter is wrong or missing.
    Parameters,
    /// The currency cannot be charged.
    Currency,
    /// The BTCPay store cannot take payments yet.
    StoreNotReady,
    /// An error inside BitPay.
    ServerError,
    /// Anything else.
    Other,
}

/// One error of BitPay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// What it is about.
    pub(super) topic: Topic,
    /// Its words, in short.
    pub(super) said: String,
}

impl Complaint {
    /// Finds the error in an answer, if it is one.
    ///
    /// `error` is a string, an object with `type` and `message`, or missing beside `message`; `errors` is a list; and
    /// a refund notification's success carries `message: null`.
    pub(super) fn read(answer: &Value) -> Option<Self> {
        let code = answer.get("code").and_then(digits);
        let failed = answer.get("status").and_then(Value::as_str) == Some("error");
        let said = words_of_list(answer.get("errors"))
            .or_else(|| words(answer.get("error")))
            .or_else(|| failed.then(|| words(answer.get("message"))).flatten())
            .or_else(|| failed.then(|| "no reason given".to_owned()))?;
        let topic =
            code.as_deref().and_then(topic_of_code).unwrap_or_else(|| topic_of_words(&said));
        Some(Self { topic, said: tidy(&said, code.as_deref()) })
    }

    /// The sentence for an admin.
    pub(super) fn sentence(&self) -> String {
        format!("{} (\"{}\")", advice(self.topic), self.said)
    }

    /// The same without `secret`, should BitPay have quoted it.
    pub(super) fn without(self, secret: &str) -> Self {
        let said = if secret.is_empty() { self.said } else { self.said.replace(secret, "…") };
        Self { said, ..self }
    }
}

/// A code is six digits; a number has lost the zeros before it.
fn digits(code: &Value) -> Option<String> {
    let text = match code {
        Value::String(text) => text.clone(),
        Value::Number(number) => format!("{number:0>6}"),
        _ => return None,
    };
    (text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// The words of an error that is a string or an object.
fn words(error: Option<&Value>) -> Option<String> {
    let error = error?;
    match error {
        Value::Null | Value::Bool(false) => None,
        Value::String(text) => Some(text.clone()),
        Value::Object(fields) => {
            let field = |name| fields.get(name).and_then(Value::as_str);
            let kind = field("type").or_else(|| field("code"));
            let message = field("message").or_else(|| field("error"));
            let joined = [kind, message].into_iter().flatten().collect::<Vec<_>>().join(": ");
            Some(if joined.is_empty() { error.to_string() } else { joined })
        }
        other => Some(other.to_string()),
    }
}

/// The words of a validation list, each with its parameter.
fn words_of_list(errors: Option<&Value>) -> Option<String> {
    let all = errors?.as_array()?.iter().filter_map(|entry| {
        let said = words(entry.get("error").or(Some(entry)))?;
        Some(match entry.get("param").and_then(Value::as_str) {
            Some(param) => format!("{} ({param})", said.trim_end_matches('.')),
            None => said,
        })
    });
    let joined = all.collect::<Vec<_>>().join("; ");
    (!joined.is_empty()).then_some(joined)
}

/// Cuts to one short line, and puts the code before it.
fn tidy(said: &str, code: Option<&str>) -> String {
    let spaced = said.chars().map(|c| if c.is_control() || c == '"' { ' ' } else { c });
    let line = spaced.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
    let short = line.chars().take(200).collect::<String>();
    code.map_or(short.clone(), |code| format!("{code}: {short}"))
}

/// The code grammar: verb (2), resource (2: 00 none, 01 invoice, 02 refund), error (2).
fn topic_of_code(code: &str) -> Option<Topic> {
    Some(match code.get(2..)? {
        "0000" | "0100" | "0200" => Topic::ServerError,
        "0101" => Topic::InvoiceNotFound,
        "0002" | "0003" | "0102" | "0103" | "0202" | "0203" => Topic::Parameters,
        "0110" => Topic::BelowMinimum,
        "0111" => Topic::AboveMaximum,
        "0118" => Topic::AccountNotSetUp,
        _ => return None,
    })
}

/// The first match wins, so the narrower words stand first.
const WORDS: [(&str, Topic); 39] = [
    ("too many requests", Topic::TooManyRequests),
    ("rate limit", Topic::TooManyRequests),
    ("too many invoices", Topic::TooManyRequests),
    ("unable to create token", Topic::PairingCode),
    ("pairingcode is not found", Topic::PairingCode),
    ("error while pairing", Topic::PairingCode),
    ("unauthorized sin", Topic::UnknownKey),
    ("bitid authentication failed", Topic::UnknownKey),
    ("apikey authentication failed", Topic::UnknownKey),
    ("authentication required", Topic::UnknownKey),
    ("invalid signature", Topic::BadSignature),
    ("invalid token", Topic::InvalidToken),
    ("token is disabled", Topic::TokenDisabled),
    ("account not setup", Topic::AccountNotSetUp),
    ("account not set up", Topic::AccountNotSetUp),
    ("not authorized for facade", Topic::Facade),
    ("` facade", Topic::Facade),
    ("limitexceeded", Topic::LimitExceeded),
    ("limit exceeded", Topic::LimitExceeded),
    ("below minimum", Topic::BelowMinimum),
    ("above maximum", Topic::AboveMaximum),
    ("invoice not found", Topic::InvoiceNotFound),
    ("object not found", Topic::InvoiceNotFound),
    ("no wallet has been linked", Topic::StoreNotReady),
    ("matching payment method", Topic::StoreNotReady),
    ("guid already", Topic::GuidExists),
    ("duplicate guid", Topic::GuidExists),
    ("same guid", Topic::GuidExists),
    ("guid exists", Topic::GuidExists),
    ("guid must be unique", Topic::GuidExists),
    ("server error", Topic::ServerError),
    ("try again", Topic::ServerError),
    ("temporarily", Topic::ServerError),
    ("maintenance", Topic::ServerError),
    ("timed out", Topic::ServerError),
    ("timeout", Topic::ServerError),
    ("currency", Topic::Currency),
    ("missing required", Topic::Parameters),
    ("invalid param", Topic::Parameters),
];

fn topic_of_words(said: &str) -> Topic {
    let said = said.to_lowercase();
    let missing = said.contains("missing") || said.contains("required");
    WORDS
        .iter()
        .find(|(words, topic)| said.contains(words) && !(missing && *topic == Topic::Currency))
        .map_or(Topic::Other, |(_, topic)| *topic)
}

/// What to do about it.
fn advice(topic: Topic) -> &'static str {
    match topic {
        Topic::TooManyRequests => "Too many requests. Wait some minutes before the next try.",
        Topic::UnknownKey => {
            "The processor does not know this add-on's key: its token was removed there, or belongs \
             to another key. Unpair, make a new pairing code and pair again."
        }
        Topic::BadSignature => {
            "The signature does not fit the request as it arrived: something on the way changes \
             addresses. Is bitpay.api_url the very address that the processor has for itself?"
        }
        Topic::InvalidToken => {
            "The API token is not valid: it was removed at the processor or belongs to another \
             site (test or production). Unpair, make a new pairing code and pair again."
        }
        Topic::TokenDisabled => {
            "The API token is switched off or waits for approval. Approve it under Payment Tools > \
             Manage API Tokens, or pair again."
        }
        Topic::AccountNotSetUp => {
            "The merchant account is not ready to take payments. Log in to the dashboard and finish \
             its set-up; payments work from then on."
        }
        Topic::Facade => {
            "The API token may not do this. Pair again with a code made under Payment Tools > \
             Manage API Tokens, which gives a point-of-sale token."
        }
        Topic::LimitExceeded => {
            "The merchant account's limit for this amount or its volume is exceeded. Ask BitPay for \
             a higher limit, or lower payments.maximum."
        }
        Topic::BelowMinimum => {
            "The amount is below the smallest one that the processor takes. Raise payments.minimum \
             for refills; such a document must be paid in another way."
        }
        Topic::AboveMaximum => {
            "The amount is above the largest one that the processor takes. Lower payments.maximum \
             for refills; such a document must be paid in another way."
        }
        Topic::InvoiceNotFound => {
            "The processor does not know this invoice. Was it made with another account?"
        }
        Topic::GuidExists => "There is an invoice for this attempt already.",
        Topic::Parameters => {
            "The processor did not like a parameter of the request. Check payments.currency, \
             bitpay.transaction_speed and the public address of this add-on."
        }
        Topic::Currency => {
            "The processor does not take this currency. Check payments.currency and the account's \
             settings."
        }
        Topic::StoreNotReady => {
            "The BTCPay store cannot take payments yet: link a wallet to it and check its rates."
        }
        Topic::ServerError => "The processor has an error of its own. Try again later.",
        // Codes are judged where pairing is: what to do about them depends on the site.
        Topic::PairingCode | Topic::Other => "The processor said no.",
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn read(body: &str) -> Option<Complaint> {
        Complaint::read(&serde_json::from_str(body).unwrap())
    }

    #[rstest]
    #[case(r#"{"error":"Unable to create token"}"#, Topic::PairingCode, "Unable to create token")]
    #[case(
        r#"{"error":"Unable to create token because of too many requests."}"#,
        Topic::TooManyRequests,
        "Unable to create token because of too many requests."
    )]
    #[case(r#"{"error":"Unauthorized sin"}"#, Topic::UnknownKey, "Unauthorized sin")]
    #[case(r#"{"error":"Invalid token"}"#, Topic::InvalidToken, "Invalid token")]
    #[case(
        r#"{"error":"Account not setup completely yet."}"#,
        Topic::AccountNotSetUp,
        "Account not setup completely yet."
    )]
    #[case(r#"{"error":"Token is disabled"}"#, Topic::TokenDisabled, "Token is disabled")]
    #[case(
        r#"{"error":"Not authorized for facade: pos"}"#,
        Topic::Facade,
        "Not authorized for facade: pos"
    )]
    #[case(
        r#"{"error":"This endpoint does not support the `user` facade"}"#,
        Topic::Facade,
        "This endpoint does not support the `user` facade"
    )]
    #[case(
        r#"{"error":{"type":"limitExceeded","message":"Your tier allows 1000 USD a day"}}"#,
        Topic::LimitExceeded,
        "limitExceeded: Your tier allows 1000 USD a day"
    )]
    #[case(
        r#"{"status":"error","code":"040107","data":null,"error":"Invalid invoice state for cancel"}"#,
        Topic::Other,
        "040107: Invalid invoice state for cancel"
    )]
    #[case(
        r#"{"status":"error","code":"010110","data":null,"message":"Invoice price is below minimum threshold"}"#,
        Topic::BelowMinimum,
        "010110: Invoice price is below minimum threshold"
    )]
    #[case(
        r#"{"status":"error","code":10111,"data":null,"error":"x"}"#,
        Topic::AboveMaximum,
        "010111: x"
    )]
    #[case(
        r#"{"errors":[{"error":"Missing required parameter.","param":"price"},{"error":"Missing required parameter.","param":"currency"}]}"#,
        Topic::Parameters,
        "Missing required parameter (price); Missing required parameter (currency)"
    )]
    #[case(
        r#"{"errors":[{"error":"BitId authentication failed"}],"error":"BitId authentication failed"}"#,
        Topic::UnknownKey,
        "BitId authentication failed"
    )]
    #[case(
        r#"{"error":"The specified pairingCode is not found"}"#,
        Topic::PairingCode,
        "The specified pairingCode is not found"
    )]
    #[case(
        r#"{"error":"Error while pairing (ReusedKey)"}"#,
        Topic::PairingCode,
        "Error while pairing (ReusedKey)"
    )]
    #[case(r#"{"error":"Object not found"}"#, Topic::InvoiceNotFound, "Object not found")]
    #[case(r#"{"error":"Invalid signature"}"#, Topic::BadSignature, "Invalid signature")]
    #[case(r#"{"error":"Rate limited"}"#, Topic::TooManyRequests, "Rate limited")]
    #[case(r#"{"error":"Invalid currency"}"#, Topic::Currency, "Invalid currency")]
    #[case(r#"{"error":{}}"#, Topic::Other, "{}")]
    #[case(r#"{"status":"error","code":"000000"}"#, Topic::ServerError, "000000: no reason given")]
    #[case(
        r#"{"error":"This guid already exists"}"#,
        Topic::GuidExists,
        "This guid already exists"
    )]
    fn every_shape_of_error_is_read(#[case] body: &str, #[case] topic: Topic, #[case] said: &str) {
        assert_eq!(read(body), Some(Complaint { topic, said: said.to_owned() }));
    }

    #[rstest]
    #[case("010000", Some(Topic::ServerError))]
    #[case("020001", None)]
    #[case("010002", Some(Topic::Parameters))]
    #[case("010003", Some(Topic::Parameters))]
    #[case("010100", Some(Topic::ServerError))]
    #[case("020101", Some(Topic::InvoiceNotFound))]
    #[case("010102", Some(Topic::Parameters))]
    #[case("010103", Some(Topic::Parameters))]
    #[case("010108", None)]
    #[case("010110", Some(Topic::BelowMinimum))]
    #[case("010111", Some(Topic::AboveMaximum))]
    #[case("010118", Some(Topic::AccountNotSetUp))]
    #[case("030200", Some(Topic::ServerError))]
    #[case("010207", None)]
    #[case("", None)]
    fn a_code_is_read_by_its_grammar(#[case] code: &str, #[case] topic: Option<Topic>) {
        assert_eq!(topic_of_code(code), topic);
    }

    #[rstest]
    #[case(r#"{"status":"success","data":{},"message":null}"#)]
    #[case(r#"{"data":{"status":"error"}}"#)]
    #[case(r#"{"data":{},"error":null}"#)]
    #[case(r#"{"errors":[]}"#)]
    #[case("[]")]
    #[case("null")]
    fn a_success_is_no_error(#[case] body: &str) {
        assert_eq!(read(body), None);
    }

    #[test]
    fn words_are_quoted_on_one_short_line() {
        let body = serde_json::json!({"error": format!("a\n\u{1b}[31m\"b\" {}", "x".repeat(999))});
        let said = Complaint::read(&body).unwrap().said;
        assert!(said.starts_with("a [31m b xxx"));
        assert_eq!(said.chars().count(), 200);
    }

    #[test]
    fn a_secret_that_is_quoted_back_is_left_out() {
        let complaint = read(r#"{"error":"Invalid token s3cret"}"#).unwrap().without("s3cret");
        assert!(complaint.sentence().ends_with("(\"Invalid token …\")"));
    }

    #[test]
    fn a_sentence_says_what_to_do_and_what_was_said() {
        assert_eq!(
            read(r#"{"error":"Token is disabled"}"#).unwrap().sentence(),
            "The API token is switched off or waits for approval. Approve it under Payment Tools > \
             Manage API Tokens, or pair again. (\"Token is disabled\")"
        );
    }
}

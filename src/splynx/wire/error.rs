//! Splynx's own way to say no, and how it reads to an admin.
//!
//! **Invariant:** only a body that Splynx itself surely wrote is a [`Refusal`]; a proxy's page, even one in JSON, is not.
//! The exactly-once rule rests on the difference.

use serde_json::{Map, Value};

use super::text;

/// The longest sentence that is kept: enough for an admin, short enough for a log line.
const SENTENCE_LIMIT: usize = 500;

/// Splynx said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Why, in Splynx's words.
    pub(crate) sentence: String,
    /// Splynx's word for the kind of refusal, such as `EXPIRED_ACCESS_TOKEN`; empty where it gave none.
    pub(crate) code: String,
}

impl Refusal {
    /// Reads the body of a 4xx or 5xx answer. `None`: Splynx did not write it.
    ///
    /// Known shapes (facts/splynx 1.4): an object `error` with a message, and lists of attribute and error, bare or
    /// inside of `error`.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        match serde_json::from_slice(body).ok()? {
            Value::Array(list) => Self::of_list(&list),
            Value::Object(object) => match object.get("error")? {
                Value::Object(error) => Self::of_object(error),
                Value::Array(list) => Self::of_list(list),
                _ => None,
            },
            _ => None,
        }
    }

    fn of_object(error: &Map<String, Value>) -> Option<Self> {
        let message = match error.get("message")? {
            Value::String(message) => message.clone(),
            Value::Array(list) => joined(list)?,
            _ => return None,
        };
        let code = error.get("internal_code").and_then(text).unwrap_or_default();
        let sentence = if code.is_empty() { message } else { format!("{message} ({code})") };
        Some(Self { sentence: tidy(&sentence), code })
    }

    fn of_list(list: &[Value]) -> Option<Self> {
        Some(Self { sentence: tidy(&joined(list)?), code: String::new() })
    }
}

/// `customer_id: Customer ID is required; amount: …`. `None` unless every element is such a pair.
fn joined(list: &[Value]) -> Option<String> {
    let pairs = list.iter().map(pair).collect::<Option<Vec<_>>>()?;
    (!pairs.is_empty()).then(|| pairs.join("; "))
}

fn pair(value: &Value) -> Option<String> {
    let object = value.as_object()?;
    let field = object.get("attribute").or_else(|| object.get("field")).and_then(text)?;
    let error = object.get("error").or_else(|| object.get("message")).and_then(text)?;
    Some(format!("{field}: {error}"))
}

/// One line of bounded length.
fn tidy(sentence: &str) -> String {
    let words = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().filter(|c| !c.is_control()).take(SENTENCE_LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        r#"{"error":{"message":"Method is disabled!","code":405,"internal_code":"METHOD_DISABLED"}}"#,
        "Method is disabled! (METHOD_DISABLED)"
    )]
    #[case(r#"{"error":{"message":"No such invoice","code":"404"}}"#, "No such invoice")]
    #[case(
        r#"[{"attribute":"customer_id","error":"Customer ID is required"},{"attribute":"amount","error":"Invalid sum"}]"#,
        "customer_id: Customer ID is required; amount: Invalid sum"
    )]
    #[case(r#"[{"field":"date","message":"Bad date"}]"#, "date: Bad date")]
    #[case(r#"{"error":[{"attribute":"date","error":"Bad date"}]}"#, "date: Bad date")]
    #[case(
        r#"{"error":{"message":[{"attribute":"date","error":"Bad date"}],"internal_code":"INVALID_INPUT_DATA"}}"#,
        "date: Bad date (INVALID_INPUT_DATA)"
    )]
    #[case("{\"error\":{\"message\":\"Two\\r\\nlines\\u0007\"}}", "Two lines")]
    fn splynx_errors_read_as_sentences(#[case] body: &str, #[case] sentence: &str) {
        assert_eq!(Refusal::read(body.as_bytes()).unwrap().sentence, sentence);
    }

    #[rstest]
    #[case("")]
    #[case("[]")]
    #[case("{}")]
    #[case("null")]
    #[case("<html><h1>403 Forbidden</h1></html>")]
    #[case(r#"{"error":"Bad gateway"}"#)]
    #[case(r#"{"error":{}}"#)]
    #[case(r#"{"error":{"message":null}}"#)]
    #[case(r#"{"message":"Forbidden"}"#)]
    #[case(r#"[{"id":17}]"#)]
    #[case(r#"[{"attribute":"date","error":"Bad date"},{"id":17}]"#)]
    #[case(r#"{"error":{"message":"cut"#)]
    fn a_body_that_splynx_did_not_write_is_no_refusal(#[case] body: &str) {
        assert_eq!(Refusal::read(body.as_bytes()), None);
    }

    #[test]
    fn a_sentence_is_bounded() {
        let body = format!(r#"{{"error":{{"message":"{}"}}}}"#, "x".repeat(10_000));
        assert_eq!(Refusal::read(body.as_bytes()).unwrap().sentence.len(), SENTENCE_LIMIT);
    }
}

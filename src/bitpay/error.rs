//! Every way BitPay says no (facts 1.5), turned into what the caller does next and a sentence an admin can act on.
//!
//! **Invariant:** a [`Failure::Refused`] is BitPay's own definite word in JSON; whatever may have been cut, delayed or
//! said by somebody in between is [`Failure::Unavailable`] or [`Failure::Unreadable`].

use serde_json::Value;

use super::PEER;
use super::complaint::{Complaint, Topic};
use crate::ports::PeerError;

/// Why a request did not bring what it was sent for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// It never left: no connection, or too many of our own were waiting.
    NotSent(String),
    /// No usable answer; what became of the request is not known.
    Unavailable(String),
    /// BitPay asks to wait: it did not look at the request.
    AskedToWait(String),
    /// A definite no.
    Refused(Complaint),
    /// An answer this version cannot read.
    Unreadable(String),
}

impl Failure {
    /// The word in metrics.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::NotSent(_) => "not_sent",
            Self::Unavailable(_) => "unavailable",
            Self::AskedToWait(_) => "asked_to_wait",
            Self::Refused(_) => "refused",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// Whether this is a refusal about `topic`.
    pub(super) fn is_about(&self, topic: Topic) -> bool {
        matches!(self, Self::Refused(complaint) if complaint.topic == topic)
    }
}

impl From<Failure> for PeerError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotSent(why) | Failure::Unavailable(why) | Failure::AskedToWait(why) => {
                Self::Unavailable { peer: PEER, why }
            }
            Failure::Refused(complaint) => {
                Self::Refused { peer: PEER, sentence: complaint.sentence() }
            }
            Failure::Unreadable(why) => Self::Unreadable { peer: PEER, why },
        }
    }
}

/// An answer as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    /// The HTTP status.
    pub(super) status: u16,
    /// The header `Retry-After`, when it is a number of seconds.
    pub(super) retry_after: Option<u64>,
    /// The body.
    pub(super) body: &'a [u8],
}

/// Judges an answer: the JSON of a success, or why it is none.
pub(super) fn judge(answer: Answer<'_>) -> Result<Value, Failure> {
    let json = serde_json::from_slice::<Value>(answer.body).ok();
    match (json, answer.status) {
        (Some(json), status) => match Complaint::read(&json) {
            Some(complaint) => Err(judge_complaint(complaint, answer)),
            None if (200..300).contains(&status) && json.is_object() => Ok(json),
            None => Err(judge_foreign(answer)),
        },
        (None, _) => Err(judge_foreign(answer)),
    }
}

/// Legacy errors come with status 500 and are definite; a server error in words or behind a proxy's status is not.
fn judge_complaint(complaint: Complaint, answer: Answer<'_>) -> Failure {
    match (answer.status, complaint.topic) {
        (429, _) | (_, Topic::TooManyRequests) => Failure::AskedToWait(asked_to_wait(answer)),
        (408 | 502..=504, _) | (_, Topic::ServerError) => Failure::Unavailable(format!(
            "it has an error of its own (status {}, \"{}\")",
            answer.status, complaint.said
        )),
        _ => Failure::Refused(complaint),
    }
}

/// Judges what is not BitPay's JSON: a proxy, a firewall, another site, or half an answer.
fn judge_foreign(answer: Answer<'_>) -> Failure {
    let status = answer.status;
    let what = if answer.body.iter().all(u8::is_ascii_whitespace) {
        "an empty answer"
    } else if is_html(answer.body) {
        "a web page"
    } else {
        "something other than its JSON"
    };
    match status {
        429 => Failure::AskedToWait(asked_to_wait(answer)),
        408 | 500..=599 => Failure::Unavailable(format!("it sent {what} with status {status}")),
        401 | 403 => Failure::Unavailable(format!(
            "it sent {what} with status {status}: a firewall such as Cloudflare stands before it \
             and stopped this server"
        )),
        300..=399 => Failure::Unreadable(format!(
            "it redirects elsewhere (status {status}), which is not followed: is bitpay.api_url right?"
        )),
        400..=499 => Failure::Unreadable(format!(
            "it sent {what} with status {status}: is bitpay.api_url right?"
        )),
        _ => Failure::Unreadable(format!("it sent {what} with status {status}")),
    }
}

fn is_html(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

fn asked_to_wait(answer: Answer<'_>) -> String {
    match answer.retry_after {
        Some(seconds) => format!("it asks to wait {seconds} s: too many requests"),
        None => "it asks to wait: too many requests".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn judged(status: u16, body: &str) -> Result<Value, Failure> {
        judge(Answer { status, retry_after: None, body: body.as_bytes() })
    }

    #[rstest]
    #[case::legacy(500, r#"{"error":"Unable to create token"}"#, "refused")]
    #[case::legacy_busy(
        500,
        r#"{"error":"Unable to create token because of too many requests."}"#,
        "asked_to_wait"
    )]
    #[case::limit(429, r#"{"error":"Rate limited"}"#, "asked_to_wait")]
    #[case::limit_words(403, r#"{"error":"Rate limited"}"#, "asked_to_wait")]
    #[case::limit_page(429, "<html>", "asked_to_wait")]
    #[case::unknown_words(500, r#"{"error":"Something new"}"#, "refused")]
    #[case::in_a_success(200, r#"{"error":"Invalid token"}"#, "refused")]
    #[case::generic_code(
        500,
        r#"{"status":"error","code":"010000","data":null,"error":"Generic server error"}"#,
        "unavailable"
    )]
    #[case::generic_invoice_code(
        500,
        r#"{"status":"error","code":"010100","data":null,"message":"x"}"#,
        "unavailable"
    )]
    #[case::generic_words(500, r#"{"error":"Internal Server Error"}"#, "unavailable")]
    #[case::behind_a_proxy(502, r#"{"error":"Invalid token"}"#, "unavailable")]
    #[case::timed_out(504, r#"{"error":"upstream"}"#, "unavailable")]
    #[case::cloudflare(403, "<!DOCTYPE html><title>Just a moment...</title>", "unavailable")]
    #[case::cloudflare_down(521, "<html>", "unavailable")]
    #[case::empty_500(500, "", "unavailable")]
    #[case::cut(200, r#"{"data":{"id":"G3viJEJg"#, "unreadable")]
    #[case::empty_200(200, "  ", "unreadable")]
    #[case::page_200(200, "<html>", "unreadable")]
    #[case::array_200(200, "[]", "unreadable")]
    #[case::redirect(301, "", "unreadable")]
    #[case::nothing_here(404, "<html>", "unreadable")]
    #[case::json_without_error(500, "{}", "unavailable")]
    #[case::json_404_without_error(404, "{}", "unreadable")]
    fn an_answer_is_judged_by_what_to_do_next(
        #[case] status: u16,
        #[case] body: &str,
        #[case] code: &str,
    ) {
        assert_eq!(judged(status, body).unwrap_err().code(), code);
    }

    #[rstest]
    #[case(r#"{"data":[]}"#)]
    #[case(r#"{"status":"success","data":{},"message":null}"#)]
    #[case(r#"{"data":{},"error":null,"errors":[]}"#)]
    #[case(r#"{"data":{"paymentTotals":{"PAX":123000000000000000000,"X":1.69e+21,"Y":1e+999}}}"#)]
    fn a_success_is_passed_on(#[case] body: &str) {
        assert_eq!(judged(200, body).unwrap().to_string().len(), body.len());
    }

    #[test]
    fn the_time_to_wait_is_told() {
        let answer = Answer { status: 429, retry_after: Some(30), body: b"" };
        let error = PeerError::from(judge(answer).unwrap_err());
        assert_eq!(
            error.to_string(),
            "BitPay is unavailable: it asks to wait 30 s: too many requests"
        );
    }

    proptest! {
        #[test]
        fn whatever_comes_only_json_is_a_definite_no(status in 100_u16..=599, body in ".{0,80}") {
            let is_json = serde_json::from_str::<Value>(&body).is_ok();
            let failure = judged(status, &body).err();
            prop_assert!(is_json || failure.is_some_and(|failure| failure.code() != "refused"));
        }

        #[test]
        fn no_answer_makes_words_without_end(status in 100_u16..=599, word in "[a-z\"]{0,5}", times in 0_usize..2000) {
            let body = serde_json::json!({"error": word.repeat(times)}).to_string();
            if let Err(failure) = judged(status, &body) {
                prop_assert!(PeerError::from(failure).to_string().chars().count() < 500);
            }
        }
    }
}

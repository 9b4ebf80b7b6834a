//! What an answer means: for a write, whether it was executed (design 4.7); for a read, what to do next.
//!
//! **Invariant:** a write counts as done or as surely not executed only on Splynx's own word. Whatever else comes is
//! unclear, and the caller must search before it sends again.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::Value;

use super::wire::error::Refusal;
use super::wire::{self, Unreadable};
use crate::domain::ids::SplynxId;
use crate::domain::posting::{NotExecuted, WriteOutcome};
use crate::ports::PeerError;

/// How this peer is called in errors.
pub(super) const PEER: &str = "Splynx";

/// How long to wait after a 429 that does not say how long.
const THROTTLED: TimeDelta = TimeDelta::seconds(60);

/// One whole answer. Without `Debug`: its body may hold a token.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<TimeDelta>,
    pub(super) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The request surely did not leave.
    NotSent(PeerError),
    /// It may have left, but no whole answer came.
    Lost {
        /// In words.
        why: String,
        /// Whether it was the time that ran out, not the connection that broke.
        timed_out: bool,
    },
}

impl Failure {
    /// It could not leave now.
    pub(super) fn unsent(why: impl Into<String>) -> Self {
        Self::NotSent(unavailable(why))
    }
}

/// "Try again later."
pub(super) fn unavailable(why: impl Into<String>) -> PeerError {
    PeerError::Unavailable { peer: PEER, why: why.into() }
}

/// "This version cannot read it."
pub(super) fn unreadable(why: impl Into<String>) -> PeerError {
    PeerError::Unreadable { peer: PEER, why: why.into() }
}

/// "It said no."
pub(super) fn refused(sentence: impl Into<String>) -> PeerError {
    PeerError::Refused { peer: PEER, sentence: sentence.into() }
}

impl From<Unreadable> for PeerError {
    fn from(error: Unreadable) -> Self {
        unreadable(error.to_string())
    }
}

impl From<Failure> for PeerError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotSent(error) => error,
            Failure::Lost { why, .. } => unavailable(why),
        }
    }
}

impl Answer {
    /// Splynx's own refusal, if this is one. "Not now" (408, 429) is none.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        let refuses = self.status.is_client_error() && !matches!(self.status.as_u16(), 408 | 429);
        refuses.then(|| Refusal::read(&self.body)).flatten()
    }

    /// Whether Splynx wants other credentials.
    pub(super) fn is_unauthorized(&self) -> Option<Refusal> {
        self.refusal().filter(|_| self.status == StatusCode::UNAUTHORIZED)
    }

    /// The JSON of a 200, or why there is none.
    pub(super) fn json(&self) -> Result<Value, PeerError> {
        if self.status == StatusCode::OK { Ok(wire::json(&self.body)?) } else { Err(self.error()) }
    }

    /// What an answer that is no success means for whoever asked.
    pub(super) fn error(&self) -> PeerError {
        let status = self.status.as_u16();
        match status {
            429 => unavailable("it asked to wait (HTTP 429)"),
            408 => unavailable("it gave up waiting for the request (HTTP 408)"),
            300..=399 => unreadable(format!(
                "it redirects (HTTP {status}): is `api_domain` its final address?"
            )),
            400..=499 => self.refusal().map_or_else(
                || unreadable(format!("HTTP {status} with a page that is not Splynx's own")),
                |refusal| refused(refusal.sentence),
            ),
            500..=599 => unavailable(Refusal::read(&self.body).map_or_else(
                || format!("HTTP {status}"),
                |refusal| format!("HTTP {status}: {}", refusal.sentence),
            )),
            _ => unreadable(format!("unexpected HTTP {status}")),
        }
    }
}

/// The two kinds of write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// POST: makes a row and answers 201 with its id.
    Make,
    /// PUT: changes a row and answers 202, perhaps with nothing more.
    Change,
}

/// What became of a write.
pub(super) fn write_outcome(verb: Verb, result: Result<Answer, Failure>) -> WriteOutcome {
    match result {
        Ok(answer) => answered(verb, &answer),
        Err(Failure::NotSent(PeerError::Refused { sentence, .. })) => {
            WriteOutcome::NotExecuted(NotExecuted::Refused { sentence })
        }
        Err(Failure::NotSent(error)) => {
            WriteOutcome::NotExecuted(NotExecuted::Unreachable { why: error.to_string() })
        }
        Err(Failure::Lost { why, .. }) => WriteOutcome::Unclear { why },
    }
}

fn answered(verb: Verb, answer: &Answer) -> WriteOutcome {
    match (verb, answer.status.as_u16()) {
        (Verb::Make, 201) => made(&answer.body),
        (Verb::Change, 200 | 202 | 204) => changed(&answer.body),
        (_, 429) => WriteOutcome::NotExecuted(NotExecuted::Throttled {
            wait: answer.retry_after.unwrap_or(THROTTLED),
        }),
        (_, 400 | 401 | 403 | 404 | 405 | 422) => match answer.refusal() {
            Some(refusal) => {
                WriteOutcome::NotExecuted(NotExecuted::Refused { sentence: refusal.sentence })
            }
            None => unclear(answer),
        },
        _ => unclear(answer),
    }
}

fn made(body: &[u8]) -> WriteOutcome {
    match wire::created_id(body) {
        Ok(id) => WriteOutcome::Done { splynx_id: Some(SplynxId::new(id)) },
        Err(error) => WriteOutcome::Unclear { why: format!("Splynx answered 201, but {error}") },
    }
}

/// A change may be answered with nothing (facts/splynx 1.4), but not with a page from somebody else.
fn changed(body: &[u8]) -> WriteOutcome {
    let ours =
        body.trim_ascii().is_empty() || (wire::json(body).is_ok() && Refusal::read(body).is_none());
    if ours {
        WriteOutcome::Done { splynx_id: None }
    } else {
        WriteOutcome::Unclear { why: "Splynx accepted, but its answer is unreadable".to_owned() }
    }
}

fn unclear(answer: &Answer) -> WriteOutcome {
    WriteOutcome::Unclear { why: answer.error().to_string() }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const OWN: &str = r#"{"error":{"message":"No","code":0,"internal_code":"BAD_REQUEST"}}"#;
    const LIST: &str = r#"[{"attribute":"amount","error":"Invalid sum"}]"#;
    const PROXY: &str = "<html><h1>Sorry</h1></html>";

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            body: body.as_bytes().to_vec(),
        }
    }

    fn word(outcome: &WriteOutcome) -> String {
        match outcome {
            WriteOutcome::Done { splynx_id: Some(id) } => format!("made {id}"),
            WriteOutcome::Done { splynx_id: None } => "changed".to_owned(),
            WriteOutcome::NotExecuted(NotExecuted::Refused { sentence }) => {
                format!("refused: {sentence}")
            }
            WriteOutcome::NotExecuted(NotExecuted::Throttled { wait }) => {
                format!("wait {}", wait.num_seconds())
            }
            WriteOutcome::NotExecuted(NotExecuted::Unreachable { .. }) => "unreachable".to_owned(),
            WriteOutcome::Unclear { .. } => "unclear".to_owned(),
        }
    }

    #[rstest]
    #[case::made(201, r#"{"id":17}"#, "made 17")]
    #[case::made_with_text(201, r#"{"id":"17"}"#, "made 17")]
    #[case::made_without_id(201, "{}", "unclear")]
    #[case::made_cut_off(201, r#"{"id":1"#, "unclear")]
    #[case::made_by_a_proxy(201, PROXY, "unclear")]
    #[case::another_success(200, r#"{"id":17}"#, "unclear")]
    #[case::accepted(202, "", "unclear")]
    #[case::bad_request(400, OWN, "refused: No (BAD_REQUEST)")]
    #[case::unauthorized(401, OWN, "refused: No (BAD_REQUEST)")]
    #[case::forbidden(403, OWN, "refused: No (BAD_REQUEST)")]
    #[case::not_found(404, OWN, "refused: No (BAD_REQUEST)")]
    #[case::disabled(405, OWN, "refused: No (BAD_REQUEST)")]
    #[case::invalid(422, LIST, "refused: amount: Invalid sum")]
    #[case::foreign_bad_request(400, PROXY, "unclear")]
    #[case::foreign_forbidden(403, PROXY, "unclear")]
    #[case::foreign_not_found(404, PROXY, "unclear")]
    #[case::empty_forbidden(403, "", "unclear")]
    #[case::request_timeout(408, OWN, "unclear")]
    #[case::conflict(409, OWN, "unclear")]
    #[case::too_large(413, PROXY, "unclear")]
    #[case::throttled(429, PROXY, "wait 60")]
    #[case::own_server_error(500, OWN, "unclear")]
    #[case::bad_gateway(502, PROXY, "unclear")]
    #[case::unavailable(503, OWN, "unclear")]
    #[case::redirect(302, "", "unclear")]
    fn a_post_is_done_or_undone_only_on_splynx_own_word(
        #[case] status: u16,
        #[case] body: &str,
        #[case] outcome: &str,
    ) {
        assert_eq!(word(&write_outcome(Verb::Make, Ok(answer(status, body)))), outcome);
    }

    #[rstest]
    #[case(202, "", "changed")]
    #[case(204, "", "changed")]
    #[case(200, "[]", "changed")]
    #[case(202, r#"{"id":17}"#, "changed")]
    #[case(200, PROXY, "unclear")]
    #[case(202, OWN, "unclear")]
    #[case(201, r#"{"id":17}"#, "unclear")]
    #[case(422, LIST, "refused: amount: Invalid sum")]
    #[case(500, "", "unclear")]
    fn a_put_may_be_answered_with_nothing(
        #[case] status: u16,
        #[case] body: &str,
        #[case] outcome: &str,
    ) {
        assert_eq!(word(&write_outcome(Verb::Change, Ok(answer(status, body)))), outcome);
    }

    #[rstest]
    #[case(Failure::unsent("no connection"), "unreachable")]
    #[case(Failure::NotSent(refused("the API key is wrong")), "refused: the API key is wrong")]
    #[case(Failure::NotSent(unreadable("the token")), "unreachable")]
    #[case(Failure::Lost { why: "no answer in time".to_owned(), timed_out: true }, "unclear")]
    fn without_an_answer_it_matters_whether_the_request_left(
        #[case] failure: Failure,
        #[case] outcome: &str,
    ) {
        assert_eq!(word(&write_outcome(Verb::Make, Err(failure))), outcome);
    }

    #[test]
    fn a_throttled_write_waits_as_told() {
        let answer = Answer { retry_after: Some(TimeDelta::seconds(7)), ..answer(429, "") };
        assert_eq!(word(&write_outcome(Verb::Make, Ok(answer))), "wait 7");
    }

    #[rstest]
    #[case(429, OWN, "Splynx is unavailable: it asked to wait (HTTP 429)")]
    #[case(502, PROXY, "Splynx is unavailable: HTTP 502")]
    #[case(500, OWN, "Splynx is unavailable: HTTP 500: No (BAD_REQUEST)")]
    #[case(403, OWN, "Splynx refused: No (BAD_REQUEST)")]
    #[case(
        403,
        PROXY,
        "Splynx gave an unreadable answer: HTTP 403 with a page that is not Splynx's own"
    )]
    #[case(
        301,
        "",
        "Splynx gave an unreadable answer: it redirects (HTTP 301): is `api_domain` its final address?"
    )]
    #[case(200, PROXY, "Splynx gave an unreadable answer: the answer is not JSON")]
    fn a_read_fails_by_what_to_do_next(
        #[case] status: u16,
        #[case] body: &str,
        #[case] error: &str,
    ) {
        assert_eq!(answer(status, body).json().unwrap_err().to_string(), error);
    }
}

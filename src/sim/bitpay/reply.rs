//! Answers of the API, and the several shapes in which BitPay says no.
//!
//! **Invariant:** each shape is one that was seen in the wild; a client that knows only one of them breaks here too.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::signature::SignatureError;

/// A JSON answer with its HTTP status.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body.
    pub body: Value,
}

impl Reply {
    /// 200 with this body.
    #[must_use]
    pub fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body }
    }

    /// 200 with `{"data": …}`.
    #[must_use]
    pub fn data(data: &Value) -> Self {
        Self::ok(json!({ "data": data }))
    }
}

impl From<Reply> for HttpResponse {
    fn from(reply: Reply) -> Self {
        HttpResponse::build(reply.status).json(reply.body)
    }
}

/// Why BitPay refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ApiError {
    /// A bad, expired, used or foreign pairing code, or a SIN that is none.
    UnableToCreateToken,
    /// Too many refused pairing codes.
    TooManyPairings,
    /// A token nobody issued.
    InvalidToken,
    /// A token the merchant has switched off.
    DisabledToken,
    /// The identity does not own the token, or there is no signature where one is due.
    UnauthorizedSin,
    /// The signature does not fit the URL and body.
    InvalidSignature,
    /// The endpoint needs another facade than this.
    Facade(&'static str),
    /// `X-Accept-Version: 2.0.0` is missing.
    Version,
    /// Parameters that must be there are not.
    Missing(Vec<&'static str>),
    /// A parameter is not of the right kind (error 02 of the resource invoice).
    InvalidParam(&'static str),
    /// No such invoice, or not one of this merchant's.
    InvoiceNotFound,
    /// Error 10.
    BelowMinimum,
    /// Error 11.
    AboveMaximum,
    /// The invoice's state forbids it (error 17 of the newer documentation).
    InvoiceState(String),
    /// No such endpoint, or not in this environment.
    NotFound,
}

/// The verb's two digits in BitPay's six-digit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// 01.
    Post,
    /// 02.
    Get,
    /// 03.
    Put,
    /// 00: any other.
    Other,
}

impl Verb {
    fn digits(self) -> &'static str {
        match self {
            Self::Post => "01",
            Self::Get => "02",
            Self::Put => "03",
            Self::Other => "00",
        }
    }
}

impl From<SignatureError> for ApiError {
    fn from(_: SignatureError) -> Self {
        Self::InvalidSignature
    }
}

impl ApiError {
    /// The answer this refusal is sent as.
    #[must_use]
    pub(super) fn reply(&self, verb: Verb) -> Reply {
        let legacy = |text: &str| Reply {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            body: json!({ "error": text }),
        };
        match self {
            Self::UnableToCreateToken => legacy("Unable to create token"),
            Self::TooManyPairings => legacy("Unable to create token because of too many requests."),
            Self::InvalidToken => legacy("Invalid token"),
            Self::DisabledToken => legacy("Token is disabled"),
            Self::UnauthorizedSin => legacy("Unauthorized sin"),
            Self::InvalidSignature => legacy("Invalid signature"),
            Self::Facade(facade) => legacy(&format!("Not authorized for facade: {facade}")),
            Self::Version => {
                bad_request(json!({"error": "Missing header X-Accept-Version: 2.0.0"}))
            }
            Self::Missing(params) => bad_request(missing(params)),
            Self::InvalidParam(param) => {
                coded(StatusCode::BAD_REQUEST, verb, "0102", "Invalid params", Some(param))
            }
            Self::InvoiceNotFound => {
                coded(StatusCode::NOT_FOUND, verb, "0101", "Invoice not found", None)
            }
            Self::BelowMinimum => coded(
                StatusCode::BAD_REQUEST,
                verb,
                "0110",
                "Invoice price is below minimum threshold",
                None,
            ),
            Self::AboveMaximum => coded(
                StatusCode::BAD_REQUEST,
                verb,
                "0111",
                "Invoice price is above maximum threshold",
                None,
            ),
            Self::InvoiceState(text) => coded(StatusCode::BAD_REQUEST, verb, "0117", text, None),
            Self::NotFound => {
                coded(StatusCode::NOT_FOUND, verb, "0001", "Resource not found", None)
            }
        }
    }
}

fn bad_request(body: Value) -> Reply {
    Reply { status: StatusCode::BAD_REQUEST, body }
}

fn missing(params: &[&str]) -> Value {
    let one = |param: &&str| json!({"error": "Missing required parameter.", "param": param});
    json!({ "errors": params.iter().map(one).collect::<Vec<_>>() })
}

/// The newer shape: verb, resource and error in six digits.
fn coded(status: StatusCode, verb: Verb, code: &str, error: &str, param: Option<&str>) -> Reply {
    let code = format!("{}{code}", verb.digits());
    let mut body = json!({"status": "error", "code": code, "data": null, "error": error});
    if let (Some(body), Some(param)) = (body.as_object_mut(), param) {
        body.insert("message".to_owned(), json!(format!("{error}: {param}")));
    }
    Reply { status, body }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(ApiError::UnableToCreateToken, 500, json!({"error": "Unable to create token"}))]
    #[case(ApiError::Facade("pos"), 500, json!({"error": "Not authorized for facade: pos"}))]
    #[case(
        ApiError::Missing(vec!["price", "currency"]), 400,
        json!({"errors": [
            {"error": "Missing required parameter.", "param": "price"},
            {"error": "Missing required parameter.", "param": "currency"},
        ]})
    )]
    #[case(
        ApiError::BelowMinimum, 400,
        json!({"status": "error", "code": "010110", "data": null, "error": "Invoice price is below minimum threshold"})
    )]
    fn a_refusal_has_the_recorded_shape(
        #[case] error: ApiError,
        #[case] status: u16,
        #[case] body: Value,
    ) {
        let reply = error.reply(Verb::Post);
        assert_eq!((reply.status.as_u16(), reply.body), (status, body));
    }
}

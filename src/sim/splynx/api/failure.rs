//! How the API says no.
//!
//! **Invariant:** every error has Splynx's own JSON; a client may tell by it that a request was not executed.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::{Value, json};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// A status with Splynx's error object.
    Coded(StatusCode, &'static str, String),
    /// 422 with (attribute, sentence) pairs.
    Invalid(Vec<(String, String)>),
}

impl Failure {
    pub(super) fn bad_request(message: &str) -> Self {
        Self::Coded(StatusCode::BAD_REQUEST, "BAD_REQUEST", message.to_owned())
    }

    pub(super) fn unauthorized(code: &'static str, message: &str) -> Self {
        Self::Coded(StatusCode::UNAUTHORIZED, code, message.to_owned())
    }

    pub(super) fn forbidden() -> Self {
        Self::Coded(
            StatusCode::FORBIDDEN,
            "FORBIDDEN",
            "You don't have permission to do this action!".to_owned(),
        )
    }

    pub(super) fn not_yours() -> Self {
        Self::Coded(
            StatusCode::FORBIDDEN,
            "NOT_ALLOWED_BY_USER_RESTRICTION",
            "Not allowed by user restriction!".to_owned(),
        )
    }

    pub(super) fn not_found() -> Self {
        Self::Coded(StatusCode::NOT_FOUND, "NOT_FOUND", "Requested entity not found!".to_owned())
    }

    pub(super) fn disabled() -> Self {
        Self::Coded(
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_DISABLED",
            "Method is disabled!".to_owned(),
        )
    }

    pub(super) fn invalid(attribute: &str, error: &str) -> Self {
        Self::Invalid(vec![(attribute.to_owned(), error.to_owned())])
    }

    pub(super) fn respond(&self) -> HttpResponse {
        match self {
            Self::Coded(status, code, message) => HttpResponse::build(*status).json(json!({
                "error": {
                    "message": message, "code": status.as_u16(), "internal_code": code,
                },
            })),
            Self::Invalid(errors) => {
                let pair = |(attribute, error): &(String, String)| json!({ "attribute": attribute, "error": error });
                let list: Value = errors.iter().map(pair).collect();
                HttpResponse::UnprocessableEntity().json(list)
            }
        }
    }
}

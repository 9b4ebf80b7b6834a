//! Why a request gets another answer than the page it asked for.
//!
//! **Invariant:** a refusal carries no words of its own: its kind names the texts, so that nothing internal can leak.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, LOCATION, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};

use crate::views::Link;
use crate::views::notice::NoticeKind;

/// Seconds after which trying again makes sense when something is down.
pub const RETRY_SECONDS: u64 = 30;

/// Another answer than the page that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Go to this address instead.
    #[error("the visitor was sent elsewhere")]
    Elsewhere(String),
    /// A page that says why, and what to do next.
    #[error("{}", .0.kind.key())]
    Notice(Notice),
}

/// A page that says why something cannot be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Why.
    pub kind: NoticeKind,
    /// What to do next.
    pub links: Vec<Link>,
    /// When to try again, in seconds.
    pub retry_after: Option<u64>,
    /// The methods that are allowed.
    pub allow: Option<String>,
}

impl Refusal {
    /// A notice without a next step.
    #[must_use]
    pub fn of(kind: NoticeKind) -> Self {
        Self::with_links(kind, vec![])
    }

    /// A notice with next steps. What is down now is worth another try a little later.
    #[must_use]
    pub fn with_links(kind: NoticeKind, links: Vec<Link>) -> Self {
        let is_down = status(kind) == StatusCode::SERVICE_UNAVAILABLE;
        let retry_after = is_down.then_some(RETRY_SECONDS);
        Self::Notice(Notice { kind, links, retry_after, allow: None })
    }

    /// 429: try again after so many seconds.
    #[must_use]
    pub fn too_many(seconds: u64) -> Self {
        let kind = NoticeKind::TooMany;
        Self::Notice(Notice { kind, links: vec![], retry_after: Some(seconds), allow: None })
    }

    /// 405: these methods are allowed.
    #[must_use]
    pub fn method_not_allowed(allow: String) -> Self {
        let kind = NoticeKind::MethodNotAllowed;
        Self::Notice(Notice { kind, links: vec![], retry_after: None, allow: Some(allow) })
    }
}

/// The status of a kind of notice.
#[must_use]
pub fn status(kind: NoticeKind) -> StatusCode {
    use NoticeKind as K;

    match kind {
        K::BadRequest | K::NoNumber => StatusCode::BAD_REQUEST,
        K::Login => StatusCode::UNAUTHORIZED,
        K::AdminOnCustomerPage
        | K::CustomerOnAdminPage
        | K::ForeignForm
        | K::StaleForm
        | K::SomeoneElses => StatusCode::FORBIDDEN,
        K::NotFound | K::UnknownInvoice | K::UnknownProforma | K::UnknownPayment => {
            StatusCode::NOT_FOUND
        }
        K::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        K::TooSlow => StatusCode::REQUEST_TIMEOUT,
        K::Paid | K::Pending | K::Deleted | K::NothingDue | K::NotPayable => StatusCode::CONFLICT,
        K::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        K::WrongType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        K::TooMany => StatusCode::TOO_MANY_REQUESTS,
        K::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        K::ProcessorRefused => StatusCode::BAD_GATEWAY,
        K::ProcessorDown | K::NotPaired | K::SplynxDown | K::StoreDown => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Elsewhere(_) => StatusCode::SEE_OTHER,
            Self::Notice(notice) => status(notice.kind),
        }
    }

    /// The answer without its page, which [`rails`](super::rails) puts in: only there language and routes are known.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::Elsewhere(address) => {
                response.insert_header((LOCATION, address.as_str()));
            }
            Self::Notice(notice) => {
                if let Some(seconds) = notice.retry_after {
                    response.insert_header((RETRY_AFTER, seconds));
                }
                if let Some(allow) = &notice.allow {
                    response.insert_header((ALLOW, allow.as_str()));
                }
            }
        }
        response.finish()
    }
}

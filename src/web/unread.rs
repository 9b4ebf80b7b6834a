//! What becomes of a body that its handler did not read to the end.
//!
//! **Invariant:** once an answer is sent, its connection is free for the next request or closed within seconds. actix
//! skips the rest of a chunked body that nobody holds any more for as long as its sender likes (actix-web, pull request
//! 3936); of a body that is still held it says that it will not be read, and closes.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage as _;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;

/// The body of a request, held until the answer is sent.
#[derive(Clone)]
pub(super) struct Held(Rc<RefCell<Payload>>);

impl Held {
    /// Takes hold of the body; handlers read it as before.
    pub(super) fn of(request: &mut ServiceRequest) -> Self {
        let held = Self(Rc::new(RefCell::new(request.take_payload())));
        request.set_payload(Payload::Stream { payload: Box::pin(held.clone()) });
        held
    }

    /// Lets go of the body when the answer was sent.
    pub(super) fn until_sent(self, response: ServiceResponse) -> ServiceResponse {
        response.map_body(|_, answer| BoxBody::new(Answer { answer, _request: self }))
    }
}

impl Stream for Held {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
}

/// The body of an answer, and with it the one of its request.
struct Answer {
    answer: BoxBody,
    _request: Held,
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(cx)
    }
}

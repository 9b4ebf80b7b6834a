//! From a use case's dead end to the page that shows it.
//!
//! **Invariant:** every dead end has a status and a page of its own; what a processor, Splynx or the database said is
//! logged here, once, and never shown to a customer.

use super::Site;
use super::refusal::Refusal;
use crate::app::dead_end::DeadEnd;
use crate::domain::payable::{DocumentKind, NotPayable};
use crate::ports::store::StoreError;
use crate::views::Link;
use crate::views::notice::NoticeKind;

/// The page of a dead end. `again` is the address to try again at; `back` leads to the portal.
#[must_use]
pub fn refusal(error: &DeadEnd, again: &str, back: Link) -> Refusal {
    let kind = kind(error);
    log(error, kind);
    let try_again = Link::here(again, "try-again");
    let links = if may_help(kind) { vec![try_again, back] } else { vec![back] };
    Refusal::with_links(kind, links)
}

/// The page of a database that does not answer, or not in a way this version can read.
#[must_use]
pub fn store_down(error: &StoreError) -> Refusal {
    tracing::error!(%error, "the database did not answer a page");
    Refusal::of(store_kind(error))
}

/// Only what is down is worth another try in a minute; a row that cannot be read stays so.
fn store_kind(error: &StoreError) -> NoticeKind {
    match error {
        StoreError::Unavailable(_) => NoticeKind::StoreDown,
        StoreError::Inconsistent { .. } | StoreError::Refused(_) => NoticeKind::Broken,
    }
}

/// Back to the portal's list of such documents.
#[must_use]
pub fn back_to_documents(site: &Site, kind: DocumentKind) -> Link {
    match kind {
        DocumentKind::Invoice => {
            Link::out(site.portal("/portal/finance/invoices"), "back-invoices")
        }
        DocumentKind::ProformaInvoice => {
            Link::out(site.portal("/portal/finance/requests"), "back-proformas")
        }
    }
}

/// Back to the portal's list of payments.
#[must_use]
pub fn back_to_payments(site: &Site) -> Link {
    Link::out(site.portal("/portal/finance/payments/list"), "back-payments")
}

fn kind(error: &DeadEnd) -> NoticeKind {
    match error {
        DeadEnd::NoNumber => NoticeKind::NoNumber,
        DeadEnd::UnknownDocument(DocumentKind::Invoice) => NoticeKind::UnknownInvoice,
        DeadEnd::UnknownDocument(DocumentKind::ProformaInvoice) => NoticeKind::UnknownProforma,
        DeadEnd::SomeoneElses => NoticeKind::SomeoneElses,
        DeadEnd::NotPayable(NotPayable::Paid) => NoticeKind::Paid,
        DeadEnd::NotPayable(NotPayable::Pending) => NoticeKind::Pending,
        DeadEnd::NotPayable(NotPayable::Deleted) => NoticeKind::Deleted,
        DeadEnd::NotPayable(NotPayable::NothingDue) => NoticeKind::NothingDue,
        DeadEnd::NotPayable(NotPayable::Unknown(_) | NotPayable::Sum(_)) => NoticeKind::NotPayable,
        // The refill page shows these at the field; from anywhere else the request makes no sense.
        DeadEnd::Amount(_) => NoticeKind::BadRequest,
        DeadEnd::NotPaired => NoticeKind::NotPaired,
        DeadEnd::ProcessorRefused(_) => NoticeKind::ProcessorRefused,
        DeadEnd::ProcessorDown(_) => NoticeKind::ProcessorDown,
        DeadEnd::SplynxDown(_) => NoticeKind::SplynxDown,
        DeadEnd::Store(error) => store_kind(error),
    }
}

/// Whether trying again may end differently.
fn may_help(kind: NoticeKind) -> bool {
    matches!(
        kind,
        NoticeKind::ProcessorDown
            | NoticeKind::SplynxDown
            | NoticeKind::StoreDown
            | NoticeKind::Pending
    )
}

fn log(error: &DeadEnd, kind: NoticeKind) {
    let what = kind.key();
    match error {
        DeadEnd::Store(_) | DeadEnd::ProcessorRefused(_) => {
            tracing::error!(%error, what, "a payment could not be begun");
        }
        DeadEnd::ProcessorDown(_) | DeadEnd::SplynxDown(_) | DeadEnd::SomeoneElses => {
            tracing::warn!(%error, what, "a payment could not be begun");
        }
        _ => tracing::info!(%error, what, "a payment could not be begun"),
    }
}

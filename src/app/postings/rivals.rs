//! Other attempts that pay the same document at the same time.
//!
//! **Invariant:** what changes a document leaves only if, after its intent was committed, no other attempt's change of the
//! same document was under way or had arrived since the document was read. Both sides commit first and look then, so that
//! at least one of two sees the other.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use rust_decimal::Decimal;

use super::{Reach, commit_posting};
use crate::app::work::{Turn, TurnError};
use crate::domain::credit::Credit;
use crate::domain::ids::PostingId;
use crate::domain::payable::{Document, DocumentRef, DocumentStatus};
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::ports::PeerError;
use crate::ports::store::{AttemptFilter, Ledger};

/// So many attempts of one document are looked at, the newest first.
const ATTEMPTS_MAX: u32 = 100;

/// What other attempts did and do to the document.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rivals {
    under_way: bool,
    arrived: BTreeSet<PostingId>,
}

impl Rivals {
    /// Looks at the other attempts. None are in the way of what changes no document.
    pub(super) async fn of(turn: &Turn<'_>, posting: &Posting) -> Result<Self, TurnError> {
        let mut rivals = Self::default();
        if changes_document(posting) {
            for other in others(turn).await? {
                let postings = other.postings.iter();
                postings.filter(|it| changes_document(it)).for_each(|it| rivals.add(it));
            }
        }
        Ok(rivals)
    }

    fn add(&mut self, posting: &Posting) {
        match posting.state {
            PostingState::Posting { .. } | PostingState::Unknown { .. } => self.under_way = true,
            PostingState::Posted { .. } | PostingState::Duplicate { .. } => {
                self.arrived.insert(posting.id);
            }
            PostingState::Ready { .. } | PostingState::Dropped => {}
        }
    }

    /// Whether the document may be another by now than when `self` was seen.
    pub(super) fn have_moved(&self, now: &Self) -> bool {
        now.under_way || now.arrived != self.arrived
    }

    /// Whether one of them is at it at this moment.
    pub(super) fn are_at_it(&self) -> bool {
        self.under_way
    }
}

/// The other attempts of the same document.
async fn others(turn: &Turn<'_>) -> Result<Vec<Ledger>, TurnError> {
    let own = &turn.ledger.attempt;
    let Some(document) = own.payable.document() else {
        return Ok(vec![]);
    };
    let filter = AttemptFilter {
        document: Some(document.number.to_string()),
        limit: ATTEMPTS_MAX,
        ..AttemptFilter::default()
    };
    let mut others = vec![];
    for other in turn.app.store.list(&filter).await? {
        if other.id != own.id && other.payable == own.payable {
            others.extend(turn.app.store.ledger(other.id).await?);
        }
    }
    Ok(others)
}

/// The document as it stands: less what we brought that it does not show.
///
/// Where Splynx tells no `due`, a payment shows only once the status is set, which it may refuse for hours. What is
/// known to be on the document must not be paid again meanwhile.
pub(super) async fn document(
    turn: &Turn<'_>,
    reference: &DocumentRef,
) -> Result<Result<Option<Document>, PeerError>, TurnError> {
    let document = match turn.app.billing.document(reference).await {
        Ok(Some(document)) => document,
        other => return Ok(other),
    };
    if document.due.is_some() || document.status != DocumentStatus::NotPaid {
        return Ok(Ok(Some(document)));
    }
    let others = others(turn).await?;
    let ledgers = others.iter().chain([&turn.ledger]);
    let hidden = ledgers.flat_map(hidden).fold(Decimal::ZERO, Decimal::saturating_add);
    let due = document.total.saturating_sub(hidden).max(Decimal::ZERO);
    Ok(Ok(Some(Document { due: (!hidden.is_zero()).then_some(due), ..document })))
}

/// What this attempt has linked to its document, which was never seen as paid since.
fn hidden(ledger: &Ledger) -> impl Iterator<Item = Decimal> {
    let is_linked = |credit: &&Credit| {
        let payment = ledger.payment_of(credit);
        payment.is_some_and(|it| it.kind == PostingKind::DocumentPayment && it.is_posted())
    };
    let was_paid = |credit: &&Credit| {
        let mut own = ledger.postings.iter().filter(|it| it.credit.as_ref() == Some(&credit.key));
        own.any(|it| it.kind == PostingKind::DocumentStatus && it.is_posted())
    };
    let credits = ledger.credits.iter().filter(is_linked);
    credits.filter(move |credit| !was_paid(credit)).map(|credit| credit.amount.to_decimal())
}

/// Lets the others go first. `posting` was surely not sent.
pub(super) async fn let_them_go_first(
    turn: &mut Turn<'_>,
    posting: &Posting,
) -> Result<Reach, TurnError> {
    let app = turn.app;
    // Two that saw each other must not come back at the same moment for ever.
    let spread = i64::try_from(app.entropy.random_u128() % 4000).unwrap_or_default();
    let not_before = app.clock.now() + TimeDelta::milliseconds(1000_i64.saturating_add(spread));
    let waiting = Posting {
        state: PostingState::Ready { not_before },
        last_error: Some("another payment of this document is under way".to_owned()),
        ..posting.clone()
    };
    commit_posting(turn, waiting, None).await?;
    Ok(Reach::Fine)
}

fn changes_document(posting: &Posting) -> bool {
    matches!(posting.kind, PostingKind::FeeItem | PostingKind::DocumentPayment)
}

//! Other attempts that pay the same document at the same time.
//!
//! **Invariant:** what changes a document leaves only if, after its intent was committed, no other attempt's change of the
//! same document was under way or had arrived since the document was read. Both sides commit first and look then, so that
//! at least one of two sees the other.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::{Reach, commit_posting};
use crate::app::work::{Turn, TurnError};
use crate::domain::ids::PostingId;
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::ports::store::AttemptFilter;

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
        let own = &turn.ledger.attempt;
        let Some(document) = own.payable.document().filter(|_| changes_document(posting)) else {
            return Ok(Self::default());
        };
        let filter = AttemptFilter {
            document: Some(document.number.to_string()),
            limit: ATTEMPTS_MAX,
            ..AttemptFilter::default()
        };
        let mut rivals = Self::default();
        for other in turn.app.store.list(&filter).await? {
            if other.id == own.id || other.payable != own.payable {
                continue;
            }
            let ledger = turn.app.store.ledger(other.id).await?;
            let postings = ledger.map(|ledger| ledger.postings).unwrap_or_default();
            postings.iter().filter(|it| changes_document(it)).for_each(|it| rivals.add(it));
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

//! Looks at the document once more before anything goes on it: somebody may have changed it, or another attempt may have
//! paid it, since the decision.
//!
//! **Invariant:** only what Splynx surely does not have is decided anew: it was never begun, or refused, or proved to be
//! absent. Its key stays, so that it still exists once.

use super::decide::{expected, is_as_frozen};
use super::{Reach, document_of, later, rivals};
use crate::app::work::{Step, Turn, TurnError};
use crate::domain::allocation::{Allocation, allocate};
use crate::domain::credit::{ByHand, Credit, Target};
use crate::domain::payable::Document;
use crate::domain::posting::{Posting, PostingKind, PostingState};

/// Takes a decision back that the document no longer fits. `None`: it stands, send.
pub(super) async fn before_sending(
    turn: &mut Turn<'_>,
    posting: &Posting,
) -> Result<Option<Reach>, TurnError> {
    let may_change = match posting.kind {
        PostingKind::FeeItem => true,
        PostingKind::DocumentPayment => !is_by_hand(turn, posting),
        _ => false,
    };
    if !may_change {
        return Ok(None);
    }
    let reference = document_of(turn)?;
    let document = match rivals::document(turn, &reference).await? {
        Ok(document) => document,
        Err(error) => return later(turn, error).await.map(Some),
    };
    let Some(step) = taken_back(turn, posting, document.as_ref())? else {
        return Ok(None);
    };
    tracing::info!(attempt = %posting.attempt, kind = posting.kind.code(), "the document has changed meanwhile");
    turn.commit(step).await?;
    Ok(Some(Reach::Fine))
}

/// A person has seen the document and decided; the add-on does not know better.
fn is_by_hand(turn: &Turn<'_>, posting: &Posting) -> bool {
    turn.ledger.credit_of(posting).is_some_and(|credit| credit.by_hand != ByHand::Nothing)
}

fn taken_back(
    turn: &Turn<'_>,
    posting: &Posting,
    document: Option<&Document>,
) -> Result<Option<Step>, TurnError> {
    let credit = turn.ledger.credit_of(posting);
    let credit = credit.ok_or_else(|| TurnError::Impossible("a credit vanished".to_owned()))?;
    let attempt = &turn.ledger.attempt;
    let mut step = turn.step();
    if posting.kind == PostingKind::FeeItem {
        if document.is_some_and(|document| is_as_frozen(attempt, document)) {
            return Ok(None);
        }
        step.postings.push(dropped(posting));
    } else {
        let whole = Allocation { document: Some(credit.amount), balance: None, note: None };
        if allocate(credit.amount, expected(turn), document)? == whole {
            return Ok(None);
        }
        let open = turn.ledger.postings.iter().filter(|other| !other.is_final());
        step.postings.extend(open.filter(|other| other.credit == posting.credit).map(dropped));
        step.credits.push(Credit { target: Target::Undecided, ..credit.clone() });
    }
    Ok(Some(step))
}

fn dropped(posting: &Posting) -> Posting {
    let last_error = Some("the document has changed meanwhile".to_owned());
    Posting { state: PostingState::Dropped, last_error, ..posting.clone() }
}

//! Finds out whether Splynx has a posting whose request ended unclearly.
//!
//! **Invariant:** a search writes nothing; only its complete result moves the posting.

use chrono::{Days, NaiveDate};

use super::{Reach, commit_posting, document_of, document_status, find, later};
use crate::app::statement_record;
use crate::app::work::{Turn, TurnError};
use crate::domain::ids::{CreditKey, PostingId, SplynxId};
use crate::domain::posting::{Posting, PostingKind, SearchOutcome};
use crate::ports::PeerError;

/// Searches for one posting and commits what follows.
pub(super) async fn search(turn: &mut Turn<'_>, id: PostingId) -> Result<Reach, TurnError> {
    let posting = find(turn, id)?.orphaned();
    match posting.kind {
        // These two find out by reading what they would write, and may simply be done again.
        PostingKind::StatementRecord => return statement_record::write(turn, posting).await,
        PostingKind::DocumentStatus => return document_status::settle(turn, posting).await,
        _ => {}
    }
    let found = look(turn, &posting).await?;
    let reach = match &found {
        SearchOutcome::Incomplete { why, unavailable: true } => Reach::Down(why.clone()),
        _ => Reach::Fine,
    };
    let now = turn.app.clock.now();
    let (after, note) = posting.searched(found, now, turn.app.settings.timing);
    tracing::info!(attempt = %after.attempt, kind = after.kind.code(), state = ?after.state, "searched");
    commit_posting(turn, after, note).await?;
    Ok(reach)
}

/// Looks before anything is sent. `None`: Splynx does not have it. Else what was found is committed instead.
///
/// Splynx may know more than our database does: one that was restored from a backup, or lost its last seconds when a
/// standby took over, would otherwise send what was sent before.
pub(super) async fn before_sending(
    turn: &mut Turn<'_>,
    posting: &Posting,
) -> Result<Option<Reach>, TurnError> {
    let found = look(turn, posting).await?;
    if let SearchOutcome::Incomplete { why, unavailable: true } = found {
        return later(turn, PeerError::Unavailable { peer: "Splynx", why }).await.map(Some);
    }
    let Some((after, note)) = posting.looked_up(found, turn.app.clock.now()) else {
        return Ok(None);
    };
    tracing::info!(attempt = %after.attempt, kind = after.kind.code(), state = ?after.state, "not sent");
    commit_posting(turn, after, note).await?;
    Ok(Some(Reach::Fine))
}

async fn look(turn: &Turn<'_>, posting: &Posting) -> Result<SearchOutcome, TurnError> {
    let billing = &turn.app.billing;
    let customer = turn.ledger.attempt.customer;
    let key = key_of(posting)?;
    let since = since(turn, posting);
    Ok(match posting.kind {
        PostingKind::FeeItem => look_for_item(turn, key).await?,
        PostingKind::FeeDebit => billing.find_transactions(key, customer, since).await,
        _ => billing.find_payments(key, customer, since).await,
    })
}

async fn look_for_item(turn: &Turn<'_>, key: &CreditKey) -> Result<SearchOutcome, TurnError> {
    let document = document_of(turn)?;
    Ok(match turn.app.billing.document(&document).await {
        Ok(document) => {
            let items = document.map(|document| document.items).unwrap_or_default();
            let ours = items
                .iter()
                .filter(|item| item.description.trim_end().ends_with(key.as_str()))
                .map(|item| SplynxId::new(item.id));
            SearchOutcome::Complete(ours.collect())
        }
        Err(error) => SearchOutcome::Incomplete {
            unavailable: matches!(error, PeerError::Unavailable { .. }),
            why: error.to_string(),
        },
    })
}

fn key_of(posting: &Posting) -> Result<&CreditKey, TurnError> {
    let key = posting.credit.as_ref();
    key.ok_or_else(|| TurnError::Impossible("a money posting has no credit".to_owned()))
}

/// A day before the first sending, and a day before the date written on the row: time zones differ.
fn since(turn: &Turn<'_>, posting: &Posting) -> NaiveDate {
    let first = posting.first_begun_at.unwrap_or(turn.ledger.attempt.created_at);
    let sent = turn.app.clock.local_date(first);
    let credit = turn.ledger.credit_of(posting);
    let written = credit.map_or(sent, |credit| credit.date);
    sent.min(written).checked_sub_days(Days::new(1)).unwrap_or(sent)
}

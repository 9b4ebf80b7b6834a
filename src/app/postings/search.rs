//! Finds out whether Splynx has a posting whose request ended unclearly.
//!
//! **Invariant:** a search writes nothing; only its complete result moves the posting.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::{Reach, Unreached, commit_posting, document_of, document_status, find, later};
use crate::app::statement_record;
use crate::app::work::{Turn, TurnError};
use crate::domain::credit::Credit;
use crate::domain::ids::{CreditKey, PostingId, SplynxId};
use crate::domain::posting::{Posting, PostingKind, PostingState, SearchOutcome};
use crate::ports::PeerError;

/// How wrong our clock, or Splynx's, may have been all the time without a walk over all rows ending too soon.
const SLACK: Days = Days::new(8);

/// Searches for one posting and commits what follows.
pub(super) async fn search(turn: &mut Turn<'_>, id: PostingId) -> Result<Reach, TurnError> {
    let posting = find(turn, id)?.orphaned();
    match posting.kind {
        // These two find out by reading what they would write, and may simply be done again.
        PostingKind::StatementRecord => return statement_record::write(turn, posting).await,
        PostingKind::DocumentStatus => return document_status::settle(turn, posting).await,
        _ => {}
    }
    let asked_at = turn.app.clock.monotonic();
    let mut found = look(turn, &posting).await?;
    let mut failures = turn.ledger.attempt.failures.saturating_add(1);
    if let SearchOutcome::Incomplete { unavailable, .. } = &mut found
        && *unavailable
    {
        let unreached = Unreached::look_around(turn).await;
        *unavailable = !unreached.is_alone();
        failures = unreached.failures;
    }
    let reach = match &found {
        SearchOutcome::Incomplete { why, unavailable: true } => Reach::Down(why.clone()),
        _ => Reach::Fine,
    };
    let (app, now) = (turn.app, turn.app.clock.now());
    let is_complete = matches!(found, SearchOutcome::Complete(_));
    if found == SearchOutcome::Complete(vec![]) {
        app.absences.saw_none(&posting, app.clock.monotonic());
    }
    // The window ends where this search began: what is executed while it lasts may have escaped it.
    let absent_for = app.absences.lasts(&posting, asked_at);
    let (after, note) = posting.searched(found, now, absent_for, app.settings.timing);
    tracing::info!(attempt = %after.attempt, kind = after.kind.code(), state = ?after.state, "searched");
    let is_over = !matches!(after.state, PostingState::Unknown { .. });
    let mut step = turn.step();
    step.postings.push(after);
    step.notes.extend(note);
    step.attempt.failures = if is_complete { 0 } else { failures };
    turn.commit(step).await?;
    if is_over {
        app.absences.forget(&posting);
    }
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
    let since = since(turn, posting.first_begun_at, turn.ledger.credit_of(posting));
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

/// From when on the row may have been made, whatever our clock said meanwhile: some days before the earliest moment we
/// know of, since time zones differ and clocks are set.
pub(super) fn since(
    turn: &Turn<'_>,
    first_begun_at: Option<DateTime<Utc>>,
    credit: Option<&Credit>,
) -> NaiveDate {
    let clock = &turn.app.clock;
    let born = turn.ledger.attempt.created_at;
    let moments = [Some(born), first_begun_at, Some(clock.now())];
    let earliest = moments.into_iter().flatten().min().unwrap_or(born);
    let earliest = clock.local_date(earliest);
    let written = credit.map_or(earliest, |credit| credit.date);
    let earliest = earliest.min(written);
    earliest.checked_sub_days(SLACK).unwrap_or(earliest)
}

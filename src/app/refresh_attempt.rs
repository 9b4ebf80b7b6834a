//! Asks the processor about one attempt and draws the consequences.
//!
//! **Invariant:** only the answer to our own question, about the invoice id we stored, moves an attempt. Credits are
//! made in the same commit as the state they follow from.

use chrono::{DateTime, TimeDelta, Utc};

use super::App;
use super::open_attempt;
use super::work::{Step, Turn, TurnError};
use crate::domain::attempt::{self, Attempt, State};
use crate::domain::credit::{ByHand, Credit, Target, credit_key};
use crate::domain::ids::ProcessorInvoiceId;
use crate::domain::money::Money;
use crate::domain::observation::{Exception, Observation};
use crate::domain::recording::credited;
use crate::domain::review::{ReviewNote, ReviewReason};
use crate::domain::schedule::{back_off, next_look};
use crate::domain::settlement::without_what_is_known;
use crate::ports::PeerError;

/// Looks at the processor's invoice of a leased attempt.
///
/// # Errors
///
/// [`TurnError`]; the next look is committed in any case but [`TurnError::Moved`] and [`TurnError::Store`].
pub async fn refresh(turn: &mut Turn<'_>) -> Result<(), TurnError> {
    let app = turn.app;
    let attempt = turn.ledger.attempt.clone();
    let Some(connection) = app.store.connection(attempt.connection).await? else {
        return Err(TurnError::Impossible("the attempt's connection is gone".to_owned()));
    };
    let Some(opened) = attempt.opened.clone() else {
        return match open_attempt::open(app, attempt, &connection).await {
            Ok(_) | Err(_) => Err(TurnError::Moved),
        };
    };
    let answer = match app.processors.of(&connection) {
        Ok(processor) => processor.observe(&opened.invoice).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(observation) => {
            let step = consequences(turn, &observation, &opened.invoice)?;
            turn.commit(step).await
        }
        Err(error) => look_again_later(turn, error).await,
    }
}

fn consequences(
    turn: &Turn<'_>,
    observation: &Observation,
    invoice: &ProcessorInvoiceId,
) -> Result<Step, TurnError> {
    let app = turn.app;
    let now = app.clock.now();
    let attempt = &turn.ledger.attempt;
    let nothing = Money::zero(attempt.terms.price.currency());
    let credited = credited(&turn.ledger.credits, nothing)?;
    let attempt::Step { state, credit, reviews } = attempt.observe(observation, credited)?;
    let seen = in_short(observation);
    let is_same_answer = attempt.last_seen.as_ref() == Some(&seen);
    let settled = observation.settled(attempt.processor);
    let reviews = match reviews.as_slice() {
        [] => reviews,
        _ => without_what_is_known(reviews, settled, &turn.ledger.credits, is_same_answer)?,
    };
    let credits = match credit {
        Some(amount) => vec![new_credit(turn, invoice, amount)?],
        None => vec![],
    };
    let earned = !credits.is_empty();
    // Who has paid and clicks again before it is final must be led back here, not to a second payment.
    let still_open = matches!(state, State::Opening | State::AwaitingPayment | State::Confirming);
    let after = Attempt {
        state,
        open_key: attempt.open_key.clone().filter(|_| still_open),
        settled_at: if earned { Some(now) } else { attempt.settled_at },
        last_seen: Some(seen),
        look_at: next_look_of(app, attempt, state, now),
        work_at: if earned { Some(now) } else { attempt.work_at },
        failures: 0,
        ..attempt.clone()
    };
    Ok(Step { attempt: after, credits, postings: vec![], notes: reviews, release: false })
}

fn new_credit(
    turn: &Turn<'_>,
    invoice: &ProcessorInvoiceId,
    amount: Money,
) -> Result<Credit, TurnError> {
    let attempt = &turn.ledger.attempt;
    let n = next_number(&turn.ledger.credits);
    Ok(Credit {
        key: credit_key(attempt.processor, invoice, n)?,
        attempt: attempt.id,
        connection: attempt.connection,
        invoice: invoice.clone(),
        n,
        amount,
        target: Target::Undecided,
        date: turn.app.clock.local_date(turn.app.clock.now()),
        by_hand: ByHand::Nothing,
    })
}

/// The number of the next credit of a processor invoice.
pub(super) fn next_number(credits: &[Credit]) -> u32 {
    credits.iter().map(|credit| credit.n).max().unwrap_or(0).saturating_add(1)
}

/// Nothing hurries once the money is in Splynx: what could still come is a reversal.
fn next_look_of(
    app: &App,
    attempt: &Attempt,
    state: State,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let born = attempt.opened.as_ref().map_or(attempt.created_at, |opened| opened.opened_at);
    let poll = match state {
        State::Settled | State::Recorded => app.settings.poll.max(TimeDelta::hours(1)),
        _ => app.settings.poll,
    };
    next_look(born, attempt.monitor_until, poll, attempt.look_at, now)
}

async fn look_again_later(turn: &mut Turn<'_>, error: PeerError) -> Result<(), TurnError> {
    let now = turn.app.clock.now();
    let mut step = turn.step();
    let failures = step.attempt.failures.saturating_add(1);
    let pause = match &error {
        PeerError::Refused { .. } => TimeDelta::hours(1),
        _ => back_off(failures),
    };
    let planned = next_look_of(turn.app, &step.attempt, step.attempt.state, now);
    step.attempt.look_at = match (planned, &error) {
        (Some(_), _) => Some(now + pause),
        // The processor's no is told to a person, and the time to watch is over.
        (None, PeerError::Refused { .. }) => None,
        // The last look is the one that was answered.
        (None, _) => Some(now + TimeDelta::hours(1)),
    };
    step.attempt.failures = failures;
    if let PeerError::Refused { sentence, .. } = &error {
        let words = format!("The processor does not answer about this payment: {sentence}");
        step.notes.push(ReviewNote::new(ReviewReason::ConnectionDead, words));
    }
    turn.commit(step).await?;
    Err(error.into())
}

/// What an attempt remembers of the last look at it.
pub(super) fn in_short(observation: &Observation) -> String {
    let status = observation.status.word();
    let exception = match observation.exception {
        Exception::None => "",
        Exception::PaidPartial => ", paid in part",
        Exception::PaidOver => ", paid in excess",
        Exception::PaidLate => ", paid late",
        Exception::Marked => ", marked by hand",
        Exception::Refunded => ", refunded by the merchant",
    };
    format!("{status}{exception}")
}

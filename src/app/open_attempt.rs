//! Makes the processor invoice of a committed attempt.
//!
//! **Invariant:** the wish carries the attempt's id as `orderId` and `guid`, so repeating it finds the invoice of an
//! earlier, unclear try instead of making another (design 4.1).

use chrono::TimeDelta;

use super::App;
use super::dead_end::DeadEnd;
use super::statement_record;
use crate::domain::attempt::{Attempt, Opened, State};
use crate::domain::connection::Connection;
use crate::domain::credit::credit_key;
use crate::domain::ids::ReviewId;
use crate::domain::payable::{DocumentKind, Payable};
use crate::domain::review::{Review, ReviewNote, ReviewReason};
use crate::domain::schedule::{LOOK_PAUSE_MAX, back_off};
use crate::ports::PeerError;
use crate::ports::processor::{InvoiceWish, OpenedInvoice};
use crate::ports::store::Change;

/// More credits than this one processor invoice never gets.
const CREDITS_MAX: u32 = 99;

/// How long the invoice of an unanswered wish is asked for again without anybody waiting for it.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::minutes(20);

/// Makes (or finds) the processor invoice and commits it.
///
/// # Errors
///
/// [`DeadEnd::ProcessorRefused`]: there is no invoice. [`DeadEnd::ProcessorDown`]: there may be one; opening again is
/// safe.
pub async fn open(
    app: &App,
    attempt: Attempt,
    connection: &Connection,
) -> Result<Attempt, DeadEnd> {
    let answer = match app.processors.of(connection) {
        Ok(processor) => processor.open_invoice(&wish(app, &attempt)).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(opened) => adopt(app, attempt, opened).await,
        Err(PeerError::Refused { sentence, .. }) => refuse(app, attempt, sentence).await,
        Err(error) => postpone(app, attempt, &error).await,
    }
}

/// What we ask the processor for.
fn wish(app: &App, attempt: &Attempt) -> InvoiceWish {
    let public = &app.settings.public_url;
    InvoiceWish {
        attempt: attempt.id,
        price: attempt.terms.price,
        description: description(&attempt.payable),
        notification_url: format!("{public}/ipn/{}", attempt.hook),
        redirect_url: format!("{public}/result/{}", attempt.result_token),
        close_url: format!("{public}/result/{}", attempt.result_token),
        transaction_speed: app.rules().transaction_speed.code().to_owned(),
    }
}

fn description(payable: &Payable) -> String {
    match payable {
        Payable::Document(document) => match document.kind {
            DocumentKind::Invoice => format!("Invoice {}", document.number),
            DocumentKind::ProformaInvoice => format!("Proforma invoice {}", document.number),
        },
        Payable::TopUp => "Balance refill".to_owned(),
    }
}

async fn adopt(app: &App, attempt: Attempt, invoice: OpenedInvoice) -> Result<Attempt, DeadEnd> {
    if invoice.price != attempt.terms.price {
        let words = format!("asked for {}, got {}", attempt.terms.price, invoice.price);
        return refuse(app, attempt, format!("the processor's invoice has another price: {words}"))
            .await;
    }
    // A payment whose key does not fit into Splynx could never be credited: nobody may be led to this checkout.
    if credit_key(attempt.processor, &invoice.invoice, CREDITS_MAX).is_err() {
        let words = format!(
            "the processor's invoice id is too long to name a payment: {}",
            invoice.invoice
        );
        return refuse(app, attempt, words).await;
    }
    let now = app.clock.now();
    let opened = Opened {
        invoice: invoice.invoice,
        checkout_url: invoice.checkout_url,
        expires_at: invoice.expires_at,
        opened_at: now,
    };
    let record = statement_record::first(app, &attempt);
    let opened = Attempt {
        state: State::AwaitingPayment,
        opened: Some(opened),
        look_at: Some(now + app.settings.poll.min(LOOK_PAUSE_MAX)),
        work_at: Some(now),
        failures: 0,
        ..attempt
    };
    let change = Change { postings: vec![record], ..Change::of(opened) };
    let attempt = commit(app, change).await?;
    app.wake.notify_one();
    Ok(attempt)
}

async fn refuse(app: &App, attempt: Attempt, sentence: String) -> Result<Attempt, DeadEnd> {
    let now = app.clock.now();
    let note = ReviewNote::new(ReviewReason::ConnectionDead, sentence.clone());
    let refused = Attempt {
        state: State::Refused,
        open_key: None,
        last_seen: Some(sentence.clone()),
        look_at: None,
        work_at: None,
        ..attempt
    };
    let reviews = vec![review(app, &refused, note)];
    let change = Change { reviews, ..Change::of(refused) };
    let attempt = commit(app, change).await?;
    tracing::warn!(attempt = %attempt.id, sentence, at = %now, "the processor made no invoice");
    if attempt.opened.is_some() {
        return Ok(attempt);
    }
    Err(DeadEnd::ProcessorRefused(sentence))
}

async fn postpone(app: &App, attempt: Attempt, error: &PeerError) -> Result<Attempt, DeadEnd> {
    let now = app.clock.now();
    let failures = attempt.failures.saturating_add(1);
    let given_up = now >= attempt.created_at + GIVE_UP_AFTER;
    let postponed = Attempt {
        state: if given_up { State::Refused } else { attempt.state },
        open_key: if given_up { None } else { attempt.open_key.clone() },
        look_at: (!given_up).then(|| now + back_off(failures)),
        last_seen: Some(error.to_string()),
        failures,
        ..attempt
    };
    let attempt = commit(app, Change::of(postponed)).await?;
    if attempt.opened.is_some() {
        return Ok(attempt);
    }
    Err(DeadEnd::ProcessorDown(error.to_string()))
}

/// Commits, or takes what somebody else committed meanwhile: a second click or the worker.
async fn commit(app: &App, change: Change) -> Result<Attempt, DeadEnd> {
    let change = Change { release: true, ..change };
    if app.store.apply(&change).await? {
        let version = change.attempt.version.saturating_add(1);
        return Ok(Attempt { version, ..change.attempt });
    }
    let there = app.store.ledger(change.attempt.id).await?;
    Ok(there.map_or(change.attempt, |ledger| ledger.attempt))
}

/// A review beside this attempt, opened now.
pub(super) fn review(app: &App, attempt: &Attempt, note: ReviewNote) -> Review {
    let now = app.clock.now();
    Review {
        id: ReviewId::new(now, app.entropy.random_u128()),
        attempt: attempt.id,
        reason: note.reason,
        words: note.words,
        opened_at: now,
        closed: None,
    }
}

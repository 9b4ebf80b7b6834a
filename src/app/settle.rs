//! A person decides about a payment that waits for one.
//!
//! **Invariant:** what they decide, the end of the reviews it answers, and the order in their name are one commit against
//! the version that was read; nothing here asks Splynx or the processor. A credit keeps its key whatever is decided, so
//! that it exists once; money that nobody knows the whereabouts of is not touched.

use std::time::Duration;

use super::App;
use super::postings;
use super::refresh_attempt::next_number;
use super::work::{Step, Turn, TurnError};
use crate::domain::actor::Actor;
use crate::domain::attempt::{Attempt, State};
use crate::domain::credit::{ByHand, Credit, credit_key};
use crate::domain::ids::{AttemptId, CreditKey, ReviewId};
use crate::domain::money::Money;
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::domain::recording::is_payment_of;
use crate::domain::review::{Review, ReviewClosed};
use crate::domain::settlement::{Choice, Goal, asks_where_to, may_hide_money};
use crate::ports::store::{Change, Ledger, StoreError};

/// The longest note.
pub const NOTE_CHARACTERS_MAX: usize = 500;

/// How often a decision is made anew because the attempt moved meanwhile.
const TRIES: u32 = 20;

/// What a person decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The money goes there.
    Credit {
        /// Where to.
        goal: Goal,
        /// How much, as they typed it: for money that is in no credit yet.
        amount: Option<String>,
    },
    /// Nothing is to be moved.
    Dismiss,
}

/// An order of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Which attempt.
    pub attempt: AttemptId,
    /// Which of its reviews; none for all that the decision answers.
    pub review: Option<ReviewId>,
    /// What is to happen.
    pub decision: Decision,
    /// Why, in their words.
    pub note: String,
    /// Who they are.
    pub by: Actor,
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The credits that were decided or made.
    pub credits: Vec<Credit>,
    /// How many reviews ended.
    pub closed: usize,
}

/// Why an order was not carried out. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// There is no such attempt.
    #[error("there is no such payment")]
    UnknownAttempt,
    /// The attempt has no such review.
    #[error("this payment has no such review")]
    UnknownReview,
    /// Somebody was faster.
    #[error("this review is settled already")]
    Closed,
    /// There is no open review to dismiss.
    #[error("no review of this payment is open")]
    NothingOpen,
    /// The note is empty or too long.
    #[error(
        "a note of 1 to {NOTE_CHARACTERS_MAX} characters is needed: it tells later readers why"
    )]
    Note,
    /// A refill has no document.
    #[error("this payment is for no document: it can only go to the balance")]
    NoDocument,
    /// Nobody knows yet whether Splynx has it.
    #[error(
        "it is not known yet whether Splynx has {0}; the add-on finds that out by itself, and then this can be decided"
    )]
    Unclear(CreditKey),
    /// All of the money is in Splynx.
    #[error("there is no money to decide about: all of it is in Splynx, where it can be moved")]
    NothingToCredit,
    /// Nothing says that the processor holds more.
    #[error("nothing is credited by hand without an open review that says where the money is")]
    NoReason,
    /// No amount was given where one is needed.
    #[error("the amount that the processor holds is needed: at most {0}")]
    AmountMissing(Money),
    /// It is no amount, or more than is in no credit.
    #[error("this is no amount above zero and up to {0}")]
    Amount(Money),
    /// The waiting credits are decided as a whole.
    #[error("{0} wait and are decided as a whole: leave the amount out")]
    AsAWhole(Money),
    /// A sum that cannot be; a bug.
    #[error("impossible: {0}")]
    Impossible(String),
    /// The worker moved the attempt each time.
    #[error("the add-on is working on this payment right now; try again in a minute")]
    Busy,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SettleError {
    /// The word that ends the key of its text.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownAttempt | Self::UnknownReview => "unknown",
            Self::Closed => "closed",
            Self::NothingOpen => "nothing-open",
            Self::Note => "note",
            Self::NoDocument => "no-document",
            Self::Unclear(_) => "unclear",
            Self::NothingToCredit => "nothing-to-credit",
            Self::NoReason => "no-reason",
            Self::AmountMissing(_) | Self::Amount(_) => "amount",
            Self::AsAWhole(_) => "as-a-whole",
            Self::Impossible(_) | Self::Store(_) => "impossible",
            Self::Busy => "busy",
        }
    }

    /// The figure or name its text is about; empty for none.
    #[must_use]
    pub fn figure(&self) -> String {
        match self {
            Self::AmountMissing(sum) | Self::Amount(sum) | Self::AsAWhole(sum) => sum.to_string(),
            Self::Unclear(key) => key.to_string(),
            Self::Note => NOTE_CHARACTERS_MAX.to_string(),
            _ => String::new(),
        }
    }
}

impl From<TurnError> for SettleError {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::Store(error) => Self::Store(error),
            TurnError::Moved => Self::Busy,
            other => Self::Impossible(other.to_string()),
        }
    }
}

impl From<crate::domain::money::MoneyError> for SettleError {
    fn from(error: crate::domain::money::MoneyError) -> Self {
        Self::Impossible(error.to_string())
    }
}

/// Carries out an order.
///
/// # Errors
///
/// [`SettleError`]: nothing was changed.
pub async fn settle(app: &App, order: &Order) -> Result<Settled, SettleError> {
    let note = clean(&order.note)?;
    for _ in 0..TRIES {
        let ledger = app.store.ledger(order.attempt).await?.ok_or(SettleError::UnknownAttempt)?;
        let reviews = open_reviews(app, order).await?;
        let closed = closed(app, order, &note);
        let Decision::Credit { goal, amount } = &order.decision else {
            return dismiss(app, order, &reviews, &closed).await;
        };
        let turn = Turn { app, ledger, lease_end: Duration::ZERO };
        let (step, credits) = plan(&turn, &reviews, *goal, amount.as_deref(), order)?;
        let change = ordered(&turn, step, &reviews, order, &closed, &credits);
        let ends = change.closes.len();
        match app.store.apply(&change).await {
            Ok(true) => {
                tracing::info!(attempt = %order.attempt, by = %order.by, "settled by a person");
                app.wake.notify_one();
                return Ok(Settled { credits, closed: ends });
            }
            // The worker was faster, or another person: what they left is looked at again.
            Ok(false) | Err(StoreError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(SettleError::Busy)
}

/// A note as it is kept: on one line.
fn clean(note: &str) -> Result<String, SettleError> {
    let words: Vec<&str> = note.split_whitespace().collect();
    let note: String = words.join(" ").chars().filter(|c| !c.is_control()).collect();
    let length = note.chars().count();
    if (1..=NOTE_CHARACTERS_MAX).contains(&length) { Ok(note) } else { Err(SettleError::Note) }
}

async fn open_reviews(app: &App, order: &Order) -> Result<Vec<Review>, SettleError> {
    let mut reviews = app.store.reviews(order.attempt).await?;
    if let Some(id) = order.review {
        let named = reviews.iter().find(|review| review.id == id);
        let named = named.ok_or(SettleError::UnknownReview)?;
        if named.closed.is_some() {
            return Err(SettleError::Closed);
        }
    }
    reviews.retain(|review| review.closed.is_none());
    Ok(reviews)
}

fn closed(app: &App, order: &Order, note: &str) -> ReviewClosed {
    ReviewClosed { at: app.clock.now(), by: order.by.to_string(), note: note.to_owned() }
}

fn is_named(order: &Order, review: &Review) -> bool {
    order.review.is_none_or(|id| id == review.id)
}

/// Moves nothing, and so does not come in the way of a worker that holds the attempt.
async fn dismiss(
    app: &App,
    order: &Order,
    open: &[Review],
    closed: &ReviewClosed,
) -> Result<Settled, SettleError> {
    let mut ended: usize = 0;
    for review in open.iter().filter(|review| is_named(order, review)) {
        if app.store.close_review(review.id, closed).await? {
            ended = ended.saturating_add(1);
        }
    }
    match (ended, order.review) {
        (0, Some(_)) => Err(SettleError::Closed),
        (0, None) => Err(SettleError::NothingOpen),
        _ => Ok(Settled { credits: vec![], closed: ended }),
    }
}

fn plan(
    turn: &Turn<'_>,
    open: &[Review],
    goal: Goal,
    amount: Option<&str>,
    order: &Order,
) -> Result<(Step, Vec<Credit>), SettleError> {
    let Ledger { attempt, credits, postings } = &turn.ledger;
    if goal == Goal::Document && attempt.payable.document().is_none() {
        return Err(SettleError::NoDocument);
    }
    let amount = amount.map(str::trim).filter(|amount| !amount.is_empty());
    match Choice::of(attempt, credits, postings)? {
        Choice::Unclear(credit) => Err(SettleError::Unclear(credit.key)),
        Choice::Nothing => Err(SettleError::NothingToCredit),
        Choice::Waiting(waiting) => {
            let sum = sum(attempt, &waiting)?;
            let is_whole = |text: &str| Money::parse(text, sum.currency()) == Ok(sum);
            if amount.is_some_and(|amount| !is_whole(amount)) {
                return Err(SettleError::AsAWhole(sum));
            }
            Ok(redirected(turn, &waiting, goal))
        }
        Choice::Uncredited(rest) => {
            let mut named = open.iter().filter(|review| is_named(order, review));
            if !named.any(|review| may_hide_money(review.reason)) {
                return Err(SettleError::NoReason);
            }
            let amount = amount.ok_or(SettleError::AmountMissing(rest))?;
            made(turn, amount, rest, goal)
        }
    }
}

fn sum(attempt: &Attempt, credits: &[Credit]) -> Result<Money, SettleError> {
    let nothing = Money::zero(attempt.terms.price.currency());
    Ok(crate::domain::recording::credited(credits, nothing)?)
}

/// Lets credits that wait go where the person wants them.
fn redirected(turn: &Turn<'_>, waiting: &[Credit], goal: Goal) -> (Step, Vec<Credit>) {
    let mut step = turn.step();
    for credit in waiting {
        let by_hand = match credit.by_hand {
            ByHand::Nothing | ByHand::Target => ByHand::Target,
            ByHand::Amount => ByHand::Amount,
        };
        let decided = Credit { target: goal.target(), by_hand, ..credit.clone() };
        step.postings.extend(postings_for(turn, &decided, goal));
        step.credits.push(decided);
    }
    let credits = step.credits.clone();
    (due_now(turn, step), credits)
}

/// What was never executed is dropped, and what the person wants is queued under the same key. A payment that goes there
/// already is just sent sooner.
fn postings_for(turn: &Turn<'_>, credit: &Credit, goal: Goal) -> Vec<Posting> {
    let kind = match goal {
        Goal::Document => PostingKind::DocumentPayment,
        Goal::Balance => PostingKind::BalancePayment,
    };
    let now = turn.app.clock.now();
    let of_credit =
        |posting: &&Posting| posting.credit.as_ref() == Some(&credit.key) && !posting.is_final();
    let own: Vec<&Posting> = turn.ledger.postings.iter().filter(of_credit).collect();
    if own.iter().any(|posting| posting.kind == kind) {
        let payments = own.into_iter().filter(|posting| is_payment_of(posting, credit));
        let hurried = |posting: &Posting| Posting {
            state: PostingState::Ready { not_before: now },
            ..posting.clone()
        };
        return payments.map(hurried).collect();
    }
    // The fee stands on the invoice; without a payment of the invoice it has no business there.
    let stays = |posting: &Posting| posting.kind == PostingKind::FeeItem && goal == Goal::Document;
    let dropped = own.into_iter().filter(|posting| !stays(posting)).map(|posting| Posting {
        state: PostingState::Dropped,
        last_error: Some("a person decided otherwise".to_owned()),
        ..posting.clone()
    });
    dropped.chain(postings::of_decided(turn, credit)).collect()
}

/// Makes a credit of money that the processor holds and never called final. Later answers subtract it.
fn made(
    turn: &Turn<'_>,
    amount: &str,
    rest: Money,
    goal: Goal,
) -> Result<(Step, Vec<Credit>), SettleError> {
    let attempt = &turn.ledger.attempt;
    let opened = attempt.opened.as_ref().ok_or(SettleError::NothingToCredit)?;
    let parsed = Money::parse(amount, rest.currency()).ok();
    let fits = |amount: &Money| amount.is_positive() && amount.minor() <= rest.minor();
    let amount = parsed.filter(fits).ok_or(SettleError::Amount(rest))?;
    let now = turn.app.clock.now();
    let n = next_number(&turn.ledger.credits);
    let key = credit_key(attempt.processor, &opened.invoice, n);
    let credit = Credit {
        key: key.map_err(|error| SettleError::Impossible(error.to_string()))?,
        attempt: attempt.id,
        connection: attempt.connection,
        invoice: opened.invoice.clone(),
        n,
        amount,
        target: goal.target(),
        date: turn.app.clock.local_date(now),
        by_hand: ByHand::Amount,
    };
    let mut step = turn.step();
    step.postings = postings::of_decided(turn, &credit);
    step.credits = vec![credit.clone()];
    step.attempt.state = State::Settled;
    step.attempt.open_key = None;
    step.attempt.settled_at = step.attempt.settled_at.or(Some(now));
    Ok((due_now(turn, step), vec![credit]))
}

/// The worker takes it up at once. Its lease ends, unless a request is on its way under it.
fn due_now(turn: &Turn<'_>, mut step: Step) -> Step {
    step.attempt.work_at = Some(turn.app.clock.now());
    step.attempt.failures = 0;
    let is_sent = |posting: &Posting| matches!(posting.state, PostingState::Posting { .. });
    step.release = !turn.ledger.postings.iter().any(is_sent);
    step
}

fn ordered(
    turn: &Turn<'_>,
    step: Step,
    open: &[Review],
    order: &Order,
    closed: &ReviewClosed,
    credits: &[Credit],
) -> Change {
    let is_answered =
        |review: &&Review| asks_where_to(review.reason) || order.review == Some(review.id);
    let ends = open.iter().filter(is_answered).map(|review| (review.id, closed.clone()));
    let moved: Vec<String> = credits
        .iter()
        .map(|credit| format!("{} to the {}", credit.amount, credit.target.code()))
        .collect();
    Change {
        closes: ends.collect(),
        by: order.by.clone(),
        order: Some(format!("{}: {}", moved.join(", "), closed.note)),
        ..turn.change(step)
    }
}

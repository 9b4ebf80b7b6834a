//! The page a customer comes back to.
//!
//! **Invariant:** coming back is a hint, never evidence; the page shows number, sum and state only (design 5).

use super::App;
use super::receive_hint::look_soon;
use crate::domain::attempt::State;
use crate::domain::ids::ResultToken;
use crate::domain::money::Money;
use crate::domain::payable::Payable;
use crate::domain::review::{Review, ReviewReason};
use crate::ports::store::{Ledger, StoreError};

/// How far a payment got, in a customer's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing was seen yet.
    Waiting,
    /// Seen, not final yet.
    Confirming,
    /// Final; on its way into the customer's account.
    Settled,
    /// In the customer's account.
    Paid,
    /// The time to pay ran out.
    Expired,
    /// The processor did not accept it.
    Refused,
    /// Money came that a person has to look at: a part of the sum, or what could not be entered.
    Review,
}

impl Progress {
    /// Whether the page should look again by itself.
    #[must_use]
    pub fn may_change_soon(self) -> bool {
        matches!(self, Self::Waiting | Self::Confirming | Self::Settled)
    }
}

/// What the result page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultView {
    /// What is paid.
    pub payable: Payable,
    /// The sum.
    pub price: Money,
    /// How far it got.
    pub progress: Progress,
    /// Where the customer can still pay.
    pub checkout_url: Option<String>,
}

/// What the result page with this token shows; `None` if there is no such page. Wakes the attempt.
///
/// # Errors
///
/// [`StoreError`].
pub async fn result(app: &App, token: &ResultToken) -> Result<Option<ResultView>, StoreError> {
    let Some(ledger) = app.store.ledger_by_token(token).await? else {
        return Ok(None);
    };
    let reviews = match ledger.attempt.state {
        State::Opening | State::AwaitingPayment | State::Recorded => vec![],
        _ => app.store.reviews(ledger.attempt.id).await?,
    };
    let view = view(&ledger, &reviews);
    if view.progress.may_change_soon() {
        look_soon(app, &ledger.attempt.hook).await?;
    }
    Ok(Some(view))
}

/// Whether a person has to look before the money gets on. What they look at otherwise is no business of the customer.
fn waits_for_a_person(state: State, reviews: &[Review]) -> bool {
    let open = reviews.iter().filter(|review| review.closed.is_none());
    let mut reasons = open.map(|review| review.reason);
    match state {
        State::Settled => reasons.any(|reason| {
            reason.holds_money()
                || matches!(reason, ReviewReason::NotOurInvoice | ReviewReason::BooksDiffer)
        }),
        State::Confirming => reasons.any(|reason| reason == ReviewReason::NotOurInvoice),
        State::Expired | State::Refused => reasons.any(|reason| {
            matches!(reason, ReviewReason::NotOurInvoice | ReviewReason::PaidInexactly)
        }),
        State::Opening | State::AwaitingPayment | State::Recorded => false,
    }
}

fn view(ledger: &Ledger, reviews: &[Review]) -> ResultView {
    let attempt = &ledger.attempt;
    let progress = match attempt.state {
        state if waits_for_a_person(state, reviews) => Progress::Review,
        State::Opening | State::AwaitingPayment => Progress::Waiting,
        State::Confirming => Progress::Confirming,
        State::Settled => Progress::Settled,
        State::Recorded => Progress::Paid,
        State::Expired => Progress::Expired,
        State::Refused => Progress::Refused,
    };
    let open = matches!(attempt.state, State::AwaitingPayment);
    let checkout_url =
        attempt.opened.as_ref().filter(|_| open).map(|opened| opened.checkout_url.clone());
    ResultView {
        payable: attempt.payable.clone(),
        price: attempt.terms.price,
        progress,
        checkout_url,
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use rstest::rstest;

    use super::*;
    use crate::domain::ids::{AttemptId, ReviewId};
    use crate::domain::review::ReviewClosed;

    fn review(reason: ReviewReason) -> Review {
        let at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        Review {
            id: ReviewId::new(at, 1),
            attempt: AttemptId::new(at, 1),
            reason,
            words: String::new(),
            opened_at: at,
            closed: None,
        }
    }

    #[rstest]
    #[case::cannot_be_entered(State::Settled, ReviewReason::Refused, true)]
    #[case::entered_elsewhere(State::Settled, ReviewReason::DocumentChanged, false)]
    #[case::paid_in_excess(State::Settled, ReviewReason::PaidInexactly, false)]
    #[case::paid_in_part(State::Expired, ReviewReason::PaidInexactly, true)]
    #[case::a_dead_account(State::Expired, ReviewReason::ConnectionDead, false)]
    #[case::entered(State::Recorded, ReviewReason::BooksDiffer, false)]
    #[case::still_to_be_paid(State::AwaitingPayment, ReviewReason::NotOurInvoice, false)]
    fn a_customer_is_told_of_a_person_only_where_the_money_waits_for_one(
        #[case] state: State,
        #[case] reason: ReviewReason,
        #[case] waits: bool,
    ) {
        assert_eq!(waits_for_a_person(state, &[review(reason)]), waits);
        let closed =
            ReviewClosed { at: review(reason).opened_at, by: String::new(), note: String::new() };
        let closed = Review { closed: Some(closed), ..review(reason) };
        assert!(!waits_for_a_person(state, &[closed]));
    }
}

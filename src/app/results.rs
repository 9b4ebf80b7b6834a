//! The page a customer comes back to.
//!
//! **Invariant:** coming back is a hint, never evidence; the page shows number, sum and state only (design 5).

use super::App;
use crate::domain::attempt::State;
use crate::domain::ids::ResultToken;
use crate::domain::money::Money;
use crate::domain::payable::Payable;
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
    let view = view(&ledger);
    if view.progress.may_change_soon() {
        app.store.record_hint(&ledger.attempt.hook, app.clock.now()).await?;
        app.wake.notify_one();
    }
    Ok(Some(view))
}

fn view(ledger: &Ledger) -> ResultView {
    let attempt = &ledger.attempt;
    let progress = match attempt.state {
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

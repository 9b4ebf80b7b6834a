//! What a person may decide about a payment that waits for one, and what follows from it.
//!
//! **Invariant:** a person never makes more money than the price, and never moves a payment of which it is not known
//! whether Splynx has it: what is decided anew was surely never executed.

use super::attempt::Attempt;
use super::credit::{Credit, Target};
use super::money::{Money, MoneyError};
use super::posting::{Posting, PostingState};
use super::recording::{credited, is_payment_of};
use super::review::ReviewReason;

/// Where a person wants the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Goal {
    /// On the document, whatever the document looks like.
    Document,
    /// On the customer's balance.
    Balance,
}

impl Goal {
    /// The target of the credit.
    #[must_use]
    pub fn target(self) -> Target {
        match self {
            Self::Document => Target::Document,
            Self::Balance => Target::Balance,
        }
    }
}

/// What there is to decide about an attempt's money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// These credits wait, and none of them was executed in Splynx: they may go elsewhere.
    Waiting(Vec<Credit>),
    /// Every credit is in Splynx; up to so much of the price is in none.
    Uncredited(Money),
    /// Nobody knows yet whether Splynx has this credit: first it must be known.
    Unclear(Credit),
    /// All of the price is credited, and all of it is in Splynx.
    Nothing,
}

impl Choice {
    /// What there is to decide.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when the credits do not sum up.
    pub fn of(
        attempt: &Attempt,
        credits: &[Credit],
        postings: &[Posting],
    ) -> Result<Self, MoneyError> {
        let mut waiting = Vec::new();
        for credit in credits {
            match standing(credit, postings) {
                Standing::InSplynx => {}
                Standing::Waiting => waiting.push(credit.clone()),
                Standing::Unclear => return Ok(Self::Unclear(credit.clone())),
            }
        }
        if !waiting.is_empty() {
            return Ok(Self::Waiting(waiting));
        }
        let nothing = Money::zero(attempt.terms.price.currency());
        let rest = attempt.terms.price.checked_sub(credited(credits, nothing)?)?;
        let is_open = attempt.opened.is_some() && rest.is_positive();
        Ok(if is_open { Self::Uncredited(rest) } else { Self::Nothing })
    }
}

enum Standing {
    InSplynx,
    Waiting,
    Unclear,
}

fn standing(credit: &Credit, postings: &[Posting]) -> Standing {
    let mut own = postings.iter().filter(|posting| posting.credit.as_ref() == Some(&credit.key));
    if own.clone().any(|posting| is_payment_of(posting, credit) && posting.is_posted()) {
        return Standing::InSplynx;
    }
    let is_under_way = |posting: &Posting| {
        matches!(posting.state, PostingState::Posting { .. } | PostingState::Unknown { .. })
    };
    if own.any(is_under_way) { Standing::Unclear } else { Standing::Waiting }
}

/// Whether a review of this reason may mean that the processor holds money of which no credit was made.
#[must_use]
pub fn may_hide_money(reason: ReviewReason) -> bool {
    matches!(
        reason,
        ReviewReason::NotOurInvoice
            | ReviewReason::PaidInexactly
            | ReviewReason::BooksDiffer
            | ReviewReason::ConnectionDead
    )
}

/// Whether a review of this reason asks where money shall go; a decision about that ends it.
#[must_use]
pub fn asks_where_to(reason: ReviewReason) -> bool {
    reason.holds_money() || may_hide_money(reason)
}

/// Whether the processor shows less than the add-on credited by itself. What a person credited besides is not to be
/// found at the processor, and no reason to call a person again.
///
/// # Errors
///
/// [`MoneyError`] when the currencies differ.
pub fn is_lost(settled: Money, credits: &[Credit]) -> Result<bool, MoneyError> {
    let nothing = Money::zero(settled.currency());
    let own: Vec<Credit> = credits.iter().filter(|credit| !credit.is_handmade).cloned().collect();
    Ok(settled.compare(credited(&own, nothing)?)? == std::cmp::Ordering::Less)
}

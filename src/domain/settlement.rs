//! What a person may decide about a payment that waits for one, and what follows from it.
//!
//! **Invariant:** a person never makes more money than the price, and never moves a payment of which it is not known
//! whether Splynx has it: what is decided anew was surely never executed.

use std::cmp::Ordering;

use super::attempt::Attempt;
use super::credit::{ByHand, Credit, Target};
use super::money::{Money, MoneyError};
use super::posting::{Posting, PostingState};
use super::recording::{credited, is_payment_of};
use super::review::{ReviewNote, ReviewReason};

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

/// The notes of an observation without those that a person has caused by crediting money that the processor does not
/// call final. `is_same_answer`: the processor says what it said at the last look.
///
/// # Errors
///
/// [`MoneyError`] when the currencies differ.
pub fn without_what_is_known(
    notes: Vec<ReviewNote>,
    settled: Money,
    credits: &[Credit],
    is_same_answer: bool,
) -> Result<Vec<ReviewNote>, MoneyError> {
    let is_own = |credit: &&Credit| credit.by_hand != ByHand::Amount;
    let own: Vec<Credit> = credits.iter().filter(is_own).cloned().collect();
    let own = credited(&own, Money::zero(settled.currency()))?;
    if settled.compare(own)? == Ordering::Less {
        return Ok(notes);
    }
    let is_known = |note: &ReviewNote| match note.reason {
        ReviewReason::LessThanCredited => true,
        ReviewReason::TakenBack => is_same_answer,
        _ => false,
    };
    Ok(notes.into_iter().filter(|note| !is_known(note)).collect())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate, Utc};
    use rstest::rstest;

    use super::super::ids::{AttemptId, ConnectionId, CreditKey, PostingId, ProcessorInvoiceId};
    use super::super::money::Currency;
    use super::super::posting::PostingKind;
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    fn usd(minor: i64) -> Money {
        Money::from_minor(minor, Currency::parse("USD").unwrap())
    }

    fn credit(n: u32, minor: i64) -> Credit {
        Credit {
            key: CreditKey::parse(&format!("BP-x-{n}")).unwrap(),
            attempt: AttemptId::new(now(), 1),
            connection: ConnectionId::new(now(), 1),
            invoice: ProcessorInvoiceId::parse("x").unwrap(),
            n,
            amount: usd(minor),
            target: Target::Balance,
            date: NaiveDate::default(),
            by_hand: ByHand::Nothing,
        }
    }

    fn posting(n: u32, kind: PostingKind, state: PostingState) -> Posting {
        Posting {
            id: PostingId::new(now(), u128::from(n)),
            attempt: AttemptId::new(now(), 1),
            credit: Some(credit(n, 1).key),
            kind,
            state,
            body: String::new(),
            tries: 0,
            first_begun_at: None,
            last_error: None,
        }
    }

    fn unknown() -> PostingState {
        PostingState::Unknown { begun_at: now(), first_absent: None, search_at: now() }
    }

    #[rstest]
    #[case::never_sent(PostingState::Ready { not_before: now() }, "waiting")]
    #[case::given_up(PostingState::Dropped, "waiting")]
    #[case::on_its_way(PostingState::Posting { begun_at: now() }, "unclear")]
    #[case::unclear(unknown(), "unclear")]
    #[case::there(PostingState::Posted { splynx_id: None }, "there")]
    #[case::there_twice(PostingState::Duplicate { splynx_ids: vec![] }, "there")]
    fn a_credit_may_move_only_while_splynx_surely_does_not_have_it(
        #[case] state: PostingState,
        #[case] expected: &str,
    ) {
        let postings = [posting(1, PostingKind::BalancePayment, state)];
        let found = match standing(&credit(1, 1), &postings) {
            Standing::Waiting => "waiting",
            Standing::Unclear => "unclear",
            Standing::InSplynx => "there",
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn an_unclear_fee_item_holds_the_credit_and_an_unclear_status_does_not() {
        let fee = [posting(1, PostingKind::FeeItem, unknown())];
        assert!(matches!(standing(&credit(1, 1), &fee), Standing::Unclear));
        let posted = PostingState::Posted { splynx_id: None };
        let paid = [
            posting(1, PostingKind::DocumentPayment, posted),
            posting(1, PostingKind::DocumentStatus, unknown()),
        ];
        assert!(matches!(standing(&credit(1, 1), &paid), Standing::InSplynx));
    }

    #[rstest]
    #[case::nothing_by_hand(ByHand::Nothing, false, &[ReviewReason::LessThanCredited, ReviewReason::TakenBack])]
    #[case::decided_by_hand(ByHand::Target, true, &[ReviewReason::LessThanCredited, ReviewReason::TakenBack])]
    #[case::made_by_hand(ByHand::Amount, true, &[])]
    #[case::taken_back_since(ByHand::Amount, false, &[ReviewReason::TakenBack])]
    fn what_a_person_credited_is_no_news(
        #[case] by_hand: ByHand,
        #[case] is_same_answer: bool,
        #[case] kept: &[ReviewReason],
    ) {
        let notes = [ReviewReason::LessThanCredited, ReviewReason::TakenBack];
        let notes = notes.map(|reason| ReviewNote::new(reason, "words")).to_vec();
        let credits = [Credit { by_hand, ..credit(1, 100) }];
        let left = without_what_is_known(notes, usd(0), &credits, is_same_answer).unwrap();
        assert_eq!(left.into_iter().map(|note| note.reason).collect::<Vec<_>>(), kept);
    }

    #[test]
    fn money_lost_besides_what_a_person_credited_is_news() {
        let notes = vec![ReviewNote::new(ReviewReason::LessThanCredited, "words")];
        let made = Credit { by_hand: ByHand::Amount, ..credit(2, 50) };
        let credits = [credit(1, 100), made];
        let left = without_what_is_known(notes.clone(), usd(99), &credits, true).unwrap();
        assert_eq!(left, notes);
        let left = without_what_is_known(notes, usd(100), &credits, true).unwrap();
        assert_eq!(left, []);
    }
}

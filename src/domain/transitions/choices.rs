//! What a person may decide, case by case.

use rstest::rstest;

use super::samples::{attempt, credit, posting, usd};
use crate::domain::attempt::{Attempt, State};
use crate::domain::credit::{Credit, Target};
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::domain::review::ReviewReason;
use crate::domain::settlement::{Choice, asks_where_to, may_hide_money};

fn standing(state: PostingState) -> Vec<Posting> {
    vec![posting(PostingKind::BalancePayment, state)]
}

fn posted() -> PostingState {
    PostingState::Posted { splynx_id: None }
}

fn choice(attempt: &Attempt, credits: &[Credit], postings: &[Posting]) -> Choice {
    Choice::of(attempt, credits, postings).unwrap()
}

#[test]
fn a_credit_that_waits_is_to_be_decided_and_one_that_is_unclear_comes_first() {
    let (open, credits) = (attempt(State::Settled), [credit(1, Target::Balance)]);
    let waits = Choice::Waiting(credits.to_vec());
    assert_eq!(choice(&open, &credits, &[]), waits);
    assert_eq!(choice(&open, &credits, &standing(PostingState::Dropped)), waits);
    let begun = standing(PostingState::Posting { begun_at: open.created_at });
    let two = [credits[0].clone(), credit(2, Target::Balance)];
    assert_eq!(choice(&open, &two, &begun), Choice::Unclear(credits[0].clone()));
    assert_eq!(choice(&open, &credits, &standing(posted())), Choice::Nothing);
}

#[test]
fn what_is_in_no_credit_may_be_credited_up_to_the_price_once_there_is_an_invoice() {
    let expired = attempt(State::Expired);
    assert_eq!(choice(&expired, &[], &[]), Choice::Uncredited(usd(10_000)));
    let part = [Credit { amount: usd(9_999), ..credit(1, Target::Balance) }];
    let postings = standing(posted());
    assert_eq!(choice(&expired, &part, &postings), Choice::Uncredited(usd(1)));
    let unopened = Attempt { opened: None, ..expired };
    assert_eq!(choice(&unopened, &[], &[]), Choice::Nothing);
}

#[rstest]
#[case(ReviewReason::NotOurInvoice, true, true)]
#[case(ReviewReason::PaidInexactly, true, true)]
#[case(ReviewReason::BooksDiffer, true, true)]
#[case(ReviewReason::ConnectionDead, true, true)]
#[case(ReviewReason::CurrencyChanged, false, true)]
#[case(ReviewReason::NotMarkedPaid, false, false)]
#[case(ReviewReason::FeeRefused, false, false)]
fn a_decision_about_the_money_ends_the_reviews_that_ask_for_it(
    #[case] reason: ReviewReason,
    #[case] hides_money: bool,
    #[case] asks: bool,
) {
    assert_eq!((may_hide_money(reason), asks_where_to(reason)), (hides_money, asks));
}

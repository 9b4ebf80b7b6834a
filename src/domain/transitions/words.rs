//! What a person reads beside a posting: the last failure, for as long as it is one.

use chrono::TimeDelta;
use rstest::rstest;

use super::samples::{WINDOW, at, posting, timing};
use crate::domain::ids::SplynxId;
use crate::domain::posting::{
    NotExecuted, Posting, PostingKind, PostingState, SearchOutcome, WriteOutcome,
};

fn failed(kind: PostingKind, state: PostingState) -> Posting {
    Posting { last_error: Some("before".to_owned()), ..posting(kind, state) }
}

fn begun(kind: PostingKind) -> Posting {
    failed(kind, PostingState::Posting { begun_at: at(0) })
}

fn unknown() -> Posting {
    let state = PostingState::Unknown { begun_at: at(0), first_absent: None, search_at: at(0) };
    failed(PostingKind::BalancePayment, state)
}

fn ready() -> Posting {
    failed(PostingKind::BalancePayment, PostingState::Ready { not_before: at(0) })
}

fn why() -> String {
    "why".to_owned()
}

fn surely_not(why: NotExecuted) -> WriteOutcome {
    WriteOutcome::NotExecuted(why)
}

#[rstest]
#[case::done(PostingKind::BalancePayment, WriteOutcome::Done { splynx_id: None }, None)]
#[case::unclear(PostingKind::BalancePayment, WriteOutcome::Unclear { why: why() }, Some("why"))]
#[case::never_left(
    PostingKind::BalancePayment,
    surely_not(NotExecuted::Unreachable { why: why() }),
    Some("why")
)]
#[case::asked_to_wait(
    PostingKind::BalancePayment,
    surely_not(NotExecuted::Throttled { wait: TimeDelta::seconds(9) }),
    Some("Splynx asked to wait")
)]
#[case::refused(
    PostingKind::BalancePayment,
    surely_not(NotExecuted::Refused { sentence: why() }),
    Some("why")
)]
#[case::refused_fee(
    PostingKind::FeeItem,
    surely_not(NotExecuted::Refused { sentence: why() }),
    Some("why")
)]
fn the_last_failure_is_that_of_the_last_request(
    #[case] kind: PostingKind,
    #[case] outcome: WriteOutcome,
    #[case] words: Option<&str>,
) {
    let after = begun(kind).ended(outcome, at(1)).0;
    assert_eq!(after.last_error.as_deref(), words);
}

#[test]
fn a_posting_whose_sender_is_gone_says_so() {
    let after = begun(PostingKind::BalancePayment).orphaned();
    assert_eq!(after.last_error.unwrap(), "the add-on stopped while Splynx was answering");
}

#[rstest]
#[case::one(SearchOutcome::Complete(vec![SplynxId::new(7)]), None)]
#[case::silent(SearchOutcome::Incomplete { why: why(), unavailable: true }, Some("why"))]
#[case::cannot(SearchOutcome::Incomplete { why: why(), unavailable: false }, Some("why"))]
fn what_was_found_ends_the_failure_and_a_vain_search_is_the_new_one(
    #[case] found: SearchOutcome,
    #[case] words: Option<&str>,
) {
    let looked = ready().looked_up(found.clone(), at(1)).unwrap().0;
    assert_eq!(looked.last_error.as_deref(), words);
    let absent = TimeDelta::seconds(WINDOW);
    let searched = unknown().searched(found, at(1), absent, timing()).0;
    assert_eq!(searched.last_error.as_deref(), words);
}

#[test]
fn a_search_in_vain_keeps_the_failure_it_is_about() {
    let nothing = SearchOutcome::Complete(vec![]);
    let after = unknown().searched(nothing, at(1), TimeDelta::zero(), timing()).0;
    assert_eq!(after.last_error.as_deref(), Some("before"));
}

#[test]
fn a_look_changes_nothing_of_what_is_not_ready() {
    for it in [
        unknown(),
        begun(PostingKind::FeeItem),
        failed(PostingKind::FeeItem, PostingState::Dropped),
    ] {
        let two = SearchOutcome::Complete(vec![SplynxId::new(7), SplynxId::new(8)]);
        assert_eq!(it.looked_up(two, at(1)), Some((it.clone(), None)));
        assert!(it.looked_up(SearchOutcome::Complete(vec![]), at(1)).is_some(), "nothing is sent");
    }
}

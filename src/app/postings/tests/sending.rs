//! What leaves, under which lease, and what follows from the answer.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use rstest::rstest;

use crate::app::postings::{Reach, record};
use crate::app::tests::bench::{
    Bench, at, attempt, committed, credit, payable, posting, ready, refused, unavailable, usd,
};
use crate::app::work::{Turn, TurnError};
use crate::domain::attempt::{Attempt, State};
use crate::domain::credit::Target;
use crate::domain::payable::{DocumentKind, Payable};
use crate::domain::posting::{NotExecuted, Posting, PostingKind, PostingState, WriteOutcome};
use crate::domain::review::ReviewReason;
use crate::ports::PeerError;
use crate::ports::billing::Endpoint;
use crate::ports::clock::Clock as _;

const INVOICE: DocumentKind = DocumentKind::Invoice;

/// A top-up whose payment is ready to be sent.
async fn to_be_sent(bench: &Bench) -> Turn<'_> {
    let credits = vec![credit(1, usd(10_000), Target::Balance)];
    let payment = posting(PostingKind::BalancePayment, ready());
    bench.turn(attempt(Payable::TopUp, false), credits, vec![payment]).await
}

#[rstest]
#[case::by_a_second(16, true)]
#[case::not_at_all(15, false)]
#[case::long_over(-5, false)]
#[tokio::test]
async fn nothing_is_begun_that_the_lease_does_not_cover(#[case] left: i64, #[case] sent: bool) {
    let bench = Bench::new();
    let mut turn = to_be_sent(&bench).await;
    bench.clock.set(60 - left);
    let version = turn.ledger.attempt.version;
    let reach = if sent { Reach::Fine } else { Reach::Unasked };
    assert_eq!(record(&mut turn).await.unwrap(), reach);
    assert_eq!(bench.desk().writes.len(), usize::from(sent));
    assert_eq!(turn.ledger.attempt.version != version, sent);
}

#[tokio::test]
async fn a_clock_that_is_set_back_during_the_search_stops_nothing() {
    let bench = Bench::new();
    let mut turn = to_be_sent(&bench).await;
    bench.desk().sets = Some((Arc::clone(&bench.clock), -600));
    assert_eq!(record(&mut turn).await.unwrap(), Reach::Fine);
    assert_eq!(bench.desk().writes.len(), 1);
    assert_eq!(bench.reviews().await, []);
}

#[tokio::test]
async fn a_request_must_have_left_before_it_can_outlive_the_lease() {
    let bench = Bench::new();
    let mut turn = to_be_sent(&bench).await;
    let lease_end = turn.lease_end;
    assert_eq!(lease_end, bench.clock.monotonic() + Duration::from_mins(1));
    record(&mut turn).await.unwrap();
    let desk = bench.desk();
    let [(endpoint, body, not_after)] = desk.writes.as_slice() else { panic!("{desk:?}") };
    assert_eq!(
        (*endpoint, *not_after),
        (Endpoint::Payments, lease_end.saturating_sub(Duration::from_secs(15)))
    );
    assert_eq!(body.to_string(), "{\"frozen\":true}");
}

#[tokio::test]
async fn the_intent_is_committed_before_the_request_and_the_outcome_after_it() {
    let bench = Bench::new();
    let mut turn = to_be_sent(&bench).await;
    turn.ledger.attempt.failures = 2;
    bench.clock.set(3);
    record(&mut turn).await.unwrap();
    let sent = committed(&bench, PostingKind::BalancePayment).await;
    assert!(matches!(sent.state, PostingState::Posted { splynx_id: Some(_) }), "{sent:?}");
    assert_eq!((sent.tries, sent.first_begun_at), (1, Some(at(3))));
    assert_eq!(turn.ledger.attempt.state, State::Recorded);
    assert_eq!((turn.ledger.attempt.failures, turn.ledger.attempt.work_at), (0, None));
}

fn throttled() -> WriteOutcome {
    WriteOutcome::NotExecuted(NotExecuted::Throttled { wait: TimeDelta::seconds(90) })
}

fn unreachable() -> WriteOutcome {
    WriteOutcome::NotExecuted(NotExecuted::Unreachable { why: "no route".to_owned() })
}

fn said_no() -> WriteOutcome {
    WriteOutcome::NotExecuted(NotExecuted::Refused { sentence: "no".to_owned() })
}

#[rstest]
#[case::throttled(throttled(), Reach::Fine, 90, &[])]
#[case::unreachable(unreachable(), Reach::Down("no route".to_owned()), 2, &[])]
#[case::refused(said_no(), Reach::Fine, 3600, &[ReviewReason::Refused])]
#[tokio::test]
async fn what_was_surely_not_executed_is_sent_again_later(
    #[case] outcome: WriteOutcome,
    #[case] reach: Reach,
    #[case] pause: i64,
    #[case] told: &[ReviewReason],
) {
    let bench = Bench::new();
    let mut turn = to_be_sent(&bench).await;
    bench.desk().outcomes.push_back(outcome);
    assert_eq!(record(&mut turn).await.unwrap(), reach);
    let waits = committed(&bench, PostingKind::BalancePayment).await;
    assert_eq!(waits.state, PostingState::Ready { not_before: at(pause) });
    assert_eq!(bench.reasons().await, told);
    assert_eq!(bench.desk().writes.len(), 1);
    if reach == Reach::Fine {
        assert_eq!(turn.ledger.attempt.work_at, Some(at(pause)), "not before");
    }
}

#[tokio::test]
async fn an_unclear_answer_says_that_splynx_is_down_and_leaves_the_posting_in_doubt() {
    let bench = Bench::new();
    let mut turn = to_be_sent(&bench).await;
    bench.desk().outcomes.push_back(WriteOutcome::Unclear { why: "timeout".to_owned() });
    assert_eq!(record(&mut turn).await.unwrap(), Reach::Down("timeout".to_owned()));
    let doubt = committed(&bench, PostingKind::BalancePayment).await;
    assert!(matches!(doubt.state, PostingState::Unknown { .. }), "{doubt:?}");
}

#[tokio::test]
async fn a_turn_without_work_commits_that_there_is_none_once() {
    let bench = Bench::new();
    let mut turn = bench.turn(attempt(Payable::TopUp, false), vec![], vec![]).await;
    let version = turn.ledger.attempt.version;
    for _ in 0..2 {
        assert_eq!(record(&mut turn).await.unwrap(), Reach::Unasked);
        assert_eq!((turn.ledger.attempt.work_at, turn.ledger.attempt.version), (None, version + 1));
    }
}

#[rstest]
#[case::ready(ready())]
#[case::begun_before(PostingState::Posting { begun_at: at(0) })]
#[tokio::test]
async fn a_statement_record_goes_to_the_statements_alone(#[case] state: PostingState) {
    let bench = Bench::new();
    let record_row = Posting {
        body: "{\"status\":\"new\"}".to_owned(),
        ..posting(PostingKind::StatementRecord, state)
    };
    let open = Attempt { state: State::AwaitingPayment, ..attempt(Payable::TopUp, false) };
    let mut turn = bench.turn(open, vec![], vec![record_row]).await;
    record(&mut turn).await.unwrap();
    let desk = bench.desk();
    assert_eq!((desk.records.len(), desk.writes.len(), desk.searches.len()), (1, 0, 0));
}

/// An attempt whose document must be read before anything else, after so many failures in a row.
async fn to_be_decided(bench: &Bench, failures: u32) -> Turn<'_> {
    let credits = vec![credit(1, usd(10_000), Target::Undecided)];
    let failed = Attempt { failures, ..attempt(payable(INVOICE), false) };
    bench.clock.set(5);
    bench.turn(failed, credits, vec![]).await
}

const DOWN: &str = "Splynx is unavailable: no answer";

#[rstest]
#[case::for_the_first_time(0, false, 1)]
#[case::for_the_third_time(2, false, 3)]
#[case::and_nothing_else_is_answered_either(9, true, 0)]
#[tokio::test]
async fn a_splynx_that_does_not_answer_is_down(
    #[case] failures: u32,
    #[case] is_down: bool,
    #[case] failures_after: u32,
) {
    let bench = Bench::new();
    let mut turn = to_be_decided(&bench, failures).await;
    bench.desk().is_down = is_down;
    bench.desk().reads.push_back(Err(unavailable()));
    assert_eq!(record(&mut turn).await.unwrap(), Reach::Down(DOWN.to_owned()));
    assert_eq!(turn.ledger.attempt.work_at, Some(at(5)), "the gate is what waits");
    assert_eq!(turn.ledger.attempt.failures, failures_after);
    assert_eq!(bench.reviews().await, []);
}

#[tokio::test]
async fn the_last_failure_of_a_long_outage_tells_nobody() {
    let bench = Bench::new();
    let mut turn = to_be_decided(&bench, 0).await;
    for is_down in [true, true, true, true, false] {
        bench.desk().is_down = is_down;
        bench.desk().reads.push_back(Err(unavailable()));
        assert_eq!(record(&mut turn).await.unwrap(), Reach::Down(DOWN.to_owned()));
    }
    assert_eq!(bench.reviews().await, []);
    assert_eq!(turn.ledger.attempt.failures, 1);
}

#[rstest]
#[case::in_full(false)]
#[case::with_a_refusal(true)]
#[tokio::test]
async fn what_fails_alone_again_and_again_holds_up_nobody_else_and_is_told(#[case] is_shut: bool) {
    let bench = Bench::new();
    let mut turn = to_be_decided(&bench, 3).await;
    bench.desk().is_shut = is_shut;
    bench.desk().reads.push_back(Err(unavailable()));
    assert_eq!(record(&mut turn).await.unwrap(), Reach::Held);
    assert_eq!(turn.ledger.attempt.work_at, Some(at(5 + 16)));
    let words = format!("Splynx answers, but not what must be known for this payment: {DOWN}");
    assert_eq!(bench.reviews().await, [(ReviewReason::CannotSearch, words)]);
}

#[rstest]
#[case::a_no(refused())]
#[case::garbage(PeerError::Unreadable { peer: "Splynx", why: "no JSON".to_owned() })]
#[tokio::test]
async fn what_splynx_does_not_let_us_read_is_told_and_tried_hourly(#[case] error: PeerError) {
    let bench = Bench::new();
    let mut turn = to_be_decided(&bench, 7).await;
    bench.desk().reads.push_back(Err(error.clone()));
    assert!(matches!(record(&mut turn).await, Err(TurnError::Peer(it)) if it == error));
    assert_eq!(turn.ledger.attempt.work_at, Some(at(5) + TimeDelta::hours(1)));
    let words = format!("Splynx does not let the add-on read what it must: {error}");
    assert_eq!(bench.reviews().await, [(ReviewReason::Refused, words)]);
    assert_eq!(turn.ledger.attempt.failures, 8);
}

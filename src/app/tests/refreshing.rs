//! What follows from the processor's answer, and from its silence.

use chrono::TimeDelta;
use rstest::rstest;

use super::bench::{Bench, at, attempt, credit, invoice, payable, refused, unavailable, usd};
use crate::app::refresh_attempt::refresh;
use crate::app::work::{Turn, TurnError};
use crate::domain::attempt::{Attempt, State};
use crate::domain::credit::{ByHand, Credit, Target};
use crate::domain::ids::ConnectionId;
use crate::domain::observation::{Exception, Observation, ProcessorStatus};
use crate::domain::payable::DocumentKind;
use crate::domain::review::ReviewReason;
use crate::ports::PeerError;

fn seen(status: ProcessorStatus, exception: Exception) -> Observation {
    Observation {
        invoice: invoice(),
        order_id: None,
        price: usd(10_000),
        status,
        exception,
        paid: None,
    }
}

/// An attempt that a customer can pay, and a second click would find.
fn open(state: State) -> Attempt {
    Attempt {
        state,
        open_key: Some("open".to_owned()),
        settled_at: None,
        work_at: None,
        look_at: Some(at(0)),
        failures: 4,
        ..attempt(payable(DocumentKind::Invoice), false)
    }
}

async fn asked(bench: &Bench, turn: &mut Turn<'_>, status: ProcessorStatus) {
    bench.till.says(Ok(seen(status, Exception::None)));
    refresh(turn).await.unwrap();
}

#[tokio::test]
async fn what_settled_is_credited_once_and_due_at_once() {
    let bench = Bench::new();
    let mut turn = bench.turn(open(State::Confirming), vec![], vec![]).await;
    bench.clock.set(7);
    asked(&bench, &mut turn, ProcessorStatus::Settled).await;
    let attempt = &turn.ledger.attempt;
    assert_eq!((attempt.state, attempt.settled_at), (State::Settled, Some(at(7))));
    assert_eq!((attempt.work_at, attempt.failures), (Some(at(7)), 0));
    assert_eq!(attempt.open_key, None);
    assert_eq!(attempt.last_seen.as_deref(), Some("settled"));
    let whole = Credit { by_hand: ByHand::Nothing, ..credit(1, usd(10_000), Target::Undecided) };
    assert_eq!(turn.ledger.credits, [whole]);
    // Nothing hurries any more, and the second answer is no news.
    assert_eq!(turn.ledger.attempt.look_at, Some(at(7) + TimeDelta::hours(1)));
    bench.clock.set(9);
    asked(&bench, &mut turn, ProcessorStatus::Settled).await;
    assert_eq!(
        (turn.ledger.attempt.settled_at, turn.ledger.attempt.work_at),
        (Some(at(7)), Some(at(7)))
    );
    assert_eq!(turn.ledger.credits.len(), 1);
}

#[rstest]
#[case(State::AwaitingPayment, ProcessorStatus::Unpaid, true)]
#[case(State::AwaitingPayment, ProcessorStatus::Seen, true)]
#[case(State::AwaitingPayment, ProcessorStatus::Expired, false)]
#[case(State::Confirming, ProcessorStatus::Invalid, false)]
#[tokio::test]
async fn a_second_click_finds_it_while_it_can_be_paid_or_is_not_final(
    #[case] state: State,
    #[case] status: ProcessorStatus,
    #[case] is_found: bool,
) {
    let bench = Bench::new();
    let mut turn = bench.turn(open(state), vec![], vec![]).await;
    asked(&bench, &mut turn, status).await;
    let attempt = &turn.ledger.attempt;
    assert_eq!(attempt.open_key.is_some(), is_found);
    assert_eq!((attempt.settled_at, attempt.work_at, attempt.failures), (None, None, 0));
    assert_eq!(attempt.look_at, Some(at(30)), "the next look at a young attempt");
}

#[rstest]
#[case(ProcessorStatus::Unpaid, Exception::PaidPartial, "unpaid, paid in part")]
#[case(ProcessorStatus::Seen, Exception::PaidOver, "seen, paid in excess")]
#[case(ProcessorStatus::Settled, Exception::Marked, "settled, marked by hand")]
#[case(ProcessorStatus::Settled, Exception::Refunded, "settled, refunded by the merchant")]
#[case(ProcessorStatus::Expired, Exception::PaidLate, "expired, paid late")]
#[case(ProcessorStatus::Invalid, Exception::None, "invalid")]
#[case(ProcessorStatus::Declined, Exception::None, "declined")]
#[tokio::test]
async fn people_read_the_last_answer_in_words(
    #[case] status: ProcessorStatus,
    #[case] exception: Exception,
    #[case] words: &str,
) {
    let bench = Bench::new();
    let mut turn = bench.turn(open(State::Confirming), vec![], vec![]).await;
    bench.till.says(Ok(seen(status, exception)));
    refresh(&mut turn).await.unwrap();
    assert_eq!(turn.ledger.attempt.last_seen.as_deref(), Some(words));
}

#[tokio::test]
async fn what_is_special_is_told_once_and_not_with_every_look() {
    let bench = Bench::new();
    let mut turn = bench.turn(open(State::Confirming), vec![], vec![]).await;
    for _ in 0..2 {
        asked(&bench, &mut turn, ProcessorStatus::Invalid).await;
    }
    assert_eq!(bench.reasons().await, [ReviewReason::PaidInexactly]);
}

#[tokio::test]
async fn money_that_is_taken_back_is_told_and_stays_credited() {
    let bench = Bench::new();
    let credits = vec![credit(1, usd(10_000), Target::Undecided)];
    let settled = Attempt { settled_at: Some(at(-5)), ..open(State::Settled) };
    let mut turn = bench.turn(settled, credits.clone(), vec![]).await;
    asked(&bench, &mut turn, ProcessorStatus::Declined).await;
    assert_eq!(turn.ledger.credits, credits);
    assert_eq!(
        (turn.ledger.attempt.state, turn.ledger.attempt.settled_at),
        (State::Settled, Some(at(-5)))
    );
    assert_eq!(bench.reasons().await, [ReviewReason::TakenBack]);
}

#[tokio::test]
async fn what_settles_beyond_a_credit_made_by_hand_is_the_next_credit() {
    let bench = Bench::new();
    let credits =
        vec![credit(1, usd(4_000), Target::Balance), credit(2, usd(1_000), Target::Balance)];
    let mut turn = bench.turn(open(State::Confirming), credits, vec![]).await;
    asked(&bench, &mut turn, ProcessorStatus::Settled).await;
    let last = turn.ledger.credits.last().unwrap();
    assert_eq!((last.n, last.amount), (3, usd(5_000)));
    assert_eq!(last.key.as_str(), "BP-ours-3");
}

fn unreadable() -> PeerError {
    PeerError::Unreadable { peer: "BitPay", why: "no JSON".to_owned() }
}

#[rstest]
#[case::silent(unavailable(), 4, Some(32))]
#[case::silent_for_the_first_time(unavailable(), 0, Some(2))]
#[case::garbage(unreadable(), 4, Some(32))]
#[case::no(refused(), 4, Some(3600))]
#[tokio::test]
async fn a_processor_that_does_not_answer_is_asked_again_later(
    #[case] error: PeerError,
    #[case] failures: u32,
    #[case] pause: Option<i64>,
) {
    let bench = Bench::new();
    let mut turn =
        bench.turn(Attempt { failures, ..open(State::Confirming) }, vec![], vec![]).await;
    bench.clock.set(10);
    bench.till.says(Err(error.clone()));
    assert!(matches!(refresh(&mut turn).await, Err(TurnError::Peer(_))));
    let attempt = &turn.ledger.attempt;
    assert_eq!(
        (attempt.look_at, attempt.failures),
        (pause.map(|pause| at(10 + pause)), failures + 1)
    );
    assert_eq!(attempt.state, State::Confirming);
    let told = matches!(error, PeerError::Refused { .. });
    let reasons: &[_] = if told { &[ReviewReason::ConnectionDead] } else { &[] };
    assert_eq!(bench.reasons().await, reasons);
}

#[rstest]
#[case::silent(unavailable(), true)]
#[case::no(refused(), false)]
#[tokio::test]
async fn the_last_look_is_one_that_was_answered(#[case] error: PeerError, #[case] again: bool) {
    let bench = Bench::new();
    let old = Attempt { monitor_until: at(5), look_at: Some(at(4)), ..open(State::Confirming) };
    let mut turn = bench.turn(old, vec![], vec![]).await;
    bench.clock.set(10);
    bench.till.says(Err(error));
    assert!(refresh(&mut turn).await.is_err());
    assert_eq!(turn.ledger.attempt.look_at, again.then_some(at(3610)));
    let answered = Attempt { look_at: Some(at(4)), ..turn.ledger.attempt.clone() };
    turn.ledger.attempt = answered;
    asked(&bench, &mut turn, ProcessorStatus::Unpaid).await;
    assert_eq!(turn.ledger.attempt.look_at, None);
}

#[tokio::test]
async fn an_attempt_whose_connection_is_gone_is_a_bug_that_is_told() {
    let bench = Bench::new();
    let mut turn = bench.turn(open(State::Confirming), vec![], vec![]).await;
    turn.ledger.attempt.connection = ConnectionId::new(at(0), 99);
    assert!(matches!(refresh(&mut turn).await, Err(TurnError::Impossible(_))));
}

#[tokio::test]
async fn an_attempt_whose_invoice_is_not_known_is_opened_first() {
    let bench = Bench::new();
    let opening = Attempt { opened: None, ..open(State::Opening) };
    let mut turn = bench.turn(opening, vec![], vec![]).await;
    assert!(matches!(refresh(&mut turn).await, Err(TurnError::Moved)));
}

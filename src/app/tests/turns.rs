//! What a step commits, and what follows from it.

use std::time::Duration;

use chrono::TimeDelta;

use super::bench::{Bench, at, attempt, credit, payable, posting, ready, usd};
use crate::app::work::{Step, Turn, TurnError};
use crate::domain::attempt::{Attempt, State};
use crate::domain::credit::Target;
use crate::domain::ids::SplynxId;
use crate::domain::payable::DocumentKind;
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::domain::review::ReviewReason;
use crate::ports::store::Errand;
use crate::worker::outage::Outage;
use crate::worker::turn::take;

fn posted(kind: PostingKind) -> Posting {
    posting(kind, PostingState::Posted { splynx_id: Some(SplynxId::new(5)) })
}

async fn paid_in(bench: &Bench) -> Turn<'_> {
    let credits = vec![credit(1, usd(10_000), Target::Document)];
    let waits = vec![posting(PostingKind::DocumentPayment, ready())];
    bench.turn(attempt(payable(DocumentKind::Invoice), false), credits, waits).await
}

#[tokio::test]
async fn an_attempt_is_recorded_with_its_last_payment() {
    let bench = Bench::new();
    let mut turn = paid_in(&bench).await;
    bench.clock.set(5);
    turn.commit(turn.step()).await.unwrap();
    assert_eq!(
        (turn.ledger.attempt.state, turn.ledger.attempt.recorded_at),
        (State::Settled, None)
    );
    let step = Step { postings: vec![posted(PostingKind::DocumentPayment)], ..turn.step() };
    turn.commit(step).await.unwrap();
    let Attempt { state, recorded_at, .. } = turn.ledger.attempt;
    assert_eq!((state, recorded_at), (State::Recorded, Some(at(5))));
}

#[tokio::test]
async fn the_moment_of_recording_stays() {
    let bench = Bench::new();
    let recorded = Attempt {
        state: State::Recorded,
        recorded_at: Some(at(1)),
        ..attempt(payable(DocumentKind::Invoice), false)
    };
    let credits = vec![credit(1, usd(10_000), Target::Document)];
    let mut turn = bench.turn(recorded, credits, vec![posted(PostingKind::DocumentPayment)]).await;
    bench.clock.set(50);
    turn.commit(turn.step()).await.unwrap();
    assert_eq!(turn.ledger.attempt.recorded_at, Some(at(1)));
}

#[tokio::test]
async fn money_that_is_not_final_is_not_recorded_whatever_is_in_splynx() {
    let bench = Bench::new();
    let open =
        Attempt { state: State::Confirming, ..attempt(payable(DocumentKind::Invoice), false) };
    let mut turn = bench.turn(open, vec![], vec![]).await;
    turn.commit(turn.step()).await.unwrap();
    assert_eq!(
        (turn.ledger.attempt.state, turn.ledger.attempt.recorded_at),
        (State::Confirming, None)
    );
}

#[tokio::test]
async fn the_turn_goes_on_from_what_is_committed() {
    let bench = Bench::new();
    let mut turn = paid_in(&bench).await;
    let version = turn.ledger.attempt.version;
    let second = credit(3, usd(1), Target::Balance);
    let between = credit(2, usd(2), Target::Undecided);
    let step = Step { credits: vec![second.clone(), between], ..turn.step() };
    turn.commit(step).await.unwrap();
    let amended = crate::domain::credit::Credit { target: Target::Document, ..second };
    let step = Step { credits: vec![amended], ..turn.step() };
    turn.commit(step).await.unwrap();
    let found: Vec<_> = turn.ledger.credits.iter().map(|it| (it.n, it.target)).collect();
    let wanted = [(1, Target::Document), (2, Target::Undecided), (3, Target::Document)];
    assert_eq!(found, wanted);
    assert_eq!(turn.ledger.attempt.version, version + 2);
    let stored = bench.app.store.ledger(turn.ledger.attempt.id).await.unwrap();
    assert_eq!(stored.unwrap(), turn.ledger);
}

#[tokio::test]
async fn who_lost_the_race_stops_and_changes_nothing() {
    let bench = Bench::new();
    let mut turn = paid_in(&bench).await;
    let mut rival = Turn { ledger: turn.ledger.clone(), ..paid_in_again(&bench, &turn) };
    rival.commit(rival.step()).await.unwrap();
    let step = Step { credits: vec![credit(2, usd(1), Target::Balance)], ..turn.step() };
    assert!(matches!(turn.commit(step).await, Err(TurnError::Moved)));
    let stored = bench.app.store.ledger(turn.ledger.attempt.id).await.unwrap();
    assert_eq!(stored.unwrap().credits.len(), 1);
}

fn paid_in_again<'a>(bench: &'a Bench, turn: &Turn<'_>) -> Turn<'a> {
    Turn { app: &bench.app, ledger: turn.ledger.clone(), lease_end: Duration::ZERO }
}

#[tokio::test]
async fn a_lease_ends_with_the_step_that_says_so() {
    let bench = Bench::new();
    drop(paid_in(&bench).await);
    let lease = async || {
        let (store, now) = (&bench.app.store, at(1));
        store.lease_due("me", now, TimeDelta::minutes(1), Errand::Work, 9).await.unwrap()
    };
    let leased = lease().await.remove(0);
    let mut turn = Turn { app: &bench.app, ledger: leased, lease_end: Duration::ZERO };
    turn.commit(turn.step()).await.unwrap();
    assert_eq!(lease().await, [], "it is leased still");
    turn.commit(Step { release: true, ..turn.step() }).await.unwrap();
    assert_eq!(lease().await.len(), 1);
}

#[tokio::test]
async fn the_statement_follows_the_attempt_and_makes_work_due_no_later_than_it_was() {
    for (planned, due) in [(None, at(5)), (Some(at(3)), at(3)), (Some(at(60)), at(5))] {
        let bench = Bench::new();
        let body = "{\"status\":\"new\"}".to_owned();
        let record = Posting { body, ..posted(PostingKind::StatementRecord) };
        let gone = Attempt {
            state: State::AwaitingPayment,
            work_at: planned,
            ..attempt(payable(DocumentKind::Invoice), false)
        };
        let mut turn = bench.turn(gone, vec![], vec![record]).await;
        bench.clock.set(5);
        let mut step = turn.step();
        step.attempt.state = State::Expired;
        turn.commit(step).await.unwrap();
        assert_eq!(turn.ledger.attempt.work_at, Some(due));
        let record = turn.ledger.postings.remove(0);
        assert_eq!(record.state, PostingState::Ready { not_before: at(5) });
        assert!(record.body.contains("\"status\":\"canceled\""), "{}", record.body);
    }
}

#[tokio::test]
async fn a_bug_in_one_turn_sets_its_attempt_aside_and_calls_a_person() {
    let bench = Bench::new();
    let due = Attempt { look_at: Some(at(0)), ..attempt(payable(DocumentKind::Invoice), false) };
    let ledger = bench.turn(due, vec![], vec![]).await.ledger;
    let id = ledger.attempt.id;
    bench.clock.set(5);
    bench.till.panics();
    let lease_end = bench.app.clock.monotonic() + Duration::from_mins(1);
    take(&bench.app, Errand::Look, ledger, lease_end, &Outage::default()).await;
    let attempt = bench.app.store.ledger(id).await.unwrap().unwrap().attempt;
    assert_eq!(attempt.look_at, Some(at(5) + TimeDelta::hours(1)));
    let (reason, words) = bench.reviews().await.pop().unwrap();
    assert_eq!(reason, ReviewReason::BooksDiffer);
    assert!(words.contains("a bug of the add-on"), "{words}");
}

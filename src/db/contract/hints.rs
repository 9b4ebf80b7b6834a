//! Hints: one row per attempt and look, and never lost.

use super::*;
use crate::domain::schedule::HINT_GAP;
use crate::ports::store::{Errand, HintOutcome};

const LEASE: TimeDelta = TimeDelta::seconds(60);

async fn hinted(world: &World, seconds: i64) -> HintOutcome {
    world.store.record_hint(&Hook::new(1), at(seconds)).await.unwrap()
}

/// Attempt 1, to be looked at at this moment.
async fn looked_at(world: &World, look_at: Option<DateTime<Utc>>) -> Attempt {
    world.created(Attempt { look_at, ..attempt(1) }).await
}

async fn lease_one(world: &World, seconds: i64) -> Attempt {
    lease_one_for(world, Errand::Look, seconds).await
}

async fn lease_one_for(world: &World, errand: Errand, seconds: i64) -> Attempt {
    let mut leased = world.store.lease_due("worker", at(seconds), LEASE, errand, 10).await.unwrap();
    assert_eq!(leased.len(), 1);
    leased.remove(0).attempt
}

/// What a worker writes at the end of a look.
fn looked(attempt: &Attempt, next_look: Option<DateTime<Utc>>) -> Change {
    let attempt = Attempt { look_at: next_look, ..attempt.clone() };
    Change { release: true, ..Change::of(attempt) }
}

pub(super) async fn a_hint_for_an_unknown_hook_stores_nothing(world: World) {
    assert_eq!(hinted(&world, 0).await, HintOutcome::Unknown);
}

pub(super) async fn a_hint_brings_the_next_look_forward_once(world: World) {
    let before = looked_at(&world, Some(at(100))).await;
    assert_eq!(hinted(&world, 10).await, HintOutcome::Stored);
    assert_eq!(hinted(&world, 20).await, HintOutcome::AlreadyStored);
    // The version stays, so that a step in progress is not spoiled by a stranger's request.
    assert_eq!(world.attempt(before.id).await, Attempt { look_at: Some(at(10)), ..before });
}

pub(super) async fn a_hint_never_delays_a_look_that_is_due_earlier(world: World) {
    let before = looked_at(&world, Some(at(5))).await;
    assert_eq!(hinted(&world, 10).await, HintOutcome::Stored);
    assert_eq!(world.attempt(before.id).await, before);
}

pub(super) async fn hints_bring_looks_no_closer_than_their_gap(world: World) {
    looked_at(&world, Some(at(0))).await;
    let leased = lease_one(&world, 100).await;
    let after = world.applied(looked(&leased, Some(at(1000)))).await;
    assert_eq!(after.attempt.look_at, Some(at(1000)));
    assert_eq!(hinted(&world, 101).await, HintOutcome::Stored);
    assert_eq!(world.attempt(leased.id).await.look_at, Some(at(100) + HINT_GAP));
}

pub(super) async fn a_hint_after_the_clock_was_set_back_is_not_kept_waiting(world: World) {
    looked_at(&world, Some(at(0))).await;
    let day = 86_400;
    let leased = lease_one(&world, day).await;
    world.applied(looked(&leased, Some(at(day + 30)))).await;
    assert_eq!(hinted(&world, 10).await, HintOutcome::Stored);
    assert_eq!(world.attempt(leased.id).await.look_at, Some(at(10) + HINT_GAP));
}

pub(super) async fn a_hint_after_the_claim_survives_the_step(world: World) {
    looked_at(&world, Some(at(0))).await;
    let leased = lease_one(&world, 100).await;
    assert_eq!(hinted(&world, 105).await, HintOutcome::Stored);
    let after = world.applied(looked(&leased, Some(at(1000)))).await;
    assert_eq!(after.attempt.look_at, Some(at(105)));

    // The same where the worker wants to look earlier, or never again.
    let leased = lease_one(&world, 200).await;
    hinted(&world, 205).await;
    let after = world.applied(looked(&leased, Some(at(203)))).await;
    assert_eq!(after.attempt.look_at, Some(at(203)));
    let leased = lease_one(&world, 300).await;
    hinted(&world, 301).await;
    let after = world.applied(looked(&leased, None)).await;
    assert_eq!(after.attempt.look_at, Some(at(300) + HINT_GAP));
}

pub(super) async fn a_hint_while_only_work_is_done_survives_the_step(world: World) {
    let work_only = Attempt { work_at: Some(at(0)), look_at: Some(at(5000)), ..attempt(1) };
    world.created(work_only).await;
    assert_eq!(hinted(&world, 50).await, HintOutcome::Stored);
    world.execute("UPDATE attempts SET look_at = 1700005000000");
    let leased = lease_one_for(&world, Errand::Work, 100).await;
    let after = world.applied(looked(&leased, Some(at(5000)))).await;
    assert_eq!(after.attempt.look_at, Some(at(50)));
}

pub(super) async fn a_hint_wakes_an_attempt_that_is_no_longer_watched(world: World) {
    for (n, state) in (1_u128..).zip(State::ALL) {
        let over = Attempt { state, monitor_until: at(10), look_at: None, ..attempt(n) };
        let over = world.created(over).await;
        let outcome = world.store.record_hint(&over.hook, at(1_000_000)).await.unwrap();
        assert_eq!(outcome, HintOutcome::Stored);
        assert_eq!(world.attempt(over.id).await.look_at, Some(at(1_000_000)));
    }
    let woken =
        world.store.lease_due("worker", at(1_000_000), LEASE, Errand::Look, 100).await.unwrap();
    assert_eq!(woken.len(), State::ALL.len());
}

pub(super) async fn a_served_hint_does_not_wake_again(world: World) {
    looked_at(&world, Some(at(0))).await;
    hinted(&world, 50).await;
    let leased = lease_one(&world, 100).await;
    let after = world.applied(looked(&leased, Some(at(1000)))).await;
    assert_eq!(after.attempt.look_at, Some(at(1000)), "the look came after the hint");
    let count = |conn: &mut AnyConnection| {
        use diesel::prelude::*;
        Ok(super::super::schema::hints::table.count().get_result::<i64>(conn)?)
    };
    assert_eq!(world.db().read(count).await.unwrap(), 0);
    assert_eq!(hinted(&world, 200).await, HintOutcome::Stored);
}

pub(super) async fn waking_makes_look_and_work_due(world: World) {
    let before = looked_at(&world, Some(at(1000))).await;
    assert!(world.store.wake(before.id, &Actor::Worker, at(10)).await.unwrap());
    let woken = world.attempt(before.id).await;
    let (look_at, work_at) = (Some(at(10)), Some(at(10)));
    assert_eq!(woken, Attempt { look_at, work_at, ..before.clone() });
    assert!(world.store.wake(before.id, &Actor::Worker, at(20)).await.unwrap());
    assert_eq!(world.attempt(before.id).await, woken, "it is due already");
    assert!(!world.store.wake(attempt(9).id, &Actor::Worker, at(10)).await.unwrap());

    // A step in progress knows nothing of it, and must not write its old plans back.
    let leased = lease_one(&world, 30).await;
    assert!(world.store.wake(before.id, &Actor::Worker, at(40)).await.unwrap());
    assert!(!world.store.apply(&looked(&leased, Some(at(1000)))).await.unwrap());
    let woken = world.attempt(before.id).await;
    assert_eq!((woken.look_at, woken.work_at), (Some(at(10)), Some(at(10))));
    assert_eq!(lease_one(&world, 95).await.id, before.id);
}

pub(super) async fn waking_ends_the_waiting_of_postings_and_changes_no_state(world: World) {
    let there = world.created(attempt(1)).await;
    let other = world.created(attempt(2)).await;
    let unknown = |search_at| PostingState::Unknown {
        begun_at: at(3),
        first_absent: Some(at(4)),
        search_at: at(search_at),
    };
    let ready = |not_before| PostingState::Ready { not_before: at(not_before) };
    let begun = PostingState::Posting { begun_at: at(3) };
    for attempt in [&there, &other] {
        let mut change = Change::of(attempt.clone());
        let states = [ready(5), ready(900), unknown(5), unknown(900), begun.clone()];
        for (n, state) in (1_u32..).zip(states) {
            let number = u128::from(attempt.id == other.id) * 100 + u128::from(n);
            let credit = credit(attempt, if attempt.id == other.id { 2 } else { 1 }, n);
            let posting = posting(number, &credit, PostingKind::BalancePayment);
            change.postings.push(Posting { state, ..posting });
            change.credits.push(credit);
        }
        world.applied(change).await;
    }
    let untouched = world.ledger(other.id).await;
    assert!(world.store.wake(there.id, &Actor::Worker, at(10)).await.unwrap());
    let states: Vec<_> =
        world.ledger(there.id).await.postings.into_iter().map(|posting| posting.state).collect();
    assert_eq!(states, [ready(5), ready(10), unknown(5), unknown(10), begun]);
    assert_eq!(world.ledger(other.id).await, untouched);
}

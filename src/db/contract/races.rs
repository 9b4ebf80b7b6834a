//! Two processes at once. Each round is played by two open databases whose threads really run side by side.

use std::collections::BTreeSet;

use futures_util::future::{join, join_all};

use super::*;
use crate::ports::billing::Nonces as _;
use crate::ports::store::{HintOutcome, Readiness};

pub(super) async fn simultaneous_clicks_get_one_attempt(world: World) {
    let other = world.second().await;
    for round in 0..20_u128 {
        let click = |n: u128| {
            let store = if n.is_multiple_of(2) { &world.store } else { &other };
            let open_key = Some(format!("round {round}"));
            let attempt = Attempt { open_key, ..attempt(100 * round + n) };
            async move { store.claim(&attempt, at(0)).await.unwrap() }
        };
        let claims = join_all((0..12).map(click)).await;
        let winners: BTreeSet<AttemptId> = claims
            .iter()
            .map(|claim| match claim {
                Claim::Created(attempt) | Claim::Existing(attempt) => attempt.id,
            })
            .collect();
        let made = claims.iter().filter(|claim| matches!(claim, Claim::Created(_))).count();
        assert_eq!((winners.len(), made), (1, 1), "round {round}");
    }
}

pub(super) async fn of_simultaneous_steps_one_wins(world: World) {
    let other = world.second().await;
    let mut attempt = world.created(attempt(1)).await;
    for round in 0..20_u32 {
        let step = |n: u128| {
            let store = if n.is_multiple_of(2) { &world.store } else { &other };
            let credit = credit(&attempt, u128::from(round) * 100 + n, 1);
            let change = Change { credits: vec![credit], ..Change::of(attempt.clone()) };
            async move { store.apply(&change).await.unwrap() }
        };
        let won = join_all((0..12).map(step)).await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        let ledger = world.ledger(attempt.id).await;
        assert_eq!(ledger.credits.len(), usize::try_from(round + 1).unwrap());
        attempt = ledger.attempt;
    }
}

pub(super) async fn two_processes_never_lease_one_attempt(world: World) {
    let other = world.second().await;
    for n in 0..60 {
        world.created(Attempt { look_at: Some(at(0)), ..attempt(n) }).await;
    }
    let lease = |n: i32| {
        let store = if n % 2 == 0 { &world.store } else { &other };
        let owner = format!("worker {n}");
        async move {
            store
                .lease_due(&owner, at(1), TimeDelta::seconds(60), Readiness::Everything, 10)
                .await
                .unwrap()
        }
    };
    let mut leased: Vec<AttemptId> = Vec::new();
    for _ in 0..4 {
        let batches = join_all((0..6).map(lease)).await;
        leased.extend(batches.into_iter().flatten().map(|ledger| ledger.attempt.id));
    }
    let different: BTreeSet<AttemptId> = leased.iter().copied().collect();
    assert_eq!((leased.len(), different.len()), (60, 60));
}

pub(super) async fn simultaneous_hints_are_stored_once(world: World) {
    let other = world.second().await;
    for round in 0..10 {
        let attempt = world.created(attempt(round)).await;
        let hint = |n: i32| {
            let store = if n % 2 == 0 { &world.store } else { &other };
            store.record_hint(&attempt.hook, at(1))
        };
        let outcomes = join_all((0..12).map(hint)).await;
        let stored =
            outcomes.into_iter().filter(|it| *it.as_ref().unwrap() == HintOutcome::Stored).count();
        assert_eq!(stored, 1);
    }
}

pub(super) async fn a_hint_is_never_lost_to_a_step(world: World) {
    let other = world.second().await;
    world.created(Attempt { look_at: Some(at(0)), ..attempt(1) }).await;
    let lease = TimeDelta::seconds(60);
    for round in 1..60_i64 {
        let now = at(round * 1000);
        let leased = world
            .store
            .lease_due("worker", now, lease, Readiness::Everything, 1)
            .await
            .unwrap()
            .remove(0);
        // The worker saw nothing, wants to come back in an hour, and a hint comes at this very moment.
        let later = Attempt { look_at: Some(now + TimeDelta::hours(1)), ..leased.attempt };
        let change = Change { release: true, ..Change::of(later) };
        let hint = now + TimeDelta::seconds(5);
        let hook = Hook::new(1);
        let (stored, applied) =
            join(other.record_hint(&hook, hint), world.store.apply(&change)).await;
        assert_eq!(stored.unwrap(), HintOutcome::Stored);
        assert!(applied.unwrap());
        assert_eq!(world.attempt(attempt(1).id).await.look_at, Some(hint), "round {round}");
    }
}

pub(super) async fn nonces_of_two_processes_never_meet(world: World) {
    let other = world.second().await;
    let next = |n: i32| {
        let store = if n % 2 == 0 { &world.store } else { &other };
        async move { store.next("key", 5).await.unwrap() }
    };
    let nonces = join_all((0..200).map(next)).await;
    let different: BTreeSet<i64> = nonces.into_iter().collect();
    assert_eq!(different.len(), 200);
    assert_eq!(different.first(), Some(&5));
}

pub(super) async fn simultaneous_activations_leave_one_active(world: World) {
    let other = world.second().await;
    let activate = |n: u128| {
        let store = if n.is_multiple_of(2) { &world.store } else { &other };
        let connection = Connection {
            status: ConnectionStatus::Active,
            activated_at: Some(at(1)),
            ..connection(10 + n)
        };
        async move { store.add_connection(&connection).await }
    };
    let added = join_all((0..8).map(activate)).await;
    let added = added.iter().filter(|added| added.is_ok()).count();
    assert!(added >= 1);
    let all = world.store.connections().await.unwrap();
    let active = all.iter().filter(|it| it.status == ConnectionStatus::Active).count();
    assert_eq!((all.len(), active), (added + 1, 1));
}

pub(super) async fn values_remembered_at_once_do_not_clash(world: World) {
    let other = world.second().await;
    let remember = |n: i32| {
        let store = if n % 2 == 0 { &world.store } else { &other };
        async move { store.remember("name", &n.to_string()).await }
    };
    for end in join_all((0..20).map(remember)).await {
        end.unwrap();
    }
    assert!(world.store.remembered("name").await.unwrap().is_some());
}

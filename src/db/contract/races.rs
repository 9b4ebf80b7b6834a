//! Two processes at once. Each round is played by two open databases whose threads really run side by side.

use std::collections::BTreeSet;

use futures_util::future::{join, join_all};

use super::*;
use crate::ports::billing::Nonces as _;
use crate::ports::store::{Errand, HintOutcome};

/// Lets one process and the other act in turns, all at once.
async fn at_once<'a, T, F: Future<Output = T>>(
    stores: [&'a Db; 2],
    times: u128,
    act: impl Fn(&'a Db, u128) -> F,
) -> Vec<T> {
    let turns = stores.into_iter().cycle().zip(0..times);
    join_all(turns.map(|(store, n)| act(store, n))).await
}

pub(super) async fn simultaneous_clicks_get_one_attempt(world: World) {
    let other = world.second().await;
    for round in 0..20_u128 {
        let click = |store, n| {
            let open_key = Some(format!("round {round}"));
            let attempt = Attempt { open_key, ..attempt(100 * round + n) };
            claimed(store, attempt)
        };
        let claims = at_once([world.db(), &other], 12, click).await;
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

async fn claimed(store: &Db, attempt: Attempt) -> Claim {
    store.claim(&attempt, at(0)).await.unwrap()
}

pub(super) async fn of_simultaneous_steps_one_wins(world: World) {
    let other = world.second().await;
    let mut attempt = world.created(attempt(1)).await;
    for round in 0..20_u32 {
        let step = |store, n| {
            let credit = credit(&attempt, u128::from(round) * 100 + n, 1);
            applied(store, Change { credits: vec![credit], ..Change::of(attempt.clone()) })
        };
        let won = at_once([world.db(), &other], 12, step).await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        let ledger = world.ledger(attempt.id).await;
        assert_eq!(ledger.credits.len(), usize::try_from(round + 1).unwrap());
        attempt = ledger.attempt;
    }
}

async fn applied(store: &Db, change: Change) -> bool {
    store.apply(&change).await.unwrap()
}

pub(super) async fn two_processes_never_lease_one_attempt(world: World) {
    let other = world.second().await;
    for n in 0..60 {
        world.created(Attempt { look_at: Some(at(0)), ..attempt(n) }).await;
    }
    let mut leased: Vec<AttemptId> = Vec::new();
    for _ in 0..4 {
        let batches = at_once([world.db(), &other], 6, leased_ten).await;
        leased.extend(batches.into_iter().flatten());
    }
    let different: BTreeSet<AttemptId> = leased.iter().copied().collect();
    assert_eq!((leased.len(), different.len()), (60, 60));
}

async fn leased_ten(store: &Db, n: u128) -> Vec<AttemptId> {
    let owner = format!("worker {n}");
    let leased =
        store.lease_due(&owner, at(1), TimeDelta::seconds(60), Errand::Look, 10).await.unwrap();
    leased.into_iter().map(|ledger| ledger.attempt.id).collect()
}

pub(super) async fn simultaneous_hints_are_stored_once(world: World) {
    let other = world.second().await;
    for round in 0..10 {
        let attempt = world.created(attempt(round)).await;
        let hint = |store, _| hinted(store, attempt.hook.clone());
        let outcomes = at_once([world.db(), &other], 12, hint).await;
        let stored = outcomes.into_iter().filter(|outcome| *outcome == HintOutcome::Stored);
        assert_eq!(stored.count(), 1);
    }
}

async fn hinted(store: &Db, hook: Hook) -> HintOutcome {
    store.record_hint(&hook, at(1)).await.unwrap()
}

pub(super) async fn a_hint_is_never_lost_to_a_step(world: World) {
    let other = world.second().await;
    world.created(Attempt { look_at: Some(at(0)), ..attempt(1) }).await;
    let lease = TimeDelta::seconds(60);
    for round in 1..60_i64 {
        let now = at(round * 1000);
        let leased =
            world.store.lease_due("worker", now, lease, Errand::Look, 1).await.unwrap().remove(0);
        // The worker saw nothing, wants to come back in an hour, and a hint comes at this very moment.
        let later = Attempt { look_at: Some(now + TimeDelta::hours(1)), ..leased.attempt };
        let change = Change { release: true, ..Change::of(later) };
        let hint = now + TimeDelta::seconds(5);
        let hook = Hook::new(1);
        let (stored, applied) =
            join(other.record_hint(&hook, hint), world.db().apply(&change)).await;
        assert_eq!(stored.unwrap(), HintOutcome::Stored);
        assert!(applied.unwrap());
        assert_eq!(world.attempt(attempt(1).id).await.look_at, Some(hint), "round {round}");
    }
}

pub(super) async fn nonces_of_two_processes_never_meet(world: World) {
    let other = world.second().await;
    let nonces = at_once([world.db(), &other], 200, |store, _| store.next("key", 5)).await;
    let different: BTreeSet<i64> = nonces.into_iter().map(Result::unwrap).collect();
    assert_eq!(different.len(), 200);
    assert_eq!(different.first(), Some(&5));
}

pub(super) async fn simultaneous_activations_leave_one_active(world: World) {
    let other = world.second().await;
    let added = at_once([world.db(), &other], 8, activated).await;
    let added = added.into_iter().filter(|added| *added).count();
    assert!(added >= 1);
    let all = world.db().connections().await.unwrap();
    let active = all.iter().filter(|it| it.status == ConnectionStatus::Active).count();
    assert_eq!((all.len(), active), (added + 1, 1));
}

async fn activated(store: &Db, n: u128) -> bool {
    let status = ConnectionStatus::Active;
    let connection = Connection { status, activated_at: Some(at(1)), ..connection(10 + n) };
    store.add_connection(&connection, &Actor::Worker).await.is_ok()
}

pub(super) async fn values_remembered_at_once_do_not_clash(world: World) {
    let other = world.second().await;
    at_once([world.db(), &other], 20, remembered).await;
    assert!(world.db().remembered("name").await.unwrap().is_some());
}

async fn remembered(store: &Db, n: u128) {
    store.remember("name", &n.to_string()).await.unwrap();
}

//! Leases: one attempt, one owner.

use super::*;
use crate::ports::store::Readiness;

const LEASE: TimeDelta = TimeDelta::seconds(60);

async fn due(world: &World, n: u128, look_at: Option<i64>, work_at: Option<i64>) -> Attempt {
    let attempt = Attempt { look_at: look_at.map(at), work_at: work_at.map(at), ..attempt(n) };
    world.created(attempt).await
}

async fn lease(world: &World, owner: &str, seconds: i64, limit: u32) -> Vec<Attempt> {
    let leased = world
        .store
        .lease_due(owner, at(seconds), LEASE, Readiness::Everything, limit)
        .await
        .unwrap();
    leased.into_iter().map(|ledger| ledger.attempt).collect()
}

fn ids(attempts: &[Attempt]) -> Vec<AttemptId> {
    attempts.iter().map(|attempt| attempt.id).collect()
}

pub(super) async fn what_is_due_is_leased_oldest_first(world: World) {
    due(&world, 1, Some(30), None).await;
    due(&world, 2, None, Some(10)).await;
    due(&world, 3, Some(20), Some(500)).await;
    due(&world, 4, Some(101), None).await;
    due(&world, 5, None, None).await;
    due(&world, 6, Some(500), Some(100)).await;
    let first = lease(&world, "worker", 100, 3).await;
    assert_eq!(ids(&first), [attempt(2).id, attempt(3).id, attempt(1).id]);
    let second = lease(&world, "worker", 100, 3).await;
    assert_eq!(ids(&second), [attempt(6).id]);
    assert_eq!(lease(&world, "worker", 100, 3).await, []);
}

pub(super) async fn a_leased_attempt_is_not_leased_again(world: World) {
    due(&world, 1, Some(0), Some(0)).await;
    let leased = lease(&world, "one", 100, 9).await;
    assert_eq!(leased.len(), 1);
    for owner in ["one", "two"] {
        assert_eq!(lease(&world, owner, 159, 9).await, [], "the lease lasts a minute");
    }
    let next = lease(&world, "two", 160, 9).await;
    assert_eq!(ids(&next), ids(&leased));
    // What the new owner reads comes with all that hangs on it.
    let credit = credit(&next[0], 1, 1);
    let change = Change { credits: vec![credit.clone()], ..Change::of(next[0].clone()) };
    world.applied(change).await;
    let again =
        world.store.lease_due("three", at(1000), LEASE, Readiness::Everything, 9).await.unwrap();
    assert_eq!(again[0].credits, [credit]);
}

pub(super) async fn an_owner_whose_lease_ran_out_cannot_write(world: World) {
    due(&world, 1, Some(0), None).await;
    let slow = lease(&world, "slow", 100, 9).await.remove(0);
    let quick = lease(&world, "quick", 200, 9).await.remove(0);
    assert!(!world.store.apply(&Change::of(slow)).await.unwrap());
    assert!(world.store.apply(&Change::of(quick)).await.unwrap());
}

pub(super) async fn a_released_attempt_is_free_at_once(world: World) {
    due(&world, 1, Some(0), None).await;
    let leased = lease(&world, "one", 100, 9).await.remove(0);
    let kept = world.applied(Change::of(leased)).await.attempt;
    assert_eq!(lease(&world, "two", 101, 9).await, [], "a step alone does not end the lease");
    let change = Change { release: true, ..Change::of(kept) };
    world.applied(change).await;
    assert_eq!(lease(&world, "two", 101, 9).await.len(), 1);
}

pub(super) async fn a_look_is_counted_and_mere_work_is_not(world: World) {
    due(&world, 1, Some(0), None).await;
    due(&world, 2, Some(500), Some(0)).await;
    due(&world, 3, Some(100), Some(0)).await;
    assert_eq!(lease(&world, "worker", 100, 9).await.len(), 3);
    let looks = |conn: &mut AnyConnection| {
        use super::super::schema::attempts;
        use diesel::prelude::*;
        let rows = attempts::table.order(attempts::id);
        Ok(rows.select((attempts::looks, attempts::last_look)).load(conn)?)
    };
    let looks: Vec<(i64, Option<i64>)> = world.db().read(looks).await.unwrap();
    let now = Some(at(100).timestamp_millis());
    assert_eq!(looks, [(1, now), (0, None), (1, now)]);
}

pub(super) async fn the_next_due_moment_respects_leases(world: World) {
    assert_eq!(world.store.next_due().await.unwrap(), None);
    due(&world, 1, Some(50), None).await;
    due(&world, 2, None, Some(300)).await;
    assert_eq!(world.store.next_due().await.unwrap(), Some(at(50)));
    lease(&world, "worker", 100, 9).await;
    assert_eq!(world.store.next_due().await.unwrap(), Some(at(160)), "the end of the lease");
    world.store.record_hint(&Hook::new(2), at(120)).await.unwrap();
    assert_eq!(world.store.next_due().await.unwrap(), Some(at(120)));
}

pub(super) async fn a_row_that_cannot_be_read_stops_no_other(world: World) {
    due(&world, 1, Some(0), None).await;
    due(&world, 2, Some(1), None).await;
    let third = due(&world, 3, Some(2), Some(2)).await;
    let credit = credit(&third, 1, 1);
    let posting = posting(1, &credit, PostingKind::BalancePayment);
    let change =
        Change { credits: vec![credit], postings: vec![posting], ..Change::of(third.clone()) };
    world.applied(change).await;
    world.execute(&format!(
        "UPDATE attempts SET document_total = 'a lot' WHERE id = '{}'",
        attempt(1).id
    ));
    world.execute("UPDATE credits SET date = 'some day'");
    assert_eq!(ids(&lease(&world, "worker", 100, 9).await), [attempt(2).id]);
    for id in [attempt(1).id, third.id] {
        let told = world.store.reviews(id).await.unwrap();
        assert_eq!(told.first().map(|it| it.reason), Some(ReviewReason::BooksDiffer));
    }
    assert_eq!(lease(&world, "worker", 200, 9).await.len(), 1, "the other two are set aside");
    assert_eq!(lease(&world, "worker", 100 + 3600, 9).await.len(), 1);
    assert_eq!(world.store.reviews(third.id).await.unwrap().len(), 1, "told once");
}

pub(super) async fn what_a_wrong_clock_planned_far_ahead_is_due(world: World) {
    let (minute, hour) = (60, 3600);
    due(&world, 1, Some(25 * hour), None).await;
    due(&world, 2, None, Some(65 * minute)).await;
    due(&world, 3, None, Some(65 * minute + 1)).await;
    due(&world, 4, Some(25 * hour + 1), None).await;
    // A work that is planned too far ahead does not wait for a look that is not.
    due(&world, 5, Some(20 * hour), Some(24 * hour)).await;
    let mut leased = ids(&lease(&world, "worker", 0, 9).await);
    leased.sort();
    assert_eq!(leased, [attempt(3).id, attempt(4).id, attempt(5).id]);
    assert_eq!(lease(&world, "worker", 1, 9).await, [], "they are held");
}

pub(super) async fn what_a_wrong_clock_holds_is_free(world: World) {
    let day = 86_400;
    due(&world, 1, None, Some(0)).await;
    due(&world, 2, Some(day + 1800), None).await;
    assert_eq!(ids(&lease(&world, "a day ahead", day, 9).await), [attempt(1).id]);
    assert_eq!(lease(&world, "a day ahead", day + 1800, 9).await.len(), 2);
    // What is not due is not taken, whoever holds it.
    assert_eq!(ids(&lease(&world, "worker", 100, 9).await), [attempt(1).id]);
    assert_eq!(lease(&world, "another", 101, 9).await, [], "it is held");
}

pub(super) async fn all_leases_end_together(world: World) {
    due(&world, 1, Some(0), None).await;
    due(&world, 2, Some(0), None).await;
    assert_eq!(lease(&world, "dead", 100, 9).await.len(), 2);
    world.store.end_all_leases().await.unwrap();
    assert_eq!(lease(&world, "new", 100, 9).await.len(), 2);
}

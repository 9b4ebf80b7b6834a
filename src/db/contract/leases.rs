//! Leases: one attempt, one owner.

use super::*;
use crate::ports::store::Errand;

const LEASE: TimeDelta = TimeDelta::seconds(60);

async fn due(world: &World, n: u128, look_at: Option<i64>, work_at: Option<i64>) -> Attempt {
    let attempt = Attempt { look_at: look_at.map(at), work_at: work_at.map(at), ..attempt(n) };
    world.created(attempt).await
}

async fn lease(world: &World, owner: &str, seconds: i64, limit: u32) -> Vec<Attempt> {
    lease_for(world, Errand::Look, owner, seconds, limit).await
}

async fn lease_work(world: &World, seconds: i64, limit: u32) -> Vec<Attempt> {
    lease_for(world, Errand::Work, "worker", seconds, limit).await
}

async fn lease_for(
    world: &World,
    errand: Errand,
    owner: &str,
    seconds: i64,
    limit: u32,
) -> Vec<Attempt> {
    let leased = world.store.lease_due(owner, at(seconds), LEASE, errand, limit).await.unwrap();
    leased.into_iter().map(|ledger| ledger.attempt).collect()
}

fn ids(attempts: &[Attempt]) -> Vec<AttemptId> {
    attempts.iter().map(|attempt| attempt.id).collect()
}

pub(super) async fn the_looks_that_are_due_are_leased_oldest_first(world: World) {
    due(&world, 1, Some(30), None).await;
    due(&world, 2, None, Some(10)).await;
    due(&world, 3, Some(20), Some(500)).await;
    due(&world, 4, Some(101), None).await;
    due(&world, 5, None, None).await;
    due(&world, 6, Some(100), Some(10)).await;
    let first = lease(&world, "worker", 100, 2).await;
    assert_eq!(ids(&first), [attempt(3).id, attempt(1).id]);
    let second = lease(&world, "worker", 100, 3).await;
    assert_eq!(ids(&second), [attempt(6).id]);
    assert_eq!(lease(&world, "worker", 100, 3).await, []);
}

/// An attempt of this customer with work, settled and due at these moments.
async fn money(world: &World, n: u128, customer: i64, settled: Option<i64>, work_at: i64) {
    let attempt = Attempt {
        customer: CustomerId::new(customer),
        settled_at: settled.map(at),
        work_at: Some(at(work_at)),
        ..attempt(n)
    };
    world.created(attempt).await;
}

async fn given_back(world: &World, attempt: Attempt, work_at: Option<i64>) {
    let attempt = Attempt { work_at: work_at.map(at), ..attempt };
    world.applied(Change { release: true, ..Change::of(attempt) }).await;
}

pub(super) async fn the_oldest_money_is_worked_on_first(world: World) {
    money(&world, 1, 1, None, 0).await;
    money(&world, 2, 2, Some(50), 1).await;
    money(&world, 3, 3, Some(20), 99).await;
    money(&world, 4, 4, Some(40), 50).await;
    money(&world, 5, 5, Some(10), 101).await;
    let first = lease_work(&world, 100, 2).await;
    assert_eq!(ids(&first), [attempt(3).id, attempt(4).id], "however long they have been due");
    let second = lease_work(&world, 100, 9).await;
    assert_eq!(ids(&second), [attempt(2).id, attempt(1).id], "then what is no money yet");
    assert_eq!(lease_work(&world, 100, 9).await, []);
}

pub(super) async fn one_customers_money_is_worked_on_one_after_the_other(world: World) {
    money(&world, 1, 1, Some(20), 30).await;
    money(&world, 2, 1, Some(10), 90).await;
    money(&world, 3, 2, Some(30), 30).await;
    let first = lease_work(&world, 100, 9).await;
    assert_eq!(ids(&first), [attempt(2).id, attempt(3).id]);
    assert_eq!(lease_work(&world, 100, 9).await, [], "the first one is held");
    given_back(&world, first[0].clone(), None).await;
    assert_eq!(ids(&lease_work(&world, 100, 9).await), [attempt(1).id]);
    // Whoever died holds it until the end of the lease, and no longer.
    assert_eq!(ids(&lease_work(&world, 160, 9).await), [attempt(1).id, attempt(3).id]);
}

pub(super) async fn money_that_waits_for_a_person_holds_up_no_other(world: World) {
    money(&world, 1, 1, Some(10), 0).await;
    money(&world, 2, 1, Some(20), 0).await;
    let first = lease_work(&world, 100, 9).await;
    given_back(&world, first[0].clone(), Some(100 + 3600)).await;
    let second = lease_work(&world, 101, 9).await;
    assert_eq!(ids(&second), [attempt(2).id]);
    given_back(&world, second[0].clone(), None).await;
    assert_eq!(ids(&lease_work(&world, 100 + 3600, 9).await), [attempt(1).id]);
}

pub(super) async fn a_look_holds_up_a_customers_work_only_where_there_is_work_at_it(world: World) {
    due(&world, 1, Some(0), Some(500)).await;
    money(&world, 2, 7, Some(20), 0).await;
    assert_eq!(lease(&world, "worker", 100, 9).await.len(), 1);
    let working = lease_work(&world, 100, 9).await.remove(0);
    given_back(&world, working, Some(110)).await;
    due(&world, 3, Some(0), Some(0)).await;
    assert_eq!(lease(&world, "worker", 120, 9).await.len(), 1);
    assert_eq!(lease_work(&world, 120, 9).await, [], "the older one is only being looked at");
}

pub(super) async fn a_customer_with_many_payments_keeps_no_other_waiting(world: World) {
    for n in 0..200 {
        money(&world, n, 1, Some(0), 0).await;
    }
    money(&world, 300, 2, Some(50), 0).await;
    money(&world, 301, 3, None, 0).await;
    let leased = lease_work(&world, 100, 3).await;
    assert_eq!(ids(&leased), [attempt(0).id, attempt(300).id, attempt(301).id]);
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
    let again = world.store.lease_due("three", at(1000), LEASE, Errand::Look, 9).await.unwrap();
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
    money(&world, 3, 3, None, 0).await;
    assert_eq!(lease(&world, "worker", 100, 9).await.len(), 1);
    assert_eq!(lease_work(&world, 100, 9).await.len(), 2);
    let looks = |conn: &mut AnyConnection| {
        use super::super::schema::attempts;
        use diesel::prelude::*;
        let rows = attempts::table.order(attempts::id);
        Ok(rows.select((attempts::looks, attempts::last_look)).load(conn)?)
    };
    let looks: Vec<(i64, Option<i64>)> = world.db().read(looks).await.unwrap();
    let now = Some(at(100).timestamp_millis());
    assert_eq!(looks, [(1, now), (0, None), (0, None)]);
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
    assert_eq!(lease_work(&world, 100, 9).await, []);
    for id in [attempt(1).id, third.id] {
        let told = world.store.reviews(id).await.unwrap();
        assert_eq!(told.first().map(|it| it.reason), Some(ReviewReason::BooksDiffer));
    }
    assert_eq!(lease(&world, "worker", 200, 9).await.len(), 1, "the other two are set aside");
    assert_eq!(lease_work(&world, 200, 9).await, []);
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
    let (look_at, work_at) = (Some(at(20 * hour)), Some(at(24 * hour)));
    let customer = CustomerId::new(5);
    world.created(Attempt { customer, look_at, work_at, ..attempt(5) }).await;
    assert_eq!(ids(&lease(&world, "worker", 0, 9).await), [attempt(4).id]);
    let mut leased = ids(&lease_work(&world, 0, 9).await);
    leased.sort();
    assert_eq!(leased, [attempt(3).id, attempt(5).id]);
    assert_eq!(lease(&world, "worker", 1, 9).await, [], "it is held");
    assert_eq!(lease_work(&world, 1, 9).await, [], "they are held");
}

pub(super) async fn what_a_wrong_clock_holds_is_free(world: World) {
    let day = 86_400;
    due(&world, 1, None, Some(0)).await;
    due(&world, 2, Some(day + 1800), None).await;
    assert_eq!(ids(&lease_work(&world, day, 9).await), [attempt(1).id]);
    assert_eq!(ids(&lease(&world, "a day ahead", day + 1800, 9).await), [attempt(2).id]);
    // What is not due is not taken, whoever holds it.
    assert_eq!(ids(&lease_work(&world, 100, 9).await), [attempt(1).id]);
    assert_eq!(lease(&world, "worker", 100, 9).await, [], "it is not due");
    assert_eq!(lease_work(&world, 101, 9).await, [], "it is held");
}

pub(super) async fn all_leases_end_together(world: World) {
    due(&world, 1, Some(0), None).await;
    due(&world, 2, Some(0), None).await;
    assert_eq!(lease(&world, "dead", 100, 9).await.len(), 2);
    world.store.end_all_leases().await.unwrap();
    assert_eq!(lease(&world, "new", 100, 9).await.len(), 2);
}

/// Ten thousand payments that wait, as after a day without Splynx, and as many that are watched.
const MANY: &str = "
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)
    INSERT INTO attempts (id, hook, result_token, connection, processor, environment, customer, payable, currency,
        due_minor, price_minor, document_total, created_at, state, monitor_until, failures, version, settled_at,
        work_at, look_at)
    SELECT 'many-' || n, 'hook-' || n, 'token-' || n, (SELECT min(id) FROM connections), 'bitpay', 'test', n / 10,
        'top_up', 'USD', 100, 100, '0', 1700000000000 + n, 'awaiting_payment', 1900000000000, 0, 1,
        CASE WHEN n <= 10000 THEN 1700000000000 + n END, CASE WHEN n <= 10000 THEN 1700000000000 + n END,
        1700000000000 + 100 * n
    FROM numbers;
    ANALYZE attempts";

/// As the queries of `db::leases` are; the sums of money make no difference to a plan.
const PLANNED: [(&str, &str); 3] = [
    (
        "attempts_work",
        "work_at IS NOT NULL AND (work_at <= 1700000100000 OR work_at > 1700900000000)
         AND (lease_until IS NULL OR lease_until <= 1700000100000 OR lease_until > 1700900000000)
         AND customer NOT IN (1, 2, 3) AND settled_at IS NOT NULL
         ORDER BY settled_at, created_at, id LIMIT 64",
    ),
    (
        "attempts_look",
        "look_at <= 1700000100000
         AND (lease_until IS NULL OR lease_until <= 1700000100000 OR lease_until > 1700900000000)
         ORDER BY look_at, id LIMIT 16",
    ),
    (
        "attempts_look",
        "look_at > 1700900000000
         AND (lease_until IS NULL OR lease_until <= 1700000100000 OR lease_until > 1700900000000)
         ORDER BY look_at, id LIMIT 16",
    ),
];

pub(super) async fn what_is_due_is_found_by_an_index(world: World) {
    world.execute(MANY);
    for (index, query) in PLANNED {
        let plan = world.db().read(move |conn| plan(conn, query)).await.unwrap();
        assert!(plan.contains(index), "{query}: {plan}");
        assert!(!plan.contains("TEMP B-TREE") && !plan.contains("Seq Scan"), "{query}: {plan}");
    }
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
    plan: String,
}

fn plan(conn: &mut AnyConnection, condition: &str) -> Result<String, super::super::Failure> {
    use diesel::prelude::*;
    let query = format!("SELECT id FROM attempts WHERE {condition}");
    let lines: Vec<Line> = match conn {
        AnyConnection::Sqlite(conn) => {
            let explained = format!("EXPLAIN QUERY PLAN {query}");
            let rows: Vec<Detail> = diesel::sql_query(explained).load(conn)?;
            rows.into_iter().map(|row| Line { plan: row.detail }).collect()
        }
        AnyConnection::Postgres(conn) => {
            diesel::sql_query(format!("EXPLAIN {query}")).load(conn)?
        }
    };
    Ok(lines.into_iter().map(|line| line.plan).collect::<Vec<_>>().join("\n"))
}

#[derive(diesel::QueryableByName)]
struct Detail {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}

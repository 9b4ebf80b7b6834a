//! R19: an upgrade and the way back while payments are queued: READY, POSTING and UNKNOWN ones, of real attempts; and a
//! crash inside each migration.
//!
//! **Invariant:** whatever the versions do to each other's database, Splynx holds exactly one payment for each invoice
//! that was paid. The oracle is the payment rows in the simulated Splynx.
//!
//! It works with any number of migrations. The full size (10,000 payments, or what its minutes allow) runs by
//! `make torture R=R19`; `SPLYNX_BITPAY_TORTURE_ROWS` asks for another one.

mod schema;

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use futures_util::StreamExt as _;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rust_decimal::Decimal;
use splynx_bitpay::sim::faults::{Answer, Fault, Kind};
use splynx_bitpay::sim::splynx::Status;
use tempfile::TempDir;
use tokio::time::sleep;

use self::schema::{Migration, applied, die_after, execute, migrations, money, query, statements};
use crate::support::{
    Checkout, Database, Document, Engine, PATIENCE, Setup, World, eventually, on_both_databases,
};
use crate::torture::orders::Orders;

on_both_databases! {
    heavy_queued_payments_outlive_an_upgrade_and_the_way_back,
    a_crash_inside_a_migration_leaves_a_database_that_either_version_opens,
    a_database_of_a_newer_version_is_refused_with_what_to_do,
    a_command_leaves_an_older_database_to_the_upgrade,
    every_migration_but_the_first_has_a_way_back,
}

/// One customer may begin ten payments a minute.
const INVOICES_OF_A_CUSTOMER: usize = 8;
/// Payments of a run without a limit.
const FULL: usize = 10_000;
/// Payments that one minute has time for.
const OF_A_MINUTE: usize = 200;
/// The processes that are killed while they bring the database up to date.
const KILLS: usize = 20;

fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

/// How many payments.
fn rows(orders: &Orders) -> usize {
    let full = orders.minutes().map_or(FULL, |minutes| (minutes * OF_A_MINUTE).min(FULL));
    number("SPLYNX_BITPAY_TORTURE_ROWS").unwrap_or(orders.pick(200, full))
}

fn patience(rows: usize) -> Duration {
    PATIENCE + Duration::from_millis(60) * u32::try_from(rows).unwrap()
}

fn setup() -> Setup {
    let mut setup = Setup {
        poll_seconds: 600,
        // A request may take 3.2 s: less, and a busy machine alone makes Splynx seem down.
        quiescence_seconds: 8,
        requests_per_second: 1000,
        ..Setup::default()
    };
    setup.bitpay.step_ms = 1;
    setup
}

/// An invoice that a customer has begun to pay.
#[derive(Debug)]
struct Begun {
    customer: u64,
    sum: Decimal,
    invoice: Document,
    checkout: Checkout,
}

async fn begin_all(world: &World, payments: usize) -> Vec<Begun> {
    let customers = (0..payments.div_ceil(INVOICES_OF_A_CUSTOMER)).map(async |number| {
        let customer = world.customer().await;
        let mut begun = Vec::new();
        for n in 0..INVOICES_OF_A_CUSTOMER.min(payments - number * INVOICES_OF_A_CUSTOMER) {
            // No two sums are equal, so that none can take another's place.
            let cents = i64::try_from(1000 + number * INVOICES_OF_A_CUSTOMER + n).unwrap();
            let sum = Decimal::new(cents, 2);
            let invoice = world.invoice(&customer, &sum.to_string());
            let checkout = customer.check_out(&invoice).await;
            begun.push(Begun { customer: customer.id, sum, invoice, checkout });
        }
        begun
    });
    let groups: Vec<_> = futures_util::stream::iter(customers).buffer_unordered(8).collect().await;
    groups.into_iter().flatten().collect()
}

/// Payments by the state of their posting; a credit that was not decided yet is `undecided`.
async fn queue(database: &Database) -> BTreeMap<String, usize> {
    let states = query(
        database,
        "SELECT state AS value FROM postings WHERE kind IN ('document_payment', 'balance_payment') \
         UNION ALL SELECT target AS value FROM credits WHERE target = 'undecided'",
    );
    let mut queue = BTreeMap::new();
    for state in states.await {
        *queue.entry(state).or_default() += 1;
    }
    queue
}

/// Splynx misbehaves in every way that leaves a payment in one of the states between.
fn misbehave(world: &World, rows: usize) {
    let on_payments = |kind| Fault::on(Method::POST, "admin/finance/payments", kind);
    // Long enough for everything else to be queued meanwhile.
    let pause = 8 + u64::try_from(rows).unwrap() / 200;
    let wait = Answer { retry_after: Some(pause), ..Answer::bare(StatusCode::TOO_MANY_REQUESTS) };
    world.splynx.arm(on_payments(Kind::Status(wait)).after(5).times(4));
    world.splynx.arm(on_payments(Kind::ExecuteThenDrop).after(12).times(2));
    world.splynx.arm(on_payments(Kind::Drop).after(14).times(2));
    world.splynx.arm(on_payments(Kind::Hang).after(17).times(1_000_000));
}

/// Everybody pays; the add-on is killed while payments are in all states.
async fn queued(world: &World, begun: &[Begun]) -> BTreeMap<String, usize> {
    misbehave(world, begun.len());
    for one in begun {
        world.pay(&one.checkout);
    }
    let wanted = ["ready", "posting", "unknown", "posted"];
    let credits = "SELECT CAST(count(*) AS TEXT) AS value FROM credits";
    eventually("everything is credited in our books", patience(begun.len()), async || {
        let found = query(&world.database, credits).await.remove(0);
        if found == begun.len().to_string() { Ok(()) } else { Err(found) }
    })
    .await;
    eventually("payments are in all states", patience(begun.len()), async || {
        let found = queue(&world.database).await;
        let all_there = wanted.iter().all(|state| found.contains_key(*state));
        if all_there { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    world.addon.kill();
    let found = queue(&world.database).await;
    for state in wanted {
        assert!(found.contains_key(state), "no payment is {state}: {found:?}");
    }
    world.splynx.disarm();
    found
}

/// The older version's database, made by the files alone: what the way back has to lead to.
async fn older(engine: Engine, all: &[Migration]) -> (TempDir, Database) {
    let home = TempDir::new().unwrap();
    let before = all.split_last().map(|(_, before)| before).unwrap_or_default();
    let known = if before.is_empty() { all } else { before };
    let database = schema::fresh(engine, home.path(), known).await;
    (home, database)
}

/// Takes the database back by the command, and compares it with the older version's own.
async fn go_back(world: &World, all: &[Migration], older: &Database) {
    let [.., before, last] = all else { return };
    let rows = money(&world.database, older).await;
    let said = world.command(&["migrate", "--back-to", &before.version]);
    assert!(said.contains(&format!("taken back: {}", last.name)), "{said}");
    assert!(said.contains("Install the older version now"), "{said}");
    is_older(world, all, older).await;
    let after = money(&world.database, older).await;
    let changed = rows.iter().find(|row| !after.contains(row));
    assert!(rows == after, "the way back has changed a row: {changed:?}");
}

async fn is_older(world: &World, all: &[Migration], older: &Database) {
    let versions: Vec<_> = all.iter().map(|migration| migration.version.clone()).collect();
    assert_eq!(applied(&world.database).await, versions[..versions.len() - 1]);
    assert_eq!(schema::schema(&world.database).await, schema::schema(older).await);
}

/// SIGKILL at any moment of the upgrade: before, in between, after. Returns how often it had finished already.
async fn kill_while_upgrading(
    world: &World,
    rng: &mut StdRng,
    all: &[Migration],
    older: &Database,
) -> usize {
    let rows = money(&world.database, older).await;
    let mut finished = 0;
    for _ in 0..KILLS {
        let moment = Duration::from_micros(rng.random_range(0..40_000));
        world.addon.run_and_kill(&["migrate"], moment).await;
        schema::is_left_alone(&world.database).await;
        if applied(&world.database).await.len() == all.len() {
            finished += 1;
            world.command(&["migrate", "--back-to", &all[all.len() - 2].version]);
        }
        is_older(world, all, older).await;
        assert!(rows == money(&world.database, older).await, "killed after {moment:?}");
    }
    finished
}

/// Splynx has exactly one payment for each invoice that was paid, and it is the right one.
fn is_exact(world: &World, begun: &[Begun]) {
    let mut by_key: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for payment in world.payments() {
        by_key.entry(payment.receipt_number.clone()).or_default().push(payment);
    }
    for one in begun {
        let key = one.checkout.key(1);
        let own = by_key.get(&key).map(Vec::as_slice).unwrap_or_default();
        let [payment] = own else { panic!("{key} is recorded {} times", own.len()) };
        let found = (payment.amount, payment.customer_id, payment.invoice_id);
        assert_eq!(found, (one.sum, one.customer, Some(one.invoice.id)), "{key}");
        let row = world.look(&one.invoice);
        assert_eq!((row.status, row.due), (Status::Paid, Decimal::ZERO), "{key}");
    }
    assert_eq!(by_key.len(), begun.len(), "payments for nothing");
}

async fn recorded(world: &World, at_least: usize) {
    eventually(&format!("{at_least} are recorded"), patience(at_least), async || {
        sleep(Duration::from_millis(200)).await;
        let sql = "SELECT CAST(count(*) AS TEXT) AS value FROM attempts WHERE state = 'recorded'";
        let found = query(&world.database, sql).await.remove(0);
        if found.parse::<usize>().unwrap() >= at_least { Ok(()) } else { Err(found) }
    })
    .await;
}

async fn heavy_queued_payments_outlive_an_upgrade_and_the_way_back(engine: Engine) {
    let (all, orders) = (migrations(engine), Orders::of("R19", engine));
    let mut rng = orders.chance(0);
    let (_home, older) = older(engine, &all).await;
    let world = World::with(engine, setup()).await;
    let begun = begin_all(&world, rows(&orders)).await;
    let queue = queued(&world, &begun).await;
    // Back to the older version with everything queued; up again, killed on the way.
    go_back(&world, &all, &older).await;
    let finished =
        if all.len() > 1 { kill_while_upgrading(&world, &mut rng, &all, &older).await } else { 0 };
    // The newer version works on it for a while; then back once more.
    world.addon.start().await;
    recorded(&world, begun.len() / 2).await;
    world.addon.kill();
    let half = world.payments().len();
    go_back(&world, &all, &older).await;
    world.addon.start().await;
    recorded(&world, begun.len()).await;
    is_exact(&world, &begun);
    world.nobody_is_called();
    world.books_agree();
    let way = if all.len() > 1 {
        format!(
            "up and back twice ({half} payments posted between), {KILLS} processes killed while they upgraded \
             ({finished} had just finished)"
        )
    } else {
        format!(
            "one migration only, so that nothing leads back; killed twice ({half} payments posted between)"
        )
    };
    let words = format!(
        "Each is in Splynx exactly once. They were queued ({queue:?}) with {} migrations; {way}.",
        all.len()
    );
    let count = |number: usize| u64::try_from(number).unwrap();
    orders.report("payments", count(begun.len()), count(orders.pick(begun.len(), FULL)), &words);
}

async fn a_crash_inside_a_migration_leaves_a_database_that_either_version_opens(engine: Engine) {
    let all = migrations(engine);
    let Some((last, before)) = all.split_last().filter(|(_, before)| !before.is_empty()) else {
        return;
    };
    let (_home, older) = older(engine, &all).await;
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let checkout = customer.refill("20.00").await;
    world.addon.kill();
    world.command(&["migrate", "--back-to", &before.last().unwrap().version]);
    let rows = money(&world.database, &older).await;
    assert!(!rows.is_empty());
    let up = statements(&last.up);
    for number in 0..=up.len() {
        die_after(&world.database, &up[..number]).await;
        // The older version finds its own database; the newer one brings it up to date.
        is_older(&world, &all, &older).await;
        assert_eq!(money(&world.database, &older).await, rows, "after {number} statements");
        let said = world.command(&["migrate"]);
        assert!(said.contains(&format!("done: {}", last.name)), "{said}");
        world.command(&["migrate", "--back-to", &before.last().unwrap().version]);
    }
    world.command(&["migrate"]);
    let down = statements(last.down.as_deref().unwrap());
    for number in 0..=down.len() {
        die_after(&world.database, &down[..number]).await;
        assert_eq!(applied(&world.database).await.len(), all.len());
        assert_eq!(money(&world.database, &older).await, rows, "after {number} statements back");
    }
    world.addon.start().await;
    world.pay(&checkout);
    world.payments_become(1, PATIENCE).await;
    world.results(&checkout).says("paid").await;
}

/// Between the new program and its first start, the older one may still serve, and no backup was made.
async fn a_command_leaves_an_older_database_to_the_upgrade(engine: Engine) {
    let all = migrations(engine);
    let [.., before, last] = &all[..] else { return };
    let world = World::new(engine).await;
    world.addon.stop().await;
    world.command(&["migrate", "--back-to", &before.version]);
    for arguments in [&["attempts", "list"][..], &["audit", "verify"], &["reconcile"], &["pairing"]]
    {
        let refused = world.addon.run(arguments);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(&format!("it lacks {}", last.name)), "{arguments:?}: {said}");
        assert_eq!(applied(&world.database).await.last(), Some(&before.version), "{arguments:?}");
    }
    world.addon.start().await;
    assert_eq!(applied(&world.database).await.last(), Some(&last.version));
    let beside = world.addon.run(&["migrate"]);
    let said = String::from_utf8_lossy(&beside.stderr);
    match engine {
        Engine::Sqlite => assert!(said.contains("stop the service first"), "{said}"),
        // Several share one, and each of them may be the first of its version.
        Engine::Postgresql => assert_eq!(beside.status.code(), Some(0), "{said}"),
    }
}

async fn a_database_of_a_newer_version_is_refused_with_what_to_do(engine: Engine) {
    let last = migrations(engine).pop().unwrap();
    let world = World::new(engine).await;
    world.addon.stop().await;
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')";
    execute(&world.database, newer).await;
    for arguments in [&["serve"][..], &["migrate"], &["attempts", "list"]] {
        let refused = world.addon.run(arguments);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        let log = format!("{said}{}", String::from_utf8_lossy(&refused.stdout));
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}: {log}");
        assert!(said.contains("is newer than this version"), "{arguments:?}: {log}");
        assert!(said.contains("has the migrations 9999"), "{said}");
        assert!(
            said.contains(&format!("`splynx-bitpay migrate --back-to {}`", last.version)),
            "{said}"
        );
    }
    assert_eq!(applied(&world.database).await.last().unwrap(), "9999", "nothing was changed");
    let unknown = world.addon.run(&["migrate", "--back-to", "9999"]);
    assert_eq!(unknown.status.code(), Some(1));
    let said = String::from_utf8_lossy(&unknown.stderr);
    assert!(said.contains("there is no migration 9999; there are 0001_first_schema"), "{said}");
    execute(&world.database, "DELETE FROM __diesel_schema_migrations WHERE version = '9999'").await;
    world.addon.start().await;
    if engine == Engine::Sqlite {
        let running = world.addon.run(&["migrate", "--back-to", &last.version]);
        assert_eq!(running.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&running.stderr).contains("stop the service first"));
    }
}

async fn every_migration_but_the_first_has_a_way_back(engine: Engine) {
    let all = migrations(engine);
    assert!(all[0].down.is_none(), "a way back from the first would delete every payment");
    for migration in &all[1..] {
        assert!(migration.down.is_some(), "{} has no down.sql", migration.name);
    }
    let home = TempDir::new().unwrap();
    for number in 1..all.len() {
        // Up by the files, back by the files: each leads to the schema before it.
        let up = home.path().join(format!("{number}-up"));
        let before = home.path().join(format!("{number}-before"));
        for folder in [&up, &before] {
            std::fs::create_dir(folder).unwrap();
        }
        let database = schema::fresh(engine, &up, &all[..=number]).await;
        execute(&database, all[number].down.as_deref().unwrap()).await;
        let expected = schema::fresh(engine, &before, &all[..number]).await;
        let schemas = (schema::schema(&database).await, schema::schema(&expected).await);
        assert_eq!(schemas.0, schemas.1, "{}", all[number].name);
    }
}

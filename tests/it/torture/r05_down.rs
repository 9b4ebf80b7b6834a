//! R5: Splynx is down for a day by the clock, while customers go on paying: every notification is answered by 200, Splynx
//! is asked once a minute at most, and when it is back everything is recorded once and fast.
//!
//! The add-on's clocks are moved a minute at a time under the running process. Full size: 10,000 payments.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use splynx_bitpay::sim::bitpay::Delivery;
use splynx_bitpay::sim::faults::{Fault, Kind};
use splynx_bitpay::sim::splynx::SimClock;
use tokio::time::Instant;

use super::clock::{Clock, Moves};
use super::orders::{Orders, Stopwatch};
use super::shopping::{
    Begun, INVOICES_OF_A_CUSTOMER, all_recorded, begin_many, is_exact, recorded,
};
use crate::support::{Engine, PATIENCE, Setup, World, client, eventually, on_both_databases};

on_both_databases! {
    a_day_without_splynx_loses_and_doubles_nothing,
}

/// As the worker has them.
const SLOTS: u32 = 16;
const SMALL: usize = 80;
const FULL: usize = 10_000;
/// The gate learns in these minutes: whatever was begun before it closed fails by itself, and the pause between two
/// probes doubles from two seconds to a minute.
const LEARNING: usize = 10;
const SETTINGS: &str = "GET admin/config/config";
const CUSTOMER: &str = "GET admin/customers/customer/";
/// What a minute of a run that was given so much time is good for.
const OF_A_MINUTE: usize = 100;

/// How long Splynx takes for each request when it is back.
fn latency(orders: &Orders) -> Duration {
    Duration::from_millis(orders.pick(150, 500))
}

fn setup() -> Setup {
    let mut setup = Setup {
        poll_seconds: 30,
        quiescence_seconds: 600,
        requests_per_second: 1000,
        ..Setup::default()
    };
    setup.bitpay.step_ms = 1;
    setup.bitpay.expiry_ms = 7 * 86_400_000;
    setup
}

/// The minutes of a day, in steps: all of them, or in `make test` some of them, and the rest by two hours.
fn day(orders: &Orders) -> Vec<i64> {
    orders.pick([vec![1; 15], vec![105], vec![120; 11]].concat(), vec![1; 24 * 60])
}

async fn a_day_without_splynx_loses_and_doubles_nothing(engine: Engine) {
    let orders = Orders::of("R5", engine);
    let minutes = orders.minutes().map_or(FULL, |minutes| (minutes * OF_A_MINUTE).min(FULL));
    let count = orders.pick(SMALL, minutes);
    let clock = Clock::new(Moves::Both);
    let world = starts(engine, &clock).await;
    let mut watch = Stopwatch::new(&orders);
    let paid = by_turns(begin_many(&world, 0, count).await);
    watch.lap("clicking");
    world.splynx.arm(Fault::on_any("", Kind::Down));
    let probe = a_day_passes(&world, &clock, &day(&orders), &paid).await;
    watch.lap("the day");
    assert_eq!(recorded(&world), 0);
    all_notifications_were_taken(&world.bitpay.deliveries(), count);
    world.splynx.disarm();
    let latency = latency(&orders);
    let ms = u64::try_from(latency.as_millis()).unwrap();
    world.splynx.arm(Fault::on_any("", Kind::Delay { ms }));
    // The next probe is a minute away at most.
    passes(&world, &clock, 1);
    let pace = drains(&world, count, latency).await;
    watch.lap("draining");
    world.splynx.disarm();
    all_recorded(&world, count, Duration::from_mins(5)).await;
    watch.lap("the rest");
    watch.say("");
    is_exact(&world, &paid, count);
    let overtaken = overtaken(&world, &paid);
    assert!(overtaken.is_empty(), "{overtaken:#?}");
    world.nobody_is_called();
    world.books_agree();
    let words = format!(
        "24 hours by the clock without Splynx: {} notifications, all answered by 200; at most one probe a minute, of \
         {probe} requests. Back with {} ms a request, it was kept busy to {} % of what {} slots could do, with {} \
         requests for a payment. Oracle: {count} payments, each once and right, and every customer's in the order in \
         which they paid; all books agree.",
        3 * count,
        latency.as_millis(),
        pace.percent,
        pace.slots,
        pace.requests_per_payment,
    );
    let [done, asked] = [count, orders.pick(SMALL, FULL)].map(|n| u64::try_from(n).unwrap());
    orders.report("payments", done, asked, &words);
    // In `make test` others work on the same machine at the same time.
    let floor = orders.pick(50, 90);
    assert!(pace.percent >= floor, "less than {floor} %: {pace:?}");
}

async fn starts(engine: Engine, clock: &Clock) -> World {
    let world = World::stopped(engine, setup()).await;
    world.addon.set_environment(clock.environment());
    world.addon.start().await;
    world.admin().await.pair(&world.bitpay.create_pairing_code()).await;
    world.addon.ready().await;
    world
}

/// Every customer pays one invoice, then every customer the next one.
fn by_turns(begun: Vec<Begun>) -> Vec<Begun> {
    let mut turns: BTreeMap<usize, Vec<Begun>> = BTreeMap::new();
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for one in begun {
        let turn = counts.entry(one.customer).or_default();
        turns.entry(*turn).or_default().push(one);
        *turn += 1;
    }
    turns.into_values().flatten().collect()
}

fn passes(world: &World, clock: &Clock, minutes: i64) {
    clock.advance(TimeDelta::minutes(minutes));
    let ahead = clock.ahead();
    world.splynx.edit(|splynx| splynx.clock = SimClock::Running { ahead });
}

/// Customers pay all day. Returns how many requests the greatest probe was of.
async fn a_day_passes(world: &World, clock: &Clock, steps: &[i64], paid: &[Begun]) -> usize {
    let (mut most, mut settled) = (0, 0);
    for (step, minutes) in steps.iter().enumerate() {
        let before = served(world);
        passes(world, clock, *minutes);
        wakes(world).await;
        seen(world, settled).await;
        let until = (step + 1) * paid.len() / steps.len();
        for one in &paid[settled..until] {
            world.pay(&one.checkout);
        }
        settled = until;
        // A request that is on its way while the clock leaps would be taken for a slow one.
        taken(world, 3 * settled).await;
        let asked = asked_since(world, before);
        if step >= LEARNING && *minutes == 1 {
            most = most.max(is_one_probe(&asked));
        }
    }
    most
}

/// Lets every thread of the web server see what time it is. It looks twice a second by its own timer, and would take
/// whoever comes first after a leap for somebody who has been waiting since before.
async fn wakes(world: &World) {
    let address = format!("http://{}/bitpay/static/none", world.pages());
    eventually("the web server knows the time", PATIENCE, async || {
        for _ in 0..4 {
            let answer = client().get(&address).send().await.map_err(|error| error.to_string())?;
            if answer.status().as_u16() != 404 {
                return Err(answer.status().to_string());
            }
        }
        Ok(())
    })
    .await;
}

/// Waits until the add-on has taken so many notifications, and nothing is on its way.
async fn taken(world: &World, count: usize) {
    let line = format!("splynx_bitpay_hints_total{{outcome=\"taken\"}} {count}");
    eventually(&line, PATIENCE, async || {
        let (_, figures) = world.addon.ops("/metrics").await?;
        let mut hints =
            figures.lines().filter(|line| line.starts_with("splynx_bitpay_hints_total"));
        match hints.next() {
            None if count == 0 => Ok(()),
            Some(now) if now == line => Ok(()),
            now => Err(format!("{now:?}")),
        }
    })
    .await;
    world.bitpay.settle().await;
}

/// A probe is one payment's turn: what it asked, perhaps over a new connection once more, and then whether Splynx
/// answers anything at all, which is the customer. The settings are read by their own rule, every five minutes.
fn is_one_probe(asked: &[String]) -> usize {
    let by_work = asked.iter().filter(|call| *call != SETTINGS);
    let mut questions: Vec<_> =
        by_work.clone().filter(|call| !call.starts_with(CUSTOMER)).collect();
    questions.dedup();
    assert!(questions.len() <= 1, "more than one probe in a minute: {asked:?}");
    by_work.count()
}

/// Waits until the add-on knows of so many payments that they are final. A look that is put off for two seconds, because
/// another one was made a moment ago, would else be many minutes late by the leaping clock: what the add-on learns of in
/// another order than it was paid, it records in that order.
async fn seen(world: &World, count: usize) {
    let line = format!("splynx_bitpay_attempts{{state=\"settled\"}} {count}");
    eventually(&line, PATIENCE, async || {
        let (_, figures) = world.addon.ops("/metrics").await?;
        let mut states = figures.lines().filter(|line| line.contains("state=\"settled\""));
        match states.next() {
            None if count == 0 => Ok(()),
            Some(now) if now == line => Ok(()),
            now => Err(format!("{now:?}")),
        }
    })
    .await;
}

fn asked_since(world: &World, before: u64) -> Vec<String> {
    let log = world.splynx.log().into_iter().filter(|call| call.sequence > before);
    log.map(|call| format!("{} {}", call.method, call.path)).collect()
}

fn all_notifications_were_taken(deliveries: &[Delivery], count: usize) {
    assert_eq!(deliveries.len(), 3 * count);
    for delivery in deliveries {
        let answers: Vec<_> = delivery.attempts.iter().map(|attempt| attempt.status).collect();
        assert_eq!(answers, [Some(200)], "{delivery:?}");
    }
}

/// How busy Splynx was kept.
#[derive(Debug)]
struct Pace {
    /// Of what the slots together can do: each of them has one request under way at any moment. A payment takes several
    /// requests, one after the other; so the rate of payments is this, divided by their number.
    percent: u32,
    /// Never more than there are customers, each of whose payments wait for one another.
    slots: u32,
    requests_per_payment: u64,
}

/// Waits until all is recorded. Measures between the first payments and the last ones.
async fn drains(world: &World, count: usize, latency: Duration) -> Pace {
    let patience = Duration::from_mins(30);
    let reaches = |wanted: usize| {
        eventually("the payments are recorded", patience, async move || match recorded(world) {
            now if now >= wanted => Ok(()),
            now => Err(format!("{now} of {wanted}")),
        })
    };
    // Behind the first ones, and before the slots have nothing left to do.
    let (from, to) = (8, count - 24);
    reaches(from).await;
    let (began, before) = (Instant::now(), served(world));
    reaches(to).await;
    let (lasted, requests) = (began.elapsed(), served(world) - before);
    reaches(count).await;
    let busy = latency * u32::try_from(requests).unwrap();
    let customers = u32::try_from(count / INVOICES_OF_A_CUSTOMER).unwrap();
    let slots = SLOTS.min(customers);
    let percent = u32::try_from(busy.as_millis() * 100 / (lasted * slots).as_millis()).unwrap();
    Pace { percent, slots, requests_per_payment: requests / u64::try_from(to - from).unwrap() }
}

/// How many requests Splynx has begun.
fn served(world: &World) -> u64 {
    world.splynx.log().last().map_or(0, |call| call.sequence)
}

/// The payments that stand in Splynx behind one that the same customer made later.
fn overtaken(world: &World, paid: &[Begun]) -> Vec<String> {
    let mut first_after: BTreeMap<u64, u64> = BTreeMap::new();
    let mut overtaken = Vec::new();
    for one in paid.iter().rev() {
        let payment = world.look(&one.invoice).payment_id.unwrap();
        let after = first_after.entry(one.customer).or_insert(u64::MAX);
        if payment > *after {
            let key = one.checkout.key(1);
            overtaken.push(format!(
                "{key} of customer {} is payment {payment}, after {after}",
                one.customer
            ));
        }
        *after = payment.min(*after);
    }
    overtaken
}

//! R6: the add-on itself is down for two days by the clock, longer than any processor repeats its notifications; what
//! was paid meanwhile is found by polling alone, at the second look at the latest.
//!
//! Full size: 5,000 invoices.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use splynx_bitpay::sim::bitpay::DeliveryState;
use splynx_bitpay::sim::splynx::SimClock;
use tokio::time::sleep;

use super::clock::{Clock, Moves};
use super::orders::{Orders, Stopwatch};
use super::shopping::{all_recorded, begin_many, is_exact, recorded};
use crate::support::{Engine, PATIENCE, Setup, World, eventually, on_both_databases};

on_both_databases! {
    what_was_paid_while_the_addon_was_away_is_found_by_polling,
}

const SMALL: usize = 40;
const FULL: usize = 5000;
/// What a minute of a run that was given so much time is good for.
const OF_A_MINUTE: usize = 600;
const AWAY: Duration = Duration::from_hours(48);

fn setup() -> Setup {
    let mut setup = Setup {
        poll_seconds: 30,
        quiescence_seconds: 60,
        // The pace is not what is tested here.
        requests_per_second: 1000,
        log_level: "warn",
        ..Setup::default()
    };
    setup.bitpay.step_ms = 1;
    setup
}

async fn what_was_paid_while_the_addon_was_away_is_found_by_polling(engine: Engine) {
    let orders = Orders::of("R6", engine);
    let minutes = orders.minutes().map_or(FULL, |minutes| (minutes * OF_A_MINUTE).min(FULL));
    let count = orders.pick(SMALL, minutes);
    let mut watch = Stopwatch::new(&orders);
    let world = World::with(engine, setup()).await;
    let begun = begin_many(&world, 0, count).await;
    watch.lap("clicking");
    world.addon.kill();
    for one in &begun {
        world.pay(&one.checkout);
    }
    let told = nobody_is_told(&world, 3 * count).await;
    watch.lap("two days");
    assert_eq!(recorded(&world), 0);
    let before = world.bitpay.log().last().map_or(0, |call| call.sequence);
    let clock = Clock::new(Moves::Both);
    let ahead = TimeDelta::from_std(AWAY).unwrap();
    clock.set(ahead);
    world.splynx.edit(|splynx| splynx.clock = SimClock::Running { ahead });
    world.addon.set_environment(clock.environment());
    world.addon.start().await;
    all_recorded(&world, count, Duration::from_mins(15)).await;
    watch.lap("polling");
    watch.say("");
    is_exact(&world, &begun, count);
    let looks = most_looks(&world, before);
    assert!(looks <= 2, "an invoice was looked at {looks} times until it was recorded");
    world.nobody_is_called();
    let words = format!(
        "48 hours by the clock without the add-on: {told} notifications were repeated and given up. Oracle: Splynx has \
         exactly {count} payments, each once and right, after {looks} look at most at each invoice (2 polling ticks \
         are allowed), and no notification."
    );
    let [done, asked] = [count, orders.pick(SMALL, FULL)].map(|n| u64::try_from(n).unwrap());
    orders.report("invoices", done, asked, &words);
}

/// BitPay tells, repeats and gives up. Returns how many notifications reached nobody.
async fn nobody_is_told(world: &World, expected: usize) -> usize {
    sleep(Duration::from_millis(500)).await;
    for _ in 0..AWAY.as_secs() / 3600 {
        world.bitpay.settle().await;
        world.bitpay.advance(Duration::from_hours(1));
    }
    eventually("BitPay has given up", PATIENCE * 4, async || {
        world.bitpay.settle().await;
        let deliveries = world.bitpay.deliveries();
        assert!(deliveries.iter().all(|delivery| delivery.state != DeliveryState::Delivered));
        let over = deliveries.iter().filter(|delivery| delivery.state == DeliveryState::GaveUp);
        match over.count() {
            all if all == expected => Ok(all),
            some => Err(format!("{some} of {expected}")),
        }
    })
    .await
}

/// How often the most looked-at invoice was asked for.
fn most_looks(world: &World, before: u64) -> usize {
    let mut looks: BTreeMap<String, usize> = BTreeMap::new();
    for call in world.bitpay.log().into_iter().filter(|call| call.sequence > before) {
        if call.method == "GET" && call.path.contains("invoices/") {
            *looks.entry(call.path).or_default() += 1;
        }
    }
    looks.into_values().max().unwrap_or_default()
}

//! R9: the time of day jumps by a day forwards or backwards, by an hour as in a time zone's night of change, and by a
//! lease's length while a request is on its way, with and without a kill: each payment exists once.
//!
//! Full size: 1,000 seeds.

use std::time::Duration;

use actix_web::http::Method;
use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt as _;
use rand::rngs::StdRng;
use splynx_bitpay::sim::faults::{Fault, Kind};
use splynx_bitpay::sim::splynx::SimClock;
use tokio::time::sleep;

use super::clock::{Clock, Moves};
use super::crew;
use super::orders::{Cases, Orders};
use super::shopper::{FEE_PERCENT, FEE_VAT_PERCENT, Shopper};
use crate::support::{Checkout, Engine, PATIENCE, Setup, World, eventually, on_both_databases};

on_both_databases! {
    however_the_clock_jumps_the_payment_exists_once,
}

const PAYMENTS: &str = "admin/finance/payments";
const FULL: u64 = 1000;
/// A world's clock is wound back for a fresh one after so many jumps.
const JUMPS_OF_A_WORLD: u32 = 10;

/// What happens to the clock, and when.
#[derive(Debug, Clone, Copy)]
struct Jump {
    by: TimeDelta,
    /// Splynx takes so long for the payment; the jump comes in the middle.
    splynx_takes: Option<Duration>,
    /// After the click or the payment.
    after: Duration,
    killed: bool,
    goods: u64,
    /// Whether BitPay tells of it, or the add-on must look by itself.
    is_told: bool,
}

impl Jump {
    fn of(chance: &mut StdRng) -> Self {
        let jumps = [
            TimeDelta::days(1),
            TimeDelta::days(-1),
            TimeDelta::hours(1),
            TimeDelta::hours(-1),
            TimeDelta::minutes(-10),
            // The lease is four fifths of the quiescence window.
            TimeDelta::milliseconds(-3200),
            TimeDelta::milliseconds(3300),
        ];
        let takes = Duration::from_millis(600);
        Self {
            by: jumps[chance.random_range(0..jumps.len())],
            splynx_takes: chance.random_bool(0.5).then_some(takes),
            after: Duration::from_millis(chance.random_range(0..300)),
            killed: chance.random_bool(0.3),
            goods: chance.random_range(0..3),
            is_told: chance.random_bool(0.7),
        }
    }
}

fn setup() -> Setup {
    let mut setup = Setup {
        fee_percent: FEE_PERCENT,
        fee_vat_percent: FEE_VAT_PERCENT,
        quiescence_seconds: 4,
        requests_per_second: 1000,
        ..Setup::default()
    };
    setup.bitpay.step_ms = 10;
    setup
}

async fn however_the_clock_jumps_the_payment_exists_once(engine: Engine) {
    let orders = Orders::of("R9", engine);
    let cases = Cases::new(&orders, FULL, 8);
    let waited =
        crew::work(&cases, orders.pick(4, 6), async || works_off(engine, &orders, &cases).await);
    let waited: u32 = waited.into_iter().sum();
    let words = format!(
        "The time of day of the running add-on jumped by {{1 day, 1 hour, 10 minutes, a lease}} in both directions, \
         half of the time while Splynx executed the payment, sometimes with a kill -9 right after, or in the night of \
         a time zone's change. Oracle: one payment, one fee, right sums, Paid; all books agree. {waited} waited until \
         the clock had caught up."
    );
    cases.report("seeds", &words);
}

async fn works_off(engine: Engine, orders: &Orders, cases: &Cases<'_>) -> u32 {
    let mut waited = 0;
    let mut next = cases.next();
    while let Some(first) = next {
        let clock = Clock::new(Moves::TimeOfDay);
        let world = World::stopped(engine, setup()).await;
        let mut environment = clock.environment();
        environment.push(("TZ".to_owned(), "Europe/Berlin".to_owned()));
        world.addon.set_environment(environment);
        set(&world, &clock, beginning(&mut orders.chance(first)));
        world.addon.start().await;
        world.admin().await.pair(&world.bitpay.create_pairing_code()).await;
        world.addon.ready().await;
        for _ in 0..JUMPS_OF_A_WORLD {
            let Some(case) = next else { break };
            let _named = cases.named(case);
            let jump = Jump::of(&mut orders.chance(case));
            waited += u32::from(play(&world, &clock, jump).await);
            cases.is_done();
            next = cases.next();
        }
        world.nobody_is_called();
        world.books_agree();
    }
    waited
}

/// Today, or right before the clocks of Berlin are put forwards or back.
fn beginning(chance: &mut StdRng) -> TimeDelta {
    let night = match chance.random_range(0..3) {
        0 => return TimeDelta::zero(),
        1 => "2027-03-28T00:59:58Z",
        _ => "2027-10-31T00:59:58Z",
    };
    let night: DateTime<Utc> = night.parse().unwrap();
    night - SimClock::default().now()
}

/// Splynx's clock is right as long as nobody jumps; it does not follow a jump.
fn set(world: &World, clock: &Clock, ahead: TimeDelta) {
    clock.set(ahead);
    world.splynx.edit(|splynx| splynx.clock = SimClock::Running { ahead });
}

/// A payment with a jump in it. Says whether the clock had to catch up first.
async fn play(world: &World, clock: &Clock, jump: Jump) -> bool {
    let shopper = Shopper::new(world, jump.goods).await;
    world.bitpay.set(|settings| settings.send_ipn = jump.is_told);
    let checkout = shopper.click().await;
    if let Some(takes) = jump.splynx_takes {
        let ms = u64::try_from(takes.as_millis()).unwrap();
        world.splynx.arm(Fault::on(Method::POST, PAYMENTS, Kind::Delay { ms }).times(1));
    }
    let before = posted(world);
    world.pay(&checkout);
    if jump.splynx_takes.is_some() {
        eventually("the payment is on its way", PATIENCE, async || match posted(world) {
            now if now > before => Ok(()),
            _ => Err("not yet".to_owned()),
        })
        .await;
    }
    sleep(jump.after).await;
    clock.advance(jump.by);
    if jump.killed {
        world.addon.kill_and_restart().await;
    }
    let waited = jump.by < TimeDelta::zero() && !is_done_soon(&shopper, &checkout).await;
    if waited {
        // Nothing is lost, but what was to be done at a moment that lies ahead again waits for that moment.
        clock.advance(-jump.by);
    }
    shopper.sees_paid(&checkout, PATIENCE).await;
    shopper.sees_all_of_it(&checkout).await;
    shopper.sees_the_record().await;
    shopper.is_credited_once(&checkout);
    world.splynx.disarm();
    waited
}

fn posted(world: &World) -> u64 {
    let log = world.splynx.log();
    let found = log.iter().rfind(|call| call.method == "POST" && call.path == PAYMENTS);
    found.map_or(0, |call| call.sequence)
}

async fn is_done_soon(shopper: &Shopper<'_>, checkout: &Checkout) -> bool {
    for _ in 0..50 {
        if shopper.credited(checkout).is_ok() && shopper.has_its_record() {
            return true;
        }
        sleep(Duration::from_millis(200)).await;
    }
    false
}

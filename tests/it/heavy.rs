//! Many payments, every notification repeated and out of order, and the add-on killed over and over: each payment is
//! recorded exactly once.
//!
//! The full size (1,000 payments, 20 kills) runs with `SPLYNX_BITPAY_TORTURE=1`. `SPLYNX_BITPAY_SEED` repeats a run:
//! it decides about the order of the notifications and the moments of the kills.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rust_decimal::Decimal;
use splynx_bitpay::sim::bitpay::{Delivery, DeliveryState};
use splynx_bitpay::sim::splynx::{Kind, Status};
use tokio::time::{Instant, sleep};

use crate::support::{
    Checkout, Document, Engine, Setup, World, eventually, on_both_databases, pooled_client,
};

on_both_databases! {
    heavy_every_payment_is_recorded_once_whatever_is_repeated_and_whoever_is_killed,
}

/// BitPay tells of paid, confirmed and complete.
const EVENTS: usize = 3;
/// How often each of them is delivered.
const REPETITIONS: usize = 5;
const SENDERS: usize = 16;
/// One customer may begin ten payments a minute.
const INVOICES_OF_A_CUSTOMER: usize = 5;

/// How much.
#[derive(Debug, Clone, Copy)]
struct Size {
    payments: usize,
    kills: usize,
    deadline: Duration,
}

impl Size {
    fn wanted() -> Self {
        if std::env::var("SPLYNX_BITPAY_TORTURE").is_ok_and(|value| value == "1") {
            Self { payments: 1000, kills: 20, deadline: Duration::from_mins(9) }
        } else {
            Self { payments: 60, kills: 3, deadline: Duration::from_secs(90) }
        }
    }
}

fn seed() -> u64 {
    std::env::var("SPLYNX_BITPAY_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(20_181_031)
}

/// Only notifications wake an attempt: polling is ten minutes away, so one that is lost shows.
fn setup() -> Setup {
    let mut setup = Setup {
        poll_seconds: 600,
        quiescence_seconds: 8,
        // The pace is not what is tested here.
        requests_per_second: 1000,
        ..Setup::default()
    };
    setup.bitpay.step_ms = 1;
    // BitPay's own repetitions stay away; ours are worse.
    setup.bitpay.minute_ms = 3_600_000;
    setup
}

/// An invoice that a customer has begun to pay.
#[derive(Debug, Clone)]
struct Begun {
    customer: u64,
    sum: Decimal,
    invoice: Document,
    checkout: Checkout,
}

async fn begin(world: &World, number: usize) -> Vec<Begun> {
    let customer = world.customer().await;
    let mut begun = Vec::new();
    for n in 0..INVOICES_OF_A_CUSTOMER {
        // No two sums are equal, so that none can take another's place.
        let cents = i64::try_from(1000 + number * INVOICES_OF_A_CUSTOMER + n).unwrap();
        let sum = Decimal::new(cents, 2);
        let invoice = world.invoice(&customer, &sum.to_string());
        let checkout = customer.check_out(&invoice).await;
        begun.push(Begun { customer: customer.id, sum, invoice, checkout });
    }
    begun
}

async fn begin_all(world: &World, payments: usize) -> Vec<Begun> {
    let customers = (0..payments / INVOICES_OF_A_CUSTOMER).map(|number| begin(world, number));
    let groups: Vec<_> = futures_util::stream::iter(customers).buffer_unordered(8).collect().await;
    groups.into_iter().flatten().collect()
}

/// Everybody pays while the add-on is dead: BitPay's notifications reach nobody, and are kept with their signatures.
async fn pay_all(world: &World, begun: &[Begun]) -> Vec<Delivery> {
    for one in begun {
        world.pay(&one.checkout);
    }
    let expected = begun.len() * EVENTS;
    eventually("BitPay has tried every notification", Duration::from_mins(2), async || {
        sleep(Duration::from_millis(500)).await;
        let deliveries = world.bitpay.deliveries();
        let tried = deliveries.iter().filter(|delivery| !delivery.attempts.is_empty()).count();
        assert!(deliveries.iter().all(|delivery| delivery.state != DeliveryState::Delivered));
        if tried == expected { Ok(deliveries) } else { Err(format!("{tried} of {expected}")) }
    })
    .await
}

/// What the senders and the killer share.
#[derive(Debug, Default)]
struct Progress {
    accepted: Cell<usize>,
    refused: Cell<usize>,
}

fn recorded(world: &World) -> usize {
    world.splynx.read(|splynx| splynx.books.payments.len())
}

/// Delivers a share of the notifications, each until it is answered by 200, as BitPay would in an hour.
///
/// The storm lasts as long as there is something to record: nobody runs further ahead of the payments than a quarter.
async fn send(world: &World, share: Vec<(usize, &Delivery)>, total: usize, progress: &Progress) {
    let payments = total / EVENTS / REPETITIONS;
    for (place, delivery) in share {
        while place * payments > (recorded(world) * 4 + payments) * total / 4 {
            sleep(Duration::from_millis(20)).await;
        }
        while !deliver(delivery).await {
            progress.refused.set(progress.refused.get() + 1);
            sleep(Duration::from_millis(50)).await;
        }
        progress.accepted.set(progress.accepted.get() + 1);
    }
}

async fn deliver(delivery: &Delivery) -> bool {
    let signature = delivery.signature.as_deref().unwrap();
    let request = pooled_client()
        .post(&delivery.url)
        .header("content-type", "application/json")
        .header("x-signature", signature)
        .body(delivery.body.clone());
    match request.send().await.map(|answer| answer.status().as_u16()) {
        Ok(200) => true,
        // The proxy's word for an add-on that is dead, and the add-on's own for one that cannot store.
        Ok(502..=504) | Err(_) => false,
        Ok(other) => panic!("a notification was answered by {other}"),
    }
}

/// Waits until so many payments are recorded, then kills the add-on in the middle of its work.
async fn kill_at(world: &World, payments: usize, pause: Duration, deadline: Instant) {
    while recorded(world) < payments {
        assert!(Instant::now() < deadline, "{} of {payments} are recorded", recorded(world));
        sleep(Duration::from_millis(2)).await;
    }
    sleep(pause).await;
    world.addon.kill_and_restart().await;
}

async fn kill_often(world: &World, size: Size, rng: &mut StdRng, deadline: Instant) {
    let stretch = size.payments / (size.kills + 1);
    for number in 0..size.kills {
        let payments = number * stretch + rng.random_range(1..=stretch);
        kill_at(world, payments, Duration::from_millis(rng.random_range(0..40)), deadline).await;
    }
}

/// The oracle: Splynx has exactly one payment for each invoice that was paid, and it is the right one.
fn is_exact(world: &World, begun: &[Begun]) {
    let payments = world.payments();
    let mut by_key: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for payment in &payments {
        by_key.entry(&payment.receipt_number).or_default().push(payment);
    }
    for one in begun {
        let key = one.checkout.key(1);
        let own = by_key.get(key.as_str()).map(Vec::as_slice).unwrap_or_default();
        let [payment] = own else { panic!("{key} is recorded {} times", own.len()) };
        assert_eq!(payment.amount, one.sum, "{key}");
        assert_eq!(payment.customer_id, one.customer, "{key}");
        assert_eq!(payment.invoice_id, Some(one.invoice.id), "{key}");
        let row = world.look(&one.invoice);
        assert_eq!((row.status, row.due), (Status::Paid, Decimal::ZERO), "{key}");
        assert_eq!(row.payment_id, Some(payment.id), "{key}");
    }
    assert_eq!(payments.len(), begun.len(), "payments for nothing");
    let paid = world.splynx.read(|splynx| {
        let invoices = splynx.books.documents(Kind::Invoice).iter();
        invoices.filter(|invoice| invoice.status == Status::Paid).count()
    });
    assert_eq!(paid, begun.len());
}

async fn all_recorded(world: &World, payments: usize, deadline: Instant) {
    let line = format!("splynx_bitpay_attempts{{state=\"recorded\"}} {payments}");
    let patience = deadline.saturating_duration_since(Instant::now());
    eventually("the add-on calls all of them recorded", patience, async || {
        sleep(Duration::from_millis(500)).await;
        let (_, figures) = world.addon.ops("/metrics").await?;
        let states = figures.lines().filter(|line| line.starts_with("splynx_bitpay_attempts{"));
        let states: Vec<_> = states.collect();
        if states.contains(&line.as_str()) { Ok(()) } else { Err(states.join(", ")) }
    })
    .await;
}

async fn heavy_every_payment_is_recorded_once_whatever_is_repeated_and_whoever_is_killed(
    engine: Engine,
) {
    let (size, seed, started) = (Size::wanted(), seed(), Instant::now());
    let deadline = started + size.deadline;
    let mut rng = StdRng::seed_from_u64(seed);
    let world = World::with(engine, setup()).await;
    let begun = begin_all(&world, size.payments).await;
    world.addon.kill();
    let deliveries = pay_all(&world, &begun).await;
    let mut storm: Vec<&Delivery> =
        std::iter::repeat_n(deliveries.iter(), REPETITIONS).flatten().collect();
    storm.shuffle(&mut rng);
    let total = storm.len();
    let mut shares: Vec<Vec<(usize, &Delivery)>> = vec![Vec::new(); SENDERS];
    for (place, delivery) in storm.into_iter().enumerate() {
        shares[place % SENDERS].push((place, delivery));
    }
    assert_eq!(recorded(&world), 0);
    world.addon.start().await;
    let (progress, stormed) = (Progress::default(), Instant::now());
    let senders = shares.into_iter().map(|share| send(&world, share, total, &progress));
    tokio::join!(join_all(senders), kill_often(&world, size, &mut rng, deadline));
    all_recorded(&world, size.payments, deadline).await;
    let lasted = stormed.elapsed();
    is_exact(&world, &begun);
    assert_eq!(progress.accepted.get(), total);
    assert!(world.under_review().is_empty(), "{:?}", world.under_review());
    world.books_agree();
    let report = format!(
        "{engine:?}: seed {seed}: {payments} payments, {total} notifications accepted ({refused} tries in vain) from \
         {SENDERS} senders, {kills} kills in the storm and 1 before: exactly {payments} payments, {payments} paid \
         invoices; {searches} unclear postings were searched for; storm {storm:.1} s, all in all {all:.1} s\n",
        payments = size.payments,
        refused = progress.refused.get(),
        kills = size.kills,
        searches =
            world.addon.log().lines().filter(|line| line.contains("search: searched")).count(),
        storm = lasted.as_secs_f32(),
        all = started.elapsed().as_secs_f32(),
    );
    std::io::stdout().write_all(report.as_bytes()).unwrap();
}

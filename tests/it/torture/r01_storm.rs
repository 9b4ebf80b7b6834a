//! R1: every notification many times and in disorder over 64 connections, while the add-on is killed now and then: each
//! invoice is paid exactly once.
//!
//! Full size: 20,000 invoices, 1,000,000 deliveries, in rounds of one world. BitPay's notifications only, so far.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use splynx_bitpay::sim::bitpay::{Delivery, DeliveryState};
use tokio::time::{Instant, sleep};

use super::orders::{Orders, Stopwatch};
use super::rain::{Tally, on_the_wire, pour};
use super::shopping::{Begun, all_recorded, begin_many, is_exact, recorded};
use crate::support::{Engine, Setup, World, on_both_databases};

on_both_databases! {
    every_invoice_is_paid_once_however_often_and_in_whatever_order_it_is_told,
}

/// BitPay tells of paid, confirmed and complete.
const EVENTS: usize = 3;
const DELIVERIES_OF_AN_INVOICE: usize = 50;
const CONNECTIONS: usize = 64;

/// How much.
#[derive(Debug, Clone, Copy)]
struct Size {
    invoices: usize,
    of_a_round: usize,
    kills_of_a_round: usize,
}

const SMALL: Size = Size { invoices: 60, of_a_round: 60, kills_of_a_round: 2 };
const FULL: Size = Size { invoices: 20_000, of_a_round: 2000, kills_of_a_round: 2 };

/// Only notifications wake an attempt: polling is an hour away, so one that is lost shows.
fn setup() -> Setup {
    let mut setup = Setup {
        poll_seconds: 3600,
        quiescence_seconds: 5,
        // The pace is not what is tested here.
        requests_per_second: 1000,
        log_level: "warn",
        ..Setup::default()
    };
    setup.bitpay.step_ms = 1;
    // A full round takes longer than a quarter of an hour on no machine, but nothing may hang on that.
    setup.bitpay.expiry_ms = 6 * 3_600_000;
    // BitPay's own repetitions stay away; ours are worse.
    setup.bitpay.minute_ms = 3_600_000;
    setup
}

async fn every_invoice_is_paid_once_however_often_and_in_whatever_order_it_is_told(engine: Engine) {
    let orders = Orders::of("R1", engine);
    let size = orders.pick(SMALL, FULL);
    let mut chance = orders.chance(0);
    let world = World::with(engine, setup()).await;
    let (tally, mut done, mut told) = (Tally::default(), 0, 0);
    while done < size.invoices && orders.has_time() {
        let mut watch = Stopwatch::new(&orders);
        let begun = begin_many(&world, done, size.of_a_round).await;
        watch.lap("clicking");
        world.addon.kill();
        let deliveries = pay_all(&world, &begun, told).await;
        told = deliveries.iter().map(|delivery| delivery.number).max().unwrap();
        assert_eq!(recorded(&world), done);
        done += begun.len();
        watch.lap("paying");
        world.addon.start().await;
        let rain = shuffled(&deliveries, &mut chance);
        let rain: Vec<&[u8]> = rain.iter().map(|drop| drop.as_slice()).collect();
        tokio::join!(
            pour(world.pages(), &rain, CONNECTIONS, &tally),
            kill_often(&world, done - begun.len(), size, &mut chance)
        );
        watch.lap("storm");
        all_recorded(&world, done, Duration::from_mins(5)).await;
        watch.lap("rest");
        is_exact(&world, &begun, done);
        watch.say(&format!("{done} of {}", size.invoices));
    }
    assert_eq!(tally.accepted.get(), done * DELIVERIES_OF_AN_INVOICE);
    world.nobody_is_called();
    world.books_agree();
    let words = format!(
        "{} deliveries of {} asked were answered by 200 over {CONNECTIONS} connections ({} tries in vain), {} kills. \
         Oracle: Splynx has exactly {done} payments, each once, of the right sum, customer and invoice; all books agree.",
        tally.accepted.get(),
        size.invoices * DELIVERIES_OF_AN_INVOICE,
        tally.refused.get(),
        done.div_ceil(size.of_a_round) * (1 + size.kills_of_a_round),
    );
    let [done, asked] = [done, size.invoices].map(|number| u64::try_from(number).unwrap());
    orders.report("invoices", done, asked, &words);
}

/// Everybody pays while the add-on is dead: BitPay's notifications reach nobody, and are kept with their signatures.
async fn pay_all(world: &World, begun: &[Begun], told: u64) -> Vec<Delivery> {
    for one in begun {
        world.pay(&one.checkout);
    }
    let end = Instant::now() + Duration::from_mins(5);
    loop {
        sleep(Duration::from_millis(500)).await;
        world.bitpay.settle().await;
        let mut deliveries = world.bitpay.deliveries();
        deliveries.retain(|delivery| delivery.number > told && !delivery.attempts.is_empty());
        assert!(deliveries.iter().all(|delivery| delivery.state != DeliveryState::Delivered));
        if deliveries.len() == begun.len() * EVENTS {
            return deliveries;
        }
        assert!(Instant::now() < end, "BitPay has tried {} notifications", deliveries.len());
    }
}

/// So many deliveries of each invoice, its three events in turn, all of them in disorder.
fn shuffled(deliveries: &[Delivery], chance: &mut StdRng) -> Vec<Rc<Vec<u8>>> {
    let mut of_invoices: BTreeMap<&str, Vec<Rc<Vec<u8>>>> = BTreeMap::new();
    for delivery in deliveries {
        let bytes = Rc::new(on_the_wire(delivery));
        of_invoices.entry(&delivery.invoice).or_default().push(bytes);
    }
    let repeated = |events: Vec<_>| events.into_iter().cycle().take(DELIVERIES_OF_AN_INVOICE);
    let mut rain: Vec<_> = of_invoices.into_values().flat_map(repeated).collect();
    rain.shuffle(chance);
    rain
}

/// Kills the add-on in the middle of its work, at moments of chance.
async fn kill_often(world: &World, before: usize, size: Size, chance: &mut StdRng) {
    let stretch = size.of_a_round / (size.kills_of_a_round + 1);
    let end = Instant::now() + Duration::from_mins(10);
    for kill in 0..size.kills_of_a_round {
        let payments = before + kill * stretch + chance.random_range(1..=stretch);
        while recorded(world) < payments {
            assert!(Instant::now() < end, "{} of {payments} are recorded", recorded(world));
            sleep(Duration::from_millis(2)).await;
        }
        sleep(Duration::from_millis(chance.random_range(0..40))).await;
        world.addon.kill_and_restart().await;
    }
}

//! R2: paid, confirmed and complete are told within a millisecond, as of lightning payments: still one payment.
//!
//! Full size: 10,000 invoices.

use std::collections::BTreeMap;
use std::time::Duration;

use super::orders::{Orders, Stopwatch};
use super::shopping::{all_recorded, begin_many, is_exact};
use crate::support::{Engine, Setup, World, on_both_databases};

on_both_databases! {
    what_is_told_three_times_within_a_millisecond_is_paid_once,
}

const ROUND: usize = 1000;

fn setup() -> Setup {
    let mut setup = Setup {
        poll_seconds: 3600,
        requests_per_second: 1000,
        quiescence_seconds: 20,
        log_level: "warn",
        ..Setup::default()
    };
    setup.bitpay.step_ms = 0;
    setup.bitpay.expiry_ms = 6 * 3_600_000;
    setup
}

async fn what_is_told_three_times_within_a_millisecond_is_paid_once(engine: Engine) {
    let orders = Orders::of("R2", engine);
    let (asked, round) = orders.pick((40, 40), (10_000, ROUND));
    let world = World::with(engine, setup()).await;
    let (mut done, mut told, mut triples) = (0, 0, 0);
    while done < asked && orders.has_time() {
        let mut watch = Stopwatch::new(&orders);
        let begun = begin_many(&world, done, round).await;
        watch.lap("clicking");
        for one in &begun {
            world.pay(&one.checkout);
        }
        done += begun.len();
        all_recorded(&world, done, Duration::from_mins(10)).await;
        world.bitpay.settle().await;
        watch.lap("recording");
        is_exact(&world, &begun, done);
        triples += simultaneous(&world, &mut told);
        watch.say(&format!("{done} of {asked}"));
    }
    assert!(triples * 10 >= done * 9, "only {triples} of {done} triples were told at once");
    world.nobody_is_called();
    world.books_agree();
    let words = format!(
        "{triples} of them were told of paid, confirmed and complete within a millisecond. Oracle: Splynx has exactly \
         {done} payments, each once, of the right sum, customer and invoice; all books agree."
    );
    let [done, asked] = [done, asked].map(|number| u64::try_from(number).unwrap());
    orders.report("invoices", done, asked, &words);
}

/// How many invoices had their three notifications due within one millisecond.
fn simultaneous(world: &World, told: &mut u64) -> usize {
    let mut of_invoices: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for delivery in world.bitpay.deliveries() {
        if delivery.number > *told {
            of_invoices.entry(delivery.invoice).or_default().push(delivery.first.ms());
            *told = delivery.number;
        }
    }
    let at_once = |due: &&Vec<i64>| {
        let span = due.iter().max().unwrap() - due.iter().min().unwrap();
        due.len() == 3 && span <= 1
    };
    of_invoices.values().filter(at_once).count()
}

//! The seeds that every test run plays: 20,000, in four parts that run side by side.
//!
//! **Invariant:** they are the same seeds every time; `splynx-bitpay-sim simulate --seed N --count M` plays others.

use std::ops::Range;

use super::*;

fn play(seeds: Range<u64>) -> Coverage {
    let mut coverage = Coverage::default();
    for seed in seeds {
        let outcome = simulate(seed, false);
        let again = format!("splynx-bitpay-sim simulate --seed {seed} --trace");
        assert_eq!(outcome.violations, [""; 0], "{again}");
        coverage.add(&outcome.coverage);
    }
    coverage
}

#[test]
fn simulate_seeds_of_the_first_quarter_and_every_kind_of_fault_happens() {
    let coverage = play(0..5_000);
    assert_eq!(coverage.missing(), [], "a generator that has become dull");
}

#[test]
fn simulate_seeds_of_the_second_quarter() {
    play(5_000..10_000);
}

#[test]
fn simulate_seeds_of_the_third_quarter() {
    play(10_000..15_000);
}

#[test]
fn simulate_seeds_of_the_last_quarter() {
    play(15_000..20_000);
}

#[test]
fn simulate_gives_the_same_events_for_the_same_seed() {
    for seed in 0..50 {
        let (one, two) = (simulate(seed, false), simulate(seed, true));
        assert_eq!((one.hash, one.events, one.coverage), (two.hash, two.events, two.coverage));
    }
    let other = simulate(51, false);
    assert_ne!(simulate(50, false).hash, other.hash);
}

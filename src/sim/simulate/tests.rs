//! The seeds that every test run plays.

use super::*;

fn play(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let outcome = simulate(seed, false);
        assert_eq!(
            outcome.violations, [""; 0],
            "`splynx-bitpay-sim simulate --seed {seed} --trace`"
        );
    }
}

#[test]
fn simulate_first_seeds() {
    play(0..200);
}

#[test]
fn simulate_gives_the_same_events_for_the_same_seed() {
    for seed in 0..20 {
        let (one, two) = (simulate(seed, false), simulate(seed, true));
        assert_eq!((one.hash, one.events, one.coverage), (two.hash, two.events, two.coverage));
    }
}

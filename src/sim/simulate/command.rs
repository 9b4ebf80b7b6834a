//! `splynx-bitpay-sim simulate`: plays seeds, says what they exercised, and shows the first that fails.

use std::io;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;

use super::coverage::{Coverage, Happening};
use super::run::simulate;

/// Which seeds to play.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The first seed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How many seeds; the ones after the first count up.
    #[arg(long, value_name = "M", default_value_t = 1)]
    count: u64,
    /// Print every event of the world, for each seed.
    #[arg(long)]
    trace: bool,
    /// Stop after so many minutes, whatever is left.
    #[arg(long, value_name = "MINUTES")]
    minutes: Option<u64>,
    /// Go on after a failing seed and count them.
    #[arg(long)]
    keep_going: bool,
}

#[derive(Default)]
struct Tally {
    done: u64,
    events: u64,
    failed: Vec<u64>,
    coverage: Coverage,
}

/// Plays the seeds.
///
/// # Errors
///
/// When a seed fails; what is left to do then is said on standard output.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    #[expect(clippy::disallowed_methods, reason = "how long a person is kept waiting")]
    let begun = Instant::now();
    let limit = options.minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60)));
    let mut tally = Tally::default();
    for seed in options.seed..options.seed.saturating_add(options.count) {
        if limit.is_some_and(|limit| begun.elapsed() >= limit) {
            break;
        }
        play(&mut out, options, seed, &mut tally)?;
        if !tally.failed.is_empty() && !options.keep_going {
            break;
        }
    }
    sum_up(&mut out, options, &tally, begun.elapsed())?;
    match tally.failed.first() {
        None => Ok(()),
        Some(first) => bail!(
            "{} of {} seeds failed; the first again: splynx-bitpay-sim simulate --seed {first} --trace",
            tally.failed.len(),
            tally.done
        ),
    }
}

fn play(
    out: &mut impl io::Write,
    options: &Options,
    seed: u64,
    tally: &mut Tally,
) -> io::Result<()> {
    let mut outcome = simulate(seed, options.trace);
    let is_first = tally.failed.is_empty();
    tally.done = tally.done.saturating_add(1);
    tally.events = tally.events.saturating_add(outcome.events);
    tally.coverage.add(&outcome.coverage);
    let has_failed = !outcome.violations.is_empty();
    if has_failed {
        tally.failed.push(seed);
    }
    if has_failed && is_first && !options.trace {
        outcome.trace = simulate(seed, true).trace;
    }
    if options.trace || (has_failed && is_first) {
        for line in &outcome.trace {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "seed {seed}: {} events, hash {:016x}", outcome.events, outcome.hash)?;
    }
    for words in &outcome.violations {
        writeln!(out, "seed {seed}: VIOLATION: {words}")?;
    }
    Ok(())
}

fn sum_up(
    out: &mut impl io::Write,
    options: &Options,
    tally: &Tally,
    took: Duration,
) -> io::Result<()> {
    for what in Happening::ALL {
        writeln!(out, "{:>10}  {}", tally.coverage.of(*what), what.words())?;
    }
    let last = options.seed.saturating_add(tally.done);
    writeln!(
        out,
        "R23: {last} of {} seeds done; this run played {} from seed {} ({} events, {} s), violations in {}. Oracle: \
         the rows in the simulated Splynx. To go on: --seed {last}",
        options.seed.saturating_add(options.count),
        tally.done,
        options.seed,
        tally.events,
        took.as_secs(),
        tally.failed.len()
    )
}

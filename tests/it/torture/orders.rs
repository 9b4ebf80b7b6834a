//! What a heavy suite was asked to do: its size, its seed, its time, and where it left off.
//!
//! `SPLYNX_BITPAY_TORTURE` asks for the full size, `SPLYNX_BITPAY_TORTURE_MINUTES` ends it early (it goes on there the
//! next time), `SPLYNX_BITPAY_SEED` repeats a run, `SPLYNX_BITPAY_TORTURE_CASE` repeats one case of it.
//!
//! **Invariant:** a case counts as done only after its oracle was asked.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::index::sample;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::Instant;

use crate::support::Engine;

/// The seed of a run that was given none. The first block of Bitcoin's white paper's anniversary will do.
const SEED: u64 = 20_181_031;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// What was asked.
#[derive(Debug)]
pub(crate) struct Orders {
    pub(crate) name: &'static str,
    pub(crate) engine: Engine,
    pub(crate) seed: u64,
    full: bool,
    limit: Option<Duration>,
    one: Option<u64>,
    started: Instant,
}

impl Orders {
    pub(crate) fn of(name: &'static str, engine: Engine) -> Self {
        let minutes = number("SPLYNX_BITPAY_TORTURE_MINUTES").filter(|minutes| *minutes > 0);
        Self {
            name,
            engine,
            seed: number("SPLYNX_BITPAY_SEED").unwrap_or(SEED),
            full: std::env::var("SPLYNX_BITPAY_TORTURE").is_ok_and(|value| value == "1"),
            limit: minutes.map(|minutes| Duration::from_secs(60 * minutes)),
            one: number("SPLYNX_BITPAY_TORTURE_CASE"),
            started: Instant::now(),
        }
    }

    /// The one for `make test`, or the one for `make torture`.
    pub(crate) fn pick<T>(&self, small: T, full: T) -> T {
        if self.full { full } else { small }
    }

    pub(crate) fn has_time(&self) -> bool {
        !self.full || self.limit.is_none_or(|limit| self.started.elapsed() < limit)
    }

    /// The minutes of a run that has a limit.
    pub(crate) fn minutes(&self) -> Option<usize> {
        self.limit.map(|limit| usize::try_from(limit.as_secs() / 60).unwrap())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The chance of one case: the same whenever it is repeated.
    pub(crate) fn chance(&self, case: u64) -> StdRng {
        StdRng::seed_from_u64(self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(case))
    }

    /// Says in a line what was done and what was asked, and how long the rest takes at this pace.
    pub(crate) fn report(&self, unit: &str, done: u64, asked: u64, words: &str) {
        let Self { name, engine, seed, .. } = self;
        let seconds = self.elapsed().as_secs();
        let whole = seconds.saturating_mul(asked) / done.max(1);
        let is_part = done < asked && self.full;
        let rest = if is_part {
            format!("; all of them take about {} at this pace", spoken(whole))
        } else {
            String::new()
        };
        say(&format!(
            "{name} on {engine:?}, seed {seed}: {done} of {asked} {unit} done in {}{rest}. {words}",
            spoken(seconds)
        ));
    }

    fn place(&self) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/torture");
        fs::create_dir_all(&folder).unwrap();
        folder.join(format!("{}-{:?}-{}", self.name, self.engine, self.seed))
    }
}

/// Seconds as people say them.
fn spoken(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

pub(crate) fn say(line: &str) {
    std::io::stdout().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Says of a long run where it stands and where the time goes.
#[derive(Debug)]
pub(crate) struct Stopwatch<'a> {
    orders: &'a Orders,
    since: Instant,
    laps: Vec<String>,
}

impl<'a> Stopwatch<'a> {
    pub(crate) fn new(orders: &'a Orders) -> Self {
        Self { orders, since: Instant::now(), laps: Vec::new() }
    }

    pub(crate) fn lap(&mut self, what: &str) {
        let seconds = self.since.elapsed().as_secs_f32();
        self.laps.push(format!("{what} {seconds:.1} s"));
        self.since = Instant::now();
    }

    /// Only of a full run.
    pub(crate) fn say(&self, place: &str) {
        if self.orders.full {
            say(&format!("{}: {place}: {}", self.orders.name, self.laps.join(", ")));
        }
    }
}

/// Numbered cases, given out to several workers until they or the time end.
#[derive(Debug)]
pub(crate) struct Cases<'a> {
    orders: &'a Orders,
    total: u64,
    /// Those of this run, in their order.
    chosen: Vec<u64>,
    given: AtomicU64,
    done: AtomicU64,
    before: u64,
}

impl<'a> Cases<'a> {
    /// Small: so many of them by chance. Full: all that are left, from where the last run of this seed ended.
    pub(crate) fn new(orders: &'a Orders, total: u64, small: usize) -> Self {
        let (chosen, before) = match orders.one {
            Some(one) => (vec![one], 0),
            None if orders.full => {
                let before = left_off(orders).filter(|before| *before < total).unwrap_or(0);
                ((before..total).collect(), before)
            }
            None => (by_chance(orders, total, small), 0),
        };
        Self { orders, total, chosen, given: AtomicU64::new(0), done: AtomicU64::new(0), before }
    }

    /// The next case, if there is one and time for it.
    pub(crate) fn next(&self) -> Option<u64> {
        if !self.orders.has_time() {
            return None;
        }
        let place = self.given.fetch_add(1, Ordering::SeqCst);
        self.chosen.get(usize::try_from(place).unwrap()).copied()
    }

    /// No further case is given out.
    pub(crate) fn stop(&self) {
        self.given.store(u64::MAX / 2, Ordering::SeqCst);
    }

    /// While this lives, a failure is that of this case, and says how to repeat it.
    pub(crate) fn named(&self, case: u64) -> Named<'_> {
        Named { orders: self.orders, case }
    }

    /// The oracle of a case was asked, and was content.
    pub(crate) fn is_done(&self) {
        self.done.fetch_add(1, Ordering::SeqCst);
    }

    /// Says what was done, and keeps where to go on.
    pub(crate) fn report(&self, unit: &str, words: &str) {
        let done = self.done.load(Ordering::SeqCst);
        let Self { orders, total, before, .. } = self;
        let asked = if orders.full { *total } else { u64::try_from(self.chosen.len()).unwrap() };
        orders.report(unit, done, asked, words);
        if orders.full && orders.one.is_none() {
            let place = orders.place();
            let reached = before + done;
            fs::write(&place, reached.to_string()).unwrap();
            say(&format!(
                "{}: {reached} of {total} over all runs of this seed; the next run goes on there ({})",
                orders.name,
                place.display()
            ));
        }
    }
}

/// Names a case that fails.
#[derive(Debug)]
pub(crate) struct Named<'a> {
    orders: &'a Orders,
    case: u64,
}

impl Drop for Named<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Orders { name, seed, engine, .. } = self.orders;
            let db = format!("{engine:?}").to_lowercase();
            let case = self.case;
            say(&format!(
                "{name}: case {case}: make torture R={name} SEED={seed} DB={db} CASE={case}"
            ));
        }
    }
}

fn left_off(orders: &Orders) -> Option<u64> {
    fs::read_to_string(orders.place()).ok()?.trim().parse().ok()
}

fn by_chance(orders: &Orders, total: u64, small: usize) -> Vec<u64> {
    let all = usize::try_from(total).unwrap();
    let mut chance = StdRng::seed_from_u64(orders.seed ^ chance_of(orders.engine));
    let chosen = sample(&mut chance, all, small.min(all));
    let chosen = chosen.into_iter().map(|case| u64::try_from(case).unwrap());
    let mut chosen: Vec<u64> = chosen.collect();
    let turn = chance.random_range(0..chosen.len().max(1));
    chosen.rotate_left(turn);
    chosen
}

/// The two databases are not shown the same cases.
fn chance_of(engine: Engine) -> u64 {
    match engine {
        Engine::Sqlite => 1,
        Engine::Postgresql => 2,
    }
}

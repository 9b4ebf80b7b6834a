//! The state of one simulated world, and how its parts draw fate.
//!
//! **Invariant:** everything is behind one lock that is never held across an await, and every draw comes from the world's
//! one source of chance.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::bitpay::Site;
use super::coverage::{Coverage, Happening};
use super::disk::Disk;
use super::executor::{Life, OUTSIDE, Schedule};
use super::journal::Journal;
use super::people::restart;
use super::plan::Plan;
use super::process::{Running, ring_all};
use super::rng::Rng;
use super::splynx::Books;

/// All that is simulated.
pub(super) struct World {
    pub(super) schedule: Arc<Schedule>,
    state: Mutex<State>,
}

/// What is behind the lock.
pub(super) struct State {
    pub(super) rng: Rng,
    pub(super) plan: Plan,
    pub(super) coverage: Coverage,
    pub(super) journal: Journal,
    pub(super) disk: Disk,
    pub(super) splynx: Books,
    pub(super) bitpay: Site,
    /// The wall clocks of the hosts, in milliseconds ahead of the truth.
    pub(super) offsets: [i64; 2],
    /// The instances that run now, by host.
    pub(super) running: [Option<Running>; 2],
    /// What each life is to meet at which of its next steps.
    pub(super) ordeals: BTreeMap<Life, Ordeal>,
    pub(super) last_life: u32,
    /// What must never happen and did.
    pub(super) violations: Vec<String>,
}

/// What a process is to meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ordeal {
    /// Where; `None`: anywhere.
    pub(super) at: Option<Point>,
    /// After so many steps there.
    pub(super) steps: u32,
    /// What then.
    pub(super) fate: Fate,
}

/// How a process ends or pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It dies.
    Crash,
    /// It stands still for so long.
    Freeze(i64),
}

/// Where in a port a process can die or stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    /// Before anything was done.
    Before,
    /// After a commit.
    Committed,
    /// After the check of the lease, before the request left.
    Checked,
    /// After the request left.
    Sent,
}

impl World {
    pub(super) fn new(schedule: Arc<Schedule>, state: State) -> Arc<Self> {
        Arc::new(Self { schedule, state: Mutex::new(state) })
    }

    /// The state, for a moment.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True milliseconds since the beginning.
    pub(super) fn now(&self) -> i64 {
        self.schedule.now()
    }

    /// Lets some time of this range pass.
    pub(super) async fn pass(&self, low: i64, high: i64) {
        let pause = self.state().rng.between(low, high);
        self.schedule.sleep(pause).await;
    }

    /// One step of a process: here it may die or be suspended.
    pub(super) async fn step(self: &Arc<Self>, life: Life, point: Point) {
        match self.fate_of(life, point) {
            None => {}
            Some(Fate::Crash) => {
                self.state().count_crash(point);
                self.crash(life);
                std::future::pending::<()>().await;
            }
            Some(Fate::Freeze(pause)) => {
                self.freeze(life, pause, point);
                // Gives way, and comes back when the process has thawed.
                self.schedule.sleep(0).await;
            }
        }
    }

    fn fate_of(&self, life: Life, point: Point) -> Option<Fate> {
        if life == OUTSIDE {
            return None;
        }
        let mut state = self.state();
        let ordeal = state.ordeals.get_mut(&life)?;
        if ordeal.at.is_some_and(|at| at != point) {
            return None;
        }
        if ordeal.steps > 0 {
            ordeal.steps = ordeal.steps.saturating_sub(1);
            return None;
        }
        let fate = ordeal.fate;
        state.ordeals.remove(&life);
        Some(fate)
    }

    /// Ends a process where it stands.
    pub(super) fn crash(self: &Arc<Self>, life: Life) {
        self.schedule.kill(life);
        let mut state = self.state();
        let is_of = |place: &Option<Running>| place.as_ref().is_some_and(|it| it.life == life);
        let host = state.running.iter().position(is_of);
        let gone = host.and_then(|host| state.running.get_mut(host)).and_then(Option::take);
        let now = self.now();
        state.coverage.count(Happening::Crash);
        state.journal.note(now, "crash", i64::from(life.0), String::new);
        drop(state);
        drop(gone);
        if let Some(host) = host {
            restart(self, host);
        }
    }

    /// Suspends a process for so long.
    pub(super) fn freeze(self: &Arc<Self>, life: Life, pause: i64, point: Point) {
        self.schedule.freeze(life);
        let now = self.now();
        let mut state = self.state();
        state.coverage.count(Happening::Freeze);
        if point == Point::Checked {
            state.coverage.count(Happening::FreezeBeforeSend);
        }
        state.journal.note(now, "freeze", i64::from(life.0), || format!("for {pause} ms"));
        drop(state);
        let schedule = Arc::clone(&self.schedule);
        self.schedule.after(pause, move || schedule.thaw(life));
        ring_all(self, 61_000);
    }
}

impl State {
    /// Draws whether a fault of this rate happens now, and counts it.
    pub(super) fn strikes(&mut self, rate: impl Fn(&Plan) -> u64, what: Happening) -> bool {
        let rate = rate(&self.plan);
        let strikes = rate > 0 && self.rng.chance(rate);
        if strikes {
            self.coverage.count(what);
        }
        strikes
    }

    /// Whether Splynx answers nothing now.
    pub(super) fn is_out(&self, now: i64) -> bool {
        self.plan.outages.iter().any(|(begin, end)| (*begin..*end).contains(&now))
    }

    fn count_crash(&mut self, point: Point) {
        match point {
            Point::Committed => self.coverage.count(Happening::CrashAfterCommit),
            Point::Sent => self.coverage.count(Happening::CrashInFlight),
            Point::Before | Point::Checked => {}
        }
    }

    /// Something happened that must never happen.
    pub(super) fn violated(&mut self, now: i64, words: impl Into<String>) {
        let words = words.into();
        self.journal.note(now, "VIOLATION", 0, || words.clone());
        self.violations.push(words);
    }
}

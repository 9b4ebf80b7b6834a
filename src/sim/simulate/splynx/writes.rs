//! How a write fares on its way to Splynx and back.
//!
//! **Invariant:** within the residual assumption no write is executed later than one quiescence window after its intent
//! was committed; what is executed later is marked as such. Two writes of one thing are never under way at once.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;

use super::super::coverage::Happening;
use super::super::people::jump;
use super::super::world::{Point, State, World};
use super::books::Wish;
use super::{SplynxPort, TIMEOUT};
use crate::domain::posting::{NotExecuted, PostingKind, WriteOutcome};
use crate::ports::billing::{Endpoint, Write};
use crate::ports::clock::Clock as _;

/// What becomes of one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It never leaves.
    Unreachable,
    /// Splynx says no.
    Refused,
    /// Splynx asks to wait.
    Throttled,
    /// It is executed and answered.
    Clean,
    /// It is lost before it is executed.
    LostBefore,
    /// It is executed; its answer is lost.
    LostAfter,
    /// It is executed when its sender has long given up.
    Late,
}

type Answer = Arc<Mutex<Option<WriteOutcome>>>;

fn unreachable(why: &str) -> WriteOutcome {
    WriteOutcome::NotExecuted(NotExecuted::Unreachable { why: why.to_owned() })
}

fn draw_way(state: &mut State, now: i64) -> Way {
    use Happening as H;
    if state.is_out(now) {
        state.coverage.count(H::Unreachable);
        return Way::Unreachable;
    }
    if state.strikes(|plan| plan.rates.unreachable, H::Unreachable) {
        Way::Unreachable
    } else if state.strikes(|plan| plan.rates.refused, H::Refused) {
        Way::Refused
    } else if state.strikes(|plan| plan.rates.throttled, H::Throttled) {
        Way::Throttled
    } else if state.strikes(|plan| plan.rates.lost_before, H::LostBefore) {
        Way::LostBefore
    } else if state.strikes(|plan| plan.rates.lost_after, H::LostAfter) {
        Way::LostAfter
    } else if state.strikes(|plan| plan.rates.late, H::Late) {
        Way::Late
    } else {
        Way::Clean
    }
}

impl SplynxPort {
    /// Sends one write.
    pub(super) async fn send(&self, write: Write<'_>) -> WriteOutcome {
        let world = &self.world;
        world.step(self.life, Point::Before).await;
        world.pass(0, 40).await;
        if self.clock.monotonic() > write.not_after {
            world.state().coverage.count(Happening::LeaseEnded);
            return unreachable("the lease ran out before the request could leave");
        }
        let wish = Wish::of(write.endpoint, write.body);
        let intent = self.intent_of(&wish);
        // The connection is made now; a machine may be suspended right here.
        world.step(self.life, Point::Checked).await;
        let way = draw_way(&mut world.state(), world.now());
        match way {
            Way::Unreachable => return unreachable("connection refused"),
            Way::Refused => {
                world.pass(5, 60).await;
                let sentence = "no".to_owned();
                return WriteOutcome::NotExecuted(NotExecuted::Refused { sentence });
            }
            Way::Throttled => {
                let wait = TimeDelta::seconds(world.state().rng.between(1, 120));
                return WriteOutcome::NotExecuted(NotExecuted::Throttled { wait });
            }
            Way::Clean | Way::LostBefore | Way::LostAfter | Way::Late => {}
        }
        let Some(answer) = self.leave(write.endpoint, wish, way, intent) else {
            return unreachable("the connection was closed while the machine was suspended");
        };
        world.step(self.life, Point::Sent).await;
        self.wait(way, &answer).await
    }

    /// When the intent of this write was committed. There must be one.
    fn intent_of(&self, wish: &Wish) -> i64 {
        let now = self.world.now();
        if wish.kind == PostingKind::DocumentStatus {
            return now;
        }
        let mut state = self.world.state();
        let intent = state.splynx.take_intent(&wish.thing);
        if intent.is_none() {
            state.violated(now, format!("`{}` leaves before its intent is committed", wish.thing));
        }
        intent.unwrap_or(now)
    }

    /// The write leaves. `None`: so long after its intent that no connection would still be open.
    fn leave(&self, endpoint: Endpoint, wish: Wish, way: Way, intent: i64) -> Option<Answer> {
        let world = &self.world;
        let now = world.now();
        let mut state = world.state();
        let window = state.plan.quiescence;
        let latest = intent.saturating_add(window);
        let beyond = state.plan.beyond_quiescence && state.rng.chance(500);
        if now > latest && !beyond {
            return None;
        }
        count_unclear(&mut state, way, wish.kind);
        let pause = match way {
            Way::Late if beyond => {
                latest.saturating_sub(now).max(0).saturating_add(state.rng.between(1, 2 * window))
            }
            Way::Late => state.rng.between(0, latest.saturating_sub(now).saturating_sub(1).max(0)),
            _ => state.rng.between(2, 300).min(latest.saturating_sub(now).max(0)),
        };
        let is_money = wish.kind != PostingKind::DocumentStatus;
        if is_money && now.saturating_add(pause) > latest {
            state.coverage.count(Happening::TooLate);
            state.splynx.tainted.insert(wish.thing.clone());
        }
        if is_money {
            board(&mut state, now, &wish.thing);
        }
        state.journal.note(now, "leaves", pause, || format!("{} {way:?}", wish.thing));
        let jumps = way != Way::Clean && state.plan.jumps > 0 && state.rng.chance(150);
        let healed = now >= state.plan.heal_at;
        drop(state);
        if jumps && !healed {
            let inner = Arc::clone(world);
            let pause = world.state().rng.between(0, window);
            world.schedule.after(pause, move || jump(&inner));
        }
        let answer = Answer::default();
        let (world, slot) = (Arc::clone(world), Arc::clone(&answer));
        self.world.schedule.after(pause, move || arrive(&world, endpoint, &wish, way, &slot));
        Some(answer)
    }

    async fn wait(&self, way: Way, answer: &Answer) -> WriteOutcome {
        let world = &self.world;
        let (low, high) = match way {
            Way::Clean => (300, 700),
            // A reset or a 502 at once, or nothing until the time is over.
            _ if world.state().rng.chance(500) => (0, 900),
            _ => (TIMEOUT, TIMEOUT),
        };
        world.pass(low, high).await;
        let answered = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        match answered {
            Some(outcome) if way == Way::Clean => outcome,
            _ => WriteOutcome::Unclear { why: "no answer".to_owned() },
        }
    }
}

fn count_unclear(state: &mut State, way: Way, kind: PostingKind) {
    if way == Way::Clean {
        return;
    }
    match kind {
        PostingKind::DocumentStatus => state.coverage.count(Happening::StatusUnclear),
        PostingKind::FeeItem => state.coverage.count(Happening::ItemUnclear),
        _ => {}
    }
}

/// One more write of this thing is under way.
fn board(state: &mut State, now: i64, thing: &str) {
    let under_way = state.splynx.under_way.entry(thing.to_owned()).or_default();
    *under_way = under_way.saturating_add(1);
    if *under_way > 1 && !state.splynx.tainted.contains(thing) {
        state.violated(now, format!("two requests of `{thing}` are under way at once"));
    }
}

/// What happens at Splynx, whatever has become of the sender.
fn arrive(world: &World, endpoint: Endpoint, wish: &Wish, way: Way, answer: &Answer) {
    let now = world.now();
    let mut state = world.state();
    if let Some(under_way) = state.splynx.under_way.get_mut(&wish.thing) {
        *under_way = under_way.saturating_sub(1);
    }
    if way == Way::LostBefore {
        return;
    }
    let outcome = state.splynx.execute(endpoint, wish, now);
    state.journal.note(now, "executed", 0, || format!("{} {outcome:?}", wish.thing));
    *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
}

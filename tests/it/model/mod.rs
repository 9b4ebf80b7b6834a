//! R24: the whole state space of one credit, two events, two workers, and three mishaps in any mixture: crashes, lost,
//! late and refused requests, suspended senders.
//!
//! **Invariant:** every transition of a posting and of an attempt is one of the domain's own functions; the model adds only
//! what the outside adds: a store that compares versions and leases, a net that loses and delays, a Splynx that makes a
//! row for each request. Time goes on only when nobody can act, so that what must happen eventually does happen.

mod world;

use std::io::Write as _;
use std::time::Instant;

use stateright::{Checker as _, Model, Property};

use self::world::*;

/// How much goes wrong at most.
struct Bounds {
    /// Crashes, lost, late or refused requests, and suspensions together.
    mishaps: u8,
    /// Whether from UNKNOWN it is sent again without a second search: to see that the model notices.
    reckless: bool,
}

impl Bounds {
    fn worker_acts(&self, world: &World, w: usize, acts: &mut Vec<Act>) {
        let worker = &world.workers[w];
        if worker.suspended.is_some() {
            acts.push(Act::Thaw(w));
            return;
        }
        match worker.stage {
            Stage::Idle => {
                let free = world.leased_until.is_none_or(|until| until <= world.now);
                if free && world.is_due() {
                    acts.push(Act::Lease(w));
                }
                return;
            }
            Stage::Working | Stage::Looked => acts.push(Act::Step(w)),
            Stage::Begun => {
                acts.push(Act::Send(w, Way::Clean));
                if world.mishaps < self.mishaps {
                    let ways = [Way::Refused, Way::LostBefore, Way::LostAfter, Way::Late];
                    acts.extend(ways.map(|way| Act::Send(w, way)));
                }
            }
            Stage::Waiting => acts.push(Act::Answer(w)),
        }
        if world.mishaps < self.mishaps {
            acts.extend([Act::Crash(w), Act::Suspend(w)]);
        }
    }
}

impl Model for Bounds {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            now: 0,
            events: 1,
            events_to_come: 1,
            ledger: IDLE,
            leased_until: None,
            workers: [RESTED; 2],
            under_way: vec![],
            rows: 0,
            mishaps: 0,
            resent: false,
        }]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        if world.now >= END {
            return;
        }
        for w in 0..world.workers.len() {
            self.worker_acts(world, w, acts);
        }
        // Who is suspended comes back when they like; everybody else acts before time goes on.
        let may_wait = |act: &Act| match act {
            Act::Thaw(w) => {
                world.workers[*w].suspended.is_some_and(|since| world.now < since + SUSPENDED_MAX)
            }
            _ => false,
        };
        let idle =
            acts.iter().all(may_wait) && world.under_way.iter().all(|latest| *latest > world.now);
        acts.extend((0..world.under_way.len()).map(Act::Execute));
        if world.events_to_come > 0 && world.now <= EVENTS_UNTIL {
            acts.push(Act::Event);
        }
        let is_over = world.is_credited()
            && world.ledger.work_at.is_none()
            && world.under_way.is_empty()
            && acts.is_empty();
        if idle && !is_over {
            acts.push(Act::Tick);
        }
    }

    fn next_state(&self, world: &World, act: Act) -> Option<World> {
        let mut next = world.clone();
        match act {
            Act::Tick => next.now += 1,
            Act::Event => {
                next.events += 1;
                next.events_to_come -= 1;
            }
            Act::Lease(w) => next.lease(w),
            Act::Step(w) => next.step(w),
            Act::Send(w, way) => next.send(w, way),
            Act::Answer(w) => next.answer(w),
            Act::Crash(w) => {
                next.mishaps += 1;
                next.workers[w] = RESTED;
            }
            Act::Suspend(w) => {
                next.mishaps += 1;
                next.workers[w].suspended = Some(next.now);
            }
            Act::Thaw(w) => next.workers[w].suspended = None,
            Act::Execute(place) => {
                next.under_way.remove(place);
                next.rows += 1;
            }
        }
        if self.reckless
            && let Stand::Unknown(..) = next.ledger.stand
        {
            next.ledger.stand = Stand::Ready(next.now);
        }
        next.forget_what_makes_no_difference();
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("at most once", |_, world: &World| world.rows <= 1),
            Property::always("one request under way", |_, world: &World| {
                world.under_way.len() <= 1
            }),
            Property::eventually("credited", |_, world: &World| world.is_credited()),
            Property::sometimes("sent again after proof of absence", |_, world: &World| {
                world.resent && world.is_credited()
            }),
            Property::sometimes("a request is executed while in doubt", |_, world: &World| {
                world.rows == 1 && matches!(world.ledger.stand, Stand::Unknown(..))
            }),
        ]
    }
}

#[test]
fn the_whole_state_space_credits_at_most_once_and_in_the_end_surely() {
    #[expect(clippy::disallowed_methods, reason = "how long the test takes is printed")]
    let begun = Instant::now();
    let bounds = Bounds { mishaps: 3, reckless: false };
    let checker = bounds.checker().threads(2).spawn_bfs().join();
    let (unique, all) = (checker.unique_state_count(), checker.state_count());
    print(&format!(
        "R24: {unique} states ({all} visits) in {:?}: two events, two workers, three mishaps: crashes, lost, late and \
         refused requests, suspensions\n",
        begun.elapsed()
    ));
    checker.assert_properties();
    assert!(unique > 10_000, "the model has become dull: {unique} states");
}

#[test]
fn the_model_notices_a_worker_that_sends_again_without_a_search() {
    let bounds = Bounds { mishaps: 1, reckless: true };
    let checker = bounds.checker().spawn_bfs().join();
    assert!(checker.discovery("at most once").is_some());
}

fn print(text: &str) {
    std::io::stdout().write_all(text.as_bytes()).unwrap();
}

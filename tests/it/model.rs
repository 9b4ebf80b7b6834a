//! R24: the whole state space of one credit, two events, two workers, and three mishaps in any mixture: crashes, lost,
//! late and refused requests, suspended senders.
//!
//! **Invariant:** every transition of a posting and of an attempt is one of the domain's own functions; the model adds only
//! what the outside adds: a store that compares versions and leases, a net that loses and delays, a Splynx that makes a
//! row for each request. Time goes on only when nobody can act, so that what must happen eventually does happen.

use std::io::Write as _;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use splynx_bitpay::domain::attempt::{Attempt, Opened, State, Terms};
use splynx_bitpay::domain::connection::{Environment, ProcessorKind};
use splynx_bitpay::domain::credit::{ByHand, Credit, Target, credit_key};
use splynx_bitpay::domain::ids::{
    AttemptId, ConnectionId, CustomerId, Hook, PostingId, ProcessorInvoiceId, ResultToken, SplynxId,
};
use splynx_bitpay::domain::money::{Currency, Money};
use splynx_bitpay::domain::observation::{Exception, Observation, ProcessorStatus};
use splynx_bitpay::domain::payable::Payable;
use splynx_bitpay::domain::posting::{
    NotExecuted, Posting, PostingKind, PostingState, SearchOutcome, WriteOutcome,
};
use splynx_bitpay::domain::recording::{Task, next_task};
use splynx_bitpay::domain::schedule::Timing;
use stateright::{Checker as _, Model, Property};

/// One tick of the model's time.
const TICK: i64 = 60;
/// In ticks.
const LEASE: u8 = 2;
/// In ticks.
const QUIESCENCE: u8 = 3;
/// A suspended sender comes back after so many ticks at the latest.
const SUSPENDED_MAX: u8 = 4;
/// The second event comes in these ticks, or never.
const EVENTS_UNTIL: u8 = 6;
/// No run may take longer, whatever goes wrong.
const END: u8 = 60;

/// Where the posting of the one credit stands, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Stand {
    None,
    Ready(u8),
    Posting(u8),
    Unknown(u8, Option<u8>, u8),
    Posted,
    Duplicate,
}

/// What a worker reads and writes as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Ledger {
    version: u8,
    credits: u8,
    stand: Stand,
    tries: u8,
    work_at: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Stage {
    Idle,
    Working,
    /// Looked, found nothing, has not begun.
    Looked,
    /// The intent is committed, the request has not left.
    Begun,
    /// The request left.
    Waiting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Worker {
    stage: Stage,
    ledger: Ledger,
    lease_end: u8,
    /// How many events its look is to serve.
    events: u8,
    /// When this process first saw that try absent.
    absent: Option<(u8, u8)>,
    suspended: Option<u8>,
    outcome: Option<Answer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Answer {
    Done,
    Unclear,
    Refused,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    now: u8,
    events: u8,
    events_to_come: u8,
    ledger: Ledger,
    leased_until: Option<u8>,
    workers: [Worker; 2],
    /// Requests that left and may yet be executed: until when.
    under_way: Vec<u8>,
    rows: u8,
    /// Crashes, lost, late or refused requests, and suspensions so far.
    mishaps: u8,
    resent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Act {
    Tick,
    Event,
    Lease(usize),
    Step(usize),
    Send(usize, Way),
    Answer(usize),
    Crash(usize),
    Suspend(usize),
    Thaw(usize),
    Execute(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Way {
    Clean,
    Refused,
    LostBefore,
    LostAfter,
    Late,
}

fn at(tick: u8) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::from(tick) * TICK)
}

/// The first tick that is not before this moment.
fn tick(moment: DateTime<Utc>) -> u8 {
    let seconds = moment.timestamp().max(0);
    u8::try_from((seconds + TICK - 1) / TICK).unwrap()
}

fn timing() -> Timing {
    let ticks = |number: u8| TimeDelta::seconds(i64::from(number) * TICK);
    Timing {
        request_timeout: TimeDelta::seconds(15),
        lease: ticks(LEASE),
        quiescence: ticks(QUIESCENCE),
    }
}

fn price() -> Money {
    Money::from_minor(100, Currency::parse("USD").unwrap())
}

fn invoice() -> ProcessorInvoiceId {
    ProcessorInvoiceId::parse("x").unwrap()
}

fn attempt() -> Attempt {
    let born = at(0);
    Attempt {
        id: AttemptId::new(born, 1),
        hook: Hook::new(1),
        result_token: ResultToken::new(2),
        connection: ConnectionId::new(born, 3),
        processor: ProcessorKind::BitPay,
        environment: Environment::Test,
        customer: CustomerId::new(1),
        payable: Payable::TopUp,
        terms: Terms::new(price(), None, rust_decimal::Decimal::ZERO).unwrap(),
        state: State::AwaitingPayment,
        opened: Some(Opened {
            invoice: invoice(),
            checkout_url: String::new(),
            expires_at: born,
            opened_at: born,
        }),
        open_key: None,
        created_at: born,
        settled_at: None,
        recorded_at: None,
        monitor_until: born,
        last_seen: None,
        look_at: None,
        work_at: None,
        failures: 0,
        version: 1,
    }
}

fn seen() -> Observation {
    Observation {
        invoice: invoice(),
        order_id: None,
        price: price(),
        status: ProcessorStatus::Settled,
        exception: Exception::None,
        paid: None,
    }
}

impl Ledger {
    fn credits(self) -> Vec<Credit> {
        let target = if self.stand == Stand::None { Target::Undecided } else { Target::Balance };
        (1..=u32::from(self.credits))
            .map(|n| Credit {
                key: credit_key(ProcessorKind::BitPay, &invoice(), n).unwrap(),
                attempt: attempt().id,
                connection: attempt().connection,
                invoice: invoice(),
                n,
                amount: price(),
                target,
                date: at(0).date_naive(),
                by_hand: ByHand::Nothing,
            })
            .collect()
    }

    fn posting(self) -> Option<Posting> {
        let state = match self.stand {
            Stand::None => return None,
            Stand::Ready(not_before) => PostingState::Ready { not_before: at(not_before) },
            Stand::Posting(begun) => PostingState::Posting { begun_at: at(begun) },
            Stand::Unknown(begun, absent, search) => PostingState::Unknown {
                begun_at: at(begun),
                first_absent: absent.map(at),
                search_at: at(search),
            },
            Stand::Posted => PostingState::Posted { splynx_id: Some(SplynxId::new(1)) },
            Stand::Duplicate => PostingState::Duplicate { splynx_ids: vec![] },
        };
        Some(Posting {
            id: PostingId::new(at(0), 1),
            attempt: attempt().id,
            credit: Some(credit_key(ProcessorKind::BitPay, &invoice(), 1).unwrap()),
            kind: PostingKind::BalancePayment,
            state,
            body: String::new(),
            tries: u32::from(self.tries),
            first_begun_at: None,
            last_error: None,
        })
    }

    fn with(self, posting: &Posting) -> Self {
        let stand = match &posting.state {
            PostingState::Ready { not_before } => Stand::Ready(tick(*not_before)),
            PostingState::Posting { begun_at } => Stand::Posting(tick(*begun_at)),
            PostingState::Unknown { begun_at, first_absent, search_at } => {
                Stand::Unknown(tick(*begun_at), first_absent.map(tick), tick(*search_at))
            }
            PostingState::Posted { .. } => Stand::Posted,
            PostingState::Duplicate { .. } => Stand::Duplicate,
            PostingState::Dropped => unreachable!("nobody drops a payment"),
        };
        Self { stand, tries: u8::try_from(posting.tries).unwrap(), ..self }
    }
}

const IDLE: Ledger = Ledger { version: 0, credits: 0, stand: Stand::None, tries: 0, work_at: None };

const RESTED: Worker = Worker {
    stage: Stage::Idle,
    ledger: IDLE,
    lease_end: 0,
    events: 0,
    absent: None,
    suspended: None,
    outcome: None,
};

impl World {
    fn found(&self) -> SearchOutcome {
        SearchOutcome::Complete((1..=i64::from(self.rows)).map(SplynxId::new).collect())
    }

    fn is_due(&self) -> bool {
        self.events > 0 || self.ledger.work_at.is_some_and(|at| at <= self.now)
    }

    /// Commits what worker `w` makes of its ledger, if its version is still the one it read.
    fn commit(&mut self, w: usize, after: Ledger) -> bool {
        let worker = &mut self.workers[w];
        if worker.ledger.version != self.ledger.version {
            *worker = Worker { absent: worker.absent, ..RESTED };
            return false;
        }
        self.ledger = Ledger { version: after.version + 1, ..after };
        worker.ledger = self.ledger;
        true
    }

    fn release(&mut self, w: usize, work_at: Option<u8>) {
        let after = Ledger { work_at, ..self.workers[w].ledger };
        if self.commit(w, after) {
            self.leased_until = None;
            self.workers[w] = Worker { absent: self.workers[w].absent, ..RESTED };
        }
    }

    fn observe(&mut self, w: usize) {
        let served = std::mem::take(&mut self.workers[w].events);
        let ledger = self.workers[w].ledger;
        let credited = if ledger.credits == 0 { Money::zero(price().currency()) } else { price() };
        let step = attempt().observe(&seen(), credited).unwrap();
        let earned = u8::from(step.credit.is_some());
        let work_at = if earned > 0 { Some(self.now) } else { ledger.work_at };
        // Who dies before this leaves the look to be done: what was noted stays due.
        if self.commit(w, Ledger { credits: ledger.credits + earned, work_at, ..ledger }) {
            self.events -= served;
        }
    }

    /// One step of a worker that holds the attempt.
    fn step(&mut self, w: usize) {
        if self.workers[w].events > 0 {
            return self.observe(w);
        }
        let ledger = self.workers[w].ledger;
        let posting = ledger.posting();
        let postings: Vec<Posting> = posting.iter().cloned().collect();
        // Before anything is asked of Splynx the lease must cover the request.
        if self.now >= self.workers[w].lease_end {
            return self.release(w, ledger.work_at.or(Some(self.now)));
        }
        match next_task(&ledger.credits(), &postings, at(self.now)) {
            Task::Nothing => self.release(w, None),
            Task::WaitUntil(until) => self.release(w, Some(tick(until))),
            Task::Decide(_) => {
                self.commit(w, Ledger { stand: Stand::Ready(self.now), ..ledger });
            }
            Task::Send(_) => self.look_and_begin(w, &posting.unwrap()),
            Task::Search(_) => self.search(w, &posting.unwrap()),
        }
    }

    fn look_and_begin(&mut self, w: usize, posting: &Posting) {
        let ledger = self.workers[w].ledger;
        if self.workers[w].stage == Stage::Working {
            match posting.looked_up(self.found(), at(self.now)) {
                None => self.workers[w].stage = Stage::Looked,
                Some((after, _)) => {
                    self.commit(w, ledger.with(&after));
                }
            }
            return;
        }
        let begun = posting.begin(at(self.now)).unwrap();
        if self.commit(w, ledger.with(&begun)) {
            self.workers[w].stage = Stage::Begun;
        }
    }

    fn search(&mut self, w: usize, posting: &Posting) {
        let orphan = posting.orphaned();
        let (now, ledger) = (self.now, self.workers[w].ledger);
        let tries = ledger.tries;
        let found = self.found();
        if found == SearchOutcome::Complete(vec![]) {
            let absent = self.workers[w].absent.filter(|(of, _)| *of == tries);
            self.workers[w].absent = absent.or(Some((tries, now)));
        }
        let since = self.workers[w].absent.filter(|(of, _)| *of == tries).map_or(now, |it| it.1);
        let absent_for = at(now) - at(since);
        let (after, _) = orphan.searched(found, at(now), absent_for, timing());
        self.commit(w, ledger.with(&after));
    }

    fn send(&mut self, w: usize, way: Way) {
        let Stand::Posting(begun) = self.workers[w].ledger.stand else {
            unreachable!("only what is begun is sent")
        };
        self.workers[w].stage = Stage::Waiting;
        self.mishaps += u8::from(way != Way::Clean);
        // The check of the lease, on a clock that went on while the machine was suspended.
        if self.now >= self.workers[w].lease_end {
            self.workers[w].outcome = Some(Answer::Refused);
            return;
        }
        self.resent |= self.workers[w].ledger.tries > 1;
        let latest = begun + QUIESCENCE - 1;
        self.workers[w].outcome = match way {
            Way::Clean => Some(Answer::Done),
            Way::Refused => Some(Answer::Refused),
            _ => Some(Answer::Unclear),
        };
        match way {
            Way::Clean | Way::LostAfter => self.rows += 1,
            Way::Late => self.under_way.push(latest),
            Way::Refused | Way::LostBefore => {}
        }
    }

    fn answer(&mut self, w: usize) {
        let worker = self.workers[w];
        let outcome = match worker.outcome.unwrap() {
            Answer::Done => WriteOutcome::Done { splynx_id: Some(SplynxId::new(1)) },
            Answer::Unclear => WriteOutcome::Unclear { why: String::new() },
            Answer::Refused => {
                WriteOutcome::NotExecuted(NotExecuted::Unreachable { why: String::new() })
            }
        };
        let (after, _) = worker.ledger.posting().unwrap().ended(outcome, at(self.now));
        self.workers[w].stage = Stage::Working;
        self.workers[w].outcome = None;
        self.commit(w, worker.ledger.with(&after));
    }

    fn lease(&mut self, w: usize) {
        self.ledger.version += 1;
        self.leased_until = Some(self.now + LEASE);
        self.workers[w] = Worker {
            stage: Stage::Working,
            ledger: self.ledger,
            lease_end: self.now + LEASE,
            events: self.events,
            absent: self.workers[w].absent,
            suspended: None,
            outcome: None,
        };
    }

    /// Two worlds that differ in this alone go on alike: which worker is which, the order of requests in the net, and
    /// the number of a version: whoever read an old one can never commit again.
    fn forget_what_makes_no_difference(&mut self) {
        for worker in &mut self.workers {
            worker.ledger.version = u8::from(worker.ledger.version == self.ledger.version);
        }
        self.ledger.version = 1;
        self.workers.sort();
        self.under_way.sort_unstable();
    }

    fn is_credited(&self) -> bool {
        self.rows == 1 && self.ledger.stand == Stand::Posted
    }
}

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

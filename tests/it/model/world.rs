//! The world of the model: what the outside adds to the domain's own functions, in ticks.
//!
//! **Invariant:** a store that compares versions and leases, a net that loses and delays, a Splynx that makes a row for each
//! request; nothing of the rules of money is written again here.

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

/// One tick of the model's time.
pub(super) const TICK: i64 = 60;
/// In ticks.
pub(super) const LEASE: u8 = 2;
/// In ticks.
pub(super) const QUIESCENCE: u8 = 3;
/// A suspended sender comes back after so many ticks at the latest.
pub(super) const SUSPENDED_MAX: u8 = 4;
/// The second event comes in these ticks, or never.
pub(super) const EVENTS_UNTIL: u8 = 6;
/// No run may take longer, whatever goes wrong.
pub(super) const END: u8 = 60;

/// Where the posting of the one credit stands, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Stand {
    None,
    Ready(u8),
    Posting(u8),
    Unknown(u8, Option<u8>, u8),
    Posted,
    Duplicate,
}

/// What a worker reads and writes as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Ledger {
    pub(super) version: u8,
    pub(super) credits: u8,
    pub(super) stand: Stand,
    pub(super) tries: u8,
    pub(super) work_at: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Stage {
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
pub(super) struct Worker {
    pub(super) stage: Stage,
    pub(super) ledger: Ledger,
    pub(super) lease_end: u8,
    /// How many events its look is to serve.
    pub(super) events: u8,
    /// When this process first saw that try absent.
    pub(super) absent: Option<(u8, u8)>,
    pub(super) suspended: Option<u8>,
    pub(super) outcome: Option<Answer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Answer {
    Done,
    Unclear,
    Refused,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) now: u8,
    pub(super) events: u8,
    pub(super) events_to_come: u8,
    pub(super) ledger: Ledger,
    pub(super) leased_until: Option<u8>,
    pub(super) workers: [Worker; 2],
    /// Requests that left and may yet be executed: until when.
    pub(super) under_way: Vec<u8>,
    pub(super) rows: u8,
    /// Crashes, lost, late or refused requests, and suspensions so far.
    pub(super) mishaps: u8,
    pub(super) resent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Act {
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
pub(super) enum Way {
    Clean,
    Refused,
    LostBefore,
    LostAfter,
    Late,
}

pub(super) fn at(tick: u8) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::from(tick) * TICK)
}

/// The first tick that is not before this moment.
pub(super) fn tick(moment: DateTime<Utc>) -> u8 {
    let seconds = moment.timestamp().max(0);
    u8::try_from((seconds + TICK - 1) / TICK).unwrap()
}

pub(super) fn timing() -> Timing {
    let ticks = |number: u8| TimeDelta::seconds(i64::from(number) * TICK);
    Timing {
        request_timeout: TimeDelta::seconds(15),
        lease: ticks(LEASE),
        quiescence: ticks(QUIESCENCE),
    }
}

pub(super) fn price() -> Money {
    Money::from_minor(100, Currency::parse("USD").unwrap())
}

pub(super) fn invoice() -> ProcessorInvoiceId {
    ProcessorInvoiceId::parse("x").unwrap()
}

pub(super) fn attempt() -> Attempt {
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

pub(super) fn seen() -> Observation {
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
    pub(super) fn credits(self) -> Vec<Credit> {
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

    pub(super) fn posting(self) -> Option<Posting> {
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

    pub(super) fn with(self, posting: &Posting) -> Self {
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

pub(super) const IDLE: Ledger =
    Ledger { version: 0, credits: 0, stand: Stand::None, tries: 0, work_at: None };

pub(super) const RESTED: Worker = Worker {
    stage: Stage::Idle,
    ledger: IDLE,
    lease_end: 0,
    events: 0,
    absent: None,
    suspended: None,
    outcome: None,
};

impl World {
    pub(super) fn found(&self) -> SearchOutcome {
        SearchOutcome::Complete((1..=i64::from(self.rows)).map(SplynxId::new).collect())
    }

    pub(super) fn is_due(&self) -> bool {
        self.events > 0 || self.ledger.work_at.is_some_and(|at| at <= self.now)
    }

    /// Commits what worker `w` makes of its ledger, if its version is still the one it read.
    pub(super) fn commit(&mut self, w: usize, after: Ledger) -> bool {
        let worker = &mut self.workers[w];
        if worker.ledger.version != self.ledger.version {
            *worker = Worker { absent: worker.absent, ..RESTED };
            return false;
        }
        self.ledger = Ledger { version: after.version + 1, ..after };
        worker.ledger = self.ledger;
        true
    }

    pub(super) fn release(&mut self, w: usize, work_at: Option<u8>) {
        let after = Ledger { work_at, ..self.workers[w].ledger };
        if self.commit(w, after) {
            self.leased_until = None;
            self.workers[w] = Worker { absent: self.workers[w].absent, ..RESTED };
        }
    }

    pub(super) fn observe(&mut self, w: usize) {
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
    pub(super) fn step(&mut self, w: usize) {
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

    pub(super) fn look_and_begin(&mut self, w: usize, posting: &Posting) {
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

    pub(super) fn search(&mut self, w: usize, posting: &Posting) {
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

    pub(super) fn send(&mut self, w: usize, way: Way) {
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

    pub(super) fn answer(&mut self, w: usize) {
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

    pub(super) fn lease(&mut self, w: usize) {
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
    pub(super) fn forget_what_makes_no_difference(&mut self) {
        for worker in &mut self.workers {
            worker.ledger.version = u8::from(worker.ledger.version == self.ledger.version);
        }
        self.ledger.version = 1;
        self.workers.sort();
        self.under_way.sort_unstable();
    }

    pub(super) fn is_credited(&self) -> bool {
        self.rows == 1 && self.ledger.stand == Stand::Posted
    }
}

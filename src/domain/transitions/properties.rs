//! What holds in any order of events.

use proptest::prelude::*;

use super::samples::{
    EXCEPTIONS, STATUSES, WINDOW, at, attempt, credit, invoice, key, posting, seen, timing, usd,
};
use crate::domain::attempt::State;
use crate::domain::credit::{Credit, Target};
use crate::domain::ids::SplynxId;
use crate::domain::observation::Observation;
use crate::domain::posting::{
    NotExecuted, Posting, PostingKind, PostingState, SearchOutcome, WriteOutcome,
};
use crate::domain::recording::{Task, is_recorded, next_task};

fn any_observation() -> impl Strategy<Value = Observation> {
    let ours = (
        prop::sample::select(STATUSES.to_vec()),
        prop::sample::select(EXCEPTIONS.to_vec()),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
    );
    ours.prop_map(|(status, exception, another, dearer)| {
        let mut observation = seen(status, exception);
        if another {
            observation.invoice = invoice("theirs");
        }
        if dearer {
            observation.price = usd(99_999);
        }
        observation
    })
}

proptest! {
    /// From any state, with any answers in any order: looking twice is looking once, no more is credited than was
    /// ever final, and an attempt with credits never becomes one without.
    #[test]
    fn any_order_of_answers_credits_what_settled_and_never_more(
        state in prop::sample::select(State::ALL.to_vec()),
        observations in prop::collection::vec(any_observation(), 0..16),
    ) {
        let mut it = attempt(state);
        let mut credited = usd(0);
        let mut most = usd(0);
        for observation in observations {
            if it.mismatch(&observation).is_none() {
                let settled = observation.settled(it.processor);
                most = if settled.minor() > most.minor() { settled } else { most };
            }
            let step = it.observe(&observation, credited).unwrap();
            it.state = step.state;
            if let Some(credit) = step.credit {
                prop_assert!(credit.is_positive());
                prop_assert_eq!(step.state, State::Settled);
                credited = credited.checked_add(credit).unwrap();
            }
            prop_assert!(credited.minor() <= most.minor(), "{credited} of {most}");
            let again = it.observe(&observation, credited).unwrap();
            prop_assert_eq!((again.state, again.credit), (it.state, None));
            prop_assert_eq!(again.reviews.len(), step.reviews.len());
            if credited.is_positive() {
                prop_assert_eq!(it.state, State::Settled);
            }
        }
        prop_assert_eq!(credited, most, "all that was final is credited");
    }
}

#[derive(Debug, Clone)]
enum Event {
    /// What the worker does: look before sending, then send.
    LookAndSend(SearchOutcome),
    Ended(WriteOutcome),
    Searched(SearchOutcome),
    Orphaned,
    /// The process is another one: what it remembered is gone.
    Restarted,
}

fn any_finding() -> impl Strategy<Value = SearchOutcome> {
    prop_oneof![
        6 => Just(SearchOutcome::Complete(vec![])),
        1 => Just(SearchOutcome::Complete(vec![SplynxId::new(7)])),
        1 => Just(SearchOutcome::Complete(vec![SplynxId::new(7), SplynxId::new(8)])),
        1 => any::<bool>().prop_map(|unavailable| SearchOutcome::Incomplete {
            why: String::new(),
            unavailable,
        }),
    ]
}

fn any_outcome() -> impl Strategy<Value = WriteOutcome> {
    let why = String::new;
    prop::sample::select(vec![
        WriteOutcome::Unclear { why: why() },
        WriteOutcome::Unclear { why: why() },
        WriteOutcome::Done { splynx_id: None },
        WriteOutcome::NotExecuted(NotExecuted::Unreachable { why: why() }),
        WriteOutcome::NotExecuted(NotExecuted::Refused { sentence: why() }),
        WriteOutcome::NotExecuted(NotExecuted::Throttled { wait: chrono::TimeDelta::seconds(9) }),
    ])
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => any_finding().prop_map(Event::LookAndSend),
        3 => any_outcome().prop_map(Event::Ended),
        4 => any_finding().prop_map(Event::Searched),
        2 => Just(Event::Orphaned),
        1 => Just(Event::Restarted),
    ]
}

/// What somebody who only watches would know about one posting.
#[derive(Debug, Default)]
struct Watcher {
    in_flight: bool,
    in_doubt: bool,
    absences: Vec<i64>,
    /// When the process that runs now first saw absence; a restart forgets it.
    remembered: Option<i64>,
}

impl Watcher {
    fn may_send(&self) -> bool {
        let apart =
            self.absences.last().zip(self.absences.first()).map(|(last, first)| last - first);
        !self.in_doubt || (self.absences.len() >= 2 && apart.is_some_and(|apart| apart >= WINDOW))
    }

    fn sent(&mut self) {
        *self = Self { in_flight: true, ..Self::default() };
    }

    fn ended(&mut self, surely: bool) {
        self.in_doubt |= self.in_flight && !surely;
        self.in_flight = false;
    }
}

fn money_kinds() -> Vec<PostingKind> {
    vec![
        PostingKind::FeeItem,
        PostingKind::DocumentPayment,
        PostingKind::BalancePayment,
        PostingKind::FeeDebit,
    ]
}

/// Lets one event happen; the error says what must not be.
fn happens(it: Posting, event: Event, now: i64, watcher: &mut Watcher) -> Result<Posting, String> {
    let is_unknown = matches!(it.state, PostingState::Unknown { .. });
    match event {
        Event::LookAndSend(found) => {
            let PostingState::Ready { not_before } = it.state else { return Ok(it) };
            if not_before > at(now) {
                return Ok(it);
            }
            if let Some((after, _)) = it.looked_up(found, at(now)) {
                return Ok(after);
            }
            let Some(begun) = it.begin(at(now)) else { return Err("due but not begun".to_owned()) };
            if watcher.in_flight || !watcher.may_send() {
                return Err(format!("sent again at {now}: {watcher:?}"));
            }
            watcher.sent();
            Ok(begun)
        }
        Event::Orphaned => {
            watcher.ended(false);
            Ok(it.orphaned())
        }
        Event::Restarted => {
            watcher.remembered = None;
            Ok(it)
        }
        Event::Ended(outcome) => {
            watcher.ended(!matches!(outcome, WriteOutcome::Unclear { .. }));
            Ok(it.ended(outcome, at(now)).0)
        }
        Event::Searched(found) => {
            let absent_for = watcher.remembered.map_or(0, |first| now - first);
            if is_unknown && found == SearchOutcome::Complete(vec![]) {
                watcher.absences.push(now);
                watcher.remembered.get_or_insert(now);
            }
            let absent_for = chrono::TimeDelta::seconds(absent_for);
            Ok(it.searched(found, at(now), absent_for, timing()).0)
        }
    }
}

proptest! {
    /// Between an unclear sending and the next lie two complete absences, a window apart; one in flight at most; and
    /// what is in Splynx is never sent again.
    #[test]
    fn no_order_of_events_sends_twice_without_proof_of_absence(
        kind in prop::sample::select(money_kinds()),
        events in prop::collection::vec((any_event(), 1_i64..900), 0..80),
    ) {
        let ready = PostingState::Ready { not_before: at(0) };
        let mut it = Posting { tries: 0, first_begun_at: None, ..posting(kind, ready) };
        let mut watcher = Watcher::default();
        let mut now = 0;
        for (event, pause) in events {
            now += pause;
            let (was_final, tries) = (it.is_final(), it.tries);
            let before = it.clone();
            it = match happens(it, event, now, &mut watcher) {
                Ok(after) => after,
                Err(why) => return Err(TestCaseError::fail(why)),
            };
            if was_final {
                prop_assert_eq!(&it, &before, "what is final stays as it is");
            }
            prop_assert!(it.tries - tries <= 1);
            prop_assert_eq!(it.is_final(), it.work_at().is_none(), "what is not final has its time");
        }
    }
}

fn any_state() -> impl Strategy<Value = PostingState> {
    prop::sample::select(vec![
        PostingState::Ready { not_before: at(0) },
        PostingState::Posting { begun_at: at(0) },
        PostingState::Unknown { begun_at: at(0), first_absent: None, search_at: at(0) },
        PostingState::Posted { splynx_id: Some(SplynxId::new(7)) },
        PostingState::Posted { splynx_id: None },
        PostingState::Duplicate { splynx_ids: vec![SplynxId::new(7), SplynxId::new(8)] },
        PostingState::Dropped,
    ])
}

fn any_posting() -> impl Strategy<Value = Posting> {
    let kinds = prop::sample::select(PostingKind::ALL.to_vec());
    (kinds, any_state(), 1_u32..4, any::<u64>()).prop_map(|(kind, state, n, random)| Posting {
        id: crate::domain::ids::PostingId::new(at(0), u128::from(random)),
        credit: Some(key(n)),
        ..posting(kind, state)
    })
}

fn any_credits() -> impl Strategy<Value = Vec<Credit>> {
    let targets = prop::sample::select(vec![Target::Undecided, Target::Document, Target::Balance]);
    prop::collection::vec(targets, 1..4)
        .prop_map(|targets| (1..).zip(targets).map(|(n, target)| credit(n, target)).collect())
}

proptest! {
    #[test]
    fn what_is_recorded_has_every_credit_posted_and_no_payment_left_to_send(
        credits in any_credits(),
        postings in prop::collection::vec(any_posting(), 0..12),
    ) {
        let recorded = is_recorded(&credits, &postings);
        for credit in &credits {
            let paid = postings.iter().any(|posting| {
                posting.kind.is_payment()
                    && posting.credit.as_ref() == Some(&credit.key)
                    && matches!(posting.state, PostingState::Posted { .. } | PostingState::Duplicate { .. })
            });
            let decided = credit.target != Target::Undecided;
            prop_assert!(!recorded || (paid && decided));
        }
        // Whatever there is, the next task is about something that is not final.
        match next_task(&credits, &postings, at(1)) {
            Task::Send(id) | Task::Search(id) => {
                let found = postings.iter().find(|posting| posting.id == id).unwrap();
                prop_assert!(!found.is_final());
            }
            Task::Decide(key) => {
                let found = credits.iter().find(|credit| credit.key == key).unwrap();
                prop_assert_eq!(found.target, Target::Undecided);
            }
            Task::WaitUntil(_) | Task::Nothing => {}
        }
        if recorded && postings.iter().all(|posting| !posting.kind.is_payment() || posting.is_final()) {
            let next = next_task(&credits, &postings, at(1));
            prop_assert!(!matches!(next, Task::Decide(_)), "{next:?}");
        }
    }
}

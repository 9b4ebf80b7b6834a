//! One seed from the beginning of its world to the verdict.

use std::sync::Arc;

use rust_decimal::Decimal;
use secrecy::SecretString;

use super::bitpay::{Invoice, Site};
use super::clock::true_time;
use super::coverage::{Coverage, Happening};
use super::disk::Disk;
use super::executor::Executor;
use super::journal::Journal;
use super::oracle;
use super::people;
use super::plan::{DAY, HOUR, Houses, Plan};
use super::process;
use super::rng::Rng;
use super::splynx::Books;
use super::world::{State, World};
use crate::domain::connection::{
    Connection, ConnectionSecrets, ConnectionStatus, Environment, ProcessorKind,
};
use crate::domain::ids::ConnectionId;
use crate::domain::payable::{DocumentKind, DocumentRef};
use crate::ports::store::Ledger;

/// What came of one seed.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Hash of all events.
    pub hash: u64,
    /// How many events there were.
    pub events: u64,
    /// What happened.
    pub coverage: Coverage,
    /// What must never happen and did; empty is good.
    pub violations: Vec<String>,
    /// The events in words, if they were asked for.
    pub trace: Vec<String>,
}

/// Plays the world of a seed to its end.
#[must_use]
pub fn simulate(seed: u64, trace: bool) -> Outcome {
    let mut rng = Rng::new(seed);
    let plan = Plan::draw(&mut rng);
    let mut executor = Executor::new(Rng::new(rng.next()));
    let (state, documents) = beginning(rng, plan, trace);
    let world = World::new(Arc::clone(&executor.schedule), state);
    let (houses, horizon) = {
        let state = world.state();
        let horizon =
            state.plan.heal_at.saturating_add(state.plan.monitor).saturating_add(20 * DAY);
        (state.plan.houses, horizon)
    };
    process::start(&world, 0);
    if houses == Houses::Two {
        process::start(&world, 1);
    }
    people::lay_out(&world, &documents);
    let at_rest = play(&world, &mut executor, horizon);
    people::compare_books(&world);
    executor.run(world.now().saturating_add(HOUR));
    let mut state = world.state();
    let wrong = oracle::judge(&mut state);
    if !at_rest && wrong.is_empty() {
        let now = world.now();
        state.violated(now, "events go on for ever");
    }
    state.violations.extend(wrong);
    // The world knows its processes and they know it: nobody would ever free either.
    let running = std::mem::take(&mut state.running);
    let journal = std::mem::replace(&mut state.journal, Journal::new(false));
    let coverage = std::mem::take(&mut state.coverage);
    let violations = std::mem::take(&mut state.violations);
    drop(state);
    drop(running);
    executor.end();
    Outcome {
        hash: journal.hash(),
        events: journal.events(),
        coverage,
        violations,
        trace: journal.into_lines(),
    }
}

/// Plays until nothing is left, or nothing but watching. Returns whether there is an end.
fn play(world: &Arc<World>, executor: &mut Executor, horizon: i64) -> bool {
    let (mut until, to_the_end) = {
        let plan = &world.state().plan;
        (plan.heal_at.saturating_add(HOUR), plan.to_the_end)
    };
    while !to_the_end && until < horizon {
        if executor.run(until) || has_settled_down(world) {
            return true;
        }
        until = until.saturating_add(2 * HOUR);
    }
    executor.run(horizon)
}

fn has_settled_down(world: &World) -> bool {
    let state = world.state();
    let invoices = &state.bitpay.invoices;
    let changes = invoices.values().map(Invoice::last_change);
    let since = changes.max().unwrap_or_default().max(state.plan.heal_at);
    let is_known = |ledger: &Ledger| {
        let attempt = &ledger.attempt;
        let seen = invoices.get(&attempt.id).is_some_and(|invoice| invoice.observed > since);
        attempt.work_at.is_none() && (seen || attempt.look_at.is_none())
    };
    !state.splynx.is_something_under_way() && state.disk.ledgers().iter().all(is_known)
}

/// The state of a world before anything happens, and the documents in it.
pub(super) fn beginning(mut rng: Rng, plan: Plan, trace: bool) -> (State, Vec<DocumentRef>) {
    let mut coverage = Coverage::default();
    let mut offsets = [0, 0];
    match plan.houses {
        Houses::One => coverage.count(Happening::OneInstance),
        Houses::Two => {
            coverage.count(Happening::TwoInstances);
            if rng.chance(300) {
                coverage.count(Happening::Skew);
                offsets = [rng.between(-DAY, DAY), rng.between(-DAY, DAY)];
            }
        }
    }
    let mut splynx = Books::new(plan.marks_paid);
    let documents = (0..plan.documents)
        .map(|_| {
            let kind = rng.pick(
                &[DocumentKind::Invoice, DocumentKind::ProformaInvoice],
                DocumentKind::Invoice,
            );
            let total = Decimal::new(rng.between(1_000_000, 90_000_000) / 100 * 100, 4);
            let with_due = kind == DocumentKind::Invoice && rng.chance(700);
            splynx.add_document(kind, 1, total, with_due)
        })
        .collect();
    let mut disk = Disk::default();
    disk.begin_with(connection());
    if plan.restores > 0 {
        disk.keep_history();
    }
    let state = State {
        rng,
        plan,
        coverage,
        journal: Journal::new(trace),
        disk,
        splynx,
        bitpay: Site::default(),
        offsets,
        running: [None, None],
        ordeals: std::collections::BTreeMap::new(),
        last_life: 0,
        violations: vec![],
    };
    (state, documents)
}

fn connection() -> Connection {
    Connection {
        id: ConnectionId::new(true_time(0), 1),
        processor: ProcessorKind::BitPay,
        environment: Environment::Production,
        base_url: "https://bitpay.example/".to_owned(),
        status: ConnectionStatus::Active,
        sin: String::new(),
        secrets: ConnectionSecrets {
            private_key: None,
            token: Some(SecretString::from("simulated")),
        },
        created_at: true_time(0),
        activated_at: Some(true_time(0)),
        retired_at: None,
        failure: None,
    }
}

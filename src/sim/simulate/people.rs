//! Who acts in a world: customers, admins, the processor's notifications, and bad luck.
//!
//! **Invariant:** all of it is laid out before the world begins, and each act happens whatever became of the others.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::clock::true_time;
use super::coverage::Happening;
use super::executor::Life;
use super::plan::{DAY, HOUR, MINUTE};
use super::process::{self, Running, dollars, ring_all};
use super::world::{Fate, Ordeal, Point, State, World};
use crate::app::start_payment::{self, Checkout};
use crate::app::{dead_end::DeadEnd, receive_hint, reconcile};
use crate::domain::actor::Actor;
use crate::domain::ids::{CustomerId, Hook};
use crate::domain::money::Money;
use crate::domain::payable::{Customer, DocumentRef, DocumentStatus};

/// Lays out all that people and bad luck will do.
pub(super) fn lay_out(world: &Arc<World>, documents: &[DocumentRef]) {
    let plan = world.state().plan.clone();
    let first = world.state().rng.between(0, plan.heal_at / 3);
    for _ in 0..plan.clicks {
        let at = first.saturating_add(world.state().rng.between(0, 3 * HOUR)).min(plan.heal_at);
        let document = draw_document(&mut world.state(), documents);
        later(world, at, move |world| click(world, document, 3));
    }
    let sometime = || world.state().rng.between(0, plan.heal_at);
    // Most bad luck is of use only while there is something to do.
    let soon = || first.saturating_add(world.state().rng.between(0, 4 * HOUR)).min(plan.heal_at);
    // What waits for its moment had better begin to wait early.
    let early = || world.state().rng.between(0, first.saturating_add(2 * HOUR)).min(plan.heal_at);
    for _ in 0..plan.crashes {
        later(world, early(), |world| doom(world, Fate::Crash));
    }
    for _ in 0..plan.freezes {
        let pause = world.state().rng.between(1000, 30 * MINUTE);
        later(world, early(), move |world| doom(world, Fate::Freeze(pause)));
    }
    for _ in 0..plan.jumps {
        later(world, soon(), jump);
    }
    for _ in 0..plan.edits {
        later(world, soon(), edit);
    }
    for _ in 0..plan.retries {
        later(world, soon(), retry);
    }
    for _ in 0..plan.restores {
        later(world, soon(), restore);
    }
    for _ in 0..plan.reconciles {
        later(world, sometime(), compare_books);
    }
    later(world, plan.heal_at, heal);
}

fn later(world: &Arc<World>, at: i64, act: impl FnOnce(&Arc<World>) + Send + 'static) {
    let inner = Arc::clone(world);
    world.schedule.after(at.saturating_sub(world.now()), move || act(&inner));
}

fn draw_document(state: &mut State, documents: &[DocumentRef]) -> Option<DocumentRef> {
    let place = state.rng.below(u64::try_from(documents.len()).unwrap_or_default() + 1);
    usize::try_from(place).ok().and_then(|place| documents.get(place).cloned())
}

/// An instance that takes requests now.
fn somebody(world: &World) -> Option<Running> {
    let mut state = world.state();
    let running: Vec<Running> = state.running.iter().flatten().cloned().collect();
    let place = state.rng.below(u64::try_from(running.len()).unwrap_or_default());
    usize::try_from(place).ok().and_then(|place| running.get(place).cloned())
}

/// A customer wants to pay this document, or to top up.
pub(super) fn click(world: &Arc<World>, document: Option<DocumentRef>, tries: u32) {
    let Some(running) = somebody(world) else {
        return;
    };
    let customer = Customer {
        id: CustomerId::new(document.as_ref().map_or(2, |_| 1)),
        name: "Customer One".to_owned(),
        billing_type: String::new(),
    };
    let inner = Arc::clone(world);
    let due = Money::from_minor(world.state().rng.between(100, 90_000), dollars());
    world.schedule.start(running.life, async move {
        let app = &running.app;
        let answer: Result<Checkout, DeadEnd> = match &document {
            Some(it) => {
                start_payment::pay_document(app, &customer, it.kind, it.number.as_str()).await
            }
            None => start_payment::pay_top_up(app, &customer, due).await,
        };
        match answer {
            Ok(checkout) => pay(&inner, &checkout),
            // The page says so, and the customer tries again a little later.
            Err(_) if tries > 0 => {
                let again = inner.now().saturating_add(20_000);
                later(&inner, again, move |world| click(world, document, tries - 1));
            }
            Err(_) => {}
        }
        ring_all(&inner, 0);
    });
}

fn pay(world: &Arc<World>, checkout: &Checkout) {
    let now = world.now();
    let shown = world.state().show(&checkout.url, now);
    let Some((hook, moments)) = shown else {
        world.state().coverage.count(Happening::Reused);
        return;
    };
    for moment in moments {
        notify(world, &hook, moment);
    }
}

/// The processor tells us of a change: perhaps never, perhaps twice, perhaps late.
fn notify(world: &Arc<World>, hook: &str, moment: i64) {
    let mut state = world.state();
    let at_end = moment >= state.plan.heal_at;
    if !at_end && state.strikes(|plan| plan.rates.hint_lost, Happening::HintLost) {
        return;
    }
    let repeated = state.strikes(|plan| plan.rates.hint_repeated, Happening::HintRepeated);
    let pauses: Vec<i64> = if repeated {
        (0..3).map(|_| state.rng.between(0, HOUR)).collect()
    } else {
        vec![state.rng.between(0, 3000)]
    };
    drop(state);
    for pause in pauses {
        let hook = hook.to_owned();
        later(world, moment.saturating_add(pause), move |world| deliver(world, &hook));
    }
}

fn deliver(world: &Arc<World>, hook: &str) {
    let (Some(running), Ok(hook)) = (somebody(world), Hook::parse(hook)) else {
        return;
    };
    let inner = Arc::clone(world);
    world.schedule.start(running.life, async move {
        receive_hint::receive_hint(&running.app, &hook, b"", None).await.ok();
        ring_all(&inner, 0);
    });
}

/// Some process will die or stand still at one of its next steps.
fn doom(world: &Arc<World>, fate: Fate) {
    let Some(Running { life, .. }) = somebody(world) else {
        return;
    };
    let mut state = world.state();
    let places = [None, Some(Point::Committed), Some(Point::Checked), Some(Point::Sent)];
    let at = state.rng.pick(&places, None);
    let most = match at {
        None => 60,
        Some(Point::Committed) => 20,
        Some(_) => 3,
    };
    let steps = u32::try_from(state.rng.below(most)).unwrap_or_default();
    state.ordeals.insert(life, Ordeal { at, steps, fate });
}

/// What follows when a process has died: the service manager starts another.
pub(super) fn restart(world: &Arc<World>, host: usize) {
    let pause = {
        let mut state = world.state();
        let most = state.rng.pick(&[5_000, 5_000, 10 * MINUTE, 2 * HOUR], 5_000);
        state.rng.between(500, most)
    };
    let inner = Arc::clone(world);
    world.schedule.after(pause, move || process::start(&inner, host));
    ring_all(world, 61_000);
}

/// The database loses its last minutes, as a standby that takes over or a backup does. All instances are down meanwhile,
/// and no write is under way: what one that is executed later does then, nobody could know.
fn restore(world: &Arc<World>) {
    let now = world.now();
    let lives: Vec<Life> = world.state().running.iter().flatten().map(|it| it.life).collect();
    for life in lives {
        world.crash(life);
    }
    let mut state = world.state();
    if state.splynx.is_something_under_way() {
        return;
    }
    let back = state.rng.between(1000, 20 * MINUTE);
    if state.disk.go_back(true_time(now.saturating_sub(back))) {
        state.coverage.count(Happening::Restored);
        state.journal.note(now, "restored", back, String::new);
    }
}

/// A clock jumps; also where a write has just got lost, which is when it could do harm.
pub(super) fn jump(world: &Arc<World>) {
    let now = world.now();
    let mut state = world.state();
    if now >= state.plan.heal_at {
        return;
    }
    let by = state.rng.between(-DAY, DAY);
    let is_ahead = by > 0;
    state.coverage.count(if is_ahead { Happening::JumpAhead } else { Happening::JumpBack });
    let host = usize::from(state.rng.chance(500));
    if let Some(offset) = state.offsets.get_mut(host) {
        // Never further than a day from the truth.
        *offset = offset.saturating_add(by).clamp(-DAY, DAY);
    }
    state.journal.note(now, "clock jumps", by, || format!("on host {host}"));
    drop(state);
    ring_all(world, 0);
}

fn edit(world: &Arc<World>) {
    let now = world.now();
    let mut state = world.state();
    let choice = state.rng.below(6);
    let place = usize::try_from(state.rng.below(2)).unwrap_or_default();
    let Some(row) = state.splynx.documents.values_mut().nth(place) else {
        return;
    };
    row.edited = true;
    let document = &mut row.document;
    let cent = Decimal::new(1, 2);
    let by = match choice {
        0 => {
            row.gone = true;
            Decimal::ZERO
        }
        1 => {
            document.status = DocumentStatus::Paid;
            document.due = document.due.map(|_| Decimal::ZERO);
            Decimal::ZERO
        }
        2 => {
            document.customer = CustomerId::new(9);
            Decimal::ZERO
        }
        3 => cent.saturating_mul(Decimal::from(500)),
        4 => cent.saturating_mul(Decimal::from(-200)),
        // Less than a cent: VAT does that.
        _ => Decimal::new(49, 4),
    };
    document.total = document.total.saturating_add(by);
    document.due = document.due.map(|due| due.saturating_add(by));
    state.coverage.count(Happening::Edited);
    state.journal.note(now, "edit", i64::try_from(choice).unwrap_or_default(), String::new);
}

fn retry(world: &Arc<World>) {
    let ids: Vec<_> = world.state().disk.ledgers().iter().map(|it| it.attempt.id).collect();
    let place = world.state().rng.below(u64::try_from(ids.len()).unwrap_or_default());
    let id = usize::try_from(place).ok().and_then(|place| ids.get(place).copied());
    let (Some(running), Some(id)) = (somebody(world), id) else {
        return;
    };
    let inner = Arc::clone(world);
    world.schedule.start(running.life, async move {
        let app = &running.app;
        if app.store.wake(id, &Actor::Admin(1), app.clock.now()).await.is_ok() {
            inner.state().coverage.count(Happening::Retried);
        }
        ring_all(&inner, 0);
    });
}

/// Reconcile, as housekeeping does it.
pub(super) fn compare_books(world: &Arc<World>) {
    let Some(running) = somebody(world) else {
        return;
    };
    let inner = Arc::clone(world);
    world.schedule.start(running.life, async move {
        let app = &running.app;
        let since = app.clock.now() - app.settings.monitor - chrono::TimeDelta::days(30);
        let report = reconcile::reconcile(app, since, |_| ()).await;
        let found = report.map_or(0, |report| report.findings.len());
        let now = inner.now();
        let found = i64::try_from(found).unwrap_or_default();
        inner.state().journal.note(now, "reconciled", found, String::new);
        app.store.erase_retired(app.clock.now()).await.ok();
    });
}

/// Nothing goes wrong from now on.
fn heal(world: &Arc<World>) {
    let now = world.now();
    let mut state = world.state();
    state.plan.heal();
    state.offsets = [0, 0];
    state.ordeals.clear();
    let lives: Vec<Life> = state.running.iter().flatten().map(|running| running.life).collect();
    state.journal.note(now, "healed", 0, String::new);
    drop(state);
    for life in lives {
        world.schedule.thaw(life);
    }
    ring_all(world, 0);
}

//! Single scenes in a simulated world: what once went wrong, with a name.
//!
//! **Invariant:** nothing happens in a scene but what it says.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::executor::Executor;
use super::people;
use super::plan::{DAY, HOUR, MINUTE, Plan};
use super::process;
use super::rng::Rng;
use super::run::beginning;
use super::splynx::MoneyRow;
use super::world::{State, World};
use crate::domain::attempt::State as Stand;
use crate::domain::payable::{DocumentKind, DocumentRef, DocumentStatus};
use crate::domain::review::ReviewReason;

const SECOND: i64 = 1000;

struct Scene {
    world: Arc<World>,
    executor: Executor,
    document: DocumentRef,
}

impl Scene {
    /// One instance, and one document of 100.00 that tells no `due`.
    fn begin(change: impl FnOnce(&mut Plan)) -> Self {
        let mut rng = Rng::new(1);
        let mut plan = Plan::calm(&mut rng);
        change(&mut plan);
        let executor = Executor::new(Rng::new(2));
        let (mut state, _) = beginning(rng, plan, false);
        let hundred = Decimal::new(10_000, 2);
        let document = state.splynx.add_document(DocumentKind::Invoice, 1, hundred, false);
        let world = World::new(Arc::clone(&executor.schedule), state);
        process::start(&world, 0);
        Self { world, executor, document }
    }

    fn run(&mut self, millis: i64) {
        self.executor.run(self.world.now() + millis);
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.world.state())
    }

    /// A customer clicks and pays; the money is final in so long.
    fn pay(&mut self, document: Option<DocumentRef>, settles_in: i64) {
        people::click(&self.world, document, 0);
        self.run(5 * SECOND);
        let at = self.world.now() + settles_in;
        let newest = |state: &mut State| {
            let invoices = state.bitpay.invoices.values_mut();
            invoices.max_by_key(|invoice| invoice.id.to_string()).unwrap().settle_at(at);
        };
        self.with(newest);
    }

    fn payments(&self) -> Vec<MoneyRow> {
        self.with(|state| state.splynx.payments.clone())
    }

    fn is_told(&self, reason: ReviewReason) -> bool {
        self.with(|state| {
            let ledgers = state.disk.ledgers();
            let reviews = ledgers.iter().flat_map(|it| state.disk.reviews(it.attempt.id));
            reviews.into_iter().any(|review| review.reason == reason)
        })
    }

    fn heal(&self) {
        self.with(|state| state.plan.heal());
    }
}

#[test]
fn a_clock_that_is_days_ahead_hides_no_payment_from_a_search_over_all_rows() {
    let mut scene = Scene::begin(|plan| {
        plan.rates.unfiltered = 1000;
        plan.rates.lost_after = 1000;
    });
    let document = scene.document.clone();
    scene.pay(Some(document), SECOND);
    scene.with(|state| state.offsets = [20 * DAY; 2]);
    scene.run(2 * HOUR);
    assert_eq!(scene.payments().len(), 1, "executed, without an answer");
    scene.heal();
    scene.with(|state| state.plan.rates.unfiltered = 1000);
    scene.run(3 * HOUR);
    assert_eq!(scene.payments().len(), 1);
    let stand = scene.with(|state| state.disk.ledgers()[0].attempt.state);
    assert_eq!(stand, Stand::Recorded);
}

#[test]
fn statements_that_never_work_keep_no_money_from_splynx() {
    let mut scene = Scene::begin(|plan| plan.rates.statements = 1000);
    for _ in 0..5 {
        scene.pay(None, SECOND);
    }
    // The looks of an hour later find all five; what follows takes seconds.
    scene.run(HOUR + 30 * SECOND);
    assert_eq!(scene.payments().len(), 5);
}

#[test]
fn an_invoice_id_that_fits_into_no_receipt_number_is_refused_before_anybody_pays() {
    let mut scene = Scene::begin(|_| ());
    scene.with(|state| state.bitpay.long_ids = true);
    people::click(&scene.world, None, 0);
    scene.run(MINUTE);
    let ledgers = scene.with(|state| state.disk.ledgers());
    assert_eq!(ledgers[0].attempt.state, Stand::Refused);
    assert!(ledgers[0].attempt.opened.is_none(), "nobody is shown its checkout");
}

#[test]
fn a_last_look_that_failed_is_repeated() {
    let mut scene = Scene::begin(|plan| plan.monitor = 4 * DAY);
    scene.pay(None, 4 * DAY - MINUTE);
    scene.run(4 * DAY - HOUR);
    scene.with(|state| state.plan.rates.processor = 1000);
    scene.run(6 * HOUR);
    assert_eq!(scene.payments().len(), 0);
    scene.heal();
    scene.run(3 * HOUR);
    assert_eq!(scene.payments().len(), 1);
}

#[test]
fn a_second_attempt_sees_the_payment_that_its_document_does_not_show_yet() {
    let mut scene = Scene::begin(|plan| plan.marks_paid = false);
    let document = scene.document.clone();
    scene.pay(Some(document.clone()), 2 * HOUR);
    // The first checkout is no longer of use, and the customer begins anew.
    scene.run(HOUR);
    scene.pay(Some(document.clone()), 2 * HOUR);
    while scene.payments().is_empty() {
        scene.run(20);
    }
    scene.with(|state| state.plan.rates.refused = 1000);
    scene.run(MINUTE);
    scene.with(|state| state.plan.rates.refused = 0);
    let shown = |state: &mut State| {
        let row = state.splynx.document(document.kind, document.id.get());
        row.unwrap().document.status.clone()
    };
    assert_eq!(scene.with(shown), DocumentStatus::NotPaid);
    scene.run(6 * HOUR);
    let linked: Vec<bool> = scene.payments().iter().map(|row| row.document.is_some()).collect();
    assert_eq!(linked, [true, false], "once on the document, once on the balance");
    assert_eq!(scene.with(shown), DocumentStatus::Paid);
}

#[test]
fn less_than_a_cent_that_nobody_can_pay_leaves_no_document_open() {
    let mut scene = Scene::begin(|plan| plan.marks_paid = false);
    let document = scene.document.clone();
    scene.pay(Some(document.clone()), SECOND);
    scene.with(|state| {
        let rows = state.splynx.documents.values_mut();
        let mut own = rows.filter(|row| row.document.reference == document);
        own.next().unwrap().document.total = Decimal::new(1_000_049, 4);
    });
    scene.run(2 * HOUR);
    let row = scene.with(|state| {
        state.splynx.document(document.kind, document.id.get()).unwrap().document.clone()
    });
    assert_eq!(row.status, DocumentStatus::Paid);
    assert!(scene.payments()[0].document.is_some());
}

#[test]
fn a_search_that_never_works_for_one_customer_is_told_and_holds_nobody_else_up() {
    let mut scene = Scene::begin(|plan| plan.unsearchable = Some(1));
    let document = scene.document.clone();
    scene.pay(Some(document), SECOND);
    scene.run(2 * HOUR);
    assert_eq!(scene.payments().len(), 0, "nothing is sent unseen");
    assert!(scene.is_told(ReviewReason::CannotSearch));
    scene.pay(None, SECOND);
    scene.run(HOUR + 2 * MINUTE);
    assert_eq!(scene.payments().len(), 1);
}

#[test]
fn a_process_that_dies_more_often_than_the_window_lasts_sends_nothing_again_and_it_is_told() {
    let mut scene = Scene::begin(|plan| plan.rates.lost_before = 1000);
    scene.pay(None, SECOND);
    scene.run(HOUR + MINUTE);
    scene.with(|state| state.plan.rates.lost_before = 0);
    for _ in 0..30 {
        let life = scene.with(|state| state.running[0].as_ref().map(|it| it.life));
        if let Some(life) = life {
            scene.world.crash(life);
        }
        scene.run(9 * MINUTE);
    }
    assert_eq!(scene.payments().len(), 0);
    // Meanwhile every reconcile and every gathering of alerts names it: it settled more than an hour ago.
    let is_open = |state: &mut State| state.disk.ledgers()[0].attempt.state == Stand::Settled;
    assert!(scene.with(is_open));
    // It may be down for two hours, and waits for a window then.
    scene.run(4 * HOUR);
    assert_eq!(scene.payments().len(), 1, "left alone it goes on");
}

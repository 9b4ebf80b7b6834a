//! Splynx answers the payment unclearly, in every way we could think of, with and without a crash (design 4.7): never
//! two payments, and in the end one.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use splynx_bitpay::sim::faults::{Answer, Fault, Kind};
use splynx_bitpay::sim::splynx::{Payment, Status};

use crate::support::{
    Checkout, Customer, Document, Engine, PATIENCE, Setup, World, decimal, eventually, holds,
    on_both_databases,
};

on_both_databases! {
    what_was_executed_without_a_clear_answer_is_not_sent_again,
    what_was_not_executed_is_sent_again,
    crashes_leave_one_payment,
    a_filter_that_is_ignored_hides_nothing,
    what_cannot_be_found_out_is_told_to_a_person,
    a_payment_refused_by_splynx_is_under_review,
}

// Most of these stories are waiting, and waiting costs nothing: several are told at the same time, each in a world of
// its own.

async fn what_was_executed_without_a_clear_answer_is_not_sent_again(engine: Engine) {
    tokio::join!(
        a_payment_whose_answer_was_lost_is_found_and_not_sent_again(engine),
        a_payment_answered_by_a_gateway_error_after_all_is_not_sent_again(engine),
        a_payment_answered_by_garbage_is_not_sent_again(engine),
        a_payment_executed_after_its_client_gave_up_is_not_sent_again(engine),
        a_payment_executed_after_its_connection_broke_is_not_sent_again(engine),
    );
}

async fn what_was_not_executed_is_sent_again(engine: Engine) {
    tokio::join!(
        a_payment_that_never_arrived_is_sent_again(engine),
        a_payment_that_hung_is_sent_again(engine),
        a_payment_refused_by_a_gateway_is_sent_again(engine),
        garbage_without_a_payment_behind_it_is_no_payment(engine),
    );
}

async fn crashes_leave_one_payment(engine: Engine) {
    tokio::join!(
        a_crash_while_splynx_executes_leaves_one_payment(engine),
        a_crash_before_splynx_executes_leaves_one_payment(engine),
        a_crash_of_two_processes_in_a_row_leaves_one_payment(engine),
        a_crash_with_the_filter_ignored_leaves_one_payment(engine),
    );
}

async fn what_cannot_be_found_out_is_told_to_a_person(engine: Engine) {
    tokio::join!(
        while_the_search_fails_nothing_is_sent(engine),
        a_payment_executed_after_quiescence_is_reported_as_a_duplicate(engine),
    );
}

const PAYMENTS: &str = "admin/finance/payments";
/// Short, since most stories here outlast it. Requests may take 1.6 s.
const QUIESCENCE: Duration = Duration::from_secs(4);

fn setup() -> Setup {
    Setup { quiescence_seconds: 4, ..Setup::default() }
}

fn on_the_payment(kind: Kind) -> Fault {
    Fault::on(Method::POST, PAYMENTS, kind).times(1)
}

fn gateway(code: u16) -> Answer {
    Answer::bare(StatusCode::from_u16(code).unwrap())
}

struct Story {
    world: World,
    customer: Customer,
    invoice: Document,
    checkout: Checkout,
}

impl Story {
    /// A customer is about to pay; then the payment's posting meets the fault.
    async fn with(engine: Engine, fault: Fault) -> Self {
        let world = World::with(engine, setup()).await;
        let customer = world.customer().await;
        let invoice = world.invoice(&customer, "51.61");
        let checkout = customer.check_out(&invoice).await;
        world.splynx.arm(fault);
        world.pay(&checkout);
        Self { world, customer, invoice, checkout }
    }

    /// How often the payment was sent to Splynx so far.
    fn sent(&self) -> usize {
        let log = self.world.splynx.log();
        log.iter().filter(|call| call.method == "POST" && call.path == PAYMENTS).count()
    }

    /// How often Splynx was asked for payments so far.
    fn searched(&self) -> usize {
        let log = self.world.splynx.log();
        log.iter().filter(|call| call.method == "GET" && call.path == PAYMENTS).count()
    }

    async fn is_sent(&self) {
        eventually("the payment is on its way", PATIENCE, async || match self.sent() {
            0 => Err("not yet".to_owned()),
            _ => Ok(()),
        })
        .await;
    }

    fn ours(&self) -> Vec<Payment> {
        let all = self.world.payments().into_iter();
        all.filter(|payment| payment.receipt_number == self.checkout.key(1)).collect()
    }

    /// In the end: one payment, on the right document of the right customer, sent so many times.
    async fn ends_well(&self, sent: usize) {
        let Self { world, customer, invoice, checkout } = self;
        eventually("the result page says paid", PATIENCE, async || {
            assert!(self.ours().len() <= 1, "credited twice: {:#?}", self.ours());
            let now = world.results(checkout).progress().await;
            if now == "paid" { Ok(()) } else { Err(now) }
        })
        .await;
        let payments = self.ours();
        let [payment] = payments.as_slice() else { panic!("{payments:#?}") };
        assert_eq!(payment.customer_id, customer.id);
        assert_eq!(payment.amount, decimal("51.61"));
        assert_eq!(payment.invoice_id, Some(invoice.id));
        assert_eq!(world.look(invoice).status, Status::Paid);
        assert_eq!(self.sent(), sent, "{}", world.story_of(&checkout.invoice));
        assert!(world.under_review().is_empty(), "{}", world.story_of(&checkout.invoice));
        world.books_agree();
    }
}

async fn a_payment_whose_answer_was_lost_is_found_and_not_sent_again(engine: Engine) {
    Story::with(engine, on_the_payment(Kind::ExecuteThenDrop)).await.ends_well(1).await;
}

async fn a_payment_answered_by_a_gateway_error_after_all_is_not_sent_again(engine: Engine) {
    let kind = Kind::ExecuteThenStatus(gateway(502));
    Story::with(engine, on_the_payment(kind)).await.ends_well(1).await;
}

async fn a_payment_answered_by_garbage_is_not_sent_again(engine: Engine) {
    Story::with(engine, on_the_payment(Kind::Garbage)).await.ends_well(1).await;
}

async fn a_payment_executed_after_its_client_gave_up_is_not_sent_again(engine: Engine) {
    Story::with(engine, on_the_payment(Kind::Delay { ms: 2500 })).await.ends_well(1).await;
}

async fn a_payment_executed_after_its_connection_broke_is_not_sent_again(engine: Engine) {
    Story::with(engine, on_the_payment(Kind::ExecuteLate { ms: 2000 })).await.ends_well(1).await;
}

async fn a_payment_that_never_arrived_is_sent_again(engine: Engine) {
    Story::with(engine, on_the_payment(Kind::Drop)).await.ends_well(2).await;
}

async fn a_payment_that_hung_is_sent_again(engine: Engine) {
    Story::with(engine, on_the_payment(Kind::Hang)).await.ends_well(2).await;
}

async fn a_payment_refused_by_a_gateway_is_sent_again(engine: Engine) {
    let kind = Kind::Status(gateway(503));
    Story::with(engine, on_the_payment(kind)).await.ends_well(2).await;
}

async fn garbage_without_a_payment_behind_it_is_no_payment(engine: Engine) {
    Story::with(engine, on_the_payment(Kind::GarbageUnexecuted)).await.ends_well(2).await;
}

/// Splynx shows every payment of everybody, whatever is searched for.
fn ignore_filters(world: &World) {
    world.splynx.edit(|splynx| splynx.behaviour.ignore_filter = true);
}

/// Payments of the same customer and of others, among which ours has to be found.
async fn a_crowd_pays(world: &World, customer: &Customer) {
    let other = world.customer().await;
    for payer in [customer, &other] {
        for amount in ["10.00", "51.61"] {
            let checkout = payer.refill(amount).await;
            world.pay(&checkout);
        }
    }
    world.payments_become(4, PATIENCE).await;
}

async fn a_filter_that_is_ignored_hides_nothing(engine: Engine) {
    let world = World::with(engine, setup()).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "51.61");
    let checkout = customer.check_out(&invoice).await;
    // The refills of the crowd must stay what they are.
    world.splynx.edit(|splynx| splynx.behaviour.auto_allocate = false);
    a_crowd_pays(&world, &customer).await;
    ignore_filters(&world);
    world.splynx.arm(on_the_payment(Kind::ExecuteThenDrop));
    world.pay(&checkout);
    Story { world, customer, invoice, checkout }.ends_well(5).await;
}

async fn while_the_search_fails_nothing_is_sent(engine: Engine) {
    let story = Story::with(engine, on_the_payment(Kind::ExecuteThenDrop)).await;
    story.is_sent().await;
    // Armed only now: nothing is sent at all where the search before the sending fails.
    let broken = Fault::on(Method::GET, PAYMENTS, Kind::Status(gateway(500)));
    story.world.splynx.arm(broken);
    holds("nothing is sent again", QUIESCENCE * 2, async || match story.sent() {
        1 => Ok(()),
        other => Err(format!("sent {other} times")),
    })
    .await;
    story.world.results(&story.checkout).says("settled").await;
    let told = story.world.story_of(&story.checkout.invoice);
    assert!(told.contains("UNKNOWN"), "{told}");
    story.world.splynx.disarm();
    let id = story.world.attempt_of(&story.checkout.invoice).id;
    // The next search is a minute away; an admin need not wait for it.
    eventually("the payment is found", PATIENCE, async || {
        story.world.command(&["attempts", "retry", &id]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        match story.world.attempt_of(&story.checkout.invoice).state.as_str() {
            "recorded" => Ok(()),
            other => Err(other.to_owned()),
        }
    })
    .await;
    story.ends_well(1).await;
}

async fn a_crash_while_splynx_executes_leaves_one_payment(engine: Engine) {
    let story = Story::with(engine, on_the_payment(Kind::Delay { ms: 1200 })).await;
    story.is_sent().await;
    story.world.addon.kill_and_restart().await;
    story.ends_well(1).await;
}

async fn a_crash_before_splynx_executes_leaves_one_payment(engine: Engine) {
    let story = Story::with(engine, on_the_payment(Kind::Hang)).await;
    story.is_sent().await;
    story.world.addon.kill_and_restart().await;
    story.ends_well(2).await;
}

async fn a_crash_of_two_processes_in_a_row_leaves_one_payment(engine: Engine) {
    let story = Story::with(engine, on_the_payment(Kind::ExecuteThenDrop)).await;
    story.is_sent().await;
    story.world.addon.kill();
    // The second process dies while it searches.
    let before = story.searched();
    story.world.splynx.arm(Fault::on(Method::GET, PAYMENTS, Kind::Delay { ms: 1000 }).times(1));
    story.world.addon.start().await;
    eventually("the search is on its way", PATIENCE, async || match story.searched() {
        more if more > before => Ok(()),
        _ => Err("not yet".to_owned()),
    })
    .await;
    story.world.addon.kill_and_restart().await;
    story.ends_well(1).await;
}

async fn a_crash_with_the_filter_ignored_leaves_one_payment(engine: Engine) {
    let story = Story::with(engine, on_the_payment(Kind::Delay { ms: 800 })).await;
    ignore_filters(&story.world);
    story.is_sent().await;
    story.world.addon.kill_and_restart().await;
    story.ends_well(1).await;
}

/// The residue that no protocol can exclude: it is found, and a person is told.
async fn a_payment_executed_after_quiescence_is_reported_as_a_duplicate(engine: Engine) {
    let late = Kind::ExecuteLate { ms: 9000 };
    let story = Story::with(engine, on_the_payment(late)).await;
    eventually("Splynx has executed the lost request as well", PATIENCE, async || {
        match story.ours().len() {
            2 => Ok(()),
            other => Err(other.to_string()),
        }
    })
    .await;
    let compared = story.world.addon.run(&["reconcile"]);
    let report = String::from_utf8(compared.stdout).unwrap();
    assert_eq!(compared.status.code(), Some(1), "{report}");
    let line = format!("{}: Splynx has it 2 times", story.checkout.key(1));
    assert!(report.contains(&line), "{report}");
    let told = story.world.story_of(&story.checkout.invoice);
    assert!(told.contains("OPEN books_differ"), "{told}");
}

async fn a_payment_refused_by_splynx_is_under_review(engine: Engine) {
    let world = World::with(engine, setup()).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "51.61");
    let checkout = customer.check_out(&invoice).await;
    world.splynx.edit(|splynx| {
        splynx.access.set_permission("api\\admin\\finance\\Payments", "add", false);
    });
    world.pay(&checkout);
    let story = eventually("a review is open", PATIENCE, async || {
        let story = world.story_of(&checkout.invoice);
        if story.contains("OPEN refused") { Ok(story) } else { Err(story) }
    })
    .await;
    assert!(story.contains("Splynx refused the document_payment"), "{story}");
    assert_eq!(world.results(&checkout).progress().await, "review", "not paid, and not lost");
    assert!(world.payments().is_empty());
    let compared = world.command(&["reconcile"]);
    assert!(compared.contains("on the way to Splynx:      51.61 USD"), "{compared}");
    assert!(compared.contains("All three agree, but for what is on the way."), "{compared}");
    world.splynx.edit(|splynx| {
        splynx.access.set_permission("api\\admin\\finance\\Payments", "add", true);
    });
    // The next try is an hour away; the admin who has repaired the permission need not wait for it.
    world.command(&["attempts", "retry", &world.attempt_of(&checkout.invoice).id]);
    world.results(&checkout).says("paid").await;
    assert_eq!(world.payments().len(), 1);
}

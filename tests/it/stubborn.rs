//! Something keeps failing, or changes while it waits: others go on, and a person is told.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use splynx_bitpay::sim::faults::{Answer, Fault, Kind};
use splynx_bitpay::sim::splynx::Status;

use crate::support::{
    Checkout, Document, Engine, PATIENCE, Setup, World, decimal, eventually, on_both_databases,
};

on_both_databases! {
    a_status_that_cannot_be_set_holds_up_nobody_else,
    a_fee_is_not_put_on_an_invoice_that_was_paid_while_it_waited,
    what_ran_out_is_canceled_in_the_statement,
    a_fee_that_never_gets_an_answer_does_not_hold_the_payment,
    a_payment_that_never_gets_an_answer_is_told,
    a_payment_that_settles_while_the_books_are_compared_is_no_finding,
    a_second_click_on_a_payment_that_waits_to_become_final_makes_no_second_one,
    a_payment_that_waited_while_its_invoice_was_paid_goes_to_the_balance,
    a_payment_that_waited_while_a_part_was_paid_pays_the_rest,
    a_step_that_is_impossible_is_told_and_not_repeated_at_once,
}

/// Longer than three tries with a quiescence window behind each.
const TRIES: Duration = Duration::from_mins(1);

fn broken() -> Kind {
    Kind::Status(Answer::bare(StatusCode::INTERNAL_SERVER_ERROR))
}

/// Without Splynx's own allocation, so that what is seen is the add-on's doing.
fn setup() -> Setup {
    let mut setup = Setup { quiescence_seconds: 3, ..Setup::default() };
    setup.splynx.auto_allocate = false;
    setup
}

fn with_fee() -> Setup {
    Setup { fee_percent: "10", fee_vat_percent: "2", ..setup() }
}

/// Waits until Splynx was sent such a request.
async fn sent(world: &World, method: &str, path: &str) {
    eventually(&format!("{method} {path} is on its way"), PATIENCE, async || {
        let mut log = world.splynx.log().into_iter();
        let found = log.any(|call| call.method == method && call.path.starts_with(path));
        if found { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await;
}

async fn is_told(world: &World, invoice: &str, words: &str, deadline: Duration) -> String {
    eventually(words, deadline, async || {
        let story = world.story_of(invoice);
        if story.contains(words) { Ok(story) } else { Err(story) }
    })
    .await
}

async fn a_status_that_cannot_be_set_holds_up_nobody_else(engine: Engine) {
    let mut setup = setup();
    setup.splynx.sets_paid = false;
    let world = World::with(engine, setup).await;
    let customer = world.customer().await;
    let poisoned = world.invoice(&customer, "10.00");
    let path = format!("admin/finance/invoices/{}", poisoned.id);
    world.splynx.arm(Fault::on(Method::PUT, &path, broken()));
    let first = customer.check_out(&poisoned).await;
    world.pay(&first);
    sent(&world, "PUT", &path).await;
    let other = world.customer().await;
    let invoice = world.invoice(&other, "20.00");
    let second = other.check_out(&invoice).await;
    // The other's payment has to be taken up again, too.
    let lost = Fault::on(Method::POST, "admin/finance/payments", Kind::Drop).times(1);
    world.splynx.arm(lost);
    world.pay(&second);
    world.payments_become(2, PATIENCE).await;
    eventually("the other invoice is paid", PATIENCE, async || match world.look(&invoice).status {
        Status::Paid => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    is_told(&world, &first.invoice, "OPEN not_marked_paid", TRIES).await;
}

async fn a_fee_is_not_put_on_an_invoice_that_was_paid_while_it_waited(engine: Engine) {
    let world = World::with(engine, with_fee()).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "100.00");
    let checkout = customer.check_out(&invoice).await;
    world.splynx.arm(Fault::on(Method::PUT, "admin/finance/invoices", Kind::Drop).times(1));
    world.pay(&checkout);
    sent(&world, "PUT", "admin/finance/invoices").await;
    world.pay_in_cash(&customer, &invoice, "100.00");
    let payments = world.payments_become(2, PATIENCE).await;
    assert_eq!((payments[1].amount, payments[1].invoice_id), (decimal("110.00"), None));
    assert_eq!(world.look(&invoice).items.len(), 1, "no fee is left on a paid invoice");
    assert_eq!(world.balance(&customer), decimal("110.00"));
    is_told(&world, &checkout.invoice, "OPEN document_changed", PATIENCE).await;
}

async fn what_ran_out_is_canceled_in_the_statement(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let checkout = customer.refill("10.00").await;
    let status = || {
        world.splynx.read(|splynx| {
            let mut records = splynx.books.records.iter();
            records.next().map(|record| record.status.clone())
        })
    };
    for expected in ["new", "canceled"] {
        eventually(&format!("the record is {expected}"), PATIENCE, async || match status() {
            Some(now) if now == expected => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        if expected == "new" {
            world.bitpay.expire(&checkout.invoice).unwrap();
        }
    }
}

async fn a_fee_that_never_gets_an_answer_does_not_hold_the_payment(engine: Engine) {
    let world = World::with(engine, with_fee()).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "100.00");
    let checkout = customer.check_out(&invoice).await;
    let never = Fault::on(Method::PUT, "admin/finance/invoices", broken());
    world.splynx.arm(never.containing("items"));
    world.pay(&checkout);
    let payments = world.payments_become(2, TRIES).await;
    let amounts: Vec<_> = payments.iter().map(|row| (row.amount, row.invoice_id)).collect();
    assert_eq!(amounts, [(decimal("100.00"), Some(invoice.id)), (decimal("10.00"), None)]);
    is_told(&world, &checkout.invoice, "OPEN fee_refused", PATIENCE).await;
}

async fn a_payment_that_never_gets_an_answer_is_told(engine: Engine) {
    let world = World::with(engine, setup()).await;
    let customer = world.customer().await;
    world.splynx.arm(Fault::on(Method::POST, "admin/finance/payments", broken()));
    let checkout = customer.refill("10.00").await;
    world.pay(&checkout);
    is_told(&world, &checkout.invoice, "OPEN refused", TRIES).await;
    world.splynx.disarm();
    world.payments_become(1, PATIENCE).await;
}

async fn a_payment_that_settles_while_the_books_are_compared_is_no_finding(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let slow = customer.refill("10.00").await;
    let quick = customer.refill("20.00").await;
    let path = format!("invoices/{}", slow.invoice);
    world.bitpay.arm(Fault::on(Method::GET, &path, Kind::Delay { ms: 4000 }));
    let report = std::thread::scope(|threads| {
        let reconcile = threads.spawn(|| world.addon.run(&["reconcile"]));
        std::thread::sleep(Duration::from_secs(1));
        world.pay(&quick);
        reconcile.join().unwrap()
    });
    let report = String::from_utf8(report.stdout).unwrap();
    world.payments_become(1, PATIENCE).await;
    assert!(report.contains("All three agree"), "{report}");
    assert!(world.under_review().is_empty());
}

async fn a_second_click_on_a_payment_that_waits_to_become_final_makes_no_second_one(
    engine: Engine,
) {
    let mut setup = setup();
    setup.bitpay.step_ms = 3_600_000;
    let world = World::with(engine, setup).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "100.00");
    let checkout = customer.check_out(&invoice).await;
    world.pay(&checkout);
    world.results(&checkout).says("confirming").await;
    assert_eq!(customer.check_out(&invoice).await, checkout);
    assert_eq!(world.bitpay.invoices().len(), 1);
}

/// A payment of 100.00 that had to wait, since Splynx could not be searched, while that much cash was paid.
async fn waited_while_cash_was_paid(engine: Engine, cash: &str) -> (World, Document, Checkout) {
    let world = World::with(engine, setup()).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "100.00");
    let checkout = customer.check_out(&invoice).await;
    world.splynx.arm(Fault::on(Method::GET, "admin/finance/payments", broken()));
    world.pay(&checkout);
    sent(&world, "GET", "admin/finance/payments").await;
    world.pay_in_cash(&customer, &invoice, cash);
    tokio::time::sleep(Duration::from_secs(4)).await;
    world.splynx.disarm();
    (world, invoice, checkout)
}

async fn a_payment_that_waited_while_its_invoice_was_paid_goes_to_the_balance(engine: Engine) {
    let (world, _, checkout) = waited_while_cash_was_paid(engine, "100.00").await;
    let payments = world.payments_become(2, PATIENCE).await;
    assert_eq!((payments[1].amount, payments[1].invoice_id), (decimal("100.00"), None));
    is_told(&world, &checkout.invoice, "OPEN document_changed", PATIENCE).await;
    world.books_agree();
}

async fn a_payment_that_waited_while_a_part_was_paid_pays_the_rest(engine: Engine) {
    let (world, invoice, checkout) = waited_while_cash_was_paid(engine, "40.00").await;
    let payments = world.payments_become(3, PATIENCE).await;
    let ours: Vec<_> = payments[1..].iter().map(|row| (row.amount, row.invoice_id)).collect();
    assert_eq!(ours, [(decimal("60.00"), Some(invoice.id)), (decimal("40.00"), None)]);
    world.results(&checkout).says("paid").await;
    world.books_agree();
}

async fn a_step_that_is_impossible_is_told_and_not_repeated_at_once(engine: Engine) {
    let world = World::with(engine, setup()).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "100.00");
    let checkout = customer.check_out(&invoice).await;
    let beyond_all_sums = decimal("99999999999999999");
    world.splynx.edit(|splynx| {
        let now = splynx.clock.now().naive_utc();
        splynx.books.set_total(invoice.kind, invoice.id, beyond_all_sums, now);
    });
    world.pay(&checkout);
    is_told(&world, &checkout.invoice, "OPEN books_differ", PATIENCE).await;
    let path = format!("admin/finance/invoices/{}", invoice.id);
    let reads = || world.splynx.log().into_iter().filter(|call| call.path == path).count();
    let before = reads();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(reads(), before);
}

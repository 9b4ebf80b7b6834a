//! The service fee: 10 % with 2 % VAT in it on 100.00 (design 4.8, facts/splynx 3.8).

use std::time::Duration;

use actix_web::http::Method;
use splynx_bitpay::sim::faults::{Fault, Kind};
use splynx_bitpay::sim::splynx::{Direction, Item, Status};

use crate::support::{
    Checkout, Customer, Document, Engine, PATIENCE, Setup, World, decimal, eventually,
    on_both_databases,
};

on_both_databases! {
    an_invoice_gets_one_item_and_one_payment_over_the_gross,
    a_process_killed_between_item_and_payment_adds_no_second_item,
    an_item_whose_answer_was_lost_is_not_added_again,
    an_item_that_is_executed_late_is_not_added_again,
    a_process_killed_while_the_item_is_added_adds_no_second_one,
    the_fee_of_a_refill_is_debited_once,
    the_fee_of_a_proforma_invoice_is_debited_once,
    a_refused_fee_does_not_hold_the_payment,
}

/// With a short quiescence, since what is unclear has to outlast it.
fn setup() -> Setup {
    Setup { fee_percent: "10", fee_vat_percent: "2", quiescence_seconds: 4, ..Setup::default() }
}

async fn begun(engine: Engine) -> (World, Customer, Document, Checkout) {
    let world = World::with(engine, setup()).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "100.00");
    let checkout = customer.check_out(&invoice).await;
    (world, customer, invoice, checkout)
}

fn fee_items(world: &World, invoice: &Document) -> Vec<Item> {
    let items = world.look(invoice).items;
    items.into_iter().filter(|item| item.description.starts_with("Bitpay fee")).collect()
}

/// One fee item, one payment over the gross sum, nothing due.
async fn is_settled_with_its_fee(world: &World, invoice: &Document, checkout: &Checkout) {
    let payments = world.payments_become(1, PATIENCE).await;
    world.results(checkout).says("paid").await;
    let items = fee_items(world, invoice);
    let [item] = items.as_slice() else { panic!("not one fee item: {items:#?}") };
    assert_eq!(item.price, decimal("9.8039"));
    assert_eq!(item.tax, decimal("2"));
    assert_eq!(item.description, format!("Bitpay fee {}", checkout.key(1)));
    assert_eq!(payments[0].amount, decimal("110.00"));
    assert_eq!(payments[0].invoice_id, Some(invoice.id));
    let row = world.look(invoice);
    assert_eq!((row.total, row.due), (decimal("110.00"), decimal("0")));
    assert_eq!(row.status, Status::Paid);
    assert!(world.under_review().is_empty());
    world.books_agree();
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

async fn an_invoice_gets_one_item_and_one_payment_over_the_gross(engine: Engine) {
    let (world, customer, invoice, checkout) = begun(engine).await;
    let page = customer.browser.get(&invoice.page()).await.body;
    for sum in ["100.00 USD", "10.00 USD", "110.00 USD"] {
        assert!(page.contains(sum), "{sum} is not on the page: {page}");
    }
    assert_eq!(world.bitpay.invoice(&checkout.invoice).unwrap().price, decimal("110.00"));
    assert!(fee_items(&world, &invoice).is_empty(), "no fee before the payment");
    world.pay(&checkout);
    is_settled_with_its_fee(&world, &invoice, &checkout).await;
    assert_eq!(world.balance(&customer), decimal("0"));
}

async fn a_process_killed_between_item_and_payment_adds_no_second_item(engine: Engine) {
    let (mut world, _, invoice, checkout) = begun(engine).await;
    let hang = Fault::on(Method::POST, "admin/finance/payments", Kind::Hang);
    world.splynx.arm(hang.times(1));
    world.pay(&checkout);
    sent(&world, "POST", "admin/finance/payments").await;
    assert_eq!(fee_items(&world, &invoice).len(), 1, "the item goes first");
    assert!(world.payments().is_empty());
    world.addon.kill_and_restart().await;
    is_settled_with_its_fee(&world, &invoice, &checkout).await;
}

async fn an_item_whose_answer_was_lost_is_not_added_again(engine: Engine) {
    let (world, _, invoice, checkout) = begun(engine).await;
    let lost = Fault::on(Method::PUT, "admin/finance/invoices", Kind::ExecuteThenDrop);
    world.splynx.arm(lost.times(1));
    world.pay(&checkout);
    is_settled_with_its_fee(&world, &invoice, &checkout).await;
}

async fn an_item_that_is_executed_late_is_not_added_again(engine: Engine) {
    let (world, _, invoice, checkout) = begun(engine).await;
    let late = Fault::on(Method::PUT, "admin/finance/invoices", Kind::ExecuteLate { ms: 1500 });
    world.splynx.arm(late.times(1));
    world.pay(&checkout);
    is_settled_with_its_fee(&world, &invoice, &checkout).await;
}

async fn a_process_killed_while_the_item_is_added_adds_no_second_one(engine: Engine) {
    let (mut world, _, invoice, checkout) = begun(engine).await;
    let slow = Fault::on(Method::PUT, "admin/finance/invoices", Kind::Delay { ms: 800 });
    world.splynx.arm(slow.times(1));
    world.pay(&checkout);
    sent(&world, "PUT", "admin/finance/invoices").await;
    world.addon.kill_and_restart().await;
    is_settled_with_its_fee(&world, &invoice, &checkout).await;
}

/// The debits, as (description, sum).
fn debits(world: &World, customer: &Customer) -> Vec<(String, rust_decimal::Decimal)> {
    world.splynx.read(|splynx| {
        let own = splynx.books.transactions.iter().filter(|row| row.customer_id == customer.id);
        let debits = own.filter(|row| row.direction == Direction::Debit);
        debits.map(|row| (row.description.clone(), row.total)).collect()
    })
}

async fn the_fee_of_a_refill_is_debited_once(engine: Engine) {
    let world = World::with(engine, setup()).await;
    let customer = world.customer().await;
    let lost = Fault::on(Method::POST, "admin/finance/transactions", Kind::ExecuteThenDrop);
    world.splynx.arm(lost.times(1));
    let checkout = customer.refill("100.00").await;
    world.pay(&checkout);
    let payments = world.payments_become(1, PATIENCE).await;
    assert_eq!(payments[0].amount, decimal("110.00"));
    eventually("the fee is debited and found", PATIENCE, async || {
        let story = world.story_of(&checkout.invoice);
        let line = story.lines().find(|line| line.contains("fee_debit")).unwrap_or_default();
        if line.contains("posted as") { Ok(()) } else { Err(story) }
    })
    .await;
    let fee = (format!("Bitpay fee {}", checkout.key(1)), decimal("10.00"));
    assert_eq!(debits(&world, &customer), [fee]);
    assert_eq!(world.balance(&customer), decimal("100.00"), "they get what they asked for");
}

async fn the_fee_of_a_proforma_invoice_is_debited_once(engine: Engine) {
    let mut world = World::with(engine, setup()).await;
    let customer = world.customer().await;
    let proforma = world.proforma(&customer, "100.00");
    let checkout = customer.check_out(&proforma).await;
    let hang = Fault::on(Method::POST, "admin/finance/transactions", Kind::Hang);
    world.splynx.arm(hang.times(1));
    world.pay(&checkout);
    sent(&world, "POST", "admin/finance/transactions").await;
    world.addon.kill_and_restart().await;
    let fee = (format!("Bitpay fee {}", checkout.key(1)), decimal("10.00"));
    eventually("the fee is debited", PATIENCE, async || {
        let debits = debits(&world, &customer);
        if debits == [fee.clone()] { Ok(()) } else { Err(format!("{debits:?}")) }
    })
    .await;
    let payments = world.payments_become(1, Duration::ZERO).await;
    assert_eq!(payments[0].amount, decimal("110.00"));
    assert_eq!(payments[0].request_id, Some(proforma.id));
    eventually("the proforma invoice is paid", PATIENCE, async || {
        match world.look(&proforma).status {
            Status::Paid => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!(world.balance(&customer), decimal("100.00"));
}

async fn a_refused_fee_does_not_hold_the_payment(engine: Engine) {
    let (world, customer, invoice, checkout) = begun(engine).await;
    world.splynx.edit(|splynx| {
        splynx.access.set_permission("api\\admin\\finance\\Invoices", "update", false);
    });
    world.pay(&checkout);
    let payments = world.payments_become(2, PATIENCE).await;
    world.results(&checkout).says("paid").await;
    let amounts: Vec<_> = payments.iter().map(|row| (row.amount, row.invoice_id)).collect();
    let expected = [(decimal("100.00"), Some(invoice.id)), (decimal("10.00"), None)];
    assert_eq!(amounts, expected, "the document gets its sum, the rest the balance");
    assert_eq!(world.look(&invoice).status, Status::Paid);
    assert_eq!(world.balance(&customer), decimal("10.00"));
    let story = world.story_of(&checkout.invoice);
    assert!(story.contains("OPEN fee_refused"), "{story}");
}

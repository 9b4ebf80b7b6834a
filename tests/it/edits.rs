//! Somebody changes the document between the click and the money (design 4.6): no cent is dropped, and a person is
//! told whenever it is not all on the document.

use rust_decimal::Decimal;
use splynx_bitpay::sim::splynx::{Kind, Status};

use crate::support::{
    Checkout, Customer, Document, Engine, PATIENCE, Setup, World, decimal, on_both_databases,
};

on_both_databases! {
    a_total_edited_between_two_clicks_is_asked_for_anew_and_both_payments_are_kept,
    a_document_that_has_grown_takes_nothing,
    a_document_paid_in_cash_meanwhile_leaves_the_payment_on_the_balance,
    a_document_paid_in_part_meanwhile_takes_what_is_due,
    a_deleted_document_leaves_the_payment_on_the_balance,
    a_document_given_to_another_customer_takes_nothing,
}

async fn begun(engine: Engine) -> (World, Customer, Document, Checkout) {
    // Where unlinked money goes is the add-on's doing here, not Splynx's own allocation.
    let mut setup = Setup::default();
    setup.splynx.auto_allocate = false;
    let world = World::with(engine, setup).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "100.00");
    let checkout = customer.check_out(&invoice).await;
    (world, customer, invoice, checkout)
}

fn set_total(world: &World, document: &Document, total: &str) {
    world.splynx.edit(|splynx| {
        let now = splynx.clock.now().naive_utc();
        splynx.books.set_total(document.kind, document.id, decimal(total), now);
    });
}

/// Our payments, as (sum, document).
fn ours(world: &World) -> Vec<(Decimal, Option<u64>)> {
    let payments = world.payments().into_iter().filter(|row| row.receipt_number.starts_with("BP-"));
    payments.map(|row| (row.amount, row.invoice_id)).collect()
}

fn is_under_review(world: &World, checkout: &Checkout, words: &str) {
    let story = world.story_of(&checkout.invoice);
    assert!(story.contains("OPEN document_changed"), "{story}");
    assert!(story.contains(words), "{words}: {story}");
    assert_eq!(world.under_review().len(), 1);
}

async fn a_total_edited_between_two_clicks_is_asked_for_anew_and_both_payments_are_kept(
    engine: Engine,
) {
    let (world, customer, invoice, first) = begun(engine).await;
    set_total(&world, &invoice, "150.00");
    let page = customer.browser.get(&invoice.page()).await;
    assert!(page.body.contains("150.00 USD"), "{}", page.body);
    let second = customer.check_out(&invoice).await;
    assert_ne!(second, first);
    assert_eq!(world.bitpay.invoice(&second.invoice).unwrap().price, decimal("150.00"));
    world.pay(&second);
    world.payments_become(1, PATIENCE).await;
    world.results(&second).says("paid").await;
    assert_eq!(world.look(&invoice).status, Status::Paid);
    world.pay(&first);
    world.payments_become(2, PATIENCE).await;
    world.results(&first).says("paid").await;
    let expected = [(decimal("150.00"), Some(invoice.id)), (decimal("100.00"), None)];
    assert_eq!(ours(&world), expected);
    assert_eq!(world.balance(&customer), decimal("100.00"));
    is_under_review(&world, &first, "already paid");
    world.books_agree();
}

async fn a_document_that_has_grown_takes_nothing(engine: Engine) {
    let (world, customer, invoice, checkout) = begun(engine).await;
    set_total(&world, &invoice, "150.00");
    world.pay(&checkout);
    world.payments_become(1, PATIENCE).await;
    world.results(&checkout).says("paid").await;
    assert_eq!(ours(&world), [(decimal("100.00"), None)]);
    assert_eq!(world.look(&invoice).status, Status::NotPaid);
    assert_eq!(world.balance(&customer), decimal("-50.00"), "charged 150, paid 100");
    is_under_review(&world, &checkout, "grown to 150.00 USD");
}

async fn a_document_paid_in_cash_meanwhile_leaves_the_payment_on_the_balance(engine: Engine) {
    let (world, customer, invoice, checkout) = begun(engine).await;
    world.pay_in_cash(&customer, &invoice, "100.00");
    world.pay(&checkout);
    world.payments_become(2, PATIENCE).await;
    world.results(&checkout).says("paid").await;
    assert_eq!(ours(&world), [(decimal("100.00"), None)]);
    assert_eq!(world.balance(&customer), decimal("100.00"));
    is_under_review(&world, &checkout, "already paid");
}

async fn a_document_paid_in_part_meanwhile_takes_what_is_due(engine: Engine) {
    let (world, customer, invoice, checkout) = begun(engine).await;
    world.pay_in_cash(&customer, &invoice, "40.00");
    world.pay(&checkout);
    world.payments_become(3, PATIENCE).await;
    world.results(&checkout).says("paid").await;
    assert_eq!(ours(&world), [(decimal("60.00"), Some(invoice.id)), (decimal("40.00"), None)]);
    let keys: Vec<_> = world.payments().into_iter().map(|row| row.receipt_number).collect();
    assert_eq!(keys[1..], [checkout.key(1), checkout.key(2)]);
    assert_eq!(world.look(&invoice).due, decimal("0"));
    assert_eq!(world.look(&invoice).status, Status::Paid);
    is_under_review(&world, &checkout, "only 60.00 USD are due");
}

async fn a_deleted_document_leaves_the_payment_on_the_balance(engine: Engine) {
    let (world, _, invoice, checkout) = begun(engine).await;
    world.splynx.edit(|splynx| {
        splynx.books.set_status(Kind::Invoice, invoice.id, Status::Deleted);
    });
    world.pay(&checkout);
    world.payments_become(1, PATIENCE).await;
    world.results(&checkout).says("paid").await;
    assert_eq!(ours(&world), [(decimal("100.00"), None)]);
    is_under_review(&world, &checkout, "deleted");
}

async fn a_document_given_to_another_customer_takes_nothing(engine: Engine) {
    let (world, customer, invoice, checkout) = begun(engine).await;
    let other = world.customer().await;
    world.splynx.edit(|splynx| splynx.books.reassign(Kind::Invoice, invoice.id, other.id));
    world.pay(&checkout);
    let payments = world.payments_become(1, PATIENCE).await;
    world.results(&checkout).says("paid").await;
    assert_eq!(payments[0].customer_id, customer.id, "who paid gets the money");
    assert_eq!(ours(&world), [(decimal("100.00"), None)]);
    assert_eq!(world.look(&invoice).status, Status::NotPaid);
    is_under_review(&world, &checkout, "another customer");
}

//! The same without a document: a customer refills the balance.

use splynx_bitpay::sim::bitpay::PayKind;

use super::{is_told, ours, setup, waits_for_a_person};
use crate::support::{Checkout, Customer, Engine, World, decimal, on_both_databases};

on_both_databases! {
    a_refill_is_paid_in_part,
    a_refill_is_paid_in_excess,
    a_refill_is_taken_back,
}

async fn begun(engine: Engine) -> (World, Customer, Checkout) {
    let world = World::with(engine, setup()).await;
    let customer = world.customer().await;
    let checkout = customer.refill("25.50").await;
    (world, customer, checkout)
}

async fn a_refill_is_paid_in_part(engine: Engine) {
    let (world, customer, checkout) = begun(engine).await;
    world.bitpay.pay(&checkout.invoice, PayKind::Less).unwrap();
    world.bitpay.expire(&checkout.invoice).unwrap();
    is_told(&world, &checkout, "paid_inexactly", "Less than the price").await;
    waits_for_a_person(&world, &checkout).await;
    assert_eq!(world.balance(&customer), decimal("0"));
    world.books_agree();
}

async fn a_refill_is_paid_in_excess(engine: Engine) {
    let (world, customer, checkout) = begun(engine).await;
    world.bitpay.pay(&checkout.invoice, PayKind::More).unwrap();
    world.bitpay.confirm(&checkout.invoice).unwrap();
    world.results(&checkout).says("paid").await;
    is_told(&world, &checkout, "paid_inexactly", "More than the price").await;
    assert_eq!(world.balance(&customer), decimal("25.50"));
    world.books_agree();
}

async fn a_refill_is_taken_back(engine: Engine) {
    let (world, customer, checkout) = begun(engine).await;
    world.pay(&checkout);
    world.bitpay.confirm(&checkout.invoice).unwrap();
    world.results(&checkout).says("paid").await;
    world.bitpay.decline(&checkout.invoice).unwrap();
    is_told(&world, &checkout, "taken_back", "25.50 USD is already credited").await;
    assert_eq!(ours(&world), [(decimal("25.50"), None)]);
    assert_eq!(world.balance(&customer), decimal("25.50"), "a person decides");
}

//! What BitPay reports that is not simply the price, in time, for good.

use splynx_bitpay::sim::bitpay::PayKind;
use splynx_bitpay::sim::splynx::Status;

use super::{Story, begun, waits_for_a_person};
use crate::support::{Engine, PATIENCE, on_both_databases};

on_both_databases! {
    a_part_is_paid_and_the_rest_in_time,
    a_part_is_paid_and_the_time_is_over,
    more_than_the_price_is_paid,
    a_payment_comes_late,
    a_payment_comes_late_and_is_accepted,
    a_part_is_paid_in_time_and_more_comes_late,
    a_payment_is_never_confirmed,
    a_payment_that_was_not_confirmed_in_time_is_confirmed_after_all,
    a_payment_becomes_invalid_after_it_was_credited,
    a_payment_is_declined_after_it_was_credited,
    a_payment_is_declined_before_it_was_seen_as_final,
    a_payment_is_refunded_after_it_was_complete,
}

/// Nothing was credited, and the books agree about that.
fn nothing_is_credited(story: &Story) {
    story.has_payments(&[]);
    assert_eq!(story.world.look(&story.invoice).status, Status::NotPaid);
    story.world.books_agree();
}

async fn a_part_is_paid_and_the_rest_in_time(engine: Engine) {
    let story = begun(engine).await;
    story.pays(PayKind::Less);
    story.world.results(&story.checkout).says("waiting").await;
    story.pays(PayKind::Exact);
    story.is_paid_as_usual().await;
}

async fn a_part_is_paid_and_the_time_is_over(engine: Engine) {
    let story = begun(engine).await;
    story.pays(PayKind::Less);
    story.world.bitpay.expire(&story.checkout.invoice).unwrap();
    story.is_told("paid_inexactly", "Less than the price was paid").await;
    waits_for_a_person(&story.world, &story.checkout).await;
    assert_eq!(story.world.bitpay.refunds().len(), 1, "BitPay pays it back");
    nothing_is_credited(&story);
}

async fn more_than_the_price_is_paid(engine: Engine) {
    let story = begun(engine).await;
    story.pays(PayKind::More);
    story.is_paid().await;
    story.is_told("paid_inexactly", "More than the price was paid").await;
    story.has_payments(&[("100.00", true)]);
    assert_eq!(story.world.look(&story.invoice).status, Status::Paid);
    assert_eq!(story.world.bitpay.refunds().len(), 1, "BitPay pays the rest back");
    story.world.books_agree();
}

async fn a_payment_comes_late(engine: Engine) {
    let story = begun(engine).await;
    story.pays(PayKind::Late);
    story.is_told("paid_inexactly", "Money came after the invoice had expired").await;
    waits_for_a_person(&story.world, &story.checkout).await;
    nothing_is_credited(&story);
}

async fn a_payment_comes_late_and_is_accepted(engine: Engine) {
    let story = begun(engine).await;
    story.world.bitpay.expire(&story.checkout.invoice).unwrap();
    story.world.results(&story.checkout).says("expired").await;
    story.pays_late_and_is_accepted(&story.checkout);
    story.is_paid_as_usual().await;
    assert!(story.tale().contains("paid late"), "{}", story.tale());
}

async fn a_part_is_paid_in_time_and_more_comes_late(engine: Engine) {
    let story = begun(engine).await;
    story.pays(PayKind::Less);
    story.world.bitpay.expire(&story.checkout.invoice).unwrap();
    story.is_told("paid_inexactly", "Less than the price was paid").await;
    story.pays(PayKind::Late);
    // One open review of a reason is enough; the last answer is shown beside it.
    story.is_told("paid_inexactly", "expired, paid late").await;
    assert_eq!(story.world.bitpay.refunds().len(), 2, "BitPay pays both back");
    nothing_is_credited(&story);
}

async fn a_payment_is_never_confirmed(engine: Engine) {
    let story = begun(engine).await;
    story.pays(PayKind::Exact);
    story.world.results(&story.checkout).says("confirming").await;
    story.world.bitpay.invalidate(&story.checkout.invoice).unwrap();
    story.is_told("paid_inexactly", "seen, but not confirmed in time").await;
    waits_for_a_person(&story.world, &story.checkout).await;
    nothing_is_credited(&story);
}

async fn a_payment_that_was_not_confirmed_in_time_is_confirmed_after_all(engine: Engine) {
    let story = begun(engine).await;
    story.pays(PayKind::Exact);
    story.world.bitpay.invalidate(&story.checkout.invoice).unwrap();
    story.is_told("paid_inexactly", "it will be credited by itself").await;
    story.world.bitpay.complete(&story.checkout.invoice).unwrap();
    story.world.results(&story.checkout).says("paid").await;
    story.has_payments(&[("100.00", true)]);
    story.world.books_agree();
}

/// The money is in Splynx already, and stays there until a person decides.
async fn stays_credited(story: &Story, words: &str) {
    story.is_told("taken_back", words).await;
    story.has_payments(&[("100.00", true)]);
    assert_eq!(story.world.look(&story.invoice).status, Status::Paid);
    story.world.results(&story.checkout).says("paid").await;
}

async fn a_payment_becomes_invalid_after_it_was_credited(engine: Engine) {
    let story = begun(engine).await;
    story.pays(PayKind::Exact);
    story.is_paid().await;
    story.world.bitpay.invalidate(&story.checkout.invoice).unwrap();
    stays_credited(&story, "of which 100.00 USD is already credited").await;
}

async fn a_payment_is_declined_after_it_was_credited(engine: Engine) {
    let story = begun(engine).await;
    story.pays(PayKind::Exact);
    story.is_paid().await;
    story.world.bitpay.decline(&story.checkout.invoice).unwrap();
    stays_credited(&story, "of which 100.00 USD is already credited").await;
}

async fn a_payment_is_declined_before_it_was_seen_as_final(engine: Engine) {
    let story = begun(engine).await;
    story.world.addon.kill();
    story.pays(PayKind::Exact);
    story.world.bitpay.confirm(&story.checkout.invoice).unwrap();
    story.world.bitpay.decline(&story.checkout.invoice).unwrap();
    story.world.addon.start().await;
    story.is_told("paid_inexactly", "given back at the processor").await;
    waits_for_a_person(&story.world, &story.checkout).await;
    nothing_is_credited(&story);
}

async fn a_payment_is_refunded_after_it_was_complete(engine: Engine) {
    let story = begun(engine).await;
    story.pays(PayKind::Exact);
    story.is_paid().await;
    story.world.bitpay.complete(&story.checkout.invoice).unwrap();
    story.world.payments_become(1, PATIENCE).await;
    assert!(story.world.under_review().is_empty(), "{}", story.tale());
    story.world.bitpay.refund(&story.checkout.invoice).unwrap();
    stays_credited(&story, "The merchant gave money of this payment back").await;
}

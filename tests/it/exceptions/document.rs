//! Somebody changes in Splynx, or in the configuration, what the payment was meant for.

use splynx_bitpay::sim::bitpay::PayKind;
use splynx_bitpay::sim::splynx::{Kind, Status};

use super::{Story, begun, begun_with, is_told, setup};
use crate::support::{Engine, PATIENCE, World, decimal, eventually, on_both_databases};

on_both_databases! {
    the_document_is_paid_by_hand_while_the_payment_is_confirmed,
    the_document_is_paid_in_part_by_hand,
    the_document_is_deleted,
    the_document_has_grown,
    the_document_has_shrunk,
    the_document_is_moved_to_another_customer,
    a_proforma_invoice_is_paid_by_hand,
    the_currency_is_changed,
    the_fee_is_refused,
    two_attempts_at_one_document_are_both_paid,
}

fn set_total(story: &Story, total: &str) {
    story.world.splynx.edit(|splynx| {
        let now = splynx.clock.now().naive_utc();
        splynx.books.set_total(Kind::Invoice, story.invoice.id, decimal(total), now);
    });
}

/// The customer has paid; BitPay is confirming.
async fn confirming(engine: Engine) -> Story {
    let story = begun(engine).await;
    story.pays(PayKind::Exact);
    story.world.results(&story.checkout).says("confirming").await;
    story
}

/// What could not go on the document is on the balance, and a person is told why.
async fn goes_to_the_balance(story: &Story, words: &str) {
    story.is_paid().await;
    story.is_told("document_changed", words).await;
    story.has_payments(&[("100.00", false)]);
    story.world.books_agree();
}

async fn the_document_is_paid_by_hand_while_the_payment_is_confirmed(engine: Engine) {
    let story = confirming(engine).await;
    story.world.pay_in_cash(&story.customer, &story.invoice, "100.00");
    goes_to_the_balance(&story, "already paid").await;
    assert_eq!(story.world.balance(&story.customer), decimal("100.00"));
}

async fn the_document_is_paid_in_part_by_hand(engine: Engine) {
    let story = confirming(engine).await;
    story.world.pay_in_cash(&story.customer, &story.invoice, "40.00");
    story.is_paid().await;
    story.is_told("document_changed", "only 60.00 USD are due").await;
    story.has_payments(&[("60.00", true), ("40.00", false)]);
    assert_eq!(story.world.look(&story.invoice).status, Status::Paid);
    story.world.books_agree();
}

async fn the_document_is_deleted(engine: Engine) {
    let story = confirming(engine).await;
    story.world.splynx.edit(|splynx| {
        splynx.books.set_status(Kind::Invoice, story.invoice.id, Status::Deleted);
    });
    goes_to_the_balance(&story, "the document was deleted").await;
}

async fn the_document_has_grown(engine: Engine) {
    let story = confirming(engine).await;
    set_total(&story, "150.00");
    goes_to_the_balance(&story, "grown to 150.00 USD").await;
    assert_eq!(story.world.look(&story.invoice).status, Status::NotPaid);
}

async fn the_document_has_shrunk(engine: Engine) {
    let story = confirming(engine).await;
    set_total(&story, "60.00");
    story.is_paid().await;
    story.is_told("document_changed", "only 60.00 USD are due").await;
    story.has_payments(&[("60.00", true), ("40.00", false)]);
    assert_eq!(story.world.look(&story.invoice).status, Status::Paid);
    assert_eq!(story.world.balance(&story.customer), decimal("40.00"));
    story.world.books_agree();
}

async fn the_document_is_moved_to_another_customer(engine: Engine) {
    let story = confirming(engine).await;
    let other = story.world.customer().await;
    story.world.splynx.edit(|splynx| {
        splynx.books.reassign(Kind::Invoice, story.invoice.id, other.id);
    });
    goes_to_the_balance(&story, "another customer").await;
    let payment = story.world.payments().remove(0);
    assert_eq!(payment.customer_id, story.customer.id, "who paid gets the money");
}

async fn a_proforma_invoice_is_paid_by_hand(engine: Engine) {
    let world = World::with(engine, setup()).await;
    let customer = world.customer().await;
    let proforma = world.proforma(&customer, "100.00");
    let checkout = customer.check_out(&proforma).await;
    world.pay(&checkout);
    world.splynx.edit(|splynx| {
        splynx.books.set_status(Kind::Proforma, proforma.id, Status::Paid);
    });
    world.bitpay.confirm(&checkout.invoice).unwrap();
    world.results(&checkout).says("paid").await;
    is_told(&world, &checkout, "document_changed", "already paid").await;
    assert_eq!(super::ours(&world), [(decimal("100.00"), None)]);
    world.books_agree();
}

/// The worker looks by itself once an hour; an admin who has mended the cause need not wait.
async fn the_currency_is_changed(engine: Engine) {
    let story = confirming(engine).await;
    story.world.addon.stop().await;
    let dollars = story.world.configuration();
    let euros = dollars.replace("[payments]\n", "[payments]\ncurrency = \"EUR\"\n");
    assert_ne!(euros, dollars);
    story.world.configure_as(&euros);
    story.world.addon.start().await;
    story.world.bitpay.confirm(&story.checkout.invoice).unwrap();
    story.is_told("currency_changed", "100.00 USD was paid, but the currency is EUR now").await;
    story.has_payments(&[]);
    story.world.addon.stop().await;
    story.world.configure_as(&dollars);
    story.world.addon.start().await;
    let id = story.world.attempt_of(&story.checkout.invoice).id;
    story.world.command(&["attempts", "retry", &id]);
    story.world.results(&story.checkout).says("paid").await;
    story.has_payments(&[("100.00", true)]);
    story.world.books_agree();
}

async fn the_fee_is_refused(engine: Engine) {
    let mut setup = setup();
    (setup.fee_percent, setup.fee_vat_percent) = ("10", "2");
    let story = begun_with(engine, setup).await;
    story.world.splynx.edit(|splynx| {
        splynx.access.set_permission("api\\admin\\finance\\Invoices", "update", false);
    });
    story.pays(PayKind::Exact);
    story.is_paid().await;
    story.is_told("fee_refused", "Splynx refused the fee item").await;
    story.has_payments(&[("100.00", true), ("10.00", false)]);
    assert_eq!(story.world.look(&story.invoice).status, Status::Paid);
    story.world.books_agree();
}

async fn two_attempts_at_one_document_are_both_paid(engine: Engine) {
    let story = begun(engine).await;
    story.world.bitpay.expire(&story.checkout.invoice).unwrap();
    story.world.results(&story.checkout).says("expired").await;
    let second = story.customer.check_out(&story.invoice).await;
    assert_ne!(second, story.checkout);
    // The second click is paid, and the first one late, and BitPay takes both.
    story.world.pay(&second);
    story.world.bitpay.confirm(&second.invoice).unwrap();
    story.world.results(&second).says("paid").await;
    story.pays_late_and_is_accepted(&story.checkout);
    story.is_paid().await;
    story.is_told("document_changed", "already paid").await;
    story.has_payments(&[("100.00", true), ("100.00", false)]);
    eventually("only the second is under review", PATIENCE, async || {
        let under_review = story.world.under_review();
        if under_review.len() == 1 { Ok(()) } else { Err(format!("{under_review:?}")) }
    })
    .await;
    assert_eq!(story.world.balance(&story.customer), decimal("100.00"));
    story.world.books_agree();
}

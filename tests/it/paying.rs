//! The good days: a customer pays, and everybody sees it.

use splynx_bitpay::sim::bitpay;
use splynx_bitpay::sim::splynx::Status;

use crate::support::{
    Checkout, Customer, Document, Engine, PATIENCE, Setup, World, decimal, eventually,
    on_both_databases,
};

on_both_databases! {
    a_customer_pays_an_invoice_and_it_turns_paid,
    a_customer_pays_a_proforma_invoice_and_it_turns_paid,
    a_refill_raises_the_balance,
    without_any_notification_polling_finds_the_payment,
    a_second_click_leads_to_the_same_checkout,
    an_unpaid_checkout_changes_nothing,
}

/// The payment as Splynx must have it, to the last field.
fn is_booked(world: &World, customer: &Customer, checkout: &Checkout, amount: &str) {
    let payments = world.payments();
    let [payment] = payments.as_slice() else { panic!("{payments:#?}") };
    let key = checkout.key(1);
    let today = world.splynx.read(|splynx| splynx.clock.today());
    let attempt = world.attempt_of(&checkout.invoice);
    assert_eq!(payment.customer_id, customer.id);
    assert_eq!(payment.amount, decimal(amount));
    assert_eq!(payment.receipt_number, key);
    assert_eq!(payment.comment, format!("TEST Bitpay {key}"));
    assert_eq!(payment.payment_type, 5);
    assert!((today - payment.date).num_days().abs() <= 1, "{}", payment.date);
    let fields = [key.as_str(), checkout.invoice.as_str(), attempt.id.as_str(), "", ""];
    assert_eq!(payment.fields, fields.map(str::to_owned));
}

/// The line in this month's payment statement.
async fn is_in_the_statement(world: &World, customer: &Customer, number: &str, amount: &str) {
    let payment = world.payments().pop().unwrap();
    let record = eventually("the statement's record is processed", PATIENCE, async || {
        let records: Vec<_> =
            world.splynx.read(|splynx| splynx.books.records.iter().cloned().collect());
        match records.as_slice() {
            [record] if record.status == "processed" => Ok(record.clone()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!(record.customer_id, Some(customer.id));
    assert_eq!(record.amount, decimal(amount));
    assert_eq!(record.payment_id, Some(payment.id));
    assert_eq!(record.pairing[1], number);
    assert_eq!(record.comment, "Bitpay");
    let statement = world.splynx.read(|splynx| {
        splynx.books.statements.get(record.bank_statements_process_id).cloned().unwrap()
    });
    assert_eq!(statement.title, format!("Bitpay {}", record.created.format("%m/%Y")));
}

fn is_paid_by(world: &World, document: &Document) {
    let payment = world.payments().pop().unwrap();
    let row = world.look(document);
    assert_eq!(row.status, Status::Paid);
    assert_eq!(row.payment_id, Some(payment.id));
    assert_eq!(row.due, decimal("0"));
    let linked = [payment.invoice_id, payment.request_id];
    match document.kind {
        splynx_bitpay::sim::splynx::Kind::Invoice => assert_eq!(linked, [Some(document.id), None]),
        splynx_bitpay::sim::splynx::Kind::Proforma => assert_eq!(linked, [None, Some(document.id)]),
    }
}

async fn a_customer_pays_an_invoice_and_it_turns_paid(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "51.61");
    let page = customer.browser.get(&invoice.page()).await;
    assert!(page.body.contains("51.61 USD") && page.body.contains(&invoice.number));
    let checkout = customer.check_out(&invoice).await;
    let processor_invoice = world.bitpay.invoice(&checkout.invoice).unwrap();
    assert_eq!((processor_invoice.price, processor_invoice.currency), (decimal("51.61"), "USD"));
    let results = world.results(&checkout);
    assert_eq!(results.progress().await, "waiting");
    assert!(results.page().await.body.contains(&checkout.address), "they can go on paying");
    world.pay_on_the_page(&checkout).await;
    let payments = world.payments_become(1, PATIENCE).await;
    results.says("paid").await;
    assert_eq!(results.script_sees().await["title"], "Payment successful!");
    is_booked(&world, &customer, &checkout, "51.61");
    is_paid_by(&world, &invoice);
    is_in_the_statement(&world, &customer, &invoice.number, "51.61").await;
    let told: Vec<_> =
        world.bitpay.deliveries().into_iter().map(|delivery| delivery.state).collect();
    assert!(told.contains(&bitpay::DeliveryState::Delivered), "{told:?}");
    assert_eq!(world.payments(), payments, "nothing came after");
    assert!(world.under_review().is_empty());
    world.books_agree();
}

async fn a_customer_pays_a_proforma_invoice_and_it_turns_paid(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let proforma = world.proforma(&customer, "12.34");
    let checkout = customer.check_out(&proforma).await;
    world.pay_on_the_page(&checkout).await;
    world.results(&checkout).says("paid").await;
    is_booked(&world, &customer, &checkout, "12.34");
    is_paid_by(&world, &proforma);
    is_in_the_statement(&world, &customer, &proforma.number, "12.34").await;
    assert!(world.under_review().is_empty());
}

async fn a_refill_raises_the_balance(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let checkout = customer.refill("25.50").await;
    assert_eq!(world.balance(&customer), decimal("0"), "nothing is paid yet");
    world.pay_on_the_page(&checkout).await;
    world.results(&checkout).says("paid").await;
    is_booked(&world, &customer, &checkout, "25.50");
    assert_eq!(world.balance(&customer), decimal("25.50"));
    is_in_the_statement(&world, &customer, "", "25.50").await;
}

async fn without_any_notification_polling_finds_the_payment(engine: Engine) {
    let mut setup = Setup::default();
    setup.bitpay.send_ipn = false;
    let world = World::with(engine, setup).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "20.00");
    let checkout = customer.check_out(&invoice).await;
    world.pay(&checkout);
    world.payments_become(1, PATIENCE).await;
    is_booked(&world, &customer, &checkout, "20.00");
    is_paid_by(&world, &invoice);
    let told = world.bitpay.deliveries();
    assert!(told.iter().all(|told| told.attempts.is_empty()), "nothing was sent: {told:?}");
}

async fn a_second_click_leads_to_the_same_checkout(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "20.00");
    let first = customer.check_out(&invoice).await;
    assert_eq!(customer.check_out(&invoice).await, first);
    for _ in 0..3 {
        customer.browser.get(&invoice.page()).await;
    }
    assert_eq!(world.bitpay.invoices().len(), 1, "looking makes no invoice (F15)");
}

async fn an_unpaid_checkout_changes_nothing(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "20.00");
    let checkout = customer.check_out(&invoice).await;
    world.bitpay.expire(&checkout.invoice).unwrap();
    world.results(&checkout).says("expired").await;
    assert!(world.payments().is_empty());
    assert_eq!(world.look(&invoice).status, Status::NotPaid);
}

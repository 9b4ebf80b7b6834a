//! Somebody is away: Splynx, BitPay, or the add-on itself. Nothing is lost, and nobody is told what is not so.

use std::time::Duration;

use actix_web::http::Method;
use splynx_bitpay::sim::faults::{Fault, Kind};
use splynx_bitpay::sim::splynx::Status;

use crate::support::{Engine, PATIENCE, World, eventually, holds, on_both_databases};

on_both_databases! {
    whoever_is_away_loses_no_payment,
    with_splynx_down_nothing_is_begun,
    with_bitpay_down_nothing_is_begun_and_the_next_click_works,
    an_invoice_made_without_an_answer_is_found_again,
    a_second_serve_on_one_database_does_no_harm,
    a_database_that_cannot_be_written_takes_no_notification,
}

/// Waiting costs nothing: three stories, told at the same time, each in a world of its own.
async fn whoever_is_away_loses_no_payment(engine: Engine) {
    tokio::join!(
        with_splynx_down_a_payment_waits_and_is_recorded_when_it_is_back(engine),
        an_invoice_begun_by_a_process_that_was_killed_is_found_again(engine),
        payments_made_while_the_add_on_was_dead_are_recorded(engine),
    );
}

async fn with_splynx_down_a_payment_waits_and_is_recorded_when_it_is_back(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "51.61");
    let checkout = customer.check_out(&invoice).await;
    world.splynx.arm(Fault::on_any("", Kind::Down));
    world.pay(&checkout);
    let results = world.results(&checkout);
    results.says("settled").await;
    assert!(results.page().await.body.contains("is being entered into your account"));
    eventually("/ready names Splynx", PATIENCE, async || {
        let (status, body) = world.addon.ops("/ready").await?;
        if status == 503 && body.contains("splynx") { Ok(()) } else { Err(body) }
    })
    .await;
    holds("the page does not say paid", Duration::from_secs(2), async || {
        let now = results.progress().await;
        if now == "settled" { Ok(()) } else { Err(now) }
    })
    .await;
    assert!(world.payments().is_empty());
    let told = world.bitpay.deliveries();
    assert!(
        told.iter().all(|told| told.attempts.iter().all(|try_| try_.status == Some(200))),
        "{told:?}"
    );
    world.splynx.disarm();
    let payments = world.payments_become(1, PATIENCE).await;
    assert_eq!(payments[0].receipt_number, checkout.key(1));
    results.says("paid").await;
    assert_eq!(world.look(&invoice).status, Status::Paid);
    world.addon.ready().await;
}

async fn with_splynx_down_nothing_is_begun(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "51.61");
    let page = customer.browser.get(&invoice.page()).await;
    world.splynx.arm(Fault::on_any("", Kind::Down));
    for answer in [
        customer.browser.submit(&page.form_with("_top")).await,
        customer.browser.get(&invoice.page()).await,
    ] {
        assert_eq!(answer.status, 503);
        assert!(answer.body.contains("The portal does not answer"), "{}", answer.body);
        assert!(answer.headers.contains_key("retry-after"));
    }
    assert!(world.bitpay.invoices().is_empty());
    assert!(world.attempts().is_empty());
}

async fn with_bitpay_down_nothing_is_begun_and_the_next_click_works(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "51.61");
    let page = customer.browser.get(&invoice.page()).await;
    world.bitpay.arm(Fault::on_any("", Kind::Down));
    let answer = customer.browser.submit(&page.form_with("_top")).await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("The payment service does not answer"), "{}", answer.body);
    assert!(world.bitpay.invoices().is_empty());
    world.bitpay.disarm();
    let checkout = customer.check_out(&invoice).await;
    assert_eq!(world.bitpay.invoices().len(), 1);
    assert_eq!(world.attempts().len(), 1, "the second click went on with the first");
    world.pay(&checkout);
    world.payments_become(1, PATIENCE).await;
}

async fn an_invoice_made_without_an_answer_is_found_again(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "51.61");
    let page = customer.browser.get(&invoice.page()).await;
    let lost = || Fault::on(Method::POST, "invoices", Kind::ExecuteThenDrop);
    world.bitpay.arm(lost().times(1));
    let answer = customer.browser.submit(&page.form_with("_top")).await;
    assert!([303, 503].contains(&answer.status), "{}", answer.body);
    let checkout = customer.check_out(&invoice).await;
    let made = world.bitpay.invoices();
    assert_eq!(made.len(), 1, "one click, one processor invoice: {made:?}");
    assert_eq!(made[0].id, checkout.invoice);
    world.pay(&checkout);
    world.payments_become(1, PATIENCE).await;
}

async fn an_invoice_begun_by_a_process_that_was_killed_is_found_again(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "51.61");
    let form = customer.browser.get(&invoice.page()).await.form_with("_top");
    // BitPay makes the invoice while its answer waits longer than the process lives.
    world.bitpay.arm(Fault::on(Method::POST, "invoices", Kind::Delay { ms: 1500 }).times(1));
    let click = customer.browser.submit(&form);
    let death = async {
        eventually("the wish is on its way", PATIENCE, async || {
            let log = world.bitpay.log();
            let sent = log.iter().any(|call| call.method == "POST" && call.path == "invoices");
            if sent { Ok(()) } else { Err(format!("{log:?}")) }
        })
        .await;
        world.addon.kill();
    };
    let (answer, ()) = tokio::join!(click, death);
    assert_eq!(answer.status, 502, "the proxy's page: nobody is there");
    world.addon.start().await;
    eventually("BitPay has made the invoice", PATIENCE, async || {
        match world.bitpay.invoices().len() {
            1 => Ok(()),
            other => Err(other.to_string()),
        }
    })
    .await;
    let checkout = customer.check_out(&invoice).await;
    assert_eq!(world.bitpay.invoices().len(), 1);
    assert_eq!(world.attempts().len(), 1);
    world.pay(&checkout);
    world.payments_become(1, PATIENCE).await;
}

async fn payments_made_while_the_add_on_was_dead_are_recorded(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let mut checkouts = Vec::new();
    for amount in ["10.00", "20.00", "30.00"] {
        checkouts.push(customer.check_out(&world.invoice(&customer, amount)).await);
    }
    world.addon.kill();
    for checkout in &checkouts {
        world.pay(checkout);
        world.final_at_bitpay(checkout).await;
    }
    assert!(world.payments().is_empty());
    world.addon.start().await;
    let payments = world.payments_become(3, PATIENCE).await;
    for checkout in &checkouts {
        let own = payments.iter().filter(|payment| payment.receipt_number == checkout.key(1));
        assert_eq!(own.count(), 1);
    }
}

/// SQLite: refused with a sentence. PostgreSQL: several may serve, but not on one port.
async fn a_second_serve_on_one_database_does_no_harm(engine: Engine) {
    let world = World::new(engine).await;
    let second = world.addon.run(&["serve"]);
    assert_eq!(second.status.code(), Some(1), "{second:?}");
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    let reason = match engine {
        Engine::Sqlite => "already",
        Engine::Postgresql => "cannot listen",
    };
    assert!(said.contains(reason), "{said}");
    assert!(world.addon.ended().is_none(), "the first goes on");
    let customer = world.customer().await;
    let checkout = customer.refill("10.00").await;
    world.pay(&checkout);
    world.payments_become(1, PATIENCE).await;
}

async fn a_database_that_cannot_be_written_takes_no_notification(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let checkout = customer.check_out(&world.invoice(&customer, "51.61")).await;
    let read_only = world.database.read_only();
    world.pay(&checkout);
    eventually("the notification is refused", PATIENCE, async || {
        let told = world.bitpay.deliveries();
        let mut answers = told.iter().flat_map(|told| &told.attempts).map(|try_| try_.status);
        if answers.any(|status| status == Some(503)) { Ok(()) } else { Err(format!("{told:?}")) }
    })
    .await;
    eventually("/ready names the database", PATIENCE, async || {
        let (status, body) = world.addon.ops("/ready").await?;
        if status == 503 && body.contains("database") { Ok(()) } else { Err(body) }
    })
    .await;
    assert!(world.payments().is_empty());
    drop(read_only);
    world.payments_become(1, PATIENCE).await;
    world.results(&checkout).says("paid").await;
    world.addon.ready().await;
}

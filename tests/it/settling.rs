//! A person settles what the add-on cannot decide (design 4, Review): on the pages and on the command line, beside a
//! worker that goes on trying. Whoever is killed and whoever is faster: the money is in Splynx exactly once.

use std::process::Output;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use serde_json::json;
use splynx_bitpay::sim::bitpay::PayKind;
use splynx_bitpay::sim::faults::{Answer, Fault, Kind};
use splynx_bitpay::sim::splynx::Status;

use crate::support::{
    Checkout, Customer, Engine, PATIENCE, Setup, World, decimal, eventually, holds,
    on_both_databases,
};

on_both_databases! {
    a_payment_that_splynx_refuses_is_settled_to_the_balance_on_its_page,
    a_payment_that_splynx_refuses_is_settled_on_the_command_line_once,
    a_kill_right_after_settling_loses_and_doubles_nothing,
    settling_while_the_worker_is_at_it_makes_one_payment,
    a_payment_whose_fate_is_unknown_is_not_moved,
    money_paid_in_part_is_credited_once_by_two_people_at_once,
    what_was_dismissed_stays_dismissed,
    money_of_another_currency_goes_where_a_person_says,
}

const PAYMENTS: &str = "admin/finance/payments";
const NOTE: &str = "The customer asked for it.";

/// Splynx does not take payments of documents.
fn refuses_documents(world: &World) {
    let body = json!([{ "field": "invoice_id", "message": "Invoice is locked." }]);
    let answer =
        Answer { code: StatusCode::UNPROCESSABLE_ENTITY, body: Some(body), retry_after: None };
    let fault = Fault::on(Method::POST, PAYMENTS, Kind::Status(answer));
    world.splynx.arm(fault.containing("invoice_id"));
}

fn id_of(world: &World, checkout: &Checkout) -> String {
    world.attempt_of(&checkout.invoice).id
}

async fn is_told(world: &World, checkout: &Checkout, words: &str) -> String {
    eventually(words, PATIENCE, async || {
        let story = world.story_of(&checkout.invoice);
        if story.contains(words) { Ok(story) } else { Err(story) }
    })
    .await
}

/// A paid invoice whose payment Splynx refuses; a person was told.
async fn refused(engine: Engine) -> (World, Checkout) {
    let mut setup = Setup::default();
    setup.splynx.auto_allocate = false;
    let world = World::with(engine, setup).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "50.00");
    let checkout = customer.check_out(&invoice).await;
    refuses_documents(&world);
    world.pay(&checkout);
    let story = is_told(&world, &checkout, "OPEN refused").await;
    assert!(story.contains("Invoice is locked."), "{story}");
    (world, checkout)
}

fn settle(world: &World, id: &str, more: &[&str]) -> Output {
    let arguments = [&["attempts", "settle", id, "--note", NOTE], more].concat();
    world.addon.run(&arguments)
}

fn error_of(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// One payment of the whole sum on the balance, for good, and everybody knows.
async fn is_on_the_balance(world: &World, checkout: &Checkout) {
    let payments = world.payments_become(1, PATIENCE).await;
    let payment = &payments[0];
    assert_eq!((payment.amount, payment.invoice_id), (decimal("50.00"), None));
    assert_eq!(payment.receipt_number, checkout.key(1));
    world.results(checkout).says("paid").await;
    world.nobody_is_called();
    world.books_agree();
    assert!(world.command(&["audit", "verify"]).contains("The journal is whole."));
}

async fn a_payment_that_splynx_refuses_is_settled_to_the_balance_on_its_page(engine: Engine) {
    let (world, checkout) = refused(engine).await;
    world.results(&checkout).says("review").await;
    let admin = world.admin().await;
    let list = admin.browser.get("/bitpay/admin/attempts?review=1").await;
    let path = format!("/bitpay/admin/attempts/{}", id_of(&world, &checkout));
    assert!(list.body.contains(&format!("{path}#reviews")), "{}", list.body);
    let page = admin.browser.get(&path).await;
    assert!(page.body.contains("Splynx refused a write"), "{}", page.body);
    let form = page.form_with("value=\"balance\"").with("decision", "balance");

    let without_note = admin.browser.submit(&form.clone().with("note", " ")).await;
    assert_eq!(without_note.status, 422, "{}", without_note.body);
    assert!(world.payments().is_empty());

    let form = form.with("note", NOTE);
    let done = admin.browser.submit(&form).await;
    assert_eq!((done.status, done.location()), (303, format!("{path}?done=balance").as_str()));
    is_on_the_balance(&world, &checkout).await;
    let page = admin.browser.get(done.location()).await;
    for words in ["Settled.", "Decided by a person:", "admin 1", NOTE, "to the balance"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let again = admin.browser.submit(&form).await;
    assert_eq!(again.status, 422);
    assert!(again.body.contains("Somebody has settled this review already."), "{}", again.body);
    assert_eq!(world.payments().len(), 1);
}

async fn a_payment_that_splynx_refuses_is_settled_on_the_command_line_once(engine: Engine) {
    let (world, checkout) = refused(engine).await;
    let id = id_of(&world, &checkout);
    let listed = world.command(&["attempts", "list", "--review", "--state", "settled", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((&listed[0]["id"], &listed[0]["open_reviews"]), (&json!(id), &json!(1)));
    let wrong = settle(&world, &id, &["--to", "balance", "--amount", "20.00"]);
    assert!(error_of(&wrong).contains("50.00 USD wait and are decided as a whole"), "{wrong:?}");
    let done = settle(&world, &id, &["--to", "balance"]);
    assert!(done.status.success(), "{done:?}");
    is_on_the_balance(&world, &checkout).await;
    let story = world.story_of(&checkout.invoice);
    let who = "on the command line";
    for words in ["to balance, decided by a person", "closed refused", NOTE, who] {
        assert!(story.contains(words), "{words}: {story}");
    }
    let again = error_of(&settle(&world, &id, &["--to", "balance"]));
    assert!(again.contains("all of it is in Splynx"), "{again}");
    assert!(error_of(&settle(&world, &id, &["--to", "dismiss"])).contains("no review"));
    assert_eq!(world.payments().len(), 1);
}

async fn a_kill_right_after_settling_loses_and_doubles_nothing(engine: Engine) {
    let (world, checkout) = refused(engine).await;
    let done = settle(&world, &id_of(&world, &checkout), &["--to", "balance"]);
    world.addon.kill();
    assert!(done.status.success(), "{done:?}");
    world.addon.start().await;
    is_on_the_balance(&world, &checkout).await;
}

async fn settling_while_the_worker_is_at_it_makes_one_payment(engine: Engine) {
    let mut setup = Setup { quiescence_seconds: 20, ..Setup::default() };
    setup.splynx.auto_allocate = false;
    let world = World::with(engine, setup).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "50.00");
    let checkout = customer.check_out(&invoice).await;
    // The look that comes before the sending takes long: the worker holds the attempt all the while.
    world.splynx.arm(Fault::on(Method::GET, PAYMENTS, Kind::Delay { ms: 5000 }).times(1));
    world.pay(&checkout);
    is_told(&world, &checkout, "document_payment").await;
    let done = settle(&world, &id_of(&world, &checkout), &["--to", "balance"]);
    assert!(done.status.success(), "{done:?}");
    assert!(world.payments().is_empty());
    is_on_the_balance(&world, &checkout).await;
    holds("one payment", Duration::from_secs(6), async || match world.payments().len() {
        1 => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
}

async fn a_payment_whose_fate_is_unknown_is_not_moved(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "50.00");
    let checkout = customer.check_out(&invoice).await;
    // Executed, though nobody hears of it; and then nobody can look.
    world.splynx.arm(Fault::on(Method::POST, PAYMENTS, Kind::ExecuteThenDrop).times(1));
    let broken = Kind::Status(Answer::bare(StatusCode::BAD_GATEWAY));
    world.splynx.arm(Fault::on(Method::GET, PAYMENTS, broken).after(1));
    world.pay(&checkout);
    is_told(&world, &checkout, "UNKNOWN").await;
    let id = id_of(&world, &checkout);
    let error = error_of(&settle(&world, &id, &["--to", "balance"]));
    assert!(error.contains("it is not known yet whether Splynx has BP-"), "{error}");
    world.splynx.disarm();
    eventually("the payment is found", PATIENCE, async || {
        world.command(&["attempts", "retry", &id]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let state = world.attempt_of(&checkout.invoice).state;
        if state == "recorded" { Ok(()) } else { Err(state) }
    })
    .await;
    assert_eq!(world.payments().len(), 1);
    assert_eq!(world.look(&invoice).status, Status::Paid);
}

/// Half of 20.00 came, and the time to pay is over.
async fn paid_in_part(engine: Engine) -> (World, Customer, Checkout, String) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let checkout = customer.refill("20.00").await;
    world.bitpay.set(|settings| settings.automatic = false);
    world.bitpay.pay(&checkout.invoice, PayKind::Less).unwrap();
    world.bitpay.expire(&checkout.invoice).unwrap();
    is_told(&world, &checkout, "OPEN paid_inexactly").await;
    world.results(&checkout).says("review").await;
    let id = id_of(&world, &checkout);
    (world, customer, checkout, id)
}

async fn money_paid_in_part_is_credited_once_by_two_people_at_once(engine: Engine) {
    let (world, customer, checkout, id) = paid_in_part(engine).await;
    for (to, amount, words) in [
        ("document", "--amount=10", "for no document"),
        ("balance", "--amount=", "at most 20.00 USD"),
        ("balance", "--amount=20.01", "up to 20.00 USD"),
        ("balance", "--amount=0", "up to 20.00 USD"),
        ("balance", "--amount=-1", "up to 20.00 USD"),
        ("balance", "--amount=1.001", "up to 20.00 USD"),
    ] {
        let error = error_of(&settle(&world, &id, &["--to", to, amount]));
        assert!(error.contains(words), "{to} {amount}: {error}");
    }
    let story = world.story_of(&checkout.invoice);
    let (_, review) = story.split_once("OPEN paid_inexactly").unwrap();
    let review = review.split_once(" [").unwrap().1.split(',').next().unwrap().to_owned();
    let order = ["--to", "balance", "--amount", "10.00", "--review", &review];
    let ends: Vec<bool> = std::thread::scope(|threads| {
        let people: Vec<_> =
            (0..3).map(|_| threads.spawn(|| settle(&world, &id, &order))).collect();
        people.into_iter().map(|person| person.join().unwrap().status.success()).collect()
    });
    assert_eq!(ends.iter().filter(|success| **success).count(), 1, "{ends:?}");
    let payments = world.payments_become(1, PATIENCE).await;
    assert_eq!((payments[0].amount, payments[0].invoice_id), (decimal("10.00"), None));
    world.results(&checkout).says("paid").await;
    assert_eq!(world.balance(&customer), decimal("10.00"));
    // BitPay goes on saying that nothing is final. That is known.
    holds("nobody is called again", Duration::from_secs(4), async || {
        let open = world.under_review();
        if open.is_empty() { Ok(()) } else { Err(world.story_of(&checkout.invoice)) }
    })
    .await;
    assert_eq!(world.payments().len(), 1);
}

async fn what_was_dismissed_stays_dismissed(engine: Engine) {
    let (world, _, checkout, id) = paid_in_part(engine).await;
    let done = settle(&world, &id, &["--to", "dismiss"]);
    assert!(done.status.success(), "{done:?}");
    world.results(&checkout).says("expired").await;
    for _ in 0..3 {
        world.bitpay.send_ipns(&checkout.invoice, 1).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(world.under_review().is_empty(), "{}", world.story_of(&checkout.invoice));
    }
    assert!(world.payments().is_empty());
    let story = world.story_of(&checkout.invoice);
    assert!(story.contains("closed paid_inexactly") && story.contains(NOTE), "{story}");
}

async fn money_of_another_currency_goes_where_a_person_says(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "50.00");
    let checkout = customer.check_out(&invoice).await;
    world.addon.stop().await;
    let euros = "[payments]\ncurrency = \"EUR\"\n";
    world.configure_as(&world.configuration().replace("[payments]\n", euros));
    world.addon.start().await;
    world.pay(&checkout);
    is_told(&world, &checkout, "OPEN currency_changed").await;
    let done = settle(&world, &id_of(&world, &checkout), &["--to", "document"]);
    assert!(done.status.success(), "{done:?}");
    let payments = world.payments_become(1, PATIENCE).await;
    assert_eq!(payments[0].invoice_id, Some(invoice.id));
    world.results(&checkout).says("paid").await;
    assert!(world.under_review().is_empty());
}

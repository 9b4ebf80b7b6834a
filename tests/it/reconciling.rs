//! The three books are compared: every tampering is named, and told.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use serde_json::Value;
use splynx_bitpay::sim::faults::{Answer, Fault, Kind};
use splynx_bitpay::sim::splynx::{Payment, Status};

use crate::support::{
    Checkout, Customer, Document, Engine, PATIENCE, Setup, World, decimal, eventually,
    on_both_databases,
};

on_both_databases! {
    every_tampering_in_splynx_is_named,
    what_a_person_has_looked_at_is_not_brought_up_again,
    a_day_has_one_proof_whoever_compares,
    a_payment_that_our_books_forgot_is_found_at_the_processor,
    what_reconcile_hears_of_first_is_looked_at_and_calls_nobody,
    a_comparison_that_fails_is_told_and_its_end_too,
    after_an_outage_of_splynx_the_books_are_compared,
    a_silent_processor_is_left_alone_and_opens_no_review,
}

/// One customer, one invoice, paid and recorded.
struct Paid {
    customer: Customer,
    invoice: Document,
    checkout: Checkout,
}

impl Paid {
    async fn new(world: &World) -> Self {
        let customer = world.customer().await;
        let invoice = world.invoice(&customer, "51.61");
        let checkout = customer.check_out(&invoice).await;
        world.pay(&checkout);
        eventually("the payment is recorded", PATIENCE, async || {
            let attempt = world.attempt_of(&checkout.invoice);
            if attempt.state == "recorded" { Ok(()) } else { Err(attempt.state) }
        })
        .await;
        Self { customer, invoice, checkout }
    }

    fn key(&self) -> String {
        self.checkout.key(1)
    }

    fn payment(&self, world: &World) -> Payment {
        let mut payments = world.payments().into_iter();
        payments.find(|payment| payment.receipt_number == self.key()).unwrap()
    }

    fn edit(&self, world: &World, change: impl FnOnce(&mut Payment)) {
        let id = self.payment(world).id;
        world.splynx.edit(|splynx| change(splynx.books.payments.get_mut(id).unwrap()));
    }
}

/// Writes a payment as a person in Splynx's office does.
fn by_hand(world: &World, payment: Payment) {
    world.splynx.edit(|splynx| splynx.books.post_payment(payment, splynx.behaviour));
}

/// What `reconcile` says, and how it ends.
fn compared(world: &World) -> (Option<i32>, Value) {
    let output = world.addon.run(&["reconcile", "--format", "json"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{error}"));
    (output.status.code(), report)
}

/// The kinds that were found about this payment.
fn kinds<'a>(report: &'a Value, about: &str) -> Vec<&'a str> {
    let findings = report["findings"].as_array().unwrap().iter();
    let about = findings.filter(|finding| {
        finding["subject"] == about || finding["words"].as_str().unwrap().contains(about)
    });
    about.map(|finding| finding["kind"].as_str().unwrap()).collect()
}

async fn every_tampering_in_splynx_is_named(engine: Engine) {
    let world = World::new(engine).await;
    let mut all = vec![];
    for _ in 0..7 {
        all.push(Paid::new(&world).await);
    }
    let (code, report) = compared(&world);
    assert_eq!(code, Some(0), "{report:#}");
    let sum = &report["sums"]["USD"];
    assert_eq!((&sum["processor"], &sum["ours"]), (&"361.27".into(), &"361.27".into()), "{sum}");
    assert_eq!((&sum["splynx"], &sum["on_the_way"]), (&"361.27".into(), &"0".into()), "{sum}");
    assert_eq!((&report["asked"], &report["listed"]), (&7.into(), &0.into()));
    assert!(report["unlisted"][0].as_str().unwrap().contains("facade"), "{report:#}");

    let [deleted, moved, amount, doubled, copied, unlinked, _fine] = all.as_slice() else {
        panic!()
    };
    let id = deleted.payment(&world).id;
    world.splynx.edit(|splynx| assert!(splynx.books.delete_payment(id)));
    moved.edit(&world, |payment| payment.customer_id = deleted.customer.id);
    amount.edit(&world, |payment| payment.amount = decimal("5.16"));
    by_hand(&world, Payment { id: 0, invoice_id: None, ..doubled.payment(&world) });
    by_hand(
        &world,
        Payment {
            id: 0,
            invoice_id: None,
            receipt_number: "HAND-1".to_owned(),
            comment: format!("see {}", copied.key()),
            fields: Default::default(),
            ..copied.payment(&world)
        },
    );
    unlinked.edit(&world, |payment| payment.invoice_id = None);
    world.splynx.edit(|splynx| {
        splynx.books.set_status(unlinked.invoice.kind, unlinked.invoice.id, Status::NotPaid);
    });
    let strange =
        Payment { id: 0, receipt_number: "BP-stranger-1".to_owned(), ..copied.payment(&world) };
    by_hand(&world, Payment { comment: String::new(), fields: Default::default(), ..strange });

    let (code, report) = compared(&world);
    assert_eq!(code, Some(1));
    for (paid, kind) in [
        (deleted, "deleted"),
        (moved, "moved"),
        (amount, "amount"),
        (doubled, "duplicate"),
        (copied, "copied"),
        (unlinked, "unlinked"),
    ] {
        assert_eq!(kinds(&report, &paid.key()), [kind], "{report:#}");
        let story = world.story_of(&paid.checkout.invoice);
        assert!(story.contains("OPEN books_differ"), "{story}");
    }
    assert_eq!(kinds(&report, "BP-stranger-1"), ["stranger"], "{report:#}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 7, "{report:#}");

    let csv = world.addon.run(&["reconcile", "--format", "csv"]);
    let csv = String::from_utf8(csv.stdout).unwrap();
    assert_eq!(csv.matches("\"finding\"").count(), 7, "{csv}");
    let formula = ["\"=", "\"+", "\"-", "\"@", "\"\t"];
    assert!(formula.iter().all(|begin| !csv.contains(begin)), "{csv}");
    // What differs is named again, but told once.
    assert_eq!(world.under_review().len(), 6);
    assert_eq!(world.payments().len(), 9, "nothing is posted");
}

async fn what_a_person_has_looked_at_is_not_brought_up_again(engine: Engine) {
    let world = World::new(engine).await;
    let paid = Paid::new(&world).await;
    paid.edit(&world, |payment| payment.amount = decimal("5.16"));
    assert_eq!(compared(&world).0, Some(1));
    assert_eq!(world.under_review().len(), 1);
    world.database.run(
        "UPDATE reviews SET closed_at = opened_at + 1, closed_by = 'Admin', closed_note = 'agreed'",
    );
    assert_eq!(compared(&world).0, Some(1), "it still differs");
    assert!(world.under_review().is_empty());
    paid.edit(&world, |payment| payment.amount = decimal("6.16"));
    assert_eq!(compared(&world).0, Some(1));
    assert_eq!(world.under_review().len(), 1, "this is another difference");
}

async fn a_day_has_one_proof_whoever_compares(engine: Engine) {
    let setup = Setup { reconcile_seconds: 2, ..Setup::default() };
    let world = World::with(engine, setup).await;
    let paid = Paid::new(&world).await;
    let history = || -> Value {
        let text = world.command(&["reconcile", "--history", "--format", "json"]);
        serde_json::from_str(&text).unwrap()
    };
    eventually("the service compares by itself", PATIENCE, async || {
        let days = history();
        let is_there = days[0]["sums"]["USD"]["splynx"] == "51.61";
        if is_there { Ok(()) } else { Err(days.to_string()) }
    })
    .await;
    paid.edit(&world, |payment| payment.amount = decimal("5.16"));
    // At the same time as the service does.
    assert_eq!(compared(&world).0, Some(1));
    eventually("the latest comparison of the day is its proof", PATIENCE, async || {
        let days = history();
        let days = days.as_array().unwrap();
        match (days.len(), &days[0]["agreed"]) {
            (1, Value::Bool(false)) => Ok(()),
            _ => Err(format!("{days:?}")),
        }
    })
    .await;
    // Half a month is no proof of the day.
    let tomorrow = "2999-01-01";
    world.command(&["reconcile", "--since", tomorrow]);
    let text = world.command(&["reconcile", "--history"]);
    assert!(text.contains("DIFFERS"), "{text}");
    let csv = world.command(&["reconcile", "--history", "--format", "csv"]);
    assert_eq!(csv.lines().count(), 2, "{csv}");
    let (_, metrics) = world.addon.ops("/metrics").await.unwrap();
    assert!(metrics.contains("splynx_bitpay_reconcile_findings 1"), "{metrics}");
}

async fn a_payment_that_our_books_forgot_is_found_at_the_processor(engine: Engine) {
    let world = World::new(engine).await;
    Paid::new(&world).await;
    world.addon.stop().await;
    let backup = world.database.backup();
    world.addon.start().await;
    let forgotten = Paid::new(&world).await;
    world.addon.stop().await;
    world.database.restore(&backup);
    let token = world.bitpay.tokens().pop().unwrap().value;
    assert!(world.bitpay.promote_token(&token));
    let (code, report) = compared(&world);
    assert_eq!(code, Some(1));
    assert_eq!(kinds(&report, &forgotten.key()), ["stranger"], "{report:#}");
    let unseen = kinds(&report, &forgotten.checkout.invoice);
    assert!(unseen.contains(&"unseen"), "{report:#}");
    assert_eq!((&report["listed"], &report["unlisted"]), (&2.into(), &Value::Array(vec![])));
    assert!(world.under_review().is_empty(), "there is no attempt to put a review beside");
    world.addon.start().await;
    let (_, metrics) = world.addon.ops("/metrics").await.unwrap();
    assert!(metrics.contains("splynx_bitpay_standing_alerts{kind=\"finding\"} 2"), "{metrics}");
}

async fn what_reconcile_hears_of_first_is_looked_at_and_calls_nobody(engine: Engine) {
    let mut setup = Setup { poll_seconds: 3600, ..Setup::default() };
    setup.bitpay.send_ipn = false;
    let world = World::with(engine, setup).await;
    let customer = world.customer().await;
    let checkout = customer.refill("10.00").await;
    world.pay(&checkout);
    eventually("reconcile hears of it", PATIENCE, async || {
        let (code, report) = compared(&world);
        let found = kinds(&report, "final at the processor");
        if code == Some(1) && found == ["not_seen_yet"] {
            Ok(())
        } else {
            Err(format!("{report:#}"))
        }
    })
    .await;
    // The next look would be an hour away.
    world.payments_become(1, PATIENCE).await;
    assert!(world.under_review().is_empty(), "{}", world.story_of(&checkout.invoice));
    eventually("the books agree", PATIENCE, async || match compared(&world) {
        (Some(0), _) => Ok(()),
        (_, report) => Err(format!("{report:#}")),
    })
    .await;
    assert!(world.under_review().is_empty(), "{}", world.story_of(&checkout.invoice));
}

async fn a_comparison_that_fails_is_told_and_its_end_too(engine: Engine) {
    let alerts = "mail_to = \"noc@isp.example\"".to_owned();
    let setup = Setup { reconcile_seconds: 2, alerts, ..Setup::default() };
    let world = World::with(engine, setup).await;
    Paid::new(&world).await;
    let broken = Kind::Status(Answer::bare(StatusCode::INTERNAL_SERVER_ERROR));
    world.splynx.arm(Fault::on(Method::GET, "admin/finance/payments", broken));
    let says = async |words: &str| {
        eventually(words, PATIENCE, async || {
            let mails: Vec<String> = world.splynx.read(|splynx| {
                splynx.books.mails.iter().map(|mail| mail.message.clone()).collect()
            });
            let told = mails.iter().any(|mail| mail.contains(words));
            if told { Ok(()) } else { Err(format!("{mails:?}")) }
        })
        .await;
    };
    says("reconcile: Processor, add-on and Splynx could not be compared").await;
    let (_, metrics) = world.addon.ops("/metrics").await.unwrap();
    assert!(metrics.contains("splynx_bitpay_reconcile_failed 1"), "{metrics}");
    world.splynx.disarm();
    says("OVER: reconcile").await;
    assert_eq!(world.addon.run(&["reconcile"]).status.code(), Some(0));
}

async fn after_an_outage_of_splynx_the_books_are_compared(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let checkout = customer.refill("10.00").await;
    world.splynx.arm(Fault::on_any("", Kind::Down));
    world.pay(&checkout);
    eventually("the add-on knows that Splynx is down", PATIENCE, async || {
        let (_, body) = world.addon.ops("/ready").await?;
        if body.contains("splynx") { Ok(()) } else { Err(body) }
    })
    .await;
    world.splynx.disarm();
    world.payments_become(1, PATIENCE).await;
    eventually("the books are compared", Duration::from_mins(3), async || {
        let log = world.addon.log();
        let told = log.contains("Splynx is back: the books are compared");
        if told && log.contains("reconciled attempts=1") { Ok(()) } else { Err("not yet".into()) }
    })
    .await;
}

async fn a_silent_processor_is_left_alone_and_opens_no_review(engine: Engine) {
    let world = World::new(engine).await;
    for _ in 0..5 {
        Paid::new(&world).await;
    }
    world.bitpay.arm(Fault::on_any("", Kind::Down));
    let (code, report) = compared(&world);
    assert_eq!(code, Some(1));
    assert_eq!(report["asked"], 3, "{report:#}");
    let left_out = kinds(&report, "not compared");
    assert_eq!(left_out, ["not_compared"; 6], "five payments and the list: {report:#}");
    assert!(world.under_review().is_empty());
    world.bitpay.disarm();
    assert_eq!(compared(&world).0, Some(0));
}

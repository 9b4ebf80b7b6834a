//! A person is told: once, again while it stands, and when it is over; by mail and by webhook, whatever fails.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use serde_json::Value;
use splynx_bitpay::sim::faults::{Answer, Fault, Kind};
use splynx_bitpay::sim::splynx::Mail;

use crate::support::{
    Checkout, Engine, PATIENCE, Receiver, Setup, World, eventually, holds, on_both_databases,
};

on_both_databases! {
    a_review_is_told_once_again_after_a_day_and_when_it_is_over,
    what_gathers_while_mail_is_down_is_one_mail_and_the_webhook_does_not_wait,
    a_refused_account_and_a_refused_api_key_are_told,
    without_any_address_the_log_is_told_and_doctor_warns,
    late_money_is_told_and_ends_by_itself,
    doctor_sends_a_test_message_when_asked,
}

/// Longer than the half minute between two rounds and a pause after a failure.
const ROUND: Duration = Duration::from_secs(75);
/// Longer than a round that has something to tell.
const QUIET: Duration = Duration::from_secs(3);

/// Who is told: the mail queue, and a webhook.
fn both(receiver: &Receiver) -> Setup {
    let alerts = format!(
        "mail_to = \"noc@isp.example\"\nwebhook_url = \"{}\"\nrepeat_hours = 24",
        receiver.address()
    );
    Setup { alerts, ..Setup::default() }
}

fn mails(world: &World) -> Vec<Mail> {
    world.splynx.read(|splynx| splynx.books.mails.iter().cloned().collect())
}

async fn mails_become(world: &World, count: usize) -> Vec<Mail> {
    eventually(&format!("{count} mails"), ROUND, async || {
        let mails = mails(world);
        assert!(mails.len() <= count, "too many mails: {mails:#?}");
        if mails.len() == count { Ok(mails) } else { Err(format!("{mails:?}")) }
    })
    .await
}

async fn posts_become(receiver: &Receiver, count: usize) -> Vec<Value> {
    eventually(&format!("{count} posts"), ROUND, async || {
        let taken = receiver.taken();
        assert!(taken.len() <= count, "too many posts: {taken:#?}");
        if taken.len() == count { Ok(taken) } else { Err(format!("{taken:?}")) }
    })
    .await
}

/// Splynx takes payments from the add-on, or not: each one refused is a review.
fn let_payments_in(world: &World, allow: bool) {
    world.splynx.edit(|splynx| {
        splynx.access.set_permission(r"api\admin\finance\Payments", "add", allow);
    });
}

async fn refused_payment(world: &World) -> Checkout {
    let customer = world.customer().await;
    let checkout = customer.refill("10.00").await;
    world.pay(&checkout);
    eventually("a review is open", PATIENCE, async || {
        let story = world.story_of(&checkout.invoice);
        if story.contains("OPEN refused") { Ok(()) } else { Err(story) }
    })
    .await;
    checkout
}

/// A new process begins with a round of telling.
async fn next_round(world: &World) {
    world.addon.stop().await;
    world.addon.start().await;
}

/// A day later, by the clock of what was told.
async fn a_day_passes(world: &World) {
    world.addon.stop().await;
    world.database.run("UPDATE alerts SET told_at = told_at - 86400000 WHERE told_at IS NOT NULL");
    world.addon.start().await;
}

async fn a_review_is_told_once_again_after_a_day_and_when_it_is_over(engine: Engine) {
    let receiver = Receiver::start();
    let world = World::with(engine, both(&receiver)).await;
    let_payments_in(&world, false);
    let checkout = refused_payment(&world).await;
    let attempt = world.attempt_of(&checkout.invoice).id;
    // No restart here: a running service tells by itself.
    let [mail] = mails_become(&world, 1).await.try_into().unwrap();
    assert_eq!((mail.kind.as_str(), mail.recipient.as_str()), ("add-on", "noc@isp.example"));
    let link = format!("{}/bitpay/admin/attempts/{attempt}", world.splynx.url());
    assert!(mail.message.contains(&link), "{mail:?}");
    assert!(mail.message.contains("refused: "), "{mail:?}");
    let [post] = posts_become(&receiver, 1).await.try_into().unwrap();
    assert_eq!(post["count"], 1);
    let alert = &post["alerts"][0];
    assert_eq!((&alert["reason"], &alert["state"]), (&"refused".into(), &"open".into()));
    assert_eq!((&alert["attempt"], &alert["link"]), (&attempt.into(), &link.into()));

    next_round(&world).await;
    holds("nobody is told twice", QUIET, async || {
        match (mails(&world).len(), receiver.taken().len()) {
            (1, 1) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;

    a_day_passes(&world).await;
    let again = mails_become(&world, 2).await;
    assert!(again[1].message.contains("STILL OPEN (told 1 times)"), "{again:?}");
    assert_eq!(posts_become(&receiver, 2).await[1]["alerts"][0]["times"], 1);

    // As a person closes a review.
    world.database.run(
        "UPDATE reviews SET closed_at = opened_at + 1, closed_by = 'Admin', closed_note = 'seen'",
    );
    next_round(&world).await;
    let over = mails_become(&world, 3).await;
    assert!(over[2].message.contains("OVER: refused"), "{over:?}");
    assert_eq!(posts_become(&receiver, 3).await[2]["alerts"][0]["state"], "over");
    a_day_passes(&world).await;
    holds("what is over is not told again", QUIET, async || {
        let count = mails(&world).len();
        if count == 3 { Ok(()) } else { Err(count.to_string()) }
    })
    .await;

    for mail in mails(&world) {
        world.hides_secrets("a mail", &format!("{}\n{}", mail.subject, mail.message));
    }
    for text in receiver.texts() {
        world.hides_secrets("a post", &text);
    }
    world.hides("the log", &world.addon.log(), "canary-webhook");
    let shown = world.command(&["config", "show"]);
    world.hides("config show", &shown, "canary-webhook");
    world.log_hides_secrets();
}

async fn what_gathers_while_mail_is_down_is_one_mail_and_the_webhook_does_not_wait(engine: Engine) {
    let receiver = Receiver::start();
    let world = World::with(engine, both(&receiver)).await;
    let broken = Kind::Status(Answer::bare(StatusCode::INTERNAL_SERVER_ERROR));
    world.splynx.arm(Fault::on(Method::POST, "admin/config/mail", broken));
    let_payments_in(&world, false);
    refused_payment(&world).await;
    next_round(&world).await;
    posts_become(&receiver, 1).await;
    receiver.answer_with(500);
    for _ in 0..3 {
        refused_payment(&world).await;
    }
    let diagnosis = world.addon.run(&["doctor"]);
    let said = String::from_utf8_lossy(&diagnosis.stdout).into_owned();
    assert!(said.contains("mail to noc@isp.example: the last"), "{said}");
    world.splynx.disarm();
    receiver.answer_with(200);
    // The pauses after failures pass.
    world.addon.stop().await;
    world.database.run("UPDATE alert_channels SET next_try = 0");
    world.addon.start().await;
    let [mail] = mails_become(&world, 1).await.try_into().unwrap();
    assert_eq!(mail.message.matches("refused: ").count(), 4, "{mail:?}");
    assert_eq!(mail.subject, "Splynx BitPay add-on: 4 to look at");
    // The webhook had told the first one already.
    let posts = posts_become(&receiver, 2).await;
    assert_eq!((&posts[0]["count"], &posts[1]["count"]), (&1.into(), &3.into()));
}

async fn a_refused_account_and_a_refused_api_key_are_told(engine: Engine) {
    let receiver = Receiver::start();
    let world = World::with(engine, both(&receiver)).await;
    let token = world.bitpay.tokens().pop().unwrap().value;
    assert!(world.bitpay.disable_token(&token));
    next_round(&world).await;
    let post = posts_become(&receiver, 1).await.pop().unwrap();
    assert_eq!(post["alerts"][0]["kind"], "connection", "{post}");
    let secret = world
        .splynx
        .edit(|splynx| std::mem::replace(&mut splynx.access.secret, "another".to_owned()));
    next_round(&world).await;
    let post = posts_become(&receiver, 2).await.pop().unwrap();
    assert_eq!(post["alerts"][0]["kind"], "api_key", "{post}");
    world.splynx.edit(|splynx| splynx.access.secret = secret);
    next_round(&world).await;
    let post = posts_become(&receiver, 3).await.pop().unwrap();
    assert_eq!((&post["over"], &post["alerts"][0]["state"]), (&1.into(), &"over".into()), "{post}");
    let (_, metrics) = world.addon.ops("/metrics").await.unwrap();
    assert!(metrics.contains("splynx_bitpay_standing_alerts{kind=\"connection\"} 1"), "{metrics}");
    assert!(metrics.contains("splynx_bitpay_standing_alerts{kind=\"api_key\"} 0"), "{metrics}");
}

async fn without_any_address_the_log_is_told_and_doctor_warns(engine: Engine) {
    let world = World::new(engine).await;
    let_payments_in(&world, false);
    refused_payment(&world).await;
    let told = || world.addon.log().matches("a person must look: ").count();
    next_round(&world).await;
    eventually("the log is told", ROUND, async || match told() {
        0 => Err("not yet".to_owned()),
        _ => Ok(()),
    })
    .await;
    next_round(&world).await;
    holds("once a day is enough", QUIET, async || match told() {
        1 => Ok(()),
        count => Err(count.to_string()),
    })
    .await;
    a_day_passes(&world).await;
    eventually("the log is told again", ROUND, async || match told() {
        2 => Ok(()),
        count => Err(count.to_string()),
    })
    .await;
    assert!(mails(&world).is_empty());
    let diagnosis = world.addon.run(&["doctor"]);
    let said = String::from_utf8_lossy(&diagnosis.stdout).into_owned();
    assert!(said.contains("warn telling a person"), "{said}");
    assert!(said.contains("nobody is told"), "{said}");
}

async fn late_money_is_told_and_ends_by_itself(engine: Engine) {
    let receiver = Receiver::start();
    let world = World::with(engine, both(&receiver)).await;
    let customer = world.customer().await;
    let waits = Kind::Status(Answer {
        retry_after: Some(3000),
        ..Answer::bare(StatusCode::TOO_MANY_REQUESTS)
    });
    world.splynx.arm(Fault::on(Method::POST, "admin/finance/payments", waits));
    let checkout = customer.refill("10.00").await;
    world.pay(&checkout);
    eventually("the payment waits", PATIENCE, async || {
        let story = world.story_of(&checkout.invoice);
        if story.contains(&checkout.key(1)) { Ok(()) } else { Err(story) }
    })
    .await;
    world.addon.stop().await;
    world.database.run("UPDATE credits SET made_at = made_at - 3700000");
    world.addon.start().await;
    let post = posts_become(&receiver, 1).await.pop().unwrap();
    assert_eq!(post["alerts"][0]["kind"], "late_credit", "{post}");
    assert!(post["alerts"][0]["words"].as_str().unwrap().contains("10.00 USD"), "{post}");
    world.splynx.disarm();
    let attempt = world.attempt_of(&checkout.invoice).id;
    world.command(&["attempts", "retry", &attempt]);
    world.payments_become(1, PATIENCE).await;
    next_round(&world).await;
    let post = posts_become(&receiver, 2).await.pop().unwrap();
    assert_eq!(post["alerts"][0]["state"], "over", "{post}");
}

async fn doctor_sends_a_test_message_when_asked(engine: Engine) {
    let receiver = Receiver::start();
    let world = World::with(engine, both(&receiver)).await;
    let said = world.command(&["doctor"]);
    assert!(said.contains("mail to noc@isp.example: nothing has been told yet"), "{said}");
    assert!(mails(&world).is_empty() && receiver.taken().is_empty());
    let said = world.command(&["doctor", "--test-alert"]);
    assert!(said.contains("a test message was taken"), "{said}");
    world.hides("doctor", &said, "canary-webhook");
    assert_eq!(mails(&world).len(), 1);
    assert_eq!(receiver.taken()[0]["alerts"][0]["kind"], "test");
    world.splynx.edit(|splynx| {
        splynx.access.set_permission(r"api\admin\config\Mail", "add", false);
    });
    let output = world.addon.run(&["doctor", "--test-alert"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(r"allow api\admin\config\Mail"), "{said}");
    // The admin sees what is queued.
    let admin = world.admin().await;
    let page = admin.browser.get("/admin/config/mail").await;
    assert!(page.body.contains("noc@isp.example"), "{}", page.body);
}

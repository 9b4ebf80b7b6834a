//! The audit journal of a real life: it tells every step, and whoever tampers with it is found out.

use std::process::Output;

use crate::support::{Checkout, Engine, PATIENCE, World, eventually, on_both_databases};

on_both_databases! {
    the_journal_of_a_paid_invoice_is_whole_and_tells_its_story,
    every_kind_of_tampering_is_found,
    a_journal_that_was_cut_off_is_found_by_the_head_in_the_log,
}

async fn paid(engine: Engine) -> (World, Checkout) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "50.00");
    let checkout = customer.check_out(&invoice).await;
    world.pay(&checkout);
    world.payments_become(1, PATIENCE).await;
    world.results(&checkout).says("paid").await;
    (world, checkout)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What `audit verify` finds.
fn flaw(world: &World) -> String {
    let output = world.addon.run(&["audit", "verify"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("rows:") && said.contains("head:"), "{said}");
    said.lines().last().unwrap().to_owned()
}

fn is_whole(world: &World) -> String {
    let said = world.command(&["audit", "verify"]);
    assert!(said.ends_with("The journal is whole.\n"), "{said}");
    said
}

async fn the_journal_of_a_paid_invoice_is_whole_and_tells_its_story(engine: Engine) {
    let (world, checkout) = paid(engine).await;
    let attempt = world.attempt_of(&checkout.invoice).id;
    is_whole(&world);
    let all = world.command(&["audit", "show"]);
    assert!(all.contains("connection_active") && all.contains("[admin 1]"), "{all}");
    let own = world.command(&["audit", "show", "--attempt", &attempt]);
    let mut rest = own.as_str();
    let payment = world.payments()[0].id;
    let posted = format!("document_payment {}, in Splynx {payment}, try 1", checkout.key(1));
    for step in [
        "begun",
        "opened",
        "opening → awaiting_payment",
        "awaiting_payment → settled",
        "credit ",
        "to the document",
        "posting_posting",
        &posted,
        "settled → recorded",
    ] {
        // One observation may find all of it at once or bit by bit.
        let step = if step.starts_with("awaiting") && !rest.contains(step) {
            "confirming → settled"
        } else {
            step
        };
        let (_, after) = rest.split_once(step).unwrap_or_else(|| panic!("{step}: {own}"));
        rest = after;
    }
    assert!(!own.contains("connection_active"), "{own}");
    let shown = world.story_of(&checkout.invoice);
    assert!(shown.contains(&posted), "{shown}");
}

async fn every_kind_of_tampering_is_found(engine: Engine) {
    let (world, checkout) = paid(engine).await;
    world.addon.stop().await;
    let attempt = world.attempt_of(&checkout.invoice).id;
    let backup = world.database.backup();
    let of_payment = format!("(payment {attempt})");
    for (tampering, expected) in [
        (
            "UPDATE journal SET words = 'x' WHERE seq = 5",
            format!("row 5 {of_payment} is not as it was"),
        ),
        (
            "UPDATE journal SET who = 'admin 9' WHERE seq = 6",
            format!("row 6 {of_payment} is not as"),
        ),
        (
            "UPDATE journal SET at = at - 1000 WHERE seq = 7",
            format!("row 7 {of_payment} is not as"),
        ),
        ("UPDATE journal SET attempt = NULL WHERE seq = 7", "row 7 is not as it was".to_owned()),
        ("DELETE FROM journal WHERE seq = 5", "row 5 is missing".to_owned()),
        ("DELETE FROM journal WHERE seq BETWEEN 1 AND 4", "rows 1 to 4 are missing".to_owned()),
        (
            "UPDATE journal SET seq = -5 WHERE seq = 5; UPDATE journal SET seq = 5 WHERE seq = 6; \
             UPDATE journal SET seq = 6 WHERE seq = -5",
            format!("row 5 {of_payment} is not as it was"),
        ),
        (
            "INSERT INTO journal SELECT (SELECT max(seq) + 1 FROM journal), at, attempt, who, what, words, previous, \
             mac FROM journal WHERE seq = 6",
            format!("{of_payment} is not as it was"),
        ),
        ("DELETE FROM journal WHERE seq > 9", "rows 10 to ".to_owned()),
        ("DELETE FROM meta WHERE name = 'journal_head'", "the journal's end is gone".to_owned()),
        ("DELETE FROM journal", "rows 1 to ".to_owned()),
    ] {
        // Negative numbers stand for a moment only; the table would refuse them.
        let tampering = tampering.replace("-5", "1000005");
        world.database.tamper(&tampering);
        let found = flaw(&world);
        assert!(found.starts_with("The journal is NOT whole: "), "{tampering}: {found}");
        assert!(found.contains(&expected), "{tampering}: {found}");
        world.database.restore(&backup);
        is_whole(&world);
    }
}

async fn a_journal_that_was_cut_off_is_found_by_the_head_in_the_log(engine: Engine) {
    let (world, _) = paid(engine).await;
    // A restart writes the head into the log.
    world.addon.stop().await;
    world.addon.start().await;
    world.addon.ready().await;
    let line = eventually("the head is in the log", PATIENCE, async || {
        let log = world.addon.log();
        let mut lines = log.lines().filter(|line| line.contains("the audit journal ends here"));
        // The first is of the first start.
        lines.nth(1).map(str::to_owned).ok_or(log.clone())
    })
    .await;
    let (_, head) = line.split_once("head=\"").unwrap();
    let head = head.split('"').next().unwrap().to_owned();
    world.addon.stop().await;
    let kept = world.command(&["audit", "verify", "--head", &head]);
    assert!(kept.contains("The journal is whole."), "{kept}");

    // Whoever cuts the tail off and makes the end fit deceives the chain, but not who kept the head.
    world.database.tamper("DELETE FROM journal WHERE seq > 8");
    let shorter = flaw(&world);
    assert!(shorter.contains("rows 9 to "), "{shorter}");
    let said = said(&world.addon.run(&["audit", "verify"]));
    let end = said.lines().find_map(|line| line.strip_prefix("head:  ")).unwrap().to_owned();
    world.database.tamper(&format!("UPDATE meta SET value = '{end}' WHERE name = 'journal_head'"));
    is_whole(&world);
    let output = world.addon.run(&["audit", "verify", "--head", &head]);
    assert_eq!(output.status.code(), Some(1));
    let said = self::said(&output);
    assert!(said.contains("no row has the head that was kept"), "{said}");
    let wrong = world.addon.run(&["audit", "verify", "--head", "xyz"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
}

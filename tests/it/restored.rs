//! A database that forgot: restored from a backup, or taken over by a standby that had not heard the last seconds.

use splynx_bitpay::sim::splynx::Status;

use crate::support::{Engine, PATIENCE, World, eventually, on_both_databases};

on_both_databases! {
    a_restored_backup_credits_nothing_twice,
}

/// The backup knows the click, but neither the payment nor what was written to Splynx.
async fn a_restored_backup_credits_nothing_twice(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "51.61");
    let on_invoice = customer.check_out(&invoice).await;
    let refill = customer.refill("20.00").await;
    world.addon.stop().await;
    let backup = world.database.backup();
    world.addon.start().await;
    for checkout in [&on_invoice, &refill] {
        world.pay(checkout);
        world.results(checkout).says("paid").await;
    }
    let before = world.payments();
    assert_eq!(before.len(), 2);

    world.addon.stop().await;
    world.database.restore(&backup);
    world.addon.start().await;
    for checkout in [&on_invoice, &refill] {
        world.results(checkout).says("paid").await;
        let told = eventually("a person is told", PATIENCE, async || {
            let story = world.story_of(&checkout.invoice);
            if story.contains("OPEN books_differ") { Ok(story) } else { Err(story) }
        })
        .await;
        assert!(told.contains("never sent"), "{told}");
    }
    assert_eq!(world.payments(), before);
    assert_eq!(world.look(&invoice).status, Status::Paid);
}

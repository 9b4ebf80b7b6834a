//! What an admin reads on the command line.

use crate::support::{Engine, Setup, World, on_both_databases};

on_both_databases! {
    a_payment_tells_all_about_itself,
}

async fn a_payment_tells_all_about_itself(engine: Engine) {
    let setup = Setup { fee_percent: "10", fee_vat_percent: "2", ..Setup::default() };
    let world = World::with(engine, setup).await;
    assert_eq!(world.command(&["attempts", "list"]), "No payments yet.\n");
    assert_eq!(
        world.command(&["attempts", "list", "--review"]),
        "No payment waits for a person.\n"
    );
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "100.00");
    let checkout = customer.check_out(&invoice).await;
    let story = world.story_of(&checkout.invoice);
    assert!(line(&story, "times").ends_with("settled -, recorded -"), "{story}");

    world.pay(&checkout);
    world.results(&checkout).says("paid").await;

    let story = world.story_of(&checkout.invoice);
    assert_eq!(
        line(&story, "terms"),
        "due 100.00 USD, fee 10.00 USD (with 2 % VAT), price 110.00 USD"
    );
    assert!(line(&story, "account").starts_with("bitpay (test), connection "), "{story}");
    assert_eq!(line(&story, "times").matches(" UTC").count(), 4, "{story}");
    assert!(line(&story, "next").contains("watched until 2"), "{story}");
    let fee = line(&story, "posting   fee_item ");
    assert!(fee.starts_with("10.00 USD done; tries 1, first begun 2"), "{story}");
    let payment = line(&story, "posting   document_payment ");
    assert!(payment.starts_with("110.00 USD posted as "), "{story}");
    assert!(payment.contains("; tries 1, first begun 2"), "{story}");
}

/// What follows the first such beginning of a line.
fn line<'a>(story: &'a str, beginning: &str) -> &'a str {
    let rest = story.lines().find_map(|line| line.strip_prefix(beginning));
    rest.unwrap_or_else(|| panic!("no line begins with {beginning}: {story}")).trim_start()
}

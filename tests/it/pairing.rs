//! Pairing and unpairing, by the page and by the command line, and what becomes of the payments in between.

use crate::support::{Engine, PATIENCE, Setup, World, on_both_databases};

on_both_databases! {
    an_admin_pairs_on_the_page,
    an_admin_pairs_on_the_command_line,
    an_admin_pairs_by_a_code_that_no_list_of_processes_shows,
    a_wrong_pairing_code_is_refused_and_the_next_one_works,
    a_pairing_whose_answer_was_lost_is_found_again,
    a_payment_begun_before_pairing_anew_is_recorded_once,
    unpaired_nothing_can_be_begun,
}

fn unpaired() -> Setup {
    Setup { paired: false, ..Setup::default() }
}

/// The tokens BitPay gave out; they are secret.
fn tokens(world: &World) -> Vec<String> {
    world.bitpay.tokens().into_iter().map(|token| token.value).collect()
}

async fn an_admin_pairs_on_the_page(engine: Engine) {
    let world = World::with(engine, unpaired()).await;
    let (status, waiting) = world.addon.ops("/ready").await.unwrap();
    assert_eq!(status, 503);
    assert!(waiting.contains("pairing"), "{waiting}");
    let admin = world.admin().await;
    assert!(admin.page().await.body.contains("Access token is not set"));
    let code = world.bitpay.create_pairing_code();
    admin.pair(&code).await;
    let page = admin.page().await;
    assert!(page.body.contains("Unpair"), "{}", page.body);
    world.addon.ready().await;
    let tokens = tokens(&world);
    let [token] = tokens.as_slice() else { panic!("{tokens:?}") };
    assert!(!page.everything().contains(token.as_str()), "the token is shown masked");
    assert!(!world.addon.log().contains(token.as_str()));
}

async fn an_admin_pairs_on_the_command_line(engine: Engine) {
    let world = World::with(engine, unpaired()).await;
    assert_eq!(world.addon.run(&["pairing"]).status.code(), Some(1));
    let code = world.bitpay.create_pairing_code();
    let said = world.command(&["pair", &code]);
    assert!(said.starts_with("Paired."), "{said}");
    world.addon.ready().await;
    assert!(world.command(&["pairing"]).contains("mode:      test"));
    assert!(!said.contains(&tokens(&world)[0]), "the token is shown masked");
    let customer = world.customer().await;
    let checkout = customer.refill("10.00").await;
    world.pay(&checkout);
    world.payments_become(1, PATIENCE).await;
}

async fn an_admin_pairs_by_a_code_that_no_list_of_processes_shows(engine: Engine) {
    let world = World::with(engine, unpaired()).await;
    let nothing = world.addon.run_saying(&["pair", "-"], "\n");
    assert_eq!(nothing.status.code(), Some(1));
    let said = String::from_utf8(nothing.stderr).unwrap();
    assert_eq!(said, "splynx-bitpay: there is no pairing code on standard input\n");
    let code = world.bitpay.create_pairing_code();
    let paired = world.addon.run_saying(&["pair", "-"], &format!("{code}\n"));
    assert!(paired.status.success(), "{paired:?}");
    world.addon.ready().await;
}

async fn a_wrong_pairing_code_is_refused_and_the_next_one_works(engine: Engine) {
    let world = World::with(engine, unpaired()).await;
    let admin = world.admin().await;
    let page = admin.try_pairing("abcDEF7").await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("Pairing did not work."), "{}", page.body);
    let failed = world.addon.run(&["pair", "abcDEF7"]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(!failed.stderr.is_empty());
    admin.pair(&world.bitpay.create_pairing_code()).await;
    world.addon.ready().await;
}

async fn a_pairing_whose_answer_was_lost_is_found_again(engine: Engine) {
    use actix_web::http::Method;
    use splynx_bitpay::sim::faults::{Fault, Kind};

    let world = World::with(engine, unpaired()).await;
    world.bitpay.arm(Fault::on(Method::POST, "tokens", Kind::ExecuteThenDrop).times(1));
    let admin = world.admin().await;
    admin.pair(&world.bitpay.create_pairing_code()).await;
    world.addon.ready().await;
    let customer = world.customer().await;
    let checkout = customer.refill("10.00").await;
    world.pay(&checkout);
    world.payments_become(1, PATIENCE).await;
}

async fn a_payment_begun_before_pairing_anew_is_recorded_once(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let old_invoice = world.invoice(&customer, "30.00");
    let old = customer.check_out(&old_invoice).await;
    let admin = world.admin().await;
    admin.unpair().await;
    admin.pair(&world.bitpay.create_pairing_code()).await;
    let new = customer.check_out(&world.invoice(&customer, "40.00")).await;
    let again = customer.check_out(&old_invoice).await;
    assert_ne!(again, old, "the new connection makes its own invoice");
    world.pay(&old);
    let payments = world.payments_become(1, PATIENCE).await;
    assert_eq!(payments[0].receipt_number, old.key(1));
    world.results(&old).says("paid").await;
    world.pay(&new);
    world.payments_become(2, PATIENCE).await;
    world.results(&new).says("paid").await;
    world.bitpay.send_ipns(&old.invoice, 20).unwrap();
    world.bitpay.settle().await;
    world.books_agree();
    assert_eq!(world.payments().len(), 2, "hints move no money");
}

async fn unpaired_nothing_can_be_begun(engine: Engine) {
    let world = World::with(engine, unpaired()).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "30.00");
    for path in [invoice.page().as_str(), "/bitpay/"] {
        let page = customer.browser.get(path).await;
        assert_eq!(page.status, 503);
        assert!(page.body.contains("Payments are not set up yet"), "{}", page.body);
    }
    let page =
        customer.browser.post("/bitpay/", "application/x-www-form-urlencoded", "amount=10").await;
    assert_eq!(page.status, 503);
    assert!(world.attempts().is_empty());
}

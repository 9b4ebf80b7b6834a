//! Who may do what. Admin 1 and customer 1 carry the same id, and must never be taken for each other.

use crate::support::{
    Customer, Document, Engine, World, foreign_headers, framed, on_both_databases,
};

on_both_databases! {
    an_admin_is_refused_on_customers_pages,
    a_customer_is_refused_on_the_admins_page,
    without_a_session_the_way_leads_over_the_login_and_back,
    in_the_portals_frame_a_stranger_gets_a_link_instead_of_a_login_page,
    an_ended_session_begins_nothing,
    another_customers_document_is_refused_and_shows_nothing_of_it,
    a_form_from_elsewhere_is_refused,
    an_admins_form_is_good_in_its_own_session_only,
    a_result_page_cannot_be_guessed,
}

const FORM: &str = "application/x-www-form-urlencoded";

/// Nothing was begun, here or at BitPay.
fn is_untouched(world: &World) {
    assert!(world.attempts().is_empty(), "{:?}", world.attempts());
    assert!(world.bitpay.invoices().is_empty());
    assert!(world.payments().is_empty());
}

async fn customer_with_invoice(world: &World) -> (Customer, Document) {
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "10.00");
    (customer, invoice)
}

async fn an_admin_is_refused_on_customers_pages(engine: Engine) {
    let world = World::new(engine).await;
    let (customer, invoice) = customer_with_invoice(&world).await;
    assert_eq!(customer.id, 1, "the admin's id");
    let admin = world.admin().await.browser;
    for page in [
        admin.get("/bitpay/").await,
        admin.get(&invoice.page()).await,
        admin.post("/bitpay/", FORM, "amount=10").await,
        admin.post(&invoice.page(), FORM, "").await,
    ] {
        assert_eq!(page.status, 403);
        assert!(page.body.contains("This page is for customers"), "{}", page.body);
        assert!(!page.body.contains("10.00"), "nothing of the document is shown");
    }
    is_untouched(&world);
}

async fn a_customer_is_refused_on_the_admins_page(engine: Engine) {
    let world = World::new(engine).await;
    let customer = world.customer().await;
    let pairing = world.command(&["pairing"]);
    let code = world.bitpay.create_pairing_code();
    let body = format!("action=pair&pairing_code={code}");
    for page in [
        customer.browser.get("/bitpay/config").await,
        customer.browser.post("/bitpay/config", FORM, "action=unpair").await,
        customer.browser.post("/bitpay/config", FORM, body).await,
    ] {
        assert_eq!(page.status, 403);
        assert!(page.body.contains("This page is for administrators"), "{}", page.body);
    }
    assert_eq!(world.command(&["pairing"]), pairing, "nothing changed");
}

async fn without_a_session_the_way_leads_over_the_login_and_back(engine: Engine) {
    let world = World::new(engine).await;
    let (_, invoice) = customer_with_invoice(&world).await;
    let stranger = world.browser();
    let page = stranger.get(&invoice.page()).await;
    assert_eq!(page.status, 303);
    let login = format!("{}/portal/login/?return=", world.splynx.url());
    assert!(page.location().starts_with(&login), "{}", page.location());
    let form = stranger.get(page.location()).await.form_with("password");
    let form = form.with("login", "customer1").with("password", "customer1");
    let back = stranger.submit(&form).await;
    assert_eq!(back.location(), invoice.page());
    let admin = stranger.get("/bitpay/config").await;
    assert!(admin.location().contains("/admin/login/?return=%2Fbitpay%2Fconfig"));
    let click = stranger.post(&invoice.page(), FORM, "").await;
    assert!(click.location().starts_with(&login), "{}", click.location());
    let mut invented = world.browser();
    invented.session = Some("0123456789abcdef".to_owned());
    assert!(invented.get("/bitpay/").await.location().starts_with(&login));
    is_untouched(&world);
}

async fn in_the_portals_frame_a_stranger_gets_a_link_instead_of_a_login_page(engine: Engine) {
    let world = World::new(engine).await;
    let (_, invoice) = customer_with_invoice(&world).await;
    let stranger = world.browser();
    let request = framed(&world, &invoice.page());
    let page = stranger.send(request).await;
    assert_eq!(page.status, 401);
    assert!(page.body.contains("Please log in") && page.body.contains("/portal/login/?return="));
}

async fn an_ended_session_begins_nothing(engine: Engine) {
    let world = World::new(engine).await;
    let (customer, invoice) = customer_with_invoice(&world).await;
    let form = customer.browser.get(&invoice.page()).await.form_with("_top");
    let admin = world.admin().await;
    let unpair = admin.page().await.form_with("value=\"unpair\"").with("action", "unpair");
    world.splynx.edit(|splynx| splynx.access.revoke_sessions());
    let click = customer.browser.submit(&form).await;
    assert!(click.location().contains("/portal/login/"), "{}", click.status);
    let click = admin.browser.submit(&unpair).await;
    assert!(click.location().contains("/admin/login/"), "{}", click.status);
    is_untouched(&world);
    world.addon.ready().await;
}

async fn another_customers_document_is_refused_and_shows_nothing_of_it(engine: Engine) {
    let world = World::new(engine).await;
    let (_, foreign) = customer_with_invoice(&world).await;
    let thief = world.customer().await;
    let own = world.invoice(&thief, "20.00").number;
    for theirs in [
        thief.browser.get(&foreign.page()).await,
        thief.browser.get(&format!("{}&item_id={own}", foreign.page())).await,
        thief.browser.post(&foreign.page(), FORM, "").await,
    ] {
        assert_eq!(theirs.status, 403);
        assert!(theirs.body.contains("This document does not belong to your account."));
        assert!(!theirs.body.contains("10.00"), "{}", theirs.body);
    }
    let nowhere = thief.browser.get("/bitpay/pay-invoice?item_id=299912999999").await;
    assert_eq!(nowhere.status, 404);
    is_untouched(&world);
}

async fn a_form_from_elsewhere_is_refused(engine: Engine) {
    let world = World::new(engine).await;
    let (customer, invoice) = customer_with_invoice(&world).await;
    let admin = world.admin().await.browser;
    let pairing = world.command(&["pairing"]);
    for (browser, path) in [
        (&customer.browser, invoice.page().as_str()),
        (&customer.browser, "/bitpay/"),
        (&admin, "/bitpay/config"),
    ] {
        for headers in foreign_headers(&world) {
            let request =
                browser.bare_post(path, "amount=10&action=unpair").headers(headers.clone());
            let page = browser.send(request).await;
            assert_eq!(page.status, 403, "{path} {headers:?}");
            assert!(
                page.body.contains("This form was not sent from our pages"),
                "{path} {headers:?} {page:?}"
            );
        }
    }
    assert_eq!(world.command(&["pairing"]), pairing);
    is_untouched(&world);
}

async fn an_admins_form_is_good_in_its_own_session_only(engine: Engine) {
    let world = World::new(engine).await;
    let (one, other) = (world.admin().await, world.admin().await);
    let stolen = one.page().await.form_with("value=\"unpair\"").with("action", "unpair");
    let mut without = stolen.clone();
    without.fields.retain(|(name, _)| name != "form_token");
    for form in [&stolen, &without] {
        let page = other.browser.submit(form).await;
        assert_eq!(page.status, 403);
        assert!(page.body.contains("This form is out of date"), "{}", page.body);
    }
    world.addon.ready().await;
    assert_eq!(one.browser.submit(&stolen).await.status, 303, "the very form is good at home");
}

async fn a_result_page_cannot_be_guessed(engine: Engine) {
    let world = World::new(engine).await;
    let (customer, invoice) = customer_with_invoice(&world).await;
    let checkout = customer.check_out(&invoice).await;
    let attempt = world.attempt_of(&checkout.invoice);
    let hook = world.bitpay.invoice(&checkout.invoice).unwrap().notification_url.unwrap();
    let hook = hook.rsplit('/').next().unwrap().to_owned();
    for guess in [attempt.id.as_str(), &checkout.invoice, &hook, "0", "%00", "..%2fconfig"] {
        let page = customer.browser.get(&format!("/bitpay/result/{guess}")).await;
        assert_eq!(page.status, 404, "{guess}");
        assert!(!page.body.contains(&invoice.number), "{guess}");
    }
    let page = world.results(&checkout).page().await;
    assert!(!page.body.contains(&attempt.id), "the attempt's own id is not shown");
    assert!(!page.body.contains("Customer 1"), "nor who pays");
    assert_eq!(page.headers.get("cache-control").unwrap(), "no-store");
}

//! Numbers of documents: invented, foreign, and no numbers at all.

use super::{is_harmless, state, talkative};
use crate::support::{Engine, World, on_both_databases};

on_both_databases! {
    what_names_no_document_of_ours_is_refused_with_a_sentence,
    a_document_that_cannot_be_paid_says_why,
}

const UNKNOWN: &str = "Invalid invoice number!";
const UNKNOWN_PROFORMA: &str = "Invalid proforma invoice number!";
const DAMAGED: &str = "This request cannot be read";
const NONE: &str = "No document was named";

/// The query, the status and the words. `OURS` stands for the number of an invoice.
const TABLE: &[(&str, u16, &str)] = &[
    ("", 400, NONE),
    ("item_id=", 400, NONE),
    ("item_id=%20%20", 400, NONE),
    ("item_id[]=OURS", 400, NONE),
    ("item_id=0", 404, UNKNOWN),
    ("item_id=-1", 404, UNKNOWN),
    ("item_id=1%20OR%201%3D1", 404, UNKNOWN),
    ("item_id=%27%20OR%20%271%27%3D%271", 404, UNKNOWN),
    ("item_id=x%27%3B%20DROP%20TABLE%20attempts%3B--", 404, UNKNOWN),
    ("item_id=%25", 404, UNKNOWN),
    ("item_id=OURS%25", 404, UNKNOWN),
    ("item_id=OURS%26main_attributes%5Bcustomer_id%5D%3D1", 404, UNKNOWN),
    ("item_id=%3Cscript%3Ealert(1)%3C%2Fscript%3E", 404, UNKNOWN),
    ("item_id=%22%3E%3Cimg%20src%3Dx%20onerror%3D%22alert(1)", 404, UNKNOWN),
    ("item_id=..%2F..%2Fadmin%2Fconfig", 404, UNKNOWN),
    ("item_id=OURS%00", 404, UNKNOWN),
    ("item_id=OURS%0D%0ASet-Cookie%3A%20x%3D1", 404, UNKNOWN),
    ("item_id=%FF%FE", 400, DAMAGED),
    ("item_id=%C3", 400, DAMAGED),
];

async fn what_names_no_document_of_ours_is_refused_with_a_sentence(engine: Engine) {
    let world = World::with(engine, talkative()).await;
    let before = state(&world);
    let long = format!("item_id={}", "9".repeat(3000));
    let table = TABLE.iter().copied().chain([(long.as_str(), 404, UNKNOWN)]);
    for (query, status, words) in table {
        // One customer may begin ten payments a minute.
        let customer = world.customer().await;
        let ours = world.invoice(&customer, "10.00").number;
        let query = query.replace("OURS", &ours);
        for page in ["pay-invoice", "pay-proforma", "pay-request"] {
            let address = format!("/bitpay/{page}?{query}");
            let form = "application/x-www-form-urlencoded";
            let is_proforma = words == UNKNOWN && page != "pay-invoice";
            let words = if is_proforma { UNKNOWN_PROFORMA } else { words };
            for answer in [
                customer.browser.get(&address).await,
                customer.browser.post(&address, form, "").await,
            ] {
                assert_eq!(answer.status, status, "{address}: {}", answer.body);
                assert!(answer.body.contains(words), "{address}: {}", answer.body);
                assert!(!answer.headers.contains_key("set-cookie"));
                is_harmless(&world, &answer);
            }
        }
    }
    assert_eq!(state(&world), before);
    world.log_hides_secrets();
}

async fn a_document_that_cannot_be_paid_says_why(engine: Engine) {
    use splynx_bitpay::sim::splynx::Status;

    let world = World::with(engine, talkative()).await;
    let customer = world.customer().await;
    for (status, words) in [
        (Status::Paid, "Invoice already paid!"),
        (Status::Pending, "Payment on its way"),
        (Status::Deleted, "Invoice deleted!"),
    ] {
        let invoice = world.invoice(&customer, "10.00");
        let form = customer.browser.get(&invoice.page()).await.form_with("_top");
        world.splynx.edit(|splynx| splynx.books.set_status(invoice.kind, invoice.id, status));
        for answer in
            [customer.browser.submit(&form).await, customer.browser.get(&invoice.page()).await]
        {
            assert_eq!(answer.status, 409);
            assert!(answer.body.contains(words), "{}", answer.body);
        }
    }
    let nothing = world.invoice(&customer, "10.00");
    world.splynx.edit(|splynx| splynx.books.set_due(nothing.id, "0".parse().unwrap()));
    let answer = customer.browser.get(&nothing.page()).await;
    assert_eq!(answer.status, 409);
    assert!(answer.body.contains("Nothing to pay"), "{}", answer.body);
    assert!(world.attempts().is_empty());
}

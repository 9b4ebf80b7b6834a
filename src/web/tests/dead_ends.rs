//! Every reason why a customer cannot pay has its own page (table: dead end, status, words).

use actix_web::test::TestRequest;
use rstest::rstest;
use url::form_urlencoded::byte_serialize;

use super::world::{Fault, House, lock};
use crate::domain::payable::DocumentStatus;

const BACK: &str = "https://isp.example/portal/finance/invoices";

#[rstest]
#[case::no_number("", DocumentStatus::NotPaid, 400, "No document was named")]
#[case::blank_number("%20", DocumentStatus::NotPaid, 400, "No document was named")]
#[case::unknown("404", DocumentStatus::NotPaid, 404, "Invalid invoice number!")]
#[case::impossible("%0A1", DocumentStatus::NotPaid, 404, "Invalid invoice number!")]
#[case::paid("7", DocumentStatus::Paid, 409, "Invoice already paid!")]
#[case::pending("7", DocumentStatus::Pending, 409, "Payment on its way")]
#[case::deleted("7", DocumentStatus::Deleted, 409, "Invoice deleted!")]
#[case::other("7", DocumentStatus::Other("odd".to_owned()), 409, "cannot be paid online")]
#[tokio::test]
async fn a_document_that_cannot_be_paid_says_why(
    #[case] number: &str,
    #[case] status: DocumentStatus,
    #[case] code: u16,
    #[case] words: &str,
) {
    let house = House::paired().await;
    house.world.invoice("7", status);
    let path = format!("/bitpay/pay-invoice?item_id={number}");
    for answer in [house.get("customer-1", &path).await, house.post("customer-1", &path, "").await]
    {
        assert_eq!(answer.status, code);
        assert!(answer.body.contains(words), "{}", answer.body);
        assert!(answer.body.contains(BACK));
        assert!(!answer.body.contains("odd"));
    }
}

#[rstest]
#[case("/bitpay/pay-proforma?item_id=404", "en", "Invalid proforma invoice number!")]
#[case("/bitpay/pay-request?item_id=404", "en", "Invalid proforma invoice number!")]
#[case("/bitpay/pay-proforma?item_id=%0A1", "en", "Invalid proforma invoice number!")]
#[case("/bitpay/pay-request?item_id=404", "es", "¡Número de factura proforma no válido!")]
#[tokio::test]
async fn an_unknown_proforma_is_called_a_proforma(
    #[case] path: &str,
    #[case] language: &str,
    #[case] words: &str,
) {
    let request = TestRequest::get()
        .uri(path)
        .insert_header(("cookie", "PHPSESSID=customer-1"))
        .insert_header(("accept-language", language));
    let answer = House::paired().await.send(request).await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains(words), "{}", answer.body);
    assert!(answer.body.contains("https://isp.example/portal/finance/requests"));
}

#[tokio::test]
async fn a_document_of_another_customer_is_not_shown() {
    let house = House::paired().await;
    house.world.invoice_of(2, "7", DocumentStatus::NotPaid, None);
    let path = "/bitpay/pay-invoice?item_id=7";
    for answer in [house.get("customer-1", path).await, house.post("customer-1", path, "").await] {
        assert_eq!(answer.status, 403);
        assert!(!answer.body.contains("51.61"));
    }
}

#[tokio::test]
async fn a_document_with_nothing_due_needs_no_payment() {
    let house = House::paired().await;
    house.world.invoice_of(1, "7", DocumentStatus::NotPaid, Some("0.0000"));
    let answer = house.get("customer-1", "/bitpay/pay-invoice?item_id=7").await;
    assert_eq!(answer.status, 409);
    assert!(answer.body.contains("Nothing to pay"));
}

#[rstest]
#[case(Fault::ProcessorDown, 503, "The payment service does not answer")]
#[case(Fault::ProcessorRefuses, 502, "The payment could not be begun")]
#[case(Fault::SplynxDown, 503, "The portal does not answer")]
#[case(Fault::StoreDown, 503, "Not available at the moment")]
#[case(Fault::StoreUnreadable, 500, "Something went wrong")]
#[tokio::test]
async fn what_is_down_is_named_without_its_own_words(
    #[case] fault: Fault,
    #[case] code: u16,
    #[case] words: &str,
) {
    let house = House::paired().await;
    house.world.invoice("7", DocumentStatus::NotPaid);
    house.world.breaks(fault);
    let answers = [
        house.post("customer-1", "/bitpay/pay-invoice?item_id=7", "").await,
        house.post("customer-1", "/bitpay/", "amount=5").await,
    ];
    for answer in answers {
        assert_eq!(answer.status, code);
        assert!(answer.body.contains(words), "{}", answer.body);
        assert!(!answer.body.contains("secret words"));
        assert_eq!(answer.header("retry-after"), if code == 503 { "30" } else { "" });
        assert_eq!(answer.body.contains("Try again"), code == 503);
    }
}

#[tokio::test]
async fn without_a_pairing_nothing_can_be_paid() {
    let house = House::unpaired();
    house.world.invoice("7", DocumentStatus::NotPaid);
    for path in ["/bitpay/", "/bitpay/pay-invoice?item_id=7"] {
        for answer in
            [house.get("customer-1", path).await, house.post("customer-1", path, "amount=5").await]
        {
            assert_eq!(answer.status, 503, "{path}");
            assert!(answer.body.contains("Payments are not set up yet"), "{path}");
        }
    }
}

#[rstest]
#[case("amount=", "Please enter an amount")]
#[case("", "Please enter an amount")]
#[case("amount=ten", "Please enter an amount")]
#[case("amount=0", "Please enter an amount")]
#[case("amount=-5", "Please enter an amount")]
#[case("amount=-0.01", "Please enter an amount")]
#[case("amount=%2B5", "Please enter an amount")]
#[case("amount=1e3", "Please enter an amount")]
#[case("amount=0x10", "Please enter an amount")]
#[case("amount=NaN", "Please enter an amount")]
#[case("amount=Infinity", "Please enter an amount")]
#[case("amount=12,50", "Please enter an amount")]
#[case("amount=1,000.00", "Please enter an amount")]
#[case("amount=1.000.00", "Please enter an amount")]
#[case("amount=5 EUR", "Please enter an amount")]
#[case("amount=EUR5", "Please enter an amount")]
#[case("amount=$5", "Please enter an amount")]
#[case("amount=٥", "Please enter an amount")]
#[case("amount=5.001", "at most 2 decimal places")]
#[case("amount=0.000000000000000001", "at most 2 decimal places")]
#[case("amount=0.99", "The smallest amount is 1.00 USD")]
#[case("amount=10000.01", "The largest amount is 10000.00 USD")]
#[case("amount=99999999999999999999", "The largest amount is 10000.00 USD")]
#[tokio::test]
async fn an_amount_that_cannot_be_refilled_says_so_at_the_field(
    #[case] form: &'static str,
    #[case] words: &str,
) {
    let house = House::paired().await;
    let answer = house.post("customer-1", "/bitpay/", form).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains(words), "{}", answer.body);
    assert!(answer.body.contains("aria-describedby=\"amount-error amount-hint\""));
    assert!(lock(&house.world.rows).attempts.is_empty());
}

#[rstest]
#[case("amount=ten", "ten")]
#[case("amount=12,50", "12,50")]
#[case("amount=0.99", "0.99")]
#[case("amount=9999999999999999999999999999999999", "999999999999999999999999")]
#[tokio::test]
async fn what_was_typed_can_be_corrected(#[case] form: &'static str, #[case] shown: &str) {
    let answer = House::paired().await.post("customer-1", "/bitpay/", form).await;
    assert!(answer.body.contains(&format!("value=\"{shown}\"")), "{}", answer.body);
}

/// The currency is the configured one, whatever else a form says.
#[tokio::test]
async fn no_field_but_the_amount_is_read() {
    let house = House::paired().await;
    let form = "currency=EUR&amount=5.00&price=1&fee=-4&amount=9999&customer_id=2&url=https://evil";
    assert_eq!(house.post("customer-1", "/bitpay/", form).await.status, 303);
    let rows = lock(&house.world.rows);
    assert_eq!(rows.attempts[0].terms.price.to_string(), "5.00 USD");
    assert_eq!(rows.attempts[0].customer.get(), 1);
}

#[rstest]
#[case("1' OR '1'='1")]
#[case("1; DROP TABLE attempts --")]
#[case("1 UNION SELECT 1")]
#[case("\"><script>alert(1)</script>")]
#[case("'><img src=x onerror=alert(1)>")]
#[case("{{ frame }}{% include 'x' %}")]
#[case("javascript:alert(1)")]
#[case("../../../etc/passwd")]
#[case("7\u{0}")]
#[tokio::test]
async fn a_hostile_number_is_no_document_and_never_shown_as_it_is(#[case] number: &str) {
    let house = House::with_invoice().await;
    let encoded: String = byte_serialize(number.as_bytes()).collect();
    let path = format!("/bitpay/pay-invoice?item_id={encoded}");
    for answer in [house.get("customer-1", &path).await, house.post("customer-1", &path, "").await]
    {
        assert_eq!(answer.status, 404);
        assert!(!answer.body.contains(number), "{}", answer.body);
    }
    // These pages lead back to the same address.
    house.world.breaks(Fault::StoreDown);
    let down = house.get("customer-1", &path).await;
    let modal = TestRequest::get().uri(&path).insert_header(("sec-fetch-dest", "iframe"));
    let login = house.send(modal).await;
    assert_eq!((down.status, login.status), (503, 401));
    for answer in [down, login] {
        assert!(!answer.body.contains(number), "{}", answer.body);
        assert!(!answer.body.contains("<script"), "{}", answer.body);
    }
    assert!(lock(&house.world.rows).attempts.is_empty());
}

#[tokio::test]
async fn a_number_splynx_knows_is_shown_as_text_whatever_it_is_made_of() {
    let house = House::paired().await;
    house.world.invoice("<b>7</b>&\"", DocumentStatus::NotPaid);
    let path = "/bitpay/pay-invoice?item_id=%3Cb%3E7%3C%2Fb%3E%26%22";
    let answer = house.get("customer-1", path).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.body.contains("<b>7"));
    assert!(answer.body.contains("&lt;b&gt;7&lt;"), "{}", answer.body);
    assert!(answer.body.contains(&format!("action=\"{path}\"")), "{}", answer.body);
}

#[tokio::test]
async fn an_endless_number_is_no_document() {
    let house = House::with_invoice().await;
    let path = format!("/bitpay/pay-invoice?item_id={}", "7".repeat(8000));
    assert_eq!(house.get("customer-1", &path).await.status, 404);
}

#[tokio::test]
async fn what_was_typed_is_shown_again_as_text() {
    let form = "amount=%22%3E%3Cscript%3Ealert(1)";
    let answer = House::paired().await.post("customer-1", "/bitpay/", form).await;
    assert_eq!(answer.status, 422);
    assert!(!answer.body.contains("<script>alert"));
    assert!(answer.body.contains("&lt;script&gt;"));
}

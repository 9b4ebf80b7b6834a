//! Every reason why a customer cannot pay has its own page (table: dead end, status, words).

use rstest::rstest;

use super::world::{Fault, House};
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
#[case("amount=1e3", "Please enter an amount")]
#[case("amount=5.001", "at most 2 decimal places")]
#[case("amount=0.99", "The smallest amount is 1.00 USD")]
#[case("amount=10000.01", "The largest amount is 10000.00 USD")]
#[case("amount=99999999999999999999", "The largest amount is 10000.00 USD")]
#[tokio::test]
async fn an_amount_that_cannot_be_refilled_says_so_at_the_field(
    #[case] form: &'static str,
    #[case] words: &str,
) {
    let answer = House::paired().await.post("customer-1", "/bitpay/", form).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains(words), "{}", answer.body);
    assert!(answer.body.contains("aria-describedby=\"amount-error amount-hint\""));
    let typed = form.trim_start_matches("amount=");
    assert!(answer.body.contains(&format!("value=\"{typed}\"")));
}

#[tokio::test]
async fn what_was_typed_is_shown_again_as_text() {
    let form = "amount=%22%3E%3Cscript%3Ealert(1)";
    let answer = House::paired().await.post("customer-1", "/bitpay/", form).await;
    assert_eq!(answer.status, 422);
    assert!(!answer.body.contains("<script>alert"));
    assert!(answer.body.contains("&lt;script&gt;"));
}

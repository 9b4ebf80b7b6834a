//! The answers to notifications (design 4.3).

use actix_web::test::TestRequest;
use rstest::rstest;

use super::world::{Answer, Fault, House, lock};
use crate::web::body::HOOK_BYTES_MAX;

const STRANGE: &str = "0123456789abcdef0123456789abcdef";
/// The two shapes of a notification (facts 2.7), each claiming that all is paid.
const FLAT: &str = r#"{"id":"x","status":"complete","price":5,"amountPaid":5}"#;
const EXTENDED: &str = r#"{"event":{"code":1006,"name":"invoice_completed"},
    "data":{"id":"x","status":"complete","price":5,"amountPaid":5}}"#;

/// A house with one attempt, and the hook of it.
async fn house() -> (House, String) {
    let house = House::paired().await;
    house.post("customer-1", "/bitpay/", "amount=5").await;
    let hook = lock(&house.world.rows).attempts[0].hook.to_string();
    (house, hook)
}

/// Everything that a notification must not change.
fn money(house: &House) -> String {
    let rows = lock(&house.world.rows);
    format!("{:?} {:?}", rows.attempts, rows.connections)
}

async fn notify(house: &House, request: TestRequest) -> Answer {
    let answer = house.send(request).await;
    assert_eq!(answer.body, "", "senders of hooks read no pages");
    answer
}

#[rstest]
#[case::flat("application/json", FLAT)]
#[case::extended("application/json", EXTENDED)]
#[case::another_invoice("application/json", "{\"id\":\"theirs\",\"status\":\"complete\"}")]
#[case::a_form("application/x-www-form-urlencoded", "id=x&status=complete")]
#[case::garbage("application/json", "{\"id\":")]
#[case::deep("application/json", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[")]
#[case::nothing("text/plain", "")]
#[case::no_text("", "\u{0}\u{1}")]
#[case::a_picture("image/png", "anything")]
#[tokio::test]
async fn a_hint_is_kept_once_and_nothing_of_its_body_is_believed(
    #[case] content_type: &str,
    #[case] body: &'static str,
) {
    let (house, hook) = house().await;
    let before = money(&house);
    for _ in 0..3 {
        for path in [format!("/bitpay/ipn/{hook}"), format!("/bitpay/webhook/{hook}/")] {
            let request = TestRequest::post()
                .uri(&path)
                .insert_header(("content-type", content_type))
                .set_payload(body);
            assert_eq!(notify(&house, request).await.status, 200);
        }
    }
    assert_eq!(lock(&house.world.rows).hints.len(), 1);
    assert_eq!(money(&house), before);
}

#[rstest]
#[case(STRANGE)]
#[case("x")]
#[case("0123456789ABCDEF0123456789ABCDEF")]
#[case("..%2f..%2fetc%2fpasswd")]
#[case("%ff")]
#[tokio::test]
async fn a_strangers_hint_is_answered_alike_and_not_kept(#[case] hook: &str) {
    let (house, _) = house().await;
    let before = money(&house);
    for signature in [None, Some("bad"), Some("good")] {
        let mut request = TestRequest::post().uri(&format!("/bitpay/ipn/{hook}"));
        if let Some(signature) = signature {
            request = request.insert_header(("x-signature", signature));
        }
        assert_eq!(notify(&house, request).await.status, 200);
    }
    assert!(lock(&house.world.rows).hints.is_empty());
    assert_eq!(money(&house), before);
}

#[rstest]
#[case(&b"good"[..], 200, 1)]
#[case(b"bad", 401, 0)]
#[case(b"", 401, 0)]
#[case(b"\xff\xfe", 401, 0)]
#[tokio::test]
async fn a_signature_must_be_right_where_one_is_given(
    #[case] signature: &[u8],
    #[case] status: u16,
    #[case] kept: usize,
) {
    let (house, hook) = house().await;
    let before = money(&house);
    let request = TestRequest::post()
        .uri(&format!("/bitpay/ipn/{hook}"))
        .insert_header(("x-signature", signature))
        .set_payload(FLAT);
    assert_eq!(notify(&house, request).await.status, status);
    assert_eq!(lock(&house.world.rows).hints.len(), kept);
    assert_eq!(money(&house), before);
}

#[tokio::test]
async fn a_hint_that_cannot_be_kept_is_to_be_sent_again() {
    let (house, hook) = house().await;
    house.world.breaks(Fault::StoreDown);
    let answer = notify(&house, TestRequest::post().uri(&format!("/bitpay/ipn/{hook}"))).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "30"));
}

#[tokio::test]
async fn splynx_and_the_processor_being_down_change_no_answer() {
    let (house, hook) = house().await;
    house.world.breaks(Fault::SplynxDown);
    house.world.breaks(Fault::ProcessorDown);
    let answer = notify(&house, TestRequest::post().uri(&format!("/bitpay/ipn/{hook}"))).await;
    assert_eq!(answer.status, 200);
}

#[rstest]
#[case(HOOK_BYTES_MAX, 200)]
#[case(HOOK_BYTES_MAX + 1, 413)]
#[tokio::test]
async fn a_body_has_at_most_sixty_four_kibibytes(#[case] length: usize, #[case] status: u16) {
    let (house, hook) = house().await;
    let request =
        TestRequest::post().uri(&format!("/bitpay/ipn/{hook}")).set_payload("x".repeat(length));
    assert_eq!(notify(&house, request).await.status, status);
    assert_eq!(lock(&house.world.rows).hints.len(), usize::from(status == 200));
}

#[tokio::test]
async fn a_hook_is_no_page() {
    let (house, hook) = house().await;
    let answer = notify(&house, TestRequest::get().uri(&format!("/bitpay/ipn/{hook}"))).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
}

//! Who gets which page.

use actix_web::test::TestRequest;
use rstest::rstest;

use super::world::{Fault, House, lock, own_form};
use crate::ports::billing::Freshness;

const CUSTOMER_PAGES: [&str; 4] = [
    "/bitpay/",
    "/bitpay/pay-invoice?item_id=7",
    "/bitpay/pay-request?item_id=7",
    "/bitpay/pay-proforma?item_id=7",
];
const CONFIG: &str = "/bitpay/config";

#[tokio::test]
async fn nobody_is_sent_to_the_login_page_and_comes_back() {
    let house = House::paired().await;
    for (path, login) in [
        ("/bitpay", "https://isp.example/portal/login/?return=%2Fbitpay%2F"),
        (
            "/bitpay/pay-invoice?module=m&item_id=20%2F1",
            "https://isp.example/portal/login/?return=%2Fbitpay%2Fpay-invoice%3Fitem_id%3D20%252F1",
        ),
        (
            "/bitpay/pay-request?item_id=7",
            "https://isp.example/portal/login/?return=%2Fbitpay%2Fpay-proforma%3Fitem_id%3D7",
        ),
        (CONFIG, "https://isp.example/admin/login/?return=%2Fbitpay%2Fconfig"),
    ] {
        for request in [TestRequest::get(), own_form("unknown", path, "amount=5")] {
            let answer = house.send(request.uri(path)).await;
            assert_eq!((answer.status, answer.header("location")), (303, login), "{path}");
        }
    }
    assert!(lock(&house.world.rows).attempts.is_empty());
}

#[tokio::test]
async fn in_the_portals_modal_nobody_is_shown_a_link_that_leaves_it() {
    let house = House::paired().await;
    let request = TestRequest::get()
        .uri("/bitpay/pay-invoice?item_id=7")
        .insert_header(("sec-fetch-dest", "iframe"));
    let answer = house.send(request).await;
    assert_eq!(answer.status, 401);
    assert!(answer.body.contains("Please log in"));
    assert!(answer.body.contains("target=\"_top\""));
    assert!(answer.body.contains("/portal/login/?return=%2Fbitpay%2Fpay-invoice%3Fitem_id%3D7"));
}

#[tokio::test]
async fn an_admin_is_not_a_customer() {
    let house = House::paired().await;
    for path in CUSTOMER_PAGES {
        for request in [own_form("admin-1", path, "amount=5")] {
            let answer = house.send(request).await;
            assert_eq!(answer.status, 403, "{path}");
            assert!(answer.body.contains("Login as customer"), "{path}");
        }
        assert_eq!(house.get("admin-1", path).await.status, 403, "{path}");
    }
    assert!(lock(&house.world.rows).attempts.is_empty());
}

#[tokio::test]
async fn a_customer_is_not_an_admin() {
    let house = House::paired().await;
    let get = house.get("customer-1", CONFIG).await;
    let post = house.post("customer-1", CONFIG, "action=unpair").await;
    assert_eq!((get.status, post.status), (403, 403));
    assert!(!get.body.contains("Unpair"));
    assert_eq!(house.get("admin-1", CONFIG).await.status, 200);
}

#[tokio::test]
async fn when_splynx_cannot_tell_nobody_gets_in() {
    let house = House::paired().await;
    house.world.breaks(Fault::SplynxDown);
    for path in CUSTOMER_PAGES.into_iter().chain([CONFIG]) {
        for cookie in ["customer-1", "admin-1"] {
            let answers =
                [house.get(cookie, path).await, house.post(cookie, path, "action=unpair").await];
            for answer in answers {
                assert_eq!(answer.status, 503, "{path}");
                assert_eq!(answer.header("retry-after"), "30", "{path}");
                assert!(!answer.body.contains("secret words"), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn a_remembered_session_will_do_for_looking_but_not_for_paying() {
    let house = House::paired().await;
    house.get("customer-1", "/bitpay/").await;
    house.post("customer-1", "/bitpay/", "amount=5").await;
    house.get("admin-1", CONFIG).await;
    house.post("admin-1", CONFIG, "").await;
    use Freshness::{Asked, Remembered};
    assert_eq!(*lock(&house.world.asked), [Remembered, Asked, Remembered, Asked]);
}

#[rstest]
#[case("")]
#[case("PHPSESSID=")]
#[case("phpsessid=customer-1")]
#[case("OTHER=customer-1")]
#[case("PHPSESSID=customer-1%00")]
#[case("PHPSESSID=customer%20-1")]
#[tokio::test]
async fn a_cookie_that_can_be_no_session_is_not_even_asked_about(#[case] cookie: &str) {
    let house = House::paired().await;
    let request = TestRequest::get().uri("/bitpay/").insert_header(("cookie", cookie));
    assert_eq!(house.send(request).await.status, 303);
    assert!(lock(&house.world.asked).is_empty());
}

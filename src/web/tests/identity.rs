//! Who gets which page.

use actix_web::test::TestRequest;
use rstest::rstest;

use super::attempts_pages;
use super::world::{ATTEMPT, CHECKOUT, Fault, House, lock, own_form, path, rows};
use crate::ports::billing::Freshness;
use crate::web::routes::Kind;

const CONFIG: &str = "/bitpay/config";

/// Status and goal of a GET, and of a form that would pay or unpair.
async fn visit(house: &House, cookie: &str, path: &str) -> [(u16, String); 2] {
    let get = house.get(cookie, path).await;
    let post = house.post(cookie, path, "amount=5&action=unpair").await;
    [get, post].map(|answer| {
        let goal = answer.header("location").split("?return=").next().unwrap_or_default();
        (answer.status, goal.to_owned())
    })
}

const PORTAL_LOGIN: &str = "https://isp.example/portal/login/";
const ADMIN_LOGIN: &str = "https://isp.example/admin/login/";

#[rstest]
#[case::customer("customer-1", [(200, ""), (303, CHECKOUT)])]
#[case::admin_of_the_same_id("admin-1", [(403, ""), (403, "")])]
#[case::nobody("nobody", [(303, PORTAL_LOGIN), (303, PORTAL_LOGIN)])]
#[tokio::test]
async fn a_customers_page_is_for_customers(#[case] cookie: &str, #[case] wanted: [(u16, &str); 2]) {
    let house = House::with_invoice().await;
    for row in rows(&[Kind::Customer]) {
        let found = visit(&house, cookie, &path(row)).await;
        assert_eq!(found, wanted.map(|(status, goal)| (status, goal.to_owned())), "{}", row.path);
    }
    let paid = !lock(&house.world.rows).attempts.is_empty();
    assert_eq!(paid, cookie == "customer-1");
}

/// The form carries no token of the session: even the admin's is refused. Where there is no form, none is taken.
#[rstest]
#[case::customer_of_the_same_id("customer-1", [(403, ""), (403, "")])]
#[case::admin("admin-1", [(200, ""), (403, "")])]
#[case::nobody("nobody", [(303, ADMIN_LOGIN), (303, ADMIN_LOGIN)])]
#[tokio::test]
async fn the_admins_page_is_for_admins(#[case] cookie: &str, #[case] wanted: [(u16, &str); 2]) {
    let house = House::paired().await;
    attempts_pages::put(&house, attempts_pages::attempt(1, ATTEMPT));
    let before = format!("{:?}", lock(&house.world.rows).connections);
    for row in rows(&[Kind::Admin]) {
        let found = visit(&house, cookie, &path(row)).await;
        let mut wanted = wanted.map(|(status, goal)| (status, goal.to_owned()));
        if !row.takes_forms() {
            wanted[1] = (405, String::new());
        }
        assert_eq!(found, wanted, "{}", row.path);
    }
    assert_eq!(format!("{:?}", lock(&house.world.rows).connections), before);
}

#[tokio::test]
async fn what_needs_no_login_asks_nobody_who_is_there() {
    let house = House::paired().await;
    let mut found = Vec::new();
    for is_down in [false, true] {
        if is_down {
            house.world.breaks(Fault::SplynxDown);
        }
        for cookie in ["customer-1", "admin-1", "nobody"] {
            let mut round = Vec::new();
            for row in rows(&[Kind::Result, Kind::Hook, Kind::Static]) {
                round.extend(visit(&house, cookie, &path(row)).await);
            }
            found.push(round);
        }
    }
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{found:?}");
    assert!(lock(&house.world.asked).is_empty());
}

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
async fn whoever_is_on_the_wrong_page_is_told_where_theirs_is() {
    let house = House::with_invoice().await;
    for row in rows(&[Kind::Customer]) {
        let answer = house.get("admin-1", &path(row)).await;
        assert!(answer.body.contains("Login as customer"), "{}", row.path);
        assert!(answer.body.contains("https://isp.example/admin/customers/list"), "{}", row.path);
        assert!(!answer.body.contains("51.61"), "{}", row.path);
    }
    let answer = house.get("customer-1", CONFIG).await;
    assert!(answer.body.contains("https://isp.example/portal/"));
    assert!(!answer.body.contains("Unpair"));
}

#[tokio::test]
async fn when_splynx_cannot_tell_nobody_gets_in() {
    let house = House::paired().await;
    house.world.breaks(Fault::SplynxDown);
    for row in rows(&[Kind::Customer, Kind::Admin]) {
        let path = path(row);
        for cookie in ["customer-1", "admin-1"] {
            let mut answers = vec![house.get(cookie, &path).await];
            if row.takes_forms() {
                answers.push(house.post(cookie, &path, "amount=5&action=unpair").await);
            }
            for answer in answers {
                assert_eq!(answer.status, 503, "{path}");
                assert_eq!(answer.header("retry-after"), "30", "{path}");
                assert!(answer.body.contains("Try again"), "{path}");
                assert!(!answer.body.contains("secret words"), "{path}");
            }
        }
    }
    assert!(lock(&house.world.rows).attempts.is_empty());
}

#[tokio::test]
async fn a_remembered_session_will_do_for_looking_but_not_for_paying() {
    let house = House::paired().await;
    house.get("customer-1", "/bitpay/").await;
    house.post("customer-1", "/bitpay/", "amount=5").await;
    house.get("admin-1", CONFIG).await;
    house.post("admin-1", CONFIG, "").await;
    assert_eq!(
        *lock(&house.world.asked),
        [Freshness::Remembered, Freshness::Asked, Freshness::Remembered, Freshness::Asked]
    );
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

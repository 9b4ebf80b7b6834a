//! The pages people see.

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use rstest::rstest;

use super::support::{Api, http, simulator};
use crate::sim::splynx::{Principal, Simulator};

struct Page {
    status: u16,
    location: String,
    cookie: String,
    html: String,
}

async fn page(request: reqwest::RequestBuilder) -> Page {
    let response = request.send().await.unwrap();
    let header = |name| {
        let value = response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        value.unwrap_or_default()
    };
    Page {
        status: response.status().as_u16(),
        location: header(LOCATION),
        cookie: header(SET_COOKIE),
        html: response.text().await.unwrap(),
    }
}

async fn get(simulator: &Simulator, path: &str, session: &str) -> Page {
    let request = http("browser").get(format!("{}{path}", simulator.url()));
    page(request.header(COOKIE, format!("theme=dark; PHPSESSID={session}"))).await
}

async fn log_in(simulator: &Simulator, place: &str, login: &str, return_to: &str) -> Page {
    let form = [("login", login), ("password", login), ("return", return_to)];
    page(http("browser").post(format!("{}/{place}/login/", simulator.url())).form(&form)).await
}

fn session_of(page: &Page) -> String {
    page.cookie.split(['=', ';']).nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn a_guest_is_sent_to_the_login_and_back() {
    let simulator = simulator().await;
    let guest = get(&simulator, "/portal/finance/invoices", "nonsense").await;
    assert_eq!(guest.location, "/portal/login/?return=%2Fportal%2Ffinance%2Finvoices");

    let form = get(&simulator, "/portal/login/?return=%2Fbitpay%2F", "").await;
    assert!(form.html.contains(r#"name="return" value="/bitpay/""#), "{}", form.html);

    let done = log_in(&simulator, "portal", "customer1", "/bitpay/").await;
    assert_eq!((done.status, done.location.as_str()), (303, "/bitpay/"));
    assert!(done.cookie.starts_with("PHPSESSID="));
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(done.cookie.contains(attribute), "{}", done.cookie);
    }
    let dashboard = get(&simulator, "/portal/", &session_of(&done)).await;
    assert!(dashboard.html.contains("Customer One"));
}

#[rstest]
#[case("portal", "admin")]
#[case("admin", "customer1")]
#[case("portal", "nobody")]
#[tokio::test]
async fn a_login_of_the_other_place_opens_nothing(#[case] place: &str, #[case] login: &str) {
    let simulator = simulator().await;
    let answer = log_in(&simulator, place, login, "").await;
    assert_eq!(answer.cookie, "");
    assert!(answer.html.contains("Incorrect login or password."));
}

#[tokio::test]
async fn a_login_never_returns_to_another_server() {
    let simulator = simulator().await;
    let done = log_in(&simulator, "portal", "customer1", "https://evil.example/").await;
    assert_eq!(done.location, "/portal/");
}

#[tokio::test]
async fn the_cookie_of_a_login_is_exchanged_for_a_token_of_the_same_person() {
    let simulator = simulator().await;
    let done = log_in(&simulator, "portal", "customer2", "").await;
    let api = Api::session(&simulator, &session_of(&done)).await;
    assert_eq!(api.field("admin/customers/customer/2", "login").await, "customer2");
}

#[tokio::test]
async fn a_logout_ends_the_session() {
    let simulator = simulator().await;
    let session = simulator.open_session(Principal::Customer(1));
    get(&simulator, "/portal/logout", &session).await;
    assert_eq!(simulator.read(|world| world.access.session(&session)), None);
}

#[tokio::test]
async fn the_dashboard_shows_the_widgets_of_the_addon() {
    let simulator = simulator().await;
    let session = simulator.open_session(Principal::Customer(1));
    let html = get(&simulator, "/portal/", &session).await.html;

    assert!(html.contains("Pay your invoices by <strong>BitPay</strong>"), "{html}");
    assert!(html.contains(r#"data-point="bitpay_pay_invoice_point" data-number="201801000001""#));
    assert!(html.contains(r#"data-point="bitpay_pay_request_point" data-number="201801000001""#));
    assert!(html.contains("51.61 USD"));
    assert!(html.contains(r#"<form class="form-inline" action="/bitpay/" method="post">"#));
    assert!(!html.contains("201803000001"), "a paid invoice is not offered");
    assert!(!html.contains("{%") && !html.contains("{{"), "Twig is left over");
}

#[tokio::test]
async fn a_number_cannot_smuggle_html_into_a_page() {
    let simulator = simulator().await;
    simulator.edit(|world| {
        world.books.invoices.get_mut(1).unwrap().number = "\"><script>x".to_owned();
    });
    let session = simulator.open_session(Principal::Customer(1));
    for path in ["/portal/", "/portal/finance/invoices"] {
        let html = get(&simulator, path, &session).await.html;
        assert!(!html.contains("<script>x"), "{path}");
        assert!(html.contains("&lt;script&gt;x"), "{path}");
    }
}

#[rstest]
#[case("/portal/finance/invoices", "bitpay_pay_invoice_point", 4)]
#[case("/portal/finance/requests", "bitpay_pay_request_point", 1)]
#[tokio::test]
async fn every_row_carries_the_action_link(
    #[case] path: &str,
    #[case] name: &str,
    #[case] rows: usize,
) {
    let simulator = simulator().await;
    let session = simulator.open_session(Principal::Customer(1));
    let html = get(&simulator, path, &session).await.html;
    assert_eq!(html.matches(&format!(r#"data-name="{name}""#)).count(), rows);
    assert_eq!(html.matches(r#"title="Pay by BitPay""#).count(), rows);
    assert_eq!(html.matches("fa-btc").count(), rows);
    assert!(!html.contains("201804000001"), "a deleted invoice is not shown");
}

#[tokio::test]
async fn the_modal_leads_to_the_addon_with_the_number_of_the_document() {
    let simulator = simulator().await;
    let session = simulator.open_session(Principal::Customer(1));
    let path = "/portal/add-on--action-link-modal?module=splynx_bitpay_addon";
    let open = async |name: &str| {
        get(&simulator, &format!("{path}&name={name}&id=201801000001"), &session).await
    };
    assert_eq!(
        open("bitpay_pay_invoice_point").await.location,
        "/bitpay/pay-invoice?module=splynx_bitpay_addon&model=Invoices&item_id=201801000001"
    );
    assert_eq!(
        open("bitpay_pay_request_point").await.location,
        "/bitpay/pay-request?module=splynx_bitpay_addon&model=Requests&item_id=201801000001"
    );
    assert_eq!(open("another_point").await.status, 404);
}

#[tokio::test]
async fn disabled_entry_points_are_not_shown() {
    let simulator = simulator().await;
    let session = simulator.open_session(Principal::Customer(1));
    let shown = async || get(&simulator, "/portal/", &session).await.html.matches("bitpay").count();
    assert_ne!(shown().await, 0);

    simulator.edit(|world| world.behaviour.portal_entry_points = false);
    assert_eq!(shown().await, 0);

    simulator.edit(|world| {
        world.behaviour.portal_entry_points = true;
        for point in &mut world.entry_points {
            point.enabled = false;
        }
    });
    assert_eq!(shown().await, 0);
}

#[tokio::test]
async fn a_paid_invoice_and_its_payment_are_shown() {
    let simulator = simulator().await;
    let session = simulator.open_session(Principal::Customer(1));
    let invoices = get(&simulator, "/portal/finance/invoices", &session).await.html;
    let row = invoices.split("<tr ").find(|row| row.contains("201803000001")).unwrap();
    assert!(row.contains("Paid") && row.contains("2018-03-01"));
    let payments = get(&simulator, "/portal/finance/payments/list", &session).await.html;
    assert!(payments.contains("CASH-201803000001") && payments.contains("30.00 USD"));
}

#[rstest]
#[case("/admin/config/integrations", r#"href="/bitpay/config""#)]
#[case("/admin/administration/logs", r#"href="/bitpay/admin/attempts""#)]
#[case("/admin/finance/payments", "CASH-201803000001")]
#[case("/admin/finance/statements", "Payment statements")]
#[case("/admin/finance/invoices", "201801000001")]
#[case("/admin/customers", "Customer One")]
#[case("/admin/customers/list", "Customer One")]
#[case("/admin/", "Dashboard")]
#[tokio::test]
async fn admin_pages_are_for_admins_only(#[case] path: &str, #[case] expected: &str) {
    let simulator = simulator().await;
    let admin = simulator.open_session(Principal::Admin(1));
    let customer = simulator.open_session(Principal::Customer(1));

    let html = get(&simulator, path, &admin).await.html;
    assert!(html.contains(expected), "{html}");
    let refused = get(&simulator, path, &customer).await;
    assert_eq!(refused.status, 303);
    assert!(refused.location.starts_with("/admin/login/?return="));
}

#[tokio::test]
async fn an_admin_logs_in_as_a_customer() {
    let simulator = simulator().await;
    let admin = simulator.open_session(Principal::Admin(1));
    let answer = get(&simulator, "/admin/customers/2/portal", &admin).await;
    let session = session_of(&answer);
    let principal = simulator.read(|world| world.access.session(&session));
    assert_eq!(principal, Some(Principal::Customer(2)));
    assert!(get(&simulator, "/portal/", &session).await.html.contains("Customer Two"));
}

#[rstest]
#[case("/assets/splynx.css", 200)]
#[case("/assets/portal.js", 200)]
#[case("/assets/../Cargo.toml", 404)]
#[case("/portal/nonsense", 404)]
#[case("/nonsense", 404)]
#[case("/", 303)]
#[tokio::test]
async fn paths_are_served_or_not(#[case] path: &str, #[case] status: u16) {
    let simulator = simulator().await;
    assert_eq!(get(&simulator, path, "").await.status, status);
}

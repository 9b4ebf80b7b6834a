//! Permissions of the key, and what admins and customers may.

use rstest::rstest;
use serde_json::json;

use super::support::{Api, simulator};
use crate::sim::splynx::Principal;

const SETTINGS: &str = "admin/config/config?module=add-on&path=splynx_bitpay_addon";

#[rstest]
#[case("Payments", "add")]
#[case("Payments", "index")]
#[case("Invoices", "view")]
#[tokio::test]
async fn the_key_does_only_what_its_permissions_list(
    #[case] controller: &str,
    #[case] action: &str,
) {
    let simulator = simulator().await;
    let api = Api::signed(&simulator);
    let attempt = async || match (controller, action) {
        ("Payments", "add") => api.post("admin/finance/payments", &json!({})).await,
        ("Payments", _) => api.get("admin/finance/payments").await,
        _ => api.get("admin/finance/invoices/1").await,
    };
    assert_ne!(attempt().await.status, 403);

    let controller = format!("api\\admin\\finance\\{controller}");
    simulator.edit(|world| world.access.set_permission(&controller, action, false));

    assert_eq!(attempt().await.refusal(), "403 FORBIDDEN");
}

#[rstest]
#[case("admin/finance/payments/1", "DELETE")]
#[case("admin/finance/invoices/1", "DELETE")]
#[case("admin/finance/invoices", "POST")]
#[case("admin/customers/customer", "POST")]
#[tokio::test]
async fn the_key_was_never_granted_what_the_addon_does_not_need(
    #[case] path: &str,
    #[case] method: &str,
) {
    let simulator = simulator().await;
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let answer = Api::signed(&simulator).send(method, path, Some(&json!({}))).await;
    assert_eq!(answer.refusal(), "403 FORBIDDEN");
    assert_eq!(simulator.state().payments.len(), 2);
}

#[tokio::test]
async fn only_an_admin_reads_the_settings_of_the_addon() {
    let simulator = simulator().await;
    let admin = simulator.open_session(Principal::Admin(1));
    let customer = simulator.open_session(Principal::Customer(1));

    let (admin, customer) =
        (Api::session(&simulator, &admin).await, Api::session(&simulator, &customer).await);

    assert_eq!(admin.get(SETTINGS).await.status, 200);
    assert_eq!(customer.get(SETTINGS).await.refusal(), "403 FORBIDDEN");
    let portal = "admin/config/config?module=main&path=portal";
    assert_eq!(customer.get(portal).await.status, 200);
}

#[tokio::test]
async fn a_customer_sees_their_own_rows_and_an_admin_sees_all() {
    let simulator = simulator().await;
    let admin = simulator.open_session(Principal::Admin(1));
    let customer = simulator.open_session(Principal::Customer(2));
    let admin = Api::session(&simulator, &admin).await;
    let customer = Api::session(&simulator, &customer).await;

    let ids = |answer: super::support::Answer| {
        let rows = answer.json().as_array().unwrap().clone();
        rows.iter().map(|row| super::support::plain(&row["id"])).collect::<Vec<_>>()
    };
    assert_eq!(ids(customer.get("admin/customers/customer?limit=2").await), ["2"]);
    assert_eq!(ids(admin.get("admin/customers/customer?limit=2").await), ["1", "2"]);
    assert_eq!(ids(customer.get("admin/finance/invoices").await), ["6"]);
    assert_eq!(ids(customer.get("admin/finance/payments").await), Vec::<String>::new());
}

#[rstest]
#[case("admin/finance/invoices/1", 403)]
#[case("admin/finance/invoices/6", 200)]
#[case("admin/finance/proforma-invoices/1", 403)]
#[case("admin/finance/payments/1", 403)]
#[case("admin/customers/customer/1", 403)]
#[case("admin/customers/customer-billing/1", 403)]
#[case("admin/customers/customer-billing/2", 200)]
#[case("admin/finance/bank-statements", 403)]
#[case("admin/administration/partners", 403)]
#[case("admin/config/entry-points", 403)]
#[case("admin/finance/invoices?main_attributes[customer_id]=1", 200)]
#[tokio::test]
async fn customer_2_reads_nothing_of_others(#[case] path: &str, #[case] status: u16) {
    let simulator = simulator().await;
    let session = simulator.open_session(Principal::Customer(2));
    let answer = Api::session(&simulator, &session).await.get(path).await;
    assert_eq!(answer.status, status, "{}", answer.text);
    assert!(!answer.text.contains("201802000001"), "an invoice of customer 1 leaks");
}

#[tokio::test]
async fn a_customer_writes_nothing() {
    let simulator = simulator().await;
    let session = simulator.open_session(Principal::Customer(1));
    let customer = Api::session(&simulator, &session).await;
    let paid = json!({ "status": "paid" });
    assert_eq!(customer.put("admin/finance/invoices/1", &paid).await.status, 403);
    assert_eq!(customer.post("admin/finance/payments", &json!({})).await.status, 403);
    assert_eq!(customer.put(SETTINGS, &json!({ "a": "b" })).await.status, 403);
}

#[tokio::test]
async fn settings_are_empty_as_php_writes_it_until_they_are_put() {
    let simulator = simulator().await;
    let api = Api::signed(&simulator);
    assert_eq!(api.get(SETTINGS).await.text, "[]");

    let put = api.put(SETTINGS, &json!({ "serviceFee": "2.5", "currency": "EUR" })).await;

    assert_eq!((put.status, put.text.as_str()), (202, ""));
    assert_eq!(api.get(SETTINGS).await.json(), json!({ "serviceFee": "2.5", "currency": "EUR" }));
    let one = format!("{SETTINGS}&key=currency");
    assert_eq!(api.get(&one).await.json(), json!({ "currency": "EUR" }));
    let partner = format!("{SETTINGS}&partner_id=1");
    assert_eq!(api.get(&partner).await.text, "[]");
}

//! Searches, counts, descriptions and the typing of rows.

use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use super::support::{Api, plain, simulator};
use crate::sim::faults::{Fault, Kind};
use crate::sim::splynx::Typing;

async fn ids(query: &str) -> Vec<String> {
    let simulator = simulator().await;
    let answer = Api::signed(&simulator).get(&format!("admin/finance/invoices?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json().as_array().unwrap().iter().map(|row| plain(&row["id"])).collect()
}

#[rstest]
#[case("", &["1", "2", "3", "4", "5", "6", "7"])]
#[case("main_attributes[number]=201801000001", &["1"])]
#[case("main_attributes%5Bnumber%5D=201801000001&limit=1", &["1"])]
#[case("main_attributes[number]=nothing", &[])]
#[case("main_attributes[customer_id]=1&main_attributes[status][0]=IN&main_attributes[status][1][]=not_paid&main_attributes[status][1][]=paid&order[id]=DESC", &["5", "3", "2", "1"])]
#[case("main_attributes[customer_id]=1&limit=2&offset=1", &["2", "3"])]
#[case("main_attributes[total][0]=>=&main_attributes[total][1]=75", &["2", "5"])]
#[case("main_attributes[total][0]=<&main_attributes[total][1]=20", &["7"])]
#[case("main_attributes[status][0]=!=&main_attributes[status][1]=not_paid", &["3", "4"])]
#[case("main_attributes[date_created][0]=BETWEEN&main_attributes[date_created][1]=2018-03-01&main_attributes[date_created][2]=2018-04-30", &["3", "4"])]
#[case("main_attributes[number][0]=LIKE&main_attributes[number][1]=1801", &["1", "6"])]
#[case("main_attributes[number][0]=LIKE&main_attributes[number][1]=2018%25002", &["6"])]
#[case("order[total]=DESC&limit=1", &["2"])]
#[tokio::test]
async fn a_search_returns_exactly_what_it_asks_for(#[case] query: &str, #[case] expected: &[&str]) {
    assert_eq!(ids(query).await, expected);
}

#[rstest]
#[case("main_attributes[colour]=red")]
#[case("main_attributes[number][0]=LOOKS&main_attributes[number][1]=1")]
#[case("main_attributes[number][0]=IN")]
#[case("additional_attributes[x]=1")]
#[case("limit=many")]
#[case("order[colour]=DESC")]
#[tokio::test]
async fn a_search_that_cannot_be_understood_is_refused(#[case] query: &str) {
    let simulator = simulator().await;
    let answer = Api::signed(&simulator).get(&format!("admin/finance/invoices?{query}")).await;
    assert_eq!(answer.refusal(), "400 BAD_REQUEST");
}

#[tokio::test]
async fn receipt_numbers_are_compared_without_regard_to_case_as_mysql_does() {
    let simulator = simulator().await;
    let path = "admin/finance/payments?main_attributes[receipt_number]=cash-201803000001";
    let rows = Api::signed(&simulator).get(path).await.json();
    assert_eq!(rows.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn head_counts_and_options_describes() {
    let simulator = simulator().await;
    let api = Api::signed(&simulator);
    let path = "admin/finance/invoices?main_attributes[customer_id]=1&limit=1";

    let head = api.send(Method::HEAD, path, None).await;
    assert_eq!(head.status, 204);
    assert_eq!(head.headers["X-total-count"], "5");

    let options = api.send(Method::OPTIONS, "admin/finance/payments", None).await;
    assert_eq!(options.status, 200);
    let attributes = options.json()["attributes"].as_array().unwrap().clone();
    let required =
        |name: &str| attributes.iter().find(|row| row["name"] == name).unwrap()["required"].clone();
    assert_eq!((required("receipt_number"), required("comment")), (json!(true), json!(false)));
}

#[rstest]
#[case(Typing::Strings, json!(["1", "51.6100", "1", "0000-00-00", "0"]))]
#[case(Typing::Numbers, json!([1, 51.61, 1, "0000-00-00", "0"]))]
#[case(Typing::Mixed, json!([1, 51.61, "1", "0000-00-00", "0"]))]
#[tokio::test]
async fn numbers_look_as_this_installation_writes_them(
    #[case] typing: Typing,
    #[case] expected: serde_json::Value,
) {
    let simulator = simulator().await;
    simulator.edit(|world| world.behaviour.typing = typing);
    let row = Api::signed(&simulator).get("admin/finance/invoices/1").await.json();
    let names = ["id", "due", "customer_id", "date_payment", "is_sent"];
    assert_eq!(json!(names.map(|name| row[name].clone())), expected);
}

#[tokio::test]
async fn in_mixed_typing_even_rows_are_strings() {
    let simulator = simulator().await;
    let row = Api::signed(&simulator).get("admin/finance/invoices/2").await.json();
    assert_eq!((row["id"].clone(), row["due"].clone()), (json!("2"), json!("100.0000")));
}

#[tokio::test]
async fn a_search_that_ignores_its_filter_returns_every_row() {
    let simulator = simulator().await;
    let api = Api::signed(&simulator);
    let path = "admin/finance/payments?main_attributes[receipt_number]=none&limit=1";
    let count = async || api.get(path).await.json().as_array().unwrap().len();

    assert_eq!(count().await, 0);
    simulator.arm(Fault::on_any("admin/finance/payments", Kind::IgnoreFilter).times(1));
    assert_eq!(count().await, 2);
    assert_eq!(count().await, 0);
    simulator.edit(|world| world.behaviour.ignore_filter = true);
    assert_eq!(count().await, 2);
}

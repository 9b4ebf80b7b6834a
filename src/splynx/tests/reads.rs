//! Reads believe only what Splynx surely said.

use rstest::rstest;

use crate::domain::ids::{CustomerId, DocumentId, DocumentNumber};
use crate::domain::payable::{Document, DocumentKind, DocumentRef};
use crate::ports::PeerError;
use crate::ports::billing::{Billing as _, Statements as _};
use crate::splynx::testing::{Fake, Play, answer, own_error};

fn row(id: i64, number: &str, status: &str) -> String {
    format!(
        r#"{{"id":{id},"customer_id":"1","number":"{number}","status":"{status}","total":"10.0000"}}"#
    )
}

async fn by_number(play: Play) -> Result<Option<Document>, PeerError> {
    let fake = Fake::start(move |_, _| play.clone());
    let number = DocumentNumber::parse("A-1").unwrap();
    let found = fake.client().document_by_number(DocumentKind::Invoice, &number).await;
    assert!(fake.requests()[0].target.contains("main_attributes[number]=A-1"));
    found
}

async fn by_id(play: Play) -> Result<Option<Document>, PeerError> {
    let fake = Fake::start(move |_, _| play.clone());
    let reference = DocumentRef {
        kind: DocumentKind::Invoice,
        id: DocumentId::new(5),
        number: DocumentNumber::parse("A-1").unwrap(),
    };
    fake.client().document(&reference).await
}

#[rstest]
#[case::none("[]".to_owned(), None)]
#[case::one(format!("[{}]", row(5, "A-1", "not_paid")), Some(5))]
#[case::filter_ignored(format!("[{},{}]", row(9, "B-1", "not_paid"), row(5, "A-1", "paid")), Some(5))]
#[case::other_case(format!("[{}]", row(9, "a-1", "not_paid")), None)]
#[case::deleted_and_not(format!("[{},{}]", row(9, "A-1", "deleted"), row(5, "A-1", "paid")), Some(5))]
#[case::newest(format!("[{},{}]", row(5, "A-1", "paid"), row(9, "A-1", "paid")), Some(9))]
#[case::only_deleted(format!("[{}]", row(9, "A-1", "deleted")), Some(9))]
#[tokio::test]
async fn a_number_finds_its_own_document_only(#[case] body: String, #[case] id: Option<i64>) {
    let found = by_number(answer(200, body)).await.unwrap();
    assert_eq!(found.map(|document| document.reference.id.get()), id);
}

#[rstest]
#[case::proxy(answer(200, "<html>"))]
#[case::object(answer(200, "{}"))]
#[case::foreign_404(answer(404, "<html>"))]
#[case::without_a_sum(answer(200, r#"[{"id":5,"customer_id":1,"number":"A-1","status":"paid"}]"#))]
#[tokio::test]
async fn an_answer_of_another_shape_is_not_an_absence(#[case] play: Play) {
    assert!(matches!(by_number(play.clone()).await, Err(PeerError::Unreadable { .. })));
    assert!(matches!(by_id(play).await, Err(PeerError::Unreadable { .. })));
}

#[tokio::test]
async fn a_document_is_gone_only_when_splynx_says_so() {
    assert_eq!(by_id(own_error(404, "NOT_FOUND")).await, Ok(None));
    assert!(by_id(answer(200, row(5, "A-1", "paid"))).await.unwrap().is_some());
    assert!(by_id(answer(200, row(6, "A-1", "paid"))).await.is_err());
    assert!(matches!(
        by_id(own_error(405, "METHOD_DISABLED")).await,
        Err(PeerError::Refused { .. })
    ));
    assert!(by_id(answer(503, "")).await.unwrap_err().is_unavailable());
    assert!(by_id(Play::Hang).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn a_read_whose_connection_broke_off_is_repeated_once() {
    let fake = Fake::start(|_, before| match before {
        0 => Play::Drop,
        _ => answer(200, r#"{"id":1,"name":"Customer One"}"#),
    });
    assert!(fake.client().customer(CustomerId::new(1)).await.unwrap().is_some());
    let down = Fake::start(|_, _| Play::Drop);
    assert!(down.client().customer(CustomerId::new(1)).await.unwrap_err().is_unavailable());
    assert_eq!(down.requests().len(), 2);
}

#[tokio::test]
async fn reads_go_on_where_splynx_closed_the_connection_after_an_answer() {
    let customer = r#"{"id":1,"name":"Customer One"}"#;
    let fake = Fake::start(move |_, _| Play::AnswerThenClose(200, customer.to_owned()));
    let client = fake.client();
    for _ in 0..5 {
        assert!(client.customer(CustomerId::new(1)).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let fake = Fake::start(|_, _| answer(200, " ".repeat(2 * 1024 * 1024)));
    assert!(fake.client().module_settings().await.is_err());
}

#[tokio::test]
async fn settings_of_an_unknown_module_are_none() {
    let fake = Fake::start(|_, _| own_error(404, "NOT_FOUND"));
    assert_eq!(fake.client().module_settings().await.unwrap().len(), 0);
    assert!(fake.requests()[0].target.ends_with("config?module=add-on&path=splynx_bitpay_addon"));
}

#[tokio::test]
async fn a_statement_is_made_once_for_all_who_want_it() {
    let fake = Fake::start(|seen, before| match (seen.method.as_str(), before) {
        ("POST", _) => answer(201, r#"{"id":3}"#),
        (_, 0) => answer(200, r#"[{"id":1,"title":"Bitpay 09/2018"}]"#),
        _ => answer(200, r#"[{"id":"3","title":"Bitpay 10/2018"},{"id":1,"title":"Bitpay"}]"#),
    });
    let client = fake.client();
    let (one, two) =
        tokio::join!(client.statement("Bitpay 10/2018"), client.statement("Bitpay 10/2018"));
    assert_eq!((one.unwrap().get(), two.unwrap().get()), (3, 3));
    let posts: Vec<_> = fake.requests().into_iter().filter(|seen| seen.method == "POST").collect();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].body, r#"{"status":"success","title":"Bitpay 10/2018"}"#);
}

//! When a document is marked paid, and when a person is told that it is not.

use rstest::rstest;

use crate::app::postings::{Reach, record};
use crate::app::tests::bench::{
    Bench, at, attempt, committed, credit, payable, posting, ready, refused, unavailable, usd,
};
use crate::app::work::{Turn, TurnError};
use crate::domain::credit::Target;
use crate::domain::ids::SplynxId;
use crate::domain::payable::{DocumentKind, DocumentStatus};
use crate::domain::posting::{NotExecuted, PostingKind, PostingState, WriteOutcome};
use crate::domain::review::ReviewReason;
use crate::ports::PeerError;

const INVOICE: DocumentKind = DocumentKind::Invoice;

fn posted(id: Option<i64>) -> PostingState {
    PostingState::Posted { splynx_id: id.map(SplynxId::new) }
}

/// An invoice whose payment of 100.00 stands like this, and whose status is to be set.
async fn paid(bench: &Bench, payment: PostingState, status: PostingState) -> Turn<'_> {
    let credits = vec![credit(1, usd(10_000), Target::Document)];
    let postings = vec![
        posting(PostingKind::DocumentPayment, payment),
        posting(PostingKind::DocumentStatus, status),
    ];
    bench.turn(attempt(payable(INVOICE), false), credits, postings).await
}

async fn status(bench: &Bench) -> PostingState {
    committed(bench, PostingKind::DocumentStatus).await.state
}

/// A person reads why.
async fn is_told(bench: &Bench, why: &str) {
    let words = format!("The payment is in Splynx, but the document is not shown as paid: {why}.");
    assert_eq!(bench.reviews().await, [(ReviewReason::NotMarkedPaid, words)]);
    let dropped = committed(bench, PostingKind::DocumentStatus).await;
    assert_eq!((dropped.state, dropped.last_error.as_deref()), (PostingState::Dropped, Some(why)));
}

#[rstest]
#[case::ready(ready())]
#[case::begun_before(PostingState::Posting { begun_at: at(0) })]
#[tokio::test]
async fn the_status_is_set_and_read_back(#[case] state: PostingState) {
    let bench = Bench::new();
    bench.desk().shows(INVOICE, "100.00");
    let mut turn = paid(&bench, posted(Some(5)), state).await;
    assert_eq!(record(&mut turn).await.unwrap(), Reach::Fine);
    assert_eq!(status(&bench).await, posted(None));
    let desk = bench.desk();
    assert_eq!(desk.writes[0].1["payment_id"], 5);
    assert_eq!((desk.writes.len(), desk.searches.len()), (1, 0), "nothing is searched for");
}

#[tokio::test]
async fn what_shows_as_paid_is_left_alone() {
    let bench = Bench::new();
    bench.desk().shows(INVOICE, "100.00");
    bench.desk().document.as_mut().unwrap().status = DocumentStatus::Paid;
    let mut turn = paid(&bench, posted(Some(5)), ready()).await;
    record(&mut turn).await.unwrap();
    assert_eq!(status(&bench).await, posted(None));
    assert_eq!(bench.desk().writes.len(), 0);
    assert_eq!(bench.reviews().await, []);
}

#[rstest]
#[case("100.0099", None)]
#[case("99.9901", None)]
#[case("100.01", Some("100.00 USD were paid of 100.01"))]
#[case("120.00", Some("100.00 USD were paid of 120.00"))]
#[case("99.99", Some("its total is 99.99 instead of 100"))]
#[case("80.00", Some("its total is 80.00 instead of 100"))]
#[tokio::test]
async fn only_what_was_agreed_and_is_covered_is_marked(
    #[case] total: &str,
    #[case] why: Option<&str>,
) {
    let bench = Bench::new();
    bench.desk().shows(INVOICE, total);
    let mut turn = paid(&bench, posted(Some(5)), ready()).await;
    assert_eq!(record(&mut turn).await.unwrap(), Reach::Fine);
    match why {
        None => assert_eq!(status(&bench).await, posted(None)),
        Some(why) => is_told(&bench, why).await,
    }
    assert_eq!(bench.desk().writes.len(), usize::from(why.is_none()));
}

#[rstest]
#[case::whose_id_nobody_told(posted(None))]
#[case::that_is_there_twice(PostingState::Duplicate { splynx_ids: vec![SplynxId::new(5), SplynxId::new(6)] })]
#[tokio::test]
async fn a_payment_marks_nothing_without_its_id(#[case] payment: PostingState) {
    let bench = Bench::new();
    bench.desk().shows(INVOICE, "100.00");
    let mut turn = paid(&bench, payment, ready()).await;
    record(&mut turn).await.unwrap();
    is_told(&bench, "the id of its payment is not known").await;
}

#[tokio::test]
async fn a_document_that_is_gone_cannot_be_marked() {
    let bench = Bench::new();
    let mut turn = paid(&bench, posted(Some(5)), ready()).await;
    record(&mut turn).await.unwrap();
    is_told(&bench, "the document is gone").await;
}

#[tokio::test]
async fn a_change_that_does_not_show_is_told() {
    let bench = Bench::new();
    bench.desk().shows(INVOICE, "100.00");
    bench.desk().keeps_status = true;
    let mut turn = paid(&bench, posted(Some(5)), ready()).await;
    record(&mut turn).await.unwrap();
    is_told(&bench, "Splynx took the change but does not show it").await;
}

#[rstest]
#[case::refused(WriteOutcome::NotExecuted(NotExecuted::Refused { sentence: "no".to_owned() }), false)]
#[case::unclear(WriteOutcome::Unclear { why: "timeout".to_owned() }, true)]
#[tokio::test]
async fn a_change_that_was_not_taken_is_tried_again_and_not_read_back(
    #[case] outcome: WriteOutcome,
    #[case] is_down: bool,
) {
    let bench = Bench::new();
    bench.desk().shows(INVOICE, "100.00");
    bench.desk().outcomes.push_back(outcome);
    let mut turn = paid(&bench, posted(Some(5)), ready()).await;
    let reach = record(&mut turn).await.unwrap();
    assert_eq!(matches!(reach, Reach::Down(_)), is_down);
    let stands = committed(&bench, PostingKind::DocumentStatus).await;
    assert!(!stands.is_final(), "{stands:?}");
    assert_eq!(stands.tries, 1);
    assert_eq!(bench.reasons().await.contains(&ReviewReason::Refused), !is_down);
}

#[rstest]
#[case::before(0)]
#[case::after(1)]
#[tokio::test]
async fn a_document_that_cannot_be_read_is_read_later(#[case] good_reads: usize) {
    let bench = Bench::new();
    bench.desk().shows(INVOICE, "100.00");
    let shown = bench.desk().document.clone();
    bench.desk().reads.extend((0..good_reads).map(|_| Ok(shown.clone())));
    bench.desk().reads.push_back(Err(unavailable()));
    let mut turn = paid(&bench, posted(Some(5)), ready()).await;
    assert!(matches!(record(&mut turn).await.unwrap(), Reach::Down(_)));
    assert_eq!(turn.ledger.attempt.work_at, Some(at(0)), "the gate is what waits");
    let stands = committed(&bench, PostingKind::DocumentStatus).await;
    assert!(!stands.is_final(), "{stands:?}");
}

#[tokio::test]
async fn a_document_that_may_not_be_read_is_told() {
    let bench = Bench::new();
    bench.desk().reads.push_back(Err(refused()));
    let mut turn = paid(&bench, posted(Some(5)), ready()).await;
    let refused = record(&mut turn).await;
    assert!(matches!(refused, Err(TurnError::Peer(PeerError::Refused { .. }))));
    assert_eq!(bench.reasons().await, [ReviewReason::Refused]);
}

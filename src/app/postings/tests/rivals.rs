//! Two attempts that pay one document, and a document that changes between decision and sending.

use rstest::rstest;

use crate::app::postings::{Reach, record};
use crate::app::tests::bench::{
    Bench, at, attempt, committed, credit, payable, posting, ready, unavailable, usd,
};
use crate::app::work::Turn;
use crate::domain::attempt::Attempt;
use crate::domain::credit::{ByHand, Credit, Target};
use crate::domain::ids::{
    AttemptId, CreditKey, Hook, PostingId, ProcessorInvoiceId, ResultToken, SplynxId,
};
use crate::domain::payable::{DocumentKind, Payable};
use crate::domain::posting::{Posting, PostingKind, PostingState};

const INVOICE: DocumentKind = DocumentKind::Invoice;

/// Another attempt whose posting of this kind stands like this.
async fn other(bench: &Bench, payable: Payable, kind: PostingKind, state: PostingState) {
    let id = AttemptId::new(at(0), 900);
    let theirs = ProcessorInvoiceId::parse("theirs").unwrap();
    let key = CreditKey::parse("BP-theirs-1").unwrap();
    let mut rival = attempt(payable, false);
    rival.opened.as_mut().unwrap().invoice = theirs.clone();
    let rival = Attempt { id, hook: Hook::new(900), result_token: ResultToken::new(901), ..rival };
    let money = Credit {
        key: key.clone(),
        attempt: id,
        invoice: theirs,
        ..credit(1, usd(10_000), Target::Document)
    };
    let posting = Posting {
        id: PostingId::new(at(0), 902),
        attempt: id,
        credit: Some(key),
        ..posting(kind, state)
    };
    bench.turn(rival, vec![money], vec![posting]).await;
}

fn under_way() -> PostingState {
    PostingState::Posting { begun_at: at(0) }
}

fn in_doubt() -> PostingState {
    PostingState::Unknown { begun_at: at(0), first_absent: None, search_at: at(0) }
}

fn posted() -> PostingState {
    PostingState::Posted { splynx_id: Some(SplynxId::new(5)) }
}

async fn to_be_sent(bench: &Bench) -> Turn<'_> {
    bench.desk().shows(INVOICE, "100.00");
    let credits = vec![credit(1, usd(10_000), Target::Document)];
    let payment = posting(PostingKind::DocumentPayment, ready());
    bench.turn(attempt(payable(INVOICE), false), credits, vec![payment]).await
}

#[rstest]
#[case::a_payment(PostingKind::DocumentPayment, under_way())]
#[case::a_payment_in_doubt(PostingKind::DocumentPayment, in_doubt())]
#[case::an_item(PostingKind::FeeItem, under_way())]
#[tokio::test]
async fn who_comes_second_lets_the_first_go_first(
    #[case] kind: PostingKind,
    #[case] state: PostingState,
) {
    let bench = Bench::new();
    other(&bench, payable(INVOICE), kind, state).await;
    let mut turn = to_be_sent(&bench).await;
    assert_eq!(record(&mut turn).await.unwrap(), Reach::Fine);
    assert_eq!(bench.desk().writes.len(), 0);
    let waits = committed(&bench, PostingKind::DocumentPayment).await;
    let PostingState::Ready { not_before } = waits.state else { panic!("{waits:?}") };
    assert!((at(1)..at(5)).contains(&not_before), "{not_before}");
    assert_eq!(waits.last_error.as_deref(), Some("another payment of this document is under way"));
    assert_eq!(turn.ledger.attempt.work_at, Some(not_before));
}

#[rstest]
#[case::that_has_not_begun(payable(INVOICE), PostingKind::DocumentPayment, ready())]
#[case::that_was_given_up(payable(INVOICE), PostingKind::DocumentPayment, PostingState::Dropped)]
#[case::of_its_status(payable(INVOICE), PostingKind::DocumentStatus, under_way())]
#[case::to_the_balance(payable(INVOICE), PostingKind::BalancePayment, under_way())]
#[case::of_another_document(
    payable(DocumentKind::ProformaInvoice),
    PostingKind::DocumentPayment,
    under_way()
)]
#[tokio::test]
async fn nobody_waits_for_a_posting(
    #[case] payable: Payable,
    #[case] kind: PostingKind,
    #[case] state: PostingState,
) {
    let bench = Bench::new();
    other(&bench, payable, kind, state).await;
    let mut turn = to_be_sent(&bench).await;
    record(&mut turn).await.unwrap();
    assert!(committed(&bench, PostingKind::DocumentPayment).await.is_posted());
}

#[tokio::test]
async fn what_another_attempt_has_brought_is_not_due_again_before_the_document_shows_it() {
    let bench = Bench::new();
    other(&bench, payable(INVOICE), PostingKind::DocumentPayment, posted()).await;
    let mut turn = to_be_sent(&bench).await;
    record(&mut turn).await.unwrap();
    let given_up = committed(&bench, PostingKind::DocumentPayment).await;
    assert_eq!(given_up.state, PostingState::Dropped);
    assert!(committed(&bench, PostingKind::BalancePayment).await.is_posted());
}

#[tokio::test]
async fn a_payment_that_the_document_no_longer_fits_is_decided_anew_under_its_key() {
    let bench = Bench::new();
    let mut turn = to_be_sent(&bench).await;
    bench.desk().document.as_mut().unwrap().total = 150.into();
    record(&mut turn).await.unwrap();
    let dropped = committed(&bench, PostingKind::DocumentPayment).await;
    assert_eq!(dropped.state, PostingState::Dropped);
    assert_eq!(dropped.last_error.as_deref(), Some("the document has changed meanwhile"));
    let instead = committed(&bench, PostingKind::BalancePayment).await;
    assert!(instead.is_posted() && instead.credit == dropped.credit, "{instead:?}");
    assert_eq!(turn.ledger.credits[0].target, Target::Balance);
    assert_eq!(bench.desk().writes.len(), 1);
}

#[tokio::test]
async fn what_waits_beside_it_is_given_up_with_it_but_nothing_of_another_credit() {
    let bench = Bench::new();
    bench.desk().shows(INVOICE, "150.00");
    let second = credit(2, usd(1_000), Target::Balance);
    let of_second = Posting {
        id: PostingId::new(at(0), 55),
        credit: Some(second.key.clone()),
        ..posting(PostingKind::BalancePayment, PostingState::Ready { not_before: at(3600) })
    };
    let postings = vec![
        posting(PostingKind::FeeItem, posted()),
        posting(PostingKind::DocumentPayment, ready()),
        posting(PostingKind::DocumentStatus, ready()),
        of_second.clone(),
    ];
    let credits = vec![credit(1, usd(10_000), Target::Document), second];
    let mut turn = bench.turn(attempt(payable(INVOICE), false), credits, postings).await;
    record(&mut turn).await.unwrap();
    let ledger = bench.app.store.ledger(turn.ledger.attempt.id).await.unwrap().unwrap();
    let stands = |kind| {
        let mut all = ledger.postings.iter();
        all.find(|it| it.kind == kind && it.id != of_second.id).unwrap().state.clone()
    };
    assert_eq!(stands(PostingKind::FeeItem), posted());
    assert_eq!(stands(PostingKind::DocumentStatus), PostingState::Dropped);
    let kept = ledger.postings.iter().find(|it| it.id == of_second.id).unwrap();
    assert_eq!(kept.state, of_second.state);
}

#[tokio::test]
async fn what_a_person_put_on_the_document_goes_there_whatever_it_shows() {
    let bench = Bench::new();
    let mut turn = to_be_sent(&bench).await;
    turn.ledger.credits[0].by_hand = ByHand::Target;
    bench.desk().document.as_mut().unwrap().total = 150.into();
    record(&mut turn).await.unwrap();
    assert!(committed(&bench, PostingKind::DocumentPayment).await.is_posted());
}

#[tokio::test]
async fn a_fee_item_is_given_up_if_the_document_changed_before_it_was_sent() {
    let bench = Bench::new();
    bench.desk().shows(INVOICE, "90.00");
    let credits = vec![credit(1, usd(11_000), Target::Undecided)];
    let item = posting(PostingKind::FeeItem, ready());
    let mut turn = bench.turn(attempt(payable(INVOICE), true), credits, vec![item]).await;
    record(&mut turn).await.unwrap();
    let item = committed(&bench, PostingKind::FeeItem).await;
    assert_eq!(item.state, PostingState::Dropped);
    let texts: Vec<_> = bench.desk().writes.iter().map(|(_, body, _)| body.to_string()).collect();
    assert!(texts.iter().all(|text| !text.contains("items")), "{texts:?}");
}

#[tokio::test]
async fn a_document_that_cannot_be_read_keeps_the_payment_waiting() {
    let bench = Bench::new();
    let mut turn = to_be_sent(&bench).await;
    bench.desk().reads.push_back(Err(unavailable()));
    assert!(matches!(record(&mut turn).await.unwrap(), Reach::Down(_)));
    assert_eq!(bench.desk().writes.len(), 0);
    assert_eq!(committed(&bench, PostingKind::DocumentPayment).await.state, ready());
}

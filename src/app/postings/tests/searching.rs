//! What a search moves, and how far back it goes.

use chrono::{Days, TimeDelta};
use rstest::rstest;

use crate::app::postings::{Reach, record};
use crate::app::tests::bench::{
    Bench, WINDOW, at, attempt, committed, credit, payable, posting, ready, unavailable, usd,
};
use crate::app::work::Turn;
use crate::domain::attempt::Attempt;
use crate::domain::credit::{Credit, Target};
use crate::domain::ids::SplynxId;
use crate::domain::payable::{DocumentItem, DocumentKind, Payable};
use crate::domain::posting::{Posting, PostingKind, PostingState, SearchOutcome};
use crate::domain::review::ReviewReason;

fn begun() -> PostingState {
    PostingState::Posting { begun_at: at(0) }
}

fn in_doubt() -> PostingState {
    PostingState::Unknown { begun_at: at(0), first_absent: None, search_at: at(0) }
}

fn found(ids: &[i64]) -> SearchOutcome {
    SearchOutcome::Complete(ids.iter().map(|id| SplynxId::new(*id)).collect())
}

fn incomplete(unavailable: bool) -> SearchOutcome {
    SearchOutcome::Incomplete { why: "page 3".to_owned(), unavailable }
}

/// A top-up whose payment stands like this.
async fn top_up(bench: &Bench, state: PostingState, failures: u32) -> Turn<'_> {
    let credits = vec![credit(1, usd(10_000), Target::Balance)];
    let payment = posting(PostingKind::BalancePayment, state);
    let failed = Attempt { failures, ..attempt(Payable::TopUp, false) };
    bench.turn(failed, credits, vec![Posting { tries: 1, ..payment }]).await
}

#[rstest]
#[case::begun(begun())]
#[case::in_doubt(in_doubt())]
#[tokio::test]
async fn what_splynx_has_is_posted_and_not_sent_again(#[case] state: PostingState) {
    let bench = Bench::new();
    let mut turn = top_up(&bench, state, 2).await;
    bench.desk().found.push_back(found(&[5]));
    assert_eq!(record(&mut turn).await.unwrap(), Reach::Fine);
    let payment = committed(&bench, PostingKind::BalancePayment).await;
    assert_eq!(payment.state, PostingState::Posted { splynx_id: Some(SplynxId::new(5)) });
    assert_eq!(bench.desk().writes.len(), 0);
    assert_eq!(turn.ledger.attempt.failures, 0);
    assert_eq!(bench.reviews().await, []);
}

#[tokio::test]
async fn what_splynx_has_twice_is_told() {
    let bench = Bench::new();
    let mut turn = top_up(&bench, in_doubt(), 0).await;
    bench.desk().found.push_back(found(&[5, 6]));
    record(&mut turn).await.unwrap();
    assert_eq!(bench.reasons().await, [ReviewReason::Duplicate]);
}

#[tokio::test]
async fn it_is_sent_again_only_after_two_searches_a_window_apart() {
    let bench = Bench::new();
    let mut turn = top_up(&bench, in_doubt(), 2).await;
    record(&mut turn).await.unwrap();
    assert_eq!(turn.ledger.attempt.failures, 0, "a search that completes is no failure");
    assert_eq!(turn.ledger.attempt.work_at, Some(at(WINDOW)));
    for (seconds, sent) in [(WINDOW - 1, 0), (WINDOW, 1)] {
        // Whatever the row says of its next search: the window is measured.
        let posting = turn.ledger.postings[0].clone();
        turn.ledger.postings[0] = match posting.state {
            PostingState::Unknown { begun_at, first_absent, .. } => Posting {
                state: PostingState::Unknown { begun_at, first_absent, search_at: at(0) },
                ..posting
            },
            _ => posting,
        };
        bench.clock.set(seconds);
        turn.lease_end = bench.app.clock.monotonic() + std::time::Duration::from_mins(1);
        record(&mut turn).await.unwrap();
        assert_eq!(bench.desk().writes.len(), sent, "after {seconds} s");
    }
    assert!(committed(&bench, PostingKind::BalancePayment).await.is_posted());
}

#[tokio::test]
async fn what_was_found_out_about_one_try_says_nothing_about_the_next() {
    let bench = Bench::new();
    let mut turn = top_up(&bench, in_doubt(), 0).await;
    record(&mut turn).await.unwrap();
    let payment = turn.ledger.postings[0].clone();
    let later = bench.app.clock.monotonic() + std::time::Duration::from_secs(100);
    assert_eq!(bench.app.absences.lasts(&payment, later), TimeDelta::seconds(100));
    bench.desk().found.push_back(found(&[5]));
    bench.clock.set(WINDOW);
    turn.lease_end = later + std::time::Duration::from_secs(1000);
    record(&mut turn).await.unwrap();
    assert_eq!(bench.app.absences.lasts(&payment, later), TimeDelta::zero(), "it is forgotten");
}

#[rstest]
#[case::once(true, 0, false, Reach::Down("page 3".to_owned()), 0, &[], 1)]
#[case::thrice(true, 2, false, Reach::Down("page 3".to_owned()), 0, &[], 3)]
#[case::alone(true, 3, false, Reach::Fine, 60, &[ReviewReason::CannotSearch], 4)]
#[case::with_all_else(true, 9, true, Reach::Down("page 3".to_owned()), 0, &[], 0)]
#[case::not_readable(false, 0, false, Reach::Fine, 60, &[ReviewReason::CannotSearch], 1)]
#[tokio::test]
async fn a_search_that_cannot_complete_moves_nothing(
    #[case] unavailable: bool,
    #[case] failures: u32,
    #[case] is_down: bool,
    #[case] reach: Reach,
    #[case] pause: i64,
    #[case] told: &[ReviewReason],
    #[case] failures_after: u32,
) {
    let bench = Bench::new();
    let mut turn = top_up(&bench, in_doubt(), failures).await;
    bench.desk().is_down = is_down;
    bench.desk().found.push_back(incomplete(unavailable));
    assert_eq!(record(&mut turn).await.unwrap(), reach);
    let doubt = committed(&bench, PostingKind::BalancePayment).await;
    let wanted =
        PostingState::Unknown { begun_at: at(0), first_absent: None, search_at: at(pause) };
    assert_eq!(doubt.state, wanted);
    assert_eq!(turn.ledger.attempt.failures, failures_after);
    assert_eq!(bench.reasons().await, told);
    assert_eq!(bench.desk().writes.len(), 0);
}

#[tokio::test]
async fn nothing_is_sent_that_splynx_has_already() {
    let bench = Bench::new();
    let mut turn = top_up(&bench, ready(), 0).await;
    bench.desk().found.push_back(found(&[5]));
    assert_eq!(record(&mut turn).await.unwrap(), Reach::Fine);
    assert_eq!(bench.desk().writes.len(), 0);
    assert_eq!(bench.reasons().await, [ReviewReason::BooksDiffer]);
}

#[rstest]
#[case::down(true, Reach::Down("Splynx is unavailable: page 3".to_owned()))]
#[case::not_readable(false, Reach::Fine)]
#[tokio::test]
async fn nothing_is_sent_that_could_not_be_searched_for(
    #[case] unavailable: bool,
    #[case] reach: Reach,
) {
    let bench = Bench::new();
    let mut turn = top_up(&bench, ready(), 0).await;
    bench.desk().found.push_back(incomplete(unavailable));
    assert_eq!(record(&mut turn).await.unwrap(), reach);
    assert_eq!(bench.desk().writes.len(), 0);
    let told: &[_] = if unavailable { &[] } else { &[ReviewReason::CannotSearch] };
    assert_eq!(bench.reasons().await, told);
}

/// An invoice whose fee item is in doubt.
async fn item_in_doubt(bench: &Bench) -> Turn<'_> {
    bench.desk().shows(DocumentKind::Invoice, "110.00");
    let credits = vec![credit(1, usd(11_000), Target::Undecided)];
    let item = posting(PostingKind::FeeItem, in_doubt());
    bench.turn(attempt(payable(DocumentKind::Invoice), true), credits, vec![item]).await
}

#[tokio::test]
async fn a_fee_item_is_looked_for_on_the_document() {
    let bench = Bench::new();
    let mut turn = item_in_doubt(&bench).await;
    let line = |id, text: &str| DocumentItem {
        id,
        description: text.to_owned(),
        price: rust_decimal::Decimal::ONE,
    };
    let lines = [line(1, "Internet BP-ours-1 and more"), line(2, "Fee BP-ours-1\n"), line(3, "TV")];
    bench.desk().document.as_mut().unwrap().items.extend(lines);
    record(&mut turn).await.unwrap();
    let item = committed(&bench, PostingKind::FeeItem).await;
    assert_eq!(item.state, PostingState::Posted { splynx_id: Some(SplynxId::new(2)) });
}

#[rstest]
#[case::down(unavailable(), true)]
#[case::not_allowed(crate::app::tests::bench::refused(), false)]
#[tokio::test]
async fn a_document_that_cannot_be_read_says_nothing_about_the_item(
    #[case] error: crate::ports::PeerError,
    #[case] is_down: bool,
) {
    let bench = Bench::new();
    let mut turn = item_in_doubt(&bench).await;
    bench.desk().reads.push_back(Err(error));
    let reach = record(&mut turn).await.unwrap();
    assert_eq!(matches!(reach, Reach::Down(_)), is_down);
    let item = committed(&bench, PostingKind::FeeItem).await;
    assert!(matches!(item.state, PostingState::Unknown { .. }), "{item:?}");
    assert_eq!(bench.reasons().await.is_empty(), is_down);
}

/// Days after the attempt was made: the clock, the first sending, the date written on the payment.
#[rstest]
#[case::since_it_was_made(3, Some(2), 0, 0)]
#[case::by_a_clock_that_was_set_back(-4, None, 0, -4)]
#[case::since_it_was_first_sent(3, Some(-2), 0, -2)]
#[case::by_the_date_on_it(3, None, -6, -6)]
#[tokio::test]
async fn a_search_goes_back_eight_days_before_the_earliest_moment(
    #[case] clock: i64,
    #[case] first_begun: Option<i64>,
    #[case] written: i64,
    #[case] earliest: i64,
) {
    let day = |number: i64| at(number * 86_400);
    let bench = Bench::new();
    let credits =
        vec![Credit { date: day(written).date_naive(), ..credit(1, usd(10_000), Target::Balance) }];
    let payment = Posting {
        first_begun_at: first_begun.map(day),
        ..posting(PostingKind::BalancePayment, begun())
    };
    bench.clock.set(clock * 86_400);
    let mut turn = bench.turn(attempt(Payable::TopUp, false), credits, vec![payment]).await;
    record(&mut turn).await.unwrap();
    let since = day(earliest).date_naive() - Days::new(8);
    let wanted = ("payments", "BP-ours-1".to_owned(), 42, since);
    assert_eq!(bench.desk().searches[0], wanted);
}

//! The posting rules, by tables and by any order of events.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn timing() -> Timing {
    Timing::from_quiescence(TimeDelta::seconds(600))
}

fn posting(kind: PostingKind, state: PostingState) -> Posting {
    Posting {
        id: PostingId::new(at(0), 1),
        attempt: AttemptId::new(at(0), 2),
        credit: Some(CreditKey::parse("BP-x-1").unwrap()),
        kind,
        state,
        body: "{}".to_owned(),
        tries: 1,
        first_begun_at: None,
        last_error: None,
    }
}

fn begun() -> Posting {
    posting(PostingKind::DocumentPayment, PostingState::Posting { begun_at: at(0) })
}

fn unknown() -> Posting {
    begun().ended(WriteOutcome::Unclear { why: "reset".to_owned() }, at(1)).0
}

#[test]
fn a_posting_begins_only_when_it_is_ready_and_due() {
    let ready = posting(PostingKind::DocumentPayment, PostingState::Ready { not_before: at(5) });
    assert_eq!(ready.begin(at(4)), None);
    let begun = ready.begin(at(5)).unwrap();
    assert_eq!(begun.state, PostingState::Posting { begun_at: at(5) });
    assert_eq!((begun.tries, begun.first_begun_at), (2, Some(at(5))));
    for state in [begun.state, unknown().state, PostingState::Dropped] {
        assert_eq!(posting(PostingKind::DocumentPayment, state).begin(at(99)), None);
    }
}

#[rstest]
#[case(NotExecuted::Unreachable { why: "refused".to_owned() }, 2, None)]
#[case(NotExecuted::Throttled { wait: TimeDelta::seconds(33) }, 33, None)]
#[case(NotExecuted::Refused { sentence: "no".to_owned() }, 3600, Some(ReviewReason::Refused))]
fn what_was_surely_not_executed_is_tried_again_later(
    #[case] why: NotExecuted,
    #[case] pause: i64,
    #[case] review: Option<ReviewReason>,
) {
    let (after, note) = begun().ended(WriteOutcome::NotExecuted(why), at(10));
    assert_eq!(after.state, PostingState::Ready { not_before: at(10 + pause) });
    assert_eq!(note.map(|note| note.reason), review);
}

#[test]
fn a_refused_fee_holds_nothing_up_and_a_person_is_told() {
    let fee = posting(PostingKind::FeeItem, PostingState::Posting { begun_at: at(0) });
    let refused = NotExecuted::Refused { sentence: "no".to_owned() };
    let (after, note) = fee.ended(WriteOutcome::NotExecuted(refused), at(1));
    assert_eq!(after.state, PostingState::Dropped);
    assert_eq!(note.unwrap().reason, ReviewReason::FeeRefused);
}

#[test]
fn a_posting_somebody_left_behind_is_unknown() {
    assert!(matches!(begun().orphaned().state, PostingState::Unknown { .. }));
    let ready = posting(PostingKind::FeeDebit, PostingState::Ready { not_before: at(0) });
    assert_eq!(ready.orphaned(), ready);
}

#[test]
fn absence_needs_two_complete_searches_a_quiescence_window_apart() {
    let nothing = || SearchOutcome::Complete(vec![]);
    let for_so_long = TimeDelta::seconds;
    let (first, _) = unknown().searched(nothing(), at(10), TimeDelta::zero(), timing());
    let waiting =
        PostingState::Unknown { begun_at: at(0), first_absent: Some(at(10)), search_at: at(610) };
    assert_eq!(first.state, waiting);
    let (early, _) = first.searched(nothing(), at(609), for_so_long(599), timing());
    assert_eq!(early.state, waiting);
    let (late, _) = early.searched(nothing(), at(610), for_so_long(600), timing());
    assert_eq!(late.state, PostingState::Ready { not_before: at(610) });
}

#[test]
fn a_clock_on_the_wall_that_jumps_neither_shortens_the_window_nor_makes_it_endless() {
    let nothing = || SearchOutcome::Complete(vec![]);
    let day = 86_400;
    let (first, _) = unknown().searched(nothing(), at(10), TimeDelta::zero(), timing());
    let (ahead, _) = first.searched(nothing(), at(day), TimeDelta::seconds(5), timing());
    assert!(matches!(
        ahead.state,
        PostingState::Unknown { search_at, .. } if search_at == at(day + 595)
    ));
    // Another process, or the same after a restart, has seen nothing yet.
    let (other, _) = first.searched(nothing(), at(700), TimeDelta::zero(), timing());
    assert!(matches!(
        other.state,
        PostingState::Unknown { search_at, .. } if search_at == at(1300)
    ));
    let (back, _) = ahead.searched(nothing(), at(-day), TimeDelta::seconds(600), timing());
    assert_eq!(back.state, PostingState::Ready { not_before: at(-day) });
}

#[test]
fn a_search_that_cannot_complete_proves_nothing() {
    let cannot = |unavailable| SearchOutcome::Incomplete { why: String::new(), unavailable };
    let (silent, note) = unknown().searched(cannot(true), at(10_000), TimeDelta::days(1), timing());
    assert!(matches!(silent.state, PostingState::Unknown { first_absent: None, .. }));
    assert_eq!(note, None);
    let (_, note) = unknown().searched(cannot(false), at(10_000), TimeDelta::days(1), timing());
    assert_eq!(note.unwrap().reason, ReviewReason::CannotSearch);
}

#[test]
fn one_hit_is_posted_and_two_are_a_duplicate() {
    let ids =
        |ids: &[i64]| SearchOutcome::Complete(ids.iter().copied().map(SplynxId::new).collect());
    let (one, note) = unknown().searched(ids(&[7]), at(10), TimeDelta::zero(), timing());
    assert_eq!(one.state, PostingState::Posted { splynx_id: Some(SplynxId::new(7)) });
    assert_eq!(note, None);
    let (two, note) = unknown().searched(ids(&[7, 8]), at(10), TimeDelta::zero(), timing());
    assert!(matches!(two.state, PostingState::Duplicate { .. }));
    let note = note.unwrap();
    assert_eq!(note.reason, ReviewReason::Duplicate);
    assert_eq!(note.words, "Splynx has 2 rows with the key BP-x-1: 7, 8.");
}

fn ready() -> Posting {
    posting(PostingKind::BalancePayment, PostingState::Ready { not_before: at(0) })
}

#[test]
fn what_splynx_does_not_have_is_sent() {
    assert_eq!(ready().looked_up(SearchOutcome::Complete(vec![]), at(1)), None);
}

#[test]
fn what_splynx_has_although_it_was_never_sent_is_not_sent_and_a_person_is_told() {
    let found = SearchOutcome::Complete(vec![SplynxId::new(7)]);
    let (after, note) = ready().looked_up(found, at(1)).unwrap();
    assert_eq!(after.state, PostingState::Posted { splynx_id: Some(SplynxId::new(7)) });
    let note = note.unwrap();
    assert_eq!(note.reason, ReviewReason::BooksDiffer);
    assert!(note.words.contains("row 7"), "{}", note.words);
}

#[test]
fn what_arrived_after_all_is_no_surprise() {
    let found = SearchOutcome::Complete(vec![SplynxId::new(7)]);
    let sent_before = Posting { first_begun_at: Some(at(0)), ..ready() };
    let (after, note) = sent_before.looked_up(found, at(1)).unwrap();
    assert!(after.is_posted());
    assert_eq!(note, None);
}

#[test]
fn two_rows_found_before_sending_are_a_duplicate() {
    let found = SearchOutcome::Complete(vec![SplynxId::new(7), SplynxId::new(8)]);
    let (after, note) = ready().looked_up(found, at(1)).unwrap();
    assert!(matches!(after.state, PostingState::Duplicate { .. }));
    assert_eq!(note.unwrap().reason, ReviewReason::Duplicate);
}

#[rstest]
#[case(true, None)]
#[case(false, Some(ReviewReason::CannotSearch))]
fn without_a_complete_look_nothing_is_sent(
    #[case] unavailable: bool,
    #[case] told: Option<ReviewReason>,
) {
    let found = SearchOutcome::Incomplete { why: "why".to_owned(), unavailable };
    let (after, note) = ready().looked_up(found, at(1)).unwrap();
    assert_eq!(after.state, PostingState::Ready { not_before: at(61) });
    assert_eq!(note.map(|note| note.reason), told);
}

#[rstest]
#[case(1, 2, None)]
#[case(2, 4, None)]
#[case(3, 3600, Some(ReviewReason::NotMarkedPaid))]
fn a_status_that_cannot_be_set_lets_others_pass_and_is_told(
    #[case] tries: u32,
    #[case] pause: i64,
    #[case] told: Option<ReviewReason>,
) {
    let state = PostingState::Posting { begun_at: at(0) };
    let status = Posting { tries, ..posting(PostingKind::DocumentStatus, state) };
    let (after, note) = status.ended(WriteOutcome::Unclear { why: "500".to_owned() }, at(1));
    assert_eq!(after.work_at(), Some(at(1 + pause)));
    assert_eq!(note.map(|note| note.reason), told);
}

#[rstest]
#[case(PostingKind::BalancePayment, 2, false, None)]
#[case(PostingKind::BalancePayment, 3, false, Some(ReviewReason::Refused))]
#[case(PostingKind::FeeItem, 2, false, None)]
#[case(PostingKind::FeeItem, 3, true, Some(ReviewReason::FeeRefused))]
fn what_never_gets_an_answer_is_told_and_a_fee_is_given_up(
    #[case] kind: PostingKind,
    #[case] tries: u32,
    #[case] dropped: bool,
    #[case] told: Option<ReviewReason>,
) {
    let twice =
        PostingState::Unknown { begun_at: at(0), first_absent: Some(at(10)), search_at: at(610) };
    let lost = Posting { tries, ..posting(kind, twice) };
    let (after, note) =
        lost.searched(SearchOutcome::Complete(vec![]), at(610), TimeDelta::seconds(600), timing());
    let ready = PostingState::Ready { not_before: at(610) };
    assert_eq!(after.state, if dropped { PostingState::Dropped } else { ready });
    assert_eq!(note.map(|note| note.reason), told);
}

#[derive(Debug, Clone)]
enum Event {
    Begin,
    Ended(WriteOutcome),
    Searched(SearchOutcome),
    Orphaned,
}

fn any_event() -> impl Strategy<Value = Event> {
    prop::sample::select(vec![
        Event::Begin,
        Event::Orphaned,
        Event::Ended(WriteOutcome::Unclear { why: String::new() }),
        Event::Ended(WriteOutcome::NotExecuted(NotExecuted::Unreachable { why: String::new() })),
        Event::Searched(SearchOutcome::Complete(vec![])),
        Event::Searched(SearchOutcome::Incomplete { why: String::new(), unavailable: true }),
    ])
}

proptest! {
    /// The heart of the matter: between an unclear sending and the next one lie two complete empty searches, at
    /// least a quiescence window apart.
    #[test]
    fn nothing_is_sent_again_without_proof_of_absence(
        events in prop::collection::vec((any_event(), 1_i64..400), 0..60)
    ) {
        let mut it = posting(PostingKind::BalancePayment, PostingState::Ready { not_before: at(0) });
        let mut now = 0;
        let mut in_doubt = false;
        let mut absences: Vec<i64> = Vec::new();
        for (event, pause) in events {
            now += pause;
            match event {
                Event::Begin => if let Some(begun) = it.begin(at(now)) {
                    let proven = absences.last().zip(absences.first()).is_some_and(|(l, f)| l - f >= 600);
                    prop_assert!(!in_doubt || proven, "sent again at {now} after {absences:?}");
                    it = begun;
                    in_doubt = false;
                    absences.clear();
                },
                Event::Orphaned => {
                    in_doubt |= matches!(it.state, PostingState::Posting { .. });
                    it = it.orphaned();
                }
                Event::Ended(outcome) => {
                    in_doubt |= matches!(it.state, PostingState::Posting { .. })
                        && matches!(outcome, WriteOutcome::Unclear { .. });
                    it = it.ended(outcome, at(now)).0;
                }
                Event::Searched(found) => {
                    if matches!(it.state, PostingState::Unknown { .. })
                        && matches!(found, SearchOutcome::Complete(_)) {
                        absences.push(now);
                    }
                    let absent_for = absences.first().map_or(0, |first| now - first);
                    let absent_for = TimeDelta::seconds(absent_for);
                    it = it.searched(found, at(now), absent_for, timing()).0;
                }
            }
        }
    }
}

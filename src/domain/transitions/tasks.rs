//! What is next for one posting, by its state and time; and the three times that keep it from being sent twice.

use chrono::TimeDelta;

use super::samples::{at, credit, posting};
use crate::domain::credit::Target;
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::domain::recording::{Task, next_task};
use crate::domain::schedule::Timing;

fn next(state: PostingState, seconds: i64) -> Task {
    let it: Posting = posting(PostingKind::BalancePayment, state);
    next_task(&[credit(1, Target::Balance)], &[it], at(seconds))
}

#[test]
fn what_is_unknown_is_searched_for_when_its_time_has_come_and_not_before() {
    let unknown =
        || PostingState::Unknown { begun_at: at(0), first_absent: Some(at(1)), search_at: at(601) };
    let id = posting(PostingKind::BalancePayment, unknown()).id;
    assert_eq!(next(unknown(), 600), Task::WaitUntil(at(601)));
    assert_eq!(next(unknown(), 601), Task::Search(id));
    assert_eq!(next(unknown(), 602), Task::Search(id));
}

#[test]
fn what_is_ready_is_sent_when_its_time_has_come_and_not_before() {
    let ready = || PostingState::Ready { not_before: at(9) };
    let id = posting(PostingKind::BalancePayment, ready()).id;
    assert_eq!(next(ready(), 8), Task::WaitUntil(at(9)));
    assert_eq!(next(ready(), 9), Task::Send(id));
    assert_eq!(next(PostingState::Posting { begun_at: at(8) }, 9), Task::Search(id));
    assert_eq!(next(PostingState::Dropped, 9), Task::Nothing);
}

#[test]
fn the_three_times_are_those_of_the_design_and_shrink_with_the_window() {
    let times = |seconds| {
        let timing = Timing::from_quiescence(TimeDelta::seconds(seconds));
        [timing.request_timeout, timing.lease, timing.quiescence].map(|it| it.num_milliseconds())
    };
    assert_eq!(times(600), [15_000, 60_000, 600_000]);
    assert_eq!(times(5), [2_000, 4_000, 5_000]);
    assert_eq!(times(0), [200, 400, 500]);
}

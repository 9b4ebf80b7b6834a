//! Every word the page can use has a text, and every state of a posting is shown.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rstest::rstest;

use super::standing;
use super::timeline::{KNOWN, OTHER, TimelineLine};
use crate::domain::credit::Target;
use crate::domain::ids::SplynxId;
use crate::domain::posting::{PostingKind, PostingState};
use crate::domain::review::ReviewReason;
use crate::views::texts::languages;

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn has_words(prefix: &str, codes: &[&str]) {
    for language in languages() {
        let words = codes.iter().map(|code| {
            let key = format!("{prefix}{code}");
            language.text(&key).unwrap_or_else(|| panic!("{language} lacks {key}"))
        });
        let words: BTreeSet<String> = words.collect();
        assert_eq!(words.len(), codes.len(), "{language}: two of {prefix} share their words");
    }
}

#[test]
fn every_code_has_words_of_its_own_in_every_language() {
    has_words("posting-kind-", &PostingKind::ALL.map(PostingKind::code));
    has_words("review-reason-", &ReviewReason::ALL.map(ReviewReason::code));
    let targets = [Target::Undecided, Target::Document, Target::Balance].map(Target::code);
    has_words("credit-target-", &targets);
    has_words("review-next-", &ReviewReason::ALL.map(ReviewReason::code));
    has_words("journal-what-", &KNOWN);
    has_words("journal-what-", &[OTHER]);
}

#[test]
fn a_row_that_nobody_knows_is_shown_all_the_same() {
    let line = TimelineLine::of(&(at(), "admin 1", "chain_broken", "words"));
    assert_eq!((line.what, line.words.as_str()), (OTHER, "chain_broken: words"));
    assert!(line.is_by_person);
    let line = TimelineLine::of(&(at(), "splynx-bitpay", "order", "words"));
    assert_eq!((line.what, line.words.as_str()), ("order", "words"));
    assert!(!line.is_by_person);
}

#[rstest]
#[case(PostingState::Ready { not_before: at() }, "ready", true, "")]
#[case(PostingState::Posting { begun_at: at() }, "posting", false, "")]
#[case(
    PostingState::Unknown { begun_at: at(), first_absent: None, search_at: at() },
    "unknown", true, ""
)]
#[case(PostingState::Posted { splynx_id: Some(SplynxId::new(7)) }, "posted", false, "7")]
#[case(PostingState::Posted { splynx_id: None }, "posted", false, "")]
#[case(
    PostingState::Duplicate { splynx_ids: vec![SplynxId::new(7), SplynxId::new(8)] },
    "duplicate", false, "7, 8"
)]
#[case(PostingState::Dropped, "dropped", false, "")]
fn a_posting_shows_where_it_stands(
    #[case] state: PostingState,
    #[case] word: &str,
    #[case] has_next: bool,
    #[case] splynx: &str,
) {
    let (found, next, ids) = standing(&state);
    assert_eq!((found, next.is_some(), ids.as_str()), (word, has_next, splynx));
    has_words("posting-state-", &[found]);
}

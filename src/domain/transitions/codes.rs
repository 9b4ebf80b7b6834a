//! The words in the database: they are read back by later versions, so they never change.

use crate::domain::attempt::State;
use crate::domain::connection::{ConnectionStatus, Environment, ProcessorKind};
use crate::domain::credit::{ByHand, Target};
use crate::domain::posting::PostingKind;
use crate::domain::review::ReviewReason;
use crate::domain::rules::{StatementGroup, TransactionSpeed};

#[test]
fn the_words_of_states_never_change() {
    let words =
        ["opening", "awaiting_payment", "confirming", "settled", "recorded", "expired", "refused"];
    assert_eq!(State::ALL.map(State::code), words);
    assert_eq!(words.map(State::from_code), State::ALL.map(Some));
    assert_eq!(State::from_code("Settled"), None);
}

#[test]
fn the_words_of_postings_never_change() {
    let words = [
        "fee_item",
        "document_payment",
        "balance_payment",
        "fee_debit",
        "document_status",
        "statement_record",
    ];
    assert_eq!(PostingKind::ALL.map(PostingKind::code), words);
    assert_eq!(words.map(PostingKind::from_code), PostingKind::ALL.map(Some));
    assert_eq!(PostingKind::from_code(""), None);
    let payments = PostingKind::ALL.map(PostingKind::is_payment);
    assert_eq!(payments, [false, true, true, false, false, false]);
}

#[test]
fn every_reason_is_read_back_from_its_own_word() {
    let mut words = ReviewReason::ALL.map(ReviewReason::code).to_vec();
    assert_eq!(
        words.iter().map(|word| ReviewReason::from_code(word)).collect::<Vec<_>>(),
        ReviewReason::ALL.map(Some)
    );
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), ReviewReason::ALL.len(), "two reasons have one word");
    assert!(words.iter().all(|word| word.len() > 3), "{words:?}");
    assert_eq!(ReviewReason::from_code("nonsense"), None);
}

#[test]
fn the_words_of_credits_and_connections_never_change() {
    let targets = [Target::Undecided, Target::Document, Target::Balance];
    assert_eq!(targets.map(Target::code), ["undecided", "document", "balance"]);
    assert_eq!(ByHand::ALL.map(ByHand::code), [0, 1, 2]);
    let environments = [Environment::Production, Environment::Test];
    assert_eq!(environments.map(Environment::code), ["production", "test"]);
    let statuses = [
        ConnectionStatus::Pairing,
        ConnectionStatus::Active,
        ConnectionStatus::Retired,
        ConnectionStatus::Erased,
        ConnectionStatus::Failed,
    ];
    let words = ["pairing", "active", "retired", "erased", "failed"];
    assert_eq!(statuses.map(ConnectionStatus::code), words);
    assert_eq!(ProcessorKind::BitPay.code(), "bitpay");
    assert_eq!(ProcessorKind::BitPay.credit_prefix(), "BP");
}

#[test]
fn the_words_of_settings_never_change() {
    let speeds = [TransactionSpeed::Low, TransactionSpeed::Medium, TransactionSpeed::High];
    assert_eq!(speeds.map(TransactionSpeed::code), ["low", "medium", "high"]);
    let groups = [StatementGroup::Month, StatementGroup::Day];
    assert_eq!(groups.map(StatementGroup::code), ["month", "day"]);
}

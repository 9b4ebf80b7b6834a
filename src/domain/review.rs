//! A person must look: a row beside the attempt, with the reason in words.
//!
//! **Invariant:** opening the same review twice is opening it once (one open review per attempt and reason), also when
//! a person has closed it in between.

use chrono::{DateTime, TimeDelta, Utc};

use super::ids::{AttemptId, ReviewId};

/// Why a person must look. The code is stored; the words are written in the moment, with the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReviewReason {
    /// The processor's answer is not about our invoice: id, order id, price, currency or connection differ.
    NotOurInvoice,
    /// The processor took back what we have credited: invalid, declined or refunded after the credit.
    TakenBack,
    /// The settled amount is below what we credited.
    LessThanCredited,
    /// Two rows in Splynx carry one key.
    Duplicate,
    /// Splynx refused a posting; it is tried again hourly.
    Refused,
    /// Whether Splynx executed a posting could not be found out: the search cannot complete.
    CannotSearch,
    /// Splynx refused the fee; the payment went through without it.
    FeeRefused,
    /// The money could not go on the document it was meant for and went to the balance.
    DocumentChanged,
    /// The payment is in Splynx, but the document does not show as paid.
    NotMarkedPaid,
    /// The attempt's currency is no longer the configured one.
    CurrencyChanged,
    /// Paid in part, in excess, late or without final confirmation: the processor handles the difference itself.
    PaidInexactly,
    /// Reconcile found that the processor, our books and Splynx do not agree about this attempt.
    BooksDiffer,
    /// The connection of an open attempt is refused by the processor.
    ConnectionDead,
}

impl ReviewReason {
    /// Every reason there is.
    pub const ALL: [Self; 13] = [
        Self::NotOurInvoice,
        Self::TakenBack,
        Self::LessThanCredited,
        Self::Duplicate,
        Self::Refused,
        Self::CannotSearch,
        Self::FeeRefused,
        Self::DocumentChanged,
        Self::NotMarkedPaid,
        Self::CurrencyChanged,
        Self::PaidInexactly,
        Self::BooksDiffer,
        Self::ConnectionDead,
    ];

    /// The word in the database, in metrics and on the command line.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotOurInvoice => "not_our_invoice",
            Self::TakenBack => "taken_back",
            Self::LessThanCredited => "less_than_credited",
            Self::Duplicate => "duplicate",
            Self::Refused => "refused",
            Self::CannotSearch => "cannot_search",
            Self::FeeRefused => "fee_refused",
            Self::DocumentChanged => "document_changed",
            Self::NotMarkedPaid => "not_marked_paid",
            Self::CurrencyChanged => "currency_changed",
            Self::PaidInexactly => "paid_inexactly",
            Self::BooksDiffer => "books_differ",
            Self::ConnectionDead => "connection_dead",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// What a pure step wants a person to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewNote {
    /// Why.
    pub reason: ReviewReason,
    /// The same in one sentence, with the figures. Never a secret.
    pub words: String,
}

impl ReviewNote {
    /// A note in words.
    #[must_use]
    pub fn new(reason: ReviewReason, words: impl Into<String>) -> Self {
        Self { reason, words: words.into() }
    }
}

/// A stored review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Its name.
    pub id: ReviewId,
    /// The attempt it stands beside.
    pub attempt: AttemptId,
    /// Why.
    pub reason: ReviewReason,
    /// In words.
    pub words: String,
    /// Since when.
    pub opened_at: DateTime<Utc>,
    /// When and by whom it was closed, and their note.
    pub closed: Option<ReviewClosed>,
}

/// How long a closed review of a write that still does not get through stays quiet.
const QUIET: TimeDelta = TimeDelta::days(1);

impl ReviewReason {
    /// Whether money waits outside Splynx as long as the cause lasts.
    #[must_use]
    pub fn holds_money(self) -> bool {
        matches!(self, Self::Refused | Self::CannotSearch | Self::CurrencyChanged)
    }
}

impl Review {
    /// Whether this one, just found, tells more than `last`, the one of the same reason that stands there.
    ///
    /// What a person has read and closed is not told again word by word at every look. Only where money is kept out of
    /// Splynx it is told again a day later.
    #[must_use]
    pub fn is_news_after(&self, last: &Self) -> bool {
        match &last.closed {
            None => false,
            Some(_) if last.words != self.words => true,
            Some(closed) => self.reason.holds_money() && self.opened_at - closed.at >= QUIET,
        }
    }
}

/// How a review ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewClosed {
    /// When.
    pub at: DateTime<Utc>,
    /// Who, as Splynx names them, or `splynx-bitpay` itself.
    pub by: String,
    /// Their words.
    pub note: String,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap() + TimeDelta::hours(hours)
    }

    fn review(reason: ReviewReason, words: &str, hours: i64) -> Review {
        Review {
            id: ReviewId::new(at(hours), 1),
            attempt: AttemptId::new(at(0), 1),
            reason,
            words: words.to_owned(),
            opened_at: at(hours),
            closed: None,
        }
    }

    #[rstest]
    #[case::the_same_observation(ReviewReason::LessThanCredited, "5 of 10", 1, false)]
    #[case::the_same_a_year_later(ReviewReason::LessThanCredited, "5 of 10", 8760, false)]
    #[case::other_figures(ReviewReason::LessThanCredited, "4 of 10", 1, true)]
    #[case::the_next_hourly_try(ReviewReason::Refused, "5 of 10", 23, false)]
    #[case::money_that_still_waits_a_day_later(ReviewReason::Refused, "5 of 10", 24, true)]
    fn what_was_closed_is_told_again_only_when_there_is_news(
        #[case] reason: ReviewReason,
        #[case] words: &str,
        #[case] hours: i64,
        #[case] is_news: bool,
    ) {
        let by = "admin 1".to_owned();
        let closed = Some(ReviewClosed { at: at(0), by, note: "seen".to_owned() });
        let last = Review { closed, ..review(reason, "5 of 10", 0) };
        assert_eq!(review(reason, words, hours).is_news_after(&last), is_news);
    }

    #[test]
    fn nothing_is_news_beside_an_open_review() {
        let open = review(ReviewReason::Refused, "one", 0);
        assert!(!review(ReviewReason::Refused, "two", 99).is_news_after(&open));
    }
}

//! A person must look: a row beside the attempt, with the reason in words.
//!
//! **Invariant:** opening the same review twice is opening it once (one open review per attempt and reason).

use chrono::{DateTime, Utc};

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

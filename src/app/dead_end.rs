//! Why a customer cannot pay this now. Each has its own page with a next step.

use crate::domain::money::{Money, MoneyError};
use crate::domain::payable::{DocumentKind, NotPayable};
use crate::ports::PeerError;
use crate::ports::store::StoreError;

/// Why a customer cannot pay this now.
#[derive(Debug, thiserror::Error)]
pub enum DeadEnd {
    /// The address names no document at all.
    #[error("no document number was given")]
    NoNumber,
    /// Splynx has no document of this kind with this number.
    #[error("there is no document with this number")]
    UnknownDocument(DocumentKind),
    /// It belongs to another customer.
    #[error("the document belongs to another customer")]
    SomeoneElses,
    /// It cannot be paid: paid, pending, deleted, nothing due.
    #[error(transparent)]
    NotPayable(#[from] NotPayable),
    /// The amount to refill is not acceptable.
    #[error(transparent)]
    Amount(#[from] AmountProblem),
    /// No processor is paired.
    #[error("no payment processor is paired")]
    NotPaired,
    /// The processor said no to this invoice.
    #[error("the processor refused: {0}")]
    ProcessorRefused(String),
    /// The processor did not answer. Trying again is safe.
    #[error("the processor did not answer: {0}")]
    ProcessorDown(String),
    /// Splynx did not answer.
    #[error("Splynx did not answer: {0}")]
    SplynxDown(String),
    /// Our own database did not answer. Nothing was begun.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an amount to refill is not acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountProblem {
    /// Not a plain decimal number, or not above zero.
    #[error("this is not an amount")]
    NotAnAmount,
    /// More decimal places than the currency has.
    #[error("more decimal places than the currency has")]
    TooPrecise {
        /// Decimal places of the currency.
        places: u32,
    },
    /// Below the minimum.
    #[error("below the minimum of {minimum}")]
    TooSmall {
        /// The least that is accepted.
        minimum: Money,
    },
    /// Above the maximum.
    #[error("above the maximum of {maximum}")]
    TooLarge {
        /// The most that is accepted.
        maximum: Money,
    },
}

impl From<MoneyError> for DeadEnd {
    fn from(error: MoneyError) -> Self {
        Self::NotPayable(NotPayable::Sum(error))
    }
}

impl DeadEnd {
    /// A failure of Splynx, seen from a customer's page.
    #[must_use]
    pub fn of_splynx(error: &PeerError) -> Self {
        Self::SplynxDown(error.to_string())
    }
}

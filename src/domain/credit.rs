//! One amount of money to be put into Splynx once.
//!
//! **Invariant:** the credits of one processor invoice never sum up to more than what settled there.

use chrono::NaiveDate;

use super::connection::ProcessorKind;
use super::ids::{AttemptId, ConnectionId, CreditKey, InvalidId, ProcessorInvoiceId};
use super::money::{Money, MoneyError};

/// Where a credit goes. Decided when it is recorded, not when it is made (design 4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The document has not been read yet.
    Undecided,
    /// Linked to the document.
    Document,
    /// To the customer's balance.
    Balance,
}

impl Target {
    /// The word in the database.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::Document => "document",
            Self::Balance => "balance",
        }
    }
}

/// What a person did about a credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ByHand {
    /// Nothing: it came and went by the rules.
    Nothing,
    /// They decided where it goes.
    Target,
    /// They made it: it stands for money that no answer of the processor called final.
    Amount,
}

impl ByHand {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Nothing, Self::Target, Self::Amount];

    /// The number in the database.
    #[must_use]
    pub fn code(self) -> i64 {
        match self {
            Self::Nothing => 0,
            Self::Target => 1,
            Self::Amount => 2,
        }
    }
}

/// One amount of money to be put into Splynx once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// Its name in Splynx (`receipt_number`).
    pub key: CreditKey,
    /// The attempt it belongs to.
    pub attempt: AttemptId,
    /// The account the money came through.
    pub connection: ConnectionId,
    /// The processor invoice it settled.
    pub invoice: ProcessorInvoiceId,
    /// 1, 2, … within the processor invoice.
    pub n: u32,
    /// How much.
    pub amount: Money,
    /// Where to.
    pub target: Target,
    /// The day of settlement, in the server's time zone.
    pub date: NaiveDate,
    /// What a person did about it. The add-on does not decide anew what a person did.
    pub by_hand: ByHand,
}

/// The name of the `n`-th credit of a processor invoice: `BP-<id>-<n>`, at most 32 characters.
///
/// # Errors
///
/// [`InvalidId`] when the processor's id is too long for `receipt_number` (facts/splynx 2.3).
pub fn credit_key(
    processor: ProcessorKind,
    invoice: &ProcessorInvoiceId,
    n: u32,
) -> Result<CreditKey, InvalidId> {
    CreditKey::parse(&format!("{}-{invoice}-{n}", processor.credit_prefix()))
}

/// What is to be credited now, when `settled` is final and `credited` was credited before.
///
/// # Errors
///
/// [`MoneyError`] when the currencies differ.
pub fn next_credit(settled: Money, credited: Money) -> Result<Option<Money>, MoneyError> {
    let rest = settled.checked_sub(credited)?;
    Ok(rest.is_positive().then_some(rest))
}

//! What an ISP decided about payments, parsed.
//!
//! **Invariant:** the rules in force are one value; an attempt freezes what it needs of them and never looks again.

use chrono::{Datelike, NaiveDate};

use super::fee::FeeRule;
use super::money::{Currency, Money};

/// When BitPay calls a payment final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionSpeed {
    /// As soon as it is seen.
    High,
    /// After one confirmation.
    Medium,
    /// After six confirmations.
    Low,
}

impl TransactionSpeed {
    /// The word at BitPay and in the configuration.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// How payment statements are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementGroup {
    /// One statement a month.
    Month,
    /// One statement a day.
    Day,
}

impl StatementGroup {
    /// The word in the configuration.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Day => "day",
        }
    }

    /// The statement's title: `Bitpay 10/2018` or `Bitpay 31/10/2018` (facts/splynx 2.5).
    #[must_use]
    pub fn title(self, date: NaiveDate) -> String {
        let month = format!("{:02}/{}", date.month(), date.year());
        match self {
            Self::Month => format!("Bitpay {month}"),
            Self::Day => format!("Bitpay {:02}/{month}", date.day()),
        }
    }
}

/// What an ISP decided about payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRules {
    /// The currency of every document and balance.
    pub currency: Currency,
    /// The Splynx payment method our payments carry.
    pub payment_method_id: i64,
    /// The least a customer may refill.
    pub minimum: Money,
    /// The most a customer may refill.
    pub maximum: Money,
    /// The service fee.
    pub fee: FeeRule,
    /// When BitPay calls a payment final.
    pub transaction_speed: TransactionSpeed,
    /// How payment statements are grouped.
    pub statements: StatementGroup,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_titled_as_the_original_add_on_titled_it() {
        let date = NaiveDate::from_ymd_opt(2018, 10, 31).unwrap();
        assert_eq!(StatementGroup::Month.title(date), "Bitpay 10/2018");
        assert_eq!(StatementGroup::Day.title(date), "Bitpay 31/10/2018");
    }
}

//! What one comparison of the three books came to: the row that is kept for every day.
//!
//! **Invariant:** sums of two currencies never meet.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

/// The sums of one currency, in major units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Final at the processor.
    pub processor: Decimal,
    /// Credited in our books.
    pub ours: Decimal,
    /// Of that, not in Splynx yet and not for long: the worker is at it.
    pub on_the_way: Decimal,
    /// Paid in Splynx under our keys.
    pub splynx: Decimal,
}

impl Sums {
    /// Whether all three say the same, but for what is on the way.
    #[must_use]
    pub fn agree(&self) -> bool {
        self.processor == self.ours && self.ours.checked_sub(self.on_the_way) == Some(self.splynx)
    }
}

/// The row of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The day in the server's time zone.
    pub day: NaiveDate,
    /// When the comparison began.
    pub made_at: DateTime<Utc>,
    /// It compared the attempts made since then.
    pub since: DateTime<Utc>,
    /// Attempts compared.
    pub attempts: u64,
    /// Processor invoices asked about, one by one.
    pub asked: u64,
    /// Processor invoices that the processor listed by itself.
    pub listed: u64,
    /// What did not agree.
    pub findings: u64,
    /// Whether all three books agreed.
    pub agreed: bool,
    /// The sums by currency.
    pub sums: BTreeMap<String, Sums>,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case([5, 5, 0, 5], true)]
    #[case([5, 5, 2, 3], true)]
    #[case([5, 4, 0, 4], false)]
    #[case([5, 5, 0, 3], false)]
    #[case([5, 5, 2, 5], false)]
    fn three_sums_agree_but_for_what_is_on_the_way(#[case] sums: [i64; 4], #[case] agree: bool) {
        let [processor, ours, on_the_way, splynx] = sums.map(Decimal::from);
        assert_eq!(Sums { processor, ours, on_the_way, splynx }.agree(), agree);
    }
}

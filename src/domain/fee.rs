//! The service fee, with the sums of the original add-on (facts/splynx 3.8).
//!
//! **Invariant:** the gross fee is what the customer pays; the price without VAT is derived from it, never the
//! other way round, so that item, invoice total and payment agree.

use rust_decimal::{Decimal, RoundingStrategy};

use super::money::{Money, MoneyError};

/// The fee an ISP asks for, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeRule {
    /// Per cent of the sum to be paid; zero means no fee.
    pub percent: Decimal,
    /// VAT per cent contained in the fee.
    pub vat_percent: Decimal,
    /// The text of the invoice item.
    pub text: String,
    /// The transaction category of a fee on a proforma invoice or a top-up.
    pub category: i64,
}

/// The fee of one attempt, frozen at the click.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fee {
    /// What the customer pays on top, VAT included.
    pub gross: Money,
    /// The same without VAT, in major units with four decimal places, as Splynx items carry it.
    pub net: Decimal,
    /// VAT per cent.
    pub vat_percent: Decimal,
    /// The text of the item or transaction.
    pub text: String,
    /// The transaction category.
    pub category: i64,
}

impl FeeRule {
    /// The fee on `due`, or `None` where none is asked for.
    ///
    /// # Errors
    ///
    /// [`MoneyError::OutOfRange`] when the sum does not fit.
    pub fn on(&self, due: Money) -> Result<Option<Fee>, MoneyError> {
        let hundred = Decimal::ONE_HUNDRED;
        let exact = due
            .to_decimal()
            .checked_mul(self.percent)
            .and_then(|product| product.checked_div(hundred))
            .ok_or(MoneyError::OutOfRange)?;
        let gross = Money::rounded_half_up(exact, due.currency())?;
        if !gross.is_positive() {
            return Ok(None);
        }
        let factor = Decimal::ONE
            .checked_add(self.vat_percent.checked_div(hundred).ok_or(MoneyError::OutOfRange)?)
            .ok_or(MoneyError::OutOfRange)?;
        let net = gross
            .to_decimal()
            .checked_div(factor)
            .ok_or(MoneyError::OutOfRange)?
            .round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero);
        Ok(Some(Fee {
            gross,
            net,
            vat_percent: self.vat_percent,
            text: self.text.clone(),
            category: self.category,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use rstest::rstest;

    use super::super::money::Currency;
    use super::*;

    fn rule(percent: &str, vat: &str) -> FeeRule {
        FeeRule {
            percent: Decimal::from_str(percent).unwrap(),
            vat_percent: Decimal::from_str(vat).unwrap(),
            text: "Bitpay fee".to_owned(),
            category: 5,
        }
    }

    #[rstest]
    #[case("100.00", "10", "2", "10.00", "9.8039")]
    #[case("100.00", "10", "0", "10.00", "10")]
    #[case("51.61", "1.5", "20", "0.77", "0.6417")]
    #[case("0.50", "1", "0", "0.01", "0.01")]
    fn a_fee_has_the_sums_of_the_original_add_on(
        #[case] due: &str,
        #[case] percent: &str,
        #[case] vat: &str,
        #[case] gross: &str,
        #[case] net: &str,
    ) {
        let usd = Currency::parse("USD").unwrap();
        let fee = rule(percent, vat).on(Money::parse(due, usd).unwrap()).unwrap().unwrap();
        assert_eq!(fee.gross, Money::parse(gross, usd).unwrap());
        assert_eq!(fee.net, Decimal::from_str(net).unwrap());
    }

    #[rstest]
    #[case("0")]
    #[case("0.001")]
    fn no_fee_is_made_of_nothing(#[case] percent: &str) {
        let due = Money::parse("1.00", Currency::parse("USD").unwrap()).unwrap();
        assert_eq!(rule(percent, "0").on(due).unwrap(), None);
    }
}

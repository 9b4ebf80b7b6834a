//! Amounts of fiat money.
//!
//! **Invariant:** two amounts of different currencies never meet: every operation on two amounts returns
//! [`MoneyError::CurrencyMismatch`] instead, and no amount is ever rounded silently.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

/// An ISO 4217 currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Reads an ISO 4217 code, in any case.
    ///
    /// # Errors
    ///
    /// [`MoneyError::UnknownCurrency`] for anything else, and for codes without a minor unit such as gold.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        let currency = iso_currency::Currency::from_code(&code.trim().to_ascii_uppercase())
            .filter(|currency| currency.exponent().is_some())
            .ok_or_else(|| MoneyError::UnknownCurrency(code.chars().take(8).collect()))?;
        Ok(Self(currency))
    }

    /// The three-letter code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Decimal places of the minor unit: JPY 0, USD 2, KWD 3.
    #[must_use]
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }

    /// One minor unit, in the whole unit: JPY 1, USD 0.01.
    #[must_use]
    pub fn minor_unit(self) -> Decimal {
        Decimal::new(1, self.exponent())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of money in the smallest unit of its currency.
///
/// Deliberately neither [`Ord`] nor [`std::ops::Add`]: both would have to panic on mixed currencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// An amount of `minor` smallest units (cents).
    #[must_use]
    pub fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// No money.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self::from_minor(0, currency)
    }

    /// Reads the decimal text of a person or an API, as `12.34`.
    ///
    /// # Errors
    ///
    /// Fails rather than rounds when the text has more decimal places than the currency, because a rounded
    /// invoice would never match its payment.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let text = text.trim();
        let plain = !text.is_empty()
            && text.len() <= 24
            && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
        if !plain {
            return Err(MoneyError::NotADecimal);
        }
        let amount = Decimal::from_str(text).map_err(|_| MoneyError::NotADecimal)?;
        Self::exact(amount, currency)
    }

    /// Takes a decimal that already is a whole number of minor units.
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooPrecise`] when it is not, [`MoneyError::OutOfRange`] beyond 64 bits.
    pub fn exact(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let money = Self::rounded(amount, currency, RoundingStrategy::ToZero)?;
        if money.to_decimal() == amount {
            Ok(money)
        } else {
            Err(MoneyError::TooPrecise { places: currency.exponent() })
        }
    }

    /// The smallest whole number of minor units that is not below `amount`: what a customer is charged.
    ///
    /// # Errors
    ///
    /// [`MoneyError::OutOfRange`] beyond 64 bits.
    pub fn rounded_up(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        Self::rounded(amount, currency, RoundingStrategy::ToPositiveInfinity)
    }

    /// The largest whole number of minor units that is not above `amount`: what a customer is credited.
    ///
    /// # Errors
    ///
    /// [`MoneyError::OutOfRange`] beyond 64 bits.
    pub fn rounded_down(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        Self::rounded(amount, currency, RoundingStrategy::ToNegativeInfinity)
    }

    /// The nearest whole number of minor units, halves away from zero: how invoices round a percentage.
    ///
    /// # Errors
    ///
    /// [`MoneyError::OutOfRange`] beyond 64 bits.
    pub fn rounded_half_up(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        Self::rounded(amount, currency, RoundingStrategy::MidpointAwayFromZero)
    }

    fn rounded(
        amount: Decimal,
        currency: Currency,
        strategy: RoundingStrategy,
    ) -> Result<Self, MoneyError> {
        let minor = amount
            .checked_mul(scale(currency))
            .and_then(|scaled| scaled.round_dp_with_strategy(0, strategy).to_i64())
            .ok_or(MoneyError::OutOfRange)?;
        Ok(Self { minor, currency })
    }

    /// The amount in minor units.
    #[must_use]
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// The amount in major units, with the currency's decimal places.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.minor, self.currency.exponent())
    }

    /// The amount in major units as text, `51.61`, without the currency.
    #[must_use]
    pub fn amount_text(self) -> String {
        self.to_decimal().to_string()
    }

    /// Whether there is any money here.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Whether this is exactly nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::OutOfRange`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { minor, currency: self.currency })
    }

    /// The difference of two amounts of one currency; may be negative.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::OutOfRange`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { minor, currency: self.currency })
    }

    /// How two amounts of one currency compare.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`].
    pub fn compare(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_decimal(), self.currency)
    }
}

fn scale(currency: Currency) -> Decimal {
    Decimal::from(10_u64.pow(currency.exponent()))
}

/// Why an amount could not be read or computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a plain decimal number.
    #[error("this is not an amount")]
    NotADecimal,
    /// More decimal places than the currency has.
    #[error("this amount has more than {places} decimal places")]
    TooPrecise {
        /// Decimal places of the currency.
        places: u32,
    },
    /// Beyond what 64 bits of minor units hold.
    #[error("this amount is too large")]
    OutOfRange,
    /// Not an ISO 4217 code.
    #[error("`{0}` is not an ISO 4217 currency")]
    UnknownCurrency(String),
    /// Two currencies met.
    #[error("{left} and {right} cannot be put together")]
    CurrencyMismatch {
        /// Currency of the left amount.
        left: Currency,
        /// Currency of the right amount.
        right: Currency,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn usd(text: &str) -> Money {
        Money::parse(text, Currency::parse("USD").unwrap()).unwrap()
    }

    #[rstest]
    #[case("USD", "51.61", 5161)]
    #[case("usd", "51.6100", 5161)]
    #[case("JPY", "500", 500)]
    #[case("KWD", "1.005", 1005)]
    #[case("USD", "-3", -300)]
    #[case("USD", " 10 ", 1000)]
    fn a_plain_decimal_is_read_exactly(#[case] code: &str, #[case] text: &str, #[case] minor: i64) {
        let currency = Currency::parse(code).unwrap();
        assert_eq!(Money::parse(text, currency).unwrap().minor(), minor);
    }

    #[rstest]
    #[case("", MoneyError::NotADecimal)]
    #[case("1e5", MoneyError::NotADecimal)]
    #[case("1,50", MoneyError::NotADecimal)]
    #[case("+1", MoneyError::NotADecimal)]
    #[case("٣", MoneyError::NotADecimal)]
    #[case("1.2.3", MoneyError::NotADecimal)]
    #[case("1_000", MoneyError::NotADecimal)]
    #[case("0.001", MoneyError::TooPrecise { places: 2 })]
    #[case("999999999999999999999", MoneyError::OutOfRange)]
    #[case("9999999999999999999999999", MoneyError::NotADecimal)]
    fn anything_else_is_refused(#[case] text: &str, #[case] error: MoneyError) {
        assert_eq!(Money::parse(text, Currency::parse("USD").unwrap()), Err(error));
    }

    #[rstest]
    #[case("XXX")]
    #[case("BTC")]
    #[case("")]
    #[case("DOLLARS")]
    fn a_code_that_is_no_spendable_currency_is_refused(#[case] code: &str) {
        assert!(matches!(Currency::parse(code), Err(MoneyError::UnknownCurrency(_))));
    }

    #[test]
    fn a_charge_rounds_up_and_a_credit_rounds_down() {
        let currency = Currency::parse("USD").unwrap();
        let amount = Decimal::from_str("10.0001").unwrap();
        assert_eq!(Money::rounded_up(amount, currency).unwrap(), usd("10.01"));
        assert_eq!(Money::rounded_down(amount, currency).unwrap(), usd("10"));
    }

    #[test]
    fn nothing_is_neither_more_nor_less() {
        for (text, zero, positive) in
            [("0", true, false), ("0.01", false, true), ("-0.01", false, false)]
        {
            assert_eq!((usd(text).is_zero(), usd(text).is_positive()), (zero, positive), "{text}");
        }
    }

    #[test]
    fn two_currencies_never_meet() {
        let yen = Money::from_minor(5, Currency::parse("JPY").unwrap());
        assert!(matches!(usd("1").checked_add(yen), Err(MoneyError::CurrencyMismatch { .. })));
        assert!(matches!(usd("1").checked_sub(yen), Err(MoneyError::CurrencyMismatch { .. })));
        assert!(matches!(usd("1").compare(yen), Err(MoneyError::CurrencyMismatch { .. })));
    }

    proptest! {
        #[test]
        fn a_shown_amount_parses_back(minor in any::<i64>(), code in prop::sample::select(vec!["USD", "JPY", "KWD"])) {
            let money = Money::from_minor(minor, Currency::parse(code).unwrap());
            prop_assert_eq!(Money::parse(&money.amount_text(), money.currency()).unwrap(), money);
        }
    }
}

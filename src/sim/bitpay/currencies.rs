//! The currencies the simulated BitPay prices in and is paid in, with fixed rates.
//!
//! **Invariant:** no float: amounts are exact decimals, and a quote is always rounded up, in BitPay's favour.

use rust_decimal::{Decimal, RoundingStrategy};

/// A currency a merchant may price an invoice in (ISO 4217).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fiat {
    /// The ISO 4217 code.
    pub code: &'static str,
    /// The English name.
    pub name: &'static str,
    /// The sign printed before an amount.
    pub symbol: &'static str,
    /// How many decimals a price may have.
    pub precision: u32,
    /// Units of this currency for one US dollar.
    pub per_usd: Decimal,
}

/// A currency a shopper may pay in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Coin {
    /// The code BitPay uses in `paymentTotals`.
    pub code: &'static str,
    /// The English name.
    pub name: &'static str,
    /// Decimals of the smallest unit: 8 for satoshi, 18 for wei.
    pub decimals: u32,
    /// Decimals a total is rounded up to.
    pub shown: u32,
    /// US dollars for one coin.
    pub usd: Decimal,
    /// The chain a payment moves on.
    pub chain: &'static str,
    /// The scheme of the payment link.
    pub scheme: &'static str,
    /// The network fee the shopper pays on top, in the shown decimals.
    pub network_fee: Decimal,
}

const fn fiat(
    code: &'static str,
    name: &'static str,
    symbol: &'static str,
    precision: u32,
    per_usd: Decimal,
) -> Fiat {
    Fiat { code, name, symbol, precision, per_usd }
}

/// All price currencies. The rates are invented but of the right size.
pub(super) const FIATS: [Fiat; 24] = [
    fiat("USD", "US Dollar", "$", 2, Decimal::from_parts(1, 0, 0, false, 0)),
    fiat("EUR", "Eurozone Euro", "€", 2, Decimal::from_parts(8218, 0, 0, false, 4)),
    fiat("GBP", "Pound Sterling", "£", 2, Decimal::from_parts(7072, 0, 0, false, 4)),
    fiat("AUD", "Australian Dollar", "$", 2, Decimal::from_parts(12760, 0, 0, false, 4)),
    fiat("BGN", "Bulgarian Lev", "лв", 2, Decimal::from_parts(16074, 0, 0, false, 4)),
    fiat("BRL", "Brazilian Real", "R$", 2, Decimal::from_parts(52250, 0, 0, false, 4)),
    fiat("CAD", "Canadian Dollar", "$", 2, Decimal::from_parts(12106, 0, 0, false, 4)),
    fiat("CHF", "Swiss Franc", "CHF", 2, Decimal::from_parts(9021, 0, 0, false, 4)),
    fiat("CZK", "Czech Koruna", "Kč", 2, Decimal::from_parts(210_550, 0, 0, false, 4)),
    fiat("DKK", "Danish Krone", "kr", 2, Decimal::from_parts(61105, 0, 0, false, 4)),
    fiat("HUF", "Hungarian Forint", "Ft", 2, Decimal::from_parts(2_942_100, 0, 0, false, 4)),
    fiat("INR", "Indian Rupee", "₹", 2, Decimal::from_parts(733_200, 0, 0, false, 4)),
    fiat("JPY", "Japanese Yen", "¥", 0, Decimal::from_parts(1_086_500, 0, 0, false, 4)),
    fiat("KES", "Kenyan Shilling", "KSh", 2, Decimal::from_parts(1_069_500, 0, 0, false, 4)),
    fiat("KWD", "Kuwaiti Dinar", "د.ك", 3, Decimal::from_parts(3009, 0, 0, false, 4)),
    fiat("MXN", "Mexican Peso", "$", 2, Decimal::from_parts(198_700, 0, 0, false, 4)),
    fiat("NGN", "Nigerian Naira", "₦", 2, Decimal::from_parts(4_115_000, 0, 0, false, 4)),
    fiat("NOK", "Norwegian Krone", "kr", 2, Decimal::from_parts(82_760, 0, 0, false, 4)),
    fiat("NZD", "New Zealand Dollar", "$", 2, Decimal::from_parts(13_760, 0, 0, false, 4)),
    fiat("PLN", "Polish Zloty", "zł", 2, Decimal::from_parts(37_260, 0, 0, false, 4)),
    fiat("RON", "Romanian Leu", "lei", 2, Decimal::from_parts(40_490, 0, 0, false, 4)),
    fiat("SEK", "Swedish Krona", "kr", 2, Decimal::from_parts(83_240, 0, 0, false, 4)),
    fiat("UAH", "Ukrainian Hryvnia", "₴", 2, Decimal::from_parts(276_400, 0, 0, false, 4)),
    fiat("ZAR", "South African Rand", "R", 2, Decimal::from_parts(140_650, 0, 0, false, 4)),
];

/// All payment currencies. SHIB is here because its totals pass 1e21, where BitPay's JSON turns to exponents.
pub(super) const COINS: [Coin; 8] = [
    Coin {
        code: "BTC",
        name: "Bitcoin",
        decimals: 8,
        shown: 8,
        usd: Decimal::from_parts(3_874_001_783, 12, 0, false, 6),
        chain: "BTC",
        scheme: "bitcoin",
        network_fee: Decimal::from_parts(11_600, 0, 0, false, 8),
    },
    Coin {
        code: "BCH",
        name: "Bitcoin Cash",
        decimals: 8,
        shown: 6,
        usd: Decimal::from_parts(133_145, 0, 0, false, 2),
        chain: "BCH",
        scheme: "bitcoincash",
        network_fee: Decimal::ZERO,
    },
    Coin {
        code: "ETH",
        name: "Ethereum",
        decimals: 18,
        shown: 6,
        usd: Decimal::from_parts(398_429, 0, 0, false, 2),
        chain: "ETH",
        scheme: "ethereum",
        network_fee: Decimal::ZERO,
    },
    Coin {
        code: "LTC",
        name: "Litecoin",
        decimals: 8,
        shown: 6,
        usd: Decimal::from_parts(37_610, 0, 0, false, 2),
        chain: "LTC",
        scheme: "litecoin",
        network_fee: Decimal::ZERO,
    },
    Coin {
        code: "DOGE",
        name: "Dogecoin",
        decimals: 8,
        shown: 6,
        usd: Decimal::from_parts(50_120, 0, 0, false, 5),
        chain: "DOGE",
        scheme: "dogecoin",
        network_fee: Decimal::ZERO,
    },
    Coin {
        code: "USDC",
        name: "USD Coin",
        decimals: 6,
        shown: 2,
        usd: Decimal::ONE,
        chain: "ETH",
        scheme: "ethereum",
        network_fee: Decimal::ZERO,
    },
    Coin {
        code: "PAX",
        name: "Paxos Standard",
        decimals: 18,
        shown: 2,
        usd: Decimal::ONE,
        chain: "ETH",
        scheme: "ethereum",
        network_fee: Decimal::ZERO,
    },
    Coin {
        code: "SHIB",
        name: "Shiba Inu",
        decimals: 18,
        shown: 2,
        usd: Decimal::from_parts(1_178, 0, 0, false, 8),
        chain: "ETH",
        scheme: "ethereum",
        network_fee: Decimal::ZERO,
    },
];

impl Fiat {
    /// The price currency with this code.
    #[must_use]
    pub(super) fn find(code: &str) -> Option<&'static Self> {
        FIATS.iter().find(|fiat| fiat.code == code)
    }
}

impl Coin {
    /// The payment currency with this code.
    #[must_use]
    pub(super) fn find(code: &str) -> Option<&'static Self> {
        COINS.iter().find(|coin| coin.code == code)
    }

    /// Units of `fiat` for one coin.
    #[must_use]
    pub(super) fn rate(&self, fiat: &Fiat) -> Decimal {
        (self.usd * fiat.per_usd).round_dp(8).normalize()
    }

    /// What a price costs in this coin, without and with the network fee.
    #[must_use]
    pub(super) fn quote(&'static self, price: Decimal, fiat: &Fiat) -> Quote {
        let subtotal = price
            .checked_div(self.rate(fiat))
            .unwrap_or_default()
            .round_dp_with_strategy(self.shown, RoundingStrategy::ToPositiveInfinity);
        Quote { coin: self, subtotal, total: subtotal + self.network_fee }
    }

    /// An amount of coins in smallest units. These outgrow u64: one hundred PAX are 10^20 of them.
    #[must_use]
    pub(super) fn units(&self, amount: Decimal) -> u128 {
        let exact = amount.trunc_with_scale(self.decimals);
        let shift = self.decimals.saturating_sub(exact.scale());
        u128::try_from(exact.mantissa()).unwrap_or(0).saturating_mul(10_u128.saturating_pow(shift))
    }

    /// An amount as people read it, with all the shown decimals.
    #[must_use]
    pub(super) fn display(&self, amount: Decimal) -> String {
        let mut amount = amount.normalize();
        if amount.scale() < self.shown {
            amount.rescale(self.shown);
        }
        amount.to_string()
    }
}

/// What one invoice costs in one coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quote {
    /// The coin.
    pub coin: &'static Coin,
    /// The price alone, in coins.
    pub subtotal: Decimal,
    /// Price and network fee, in coins: what the shopper must send.
    pub total: Decimal,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn every_rate_is_positive_and_every_code_unique() {
        for (index, fiat) in FIATS.iter().enumerate() {
            assert!(fiat.per_usd > Decimal::ZERO, "{}", fiat.code);
            assert!(FIATS.iter().skip(index + 1).all(|other| other.code != fiat.code));
        }
        for (index, coin) in COINS.iter().enumerate() {
            assert!(coin.usd > Decimal::ZERO && coin.shown <= coin.decimals, "{}", coin.code);
            assert!(COINS.iter().skip(index + 1).all(|other| other.code != coin.code));
        }
    }

    #[test]
    fn a_bitcoin_costs_what_the_recorded_invoice_says() {
        let usd = Fiat::find("USD").unwrap();
        assert_eq!(Coin::find("BTC").unwrap().rate(usd).to_string(), "55413.609335");
    }

    #[rstest]
    #[case("PAX", "100", "100", 100_000_000_000_000_000_000)]
    #[case("USDC", "0.01", "0.01", 10_000)]
    #[case("SHIB", "100", "8488964.35", 8_488_964_350_000_000_000_000_000)]
    fn a_quote_is_rounded_up_and_counted_in_smallest_units(
        #[case] coin: &str,
        #[case] price: &str,
        #[case] amount: &str,
        #[case] units: u128,
    ) {
        let coin = Coin::find(coin).unwrap();
        let quote = coin.quote(decimal(price), Fiat::find("USD").unwrap());
        assert_eq!(quote.total, decimal(amount));
        assert_eq!(coin.units(quote.total), units);
    }

    #[test]
    fn the_shopper_pays_the_network_fee_of_bitcoin_on_top() {
        let coin = Coin::find("BTC").unwrap();
        let quote = coin.quote(decimal("20"), Fiat::find("USD").unwrap());
        assert_eq!(coin.units(quote.total) - coin.units(quote.subtotal), 11_600);
        assert!(quote.subtotal * coin.usd >= decimal("20"));
    }

    #[test]
    fn an_amount_shows_at_least_the_usual_decimals() {
        assert_eq!(Coin::find("ETH").unwrap().display(decimal("0.5")), "0.500000");
        assert_eq!(Coin::find("BTC").unwrap().display(decimal("0.000296")), "0.00029600");
    }
}

//! From the text of a value to what it means. Shared by the file and the module settings inside Splynx.
//!
//! **Invariant:** an error is a sentence that says what to write; it never repeats a secret.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::str::FromStr;

use chrono::TimeDelta;
use rust_decimal::Decimal;

use crate::domain::connection::Environment;
use crate::domain::money::{Currency, Money};
use crate::domain::rules::{StatementGroup, TransactionSpeed};

/// An address with a port.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is not an address with a port; write one such as \"127.0.0.1:8330\"")
    })
}

/// An address with a port that only this machine reaches.
pub(super) fn loopback_address(text: &str) -> Result<SocketAddr, String> {
    let address = address(text)?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(format!("`{text}` can be reached from outside; write an address of 127.0.0.1 or [::1]"))
    }
}

/// Addresses without a port.
pub(super) fn addresses(texts: &[String]) -> Result<Vec<IpAddr>, String> {
    let address = |text: &String| {
        text.parse().map_err(|_| {
            format!("`{text}` is not an IP address; write addresses such as \"127.0.0.1\"")
        })
    };
    texts.iter().map(address).collect()
}

/// The name of a cookie, as RFC 6265 has it.
pub(super) fn cookie_name(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !text.is_empty() && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is not the name of a cookie; write one such as \"PHPSESSID\""))
    }
}

/// An ISO 4217 code.
pub(super) fn currency(text: &str) -> Result<Currency, String> {
    Currency::parse(text).map_err(|error| format!("{error}; write a code such as \"USD\""))
}

/// An amount above zero.
pub(super) fn amount(text: &str, currency: Currency) -> Result<Money, String> {
    let money = Money::parse(text, currency)
        .map_err(|error| format!("`{text}`: {error}; write one such as \"1.00\""))?;
    if money.is_positive() { Ok(money) } else { Err(format!("`{text}` is not above zero")) }
}

/// Per cent: 0 to 100 with at most four decimal places, as Splynx items carry.
pub(super) fn percent(text: &str) -> Result<Decimal, String> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let percent = Some(text)
        .filter(|_| plain)
        .and_then(|text| Decimal::from_str(text).ok())
        .map(|percent| percent.normalize())
        .filter(|percent| *percent <= Decimal::ONE_HUNDRED && percent.scale() <= 4);
    percent.ok_or_else(|| {
        format!("`{text}` is not a percentage from 0 to 100 with at most 4 decimal places; write one such as \"2.5\"")
    })
}

/// A text of at most 100 characters without line breaks: it stands in an invoice line.
pub(super) fn fee_text(text: &str) -> Result<String, String> {
    if text.chars().count() > 100 {
        Err("this text is longer than 100 characters".to_owned())
    } else if text.chars().any(char::is_control) {
        Err("this text has a line break or another control character in it".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// The number of a row in Splynx.
pub(super) fn row(number: i64) -> Result<i64, String> {
    if number > 0 {
        Ok(number)
    } else {
        Err(format!("{number} is not a number of Splynx's; they begin at 1"))
    }
}

/// The number of a row in Splynx, as text.
pub(super) fn row_text(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a whole number")).and_then(row)
}

/// A number from 1 to `most`.
pub(super) fn between(number: i64, most: u32) -> Result<NonZeroU32, String> {
    u32::try_from(number)
        .ok()
        .and_then(NonZeroU32::new)
        .filter(|number| number.get() <= most)
        .ok_or_else(|| format!("{number} is not from 1 to {most}"))
}

/// Seconds, from 1 to a week.
pub(super) fn seconds(number: i64) -> Result<TimeDelta, String> {
    between(number, 604_800).map(|seconds| TimeDelta::seconds(seconds.get().into()))
}

/// Days, from 1 to ten years.
pub(super) fn days(number: i64) -> Result<TimeDelta, String> {
    between(number, 3650).map(|days| TimeDelta::days(days.get().into()))
}

/// Hours, from 1 to a year.
pub(super) fn hours(number: i64) -> Result<TimeDelta, String> {
    between(number, 8760).map(|hours| TimeDelta::hours(hours.get().into()))
}

/// `production` or `test`.
pub(super) fn environment(text: &str) -> Result<Environment, String> {
    choice(text, [Environment::Production, Environment::Test].map(|one| (one.code(), one)))
}

/// `high`, `medium` or `low`.
pub(super) fn transaction_speed(text: &str) -> Result<TransactionSpeed, String> {
    let all = [TransactionSpeed::High, TransactionSpeed::Medium, TransactionSpeed::Low];
    choice(text, all.map(|one| (one.code(), one)))
}

/// `month` or `day`.
pub(super) fn statement_group(text: &str) -> Result<StatementGroup, String> {
    choice(text, [StatementGroup::Month, StatementGroup::Day].map(|one| (one.code(), one)))
}

/// One of a few words.
pub(super) fn choice<T: Copy, const N: usize>(
    text: &str,
    words: [(&'static str, T); N],
) -> Result<T, String> {
    words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        format!("`{text}` is none of {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0", Some("0"))]
    #[case("2.5", Some("2.5"))]
    #[case("100", Some("100"))]
    #[case("1.2345", Some("1.2345"))]
    #[case("1.23450", Some("1.2345"))]
    #[case("1.23456", None)]
    #[case("100.0001", None)]
    #[case("-1", None)]
    #[case("1e1", None)]
    #[case("1_0", None)]
    #[case("2,5", None)]
    #[case("", None)]
    #[case(".", None)]
    fn a_percentage_is_plain_and_bounded(#[case] text: &str, #[case] value: Option<&str>) {
        let expected = value.map(|value| Decimal::from_str(value).unwrap());
        assert_eq!(percent(text).ok(), expected);
    }

    #[rstest]
    #[case("127.0.0.1:8331", true)]
    #[case("127.8.0.1:1", true)]
    #[case("[::1]:8331", true)]
    #[case("0.0.0.0:8331", false)]
    #[case("10.0.0.1:8331", false)]
    #[case("localhost:8331", false)]
    fn health_and_metrics_are_for_this_machine_only(#[case] text: &str, #[case] good: bool) {
        assert_eq!(loopback_address(text).is_ok(), good);
    }

    #[rstest]
    #[case("PHPSESSID", true)]
    #[case("__Host-splynx", true)]
    #[case("", false)]
    #[case("a b", false)]
    #[case("a=b", false)]
    #[case("a;b", false)]
    fn a_cookie_name_is_a_token(#[case] text: &str, #[case] good: bool) {
        assert_eq!(cookie_name(text).is_ok(), good);
    }

    #[test]
    fn a_fee_text_is_one_short_line() {
        assert!(fee_text(&"ß".repeat(100)).is_ok());
        assert!(fee_text(&"a".repeat(101)).is_err());
        assert!(fee_text("Bitpay\nfee").is_err());
    }

    #[test]
    fn a_choice_names_the_words_it_knows() {
        assert_eq!(
            transaction_speed("fast"),
            Err("`fast` is none of \"high\", \"medium\", \"low\"".to_owned())
        );
    }

    #[rstest]
    #[case(0, false)]
    #[case(-1, false)]
    #[case(1, true)]
    #[case(100, true)]
    #[case(101, false)]
    #[case(i64::MAX, false)]
    fn a_rate_is_positive_and_bounded(#[case] number: i64, #[case] good: bool) {
        assert_eq!(between(number, 100).is_ok(), good);
    }
}

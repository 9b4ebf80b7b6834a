//! Reads what Splynx sends: leniently in form, strictly in meaning.
//!
//! Numbers come as numbers or strings, flags as `"0"` or `true`, sums with four decimal places, no date as
//! `0000-00-00`; fields come and go between releases (facts/splynx 1.5).
//!
//! **Invariant:** a sum never becomes a float, and an answer that is not surely of the expected shape is
//! [`Unreadable`], never an empty list or a zero.

pub(super) mod error;
pub(super) mod records;

use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value};

/// An answer of another shape than expected. Says where, never what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreadable(pub(super) String);

/// Reads a JSON body.
pub(super) fn json(body: &[u8]) -> Result<Value, Unreadable> {
    serde_json::from_slice(body).map_err(|_| Unreadable("the answer is not JSON".to_owned()))
}

/// The rows of a search: a bare JSON array of objects, nothing else (facts/splynx 1.5).
pub(super) fn rows(value: &Value) -> Result<Vec<Row<'_>>, Unreadable> {
    let list = value.as_array().ok_or_else(|| Unreadable("the answer is not a list".to_owned()))?;
    list.iter().map(Row::of).collect()
}

/// The id of a row Splynx just made: `{"id": 17}`.
pub(super) fn created_id(body: &[u8]) -> Result<i64, Unreadable> {
    Row::of(&json(body)?)?.id("id")
}

/// One JSON object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a>(&'a Map<String, Value>);

impl<'a> Row<'a> {
    /// Takes an object.
    pub(super) fn of(value: &'a Value) -> Result<Self, Unreadable> {
        value.as_object().map(Self).ok_or_else(|| Unreadable("a row is not an object".to_owned()))
    }

    /// Whether the field is there at all, be it `null`.
    pub(super) fn has(self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The field itself; absent and `null` are the same.
    pub(super) fn value(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text, empty where there is none.
    pub(super) fn text(self, name: &str) -> String {
        self.value(name).and_then(text).unwrap_or_default()
    }

    /// A text that must be there.
    pub(super) fn required_text(self, name: &str) -> Result<String, Unreadable> {
        Some(self.text(name)).filter(|text| !text.is_empty()).ok_or_else(|| missing(name))
    }

    /// A whole number; absent, `null` and empty are the same.
    pub(super) fn integer(self, name: &str) -> Result<Option<i64>, Unreadable> {
        self.filled(name)
            .map(|text| whole(&text).ok_or_else(|| Unreadable(format!("`{name}` is no number"))))
            .transpose()
    }

    /// A whole number above zero that must be there: Splynx counts rows from 1.
    pub(super) fn id(self, name: &str) -> Result<i64, Unreadable> {
        self.integer(name)?.filter(|id| *id > 0).ok_or_else(|| missing(name))
    }

    /// A sum; absent, `null` and empty are the same.
    pub(super) fn decimal(self, name: &str) -> Result<Option<Decimal>, Unreadable> {
        self.filled(name)
            .map(|text| sum(&text).ok_or_else(|| Unreadable(format!("`{name}` is no sum"))))
            .transpose()
    }

    /// A yes or no; `None` where there is neither.
    pub(super) fn flag(self, name: &str) -> Option<bool> {
        match self.filled(name)?.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" | "enabled" => Some(true),
            "0" | "false" | "no" | "off" | "disabled" => Some(false),
            _ => None,
        }
    }

    /// The day of a date or a date with time; zero dates are none.
    pub(super) fn date(self, name: &str) -> Option<NaiveDate> {
        let text = self.filled(name)?;
        NaiveDate::parse_from_str(&text, "%Y-%m-%d")
            .or_else(|_| {
                NaiveDateTime::parse_from_str(&text.replace('T', " "), "%Y-%m-%d %H:%M:%S")
                    .map(|moment| moment.date())
            })
            .ok()
    }

    /// The rows in a field; none where the field is absent. PHP writes a list with gaps as an object.
    pub(super) fn list(self, name: &str) -> Result<Vec<Self>, Unreadable> {
        match self.value(name) {
            None => Ok(vec![]),
            Some(Value::Object(object)) => object.values().map(Row::of).collect(),
            Some(value) => rows(value),
        }
    }

    fn filled(self, name: &str) -> Option<String> {
        Some(self.text(name).trim().to_owned()).filter(|text| !text.is_empty())
    }
}

fn missing(name: &str) -> Unreadable {
    Unreadable(format!("`{name}` is missing"))
}

/// The text of a scalar.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(if *yes { "1" } else { "0" }.to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number, also when PHP wrote it as `17.0`.
pub(super) fn whole(text: &str) -> Option<i64> {
    let (digits, rest) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    digits.parse().ok().filter(|_| rest.bytes().all(|byte| byte == b'0'))
}

/// A sum with the four decimal places Splynx keeps (`decimal(19,4)`).
///
/// PHP writes a float it computed with all its noise, as `69354.840000000004`; without rounding to the four places
/// that exist, a charge rounded up would be a cent too high.
fn sum(text: &str) -> Option<Decimal> {
    let exact =
        Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).or_else(|_| {
            // More digits than a decimal holds: `from_str` rounds far behind the fourth place.
            Decimal::from_str(text)
        });
    let exact = exact.ok()?;
    Some(exact.round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn with<T>(value: &Value, read: impl Fn(Row<'_>) -> T) -> T {
        read(Row::of(&json!({ "field": value })).unwrap())
    }

    #[rstest]
    #[case(json!(17), Ok(Some(17)))]
    #[case(json!("17"), Ok(Some(17)))]
    #[case(json!(" 17 "), Ok(Some(17)))]
    #[case(json!("17.0000"), Ok(Some(17)))]
    #[case(json!(-3), Ok(Some(-3)))]
    #[case(json!(null), Ok(None))]
    #[case(json!(""), Ok(None))]
    #[case(json!("17.5"), Err(()))]
    #[case(json!("seventeen"), Err(()))]
    fn whole_numbers_come_in_many_forms(
        #[case] value: Value,
        #[case] number: Result<Option<i64>, ()>,
    ) {
        assert_eq!(with(&value, |row| row.integer("field")).map_err(|_| ()), number);
    }

    #[rstest]
    #[case(r#""64516.1290""#, Ok(Some("64516.1290")))]
    #[case("69354.84", Ok(Some("69354.84")))]
    #[case("69354.840000000004", Ok(Some("69354.84")))]
    #[case("0.30000000000000000000000000000000000004", Ok(Some("0.3")))]
    #[case("0", Ok(Some("0")))]
    #[case("1.0e2", Ok(Some("100")))]
    #[case("1e-3", Ok(Some("0.001")))]
    #[case("99999999999999.9999", Ok(Some("99999999999999.9999")))]
    #[case(r#""-12.5""#, Ok(Some("-12.5")))]
    #[case("null", Ok(None))]
    #[case(r#""""#, Ok(None))]
    #[case(r#""1,000.00""#, Err(()))]
    #[case(r#""12.34 USD""#, Err(()))]
    #[case("1e400", Err(()))]
    fn sums_are_read_without_a_float(#[case] text: &str, #[case] sum: Result<Option<&str>, ()>) {
        let value = serde_json::from_str(text).unwrap();
        let wanted = sum.map(|sum| sum.map(|sum| Decimal::from_str(sum).unwrap()));
        assert_eq!(with(&value, |row| row.decimal("field")).map_err(|_| ()), wanted);
    }

    #[rstest]
    #[case(json!("1"), Some(true))]
    #[case(json!(1), Some(true))]
    #[case(json!(true), Some(true))]
    #[case(json!("0"), Some(false))]
    #[case(json!(false), Some(false))]
    #[case(json!("enabled"), Some(true))]
    #[case(json!(null), None)]
    #[case(json!(""), None)]
    #[case(json!("maybe"), None)]
    fn flags_come_in_many_forms(#[case] value: Value, #[case] flag: Option<bool>) {
        assert_eq!(with(&value, |row| row.flag("field")), flag);
    }

    #[rstest]
    #[case(json!("2018-10-31"), Some((2018, 10, 31)))]
    #[case(json!("2018-10-31 14:38:12"), Some((2018, 10, 31)))]
    #[case(json!("2018-10-31T14:38:12"), Some((2018, 10, 31)))]
    #[case(json!("0000-00-00"), None)]
    #[case(json!("0000-00-00 00:00:00"), None)]
    #[case(json!(""), None)]
    #[case(json!(null), None)]
    fn a_zero_date_is_no_date(#[case] value: Value, #[case] date: Option<(i32, u32, u32)>) {
        let wanted = date.map(|(y, m, d)| NaiveDate::from_ymd_opt(y, m, d).unwrap());
        assert_eq!(with(&value, |row| row.date("field")), wanted);
    }

    #[rstest]
    #[case(r#"{"id":17}"#, Some(17))]
    #[case(r#"{"id":"17"}"#, Some(17))]
    #[case(r#"{"id":0}"#, None)]
    #[case(r#"{"id":null}"#, None)]
    #[case("[]", None)]
    #[case("", None)]
    #[case("<html>", None)]
    #[case(r#"{"id":17"#, None)]
    fn only_a_readable_id_is_an_id(#[case] body: &str, #[case] id: Option<i64>) {
        assert_eq!(created_id(body.as_bytes()).ok(), id);
    }

    #[rstest]
    #[case(json!({}))]
    #[case(json!(null))]
    #[case(json!(""))]
    #[case(json!([1]))]
    fn only_a_list_of_objects_is_a_search_result(#[case] value: Value) {
        assert!(rows(&value).is_err());
    }

    #[test]
    fn an_absent_field_is_nothing_and_unknown_fields_do_not_matter() {
        let value = json!({ "id": 1, "brand_new": { "a": [1] } });
        let row = Row::of(&value).unwrap();
        assert_eq!(row.decimal("due"), Ok(None));
        assert_eq!(row.list("items").unwrap().len(), 0);
        assert_eq!(row.text("comment"), "");
    }
}

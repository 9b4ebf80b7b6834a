//! The body of a POST or PUT, read field by field with the errors collected.
//!
//! **Invariant:** nothing is guessed: a field of the wrong shape is an error, never a default.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::failure::Failure;

/// A JSON object and what is wrong with it.
#[derive(Debug)]
pub(super) struct Input {
    fields: Map<String, Value>,
    errors: Vec<(String, String)>,
}

impl Input {
    /// Takes a JSON object.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Failure> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self { fields, errors: Vec::new() }),
            _ => Err(Failure::bad_request("The body is not a JSON object")),
        }
    }

    pub(super) fn error(&mut self, attribute: &str, error: impl Into<String>) {
        self.errors.push((attribute.to_owned(), error.into()));
    }

    /// The errors so far, as a 422.
    pub(super) fn check(self) -> Result<(), Failure> {
        if self.errors.is_empty() { Ok(()) } else { Err(Failure::Invalid(self.errors)) }
    }

    /// Whether the field is there and not null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| !value.is_null())
    }

    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// The pairs of the whole body.
    pub(super) fn into_fields(self) -> Map<String, Value> {
        self.fields
    }

    /// A text of at most so many characters; nothing when it is left out or null.
    pub(super) fn text(&mut self, name: &str, longest: usize) -> Option<String> {
        let text = scalar(self.fields.get(name)?);
        match text {
            Scalar::Text(text) if text.chars().count() <= longest => return Some(text),
            Scalar::Text(_) => {
                self.error(name, format!("{name} should contain at most {longest} characters."));
            }
            Scalar::Null => {}
            Scalar::Other => self.error(name, format!("{name} must be a string.")),
        }
        None
    }

    /// A text that may not be left out; it may be empty.
    pub(super) fn present_text(&mut self, name: &str, longest: usize) -> String {
        if !self.has(name) {
            self.error(name, format!("{name} is required"));
        }
        self.text(name, longest).unwrap_or_default()
    }

    /// A text that may not be left out nor empty.
    pub(super) fn required_text(&mut self, name: &str, longest: usize) -> String {
        let before = self.errors.len();
        let text = self.present_text(name, longest);
        if text.is_empty() && self.errors.len() == before {
            self.error(name, format!("{name} cannot be blank."));
        }
        text
    }

    /// An id; nothing when it is left out, null, empty or 0.
    pub(super) fn id(&mut self, name: &str) -> Option<u64> {
        let text = self.text(name, 20)?;
        if text.is_empty() {
            return None;
        }
        let Ok(id) = text.parse::<u64>() else {
            self.error(name, format!("{name} must be an integer."));
            return None;
        };
        (id != 0).then_some(id)
    }

    /// A number of at most four decimals.
    pub(super) fn decimal(&mut self, name: &str) -> Option<Decimal> {
        let text = self.text(name, 40)?;
        match text.parse::<Decimal>() {
            Ok(number) if number.normalize().scale() <= 4 => return Some(number),
            Ok(_) => self.error(name, format!("{name} has more than four decimals.")),
            Err(_) => self.error(name, format!("{name} must be a number.")),
        }
        None
    }

    /// A day, `YYYY-MM-DD`; nothing when it is left out or zero.
    pub(super) fn date(&mut self, name: &str) -> Option<NaiveDate> {
        let text = self.text(name, 20)?;
        if text.is_empty() || text == "0000-00-00" {
            return None;
        }
        let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
        if date.is_none() || text.len() != 10 {
            self.error(name, format!("{name} must be YYYY-MM-DD."));
        }
        date
    }

    /// A day that may not be left out.
    pub(super) fn required_date(&mut self, name: &str) -> NaiveDate {
        let before = self.errors.len();
        let date = self.date(name);
        if date.is_none() && self.errors.len() == before {
            self.error(name, format!("{name} is required"));
        }
        date.unwrap_or_default()
    }

    /// One of these words; nothing when it is left out.
    pub(super) fn word(&mut self, name: &str, words: &[&str]) -> Option<String> {
        let text = self.text(name, 64)?;
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        self.error(name, format!("{name} is invalid."));
        None
    }

    /// A yes or no in any of the ways PHP clients write it.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        let text = self.text(name, 5)?;
        match text.as_str() {
            "1" | "true" => Some(true),
            "0" | "false" | "" => Some(false),
            _ => {
                self.error(name, format!("{name} must be a boolean."));
                None
            }
        }
    }
}

enum Scalar {
    Text(String),
    Null,
    Other,
}

fn scalar(value: &Value) -> Scalar {
    match value {
        Value::Null => Scalar::Null,
        Value::String(text) => Scalar::Text(text.clone()),
        Value::Number(number) => Scalar::Text(number.to_string()),
        Value::Bool(flag) => Scalar::Text(flag.to_string()),
        Value::Array(_) | Value::Object(_) => Scalar::Other,
    }
}

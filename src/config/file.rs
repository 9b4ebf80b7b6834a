//! Reads the configuration file: which known key stands in which line, and what does not belong there.
//!
//! **Invariant:** only keys of the table, with a value of their kind, leave this module; everything else became a
//! finding with its line.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::finding::{Finding, Place};
use super::key::{Key, Kind, SECTIONS};
use super::suggestion;

/// A value of the file, by its line.
#[derive(Debug, Clone)]
pub(super) struct Written {
    /// Counted from one.
    pub(super) line: usize,
    /// For the `config` crate.
    pub(super) value: config::ValueKind,
}

/// Reads the file's text.
///
/// # Errors
///
/// Where it is not TOML at all: one finding for each broken line, since a parser that has stumbled once complains
/// about the rest of the line too.
pub(super) fn read(
    text: &str,
    findings: &mut Vec<Finding>,
) -> Result<BTreeMap<&'static str, Written>, Vec<Finding>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mut malformed: Vec<Finding> =
            errors.iter().map(|error| malformed(text, error)).collect();
        malformed.sort();
        malformed.dedup_by_key(|finding| finding.place.line_number());
        return Err(malformed);
    }
    let mut reader = Reader { text, findings, written: BTreeMap::new() };
    reader.sections(root.get_ref());
    Ok(reader.written)
}

fn malformed(text: &str, error: &toml::de::Error) -> Finding {
    let start = error.span().map_or(0, |span| span.start);
    let place = Place::File { line: line(text, start), column: Some(column(text, start)) };
    let sentence = format!("this is not TOML: {}", error.message().trim_end().replace('\n', ", "));
    Finding { place, key: String::new(), sentence }
}

fn line(text: &str, offset: usize) -> usize {
    before(text, offset).matches('\n').count().saturating_add(1)
}

fn column(text: &str, offset: usize) -> usize {
    let line = before(text, offset).rsplit('\n').next().unwrap_or_default();
    line.chars().count().saturating_add(1)
}

fn before(text: &str, offset: usize) -> &str {
    text.get(..offset).unwrap_or(text)
}

struct Reader<'a> {
    text: &'a str,
    findings: &'a mut Vec<Finding>,
    written: BTreeMap<&'static str, Written>,
}

impl Reader<'_> {
    fn sections(&mut self, root: &DeTable<'_>) {
        for (name, value) in root {
            let line = line(self.text, name.span().start);
            let known = SECTIONS.iter().find(|section| section.name == name.get_ref());
            match (known, value.get_ref()) {
                (Some(section), DeValue::Table(table)) => {
                    self.keys(section.name, section.keys, table);
                }
                (Some(section), _) => {
                    let sentence = format!("this is a section; write `[{}]`", section.name);
                    self.problem(line, section.name, sentence);
                }
                (None, DeValue::Table(_)) => {
                    self.problem(line, name.get_ref(), suggestion::unknown_section(name.get_ref()));
                }
                (None, _) => {
                    self.problem(line, name.get_ref(), suggestion::outside(name.get_ref()));
                }
            }
        }
    }

    fn keys(&mut self, section: &str, known: &'static [Key], table: &DeTable<'_>) {
        for (name, value) in table {
            let line = line(self.text, name.span().start);
            if let Some(key) = known.iter().find(|key| key.name == name.get_ref()) {
                self.value(key, line, value);
            } else {
                let path = format!("{section}.{}", name.get_ref());
                self.problem(line, &path, suggestion::unknown_key(section, name.get_ref()));
            }
        }
    }

    fn value(&mut self, key: &'static Key, line: usize, value: &Spanned<DeValue<'_>>) {
        match shaped(key.kind, value.get_ref()) {
            Ok(value) => {
                self.written.insert(key.path, Written { line, value });
            }
            Err(sentence) => self.problem(line, key.path, sentence),
        }
    }

    fn problem(&mut self, line: usize, key: &str, sentence: String) {
        self.findings.push(Finding { place: Place::line(line), key: key.to_owned(), sentence });
    }
}

/// The value, if it has the shape its kind asks for.
fn shaped(kind: Kind, value: &DeValue<'_>) -> Result<config::ValueKind, String> {
    match (kind, value) {
        (Kind::Text | Kind::Amount | Kind::Secret | Kind::DatabaseUrl, DeValue::String(text)) => {
            Ok(text.as_ref().into())
        }
        (Kind::Number, DeValue::Integer(number)) => {
            i64::from_str_radix(number.as_str(), number.radix())
                .map(Into::into)
                .map_err(|_| "this number is too large".to_owned())
        }
        (Kind::Amount, DeValue::Integer(number)) if number.radix() == 10 => {
            Ok(number.as_str().into())
        }
        (Kind::Amount, DeValue::Float(number)) => {
            Err(format!("write it as a string, \"{}\"", number.as_str()))
        }
        (Kind::TextList, DeValue::Array(items)) => texts(items).ok_or_else(|| wrong(kind, value)),
        (kind, value) => Err(wrong(kind, value)),
    }
}

fn texts(items: &DeArray<'_>) -> Option<config::ValueKind> {
    let texts: Option<Vec<String>> =
        items.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect();
    texts.map(Into::into)
}

fn wrong(kind: Kind, value: &DeValue<'_>) -> String {
    let found = match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    };
    format!("this is {found}; expected {}", kind.expected())
}

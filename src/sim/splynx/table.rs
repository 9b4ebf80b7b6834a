//! A table with `AUTO_INCREMENT` ids, and rows that name their columns.
//!
//! **Invariant:** rows stand in the order of their ids, and an id is never given twice.

use std::borrow::Cow;

use chrono::{NaiveDate, NaiveDateTime};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

/// One value of a row, as the API shows, searches and sorts it.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// The row's own id.
    Id(u64),
    /// The id of another row; none is shown as 0.
    Link(Option<u64>),
    /// The id of another row; none is shown as null.
    NullableLink(Option<u64>),
    /// Any other text.
    Text(Cow<'a, str>),
    /// `decimal(19,4)`.
    Money(Decimal),
    /// A sum that Splynx computes, and shows as a number more often than others.
    Sum(Decimal),
    /// `0000-00-00` when there is none.
    Date(Option<NaiveDate>),
    /// `YYYY-MM-DD HH:MM:SS`.
    DateTime(NaiveDateTime),
    /// `"0"` or `"1"`.
    Flag(bool),
    /// Nested data; it cannot be searched.
    Json(Value),
}

impl<'a> Cell<'a> {
    /// A text column.
    pub(super) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

/// A column as `OPTIONS` describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name in JSON.
    pub name: &'static str,
    /// `integer`, `string`, `decimal`, `date`, `datetime`, `boolean` or `array`.
    pub kind: &'static str,
    /// Whether a POST must carry it.
    pub required: bool,
}

/// Shorthand for a column that may be left out.
pub(super) const fn column(name: &'static str, kind: &'static str) -> Column {
    Column { name, kind, required: false }
}

/// Shorthand for a column that a POST must carry.
pub(super) const fn required(name: &'static str, kind: &'static str) -> Column {
    Column { name, kind, required: true }
}

/// A row of a table.
pub trait Row {
    /// Its id.
    fn id(&self) -> u64;
    /// Takes the id its table gave it.
    fn set_id(&mut self, id: u64);
    /// The customer it belongs to, who may read it through the API.
    fn owner(&self) -> Option<u64>;
    /// The value of a column; nothing for a column the table does not have.
    fn cell(&self, column: &str) -> Option<Cell<'_>>;
}

/// A table.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Table<T> {
    rows: Vec<T>,
    #[serde(skip)]
    last_id: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), last_id: 0 }
    }
}

impl<T: Row> Table<T> {
    fn position(&self, id: u64) -> Option<usize> {
        self.rows.binary_search_by_key(&id, Row::id).ok()
    }

    /// The row of this id.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&T> {
        self.rows.get(self.position(id)?)
    }

    /// The row of this id, to be changed.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        let position = self.position(id)?;
        self.rows.get_mut(position)
    }

    /// Adds a row under the next id, which it returns.
    pub fn insert(&mut self, mut row: T) -> u64 {
        self.last_id += 1;
        row.set_id(self.last_id);
        self.rows.push(row);
        self.last_id
    }

    /// Skips ids up to this one, as a database with history has done.
    pub fn skip_to(&mut self, id: u64) {
        self.last_id = self.last_id.max(id);
    }

    /// Takes a row out; its id stays used.
    pub fn remove(&mut self, id: u64) -> Option<T> {
        Some(self.rows.remove(self.position(id)?))
    }

    /// All rows, by id.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl<'a, T: Row> IntoIterator for &'a Table<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

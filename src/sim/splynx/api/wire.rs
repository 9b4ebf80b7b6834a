//! Rows as JSON, in the typing of this installation.
//!
//! **Invariant:** an amount keeps its decimals; it never passes through a float.

use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};

use super::search::plain;
use crate::sim::splynx::options::Typing;
use crate::sim::splynx::table::{Cell, Column, Row};

/// A row with all its columns.
pub(super) fn row<T: Row>(row: &T, columns: &[Column], typing: Typing) -> Value {
    let odd = row.id() % 2 == 1;
    cells(columns, |column| row.cell(column), typing, odd)
}

/// Anything that has cells, with all these columns.
pub(super) fn cells<'a>(
    columns: &[Column],
    cell: impl Fn(&str) -> Option<Cell<'a>>,
    typing: Typing,
    odd: bool,
) -> Value {
    let pair = |column: &Column| {
        cell(column.name).map(|cell| (column.name.to_owned(), value(cell, typing, odd)))
    };
    Value::Object(columns.iter().filter_map(pair).collect::<Map<_, _>>())
}

/// The body of a 201.
pub(super) fn created(id: u64, typing: Typing) -> Value {
    Value::Object(Map::from_iter([("id".to_owned(), value(Cell::Id(id), typing, id % 2 == 1))]))
}

fn value(cell: Cell<'_>, typing: Typing, odd: bool) -> Value {
    let as_number = match typing {
        Typing::Strings => false,
        Typing::Numbers => true,
        Typing::Mixed => odd && matches!(cell, Cell::Id(_) | Cell::Sum(_)),
    };
    match cell {
        Cell::Json(value) => value,
        Cell::NullableLink(None) => Value::Null,
        Cell::Id(id) if as_number => Value::from(id),
        Cell::Link(id) | Cell::NullableLink(id) if as_number => Value::from(id.unwrap_or(0)),
        Cell::Money(sum) | Cell::Sum(sum) if as_number => number(sum),
        other => Value::from(plain(&other)),
    }
}

/// PHP writes a number without trailing zeros.
fn number(sum: Decimal) -> Value {
    let text = sum.normalize().to_string();
    text.parse::<Number>().map_or(Value::from(text), Value::Number)
}

/// What `OPTIONS` answers.
pub(super) fn describe(columns: &[Column]) -> Value {
    let attribute = |column: &Column| {
        serde_json::json!({
            "name": column.name, "title": column.name.replace('_', " "),
            "type": column.kind, "required": column.required,
        })
    };
    let attributes: Value = columns.iter().map(attribute).collect();
    serde_json::json!({ "attributes": attributes, "additional_attributes": [] })
}

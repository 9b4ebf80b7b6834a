//! Searches: `main_attributes` with operators, `order`, `limit` and `offset`.
//!
//! **Invariant:** a filter that cannot be understood is refused; it never matches everything.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::failure::Failure;
use super::query::Node;
use crate::sim::splynx::table::{Cell, Column, Row, Table};

/// A parsed search.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Search {
    filters: Vec<Filter>,
    order: Vec<(String, bool)>,
    limit: usize,
    offset: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Filter {
    column: String,
    operator: String,
    values: Vec<String>,
}

const OPERATORS: &[&str] =
    &["=", "!=", "<>", ">=", "<=", ">", "<", "IS", "BETWEEN", "LIKE", "IN", "FIND_IN_SET"];

impl Search {
    /// Reads the query of a search over these columns.
    pub(super) fn parse(query: &Node, columns: &[Column]) -> Result<Self, Failure> {
        let known = |name: &str| {
            if columns.iter().any(|column| column.name == name) {
                return Ok(name.to_owned());
            }
            Err(Failure::bad_request(&format!("Unknown attribute {name}")))
        };
        let mut filters = Vec::new();
        for (name, node) in query.get("main_attributes").map(Node::pairs).unwrap_or_default() {
            filters.push(Filter::parse(known(name)?, node)?);
        }
        if query.get("additional_attributes").is_some_and(|node| !node.pairs().is_empty()) {
            return Err(Failure::bad_request("Unknown additional attribute"));
        }
        let mut order = Vec::new();
        for (name, node) in query.get("order").map(Node::pairs).unwrap_or_default() {
            let descending = node.text().is_some_and(|word| word.eq_ignore_ascii_case("DESC"));
            order.push((known(name)?, descending));
        }
        let limit = number(query, "limit")?.unwrap_or(usize::MAX);
        Ok(Self { filters, order, limit, offset: number(query, "offset")?.unwrap_or(0) })
    }

    /// Every row, in the order of the ids.
    pub(super) fn everything() -> Self {
        Self { filters: Vec::new(), order: Vec::new(), limit: usize::MAX, offset: 0 }
    }

    /// All matching rows that the reader may see, sorted, without limit and offset.
    pub(super) fn matching<'a, T: Row>(
        &self,
        table: &'a Table<T>,
        may_see: impl Fn(&T) -> bool,
    ) -> Vec<&'a T> {
        let matches = |row: &&T| self.filters.iter().all(|filter| filter.matches(*row));
        let mut rows: Vec<&T> = table.iter().filter(|row| may_see(row)).filter(matches).collect();
        rows.sort_by(|left, right| self.compare(*left, *right));
        rows
    }

    /// The page of the rows.
    pub(super) fn page<'a, T>(&self, rows: Vec<&'a T>) -> Vec<&'a T> {
        rows.into_iter().skip(self.offset).take(self.limit).collect()
    }

    fn compare<T: Row>(&self, left: &T, right: &T) -> Ordering {
        let by = |(column, descending): &(String, bool)| {
            let (left, right) = (left.cell(column), right.cell(column));
            let ordering = match (left, right) {
                (Some(left), Some(right)) => compare_cells(&left, &right),
                _ => Ordering::Equal,
            };
            if *descending { ordering.reverse() } else { ordering }
        };
        self.order.iter().map(by).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    }
}

fn number(query: &Node, name: &str) -> Result<Option<usize>, Failure> {
    let Some(node) = query.get(name) else { return Ok(None) };
    let parsed = node.text().and_then(|text| text.parse().ok());
    parsed.map(Some).ok_or_else(|| Failure::bad_request(&format!("Invalid {name}")))
}

impl Filter {
    fn parse(column: String, node: &Node) -> Result<Self, Failure> {
        let (operator, values) = match node {
            Node::Leaf(value) => ("=".to_owned(), vec![value.clone()]),
            Node::Map(pairs) => {
                let (_, operator) =
                    pairs.first().ok_or_else(|| Failure::bad_request("No operator"))?;
                let operator = operator.text().unwrap_or_default().to_uppercase();
                (operator, pairs.iter().skip(1).flat_map(|(_, node)| leaves(node)).collect())
            }
        };
        let enough = if operator == "BETWEEN" { 2 } else { 1 };
        if !OPERATORS.contains(&operator.as_str()) || values.len() < enough {
            return Err(Failure::bad_request(&format!("Invalid search of {column}")));
        }
        Ok(Self { column, operator, values })
    }

    fn matches<T: Row>(&self, row: &T) -> bool {
        let Some(cell) = row.cell(&self.column) else { return false };
        let first = self.values.first().map(String::as_str).unwrap_or_default();
        let ordering = compare(&cell, first);
        match self.operator.as_str() {
            "=" => ordering == Some(Ordering::Equal),
            "!=" | "<>" => ordering != Some(Ordering::Equal),
            ">=" => ordering.is_some_and(Ordering::is_ge),
            "<=" => ordering.is_some_and(Ordering::is_le),
            ">" => ordering.is_some_and(Ordering::is_gt),
            "<" => ordering.is_some_and(Ordering::is_lt),
            "IS" => first.eq_ignore_ascii_case("NULL") && cell == Cell::NullableLink(None),
            "IN" => self.values.iter().any(|value| compare(&cell, value) == Some(Ordering::Equal)),
            "BETWEEN" => {
                let last = self.values.get(1).map(String::as_str).unwrap_or_default();
                ordering.is_some_and(Ordering::is_ge)
                    && compare(&cell, last).is_some_and(Ordering::is_le)
            }
            "LIKE" => like(&plain(&cell), first),
            "FIND_IN_SET" => plain(&cell).split(',').any(|part| part == first),
            _ => false,
        }
    }
}

fn leaves(node: &Node) -> Vec<String> {
    match node {
        Node::Leaf(text) => vec![text.clone()],
        Node::Map(pairs) => pairs.iter().flat_map(|(_, node)| leaves(node)).collect(),
    }
}

/// Splynx wraps the text of LIKE in percent signs unless it has its own.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
    let Some((start, rest)) = pattern.split_once('%') else { return text.contains(&pattern) };
    let Some(mut remaining) = text.strip_prefix(start) else { return false };
    let parts: Vec<&str> = rest.split('%').collect();
    let Some((end, middle)) = parts.split_last() else { return true };
    for part in middle {
        match remaining.split_once(part) {
            Some((_, after)) => remaining = after,
            None => return false,
        }
    }
    remaining.ends_with(end)
}

/// The cell as text, as a string typing would show it.
pub(super) fn plain(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Id(id) => id.to_string(),
        Cell::Link(id) => id.unwrap_or(0).to_string(),
        Cell::NullableLink(id) => id.map(|id| id.to_string()).unwrap_or_default(),
        Cell::Text(text) => text.to_string(),
        Cell::Money(sum) | Cell::Sum(sum) => format!("{sum:.4}"),
        Cell::Date(Some(date)) => date.to_string(),
        Cell::Date(None) => "0000-00-00".to_owned(),
        Cell::DateTime(at) => at.format("%Y-%m-%d %H:%M:%S").to_string(),
        Cell::Flag(flag) => u8::from(*flag).to_string(),
        Cell::Json(_) => String::new(),
    }
}

/// Numbers are compared as numbers, texts as the database does: without regard to case.
fn compare(cell: &Cell<'_>, value: &str) -> Option<Ordering> {
    match cell {
        Cell::Id(id) => Decimal::from(*id).partial_cmp(&value.parse().ok()?),
        Cell::Link(id) => Decimal::from(id.unwrap_or(0)).partial_cmp(&value.parse().ok()?),
        Cell::NullableLink(id) => Decimal::from((*id)?).partial_cmp(&value.parse().ok()?),
        Cell::Money(sum) | Cell::Sum(sum) => sum.partial_cmp(&value.parse().ok()?),
        Cell::Json(_) => None,
        Cell::Text(text) => Some(compare_texts(text, value)),
        other => Some(plain(other).as_str().cmp(value)),
    }
}

fn compare_texts(left: &str, right: &str) -> Ordering {
    // Most searches look for one key among thousands of others.
    if left.is_ascii() && right.is_ascii() {
        let same = left.as_bytes().iter().zip(right.as_bytes());
        let same = same.take_while(|(left, right)| left.eq_ignore_ascii_case(right)).count();
        let next = |text: &str| text.as_bytes().get(same).map(u8::to_ascii_lowercase);
        return next(left).cmp(&next(right));
    }
    left.chars().flat_map(char::to_lowercase).cmp(right.chars().flat_map(char::to_lowercase))
}

fn compare_cells(left: &Cell<'_>, right: &Cell<'_>) -> Ordering {
    // Most searches sort by id, over tables of any length.
    if let (Cell::Id(left), Cell::Id(right)) = (left, right) {
        return left.cmp(right);
    }
    compare(left, &plain(right)).unwrap_or_else(|| plain(left).cmp(&plain(right)))
}

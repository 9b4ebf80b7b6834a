//! Every table, row by row: how it is read on one database and written to another.
//!
//! **Invariant:** a row arrives with every column it had, but for leases, which end, and what the database works out
//! by itself. A test holds this list against what the migrations make, so that no table and no column is forgotten.

use std::fmt::Debug;

use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::db::connection::AnyConnection;
use crate::db::failure::Failure;
use crate::db::schema;

/// Rows that are in memory at a time. PostgreSQL takes 65,535 values in a statement, and the widest row has 37.
pub(super) const PAGE: usize = 1000;

/// Of all rows of a table, in any order: how many they are, and what they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// How many.
    pub(super) rows: u64,
    /// The sum, without carry, of the rows' hashes. No two rows of a table are the same.
    sum: [u8; 32],
}

impl Tally {
    fn add(&mut self, row: &impl Debug) {
        self.rows = self.rows.saturating_add(1);
        let hash = Sha256::digest(format!("{row:?}"));
        self.sum.iter_mut().zip(hash).for_each(|(sum, byte)| *sum ^= byte);
    }
}

/// A row as it stands in its table.
trait Row: Debug + Sized {
    /// The rows behind this one, or the first ones, by the table's key: [`PAGE`] at most.
    fn page(conn: &mut AnyConnection, behind: Option<&Self>) -> Result<Vec<Self>, Failure>;

    /// Adds these rows to the table.
    fn put(conn: &mut AnyConnection, rows: &[Self]) -> Result<(), Failure>;
}

/// One of the tables.
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    /// The columns that are moved.
    #[cfg(test)]
    pub(super) columns: &'static [&'static str],
    /// Adds all rows of the first database to the second, and says after each page how many they are so far.
    pub(super) copy: Copying,
    /// Reads all rows.
    pub(super) tally: fn(&mut AnyConnection) -> Result<Tally, Failure>,
    /// Whether there is no row.
    pub(super) is_empty: fn(&mut AnyConnection) -> Result<bool, Failure>,
    /// Takes every row away.
    pub(super) clear: fn(&mut AnyConnection) -> Result<(), Failure>,
}

type Copying =
    fn(&mut AnyConnection, &mut AnyConnection, &mut dyn FnMut(u64)) -> Result<Tally, Failure>;

fn copy<R: Row>(
    from: &mut AnyConnection,
    to: &mut AnyConnection,
    told: &mut dyn FnMut(u64),
) -> Result<Tally, Failure> {
    each_page::<R>(from, |page, so_far| {
        R::put(to, page)?;
        told(so_far.rows);
        Ok(())
    })
}

fn tally<R: Row>(conn: &mut AnyConnection) -> Result<Tally, Failure> {
    each_page::<R>(conn, |_, _| Ok(()))
}

fn is_empty<R: Row>(conn: &mut AnyConnection) -> Result<bool, Failure> {
    Ok(R::page(conn, None)?.is_empty())
}

/// Reads a table to its end, page by page.
fn each_page<R: Row>(
    conn: &mut AnyConnection,
    mut work: impl FnMut(&[R], &Tally) -> Result<(), Failure>,
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let mut last = None;
    loop {
        let mut page = R::page(conn, last.as_ref())?;
        for row in &page {
            tally.add(row);
        }
        work(&page, &tally)?;
        let is_last = page.len() < PAGE;
        last = page.pop();
        if is_last {
            return Ok(tally);
        }
    }
}

/// Behind this row, in the order of these columns.
macro_rules! behind {
    ($table:ident, $row:ident, $key:ident) => {
        $table::$key.gt($row.$key.clone())
    };
    ($table:ident, $row:ident, $key:ident, $($rest:ident),+) => {
        $table::$key.gt($row.$key.clone()).or(
            $table::$key.eq($row.$key.clone()).and(behind!($table, $row, $($rest),+))
        )
    };
}

/// Makes [`TABLES`]: each table with its key and its columns, by their types.
macro_rules! tables {
    ($($table:ident by $($key:ident),+ { $($type:ty: $($column:ident),+;)+ })+) => {
        $(
            mod $table {
                use super::*;
                use super::schema::$table;

                #[derive(Debug, Queryable, Selectable, Insertable)]
                #[diesel(table_name = $table, treat_none_as_default_value = false)]
                pub(super) struct TheRow {
                    $($($column: $type,)+)+
                }

                impl Row for TheRow {
                    fn page(
                        conn: &mut AnyConnection,
                        behind: Option<&Self>,
                    ) -> Result<Vec<Self>, Failure> {
                        let mut query = $table::table.into_boxed();
                        if let Some(row) = behind {
                            query = query.filter(behind!($table, row, $($key),+));
                        }
                        let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
                        let query = query.order(($($table::$key,)+)).limit(limit);
                        Ok(query.select(Self::as_select()).load(conn)?)
                    }

                    fn put(conn: &mut AnyConnection, rows: &[Self]) -> Result<(), Failure> {
                        match conn {
                            AnyConnection::Postgres(link) => {
                                diesel::insert_into($table::table).values(rows).execute(link)?;
                            }
                            AnyConnection::Sqlite(link) => {
                                for row in rows {
                                    diesel::insert_into($table::table).values(row).execute(link)?;
                                }
                            }
                        }
                        Ok(())
                    }
                }

                pub(super) fn clear(conn: &mut AnyConnection) -> Result<(), Failure> {
                    diesel::delete($table::table).execute(conn)?;
                    Ok(())
                }
            }
        )+

        /// All tables, each behind those its rows point to.
        pub(super) const TABLES: &[Table] = &[
            $(Table {
                name: stringify!($table),
                #[cfg(test)]
                columns: &[$($(stringify!($column),)+)+],
                copy: copy::<$table::TheRow>,
                tally: tally::<$table::TheRow>,
                is_empty: is_empty::<$table::TheRow>,
                clear: $table::clear,
            },)+
        ];
    };
}

tables! {
    meta by name {
        String: name, value;
    }
    nonces by key_id {
        String: key_id;
        i64: last;
    }
    connections by id {
        String: id, processor, environment, base_url, status, sin;
        Option<Vec<u8>>: secrets;
        i64: created_at;
        Option<i64>: activated_at, retired_at;
        Option<String>: failure;
    }
    attempts by id {
        String: id, hook, result_token, connection, processor, environment, payable, currency, document_total, state;
        Option<String>: document_number, fee_net, fee_vat_percent, fee_text, invoice, checkout_url, open_key, last_seen;
        i64: customer, due_minor, price_minor, created_at, monitor_until, failures, version, looks;
        Option<i64>: document_id, fee_gross_minor, fee_category, expires_at, opened_at, settled_at, recorded_at;
        Option<i64>: look_at, work_at, last_look;
    }
    hints by attempt, wake {
        String: attempt;
        i64: wake, at;
    }
    credits by key {
        String: key, attempt, connection, invoice, currency, target, date;
        i64: n, amount_minor, made_at, by_hand;
    }
    postings by id {
        String: id, attempt, kind, state, body;
        Option<String>: credit, splynx_ids, last_error;
        i64: place, tries;
        Option<i64>: not_before, begun_at, first_absent, search_at, splynx_id, first_begun_at;
    }
    reviews by id {
        String: id, attempt, reason, words;
        i64: opened_at;
        Option<i64>: closed_at;
        Option<String>: closed_by, closed_note;
    }
    alerts by channel, kind, subject {
        String: channel, kind, subject, reason, words;
        Option<String>: attempt, batch;
        i64: since, times;
        Option<i64>: told_at, closed_at;
    }
    alert_channels by channel {
        String: channel;
        Option<String>: batch, last_error;
        i64: failures, next_try;
        Option<i64>: claimed_until, last_told_at;
    }
    proofs by day {
        String: day, sums;
        i64: made_at, since, attempts, asked, listed, findings, agreed;
    }
    journal by seq {
        i64: seq, at;
        Option<String>: attempt;
        String: who, what, words;
        Vec<u8>: previous, mac;
    }
}

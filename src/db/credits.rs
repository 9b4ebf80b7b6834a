//! The table `credits`.
//!
//! **Invariant:** a credit's key, and its number within its processor invoice, exist once; a key never moves to another
//! attempt.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::cell::{self, Row, millis};
use super::connection::AnyConnection;
use super::failure::Failure;
use super::schema::credits;
use crate::domain::credit::Credit;
use crate::domain::ids::{AttemptId, ConnectionId, CreditKey, ProcessorInvoiceId};
use crate::ports::store::StoreError;

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = credits)]
pub(super) struct CreditRow {
    key: String,
    pub(super) attempt: String,
    connection: String,
    invoice: String,
    n: i64,
    amount_minor: i64,
    currency: String,
    target: String,
    date: String,
    by_hand: i64,
}

impl CreditRow {
    fn of(credit: &Credit) -> Self {
        Self {
            key: credit.key.to_string(),
            attempt: credit.attempt.to_string(),
            connection: credit.connection.to_string(),
            invoice: credit.invoice.to_string(),
            n: i64::from(credit.n),
            amount_minor: credit.amount.minor(),
            currency: credit.amount.currency().code().to_owned(),
            target: credit.target.code().to_owned(),
            date: credit.date.to_string(),
            by_hand: credit.by_hand.code(),
        }
    }

    fn into_credit(self) -> Result<Credit, StoreError> {
        let row = Row { table: "credits", key: &self.key };
        Ok(Credit {
            key: row.read("key", CreditKey::parse(&self.key))?,
            attempt: row.read("attempt", AttemptId::parse(&self.attempt))?,
            connection: row.read("connection", ConnectionId::parse(&self.connection))?,
            invoice: row.read("invoice", ProcessorInvoiceId::parse(&self.invoice))?,
            n: row.count("n", self.n)?,
            amount: row.money(self.amount_minor, &self.currency)?,
            target: row.read("target", cell::target(&self.target))?,
            date: row.date("date", &self.date)?,
            by_hand: row.read("by_hand", cell::by_hand(self.by_hand))?,
        })
    }
}

/// Writes a credit: a new row, or the amount, target, date and decider of the one that has its key.
pub(super) fn put(
    conn: &mut AnyConnection,
    credit: &Credit,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let row = CreditRow::of(credit);
    let known = credits::table
        .filter(credits::key.eq(row.key.clone()))
        .filter(credits::attempt.eq(row.attempt.clone()));
    let changed = diesel::update(known)
        .set((
            credits::amount_minor.eq(row.amount_minor),
            credits::currency.eq(row.currency.clone()),
            credits::target.eq(row.target.clone()),
            credits::date.eq(row.date.clone()),
            credits::by_hand.eq(row.by_hand),
        ))
        .execute(conn)?;
    if changed == 0 {
        diesel::insert_into(credits::table)
            .values((row, credits::made_at.eq(millis(now))))
            .execute(conn)?;
    }
    Ok(())
}

/// The credits of these attempts, by attempt and `n`.
pub(super) fn of_attempts(
    conn: &mut AnyConnection,
    ids: &[String],
) -> Result<Vec<Credit>, Failure> {
    let rows: Vec<CreditRow> = credits::table
        .filter(credits::attempt.eq_any(ids.to_vec()))
        .order((credits::attempt, credits::n))
        .select(CreditRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(CreditRow::into_credit).collect::<Result<_, _>>()?)
}

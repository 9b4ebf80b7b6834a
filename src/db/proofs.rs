//! The table `proofs`: what comparing the three books came to, a row a day.
//!
//! **Invariant:** the latest comparison of a day wins, whichever process wrote it; no row is ever erased.

use std::collections::BTreeMap;

use diesel::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::cell::{Row, millis};
use super::connection::AnyConnection;
use super::failure::{Failure, is_unique_violation};
use super::schema::proofs;
use crate::domain::proof::{Proof, Sums};
use crate::ports::store::StoreError;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = proofs)]
struct ProofRow {
    day: String,
    made_at: i64,
    since: i64,
    attempts: i64,
    asked: i64,
    listed: i64,
    findings: i64,
    agreed: i64,
    sums: String,
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl ProofRow {
    fn of(proof: &Proof) -> Self {
        Self {
            day: proof.day.to_string(),
            made_at: millis(proof.made_at),
            since: millis(proof.since),
            attempts: number(proof.attempts),
            asked: number(proof.asked),
            listed: number(proof.listed),
            findings: number(proof.findings),
            agreed: i64::from(proof.agreed),
            sums: written(&proof.sums),
        }
    }

    fn into_proof(self) -> Result<Proof, StoreError> {
        let row = Row { table: "proofs", key: &self.day };
        let count = |column, number: i64| row.read(column, u64::try_from(number));
        Ok(Proof {
            day: row.date("day", &self.day)?,
            made_at: row.time("made_at", self.made_at)?,
            since: row.time("since", self.since)?,
            attempts: count("attempts", self.attempts)?,
            asked: count("asked", self.asked)?,
            listed: count("listed", self.listed)?,
            findings: count("findings", self.findings)?,
            agreed: self.agreed == 1,
            sums: row.read("sums", read(&self.sums))?,
        })
    }
}

fn written(sums: &BTreeMap<String, Sums>) -> String {
    let of = |sums: &Sums| {
        json!({
            "processor": sums.processor.to_string(), "ours": sums.ours.to_string(),
            "on_the_way": sums.on_the_way.to_string(), "splynx": sums.splynx.to_string(),
        })
    };
    let pairs: Map<String, Value> =
        sums.iter().map(|(currency, sums)| (currency.clone(), of(sums))).collect();
    Value::Object(pairs).to_string()
}

fn read(text: &str) -> Option<BTreeMap<String, Sums>> {
    let value: Value = serde_json::from_str(text).ok()?;
    let of = |value: &Value| {
        let sum = |name: &str| value.get(name)?.as_str()?.parse::<Decimal>().ok();
        Some(Sums {
            processor: sum("processor")?,
            ours: sum("ours")?,
            on_the_way: sum("on_the_way")?,
            splynx: sum("splynx")?,
        })
    };
    value.as_object()?.iter().map(|(currency, sums)| Some((currency.clone(), of(sums)?))).collect()
}

/// Keeps the proof of a day, unless a later one is there.
pub(super) fn put(conn: &mut AnyConnection, proof: &Proof) -> Result<(), Failure> {
    let row = ProofRow::of(proof);
    if update(conn, &row)? || find(conn, &row.day)?.is_some() {
        return Ok(());
    }
    let added = conn.transaction(|conn| -> Result<(), Failure> {
        diesel::insert_into(proofs::table).values(row.clone()).execute(conn)?;
        Ok(())
    });
    match added {
        Err(Failure::Query(error)) if is_unique_violation(&error) => {
            // Another process added the day's row in between; the later of both stays.
            update(conn, &row)?;
            Ok(())
        }
        other => other,
    }
}

fn update(conn: &mut AnyConnection, row: &ProofRow) -> Result<bool, Failure> {
    let older = proofs::table
        .filter(proofs::day.eq(row.day.clone()))
        .filter(proofs::made_at.le(row.made_at));
    Ok(diesel::update(older).set(row.clone()).execute(conn)? == 1)
}

fn find(conn: &mut AnyConnection, day: &str) -> Result<Option<i64>, Failure> {
    let row = proofs::table.filter(proofs::day.eq(day.to_owned())).select(proofs::made_at);
    Ok(row.first(conn).optional()?)
}

/// The proofs, newest day first.
pub(super) fn list(
    conn: &mut AnyConnection,
    limit: u32,
    offset: u32,
) -> Result<Vec<Proof>, Failure> {
    let rows: Vec<ProofRow> = proofs::table
        .order(proofs::day.desc())
        .limit(i64::from(limit))
        .offset(i64::from(offset))
        .select(ProofRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(ProofRow::into_proof).collect::<Result<_, _>>()?)
}

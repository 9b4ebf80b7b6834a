//! The lists of payments that comparing the books reads.
//!
//! **Invariant:** every row is compared here, whatever Splynx's filter made of the question; a list that could not be
//! read to its end is an error, never a short list.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::client::{Client, Request};
use super::outcome::unreadable;
use super::payments::PAYMENTS;
use super::search::{PAGE, is_older, main_attribute};
use super::wire::Row;
use super::wire::records::{self, our_key};
use crate::domain::ids::{CreditKey, SplynxId};
use crate::ports::PeerError;
use crate::ports::billing::PaymentRow;

/// Keys asked for at once: their address stays well below the 8 KiB that web servers take.
const KEYS: usize = 40;

/// The texts that may carry a key besides the receipt number.
const TEXTS: [&str; 2] = ["field_1", "comment"];

impl Client {
    /// The payments whose receipt number is one of these.
    pub(super) async fn payments_of_keys(
        &self,
        keys: &[CreditKey],
        since: NaiveDate,
    ) -> Result<Vec<PaymentRow>, PeerError> {
        let receipt_number = main_attribute("receipt_number");
        let mut found = vec![];
        for some in keys.chunks(KEYS) {
            let mut request = PAYMENTS.newest(PAGE).query(format!("{receipt_number}[0]"), "IN");
            for (n, key) in some.iter().enumerate() {
                request = request.query(format!("{receipt_number}[1][{n}]"), key);
            }
            let is_wanted = |row: Row<'_>| {
                let receipt = row.text("receipt_number");
                some.iter().any(|key| key.as_str() == receipt.trim())
            };
            found.extend(self.all_of(&request, is_wanted, since).await?.1);
        }
        Ok(found)
    }

    /// The payments of these days whose receipt number or text has the form of a credit key.
    ///
    /// Asks for receipt numbers like ours first. Without any, asks for all: how Splynx quotes the pattern of `LIKE` is
    /// not known.
    pub(super) async fn payments_between(
        &self,
        since: NaiveDate,
        until: NaiveDate,
    ) -> Result<Vec<PaymentRow>, PeerError> {
        // By Splynx's clock a payment may have been made on the day before its date.
        let end = since.pred_opt().unwrap_or(since);
        let is_wanted = |row: Row<'_>| {
            row.date("date").is_some_and(|day| day >= since && day <= until) && names_us(row)
        };
        let (seen, by_receipt) = self
            .all_of(&like(of_days(since, until), "receipt_number", "B_-%"), is_wanted, end)
            .await?;
        if seen == 0 {
            return Ok(self.all_of(&of_days(since, until), is_wanted, end).await?.1);
        }
        let mut found: BTreeMap<SplynxId, PaymentRow> =
            by_receipt.into_iter().map(|row| (row.id, row)).collect();
        for text in TEXTS {
            let request = like(of_days(since, until), text, "%B_-%");
            let (_, rows) = self.all_of(&request, is_wanted, end).await?;
            found.extend(rows.into_iter().map(|row| (row.id, row)));
        }
        Ok(found.into_values().rev().collect())
    }

    /// How many rows a list has, and those of them that are wanted.
    async fn all_of(
        &self,
        request: &Request<'static>,
        is_wanted: impl Fn(Row<'_>) -> bool + Send + Sync,
        end: NaiveDate,
    ) -> Result<(usize, Vec<PaymentRow>), PeerError> {
        let pick = |row: Row<'_>| is_wanted(row).then(|| records::payment(row)).transpose();
        let walked = self.walk(request, pick, |row| is_older(row, end)).await?;
        match walked.gap {
            Some(why) => Err(unreadable(why)),
            None => Ok((walked.seen, walked.found)),
        }
    }
}

fn of_days(since: NaiveDate, until: NaiveDate) -> Request<'static> {
    let date = main_attribute("date");
    PAYMENTS
        .newest(PAGE)
        .query(format!("{date}[0]"), "BETWEEN")
        .query(format!("{date}[1]"), since)
        .query(format!("{date}[2]"), until)
}

fn like(request: Request<'static>, field: &str, pattern: &str) -> Request<'static> {
    let field = main_attribute(field);
    request.query(format!("{field}[0]"), "LIKE").query(format!("{field}[1]"), pattern)
}

/// Whether a payment carries one of our keys.
fn names_us(row: Row<'_>) -> bool {
    our_key(row.text("receipt_number").trim()).is_some()
        || records::payment(row).is_ok_and(|payment| !payment.named.is_empty())
}

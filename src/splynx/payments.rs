//! Searches for the rows of our postings: payments by `receipt_number`, fee debits by their text.
//!
//! **Invariant:** every row Splynx returns is compared here; its filter is only believed where no row contradicts it.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::client::{Client, Request};
use super::operation::Operation;
use super::search::{Collection, PAGE, Stop, carries, hits, is_of, main_attribute};
use super::wire::{self, Row};
use crate::domain::ids::{CreditKey, CustomerId, SplynxId};

/// `admin/finance/payments` (facts/splynx 2.3).
pub(super) const PAYMENTS: Collection =
    Collection { operation: Operation::FindPayments, path: "admin/finance/payments" };

/// `admin/finance/transactions` (facts/splynx 2.4).
pub(super) const TRANSACTIONS: Collection =
    Collection { operation: Operation::FindTransactions, path: "admin/finance/transactions" };

impl Client {
    /// The customer's payments that carry the key.
    pub(super) async fn payments_with(
        &self,
        key: &CreditKey,
        customer: CustomerId,
        since: NaiveDate,
    ) -> Result<Vec<SplynxId>, Stop> {
        let is_hit = |row: Row<'_>| is_of(row, customer) && is_payment_with(row, key);
        let page = self.read(&by_field("receipt_number", key, customer)).await?;
        let rows = wire::rows(&page)?;
        if rows.iter().any(|row| !is_of(*row, customer) || !same(*row, "receipt_number", key)) {
            let is_hit = |row: Row<'_>| is_payment_with(row, key);
            let found = self.walk_for(PAYMENTS, customer, since, is_hit).await?;
            return found.ok_or_else(|| {
                Stop::Unproven("Splynx shows payments at one time and none at another".to_owned())
            });
        }
        let found = hits(&rows, is_hit)?;
        if found.is_empty() {
            return Ok(self.renumbered_payments(key, customer).await);
        }
        Ok(found)
    }

    /// Payments whose receipt number Splynx replaced by one of its own.
    ///
    /// Nothing in the facts says that it does; where it does, the search by receipt number alone would credit twice.
    /// A second look that fails proves nothing, and nothing depends on it.
    async fn renumbered_payments(&self, key: &CreditKey, customer: CustomerId) -> Vec<SplynxId> {
        let is_hit = |row: Row<'_>| is_of(row, customer) && is_payment_with(row, key);
        match self.read(&by_field("field_1", key, customer)).await {
            Ok(page) => wire::rows(&page).and_then(|rows| hits(&rows, is_hit)).unwrap_or_default(),
            Err(_) => vec![],
        }
    }

    /// The customer's debit transactions that carry the key.
    ///
    /// `LIKE` is no proof of absence: how Splynx quotes its pattern is not known. So without a hit, all is walked over.
    pub(super) async fn transactions_with(
        &self,
        key: &CreditKey,
        customer: CustomerId,
        since: NaiveDate,
    ) -> Result<Vec<SplynxId>, Stop> {
        let request = TRANSACTIONS
            .newest(PAGE)
            .query(main_attribute("customer_id"), customer)
            .query(format!("{}[0]", main_attribute("description")), "LIKE")
            .query(format!("{}[1]", main_attribute("description")), format!("%{key}%"));
        let page = self.read(&request).await?;
        let is_hit = |row: Row<'_>| is_of(row, customer) && is_debit_with(row, key);
        let rows = wire::rows(&page)?;
        let found = hits(&rows, is_hit)?;
        if !found.is_empty() && rows.iter().all(|row| is_hit(*row)) {
            return Ok(found);
        }
        let is_hit = |row: Row<'_>| is_debit_with(row, key);
        Ok(self.walk_for(TRANSACTIONS, customer, since, is_hit).await?.unwrap_or_default())
    }
}

fn by_field(field: &str, key: &CreditKey, customer: CustomerId) -> Request<'static> {
    PAYMENTS
        .newest(PAGE)
        .query(main_attribute(field), key)
        .query(main_attribute("customer_id"), customer)
}

/// As the database compares: without case, and without spaces at the end.
fn same(row: Row<'_>, field: &str, key: &CreditKey) -> bool {
    row.text(field).trim_end().eq_ignore_ascii_case(key.as_str())
}

/// Exactly the receipt number; or, on a payment that gives, the key in a text. A refund names what it refunds.
fn is_payment_with(row: Row<'_>, key: &CreditKey) -> bool {
    let gives = !matches!(row.decimal("amount"), Ok(Some(amount)) if amount < Decimal::ZERO);
    row.text("receipt_number").trim() == key.as_str()
        || (gives && (carries(&row.text("field_1"), key) || carries(&row.text("comment"), key)))
}

/// A debit with the key in a text. The payment's own transaction is a credit, and may carry the same key.
fn is_debit_with(row: Row<'_>, key: &CreditKey) -> bool {
    row.text("type") != "credit"
        && (carries(&row.text("description"), key) || carries(&row.text("comment"), key))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    const KEY: &str = "BP-BukWCRGV8Q1tW9jXfBSeS7-1";

    fn key() -> CreditKey {
        CreditKey::parse(KEY).unwrap()
    }

    #[rstest]
    #[case::receipt(json!({"receipt_number": KEY}), true)]
    #[case::field(json!({"receipt_number": "000017", "field_1": KEY}), true)]
    #[case::comment(json!({"receipt_number": "000017", "comment": format!("Bitpay {KEY}")}), true)]
    #[case::other_case(json!({"receipt_number": KEY.to_lowercase()}), false)]
    #[case::next_credit(json!({"receipt_number": format!("{KEY}0")}), false)]
    #[case::refund(
        json!({"receipt_number": "R1", "amount": "-51.61", "comment": format!("Refund of {KEY}")}),
        false
    )]
    #[case::negative_receipt(json!({"receipt_number": KEY, "amount": "-1"}), true)]
    fn a_payment_is_ours_by_its_receipt_number_or_its_texts(
        #[case] row: Value,
        #[case] ours: bool,
    ) {
        assert_eq!(is_payment_with(Row::of(&row).unwrap(), &key()), ours);
    }

    #[rstest]
    #[case(json!({"type": "debit", "description": format!("Bitpay fee {KEY}")}), true)]
    #[case(json!({"type": "debit", "description": "Bitpay fee", "comment": KEY}), true)]
    #[case(json!({"type": "credit", "description": format!("Payment {KEY}")}), false)]
    #[case(json!({"type": "debit", "description": "Bitpay fee"}), false)]
    fn a_fee_is_a_debit_that_carries_the_key(#[case] row: Value, #[case] ours: bool) {
        assert_eq!(is_debit_with(Row::of(&row).unwrap(), &key()), ours);
    }
}

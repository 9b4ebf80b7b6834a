//! Payment statements (once "bank statements") and their records: the history an admin reads.

use chrono::{NaiveDate, NaiveDateTime};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::sim::splynx::table::{Cell, Column, Row, column, required};

/// The columns of `admin/finance/bank-statements`.
pub const STATEMENT_COLUMNS: &[Column] = &[
    column("id", "integer"),
    required("title", "string"),
    column("date_time", "datetime"),
    column("handler", "string"),
    column("payment_type", "integer"),
    column("status", "string"),
];

/// The columns of `admin/finance/bank-statements-records`.
pub const RECORD_COLUMNS: &[Column] = &[
    column("id", "integer"),
    required("bank_statements_process_id", "integer"),
    column("datetime", "datetime"),
    column("payment_date", "date"),
    column("amount", "decimal"),
    column("status", "string"),
    column("pairing_1", "string"),
    column("pairing_2", "string"),
    column("pairing_3", "string"),
    column("additional_1", "string"),
    column("additional_2", "string"),
    column("additional_3", "string"),
    column("comment", "string"),
    column("customer_id", "integer"),
    column("invoice_id", "integer"),
    column("credit_note_id", "integer"),
    column("request_id", "integer"),
    column("payment_id", "integer"),
    column("transaction_id", "integer"),
];

/// What a statement may be.
pub const STATEMENT_STATUSES: &[&str] = &["new", "fail", "success"];

/// What a record may be.
pub const RECORD_STATUSES: &[&str] =
    &["new", "processed", "canceled", "error", "ignored", "deleted", "manual_paired", "pending"];

/// A payment statement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statement {
    /// The id.
    pub id: u64,
    /// E.g. `Bitpay 10/2018`; not unique.
    pub title: String,
    /// One of [`STATEMENT_STATUSES`].
    pub status: String,
    /// When it was made.
    pub created: NaiveDateTime,
    /// The payment method, if one was named.
    pub payment_type: Option<u64>,
}

impl Row for Statement {
    fn id(&self) -> u64 {
        self.id
    }

    fn set_id(&mut self, id: u64) {
        self.id = id;
    }

    fn owner(&self) -> Option<u64> {
        None
    }

    fn cell(&self, column: &str) -> Option<Cell<'_>> {
        Some(match column {
            "id" => Cell::Id(self.id),
            "title" => Cell::text(&self.title),
            "date_time" => Cell::DateTime(self.created),
            "handler" => Cell::text(""),
            "payment_type" => Cell::Link(self.payment_type),
            "status" => Cell::text(&self.status),
            _ => return None,
        })
    }
}

/// One line of a statement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// The id.
    pub id: u64,
    /// Its statement.
    pub bank_statements_process_id: u64,
    /// When it was made.
    pub created: NaiveDateTime,
    /// The day of the payment.
    pub payment_date: Option<NaiveDate>,
    /// The sum.
    pub amount: Decimal,
    /// One of [`RECORD_STATUSES`].
    pub status: String,
    /// `pairing_1` (customer id), `pairing_2` (invoice number), `pairing_3`.
    pub pairing: [String; 3],
    /// `additional_1` to `additional_3`.
    pub additional: [String; 3],
    /// The comment.
    pub comment: String,
    /// The customer.
    pub customer_id: Option<u64>,
    /// The invoice.
    pub invoice_id: Option<u64>,
    /// The proforma invoice.
    pub request_id: Option<u64>,
    /// The payment.
    pub payment_id: Option<u64>,
    /// The transaction.
    pub transaction_id: Option<u64>,
}

impl Record {
    fn numbered(&self, column: &str) -> Option<Cell<'_>> {
        let (fields, number) = match column.strip_prefix("pairing_") {
            Some(number) => (&self.pairing, number),
            None => (&self.additional, column.strip_prefix("additional_")?),
        };
        let number: usize = number.parse().ok()?;
        fields.get(number.checked_sub(1)?).map(|field| Cell::text(field))
    }
}

impl Row for Record {
    fn id(&self) -> u64 {
        self.id
    }

    fn set_id(&mut self, id: u64) {
        self.id = id;
    }

    fn owner(&self) -> Option<u64> {
        None
    }

    fn cell(&self, column: &str) -> Option<Cell<'_>> {
        Some(match column {
            "id" => Cell::Id(self.id),
            "bank_statements_process_id" => Cell::Link(Some(self.bank_statements_process_id)),
            "datetime" => Cell::DateTime(self.created),
            "payment_date" => Cell::Date(self.payment_date),
            "amount" => Cell::Money(self.amount),
            "status" => Cell::text(&self.status),
            "comment" => Cell::text(&self.comment),
            "customer_id" => Cell::NullableLink(self.customer_id),
            "invoice_id" => Cell::NullableLink(self.invoice_id),
            "credit_note_id" => Cell::NullableLink(None),
            "request_id" => Cell::NullableLink(self.request_id),
            "payment_id" => Cell::NullableLink(self.payment_id),
            "transaction_id" => Cell::NullableLink(self.transaction_id),
            other => return self.numbered(other),
        })
    }
}

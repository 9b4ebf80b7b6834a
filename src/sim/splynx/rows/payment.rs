//! Payments and transactions: the money.

use chrono::{NaiveDate, NaiveDateTime};
use rust_decimal::Decimal;
use serde::Serialize;

use super::document::round;
use crate::sim::splynx::table::{Cell, Column, Row, column, required};

/// The columns of `admin/finance/payments`.
pub const PAYMENT_COLUMNS: &[Column] = &[
    column("id", "integer"),
    required("customer_id", "integer"),
    column("invoice_id", "integer"),
    column("request_id", "integer"),
    column("credit_note_id", "integer"),
    column("transaction_id", "integer"),
    column("payment_statement_id", "integer"),
    required("payment_type", "integer"),
    required("receipt_number", "string"),
    required("date", "date"),
    required("amount", "decimal"),
    column("comment", "string"),
    column("is_sent", "boolean"),
    required("field_1", "string"),
    required("field_2", "string"),
    required("field_3", "string"),
    required("field_4", "string"),
    required("field_5", "string"),
    column("note", "string"),
    column("memo", "string"),
    column("remind_amount", "decimal"),
    column("real_create_datetime", "datetime"),
    column("added_by", "string"),
    column("added_by_id", "integer"),
    column("updated_at", "datetime"),
];

/// The columns of `admin/finance/transactions`.
pub const TRANSACTION_COLUMNS: &[Column] = &[
    column("id", "integer"),
    required("type", "string"),
    required("customer_id", "integer"),
    column("quantity", "decimal"),
    column("unit", "string"),
    column("price", "decimal"),
    required("tax_percent", "decimal"),
    column("total", "decimal"),
    required("date", "date"),
    required("category", "integer"),
    column("description", "string"),
    column("comment", "string"),
    column("payment_id", "integer"),
    column("invoice_id", "integer"),
    column("to_invoice", "boolean"),
    column("source", "string"),
];

/// A payment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Payment {
    /// The id.
    pub id: u64,
    /// Who paid.
    pub customer_id: u64,
    /// The invoice it was linked to.
    pub invoice_id: Option<u64>,
    /// The proforma invoice it was linked to.
    pub request_id: Option<u64>,
    /// The credit transaction it caused.
    pub transaction_id: Option<u64>,
    /// The payment method.
    pub payment_type: u64,
    /// `varchar(32)`, not unique.
    pub receipt_number: String,
    /// The day of the payment.
    pub date: NaiveDate,
    /// Never zero; negative is a refund.
    pub amount: Decimal,
    /// `varchar(256)`.
    pub comment: String,
    /// `field_1` to `field_5`.
    pub fields: [String; 5],
    /// A note for the customer.
    pub note: String,
    /// A note for admins.
    pub memo: String,
    /// What is not allocated to a document.
    pub remind_amount: Decimal,
    /// When the row was made.
    pub created: NaiveDateTime,
    /// `api` or `admin`.
    pub added_by: String,
}

impl Payment {
    fn field(&self, column: &str) -> Option<Cell<'_>> {
        let number: usize = column.strip_prefix("field_")?.parse().ok()?;
        self.fields.get(number.checked_sub(1)?).map(|field| Cell::text(field))
    }
}

impl Row for Payment {
    fn id(&self) -> u64 {
        self.id
    }

    fn set_id(&mut self, id: u64) {
        self.id = id;
    }

    fn owner(&self) -> Option<u64> {
        Some(self.customer_id)
    }

    fn cell(&self, column: &str) -> Option<Cell<'_>> {
        Some(match column {
            "id" => Cell::Id(self.id),
            "customer_id" => Cell::Link(Some(self.customer_id)),
            "invoice_id" => Cell::NullableLink(self.invoice_id),
            "request_id" => Cell::NullableLink(self.request_id),
            "credit_note_id" | "payment_statement_id" => Cell::NullableLink(None),
            "transaction_id" => Cell::Link(self.transaction_id),
            "payment_type" => Cell::Link(Some(self.payment_type)),
            "receipt_number" => Cell::text(&self.receipt_number),
            "date" => Cell::Date(Some(self.date)),
            "amount" => Cell::Money(self.amount),
            "comment" => Cell::text(&self.comment),
            "is_sent" => Cell::Flag(false),
            "note" => Cell::text(&self.note),
            "memo" => Cell::text(&self.memo),
            "remind_amount" => Cell::Money(self.remind_amount),
            "real_create_datetime" | "updated_at" => Cell::DateTime(self.created),
            "added_by" => Cell::text(&self.added_by),
            "added_by_id" => Cell::Link(Some(1)),
            other => return self.field(other),
        })
    }
}

/// Which way a transaction moves the deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Charges the customer: the deposit sinks.
    Debit,
    /// Gives to the customer: the deposit rises.
    Credit,
}

impl Direction {
    /// The word Splynx uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debit => "debit",
            Self::Credit => "credit",
        }
    }
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transaction {
    /// The id.
    pub id: u64,
    /// Which way.
    #[serde(rename = "type")]
    pub direction: Direction,
    /// Whose deposit.
    pub customer_id: u64,
    /// How many.
    pub quantity: Decimal,
    /// Price of one, without VAT.
    pub price: Decimal,
    /// VAT in percent.
    pub tax_percent: Decimal,
    /// With VAT.
    pub total: Decimal,
    /// The day.
    pub date: NaiveDate,
    /// The transaction category.
    pub category: u64,
    /// The text.
    pub description: String,
    /// `varchar(256)`.
    pub comment: String,
    /// The payment that caused it.
    pub payment_id: Option<u64>,
    /// The invoice that caused it.
    pub invoice_id: Option<u64>,
    /// Whether the next invoice takes it up.
    pub to_invoice: bool,
    /// `manual` or `auto`.
    pub source: String,
}

impl Transaction {
    /// quantity × price with VAT, rounded to two decimals.
    #[must_use]
    pub fn sum(quantity: Decimal, price: Decimal, tax_percent: Decimal) -> Decimal {
        round(quantity * price * (Decimal::ONE + tax_percent / Decimal::ONE_HUNDRED))
    }

    /// What it does to the deposit.
    #[must_use]
    pub fn effect(&self) -> Decimal {
        match self.direction {
            Direction::Debit => -self.total,
            Direction::Credit => self.total,
        }
    }
}

impl Row for Transaction {
    fn id(&self) -> u64 {
        self.id
    }

    fn set_id(&mut self, id: u64) {
        self.id = id;
    }

    fn owner(&self) -> Option<u64> {
        Some(self.customer_id)
    }

    fn cell(&self, column: &str) -> Option<Cell<'_>> {
        Some(match column {
            "id" => Cell::Id(self.id),
            "type" => Cell::text(self.direction.as_str()),
            "customer_id" => Cell::Link(Some(self.customer_id)),
            "quantity" => Cell::Money(self.quantity),
            "unit" => Cell::text(""),
            "price" => Cell::Money(self.price),
            "tax_percent" => Cell::Money(self.tax_percent),
            "total" => Cell::Money(self.total),
            "date" => Cell::Date(Some(self.date)),
            "category" => Cell::Link(Some(self.category)),
            "description" => Cell::text(&self.description),
            "comment" => Cell::text(&self.comment),
            "payment_id" => Cell::NullableLink(self.payment_id),
            "invoice_id" => Cell::NullableLink(self.invoice_id),
            "to_invoice" => Cell::Flag(self.to_invoice),
            "source" => Cell::text(&self.source),
            _ => return None,
        })
    }
}

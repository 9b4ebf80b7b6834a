//! Invoices and proforma invoices: documents of items.
//!
//! **Invariant:** `total` is the sum of the items, and `due` is `total` less what payments are allocated to it.

use chrono::{NaiveDate, NaiveDateTime};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sim::splynx::table::{Cell, Column, Row, column, required};

/// The columns of `admin/finance/invoices`.
pub const INVOICE_COLUMNS: &[Column] = &[
    column("id", "integer"),
    required("customer_id", "integer"),
    column("number", "string"),
    column("date_created", "date"),
    column("real_create_datetime", "datetime"),
    column("date_updated", "date"),
    column("date_payment", "date"),
    column("date_till", "date"),
    column("use_transactions", "boolean"),
    column("note", "string"),
    column("memo", "string"),
    column("total", "decimal"),
    column("due", "decimal"),
    column("payment_id", "integer"),
    column("type", "string"),
    column("payd_from_deposit", "boolean"),
    required("status", "string"),
    column("is_sent", "boolean"),
    column("added_by", "string"),
    column("added_by_id", "integer"),
    column("items", "array"),
];

/// The columns of `admin/finance/proforma-invoices`: no `due`, no `type`.
pub const PROFORMA_COLUMNS: &[Column] = &[
    column("id", "integer"),
    required("customer_id", "integer"),
    column("number", "string"),
    column("date_created", "date"),
    column("real_create_datetime", "datetime"),
    column("date_updated", "date"),
    column("date_payment", "date"),
    column("date_till", "date"),
    column("note", "string"),
    column("memo", "string"),
    column("total", "decimal"),
    column("payment_id", "integer"),
    required("status", "string"),
    column("is_sent", "boolean"),
    column("is_crm_request", "boolean"),
    column("added_by", "string"),
    column("added_by_id", "integer"),
    column("items", "array"),
];

/// The status of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for money.
    NotPaid,
    /// Paid.
    Paid,
    /// Another gateway is at it.
    Pending,
    /// Deleted; only invoices.
    Deleted,
}

impl Status {
    /// The word Splynx uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotPaid => "not_paid",
            Self::Paid => "paid",
            Self::Pending => "pending",
            Self::Deleted => "deleted",
        }
    }

    /// The status of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::NotPaid, Self::Paid, Self::Pending, Self::Deleted]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// Which of the two documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An invoice.
    Invoice,
    /// A proforma invoice, once called request.
    Proforma,
}

/// One line of a document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// Counts over all items of all documents of its kind.
    pub id: u64,
    /// The text.
    pub description: String,
    /// How many.
    pub quantity: Decimal,
    /// The unit.
    pub unit: String,
    /// Price of one, without VAT, four decimals.
    pub price: Decimal,
    /// VAT in percent.
    pub tax: Decimal,
    /// The transaction category.
    pub category: u64,
    /// The debit transaction it caused; proforma items cause none.
    pub transaction_id: Option<u64>,
}

impl Item {
    fn net(&self) -> Decimal {
        self.quantity * self.price
    }

    /// The line with VAT, rounded to two decimals, half away from zero.
    #[must_use]
    pub fn total(&self) -> Decimal {
        round(self.net() * (Decimal::ONE + self.tax / Decimal::ONE_HUNDRED))
    }

    /// The VAT in it.
    #[must_use]
    pub fn tax_amount(&self) -> Decimal {
        self.total() - round(self.net())
    }

    fn wire(&self, position: usize) -> Value {
        json!({
            "id": self.id, "pos": position, "description": self.description,
            "quantity": self.quantity.normalize().to_string(), "unit": self.unit,
            "price": format!("{:.4}", self.price), "tax": format!("{:.4}", self.tax), "tax_id": 0,
            "tax_amount": format!("{:.4}", self.tax_amount()),
            "period_from": "0000-00-00", "period_to": "0000-00-00",
            "transaction_id": self.transaction_id.unwrap_or(0),
            "categoryIdForTransaction": self.category, "sub_account_id": 0,
        })
    }
}

pub(in crate::sim::splynx) fn round(sum: Decimal) -> Decimal {
    sum.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// An invoice or a proforma invoice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Document {
    /// Which of the two.
    pub kind: Kind,
    /// The id.
    pub id: u64,
    /// Whose it is.
    pub customer_id: u64,
    /// The number the customer sees.
    pub number: String,
    /// When it was made.
    pub created: NaiveDateTime,
    /// Pay till.
    pub date_till: Option<NaiveDate>,
    /// When it was paid.
    pub date_payment: Option<NaiveDate>,
    /// When it was last changed.
    pub date_updated: Option<NaiveDate>,
    /// The payment that paid it.
    pub payment_id: Option<u64>,
    /// Its status.
    pub status: Status,
    /// Σ items.
    pub total: Decimal,
    /// What is left to pay. Proforma invoices have it only in here, the API does not show it.
    pub due: Decimal,
    /// A note for the customer.
    pub note: String,
    /// A note for admins.
    pub memo: String,
    /// The lines.
    pub items: Vec<Item>,
}

impl Document {
    fn items_wire(&self) -> Value {
        self.items.iter().zip(1..).map(|(item, position)| item.wire(position)).collect()
    }

    fn invoice_only(&self, column: &str) -> Option<Cell<'_>> {
        Some(match column {
            "due" => Cell::Sum(self.due),
            "type" => Cell::text("one_time"),
            "use_transactions" => Cell::Flag(true),
            "payd_from_deposit" => Cell::Flag(false),
            _ => return None,
        })
    }
}

impl Row for Document {
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
            "number" => Cell::text(&self.number),
            "date_created" => Cell::Date(Some(self.created.date())),
            "real_create_datetime" => Cell::DateTime(self.created),
            "date_updated" => Cell::Date(self.date_updated),
            "date_payment" => Cell::Date(self.date_payment),
            "date_till" => Cell::Date(self.date_till),
            "note" => Cell::text(&self.note),
            "memo" => Cell::text(&self.memo),
            "total" => Cell::Sum(self.total),
            "payment_id" => Cell::Link(self.payment_id),
            "status" => Cell::text(self.status.as_str()),
            "is_sent" => Cell::Flag(false),
            "added_by" => Cell::text("admin"),
            "added_by_id" => Cell::Link(Some(1)),
            "items" => Cell::Json(self.items_wire()),
            "is_crm_request" if self.kind == Kind::Proforma => Cell::Flag(false),
            other if self.kind == Kind::Invoice => return self.invoice_only(other),
            _ => return None,
        })
    }
}

/// How much of a payment went into an invoice (Splynx's table `invoice_payers`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Relation {
    /// The id.
    pub id: u64,
    /// Whose it is.
    pub customer_id: u64,
    /// The payment.
    pub payment_id: u64,
    /// Which document.
    pub kind: Kind,
    /// The document's id.
    pub document_id: u64,
    /// How much.
    pub amount: Decimal,
}

impl Row for Relation {
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
            "payer_id" => Cell::Link(Some(self.payment_id)),
            "type" => Cell::text("payment"),
            "invoice_id" => Cell::Link(Some(self.document_id)),
            "amount" => Cell::Money(self.amount),
            _ => return None,
        })
    }
}

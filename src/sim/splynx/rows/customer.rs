//! A customer and their billing.

use rust_decimal::Decimal;
use serde::Serialize;

use crate::sim::splynx::table::{Cell, Column, Row, column, required};

/// The columns of `admin/customers/customer`.
pub const CUSTOMER_COLUMNS: &[Column] = &[
    column("id", "integer"),
    required("login", "string"),
    column("status", "string"),
    required("partner_id", "integer"),
    required("location_id", "integer"),
    column("parent_id", "integer"),
    required("name", "string"),
    column("email", "string"),
    column("billing_email", "string"),
    column("phone", "string"),
    column("category", "string"),
    column("billing_type", "string"),
    column("street_1", "string"),
    column("zip_code", "string"),
    column("city", "string"),
    column("date_add", "date"),
    column("additional_attributes", "array"),
];

/// The columns of `admin/customers/customer-billing`.
pub const BILLING_COLUMNS: &[Column] = &[
    column("customer_id", "integer"),
    column("enabled", "boolean"),
    column("type", "string"),
    column("deposit", "decimal"),
    column("billing_date", "integer"),
    column("billing_due", "integer"),
    column("grace_period", "integer"),
    column("payment_method", "integer"),
    column("min_balance", "decimal"),
];

/// A customer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Customer {
    /// The id; admins and customers are counted separately.
    pub id: u64,
    /// The portal login.
    pub login: String,
    /// The portal password.
    #[serde(skip)]
    pub password: String,
    /// `new`, `active`, `blocked` or `disabled`.
    pub status: String,
    /// The partner.
    pub partner_id: u64,
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// `recurring`, `prepaid` or `prepaid_monthly`.
    pub billing_type: String,
    /// The balance: Σ credit − Σ debit transactions.
    pub deposit: Decimal,
}

impl Row for Customer {
    fn id(&self) -> u64 {
        self.id
    }

    fn set_id(&mut self, id: u64) {
        self.id = id;
    }

    fn owner(&self) -> Option<u64> {
        Some(self.id)
    }

    fn cell(&self, column: &str) -> Option<Cell<'_>> {
        Some(match column {
            "id" => Cell::Id(self.id),
            "login" => Cell::text(&self.login),
            "status" => Cell::text(&self.status),
            "partner_id" => Cell::Link(Some(self.partner_id)),
            "location_id" => Cell::Link(Some(1)),
            "parent_id" => Cell::Link(None),
            "name" => Cell::text(&self.name),
            "email" | "billing_email" => Cell::text(&self.email),
            "phone" | "street_1" | "zip_code" | "city" => Cell::text(""),
            "category" => Cell::text("person"),
            "billing_type" => Cell::text(&self.billing_type),
            "date_add" => Cell::Date(None),
            "additional_attributes" => Cell::Json(serde_json::json!({})),
            _ => return None,
        })
    }
}

/// The billing of a customer, as its own resource.
#[derive(Debug, Clone, Copy)]
pub struct Billing<'a>(pub &'a Customer);

impl Billing<'_> {
    /// The value of a column.
    #[must_use]
    pub fn cell(&self, column: &str) -> Option<Cell<'_>> {
        Some(match column {
            "customer_id" => Cell::Link(Some(self.0.id)),
            "enabled" => Cell::Flag(true),
            "type" => Cell::text(&self.0.billing_type),
            "deposit" => Cell::Money(self.0.deposit),
            "billing_date" => Cell::Link(Some(1)),
            "billing_due" | "grace_period" => Cell::Link(Some(15)),
            "payment_method" => Cell::Link(Some(1)),
            "min_balance" => Cell::Money(Decimal::ZERO),
            _ => return None,
        })
    }
}

//! The rows of the simulated database, with the columns of Splynx's API.
//!
//! **Invariant:** a column name stands here once and is what the outside knows; nothing here is shared with the adapter.

mod customer;
mod document;
mod lists;
mod payment;
mod statement;

pub use customer::{BILLING_COLUMNS, Billing, CUSTOMER_COLUMNS, Customer};
pub use document::{Document, INVOICE_COLUMNS, Item, Kind, PROFORMA_COLUMNS, Relation, Status};
pub use lists::{
    Admin, CATEGORY_COLUMNS, Category, MAIL_COLUMNS, METHOD_COLUMNS, Mail, Method, PARTNER_COLUMNS,
    Partner,
};
pub use payment::{Direction, PAYMENT_COLUMNS, Payment, TRANSACTION_COLUMNS, Transaction};
pub use statement::{
    RECORD_COLUMNS, RECORD_STATUSES, Record, STATEMENT_COLUMNS, STATEMENT_STATUSES, Statement,
};

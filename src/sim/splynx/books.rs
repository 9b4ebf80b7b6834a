//! The simulated database: customers, documents and money.
//!
//! **Invariant:** it is changed through `ledger` alone, so that sums, deposits and statuses agree.

use chrono::{NaiveDate, NaiveDateTime};
use rust_decimal::Decimal;
use serde::Serialize;

use super::rows::{
    Admin, Category, Customer, Document, Kind, Mail, Method, Partner, Payment, Record, Relation,
    Statement, Status, Transaction,
};
use super::table::Table;

/// All rows.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Books {
    /// Admins.
    pub admins: Table<Admin>,
    /// Partners.
    pub partners: Table<Partner>,
    /// Customers.
    pub customers: Table<Customer>,
    /// Invoices.
    pub invoices: Table<Document>,
    /// Proforma invoices.
    pub proformas: Table<Document>,
    /// Payments.
    pub payments: Table<Payment>,
    /// Transactions.
    pub transactions: Table<Transaction>,
    /// What of which payment went into which document.
    pub relations: Table<Relation>,
    /// Payment methods.
    pub methods: Table<Method>,
    /// Transaction categories.
    pub categories: Table<Category>,
    /// Payment statements.
    pub statements: Table<Statement>,
    /// Their records.
    pub records: Table<Record>,
    /// Queued e-mails.
    pub mails: Table<Mail>,
    #[serde(skip)]
    pub(super) last_item_id: u64,
}

/// One line of a document that is to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftItem {
    /// The text.
    pub description: String,
    /// How many.
    pub quantity: Decimal,
    /// Price of one, without VAT.
    pub price: Decimal,
    /// VAT in percent.
    pub tax: Decimal,
}

/// A document that is to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Whose it will be.
    pub customer_id: u64,
    /// Its number; the next free one of the month when left out.
    pub number: Option<String>,
    /// When it was made.
    pub created: NaiveDateTime,
    /// The lines.
    pub items: Vec<DraftItem>,
}

impl Draft {
    /// A document with one line of this sum, VAT included.
    #[must_use]
    pub fn of(customer_id: u64, sum: Decimal, created: NaiveDateTime) -> Self {
        let item = DraftItem {
            description: "Internet".to_owned(),
            quantity: Decimal::ONE,
            price: sum,
            tax: Decimal::ZERO,
        };
        Self { customer_id, number: None, created, items: vec![item] }
    }

    /// The same with this number.
    #[must_use]
    pub fn numbered(mut self, number: &str) -> Self {
        self.number = Some(number.to_owned());
        self
    }
}

impl Books {
    /// The table of this kind of document.
    #[must_use]
    pub fn documents(&self, kind: Kind) -> &Table<Document> {
        match kind {
            Kind::Invoice => &self.invoices,
            Kind::Proforma => &self.proformas,
        }
    }

    /// The table of this kind of document, to be changed.
    pub(super) fn documents_mut(&mut self, kind: Kind) -> &mut Table<Document> {
        match kind {
            Kind::Invoice => &mut self.invoices,
            Kind::Proforma => &mut self.proformas,
        }
    }

    /// The document of this number.
    #[must_use]
    pub fn by_number(&self, kind: Kind, number: &str) -> Option<&Document> {
        self.documents(kind).iter().find(|document| document.number == number)
    }

    /// The deposit (balance) of a customer; zero for nobody.
    #[must_use]
    pub fn deposit(&self, customer_id: u64) -> Decimal {
        self.customers.get(customer_id).map_or(Decimal::ZERO, |customer| customer.deposit)
    }

    /// The payments of this receipt number.
    #[must_use]
    pub fn payments_with_receipt(&self, receipt_number: &str) -> Vec<&Payment> {
        self.payments.iter().filter(|payment| payment.receipt_number == receipt_number).collect()
    }

    pub(super) fn next_number(&self, kind: Kind, date: NaiveDate) -> String {
        let month = date.format("%Y%m").to_string();
        let taken = |document: &&Document| document.number.starts_with(&month);
        let last = self
            .documents(kind)
            .iter()
            .filter(taken)
            .filter_map(|document| document.number.strip_prefix(&month)?.parse::<u64>().ok());
        format!("{month}{:06}", last.max().unwrap_or(0) + 1)
    }

    /// The customer's oldest invoice that waits for money.
    pub(super) fn oldest_unpaid_invoice(&self, customer_id: u64) -> Option<u64> {
        let waits = |invoice: &&Document| {
            invoice.customer_id == customer_id
                && invoice.status == Status::NotPaid
                && invoice.due > Decimal::ZERO
        };
        let age = |invoice: &&Document| (invoice.created, invoice.id);
        self.invoices.iter().filter(waits).min_by_key(age).map(|invoice| invoice.id)
    }
}

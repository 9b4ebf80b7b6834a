//! The rows of the simulated Splynx, and what its database does with a write.
//!
//! **Invariant:** nothing here compares keys: Splynx has no idempotency key.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value;

use super::super::clock::true_time;
use crate::domain::ids::{CustomerId, DocumentId, DocumentNumber, SplynxId};
use crate::domain::payable::{Document, DocumentItem, DocumentKind, DocumentRef, DocumentStatus};
use crate::domain::posting::{PostingKind, WriteOutcome};
use crate::ports::billing::Endpoint;

/// A payment or a debit transaction.
#[derive(Debug, Clone)]
pub(in super::super) struct MoneyRow {
    pub(in super::super) id: i64,
    pub(in super::super) customer: i64,
    /// `receipt_number`, or the end of a description.
    pub(in super::super) key: String,
    pub(in super::super) amount: Decimal,
    pub(in super::super) document: Option<(DocumentKind, i64)>,
    /// The later of the date written on it and the day it was made.
    pub(in super::super) day: NaiveDate,
}

/// A document, and whether an admin ever touched it.
#[derive(Debug, Clone)]
pub(in super::super) struct DocumentRow {
    pub(in super::super) document: Document,
    pub(in super::super) edited: bool,
    pub(in super::super) gone: bool,
}

/// A record in a payment statement.
#[derive(Debug, Clone)]
pub(in super::super) struct RecordRow {
    pub(in super::super) id: i64,
    pub(in super::super) attempt: String,
    pub(in super::super) status: String,
}

/// All rows.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Books {
    pub(in super::super) payments: Vec<MoneyRow>,
    pub(in super::super) debits: Vec<MoneyRow>,
    pub(in super::super) documents: BTreeMap<(u8, i64), DocumentRow>,
    pub(in super::super) records: Vec<RecordRow>,
    marks_paid: bool,
    last_id: i64,
    /// When intents that were not followed by a sending yet were committed, by true time.
    intents: BTreeMap<String, i64>,
    /// Writes that left and are neither executed nor lost.
    pub(super) under_way: BTreeMap<String, u32>,
    /// What was executed beyond the residual assumption.
    pub(in super::super) tainted: BTreeSet<String>,
}

fn code(kind: DocumentKind) -> u8 {
    match kind {
        DocumentKind::Invoice => 0,
        DocumentKind::ProformaInvoice => 1,
    }
}

/// The name of what must exist once: the kind of write and the credit key.
pub(in super::super) fn thing(kind: PostingKind, key: &str) -> String {
    let class = match kind {
        PostingKind::FeeItem => "item",
        PostingKind::DocumentPayment | PostingKind::BalancePayment => "payment",
        PostingKind::FeeDebit => "debit",
        PostingKind::DocumentStatus => "status",
        PostingKind::StatementRecord => "record",
    };
    format!("{class} {key}")
}

fn last_word(text: &str) -> &str {
    text.rsplit(' ').next().unwrap_or_default()
}

/// What a body asks for.
pub(super) struct Wish {
    /// The kind of write and the key it carries.
    pub(super) thing: String,
    pub(super) kind: PostingKind,
    fields: Value,
}

impl Wish {
    /// Reads a body as Splynx would.
    pub(super) fn of(endpoint: Endpoint, body: &str) -> Self {
        let fields: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        let (kind, key) = match endpoint {
            Endpoint::Payments => (PostingKind::BalancePayment, text("receipt_number").to_owned()),
            Endpoint::Transactions => {
                (PostingKind::FeeDebit, last_word(text("description")).to_owned())
            }
            Endpoint::Document(_, id) => match first_item(&fields) {
                Some(item) => {
                    let words = item.get("description").and_then(Value::as_str);
                    (PostingKind::FeeItem, last_word(words.unwrap_or_default()).to_owned())
                }
                None => (PostingKind::DocumentStatus, id.to_string()),
            },
        };
        Self { thing: thing(kind, &key), kind, fields }
    }

    fn integer(&self, name: &str) -> Option<i64> {
        self.fields.get(name).and_then(Value::as_i64)
    }

    fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn decimal(&self, name: &str) -> Decimal {
        self.text(name).parse().unwrap_or_default()
    }
}

fn first_item(fields: &Value) -> Option<&Value> {
    fields.get("items")?.as_array()?.first()
}

impl Books {
    /// Without any row.
    pub(in super::super) fn new(marks_paid: bool) -> Self {
        Self { marks_paid, ..Self::default() }
    }

    /// A request of this kind may leave from now on.
    pub(in super::super) fn intent(&mut self, kind: PostingKind, key: &str, now: i64) {
        self.intents.insert(thing(kind, key), now);
    }

    /// When the intent of this thing was committed that was not followed by a sending yet.
    pub(super) fn take_intent(&mut self, thing: &str) -> Option<i64> {
        self.intents.remove(thing)
    }

    /// Whether a write left that is neither executed nor lost.
    pub(in super::super) fn is_something_under_way(&self) -> bool {
        self.under_way.values().any(|number| *number > 0)
    }

    fn next_id(&mut self) -> i64 {
        self.last_id = self.last_id.saturating_add(1);
        self.last_id
    }

    /// Adds a document of this sum.
    pub(in super::super) fn add_document(
        &mut self,
        kind: DocumentKind,
        customer: i64,
        total: Decimal,
        with_due: bool,
    ) -> DocumentRef {
        let id = self.next_id();
        let number = DocumentNumber::parse(&format!("20231100{id}"));
        let number = number.unwrap_or_else(|_| unreachable!("digits are a document number"));
        let reference = DocumentRef { kind, id: DocumentId::new(id), number };
        let document = Document {
            reference: reference.clone(),
            customer: CustomerId::new(customer),
            status: DocumentStatus::NotPaid,
            total,
            due: with_due.then_some(total),
            items: vec![],
        };
        let row = DocumentRow { document, edited: false, gone: false };
        self.documents.insert((code(kind), id), row);
        reference
    }

    /// The document with this id.
    pub(in super::super) fn document(&self, kind: DocumentKind, id: i64) -> Option<&DocumentRow> {
        self.documents.get(&(code(kind), id)).filter(|row| !row.gone)
    }

    /// Executes a write.
    pub(super) fn execute(&mut self, endpoint: Endpoint, wish: &Wish, now: i64) -> WriteOutcome {
        match endpoint {
            Endpoint::Payments => self.add_payment(wish, now),
            Endpoint::Transactions => self.add_debit(wish, now),
            Endpoint::Document(kind, id) => self.change_document(kind, id.get(), wish),
        }
    }

    fn money_row(&mut self, wish: &Wish, key: String, amount: Decimal, now: i64) -> MoneyRow {
        let today = true_time(now).date_naive();
        let written = wish.text("date").parse().unwrap_or(today);
        MoneyRow {
            id: self.next_id(),
            customer: wish.integer("customer_id").unwrap_or_default(),
            key,
            amount,
            document: None,
            day: today.max(written),
        }
    }

    fn add_payment(&mut self, wish: &Wish, now: i64) -> WriteOutcome {
        let amount = wish.decimal("amount");
        let mut row = self.money_row(wish, wish.text("receipt_number").to_owned(), amount, now);
        let invoice = wish.integer("invoice_id").map(|id| (DocumentKind::Invoice, id));
        let proforma = wish.integer("request_id").map(|id| (DocumentKind::ProformaInvoice, id));
        row.document = invoice.or(proforma);
        if let Some((kind, id)) = row.document {
            self.pay_document(kind, id, amount);
        }
        let id = SplynxId::new(row.id);
        self.payments.push(row);
        WriteOutcome::Done { splynx_id: Some(id) }
    }

    fn pay_document(&mut self, kind: DocumentKind, id: i64, amount: Decimal) {
        let marks_paid = self.marks_paid;
        let Some(row) = self.documents.get_mut(&(code(kind), id)) else {
            return;
        };
        let open = row.document.open_sum().saturating_sub(amount).max(Decimal::ZERO);
        if row.document.due.is_some() {
            row.document.due = Some(open);
        }
        if marks_paid && open.is_zero() {
            row.document.status = DocumentStatus::Paid;
        }
    }

    fn add_debit(&mut self, wish: &Wish, now: i64) -> WriteOutcome {
        let key = last_word(wish.text("description")).to_owned();
        let row = self.money_row(wish, key, wish.decimal("price"), now);
        let id = SplynxId::new(row.id);
        self.debits.push(row);
        WriteOutcome::Done { splynx_id: Some(id) }
    }

    fn change_document(&mut self, kind: DocumentKind, id: i64, wish: &Wish) -> WriteOutcome {
        let item_id = self.next_id();
        let Some(row) = self.documents.get_mut(&(code(kind), id)).filter(|row| !row.gone) else {
            let sentence = "there is no such document".to_owned();
            return WriteOutcome::NotExecuted(crate::domain::posting::NotExecuted::Refused {
                sentence,
            });
        };
        if let Some(item) = first_item(&wish.fields) {
            add_item(&mut row.document, item, item_id);
        } else {
            row.document.status = DocumentStatus::Paid;
            if row.document.due.is_some() {
                row.document.due = Some(Decimal::ZERO);
            }
        }
        WriteOutcome::Done { splynx_id: None }
    }
}

/// An item without an id is appended, whatever is there already.
fn add_item(document: &mut Document, item: &Value, id: i64) {
    let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
    let price: Decimal = text("price").parse().unwrap_or_default();
    let tax: Decimal = text("tax").parse().unwrap_or_default();
    let factor =
        Decimal::ONE.saturating_add(tax.checked_div(Decimal::ONE_HUNDRED).unwrap_or_default());
    let gross = price.saturating_mul(factor);
    document.items.push(DocumentItem { id, description: text("description").to_owned(), price });
    document.total = document.total.saturating_add(gross);
    document.due = document.due.map(|due| due.saturating_add(gross));
}

//! A Splynx that says what it was told to say.
//!
//! **Invariant:** what it is not told it answers as a healthy one would that has no rows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value;

use super::bench::{Hands, document_ref, lock, refused, unavailable};
use crate::domain::ids::{CreditKey, CustomerId, DocumentNumber, SplynxId};
use crate::domain::payable::{
    Customer, Document, DocumentItem, DocumentKind, DocumentRef, DocumentStatus,
};
use crate::domain::posting::{SearchOutcome, WriteOutcome};
use crate::ports::PeerError;
use crate::ports::billing::{Billing, Endpoint, PaymentRow, Statements, Write};

/// What it shows and what it was asked.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// The document as it stands.
    pub(crate) document: Option<Document>,
    /// What the next reads of the document answer instead.
    pub(crate) reads: VecDeque<Result<Option<Document>, PeerError>>,
    /// What the next searches find; nothing after that.
    pub(crate) found: VecDeque<SearchOutcome>,
    /// The clock that is set to these seconds during the next search.
    pub(crate) sets: Option<(Arc<Hands>, i64)>,
    /// What becomes of the next writes; they are done after that.
    pub(crate) outcomes: VecDeque<WriteOutcome>,
    /// A change of the status is taken and not shown.
    pub(crate) keeps_status: bool,
    /// It answers nothing about customers.
    pub(crate) is_down: bool,
    /// It refuses to tell about customers.
    pub(crate) is_shut: bool,
    /// Every write, with the last moment it might have left.
    pub(crate) writes: Vec<(Endpoint, Value, Duration)>,
    /// What was searched for: payments or transactions, whose, and since when.
    pub(crate) searches: Vec<(&'static str, String, i64, NaiveDate)>,
    /// Records in statements.
    pub(crate) records: Vec<String>,
}

impl Desk {
    /// Shows an unpaid document of customer 42 with this total.
    pub(crate) fn shows(&mut self, kind: DocumentKind, total: &str) {
        self.document = Some(Document {
            reference: document_ref(kind),
            customer: CustomerId::new(42),
            status: DocumentStatus::NotPaid,
            total: total.parse().unwrap(),
            due: None,
            items: vec![],
        });
    }

    /// Where the writes went.
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        self.writes.iter().map(|(endpoint, ..)| *endpoint).collect()
    }

    fn take(&mut self, fields: &Value, endpoint: Endpoint) -> Option<SplynxId> {
        if !matches!(endpoint, Endpoint::Document(..)) {
            return Some(SplynxId::new(500 + i64::try_from(self.writes.len()).unwrap()));
        }
        let document = self.document.as_mut()?;
        if fields.get("status").is_some() && !self.keeps_status {
            document.status = DocumentStatus::Paid;
        }
        if let Some(text) = fields.pointer("/items/0/description").and_then(Value::as_str) {
            document.items.push(DocumentItem {
                id: 77,
                description: text.to_owned(),
                price: Decimal::ZERO,
            });
            document.total += Decimal::TEN;
        }
        None
    }
}

/// The billing system.
#[derive(Debug, Default)]
pub(crate) struct Splynx(Mutex<Desk>);

impl Splynx {
    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        lock(&self.0)
    }

    fn search(
        &self,
        what: &'static str,
        key: &CreditKey,
        whose: CustomerId,
        since: NaiveDate,
    ) -> SearchOutcome {
        let mut desk = self.desk();
        if let Some((clock, seconds)) = desk.sets.take() {
            clock.set(seconds);
        }
        desk.searches.push((what, key.to_string(), whose.get(), since));
        desk.found.pop_front().unwrap_or(SearchOutcome::Complete(vec![]))
    }
}

#[async_trait]
impl Billing for Splynx {
    async fn document_by_number(
        &self,
        _kind: DocumentKind,
        _number: &DocumentNumber,
    ) -> Result<Option<Document>, PeerError> {
        Ok(self.desk().document.clone())
    }

    async fn document(&self, _document: &DocumentRef) -> Result<Option<Document>, PeerError> {
        let mut desk = self.desk();
        let told = desk.reads.pop_front();
        told.unwrap_or_else(|| Ok(desk.document.clone()))
    }

    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, PeerError> {
        let desk = self.desk();
        if desk.is_down {
            return Err(unavailable());
        }
        if desk.is_shut {
            return Err(refused());
        }
        Ok(Some(Customer { id, name: "Customer One".to_owned(), billing_type: String::new() }))
    }

    async fn write(&self, write: Write<'_>) -> WriteOutcome {
        let mut desk = self.desk();
        let fields: Value = serde_json::from_str(write.body).unwrap();
        desk.writes.push((write.endpoint, fields.clone(), write.not_after));
        if let Some(outcome) = desk.outcomes.pop_front() {
            return outcome;
        }
        WriteOutcome::Done { splynx_id: desk.take(&fields, write.endpoint) }
    }

    async fn find_payments(
        &self,
        key: &CreditKey,
        customer: CustomerId,
        since: NaiveDate,
    ) -> SearchOutcome {
        self.search("payments", key, customer, since)
    }

    async fn find_transactions(
        &self,
        key: &CreditKey,
        customer: CustomerId,
        since: NaiveDate,
    ) -> SearchOutcome {
        self.search("transactions", key, customer, since)
    }

    async fn payments_by_keys(
        &self,
        _keys: &[CreditKey],
        _since: NaiveDate,
    ) -> Result<Vec<PaymentRow>, PeerError> {
        Ok(vec![])
    }

    async fn payments_with_our_keys(
        &self,
        _since: NaiveDate,
        _until: NaiveDate,
    ) -> Result<Vec<PaymentRow>, PeerError> {
        Ok(vec![])
    }

    async fn module_settings(&self) -> Result<BTreeMap<String, String>, PeerError> {
        Ok(BTreeMap::new())
    }
}

#[async_trait]
impl Statements for Splynx {
    async fn statement(&self, _title: &str) -> Result<SplynxId, PeerError> {
        Ok(SplynxId::new(1))
    }

    async fn find_record(&self, _attempt: &str) -> Result<Option<SplynxId>, PeerError> {
        Ok(None)
    }

    async fn add_record(&self, body: &str) -> Result<SplynxId, PeerError> {
        self.desk().records.push(body.to_owned());
        Ok(SplynxId::new(2))
    }

    async fn change_record(&self, _record: SplynxId, _body: &str) -> Result<(), PeerError> {
        Ok(())
    }
}

//! Invoices, proforma invoices and customers.

use std::cmp::Reverse;

use super::client::{Client, Request};
use super::operation::Operation;
use super::outcome::unreadable;
use super::search::{Collection, main_attribute};
use super::wire::{self, Row, records};
use crate::domain::ids::{CustomerId, DocumentNumber};
use crate::domain::payable::{Customer, Document, DocumentKind, DocumentRef, DocumentStatus};
use crate::ports::PeerError;

/// Numbers are meant to be unique; more rows than this with one number are no help to anybody.
const SAME_NUMBER_MAX: usize = 50;

/// Where documents of a kind live (facts/splynx 2.1, 2.2).
pub(super) fn collection(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Invoice => "admin/finance/invoices",
        DocumentKind::ProformaInvoice => "admin/finance/proforma-invoices",
    }
}

impl Client {
    /// The document with this number. Among several, one that is not deleted, and the newest of those.
    pub(super) async fn find_document(
        &self,
        kind: DocumentKind,
        number: &DocumentNumber,
    ) -> Result<Option<Document>, PeerError> {
        let collection = Collection { operation: Operation::FindDocument, path: collection(kind) };
        let request = collection.newest(SAME_NUMBER_MAX).query(main_attribute("number"), number);
        let page = self.read(&request).await?;
        let mut found = vec![];
        for row in wire::rows(&page)? {
            // A Splynx that ignores the filter shows other documents, and the database ignores case.
            if row.text("number") == number.as_str() {
                found.push(records::document(kind, row)?);
            }
        }
        Ok(found.into_iter().max_by_key(|document| {
            let deleted = document.status == DocumentStatus::Deleted;
            (Reverse(deleted), document.reference.id)
        }))
    }

    /// The document with this id.
    pub(super) async fn read_document(
        &self,
        document: &DocumentRef,
    ) -> Result<Option<Document>, PeerError> {
        let request =
            Request::get(Operation::ReadDocument, collection(document.kind)).segment(document.id);
        let Some(value) = self.read_one(&request).await? else {
            return Ok(None);
        };
        let read = records::document(document.kind, Row::of(&value)?)?;
        if read.reference.id == document.id {
            Ok(Some(read))
        } else {
            Err(unreadable("it answered with another document than asked for"))
        }
    }

    /// The customer with this id.
    pub(super) async fn read_customer(
        &self,
        id: CustomerId,
    ) -> Result<Option<Customer>, PeerError> {
        let request = Request::get(Operation::ReadCustomer, "admin/customers/customer").segment(id);
        let Some(value) = self.read_one(&request).await? else {
            return Ok(None);
        };
        let read = records::customer(Row::of(&value)?)?;
        if read.id == id {
            Ok(Some(read))
        } else {
            Err(unreadable("it answered with another customer than asked for"))
        }
    }
}

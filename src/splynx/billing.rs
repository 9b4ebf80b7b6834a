//! [`Billing`] by the other files of this module.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::NaiveDate;
use reqwest::Method;

use super::client::{Client, Request};
use super::documents;
use super::operation::Operation;
use super::outcome::{Verb, write_outcome};
use super::payments::{PAYMENTS, TRANSACTIONS};
use super::search;
use crate::domain::ids::{CreditKey, CustomerId, DocumentNumber};
use crate::domain::payable::{Customer, Document, DocumentKind, DocumentRef};
use crate::domain::posting::{SearchOutcome, WriteOutcome};
use crate::ports::PeerError;
use crate::ports::billing::{Billing, Endpoint, PaymentRow, Write};

#[async_trait]
impl Billing for Client {
    #[tracing::instrument(name = "splynx.document_by_number", skip_all)]
    async fn document_by_number(
        &self,
        kind: DocumentKind,
        number: &DocumentNumber,
    ) -> Result<Option<Document>, PeerError> {
        self.find_document(kind, number).await
    }

    #[tracing::instrument(name = "splynx.document", skip_all)]
    async fn document(&self, document: &DocumentRef) -> Result<Option<Document>, PeerError> {
        self.read_document(document).await
    }

    #[tracing::instrument(name = "splynx.customer", skip_all)]
    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, PeerError> {
        self.read_customer(id).await
    }

    #[tracing::instrument(name = "splynx.write", skip_all)]
    async fn write(&self, write: Write<'_>) -> WriteOutcome {
        let (verb, request) = route(write.endpoint);
        let request = request.body(write.body).not_after(write.not_after);
        write_outcome(verb, self.exchange(&request).await)
    }

    #[tracing::instrument(name = "splynx.find_payments", skip_all)]
    async fn find_payments(
        &self,
        key: &CreditKey,
        customer: CustomerId,
        since: NaiveDate,
    ) -> SearchOutcome {
        search::outcome(self.payments_with(key, customer, since).await)
    }

    #[tracing::instrument(name = "splynx.find_transactions", skip_all)]
    async fn find_transactions(
        &self,
        key: &CreditKey,
        customer: CustomerId,
        since: NaiveDate,
    ) -> SearchOutcome {
        search::outcome(self.transactions_with(key, customer, since).await)
    }

    #[tracing::instrument(name = "splynx.payments_by_keys", skip_all)]
    async fn payments_by_keys(
        &self,
        keys: &[CreditKey],
        since: NaiveDate,
    ) -> Result<Vec<PaymentRow>, PeerError> {
        self.payments_of_keys(keys, since).await
    }

    #[tracing::instrument(name = "splynx.payments_with_our_keys", skip_all)]
    async fn payments_with_our_keys(
        &self,
        since: NaiveDate,
        until: NaiveDate,
    ) -> Result<Vec<PaymentRow>, PeerError> {
        self.payments_between(since, until).await
    }

    #[tracing::instrument(name = "splynx.module_settings", skip_all)]
    async fn module_settings(&self) -> Result<BTreeMap<String, String>, PeerError> {
        self.read_settings().await
    }
}

fn route<'a>(endpoint: Endpoint) -> (Verb, Request<'a>) {
    match endpoint {
        Endpoint::Document(kind, id) => {
            let path = documents::collection(kind);
            let request = Request::new(Operation::WriteDocument, Method::PUT, path).segment(id);
            (Verb::Change, request)
        }
        Endpoint::Payments => {
            (Verb::Make, Request::new(Operation::WritePayment, Method::POST, PAYMENTS.path))
        }
        Endpoint::Transactions => {
            let request =
                Request::new(Operation::WriteTransaction, Method::POST, TRANSACTIONS.path);
            (Verb::Make, request)
        }
    }
}

//! What Splynx answers when it is asked, and how it fails to.
//!
//! **Invariant:** a search is complete only if it saw every row it speaks about, at one moment.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::NaiveDate;

use super::super::coverage::Happening;
use super::super::world::{Point, State};
use super::books::{Books, MoneyRow};
use super::{SplynxPort, TIMEOUT};
use crate::domain::ids::{CreditKey, CustomerId, DocumentId, DocumentNumber, SplynxId};
use crate::domain::payable::{Customer, Document, DocumentKind, DocumentRef};
use crate::domain::posting::{SearchOutcome, WriteOutcome};
use crate::ports::PeerError;
use crate::ports::billing::{Billing, DocumentLink, PaymentRow, Write};

const PEER: &str = "Splynx";

fn unavailable(why: &str) -> PeerError {
    PeerError::Unavailable { peer: PEER, why: why.to_owned() }
}

impl SplynxPort {
    /// Asks; the answer is what was there at one moment.
    pub(super) async fn ask<T>(&self, look: impl FnOnce(&mut State) -> T) -> Result<T, PeerError> {
        let world = &self.world;
        world.step(self.life, Point::Before).await;
        world.pass(1, 60).await;
        let fate = {
            let mut state = world.state();
            let now = world.now();
            if state.is_out(now) || state.strikes(|plan| plan.rates.unread, Happening::Unread) {
                Some(unavailable("HTTP 502"))
            } else if state.strikes(|plan| plan.rates.read_refused, Happening::ReadRefused) {
                Some(PeerError::Refused { peer: PEER, sentence: "no permission".to_owned() })
            } else {
                None
            }
        };
        if let Some(error) = fate {
            let hangs = world.state().rng.chance(300);
            world.schedule.sleep(if hangs { TIMEOUT } else { 20 }).await;
            return Err(error);
        }
        let seen = look(&mut world.state());
        world.pass(1, 60).await;
        Ok(seen)
    }

    async fn list_payments(
        &self,
        wanted: impl Fn(&MoneyRow) -> bool + Send,
    ) -> Result<Vec<PaymentRow>, PeerError> {
        self.ask(|state| {
            let rows = state.splynx.payments.iter().filter(|row| wanted(row));
            rows.map(as_shown).collect()
        })
        .await
    }

    async fn find(
        &self,
        rows: impl Fn(&Books) -> &[MoneyRow] + Send,
        key: &CreditKey,
        customer: CustomerId,
        since: NaiveDate,
    ) -> SearchOutcome {
        if self.world.state().plan.unsearchable == Some(customer.get()) {
            self.world.schedule.sleep(20).await;
            return SearchOutcome::Incomplete { unavailable: true, why: "HTTP 502".to_owned() };
        }
        let answer = self.ask(|state| {
            if state.strikes(|plan| plan.rates.incomplete, Happening::Incomplete) {
                return None;
            }
            let unfiltered = state.strikes(|plan| plan.rates.unfiltered, Happening::Unfiltered);
            let rows = rows(&state.splynx);
            // Without its filter all is walked over, newest first, to the first row that is too old.
            let walked = rows.iter().rev().take_while(|row| !unfiltered || row.day >= since);
            let ours =
                walked.filter(|row| row.key == key.as_str() && row.customer == customer.get());
            Some(ours.map(|row| SplynxId::new(row.id)).collect())
        });
        match answer.await {
            Ok(Some(found)) => SearchOutcome::Complete(found),
            Ok(None) => SearchOutcome::Incomplete {
                why: "Splynx shows payments at one time and none at another".to_owned(),
                unavailable: false,
            },
            Err(error) => SearchOutcome::Incomplete {
                unavailable: error.is_unavailable(),
                why: error.to_string(),
            },
        }
    }
}

fn as_shown(row: &MoneyRow) -> PaymentRow {
    let document = row.document.map_or(DocumentLink::Nothing, |(kind, id)| {
        DocumentLink::Document(kind, DocumentId::new(id))
    });
    PaymentRow {
        id: SplynxId::new(row.id),
        customer: CustomerId::new(row.customer),
        receipt_number: row.key.clone(),
        amount: row.amount,
        document,
        named: vec![],
    }
}

fn shown(books: &Books, kind: DocumentKind, id: i64) -> Option<Document> {
    books.document(kind, id).map(|row| row.document.clone())
}

#[async_trait]
impl Billing for SplynxPort {
    async fn document_by_number(
        &self,
        kind: DocumentKind,
        number: &DocumentNumber,
    ) -> Result<Option<Document>, PeerError> {
        self.ask(|state| {
            let mut all = state.splynx.documents.values().filter(|row| !row.gone);
            let found = all.find(|row| {
                row.document.reference.kind == kind && row.document.reference.number == *number
            });
            found.map(|row| row.document.clone())
        })
        .await
    }

    async fn document(&self, document: &DocumentRef) -> Result<Option<Document>, PeerError> {
        self.ask(|state| shown(&state.splynx, document.kind, document.id.get())).await
    }

    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, PeerError> {
        let customer =
            Customer { id, name: "Customer One".to_owned(), billing_type: String::new() };
        self.ask(|_| Some(customer)).await
    }

    async fn write(&self, write: Write<'_>) -> WriteOutcome {
        self.send(write).await
    }

    async fn find_payments(
        &self,
        key: &CreditKey,
        customer: CustomerId,
        since: NaiveDate,
    ) -> SearchOutcome {
        self.find(|books| &books.payments, key, customer, since).await
    }

    async fn find_transactions(
        &self,
        key: &CreditKey,
        customer: CustomerId,
        since: NaiveDate,
    ) -> SearchOutcome {
        self.find(|books| &books.debits, key, customer, since).await
    }

    async fn payments_by_keys(
        &self,
        keys: &[CreditKey],
        _since: NaiveDate,
    ) -> Result<Vec<PaymentRow>, PeerError> {
        self.list_payments(|row| keys.iter().any(|key| key.as_str() == row.key)).await
    }

    async fn payments_with_our_keys(
        &self,
        since: NaiveDate,
        until: NaiveDate,
    ) -> Result<Vec<PaymentRow>, PeerError> {
        let is_of_then = |row: &MoneyRow| row.day >= since && row.day <= until;
        self.list_payments(|row| is_of_then(row) && row.key.starts_with("BP-")).await
    }

    async fn module_settings(&self) -> Result<BTreeMap<String, String>, PeerError> {
        self.ask(|_| BTreeMap::new()).await
    }
}

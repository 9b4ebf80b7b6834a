//! Payment statements: a trail that moves no money.

use async_trait::async_trait;
use serde_json::Value;

use super::super::coverage::Happening;
use super::super::world::State;
use super::SplynxPort;
use super::books::RecordRow;
use crate::domain::ids::SplynxId;
use crate::ports::PeerError;
use crate::ports::billing::Statements;

fn field(body: &str, name: &str) -> String {
    let fields: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl SplynxPort {
    async fn statement_ask<T>(&self, look: impl FnOnce(&mut State) -> T) -> Result<T, PeerError> {
        let fails = self.world.state().strikes(|plan| plan.rates.statements, Happening::Statements);
        if fails {
            self.world.schedule.sleep(20).await;
            return Err(PeerError::Unavailable { peer: "Splynx", why: "HTTP 500".to_owned() });
        }
        self.ask(look).await
    }
}

#[async_trait]
impl Statements for SplynxPort {
    async fn statement(&self, _title: &str) -> Result<SplynxId, PeerError> {
        self.statement_ask(|_| SplynxId::new(1)).await
    }

    async fn find_record(&self, attempt: &str) -> Result<Option<SplynxId>, PeerError> {
        self.statement_ask(|state| {
            let mut records = state.splynx.records.iter();
            records.find(|record| record.attempt == attempt).map(|record| SplynxId::new(record.id))
        })
        .await
    }

    async fn add_record(&self, body: &str) -> Result<SplynxId, PeerError> {
        let (attempt, status) = (field(body, "additional_1"), field(body, "status"));
        self.statement_ask(|state| {
            let id =
                i64::try_from(state.splynx.records.len()).unwrap_or_default().saturating_add(1);
            state.splynx.records.push(RecordRow { id, attempt, status });
            SplynxId::new(id)
        })
        .await
    }

    async fn change_record(&self, record: SplynxId, body: &str) -> Result<(), PeerError> {
        let status = field(body, "status");
        self.statement_ask(|state| {
            let mut records = state.splynx.records.iter_mut();
            if let Some(row) = records.find(|row| row.id == record.get()) {
                row.status = status;
            }
        })
        .await
    }
}

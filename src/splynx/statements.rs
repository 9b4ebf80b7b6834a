//! Payment statements ("bank statements", facts/splynx 2.5): the trail an admin sees; moves no money.

use async_trait::async_trait;
use reqwest::Method;

use super::client::{Client, Request};
use super::operation::Operation;
use super::outcome::{Verb, refused, unavailable, write_outcome};
use super::search::{Collection, PAGE, main_attribute};
use super::wire;
use crate::domain::ids::SplynxId;
use crate::domain::posting::{NotExecuted, WriteOutcome};
use crate::ports::PeerError;
use crate::ports::billing::Statements;

const STATEMENTS: Collection =
    Collection { operation: Operation::FindStatement, path: "admin/finance/bank-statements" };

const RECORDS: Collection = Collection {
    operation: Operation::FindStatement,
    path: "admin/finance/bank-statements-records",
};

#[async_trait]
impl Statements for Client {
    #[tracing::instrument(name = "splynx.statement", skip_all)]
    async fn statement(&self, title: &str) -> Result<SplynxId, PeerError> {
        let _turn = self.inner.statement_turn.lock().await;
        if let Some(found) = self.oldest_with(STATEMENTS, "title", title).await? {
            return Ok(found);
        }
        let body = serde_json::json!({ "title": title, "status": "success" }).to_string();
        self.make(STATEMENTS, &body).await
    }

    #[tracing::instrument(name = "splynx.find_record", skip_all)]
    async fn find_record(&self, attempt: &str) -> Result<Option<SplynxId>, PeerError> {
        self.oldest_with(RECORDS, "additional_1", attempt).await
    }

    #[tracing::instrument(name = "splynx.add_record", skip_all)]
    async fn add_record(&self, body: &str) -> Result<SplynxId, PeerError> {
        self.make(RECORDS, body).await
    }

    #[tracing::instrument(name = "splynx.change_record", skip_all)]
    async fn change_record(&self, record: SplynxId, body: &str) -> Result<(), PeerError> {
        let request = Request::new(Operation::WriteStatement, Method::PUT, RECORDS.path)
            .segment(record)
            .body(body);
        done(write_outcome(Verb::Change, self.exchange(&request).await)).map(drop)
    }
}

impl Client {
    /// The oldest row whose field is exactly this text: two workers that both made one then agree on it.
    async fn oldest_with(
        &self,
        collection: Collection,
        field: &str,
        text: &str,
    ) -> Result<Option<SplynxId>, PeerError> {
        let page = self.read(&collection.newest(PAGE).query(main_attribute(field), text)).await?;
        let mut ids = vec![];
        for row in wire::rows(&page)? {
            if row.text(field).trim_end() == text {
                ids.push(row.id("id")?);
            }
        }
        Ok(ids.into_iter().min().map(SplynxId::new))
    }

    async fn make(&self, collection: Collection, body: &str) -> Result<SplynxId, PeerError> {
        let request =
            Request::new(Operation::WriteStatement, Method::POST, collection.path).body(body);
        done(write_outcome(Verb::Make, self.exchange(&request).await))?
            .ok_or_else(|| unavailable("it did not name the new row"))
    }
}

/// For rows that move no money, "unclear" is "try again": the next try searches first.
pub(super) fn done(outcome: WriteOutcome) -> Result<Option<SplynxId>, PeerError> {
    match outcome {
        WriteOutcome::Done { splynx_id } => Ok(splynx_id),
        WriteOutcome::NotExecuted(NotExecuted::Refused { sentence }) => Err(refused(sentence)),
        WriteOutcome::NotExecuted(NotExecuted::Throttled { .. }) => {
            Err(unavailable("it asked to wait"))
        }
        WriteOutcome::NotExecuted(NotExecuted::Unreachable { why })
        | WriteOutcome::Unclear { why } => Err(unavailable(why)),
    }
}

//! Writes the end of the audit journal into the log at start and once a day.
//!
//! **Invariant:** what stands in the log is out of reach of whoever can write to the database, so that a journal which was
//! cut off, or made anew, is found out by `audit verify --head`.

use std::sync::Arc;
use std::time::Duration;

use crate::db::Db;
use crate::worker::tasks::Tasks;

const EVERY: Duration = Duration::from_hours(24);

/// Runs until the process stops.
pub(super) async fn run(db: Arc<Db>, tasks: Tasks) {
    loop {
        match db.journal_head().await {
            Ok(Some(head)) => {
                tracing::info!(rows = head.seq, head = head.hash(), "the audit journal ends here");
            }
            Ok(None) => tracing::error!(
                "the end of the audit journal is gone: run `splynx-bitpay audit verify`"
            ),
            Err(error) => tracing::error!(%error, "the audit journal cannot be read"),
        }
        tokio::select! {
            () = tasks.stopping() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

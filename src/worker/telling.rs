//! Telling a person, every half minute.
//!
//! **Invariant:** it has a task of its own, so that a channel that hangs keeps nobody else waiting; what it could not do
//! it does in a later round.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::Notify;

use super::tasks::Tasks;
use crate::app::{App, alerts};
use crate::ports::notifier::{ApiKeyCheck, Notifier};

/// Between two rounds, unless the bell rings.
const EVERY: Duration = Duration::from_secs(30);

/// Between two questions whether processor and Splynx still know us.
const PEERS_EVERY: Duration = Duration::from_mins(5);

/// How a person is told.
pub struct Telling {
    /// The ways to a person.
    pub notifiers: Vec<Box<dyn Notifier>>,
    /// Splynx, to be asked about our API key.
    pub splynx: Arc<dyn ApiKeyCheck>,
    /// What still stands is told again after so long.
    pub repeat: TimeDelta,
    /// Rings when there is something to tell at once, or the peers are to be asked again.
    pub bell: Arc<Notify>,
}

impl std::fmt::Debug for Telling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telling").field("repeat", &self.repeat).finish_non_exhaustive()
    }
}

/// Tells until the tasks are told to stop.
pub async fn run(app: App, tasks: Tasks, telling: Telling) {
    let mut asked: Option<Duration> = None;
    while !tasks.is_stopping() {
        let now = app.clock.monotonic();
        if asked.is_none_or(|asked| now.saturating_sub(asked) >= PEERS_EVERY) {
            asked = Some(now);
            if let Err(error) = alerts::watch_peers(&app, telling.splynx.as_ref()).await {
                tracing::error!(%error, "what the peers say could not be kept");
            }
        }
        if let Err(error) = alerts::round(&app, &telling.notifiers, telling.repeat).await {
            tracing::error!(%error, "what a person must be told could not be read");
        }
        tokio::select! {
            () = tasks.stopping() => {}
            () = telling.bell.notified() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

//! The one place that starts tasks.
//!
//! **Invariant:** no task outlives [`Tasks::finish`].

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Starts tasks and waits for them.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Starts a task on the present runtime.
    pub fn start<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that starts tasks")]
        let _handle = tokio::spawn(self.tracker.track_future(task));
    }

    /// Whether the end has been asked for.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Ends when the end is asked for.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Asks all tasks to end and waits for them, but not longer than `patience`.
    pub async fn finish(&self, patience: Duration) {
        self.stop.cancel();
        self.tracker.close();
        if tokio::time::timeout(patience, self.tracker.wait()).await.is_err() {
            tracing::warn!("some work did not end in time; it is taken up again at the next start");
        }
    }
}

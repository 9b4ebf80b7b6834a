//! The one place that starts tasks.
//!
//! **Invariant:** no task outlives [`Tasks::finish`], and none is gone without anybody noticing: what panics ends the
//! service, which the service manager then starts anew.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Starts tasks and waits for them.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
    fallen: CancellationToken,
}

impl Tasks {
    /// Starts a task on the present runtime.
    pub fn start<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let fallen = self.fallen.clone();
        let watched = async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                fallen.cancel();
            }
        };
        #[expect(clippy::disallowed_methods, reason = "this is the one place that starts tasks")]
        let _handle = tokio::spawn(self.tracker.track_future(watched));
    }

    /// Ends when a task has panicked. What it was there for is not done any more.
    pub async fn fallen(&self) {
        self.fallen.cancelled().await;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;

    use super::*;

    const SHORT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_task_that_panics_is_noticed_and_takes_no_other_along() {
        let (tasks, bell) = (Tasks::default(), Arc::new(Notify::new()));
        let other = Arc::clone(&bell);
        tasks.start(async {});
        tasks.start(async move { other.notify_one() });
        bell.notified().await;
        assert!(tokio::time::timeout(SHORT, tasks.fallen()).await.is_err(), "nothing panicked");
        tasks.start(async { panic!("as a bug would") });
        tokio::time::timeout(Duration::from_secs(5), tasks.fallen()).await.unwrap();
        let other = Arc::clone(&bell);
        tasks.start(async move { other.notify_one() });
        bell.notified().await;
        tasks.finish(SHORT).await;
    }
}

//! Waiting without guessing how long: until something is so, or for as long as it must stay so.
//!
//! **Invariant:** who waits in vain is told what was seen last.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Long enough for everything that does not have to outlast a quiescence window, on a busy machine of two cores.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(40);

/// Looks until `check` succeeds.
pub(crate) async fn eventually<T>(
    what: &str,
    deadline: Duration,
    mut check: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let end = Instant::now() + deadline;
    loop {
        match check().await {
            Ok(value) => return value,
            Err(seen) if Instant::now() >= end => {
                panic!("{what}: not within {deadline:?}; seen last: {seen}")
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// Looks as long as told; `check` must succeed every time.
pub(crate) async fn holds(
    what: &str,
    duration: Duration,
    mut check: impl AsyncFnMut() -> Result<(), String>,
) {
    let end = Instant::now() + duration;
    while Instant::now() < end {
        if let Err(seen) = check().await {
            panic!("{what}: no longer so: {seen}");
        }
        sleep(PAUSE).await;
    }
}

//! Several workers, each in a thread with a runtime of its own, since most of a case is waiting.
//!
//! **Invariant:** when one of them fails, the others take no further case.

use super::orders::Cases;

/// Lets so many workers work off the cases, and returns what each of them says at its end.
pub(crate) fn work<T: Send>(
    cases: &Cases<'_>,
    workers: usize,
    work: impl AsyncFn() -> T + Sync,
) -> Vec<T> {
    let one = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _watch = StopsOthers(cases);
        runtime.block_on(work())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

struct StopsOthers<'a>(&'a Cases<'a>);

impl Drop for StopsOthers<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

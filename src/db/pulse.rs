//! Whether the threads that read are alive.
//!
//! **Invariant:** a database that is locked, broken or away does not make them seem dead.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Db, journal};

/// How often it is looked at whether somebody else was answered.
const LOOK: Duration = Duration::from_millis(500);

/// How many jobs the reading threads have answered, counted round and round.
#[derive(Debug, Default)]
pub(super) struct Answered(AtomicU64);

impl Answered {
    /// One more.
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Db {
    /// Reads a row, and returns when the reading threads have answered, be it that the database cannot be read, be it
    /// somebody else who stood before us in a long queue. While they hang, it does not return. `false`: they are gone.
    pub async fn pulse(&self) -> bool {
        let before = self.answered.so_far();
        let queue = self.readers.as_ref().unwrap_or(&self.writer);
        let mut answer = pin!(queue.submit(|conn, _| journal::head(conn)));
        loop {
            match tokio::time::timeout(LOOK, &mut answer).await {
                Ok(answer) => return answer.is_ok(),
                Err(_) if self.answered.so_far() != before => return true,
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Sender, channel};

    use super::super::connection::AnyConnection;
    use super::super::failure::Failure;
    use super::super::{DatabaseUrl, Migrations, Options, SealKey};
    use super::*;
    use crate::ports::clock::SystemClock;
    use crate::ports::entropy::SystemEntropy;
    use crate::ports::store::StoreError;

    async fn open() -> (tempfile::TempDir, Db) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(Options {
            url: DatabaseUrl::SqliteFile(folder.path().join("a.db")),
            seal_key: SealKey::parse("ab".repeat(32).as_bytes()).unwrap(),
            migrations: Migrations::Run,
            clock: Arc::new(SystemClock::default()),
            entropy: Arc::new(SystemEntropy),
        });
        (folder, db.await.unwrap())
    }

    type Work = Box<dyn FnMut(&mut AnyConnection) -> Result<(), Failure> + Send>;

    /// Work that hangs until it is told how to end.
    fn hanging() -> (Sender<()>, Work) {
        let (end, ended) = channel();
        let work = move |_: &mut AnyConnection| {
            ended.recv().ok();
            Err(StoreError::Unavailable("locked".to_owned()).into())
        };
        (end, Box::new(work))
    }

    async fn is_felt(db: &Db) -> Option<bool> {
        tokio::time::timeout(LOOK * 3, db.pulse()).await.ok()
    }

    #[tokio::test]
    async fn a_database_that_answers_has_a_pulse() {
        let (_folder, db) = open().await;
        assert_eq!(is_felt(&db).await, Some(true));
    }

    #[tokio::test]
    async fn a_database_that_cannot_be_read_has_a_pulse() {
        let (folder, db) = open().await;
        // The reading threads have not opened it yet.
        std::fs::remove_file(folder.path().join("a.db")).unwrap();
        assert!(db.journal_head().await.is_err());
        assert_eq!(is_felt(&db).await, Some(true));
    }

    #[tokio::test]
    async fn threads_that_hang_have_none_until_one_of_them_has_answered_somebody() {
        let (_folder, db) = open().await;
        let ((end_first, first), (end_second, second)) = (hanging(), hanging());
        let readers = db.readers.as_ref().unwrap();
        let submit = |mut work: Work| readers.submit(move |conn, _| work(conn));
        let (first, second) = (submit(first), submit(second));
        assert_eq!(is_felt(&db).await, None);

        // The third one stands before the pulse's own question.
        let (end_third, third) = hanging();
        let third = submit(third);
        let release = async {
            tokio::time::sleep(LOOK / 2).await;
            end_first.send(()).unwrap();
        };
        let (pulse, ()) = tokio::join!(is_felt(&db), release);
        assert_eq!(pulse, Some(true));
        drop((end_second, end_third));
        for job in [first, second, third] {
            assert!(job.await.unwrap().is_err());
        }
    }
}

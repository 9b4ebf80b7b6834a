//! The way to a database thread: a queue of jobs, and the end of those who serve it.
//!
//! **Invariant:** dropping it lets the queued jobs end, and then the threads.

use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::connection::AnyConnection;
use super::failure::Failure;
use super::job::{Answer, Job, job};
use super::journal::Entry;

/// One or more threads that serve jobs, seen from outside.
#[derive(Debug)]
pub(super) struct Queue {
    jobs: Mutex<Option<Sender<Box<dyn Job>>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Queue {
    /// The threads serve what is sent, and end when the sender is gone.
    pub(super) fn new(jobs: Sender<Box<dyn Job>>, threads: Vec<JoinHandle<()>>) -> Self {
        Self { jobs: Mutex::new(Some(jobs)), threads: Mutex::new(threads) }
    }

    /// Queues a job.
    pub(super) fn submit<T, F>(&self, work: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnMut(&mut AnyConnection, &mut Vec<Entry>) -> Result<T, Failure> + Send + 'static,
    {
        let (job, answer) = job(work);
        // Without a thread the job is dropped, and the answer says that nobody is there.
        if let Some(jobs) = &*lock(&self.jobs) {
            let _ = jobs.send(job);
        }
        answer
    }

    /// Lets the queued jobs end, and then the threads with their connections; takes as long as that. What is queued
    /// afterwards is told that nobody is there.
    pub(super) fn close(&self) {
        drop(lock(&self.jobs).take());
        for thread in lock(&self.threads).drain(..) {
            let _ = thread.join();
        }
    }
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.close();
    }
}

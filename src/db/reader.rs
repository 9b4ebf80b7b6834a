//! The threads that read.
//!
//! **Invariant:** every reading job sees one moment's truth, and never anything that is not committed.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::connection::{AnyConnection, Role};
use super::failure::Failure;
use super::job::{Answer, Job, Trouble, job, panicked};
use super::link::Link;
use super::url::DatabaseUrl;
use crate::ports::store::StoreError;

/// Two, so that a long list for a person does not keep a hook waiting.
const THREADS: usize = 2;

/// The reading threads, seen from outside. Dropping it ends them.
#[derive(Debug)]
pub(super) struct Readers {
    queue: Option<Sender<Box<dyn Job>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts the threads. Each connects when it first has something to read.
    pub(super) fn start(url: &DatabaseUrl) -> Self {
        let (queue, jobs) = channel();
        let jobs = Arc::new(Mutex::new(jobs));
        let start = |_| {
            let jobs = Arc::clone(&jobs);
            let link = Link::new(url.clone(), Role::Reader);
            std::thread::spawn(move || work(link, &jobs))
        };
        Self { queue: Some(queue), threads: (0..THREADS).map(start).collect() }
    }

    /// Queues a job.
    pub(super) fn submit<T, F>(&self, work: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnMut(&mut AnyConnection) -> Result<T, Failure> + Send + 'static,
    {
        let (job, answer) = job(work);
        if let Some(queue) = &self.queue {
            let _ = queue.send(job);
        }
        answer
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        drop(self.queue.take());
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn work(mut link: Link, jobs: &Mutex<Receiver<Box<dyn Job>>>) {
    while let Some(mut job) = next(jobs) {
        let end = match read(&mut link, job.as_mut()) {
            // Reading twice does no harm, and a server that was restarted is no reason for an error.
            Err(_) if !link.is_open() => read(&mut link, job.as_mut()),
            end => end,
        };
        job.answer(end);
    }
}

fn next(jobs: &Mutex<Receiver<Box<dyn Job>>>) -> Option<Box<dyn Job>> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn read(link: &mut Link, job: &mut dyn Job) -> Result<(), StoreError> {
    link.begin()?;
    match link.run(job) {
        Ok(end) => {
            link.roll_back();
            end
        }
        Err(Trouble::Panicked) => {
            link.give_up();
            Err(panicked())
        }
        Err(Trouble::Failed(failure)) => {
            link.roll_back();
            Err(failure.into_store_error())
        }
    }
}

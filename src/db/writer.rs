//! The one thread that writes, and how it lets many jobs share one commit.
//!
//! **Invariant:** a job is answered `Ok` only after its transaction was committed; a job that fails takes no other job
//! with it.

use std::sync::mpsc::{Receiver, channel};

use super::job::{Job, Trouble, panicked, unavailable};
use super::journal::JournalKey;
use super::link::Link;
use super::queue::Queue;
use crate::ports::store::StoreError;

/// How many jobs share a commit at most. A commit waits for the disk; what queues up meanwhile goes together.
const GROUP: usize = 128;

/// How often a job that met a deadlock or a serialization failure is run again.
const TRIES: u32 = 3;

/// Starts the thread. `connect` runs in it first.
pub(super) fn start<E: Send + 'static>(
    connect: impl FnOnce() -> Result<Link, E> + Send + 'static,
    key: JournalKey,
) -> (Queue, tokio::sync::oneshot::Receiver<Result<(), E>>) {
    let (queue, jobs) = channel();
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let thread = std::thread::spawn(move || match connect() {
        Ok(link) => {
            let _ = ready.send(Ok(()));
            Worker { link, jobs, key }.work();
        }
        Err(error) => {
            let _ = ready.send(Err(error));
        }
    });
    (Queue::new(queue, vec![thread]), is_ready)
}

struct Worker {
    link: Link,
    jobs: Receiver<Box<dyn Job>>,
    key: JournalKey,
}

/// How a group ended.
enum Ended {
    /// Committed; each job with its own result.
    Together(Vec<Result<(), StoreError>>),
    /// Nothing was committed, and the connection is good: each job may try alone.
    Apart,
    /// The connection is lost, or never was there. Whether the commit got through may be unknown.
    Lost(String),
}

/// How a lone job ended.
enum Alone {
    /// For good, with its own result.
    Ended(Result<(), StoreError>),
    /// Its transaction failed, for what may be over at the next try.
    Failed(StoreError),
    /// There is no transaction to be had.
    NotBegun(StoreError),
}

impl Worker {
    fn work(mut self) {
        while let Ok(first) = self.jobs.recv() {
            let group = self.with_those_waiting(first);
            self.serve(group);
        }
    }

    fn with_those_waiting(&self, first: Box<dyn Job>) -> Vec<Box<dyn Job>> {
        std::iter::once(first).chain(self.jobs.try_iter()).take(GROUP).collect()
    }

    fn serve(&mut self, mut group: Vec<Box<dyn Job>>) {
        match self.run_together(&mut group) {
            Ended::Together(ends) => {
                for (job, end) in group.into_iter().zip(ends) {
                    job.answer(end);
                }
            }
            Ended::Apart => self.serve_apart(group),
            Ended::Lost(why) => {
                // Those that came meanwhile have waited as long as the first one: they are told at once as well.
                group.extend(self.jobs.try_iter());
                answer_all(group, &why);
                self.link.rest();
            }
        }
    }

    fn serve_apart(&mut self, group: Vec<Box<dyn Job>>) {
        let mut rest = group.into_iter();
        while let Some(mut job) = rest.next() {
            match self.run_alone(job.as_mut()) {
                Alone::Ended(end) => job.answer(end),
                Alone::Failed(error) => job.answer(Err(error)),
                Alone::NotBegun(error) => {
                    let why = error.to_string();
                    job.answer(Err(error));
                    answer_all(rest, &why);
                    return self.link.rest();
                }
            }
        }
    }

    fn run_together(&mut self, group: &mut [Box<dyn Job>]) -> Ended {
        if let Err(error) = self.link.begin() {
            return Ended::Lost(error.to_string());
        }
        let mut ends = Vec::with_capacity(group.len());
        let mut entries = Vec::new();
        for job in group {
            match self.link.run(job.as_mut()) {
                Ok(end) => ends.push(end),
                Err(trouble) => return self.give_up_group(trouble),
            }
            entries.extend(job.entries());
        }
        // All at once and last: the end of the journal is held for as short a time as can be.
        if let Err(failure) = self.link.write_down(&self.key, entries) {
            return self.give_up_group(Trouble::Failed(failure));
        }
        match self.link.commit() {
            Ok(()) => Ended::Together(ends),
            Err(_) if self.link.is_open() => Ended::Apart,
            Err(failure) => Ended::Lost(failure.to_string()),
        }
    }

    fn give_up_group(&mut self, trouble: Trouble) -> Ended {
        match trouble {
            Trouble::Panicked => {
                self.link.give_up();
                Ended::Apart
            }
            Trouble::Failed(_) if self.link.roll_back() => Ended::Apart,
            Trouble::Failed(failure) => Ended::Lost(failure.to_string()),
        }
    }

    fn run_alone(&mut self, job: &mut dyn Job) -> Alone {
        let mut tries = 1;
        loop {
            match self.try_alone(job) {
                Alone::Failed(_) if tries < TRIES && self.link.is_open() => tries += 1,
                ended => return ended,
            }
        }
    }

    fn commit_alone(&mut self, job: &mut dyn Job) -> Alone {
        if let Err(failure) = self.link.write_down(&self.key, job.entries()) {
            self.link.roll_back();
            return Alone::Failed(failure.into_store_error());
        }
        match self.link.commit() {
            Ok(()) => Alone::Ended(Ok(())),
            Err(failure) => Alone::Failed(failure.into_store_error()),
        }
    }

    fn try_alone(&mut self, job: &mut dyn Job) -> Alone {
        if let Err(error) = self.link.begin() {
            return Alone::NotBegun(error);
        }
        match self.link.run(job) {
            Ok(Ok(())) => self.commit_alone(job),
            Ok(Err(error)) => {
                self.link.roll_back();
                Alone::Ended(Err(error))
            }
            Err(Trouble::Panicked) => {
                self.link.give_up();
                Alone::Ended(Err(panicked()))
            }
            Err(Trouble::Failed(failure)) => {
                self.link.roll_back();
                Alone::Failed(failure.into_store_error())
            }
        }
    }
}

fn answer_all(jobs: impl IntoIterator<Item = Box<dyn Job>>, why: &str) {
    for job in jobs {
        job.answer(Err(unavailable(why)));
    }
}

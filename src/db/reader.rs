//! The threads that read.
//!
//! **Invariant:** every reading job sees one moment's truth, and never anything that is not committed.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::connection::Role;
use super::job::{Job, Trouble, panicked};
use super::link::Link;
use super::pulse::Answered;
use super::queue::Queue;
use super::url::DatabaseUrl;
use crate::ports::store::StoreError;

/// Two, so that a long list for a person does not keep a hook waiting.
const THREADS: usize = 2;

/// Starts the threads, which count their answers. Each connects when it first has something to read.
pub(super) fn start(url: &DatabaseUrl, answered: &Arc<Answered>) -> Queue {
    let (queue, jobs) = channel();
    let jobs = Arc::new(Mutex::new(jobs));
    let start = |_| {
        let (jobs, answered) = (Arc::clone(&jobs), Arc::clone(answered));
        let link = Link::new(url.clone(), Role::Reader);
        std::thread::spawn(move || work(link, &jobs, &answered))
    };
    Queue::new(queue, (0..THREADS).map(start).collect())
}

fn work(mut link: Link, jobs: &Mutex<Receiver<Box<dyn Job>>>, answered: &Answered) {
    while let Some(mut job) = next(jobs) {
        let end = match read(&mut link, job.as_mut()) {
            // Reading twice does no harm, and a server that was restarted is no reason for an error.
            Err(_) if !link.is_open() => read(&mut link, job.as_mut()),
            end => end,
        };
        job.answer(end);
        answered.count();
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

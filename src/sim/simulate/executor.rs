//! One thread, one heap of (virtual time, sequence): who goes on next.
//!
//! **Invariant:** nothing happens but what the heap or the list of ready tasks says, and chance among the ready ones comes
//! from the world's seed. A process that crashed is never polled again, one that is frozen not before it thaws.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::rng::Rng;

/// One life of a process; zero is the world outside of all processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Life(pub(super) u32);

/// What nobody can crash or freeze: people, and what is under way in the net.
pub(super) const OUTSIDE: Life = Life(0);

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
type Action = Box<dyn FnOnce() + Send>;

enum Event {
    Wake(Waker),
    Act(Action),
}

/// What tasks and ports share with the executor.
pub(super) struct Schedule {
    now: AtomicI64,
    inner: Mutex<Inner>,
    ready: Mutex<VecDeque<u64>>,
}

#[derive(Default)]
struct Inner {
    sequence: u64,
    heap: BTreeMap<(i64, u64), Event>,
    started: Vec<(Life, Task)>,
    dead: BTreeSet<Life>,
    dying: Vec<Life>,
    frozen: BTreeMap<Life, Vec<u64>>,
}

struct Bell {
    id: u64,
    rung: AtomicBool,
    schedule: Arc<Schedule>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if !self.rung.swap(true, Ordering::Relaxed) {
            lock(&self.schedule.ready).push_back(self.id);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Schedule {
    fn new() -> Self {
        Self {
            now: AtomicI64::new(0),
            inner: Mutex::new(Inner::default()),
            ready: Mutex::new(VecDeque::new()),
        }
    }

    /// True milliseconds since the world began.
    pub(super) fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Starts a task of a process.
    pub(super) fn start(&self, life: Life, task: impl Future<Output = ()> + Send + 'static) {
        lock(&self.inner).started.push((life, Box::pin(task)));
    }

    /// Does something in so many milliseconds, whoever has died by then.
    pub(super) fn after(&self, pause: i64, action: impl FnOnce() + Send + 'static) {
        self.push(self.now().saturating_add(pause.max(0)), Event::Act(Box::new(action)));
    }

    /// Ends in so many milliseconds.
    pub(super) fn sleep(self: &Arc<Self>, pause: i64) -> Sleep {
        let until = self.now().saturating_add(pause.max(0));
        Sleep { until, schedule: Arc::clone(self), set: false }
    }

    /// Ends a process where it stands.
    pub(super) fn kill(&self, life: Life) {
        let mut inner = lock(&self.inner);
        if inner.dead.insert(life) {
            inner.dying.push(life);
        }
    }

    /// Whether this process has ended.
    pub(super) fn is_dead(&self, life: Life) -> bool {
        lock(&self.inner).dead.contains(&life)
    }

    /// Stops a process until it thaws.
    pub(super) fn freeze(&self, life: Life) {
        lock(&self.inner).frozen.entry(life).or_default();
    }

    /// Lets a frozen process go on.
    pub(super) fn thaw(&self, life: Life) {
        let parked = lock(&self.inner).frozen.remove(&life).unwrap_or_default();
        lock(&self.ready).extend(parked);
    }

    fn push(&self, at: i64, event: Event) {
        let mut inner = lock(&self.inner);
        inner.sequence = inner.sequence.saturating_add(1);
        let sequence = inner.sequence;
        inner.heap.insert((at, sequence), event);
    }
}

/// Ends at a moment.
pub(super) struct Sleep {
    until: i64,
    schedule: Arc<Schedule>,
    set: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.set && self.schedule.now() >= self.until {
            return Poll::Ready(());
        }
        if !self.set {
            self.set = true;
            self.schedule.push(self.until, Event::Wake(context.waker().clone()));
        }
        Poll::Pending
    }
}

struct Slot {
    life: Life,
    task: Task,
    bell: Arc<Bell>,
}

/// Runs the tasks.
pub(super) struct Executor {
    pub(super) schedule: Arc<Schedule>,
    tasks: BTreeMap<u64, Slot>,
    last_id: u64,
    chance: Rng,
}

impl Executor {
    /// Without any task, at the beginning of time.
    pub(super) fn new(chance: Rng) -> Self {
        let schedule = Arc::new(Schedule::new());
        Self { schedule, tasks: BTreeMap::new(), last_id: 0, chance }
    }

    /// Runs until nothing is due any more or `until` has come. Returns whether nothing was left.
    pub(super) fn run(&mut self, until: i64) -> bool {
        loop {
            self.adopt();
            if let Some(id) = self.next_ready() {
                self.poll(id);
                continue;
            }
            let mut inner = lock(&self.schedule.inner);
            let Some(entry) = inner.heap.first_entry() else {
                return true;
            };
            let at = entry.key().0;
            if at > until {
                drop(inner);
                self.schedule.now.store(until, Ordering::Relaxed);
                return false;
            }
            let event = entry.remove();
            drop(inner);
            self.schedule.now.store(at.max(self.schedule.now()), Ordering::Relaxed);
            match event {
                Event::Wake(waker) => waker.wake(),
                Event::Act(action) => action(),
            }
        }
    }

    /// Lets go of all that is left.
    pub(super) fn end(self) {
        let left = std::mem::take(&mut *lock(&self.schedule.inner));
        drop(left);
    }

    /// Takes in what was started, lets go of what has died.
    fn adopt(&mut self) {
        let mut inner = lock(&self.schedule.inner);
        let started = std::mem::take(&mut inner.started);
        let dying = std::mem::take(&mut inner.dying);
        drop(inner);
        for (life, task) in started {
            if self.schedule.is_dead(life) {
                continue;
            }
            self.last_id = self.last_id.saturating_add(1);
            let (id, schedule) = (self.last_id, Arc::clone(&self.schedule));
            let bell = Arc::new(Bell { id, rung: AtomicBool::new(true), schedule });
            lock(&self.schedule.ready).push_back(id);
            self.tasks.insert(id, Slot { life, task, bell });
        }
        if !dying.is_empty() {
            self.tasks.retain(|_, slot| !dying.contains(&slot.life));
        }
    }

    fn next_ready(&mut self) -> Option<u64> {
        let mut ready = lock(&self.schedule.ready);
        if ready.len() > 1 {
            let place = self.chance.below(u64::try_from(ready.len()).unwrap_or_default());
            ready.swap(0, usize::try_from(place).unwrap_or_default());
        }
        ready.pop_front()
    }

    fn poll(&mut self, id: u64) {
        let Some(mut slot) = self.tasks.remove(&id) else {
            return;
        };
        if let Some(parked) = lock(&self.schedule.inner).frozen.get_mut(&slot.life) {
            parked.push(id);
            self.tasks.insert(id, slot);
            return;
        }
        slot.bell.rung.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&slot.bell));
        let polled = slot.task.as_mut().poll(&mut Context::from_waker(&waker));
        // A task that killed its own process is dropped by `adopt`.
        if polled.is_pending() {
            self.tasks.insert(id, slot);
        }
    }
}

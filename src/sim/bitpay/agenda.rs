//! What will happen when: expiries, automatic confirmations, deliveries of notifications.
//!
//! **Invariant:** tasks come out in the order they fall due, and those of one moment in the order they were put in.

use std::collections::BTreeMap;

use super::clock::Moment;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Task {
    /// The price lock of this invoice ends.
    Expire(String),
    /// The next confirmation of this invoice comes.
    Step(String),
    /// This notification leaves.
    Deliver(u64),
}

/// The tasks by due time.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    tasks: BTreeMap<(Moment, u64), Task>,
    sequence: u64,
}

impl Agenda {
    /// Plans a task.
    pub(super) fn plan(&mut self, due: Moment, task: Task) {
        self.sequence += 1;
        self.tasks.insert((due, self.sequence), task);
    }

    /// The first task that is due, with the time it was planned for.
    pub(super) fn take_due(&mut self, now: Moment) -> Option<(Moment, Task)> {
        let first = self.tasks.first_entry()?;
        let (due, _) = *first.key();
        (due <= now).then(|| (due, first.remove()))
    }

    /// When the next task falls due.
    #[must_use]
    pub(super) fn next(&self) -> Option<Moment> {
        self.tasks.first_key_value().map(|((due, _), _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_come_out_by_time_and_then_by_age_and_never_early() {
        let mut agenda = Agenda::default();
        let at = Moment::from_ms;
        agenda.plan(at(20), Task::Deliver(3));
        agenda.plan(at(10), Task::Deliver(1));
        agenda.plan(at(10), Task::Deliver(2));
        assert_eq!(agenda.take_due(at(9)), None);
        assert_eq!(agenda.take_due(at(15)), Some((at(10), Task::Deliver(1))));
        assert_eq!(agenda.take_due(at(15)), Some((at(10), Task::Deliver(2))));
        assert_eq!(agenda.take_due(at(15)), None);
        assert_eq!(agenda.next(), Some(at(20)));
    }
}

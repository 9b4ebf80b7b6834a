//! The events of a world, as a hash and, when asked for, in words.
//!
//! **Invariant:** two worlds of one seed have the same hash; the words are made only when somebody wants to read them.

use super::rng::mix;

/// The events so far.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    hash: u64,
    events: u64,
    lines: Option<Vec<String>>,
}

impl Journal {
    /// Nothing yet.
    pub(super) fn new(trace: bool) -> Self {
        Self { hash: 0, events: 0, lines: trace.then(Vec::new) }
    }

    /// One event: what, about which number, and in words.
    pub(super) fn note(
        &mut self,
        now: i64,
        what: &'static str,
        about: i64,
        words: impl FnOnce() -> String,
    ) {
        self.events = self.events.saturating_add(1);
        let first = what.bytes().fold(0_u64, |sum, byte| sum.rotate_left(8) ^ u64::from(byte));
        for part in [first, now.cast_unsigned(), about.cast_unsigned()] {
            self.hash = mix(self.hash.rotate_left(5) ^ part);
        }
        if let Some(lines) = &mut self.lines {
            let (seconds, millis) = (now.div_euclid(1000), now.rem_euclid(1000));
            let (hours, rest) = (seconds.div_euclid(3600), seconds.rem_euclid(3600));
            let (minutes, seconds) = (rest.div_euclid(60), rest.rem_euclid(60));
            let words = words();
            lines.push(format!(
                "{hours:>4}:{minutes:02}:{seconds:02}.{millis:03}  {what} {about} {words}"
            ));
        }
    }

    /// The hash of all events.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// How many events there were.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// The events in words.
    pub(super) fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}

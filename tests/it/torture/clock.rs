//! A clock that the test moves under the unmodified, running binary: libfaketime, preloaded, reads a file.
//!
//! **Invariant:** the file is replaced in whole, so that nobody ever reads half an offset.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use tempfile::TempDir;

/// Which clocks move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moves {
    /// Time passes: the time of day and the monotonic clock.
    Both,
    /// Somebody sets the time of day; the monotonic clock goes on.
    TimeOfDay,
}

/// A clock.
#[derive(Debug)]
pub(crate) struct Clock {
    moves: Moves,
    ahead: Cell<TimeDelta>,
    home: TempDir,
}

impl Clock {
    /// Shows the real time, until it is moved.
    pub(crate) fn new(moves: Moves) -> Self {
        let clock =
            Self { moves, ahead: Cell::new(TimeDelta::zero()), home: TempDir::new().unwrap() };
        clock.set(TimeDelta::zero());
        clock
    }

    /// What a process needs to live by it.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let file = self.file().display().to_string();
        let mut environment = vec![
            ("LD_PRELOAD".to_owned(), library().display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE".to_owned(), file),
            ("FAKETIME_NO_CACHE".to_owned(), "1".to_owned()),
        ];
        if self.moves == Moves::TimeOfDay {
            environment.push(("FAKETIME_DONT_FAKE_MONOTONIC".to_owned(), "1".to_owned()));
        }
        environment
    }

    /// How far it is ahead of the real time.
    pub(crate) fn ahead(&self) -> TimeDelta {
        self.ahead.get()
    }

    /// Shows the real time and this.
    pub(crate) fn set(&self, ahead: TimeDelta) {
        self.ahead.set(ahead);
        let milliseconds = ahead.num_milliseconds();
        let sign = if milliseconds < 0 { '-' } else { '+' };
        let (whole, rest) = (milliseconds.abs() / 1000, milliseconds.abs() % 1000);
        let new = self.home.path().join("new");
        fs::write(&new, format!("{sign}{whole}.{rest:03}\n")).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    /// Moves it by this.
    pub(crate) fn advance(&self, by: TimeDelta) {
        self.set(self.ahead() + by);
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("clock")
    }
}

fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().filter_map(Result::ok);
    let places = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let mut found = places.filter(|place| Path::exists(place));
    found.next().unwrap_or_else(|| panic!("libfaketime is missing: ./scripts/install-tools"))
}

//! A line for whatever takes longer than a second, so that nobody thinks the command hangs.
//!
//! **Invariant:** it goes to standard error, never into the answer; it moves on a terminal only, and leaves no trace
//! there.

use std::future::Future;
use std::io::{IsTerminal as _, Stderr, Write, stderr};
use std::pin::pin;
use std::time::Duration;

/// What ends within this time is not announced.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between two turns of the spinner.
const TURN: Duration = Duration::from_millis(200);

/// Awaits `work`, and after a second says `what` it is.
pub async fn during<F: Future>(what: &str, work: F) -> F::Output {
    let line = Line { writer: stderr(), moving: stderr().is_terminal(), what, turns: 0 };
    announced(line, PATIENCE, work).await
}

async fn announced<W: Write, F: Future>(
    mut line: Line<'_, W>,
    patience: Duration,
    work: F,
) -> F::Output {
    let mut work = pin!(work);
    if let Ok(output) = tokio::time::timeout(patience, &mut work).await {
        return output;
    }
    line.begin();
    loop {
        match tokio::time::timeout(TURN, &mut work).await {
            Ok(output) => {
                line.end();
                return output;
            }
            Err(_) => line.turn(),
        }
    }
}

/// The line. Its writes may fail: there is nobody to tell when standard error is gone.
#[derive(Debug)]
struct Line<'a, W> {
    writer: W,
    moving: bool,
    what: &'a str,
    turns: usize,
}

impl<W: Write> Line<'_, W> {
    fn begin(&mut self) {
        if self.moving {
            self.turn();
        } else {
            writeln!(self.writer, "{} ...", self.what).ok();
        }
    }

    fn turn(&mut self) {
        if self.moving {
            let spinner =
                ["|", "/", "-", "\\"].into_iter().cycle().nth(self.turns % 4).unwrap_or("|");
            write!(self.writer, "\r{spinner} {} ...", self.what).ok();
            self.writer.flush().ok();
            self.turns = self.turns.wrapping_add(1);
        }
    }

    fn end(&mut self) {
        if self.moving {
            // Back to the start of the line, and erase to its end.
            write!(self.writer, "\r\x1b[K").ok();
            self.writer.flush().ok();
        }
    }
}

/// A line that says how far it is, on a terminal only. Its writes may fail, as those of [`Line`] may.
#[derive(Debug)]
pub(super) struct Distance<W> {
    pub(super) writer: W,
    pub(super) moving: bool,
}

impl Distance<Stderr> {
    /// Where people look while they wait.
    pub(super) fn on_stderr() -> Self {
        Self { writer: stderr(), moving: stderr().is_terminal() }
    }
}

impl<W: Write> Distance<W> {
    /// Says it in place of what was said before.
    pub(super) fn say(&mut self, words: &str) {
        if self.moving {
            write!(self.writer, "\r{words}\x1b[K").ok();
            self.writer.flush().ok();
        }
    }

    /// Takes the line away.
    pub(super) fn end(&mut self) {
        self.say("");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(moving: bool, work: Duration) -> String {
        let mut paper = Vec::new();
        let line = Line { writer: &mut paper, moving, what: "asking Splynx", turns: 0 };
        announced(line, Duration::from_millis(50), tokio::time::sleep(work)).await;
        String::from_utf8(paper).unwrap()
    }

    #[tokio::test]
    async fn what_is_quick_is_not_announced() {
        assert_eq!(said(true, Duration::ZERO).await, "");
        assert_eq!(said(false, Duration::ZERO).await, "");
    }

    #[tokio::test]
    async fn what_takes_long_is_announced_once_in_a_log() {
        assert_eq!(said(false, Duration::from_millis(500)).await, "asking Splynx ...\n");
    }

    #[tokio::test]
    async fn what_takes_long_moves_on_a_terminal_and_leaves_no_trace() {
        let said = said(true, Duration::from_millis(500)).await;
        assert!(said.starts_with("\r| asking Splynx ...\r/ asking Splynx ..."), "{said:?}");
        assert!(said.ends_with("\r\x1b[K"), "{said:?}");
    }
}

//! What a step came to, and how that is said.
//!
//! **Invariant:** whatever is left for a person to do is said with the step that left it.

use super::host::Host;
use crate::cli::output::Streams;

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It changed something.
    Done,
    /// There was nothing to change.
    WasThere,
    /// It cannot be done here, or not now: a person does it, or a repetition. No failure.
    NotPossible,
    /// It should have worked.
    Failed,
}

/// What a step came to.
#[derive(Debug)]
pub(super) struct Outcome {
    verdict: Verdict,
    found: String,
    /// What is left to do, a line per thing.
    remedy: Vec<String>,
}

impl Outcome {
    fn new(verdict: Verdict, found: impl Into<String>) -> Self {
        Self { verdict, found: found.into(), remedy: Vec::new() }
    }

    pub(super) fn done(found: impl Into<String>) -> Self {
        Self::new(Verdict::Done, found)
    }

    pub(super) fn was_there(found: impl Into<String>) -> Self {
        Self::new(Verdict::WasThere, found)
    }

    pub(super) fn not_possible(found: impl Into<String>) -> Self {
        Self::new(Verdict::NotPossible, found)
    }

    pub(super) fn failed(found: &impl ToString) -> Self {
        Self::new(Verdict::Failed, found.to_string())
    }

    /// What is left to do.
    pub(super) fn remedy(mut self, lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.remedy.extend(lines.into_iter().map(Into::into));
        self
    }
}

/// Says what every step came to, as it comes.
#[derive(Debug, Default)]
pub(super) struct Report {
    failed: bool,
}

impl Report {
    /// Says it, and in a dry run what would have been run.
    pub(super) fn step(
        &mut self,
        name: &str,
        outcome: &Outcome,
        host: &mut Host,
        streams: &mut Streams<'_>,
    ) -> std::io::Result<()> {
        self.failed |= outcome.verdict == Verdict::Failed;
        let verdict = match outcome.verdict {
            Verdict::Done if host.is_dry() => "would be done",
            Verdict::Done => "done",
            Verdict::WasThere => "was there",
            Verdict::NotPossible => "not possible",
            Verdict::Failed => "FAILED",
        };
        writeln!(streams.out, "{name}: {verdict}: {}", indented(&outcome.found))?;
        for line in &outcome.remedy {
            writeln!(streams.out, "    -> {}", indented(line))?;
        }
        for line in host.take_recorded().into_iter().filter(|_| host.is_dry()) {
            writeln!(streams.out, "    would run: {line}")?;
        }
        streams.out.flush()
    }

    /// Whether any step failed.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }
}

/// Further lines stand below the first.
fn indented(text: &str) -> String {
    text.replace('\n', "\n       ")
}

//! What is wrong with a configuration, or doubtful about it: where, which key, and what to write instead.
//!
//! **Invariant:** no finding carries the value of a secret.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a value was written. Findings are listed in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the file.
    File {
        /// Counted from one.
        line: usize,
        /// Counted from one, in characters, where it is known.
        column: Option<usize>,
    },
    /// In the environment.
    Environment {
        /// The variable's name.
        variable: String,
    },
    /// In the module's settings inside Splynx.
    ModuleSettings,
    /// Nowhere: the default holds.
    Default,
}

impl Place {
    /// A line of the file.
    #[must_use]
    pub fn line(line: usize) -> Self {
        Self::File { line, column: None }
    }

    /// The line, if this is in the file.
    #[must_use]
    pub fn line_number(&self) -> Option<usize> {
        match self {
            Self::File { line, .. } => Some(*line),
            _ => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { line, column: None } => write!(f, "line {line}"),
            Self::File { line, column: Some(column) } => write!(f, "line {line}, column {column}"),
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
            Self::ModuleSettings => f.write_str("Splynx module settings"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One thing that is wrong or doubtful.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where it was written.
    pub place: Place,
    /// `section.name`; empty where the file as a whole is meant.
    pub key: String,
    /// What is wrong and what is expected.
    pub sentence: String,
}

impl Finding {
    /// Something wrong with the configuration as a whole.
    pub(super) fn whole(sentence: String) -> Self {
        Self { place: Place::Default, key: String::new(), sentence }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.place, self.key.as_str()) {
            (Place::Default, "") => f.write_str(&self.sentence),
            (Place::Default, key) => write!(f, "{key}: {}", self.sentence),
            (place, "") => write!(f, "{place}: {}", self.sentence),
            (place, key) => write!(f, "{place}: {key}: {}", self.sentence),
        }
    }
}

/// Why a configuration cannot be used: everything that was found, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors {
    path: PathBuf,
    findings: Vec<Finding>,
    /// What is missing for commands that talk to Splynx.
    lacking: Vec<Finding>,
}

impl ConfigErrors {
    /// Everything found in the file at `path`.
    #[must_use]
    pub fn new(path: &Path, mut findings: Vec<Finding>) -> Self {
        findings.sort();
        Self { path: path.to_owned(), findings, lacking: Vec::new() }
    }

    /// Beside what is wrong, what is missing for commands that talk to Splynx.
    pub(super) fn beside(self, lacking: Vec<Finding>) -> Self {
        Self { lacking, ..self }
    }

    /// The same for a command that talks to Splynx: what it lacks counts as wrong.
    #[must_use]
    pub fn with_lacking(mut self) -> Self {
        self.findings.append(&mut self.lacking);
        self.findings.sort();
        self
    }

    /// What was found, in the order of the file.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration {} cannot be used", self.path.display())?;
        self.findings.iter().try_for_each(|finding| write!(f, "\n  {finding}"))
    }
}

/// Gathers findings while the sections are parsed, so that all of them are told at once.
#[derive(Debug)]
pub(super) struct Findings {
    places: BTreeMap<&'static str, Place>,
    problems: Vec<Finding>,
    warnings: Vec<Finding>,
    lacking: Vec<Finding>,
}

/// All that was found.
#[derive(Debug)]
pub(super) struct Found {
    /// What makes the configuration unusable.
    pub(super) problems: Vec<Finding>,
    /// What can be used, but should be looked at; in the order of the file.
    pub(super) warnings: Vec<Finding>,
    /// What is missing for commands that talk to Splynx; the first of it is a warning too.
    pub(super) lacking: Vec<Finding>,
}

impl Findings {
    /// Starts with what was found before any value was looked at.
    pub(super) fn new(places: BTreeMap<&'static str, Place>, problems: Vec<Finding>) -> Self {
        Self { places, problems, warnings: Vec::new(), lacking: Vec::new() }
    }

    /// Takes the value of `key`, or notes what is wrong with it.
    pub(super) fn check<T>(&mut self, key: &'static str, result: Result<T, String>) -> Option<T> {
        result.map_err(|sentence| self.problem(key, sentence)).ok()
    }

    /// Notes that `key` cannot be used. One problem a key: where its shape was wrong already, the default stands in
    /// for it, and complaints about that would only confuse.
    pub(super) fn problem(&mut self, key: &'static str, sentence: String) {
        if self.problems.iter().all(|problem| problem.key != key) {
            let finding = self.finding(key, sentence);
            self.problems.push(finding);
        }
    }

    /// Whether somebody wrote this key anywhere.
    pub(super) fn is_written(&self, key: &str) -> bool {
        self.places.get(key).is_some_and(|place| *place != Place::Default)
    }

    /// Notes that `key` can be used, but should be looked at.
    pub(super) fn warn(&mut self, key: &'static str, sentence: String) {
        let finding = self.finding(key, sentence);
        self.warnings.push(finding);
    }

    /// Notes that commands which talk to Splynx cannot do without `key`. One warning says so for all of it.
    pub(super) fn lack(&mut self, key: &'static str, sentence: String) {
        let finding = self.finding(key, sentence);
        if self.lacking.is_empty() {
            self.warnings.push(finding.clone());
        }
        self.lacking.push(finding);
    }

    fn finding(&self, key: &'static str, sentence: String) -> Finding {
        let place = self.places.get(key).cloned().unwrap_or(Place::Default);
        Finding { place, key: key.to_owned(), sentence }
    }

    /// All that was found.
    pub(super) fn finish(mut self) -> Found {
        self.warnings.sort();
        let Self { problems, warnings, lacking, .. } = self;
        Found { problems, warnings, lacking }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_listed_by_line_and_the_environment_comes_last() {
        let finding =
            |place, key: &str| Finding { place, key: key.to_owned(), sentence: "no".to_owned() };
        let errors = ConfigErrors::new(
            Path::new("/etc/x.toml"),
            vec![
                finding(Place::Environment { variable: "V".to_owned() }, "log.level"),
                finding(Place::line(12), "b.b"),
                finding(Place::line(3), "a.a"),
            ],
        );
        assert_eq!(
            errors.to_string(),
            "the configuration /etc/x.toml cannot be used\n  line 3: a.a: no\n  line 12: b.b: no\n  \
             environment variable V: log.level: no"
        );
    }
}

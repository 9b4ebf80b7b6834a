//! `[log]`: what is written about the add-on's doings.

use tracing::level_filters::LevelFilter;

use super::finding::Findings;
use super::key::section;
use super::parse;

section! {
    /// What is written about the add-on's doings, to standard error.
    struct LogKeys in log {
        /// `error`, `warn`, `info`, `debug` or `trace`. No level shows a secret.
        level: Text = "info";
        /// `text` for people, `json` for machines: one object a line.
        format: Text = "text";
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// Less important things are left out.
    pub level: LevelFilter,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl LogKeys {
    /// Parses the section, noting everything that is wrong with it.
    pub(super) fn parse(&self, findings: &mut Findings) -> Option<Log> {
        let level = findings.check("log.level", level(&self.level));
        let format = findings.check("log.format", format(&self.format));
        Some(Log { level: level?, format: format? })
    }
}

fn level(text: &str) -> Result<LevelFilter, String> {
    parse::choice(
        text,
        [
            ("error", LevelFilter::ERROR),
            ("warn", LevelFilter::WARN),
            ("info", LevelFilter::INFO),
            ("debug", LevelFilter::DEBUG),
            ("trace", LevelFilter::TRACE),
        ],
    )
}

fn format(text: &str) -> Result<LogFormat, String> {
    parse::choice(text, [("text", LogFormat::Text), ("json", LogFormat::Json)])
}

//! `reconcile`: compares processor, add-on and Splynx. Names what differs; posts nothing.

use std::io::{IsTerminal as _, Write, stderr};
use std::path::Path;

use chrono::{NaiveDate, NaiveTime, TimeDelta};

use super::output::Streams;
use super::{Ending, wiring};
use crate::app::reconcile::{Report, reconcile};
use crate::config;
use crate::db::Migrations;

/// Compares, and prints the report.
pub(super) async fn run(
    path: &Path,
    since: Option<NaiveDate>,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Ending> {
    let mut progress = Progress { writer: stderr(), moving: stderr().is_terminal() };
    let report = compare(path, since, &mut progress).await;
    progress.end();
    let report = report?;
    print(&report, streams)?;
    Ok(if report.agrees() { Ending::Good } else { Ending::NotGood })
}

async fn compare<W: Write>(
    path: &Path,
    since: Option<NaiveDate>,
    progress: &mut Progress<W>,
) -> anyhow::Result<Report> {
    progress.say("opening the database ...");
    let world = wiring::connect(&config::load(path)?.config, Migrations::Run).await?;
    let app = &world.app;
    let since = match since {
        Some(day) => day.and_time(NaiveTime::MIN).and_utc(),
        None => app.clock.now() - app.settings.monitor - TimeDelta::days(1),
    };
    progress.say("asking Splynx for its payments ...");
    let compared = |count: u64| progress.say(&format!("{count} compared with the processor ..."));
    Ok(reconcile(app, since, compared).await?)
}

/// A line that says how far it is, on a terminal only; it leaves no trace. Its writes may fail: there is nobody to tell
/// when standard error is gone.
struct Progress<W> {
    writer: W,
    moving: bool,
}

impl<W: Write> Progress<W> {
    fn say(&mut self, words: &str) {
        if self.moving {
            write!(self.writer, "\r{words}\x1b[K").ok();
            self.writer.flush().ok();
        }
    }

    fn end(&mut self) {
        self.say("");
    }
}

fn print(report: &Report, streams: &mut Streams<'_>) -> std::io::Result<()> {
    let out = &mut streams.out;
    writeln!(out, "payments compared:         {}", report.attempts)?;
    writeln!(out, "processor invoices asked:  {} (one by one)", report.asked)?;
    for (currency, sum) in &report.processor {
        writeln!(out, "final at the processor:    {sum} {currency}")?;
    }
    for (currency, sum) in &report.ours {
        writeln!(out, "credited in our books:     {sum} {currency}")?;
    }
    writeln!(out, "in Splynx under our keys:  {}", report.splynx.normalize())?;
    for (currency, sum) in &report.on_the_way {
        writeln!(out, "on the way to Splynx:      {sum} {currency}")?;
    }
    for finding in &report.findings {
        writeln!(out, "- {}", finding.words)?;
    }
    let verdict = match (report.agrees(), report.on_the_way.is_empty()) {
        (true, true) => "All three agree.",
        (true, false) => "All three agree, but for what is on the way.",
        (false, _) => "They do not agree.",
    };
    writeln!(out, "{verdict}")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(moving: bool) -> String {
        let mut paper = Vec::new();
        let mut progress = Progress { writer: &mut paper, moving };
        let failed = compare(Path::new("/nonexistent/config.toml"), None, &mut progress).await;
        assert!(failed.is_err());
        progress.say("1 compared");
        progress.end();
        String::from_utf8(paper).unwrap()
    }

    #[tokio::test]
    async fn a_terminal_is_told_from_the_first_moment_and_keeps_no_trace() {
        let said = said(true).await;
        assert!(said.starts_with("\ropening the database ...\x1b[K"), "{said:?}");
        assert!(said.ends_with("\r1 compared\x1b[K\r\x1b[K"), "{said:?}");
    }

    #[tokio::test]
    async fn a_log_is_told_nothing() {
        assert_eq!(said(false).await, "");
    }
}

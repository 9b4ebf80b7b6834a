//! `reconcile`: compares processor, add-on and Splynx. Names what differs; posts nothing.

mod csv;
mod json;
mod text;

use std::io::Write;
use std::path::Path;

use chrono::{NaiveDate, NaiveTime};
use clap::ValueEnum;

use super::output::Streams;
use super::progress::Distance;
use super::{Ending, wiring};
use crate::app::reconcile::{Report, reconcile, whole_since};
use crate::config;
use crate::db::Migrations;
use crate::domain::proof::Proof;
use crate::ports::books::BookStore as _;

/// Proofs read at a time.
const PAGE: u32 = 100;

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For machines; the keys are stable.
    Json,
    /// For spreadsheets; no cell is a formula.
    Csv,
}

/// What is wanted of `reconcile`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Wish {
    /// Compare payments begun on this day or later (YYYY-MM-DD); by default all that are watched.
    #[arg(long, value_name = "DATE", conflicts_with = "history")]
    since: Option<NaiveDate>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Compare nothing; list what every day's last comparison came to, newest first.
    #[arg(long)]
    history: bool,
}

/// Compares, and prints the report; or prints the days.
pub(super) async fn run(
    path: &Path,
    wish: Wish,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Ending> {
    if wish.history {
        return history(path, wish.format, streams).await;
    }
    let mut progress = Distance::on_stderr();
    let report = compare(path, wish.since, &mut progress).await;
    progress.end();
    let report = report?;
    match wish.format {
        Format::Text => text::report(&report, streams.out)?,
        Format::Json => json::report(&report, streams.out)?,
        Format::Csv => csv::report(&report, streams.out)?,
    }
    Ok(if report.agrees() { Ending::Good } else { Ending::NotGood })
}

async fn compare<W: Write>(
    path: &Path,
    since: Option<NaiveDate>,
    progress: &mut Distance<W>,
) -> anyhow::Result<Report> {
    progress.say("opening the database ...");
    let world = wiring::connect(&config::load(path)?.config, Migrations::OnlyOfANewOne).await?;
    let app = &world.app;
    let since = match since {
        Some(day) => day.and_time(NaiveTime::MIN).and_utc(),
        None => whole_since(app),
    };
    progress.say("comparing ...");
    let compared = |count: u64| progress.say(&format!("{count} compared with the processor ..."));
    Ok(reconcile(app, since, compared).await?)
}

/// The days of all proofs. They say what was found then; whether all is well now, only a comparison tells.
async fn history(path: &Path, format: Format, streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    let (db, _) =
        wiring::open_database(&config::load(path)?.config, Migrations::OnlyOfANewOne).await?;
    let mut offset = 0;
    let mut days: Vec<Proof> = vec![];
    loop {
        let page = db.proofs(PAGE, offset).await?;
        if page.is_empty() {
            break;
        }
        days.extend(page);
        offset = offset.saturating_add(PAGE);
    }
    match format {
        Format::Text => text::history(&days, streams.out)?,
        Format::Json => json::history(&days, streams.out)?,
        Format::Csv => csv::history(&days, streams.out)?,
    }
    Ok(Ending::Good)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(moving: bool) -> String {
        let mut paper = Vec::new();
        let mut progress = Distance { writer: &mut paper, moving };
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

//! `reconcile`: compares processor, add-on and Splynx. Names what differs; posts nothing.

use std::io::{IsTerminal as _, Write as _};
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
    let world = wiring::connect(&config::load(path)?.config, Migrations::Run).await?;
    let app = &world.app;
    let since = match since {
        Some(day) => day.and_time(NaiveTime::MIN).and_utc(),
        None => app.clock.now() - app.settings.monitor - TimeDelta::days(1),
    };
    let moving = std::io::stderr().is_terminal();
    let report = reconcile(app, since, |compared| {
        if moving && compared % 10 == 0 {
            write!(std::io::stderr(), "\r{compared} compared").ok();
        }
    })
    .await?;
    if moving {
        write!(std::io::stderr(), "\r\x1b[K").ok();
    }
    print(&report, streams)?;
    Ok(if report.agrees() { Ending::Good } else { Ending::NotGood })
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

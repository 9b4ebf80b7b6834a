//! The report for people.

use std::io::{Result, Write};

use crate::app::reconcile::Report;
use crate::domain::proof::Proof;

/// Sums, findings, verdict.
pub(super) fn report(report: &Report, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "payments compared:         {}", report.attempts)?;
    writeln!(out, "processor invoices asked:  {} (one by one)", report.asked)?;
    writeln!(out, "processor invoices listed: {}", report.listed)?;
    for why in &report.unlisted {
        writeln!(
            out,
            "no list from the processor, so that only our own invoices were asked: {why}"
        )?;
    }
    for (currency, sums) in &report.sums {
        writeln!(out, "final at the processor:    {} {currency}", sums.processor)?;
        writeln!(out, "credited in our books:     {} {currency}", sums.ours)?;
        if !sums.on_the_way.is_zero() {
            writeln!(out, "on the way to Splynx:      {} {currency}", sums.on_the_way)?;
        }
        writeln!(out, "in Splynx under our keys:  {} {currency}", sums.splynx.normalize())?;
    }
    for finding in &report.findings {
        writeln!(out, "- {}: {}", finding.kind.code(), finding.words)?;
    }
    if report.more > 0 {
        writeln!(out, "- ... and {} more", report.more)?;
    }
    let on_the_way = report.sums.values().any(|sums| !sums.on_the_way.is_zero());
    let verdict = match (report.agrees(), on_the_way) {
        (true, false) => "All three agree.",
        (true, true) => "All three agree, but for what is on the way.",
        (false, _) => "They do not agree.",
    };
    writeln!(out, "{verdict}")
}

/// A line a day and currency.
pub(super) fn history(days: &[Proof], out: &mut dyn Write) -> Result<()> {
    if days.is_empty() {
        return writeln!(out, "No day has been compared yet.");
    }
    for proof in days {
        let verdict = if proof.agreed { "agreed " } else { "DIFFERS" };
        writeln!(
            out,
            "{} {verdict} at {}: {} payments, {} findings",
            proof.day,
            proof.made_at.format("%H:%M UTC"),
            proof.attempts,
            proof.findings
        )?;
        for (currency, sums) in &proof.sums {
            writeln!(
                out,
                "           {currency}: processor {}, books {}, on the way {}, Splynx {}",
                sums.processor,
                sums.ours,
                sums.on_the_way,
                sums.splynx.normalize()
            )?;
        }
    }
    Ok(())
}

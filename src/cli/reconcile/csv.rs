//! The report for spreadsheets (RFC 4180).
//!
//! **Invariant:** no cell is taken for a formula, whoever wrote its text (ASVS 1.2.10): a cell that would begin one gets
//! an apostrophe before it.

use std::io::{Result, Write};

use crate::app::reconcile::Report;
use crate::domain::proof::Proof;

/// A line per sum, then a line per finding.
pub(super) fn report(report: &Report, out: &mut dyn Write) -> Result<()> {
    row(out, &["line", "kind", "subject", "attempt", "customer", "currency", "amount", "words"])?;
    for (currency, sums) in &report.sums {
        for (kind, sum) in [
            ("processor", sums.processor),
            ("ours", sums.ours),
            ("on_the_way", sums.on_the_way),
            ("splynx", sums.splynx.normalize()),
        ] {
            row(out, &["sum", kind, "", "", "", currency, &sum.to_string(), ""])?;
        }
    }
    for finding in &report.findings {
        let attempt = finding.attempt.map(|id| id.to_string()).unwrap_or_default();
        let customer = finding.customer.map(|id| id.to_string()).unwrap_or_default();
        let (kind, subject) = (finding.kind.code(), finding.subject.as_str());
        row(out, &["finding", kind, subject, &attempt, &customer, "", "", &finding.words])?;
    }
    if report.more > 0 {
        row(out, &["finding", "more", "", "", "", "", &report.more.to_string(), ""])?;
    }
    Ok(())
}

/// A line per day and currency; a day without any payment has one as well.
pub(super) fn history(days: &[Proof], out: &mut dyn Write) -> Result<()> {
    row(
        out,
        &[
            "day",
            "agreed",
            "attempts",
            "findings",
            "currency",
            "processor",
            "ours",
            "on_the_way",
            "splynx",
        ],
    )?;
    for proof in days {
        let day = proof.day.to_string();
        let agreed = if proof.agreed { "yes" } else { "no" };
        let (attempts, findings) = (proof.attempts.to_string(), proof.findings.to_string());
        if proof.sums.is_empty() {
            row(out, &[&day, agreed, &attempts, &findings, "", "", "", "", ""])?;
        }
        for (currency, sums) in &proof.sums {
            let texts = [sums.processor, sums.ours, sums.on_the_way, sums.splynx.normalize()]
                .map(|sum| sum.to_string());
            let [processor, ours, on_the_way, splynx] = &texts;
            row(
                out,
                &[
                    &day, agreed, &attempts, &findings, currency, processor, ours, on_the_way,
                    splynx,
                ],
            )?;
        }
    }
    Ok(())
}

fn row(out: &mut dyn Write, cells: &[&str]) -> Result<()> {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    write!(out, "{}\r\n", cells.join(","))
}

/// In quotes, with quotes doubled, and harmless.
fn cell(text: &str) -> String {
    let begins_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if begins_formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"")]
    #[case("+1", "\"'+1\"")]
    #[case("-1", "\"'-1\"")]
    #[case("@SUM(A1)", "\"'@SUM(A1)\"")]
    #[case("\t=1", "\"'\t=1\"")]
    #[case("\r=1", "\"'\r=1\"")]
    #[case("51.61", "\"51.61\"")]
    #[case("a, \"b\"\nc", "\"a, \"\"b\"\"\nc\"")]
    #[case("", "\"\"")]
    fn no_cell_is_a_formula(#[case] text: &str, #[case] written: &str) {
        assert_eq!(cell(text), written);
    }
}

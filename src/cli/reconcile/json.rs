//! The report for machines.
//!
//! **Invariant:** keys are added, never renamed; sums are texts, so that no reader makes floats of them.

use std::collections::BTreeMap;
use std::io::{Result, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use crate::app::reconcile::{Finding, Report};
use crate::domain::ids::CustomerId;
use crate::domain::proof::{Proof, Sums};

/// One object.
pub(super) fn report(report: &Report, out: &mut dyn Write) -> Result<()> {
    print(
        &json!({
            "begun": moment(report.begun),
            "since": moment(report.since),
            "agreed": report.agrees(),
            "attempts": report.attempts,
            "asked": report.asked,
            "listed": report.listed,
            "unlisted": report.unlisted,
            "sums": sums(&report.sums),
            "findings": report.findings.iter().map(finding).collect::<Value>(),
            "findings_not_shown": report.more,
        }),
        out,
    )
}

/// A list of objects, newest day first.
pub(super) fn history(days: &[Proof], out: &mut dyn Write) -> Result<()> {
    let day = |proof: &Proof| {
        json!({
            "day": proof.day.to_string(),
            "made_at": moment(proof.made_at),
            "since": moment(proof.since),
            "agreed": proof.agreed,
            "attempts": proof.attempts,
            "asked": proof.asked,
            "listed": proof.listed,
            "findings": proof.findings,
            "sums": sums(&proof.sums),
        })
    };
    print(&days.iter().map(day).collect::<Value>(), out)
}

fn finding(finding: &Finding) -> Value {
    json!({
        "kind": finding.kind.code(),
        "subject": finding.subject,
        "attempt": finding.attempt.map(|id| id.to_string()),
        "customer": finding.customer.map(CustomerId::get),
        "words": finding.words,
    })
}

fn sums(sums: &BTreeMap<String, Sums>) -> Value {
    let of = |(currency, sums): (&String, &Sums)| {
        let value = json!({
            "processor": sums.processor.to_string(),
            "ours": sums.ours.to_string(),
            "on_the_way": sums.on_the_way.to_string(),
            "splynx": sums.splynx.normalize().to_string(),
        });
        (currency.clone(), value)
    };
    Value::Object(sums.iter().map(of).collect())
}

fn moment(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn print(value: &impl Serialize, out: &mut dyn Write) -> Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

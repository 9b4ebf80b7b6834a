//! Compares the three books, both ways: processor, ours, Splynx (design 4.10).
//!
//! **Invariant:** it posts nothing. It names what does not agree, line by line, and opens a review beside the attempt;
//! two comparisons at once do no harm. It holds a page of attempts at a time, however many there are.

mod fees;
mod processor;
mod report;
mod splynx;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::App;
use super::open_attempt::review;
use super::work::TurnError;
use crate::domain::alert::{AlertKind, Topic};
use crate::domain::attempt::Attempt;
use crate::domain::ids::{AttemptId, ConnectionId};
use crate::domain::proof::Proof;
use crate::domain::review::{ReviewNote, ReviewReason};
use crate::ports::processor::Processor;
use crate::ports::store::Change;

pub use report::{Finding, FindingKind, KEPT, Report};

/// Attempts read at a time.
const PAGE: u32 = 200;

/// The subject of the topic "it was not complete".
const INCOMPLETE: &str = "incomplete";
/// The subject of the topic "it failed".
const FAILED: &str = "failed";

/// Since when attempts are compared unless somebody says otherwise: as long as they are watched, and a day.
#[must_use]
pub fn whole_since(app: &App) -> DateTime<Utc> {
    app.clock.now() - app.settings.monitor - TimeDelta::days(1)
}

/// Compares all attempts made since then, opens reviews, keeps the day's proof. `progress` is told how many were
/// compared so far.
///
/// # Errors
///
/// [`TurnError`] when Splynx's payments or our own rows cannot be read; a silent processor is a finding instead. A
/// failure of the whole is told to a person.
pub async fn reconcile(
    app: &App,
    since: DateTime<Utc>,
    progress: impl FnMut(u64),
) -> Result<Report, TurnError> {
    let begun = app.clock.now();
    let compared = match compare(app, begun, since, progress).await {
        Ok(report) => keep(app, &report).await.map(|()| report),
        Err(error) => Err(error),
    };
    if let Err(error) = &compared {
        let words = format!("Processor, add-on and Splynx could not be compared: {error}.");
        let topic = Topic::new(AlertKind::Reconcile, FAILED, words, begun);
        if let Err(error) = app.store.raise_alert(&topic).await {
            tracing::error!(%error, "that reconcile failed could not be kept");
        }
    }
    compared
}

async fn compare(
    app: &App,
    begun: DateTime<Utc>,
    since: DateTime<Utc>,
    mut progress: impl FnMut(u64),
) -> Result<Report, TurnError> {
    let mut books = Books {
        app,
        day_before: app.clock.local_date(since - TimeDelta::days(1)),
        account: None,
        silent: 0,
        report: Report::new(begun, since),
    };
    let mut offset = 0;
    loop {
        let mut page = app.store.opened_since(since, PAGE, offset).await?;
        if page.is_empty() {
            break;
        }
        for ledger in &mut page {
            if let Some(fresh) = books.compare_with_processor(ledger).await? {
                *ledger = fresh;
            }
            books.report.attempts = books.report.attempts.saturating_add(1);
            progress(books.report.attempts);
        }
        books.compare_with_splynx(&page).await?;
        books.compare_fees(&page).await?;
        offset = offset.saturating_add(PAGE);
    }
    books.find_strangers().await?;
    books.find_unseen().await?;
    Ok(books.close())
}

/// A comparison that is under way.
struct Books<'a> {
    app: &'a App,
    /// No payment of these attempts was made before.
    day_before: NaiveDate,
    /// The account that was asked last.
    account: Option<(ConnectionId, Arc<dyn Processor>)>,
    /// Questions in a row that the processor did not answer.
    silent: u32,
    report: Report,
}

impl Books<'_> {
    /// Where every line agrees, the sums must too.
    fn close(mut self) -> Report {
        if self.report.agrees() {
            let differing = self.report.sums.iter().filter(|(_, sums)| !sums.agree());
            let findings: Vec<Finding> = differing
                .map(|(currency, sums)| Finding {
                    kind: FindingKind::Sums,
                    subject: format!("sums {currency}"),
                    attempt: None,
                    customer: None,
                    words: format!(
                        "The sums in {currency} differ: processor {}, our books {}, on the way {}, \
                         Splynx {}.",
                        sums.processor, sums.ours, sums.on_the_way, sums.splynx
                    ),
                })
                .collect();
            for finding in findings {
                self.report.name(finding);
            }
        }
        self.report
    }
}

fn at_attempt(
    kind: FindingKind,
    attempt: &Attempt,
    subject: impl fmt::Display,
    words: String,
) -> Finding {
    Finding {
        kind,
        subject: subject.to_string(),
        attempt: Some(attempt.id),
        customer: Some(attempt.customer),
        words,
    }
}

/// Everything a comparison leaves behind.
async fn keep(app: &App, report: &Report) -> Result<(), TurnError> {
    for finding in &report.findings {
        tracing::warn!(kind = finding.kind.code(), finding = finding.words, "reconcile");
    }
    open_reviews(app, report).await?;
    raise_alerts(app, report).await?;
    // A comparison of a part is no proof of the day.
    if is_whole(app, report) {
        app.store.put_proof(&proof(app, report)).await?;
    }
    Ok(())
}

fn is_whole(app: &App, report: &Report) -> bool {
    report.since <= report.begun - app.settings.monitor - TimeDelta::days(1)
}

fn proof(app: &App, report: &Report) -> Proof {
    Proof {
        day: app.clock.local_date(report.begun),
        made_at: report.begun,
        since: report.since,
        attempts: report.attempts,
        asked: report.asked,
        listed: report.listed,
        findings: report.count(),
        agreed: report.agrees(),
        sums: report.sums.clone(),
    }
}

/// One review per attempt, with all that was found about it.
async fn open_reviews(app: &App, report: &Report) -> Result<(), TurnError> {
    let mut by_attempt: BTreeMap<AttemptId, Vec<&str>> = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| finding.kind.needs_review()) {
        if let Some(id) = finding.attempt {
            by_attempt.entry(id).or_default().push(&finding.words);
        }
    }
    for (id, words) in by_attempt {
        open_review(app, id, words.join(" ")).await?;
    }
    Ok(())
}

async fn open_review(app: &App, id: AttemptId, words: String) -> Result<(), TurnError> {
    let reviews = app.store.reviews(id).await?;
    let mut earlier = reviews.iter().filter(|review| review.reason == ReviewReason::BooksDiffer);
    // What is open is known, and what a person has closed in these very words was looked at.
    if earlier.any(|review| review.closed.is_none() || review.words == words) {
        return Ok(());
    }
    let Some(now) = app.store.ledger(id).await? else {
        return Ok(());
    };
    let note = ReviewNote::new(ReviewReason::BooksDiffer, words);
    let reviews = vec![review(app, &now.attempt, note)];
    let change = Change { reviews, ..Change::of(now.attempt) };
    // Whoever moved the attempt meanwhile does no harm: the next reconcile finds the same again.
    app.store.apply(&change).await?;
    Ok(())
}

/// Tells what stands beside no attempt, and ends what is found no more.
async fn raise_alerts(app: &App, report: &Report) -> Result<(), TurnError> {
    let store = &app.store;
    let told = |finding: &&Finding| finding.attempt.is_none() && finding.kind.needs_review();
    let mut standing = vec![];
    for finding in report.findings.iter().filter(told) {
        let subject = format!("{}/{}", finding.kind.code(), finding.subject);
        let topic = Topic::new(AlertKind::Finding, &subject, &finding.words, report.begun);
        store.raise_alert(&topic).await?;
        standing.push(subject);
    }
    let left_out = report.left_out();
    if left_out > 0 {
        let first = report.findings.iter().find(|it| it.kind == FindingKind::NotCompared);
        let first = first.map(|finding| finding.words.as_str()).unwrap_or_default();
        let words = format!("{left_out} lines were not compared. The first: {first}");
        let topic = Topic::new(AlertKind::Reconcile, INCOMPLETE, words, report.begun);
        store.raise_alert(&topic).await?;
    }
    if is_whole(app, report) {
        store.end_alerts(AlertKind::Finding, &standing, report.begun).await?;
        let standing: Vec<String> =
            (left_out > 0).then(|| INCOMPLETE.to_owned()).into_iter().collect();
        store.end_alerts(AlertKind::Reconcile, &standing, report.begun).await?;
    }
    Ok(())
}

//! Compares the three books: processor, ours, Splynx (design 4.10).
//!
//! **Invariant:** it posts nothing. It names what does not agree, line by line, and opens a review beside the attempt.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::App;
use super::open_attempt::review;
use super::work::TurnError;
use crate::domain::attempt::Attempt;
use crate::domain::credit::Credit;
use crate::domain::money::Money;
use crate::domain::posting::{Posting, PostingState};
use crate::domain::recording::credited;
use crate::domain::review::{ReviewNote, ReviewReason};
use crate::ports::billing::PaymentRow;
use crate::ports::store::{Change, Ledger};

/// How long a settled credit may be on its way into Splynx before it is named.
const PATIENCE: TimeDelta = TimeDelta::hours(1);

/// Attempts read at a time.
const PAGE: u32 = 200;

/// One line that does not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The attempt it is about, where there is one.
    pub attempt: Option<Attempt>,
    /// In words, with the figures.
    pub words: String,
}

/// What reconcile found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Attempts compared.
    pub attempts: u64,
    /// Processor invoices that were asked about, one by one: a POS token cannot list them.
    pub asked: u64,
    /// Final at the processor, by currency.
    pub processor: BTreeMap<String, Decimal>,
    /// Credited in our books, by currency.
    pub ours: BTreeMap<String, Decimal>,
    /// Of that, not in Splynx yet and not for long: the worker is at it. By currency.
    pub on_the_way: BTreeMap<String, Decimal>,
    /// Paid in Splynx under our keys; Splynx knows one currency only.
    pub splynx: Decimal,
    /// What does not agree.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether all three books agree, but for what is on the way.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Compares all attempts made since then. `progress` is told how many were compared so far.
///
/// # Errors
///
/// [`TurnError`] when Splynx's payments or our own rows cannot be read; a silent processor is a finding instead.
pub async fn reconcile(
    app: &App,
    since: DateTime<Utc>,
    mut progress: impl FnMut(u64),
) -> Result<Report, TurnError> {
    let day_before = app.clock.local_date(since - TimeDelta::days(1));
    let begun = app.clock.now();
    let payments = app.billing.payments_with_our_keys(day_before).await?;
    let mut books = Books::new(payments, begun);
    let mut offset = 0;
    loop {
        let page = app.store.opened_since(since, PAGE, offset).await?;
        if page.is_empty() {
            break;
        }
        for ledger in &page {
            books.compare(app, ledger).await?;
            progress(books.report.attempts);
        }
        offset = offset.saturating_add(PAGE);
    }
    let report = books.close();
    for finding in &report.findings {
        tracing::warn!(finding = finding.words, "reconcile");
        open_review(app, finding).await?;
    }
    Ok(report)
}

async fn open_review(app: &App, finding: &Finding) -> Result<(), TurnError> {
    let Some(attempt) = &finding.attempt else {
        return Ok(());
    };
    let Some(now) = app.store.ledger(attempt.id).await? else {
        return Ok(());
    };
    let note = ReviewNote::new(ReviewReason::BooksDiffer, finding.words.clone());
    let reviews = vec![review(app, &now.attempt, note)];
    let change = Change { reviews, ..Change::of(now.attempt) };
    // Whoever moved the attempt meanwhile does no harm: the next reconcile finds the same again.
    app.store.apply(&change).await?;
    Ok(())
}

struct Books {
    /// Since when Splynx's payments were being read: what was sent later may be missing.
    read_at: DateTime<Utc>,
    payments: BTreeMap<String, Vec<PaymentRow>>,
    ours: BTreeSet<String>,
    report: Report,
}

impl Books {
    fn new(rows: Vec<PaymentRow>, read_at: DateTime<Utc>) -> Self {
        let mut payments: BTreeMap<String, Vec<PaymentRow>> = BTreeMap::new();
        let mut report = Report::default();
        for row in rows {
            report.splynx = report.splynx.saturating_add(row.amount);
            payments.entry(row.receipt_number.clone()).or_default().push(row);
        }
        Self { read_at, payments, ours: BTreeSet::new(), report }
    }

    async fn compare(&mut self, app: &App, ledger: &Ledger) -> Result<(), TurnError> {
        self.report.attempts = self.report.attempts.saturating_add(1);
        let fresh = self.compare_with_processor(app, ledger).await?;
        let ledger = fresh.as_ref().unwrap_or(ledger);
        for credit in &ledger.credits {
            self.ours.insert(credit.key.to_string());
            let rows = self.payments.get(credit.key.as_str());
            let rows = rows.map(Vec::as_slice).unwrap_or_default();
            let payment = ledger.payment_of(credit);
            let posted = payment.is_some_and(Posting::is_posted);
            let begun = payment.and_then(|payment| payment.first_begun_at);
            let sent_later = posted && begun.is_some_and(|at| at >= self.read_at);
            let words = if rows.is_empty() && !posted {
                self.not_in_splynx(app, ledger, credit, payment)
            } else if rows.is_empty() && sent_later {
                add(&mut self.report.on_the_way, credit.amount);
                None
            } else {
                differs(credit.amount, credit.key.as_str(), ledger, payment, rows)
            };
            self.name(Some(ledger), words);
        }
        Ok(())
    }

    /// What the worker is at is counted; what it has not got done for long is named.
    fn not_in_splynx(
        &mut self,
        app: &App,
        ledger: &Ledger,
        credit: &Credit,
        payment: Option<&Posting>,
    ) -> Option<String> {
        let since = ledger.attempt.settled_at.unwrap_or(ledger.attempt.created_at);
        let error = payment.and_then(|posting| posting.last_error.as_deref());
        let words = overdue(since, app.clock.now(), error)
            .map(|words| format!("{}: {} {words}", credit.key, credit.amount));
        if words.is_none() {
            add(&mut self.report.on_the_way, credit.amount);
        }
        words
    }

    /// Returns the ledger as it is now, if it was read again.
    async fn compare_with_processor(
        &mut self,
        app: &App,
        ledger: &Ledger,
    ) -> Result<Option<Ledger>, TurnError> {
        let attempt = &ledger.attempt;
        let nothing = Money::zero(attempt.terms.price.currency());
        let mut sum = credited(&ledger.credits, nothing)?;
        let settled = self.ask(app, ledger).await?;
        let mut fresh = None;
        if settled.is_some_and(|settled| settled != sum) {
            // Asking takes its time: what settled meanwhile may be credited by now.
            fresh = app.store.ledger(attempt.id).await?;
            sum = credited(&fresh.as_ref().unwrap_or(ledger).credits, nothing)?;
        }
        add(&mut self.report.ours, sum);
        if let Some(settled) = settled {
            add(&mut self.report.processor, settled);
            let words = (settled != sum).then(|| {
                format!("{}: final at the processor {settled}, credited {sum}.", attempt.id)
            });
            self.name(Some(ledger), words);
        }
        Ok(fresh)
    }

    /// What is final at the processor, by its own word now.
    async fn ask(&mut self, app: &App, ledger: &Ledger) -> Result<Option<Money>, TurnError> {
        let attempt = &ledger.attempt;
        let (Some(opened), Some(connection)) =
            (&attempt.opened, app.store.connection(attempt.connection).await?)
        else {
            return Ok(None);
        };
        let answer = match app.processors.of(&connection) {
            Ok(processor) => processor.observe(&opened.invoice).await,
            Err(error) => Err(error),
        };
        self.report.asked = self.report.asked.saturating_add(1);
        match answer {
            Ok(observation) => match attempt.mismatch(&observation) {
                None => Ok(Some(observation.settled(attempt.processor))),
                Some(note) => {
                    self.name(Some(ledger), Some(format!("{}: {}", attempt.id, note.words)));
                    Ok(None)
                }
            },
            Err(error) => {
                self.name(Some(ledger), Some(format!("{}: not compared: {error}.", attempt.id)));
                Ok(None)
            }
        }
    }

    /// What is in Splynx under our keys, but not in our books.
    fn close(mut self) -> Report {
        let strangers: Vec<_> = self
            .payments
            .iter()
            .filter(|(key, _)| !self.ours.contains(*key))
            .flat_map(|(_, rows)| rows)
            .map(|row| {
                format!(
                    "Splynx payment {} of customer {} carries {}, which is not in our books of this \
                     time.",
                    row.id, row.customer, row.receipt_number
                )
            })
            .collect();
        for words in strangers {
            self.name(None, Some(words));
        }
        self.report
    }

    fn name(&mut self, ledger: Option<&Ledger>, words: Option<String>) {
        let attempt = ledger.map(|ledger| ledger.attempt.clone());
        self.report.findings.extend(words.map(|words| Finding { attempt, words }));
    }
}

/// What to say of money that settled then and is not in Splynx, if it is time to say it.
fn overdue(since: DateTime<Utc>, now: DateTime<Utc>, last_error: Option<&str>) -> Option<String> {
    let why = last_error.map(|why| format!(": {why}")).unwrap_or_default();
    let day = since.format("%Y-%m-%d %H:%M UTC");
    (now - since > PATIENCE).then(|| format!("settled {day}, and is not in Splynx{why}."))
}

/// Why a credit and Splynx's rows with its key do not agree, if they do not.
fn differs(
    amount: Money,
    key: &str,
    ledger: &Ledger,
    payment: Option<&Posting>,
    rows: &[PaymentRow],
) -> Option<String> {
    let posted = payment.is_some_and(Posting::is_posted);
    let under_way = payment.is_none_or(|posting| {
        matches!(posting.state, PostingState::Posting { .. } | PostingState::Unknown { .. })
    });
    match rows {
        [] => Some(format!("{key}: {amount} was posted, but Splynx has no such payment.")),
        [row] if row.customer != ledger.attempt.customer => {
            Some(format!("{key}: payment {} stands at customer {}.", row.id, row.customer))
        }
        [row] if row.amount != amount.to_decimal() => {
            Some(format!("{key}: payment {} says {} instead of {amount}.", row.id, row.amount))
        }
        [row] if !posted && !under_way => {
            Some(format!("{key}: payment {} exists, but our books have not posted it.", row.id))
        }
        [_] => None,
        _ => {
            let ids: Vec<_> = rows.iter().map(|row| row.id.to_string()).collect();
            Some(format!("{key}: Splynx has it {} times: {}.", rows.len(), ids.join(", ")))
        }
    }
}

fn add(sums: &mut BTreeMap<String, Decimal>, money: Money) {
    let sum = sums.entry(money.currency().to_string()).or_default();
    *sum = sum.saturating_add(money.to_decimal());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_that_is_not_in_splynx_is_named_after_an_hour() {
        let at = |seconds: i64| DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap();
        assert_eq!(overdue(at(0), at(3600), None), None);
        assert_eq!(
            overdue(at(0), at(3601), Some("no permission")).unwrap(),
            "settled 2023-11-14 22:13 UTC, and is not in Splynx: no permission."
        );
    }
}

//! Our books and Splynx, both ways: what we posted must be there as we posted it, and what is there under our keys must
//! be ours.
//!
//! **Invariant:** nothing is named by a first look alone: what differs is read again on both sides before it counts.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use super::report::{Finding, FindingKind};
use super::{Books, at_attempt};
use crate::app::work::TurnError;
use crate::domain::alert::LATE;
use crate::domain::attempt::Attempt;
use crate::domain::credit::{Credit, Target};
use crate::domain::ids::CreditKey;
use crate::domain::payable::{DocumentStatus, Payable};
use crate::domain::posting::{Posting, PostingKind, PostingState, SearchOutcome};
use crate::ports::billing::{DocumentLink, PaymentRow};
use crate::ports::store::Ledger;

/// Days whose payments are read at once.
const WINDOW: Days = Days::new(7);

/// How a credit stands in Splynx.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// As we posted it.
    Fine,
    /// Not there, and not for long: the worker is at it.
    OnTheWay,
    /// Not as it should be.
    Differs(FindingKind, String),
}

impl Books<'_> {
    /// Compares the credits of these attempts with Splynx's payments of the same keys.
    pub(super) async fn compare_with_splynx(&mut self, page: &[Ledger]) -> Result<(), TurnError> {
        let keys: Vec<CreditKey> = page
            .iter()
            .flat_map(|ledger| &ledger.credits)
            .map(|credit| credit.key.clone())
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let rows = self.app.billing.payments_by_keys(&keys, self.day_before).await?;
        for ledger in page {
            for credit in &ledger.credits {
                let of_key: Vec<&PaymentRow> =
                    rows.iter().filter(|row| is_of(row, credit)).collect();
                self.compare_credit(ledger, credit, &of_key).await?;
            }
        }
        Ok(())
    }

    async fn compare_credit(
        &mut self,
        ledger: &Ledger,
        credit: &Credit,
        rows: &[&PaymentRow],
    ) -> Result<(), TurnError> {
        let now = self.app.clock.now();
        let mut found: Vec<PaymentRow> = rows.iter().map(|row| (*row).clone()).collect();
        let mut verdict = judge(ledger, credit, &found, now);
        if matches!(verdict, Verdict::Differs(..)) {
            // Whoever moved meanwhile is no finding: our row first, then Splynx's.
            let Some(fresh) = self.app.store.ledger(ledger.attempt.id).await? else {
                return Ok(());
            };
            let key = std::slice::from_ref(&credit.key);
            found = self.app.billing.payments_by_keys(key, self.day_before).await?;
            let Some(credit) = fresh.credit(&credit.key) else { return Ok(()) };
            verdict = self.judge_again(&fresh, credit, &mut found, now).await?;
        }
        let currency = credit.amount.currency().code();
        for row in &found {
            self.report.add_decimal(currency, row.amount, |sums| &mut sums.splynx);
        }
        match verdict {
            Verdict::Fine => {}
            Verdict::OnTheWay => self.report.add(credit.amount, |sums| &mut sums.on_the_way),
            Verdict::Differs(kind, words) => {
                self.report.name(at_attempt(kind, &ledger.attempt, &credit.key, words));
            }
        }
        Ok(())
    }

    async fn judge_again(
        &mut self,
        ledger: &Ledger,
        credit: &Credit,
        found: &mut Vec<PaymentRow>,
        now: DateTime<Utc>,
    ) -> Result<Verdict, TurnError> {
        let verdict = judge(ledger, credit, found, now);
        match &verdict {
            Verdict::Differs(FindingKind::Deleted, _) => {
                self.judge_absence(ledger, credit, found, verdict).await
            }
            Verdict::Differs(FindingKind::Unlinked, _)
                if !self.is_unpaid(&ledger.attempt).await? =>
            {
                // A Splynx that never tells links, or an admin who knows: the document is paid.
                Ok(Verdict::Fine)
            }
            _ => Ok(verdict),
        }
    }

    /// Under its receipt number it is not there; its texts may still carry the key.
    async fn judge_absence(
        &mut self,
        ledger: &Ledger,
        credit: &Credit,
        found: &mut Vec<PaymentRow>,
        verdict: Verdict,
    ) -> Result<Verdict, TurnError> {
        let customer = ledger.attempt.customer;
        match self.app.billing.find_payments(&credit.key, customer, self.day_before).await {
            SearchOutcome::Complete(ids) if ids.is_empty() => Ok(verdict),
            SearchOutcome::Complete(ids) => {
                found.extend(ids.into_iter().map(|id| PaymentRow {
                    id,
                    customer,
                    receipt_number: String::new(),
                    amount: credit.amount.to_decimal(),
                    document: DocumentLink::Untold,
                    named: vec![credit.key.clone()],
                }));
                Ok(judge(ledger, credit, found, self.report.begun))
            }
            SearchOutcome::Incomplete { why, .. } => {
                let words = format!("{}: not compared: {why}.", credit.key);
                Ok(Verdict::Differs(FindingKind::NotCompared, words))
            }
        }
    }

    async fn is_unpaid(&self, attempt: &Attempt) -> Result<bool, TurnError> {
        let Payable::Document(reference) = &attempt.payable else { return Ok(false) };
        let document = self.app.billing.document(reference).await?;
        Ok(document.is_some_and(|document| document.status == DocumentStatus::NotPaid))
    }

    /// Names what is in Splynx under our keys, but not in our books; and copies that name a key in their texts alone.
    pub(super) async fn find_strangers(&mut self) -> Result<(), TurnError> {
        let last =
            self.app.clock.local_date(self.report.begun).succ_opt().unwrap_or(NaiveDate::MAX);
        let mut day = self.app.clock.local_date(self.report.since);
        while day <= last {
            let until = day.checked_add_days(WINDOW).unwrap_or(last).min(last);
            for row in self.app.billing.payments_with_our_keys(day, until).await? {
                self.compare_row(&row).await?;
            }
            let Some(next) = until.succ_opt() else { break };
            day = next;
        }
        Ok(())
    }

    async fn compare_row(&mut self, row: &PaymentRow) -> Result<(), TurnError> {
        match CreditKey::parse(row.receipt_number.trim()) {
            Ok(key) if is_our_form(&key) => {
                if self.app.store.ledger_by_credit(&key).await?.is_none() {
                    self.name_stranger(row);
                }
                Ok(())
            }
            _ => {
                for key in &row.named {
                    if let Some(ledger) = self.app.store.ledger_by_credit(key).await? {
                        self.compare_copy(row, key, &ledger);
                    }
                }
                Ok(())
            }
        }
    }

    fn name_stranger(&mut self, row: &PaymentRow) {
        let currency = self.app.rules().currency.code();
        self.report.add_decimal(currency, row.amount, |sums| &mut sums.splynx);
        let words = format!(
            "Splynx payment {} of customer {} carries {}, which is not in our books.",
            row.id, row.customer, row.receipt_number
        );
        self.report.name(Finding {
            kind: FindingKind::Stranger,
            subject: format!("payment {}", row.id),
            attempt: None,
            customer: Some(row.customer),
            words,
        });
    }

    /// A payment made by hand with our key in a text: the same customer and amount are no accident. A refund, or one
    /// that Splynx renumbered, is no copy.
    fn compare_copy(&mut self, row: &PaymentRow, key: &CreditKey, ledger: &Ledger) {
        let Some(credit) = ledger.credit(key) else { return };
        let posting = ledger.payment_of(credit);
        let is_posting = posting.is_some_and(|posting| match &posting.state {
            PostingState::Posted { splynx_id } => splynx_id.is_none_or(|id| id == row.id),
            PostingState::Duplicate { splynx_ids } => splynx_ids.contains(&row.id),
            _ => true,
        });
        let same =
            row.customer == ledger.attempt.customer && row.amount == credit.amount.to_decimal();
        if is_posting || !same {
            return;
        }
        let words = format!(
            "{key}: payment {} of the same customer and amount names this key: it looks like a \
             second credit made by hand.",
            row.id
        );
        let subject = format!("payment {}", row.id);
        self.report.name(at_attempt(FindingKind::Copied, &ledger.attempt, subject, words));
    }
}

fn is_of(row: &PaymentRow, credit: &Credit) -> bool {
    row.receipt_number.trim() == credit.key.as_str()
}

/// Whether a receipt number is one that this add-on gives out, and not a number of somebody's own.
fn is_our_form(key: &CreditKey) -> bool {
    let number = |(head, n): (&str, &str)| {
        n.bytes().all(|byte| byte.is_ascii_digit())
            && ["BP-", "BT-", "BL-"].iter().any(|prefix| head.starts_with(prefix))
    };
    key.as_str().rsplit_once('-').is_some_and(number)
}

/// How a credit stands, by our row and Splynx's rows of its key.
fn judge(ledger: &Ledger, credit: &Credit, rows: &[PaymentRow], now: DateTime<Utc>) -> Verdict {
    let payment = ledger.payment_of(credit);
    let posted = payment.is_some_and(Posting::is_posted);
    let (key, amount) = (&credit.key, credit.amount);
    let differs = |kind, words| Verdict::Differs(kind, words);
    match rows {
        [] if posted => differs(
            FindingKind::Deleted,
            format!("{key}: {amount} was posted, but Splynx has no such payment."),
        ),
        [] => not_in_splynx(ledger, credit, payment, now),
        [row] if row.customer != ledger.attempt.customer => differs(
            FindingKind::Moved,
            format!("{key}: payment {} stands at customer {}.", row.id, row.customer),
        ),
        [row] if row.amount != amount.to_decimal() => differs(
            FindingKind::Amount,
            format!(
                "{key}: payment {} says {} instead of {amount}.",
                row.id,
                row.amount.normalize()
            ),
        ),
        [row] if !posted && !is_under_way(payment) => differs(
            FindingKind::NotPosted,
            format!("{key}: payment {} exists, but our books have not posted it.", row.id),
        ),
        [row] if posted && is_unlinked(credit, payment, row) => differs(
            FindingKind::Unlinked,
            format!("{key}: payment {} is not linked to its document any more.", row.id),
        ),
        [_] => Verdict::Fine,
        _ => {
            let ids: Vec<_> = rows.iter().map(|row| row.id.to_string()).collect();
            let words = format!("{key}: Splynx has it {} times: {}.", rows.len(), ids.join(", "));
            differs(FindingKind::Duplicate, words)
        }
    }
}

/// What the worker is at is counted; what it has not got done for long is named.
fn not_in_splynx(
    ledger: &Ledger,
    credit: &Credit,
    payment: Option<&Posting>,
    now: DateTime<Utc>,
) -> Verdict {
    let since = ledger.attempt.settled_at.unwrap_or(ledger.attempt.created_at);
    let error = payment.and_then(|posting| posting.last_error.as_deref());
    match overdue(since, now, error) {
        Some(words) => {
            let words = format!("{}: {} {words}", credit.key, credit.amount);
            Verdict::Differs(FindingKind::Overdue, words)
        }
        None => Verdict::OnTheWay,
    }
}

fn is_under_way(payment: Option<&Posting>) -> bool {
    payment.is_none_or(|posting| {
        matches!(posting.state, PostingState::Posting { .. } | PostingState::Unknown { .. })
    })
}

fn is_unlinked(credit: &Credit, payment: Option<&Posting>, row: &PaymentRow) -> bool {
    credit.target == Target::Document
        && payment.is_some_and(|posting| posting.kind == PostingKind::DocumentPayment)
        && row.document == DocumentLink::Nothing
}

/// What to say of money that settled then and is not in Splynx, if it is time to say it.
fn overdue(since: DateTime<Utc>, now: DateTime<Utc>, last_error: Option<&str>) -> Option<String> {
    let why = last_error.map(|why| format!(": {why}")).unwrap_or_default();
    let day = since.format("%Y-%m-%d %H:%M UTC");
    let passed: TimeDelta = now - since;
    (passed > LATE).then(|| format!("settled {day}, and is not in Splynx{why}."))
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

    #[test]
    fn a_receipt_number_of_somebody_else_is_not_taken_for_ours() {
        let is_ours = |text: &str| is_our_form(&CreditKey::parse(text).unwrap());
        assert!(is_ours("BP-BukWCRGV8Q1tW9jXfBSeS7-1"));
        assert!(!is_ours("CASH-7"));
        assert!(!is_ours("BP-by-hand"));
    }
}

//! Fees that stand twice: only what was sent more than once can.
//!
//! **Invariant:** the fee of a payment is read again only where a first sending was given up as absent: Splynx may have
//! carried it out later than anybody waits.

use super::report::{Finding, FindingKind};
use super::{Books, at_attempt};
use crate::app::work::TurnError;
use crate::domain::posting::{Posting, PostingKind, SearchOutcome};
use crate::ports::store::Ledger;

impl Books<'_> {
    /// Names the fee items and fee debits of these attempts that Splynx has more than once.
    pub(super) async fn compare_fees(&mut self, page: &[Ledger]) -> Result<(), TurnError> {
        for ledger in page {
            for posting in ledger.postings.iter().filter(|posting| was_repeated(posting)) {
                let found = self.fee_twice(ledger, posting).await?;
                if let Some(finding) = found {
                    self.report.name(finding);
                }
            }
        }
        Ok(())
    }

    async fn fee_twice(
        &self,
        ledger: &Ledger,
        posting: &Posting,
    ) -> Result<Option<Finding>, TurnError> {
        let (billing, attempt) = (&self.app.billing, &ledger.attempt);
        let Some(key) = &posting.credit else { return Ok(None) };
        let times = match (posting.kind, attempt.payable.document()) {
            (PostingKind::FeeItem, Some(reference)) => {
                let document = billing.document(reference).await?;
                let items = document.map(|document| document.items).unwrap_or_default();
                let ends = |text: &str| text.trim_end().ends_with(key.as_str());
                items.iter().filter(|item| ends(&item.description)).count()
            }
            (PostingKind::FeeDebit, _) => {
                match billing.find_transactions(key, attempt.customer, self.day_before).await {
                    SearchOutcome::Complete(ids) => ids.len(),
                    SearchOutcome::Incomplete { why, .. } => {
                        let words = format!("{key}: the fee was not compared: {why}.");
                        let kind = FindingKind::NotCompared;
                        return Ok(Some(at_attempt(kind, attempt, key, words)));
                    }
                }
            }
            _ => 0,
        };
        let words = format!("{key}: Splynx has its fee {times} times.");
        let subject = format!("{key} fee");
        let finding = || at_attempt(FindingKind::Duplicate, attempt, subject, words);
        Ok((times > 1).then(finding))
    }
}

fn was_repeated(posting: &Posting) -> bool {
    matches!(posting.kind, PostingKind::FeeItem | PostingKind::FeeDebit) && posting.tries > 1
}

//! What a comparison came to: sums, counts, and every line that does not agree.
//!
//! **Invariant:** memory is bounded: beyond [`KEPT`] findings are counted only.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::domain::ids::{AttemptId, CustomerId};
use crate::domain::money::Money;
use crate::domain::proof::Sums;

/// Findings kept in words; a person reads no more.
pub const KEPT: usize = 1000;

/// What kind of difference it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// Our books say posted; Splynx has no such payment (any more).
    Deleted,
    /// Splynx has more than one payment under one key.
    Duplicate,
    /// A second payment of the same customer and amount names our key in its texts.
    Copied,
    /// The amount in Splynx is another.
    Amount,
    /// The payment stands at another customer.
    Moved,
    /// The payment is not linked to its document any more.
    Unlinked,
    /// Splynx has the payment, our books have not posted it.
    NotPosted,
    /// Splynx has a payment under a key that is not in our books.
    Stranger,
    /// The processor has a paid invoice of ours that our books do not know.
    Unseen,
    /// The processor's final amount is not what we credited.
    Processor,
    /// Final at the processor; our own look at it is to come.
    NotSeenYet,
    /// Settled more than an hour ago and not in Splynx.
    Overdue,
    /// Somebody did not answer, so that this was not compared.
    NotCompared,
    /// The sums differ though no line does.
    Sums,
}

impl FindingKind {
    /// The word in reports.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Duplicate => "duplicate",
            Self::Copied => "copied",
            Self::Amount => "amount",
            Self::Moved => "moved",
            Self::Unlinked => "unlinked",
            Self::NotPosted => "not_posted",
            Self::Stranger => "stranger",
            Self::Unseen => "unseen",
            Self::Processor => "processor",
            Self::NotSeenYet => "not_seen_yet",
            Self::Overdue => "overdue",
            Self::NotCompared => "not_compared",
            Self::Sums => "sums",
        }
    }

    /// Whether a person must settle it at the attempt. What is late or was not answered mends itself, and is told
    /// without a review.
    #[must_use]
    pub fn needs_review(self) -> bool {
        !matches!(self, Self::NotSeenYet | Self::Overdue | Self::NotCompared)
    }
}

/// One line that does not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub kind: FindingKind,
    /// What it is about: a credit key, a Splynx payment, a processor invoice. Stable, so that it is told once.
    pub subject: String,
    /// The attempt, where there is one.
    pub attempt: Option<AttemptId>,
    /// The customer, where one is known.
    pub customer: Option<CustomerId>,
    /// In words, with the figures.
    pub words: String,
}

/// What reconcile found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// When it began.
    pub begun: DateTime<Utc>,
    /// It compared the attempts made since then.
    pub since: DateTime<Utc>,
    /// Attempts compared.
    pub attempts: u64,
    /// Processor invoices that were asked about, one by one.
    pub asked: u64,
    /// Processor invoices that the processor listed by itself.
    pub listed: u64,
    /// Why a list could not be had, by account: a POS token may not list.
    pub unlisted: Vec<String>,
    /// The sums by currency; Splynx knows one currency only, so that its payments count in their credits' own.
    pub sums: BTreeMap<String, Sums>,
    /// What does not agree, the first [`KEPT`] of it.
    pub findings: Vec<Finding>,
    /// How much does not agree, beyond what is in words.
    pub more: u64,
}

impl Report {
    /// Nothing compared yet.
    pub(super) fn new(begun: DateTime<Utc>, since: DateTime<Utc>) -> Self {
        Self {
            begun,
            since,
            attempts: 0,
            asked: 0,
            listed: 0,
            unlisted: vec![],
            sums: BTreeMap::new(),
            findings: vec![],
            more: 0,
        }
    }

    /// Whether all three books agree, but for what is on the way.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.findings.is_empty()
    }

    /// How many differences there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        u64::try_from(self.findings.len()).unwrap_or(u64::MAX).saturating_add(self.more)
    }

    /// Whether something was left out because somebody did not answer.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.findings.iter().filter(|finding| finding.kind == FindingKind::NotCompared).count()
    }

    pub(super) fn name(&mut self, finding: Finding) {
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    pub(super) fn add(&mut self, money: Money, to: impl FnOnce(&mut Sums) -> &mut Decimal) {
        self.add_decimal(money.currency().code(), money.to_decimal(), to);
    }

    pub(super) fn add_decimal(
        &mut self,
        currency: &str,
        amount: Decimal,
        to: impl FnOnce(&mut Sums) -> &mut Decimal,
    ) {
        let sum = to(self.sums.entry(currency.to_owned()).or_default());
        *sum = sum.saturating_add(amount);
    }
}

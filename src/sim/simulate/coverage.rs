//! What happened in the worlds of a run: a generator that has become dull shows here.
//!
//! **Invariant:** every kind of fault counts itself where it happens, not where it was planned.

use std::collections::BTreeMap;

macro_rules! happenings {
    ($($(#[$doc:meta])* $kind:ident = $words:literal,)*) => {
        /// What can happen in a world.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Happening {
            $($(#[$doc])* $kind,)*
        }

        impl Happening {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The same in words.
            #[must_use]
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$kind => $words,)*
                }
            }
        }
    };
}

happenings! {
    /// A process died.
    Crash = "crashes",
    /// A process died between a commit and learning of it.
    CrashAfterCommit = "crashes after a commit",
    /// A process died while its write to Splynx was under way.
    CrashInFlight = "crashes with a write under way",
    /// A process was suspended.
    Freeze = "suspended processes",
    /// A sender was suspended between the check of its lease and the sending.
    FreezeBeforeSend = "senders suspended before sending",
    /// A suspended sender found that its lease had ended.
    LeaseEnded = "senders whose lease had ended",
    /// A wall clock jumped ahead.
    JumpAhead = "clock jumps ahead",
    /// A wall clock jumped back.
    JumpBack = "clock jumps back",
    /// Two instances with different clocks.
    Skew = "worlds with skewed clocks",
    /// Two instances on one disk.
    TwoInstances = "worlds with two instances",
    /// One instance that ends all leases at its start.
    OneInstance = "worlds with one instance",
    /// The database went back to what it was a moment ago.
    Restored = "restored databases",
    /// A commit failed.
    CommitFailed = "failed commits",
    /// A commit happened and was reported as failed.
    CommitUnclear = "commits reported as failed",
    /// A step lost its race.
    StepLost = "steps that lost their race",
    /// Splynx was not reachable for a write.
    Unreachable = "writes that never left",
    /// A write was lost before it was executed.
    LostBefore = "writes lost before execution",
    /// A write was executed and its answer lost.
    LostAfter = "writes executed with a lost answer",
    /// A write was executed after its sender gave up, within the quiescence window.
    Late = "writes executed late",
    /// A write was executed after the quiescence window.
    TooLate = "writes executed beyond the window",
    /// Splynx refused a write.
    Refused = "refused writes",
    /// Splynx asked to wait.
    Throttled = "throttled writes",
    /// A status was set and the answer lost.
    StatusUnclear = "unclear status changes",
    /// A fee item was appended and the answer lost.
    ItemUnclear = "unclear fee items",
    /// Splynx answered no read.
    Unread = "reads without an answer",
    /// Splynx refused a read.
    ReadRefused = "refused reads",
    /// A search could not complete.
    Incomplete = "searches that proved nothing",
    /// Splynx ignored the filter of a search.
    Unfiltered = "searches whose filter was ignored",
    /// Payment statements failed.
    Statements = "failed statement requests",
    /// The processor did not answer.
    ProcessorSilent = "unanswered questions to the processor",
    /// The processor refused to answer.
    ProcessorRefused = "refusals of the processor",
    /// The processor made an invoice and the answer was lost.
    UnclearOpening = "processor invoices whose answer was lost",
    /// The processor found the invoice of an earlier wish.
    FoundByGuid = "processor invoices found by their guid",
    /// A notification was lost.
    HintLost = "lost notifications",
    /// A notification came again.
    HintRepeated = "repeated notifications",
    /// A document was edited.
    Edited = "edited documents",
    /// `attempts retry`.
    Retried = "retries by hand",
    /// A second click was led to the attempt of the first.
    Reused = "reused attempts",
    /// A payment came in full.
    Paid = "payments that settled",
    /// A payment came in part.
    PaidPartial = "payments in part",
    /// More was paid than asked for.
    PaidOver = "payments in excess",
    /// A payment came late.
    PaidLate = "late payments",
    /// A payment was called invalid.
    Invalid = "invalid payments",
    /// An invalid payment settled after all.
    InvalidSettled = "invalid payments that settled",
    /// A complete payment was declined.
    Declined = "payments declined after they settled",
    /// Nobody paid.
    Unpaid = "invoices nobody paid",
    /// A posting ended as unknown.
    Unknown = "postings of unknown outcome",
    /// Splynx has a key twice, beyond the assumption.
    Duplicate = "duplicates beyond the assumption, reported",
    /// A review was opened.
    Review = "reviews",
    /// A credit was split.
    Split = "credits in two parts",
}

/// How often each thing happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<Happening, u64>);

impl Coverage {
    /// It happened once.
    pub(super) fn count(&mut self, what: Happening) {
        let count = self.0.entry(what).or_default();
        *count = count.saturating_add(1);
    }

    /// Adds what happened in another world.
    pub fn add(&mut self, other: &Self) {
        for (what, times) in &other.0 {
            let count = self.0.entry(*what).or_default();
            *count = count.saturating_add(*times);
        }
    }

    /// How often it happened.
    #[must_use]
    pub fn of(&self, what: Happening) -> u64 {
        self.0.get(&what).copied().unwrap_or_default()
    }

    /// What never happened.
    #[must_use]
    pub fn missing(&self) -> Vec<Happening> {
        Happening::ALL.iter().copied().filter(|what| self.of(*what) == 0).collect()
    }
}

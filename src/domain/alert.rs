//! What a person is told: topics, and the channels they go through.
//!
//! **Invariant:** a topic is told once per channel, again only after the repetition's time, and once more when it is
//! over. Its words never hold a secret.

use chrono::{DateTime, TimeDelta, Utc};

use super::ids::AttemptId;

/// How long money may be on its way into Splynx before a person is told.
pub const LATE: TimeDelta = TimeDelta::hours(1);

/// What kind of thing a person is told about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// An open review; its subject is the review's id.
    Review,
    /// A posting that Splynx has twice and no review tells of; its subject is the posting's id.
    Duplicate,
    /// A credit that has been open for more than [`LATE`]; its subject is the credit's key.
    LateCredit,
    /// A difference without an attempt; its subject is what it is about.
    Finding,
    /// The comparison of the three books failed or was not complete.
    Reconcile,
    /// The processor refuses the token of the active connection; its subject is the connection's id.
    Connection,
    /// Splynx refuses our API key.
    ApiKey,
}

impl AlertKind {
    /// Every kind there is.
    pub const ALL: [Self; 7] = [
        Self::Review,
        Self::Duplicate,
        Self::LateCredit,
        Self::Finding,
        Self::Reconcile,
        Self::Connection,
        Self::ApiKey,
    ];

    /// The word in the database, in metrics and in messages.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Duplicate => "duplicate",
            Self::LateCredit => "late_credit",
            Self::Finding => "finding",
            Self::Reconcile => "reconcile",
            Self::Connection => "connection",
            Self::ApiKey => "api_key",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A way to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Splynx's mail queue.
    Mail,
    /// An address that takes JSON.
    Webhook,
    /// Our own log, where there is no other.
    Log,
}

impl Channel {
    /// Every channel there is.
    pub const ALL: [Self; 3] = [Self::Mail, Self::Webhook, Self::Log];

    /// The word in the database and in metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
            Self::Log => "log",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.code() == code)
    }
}

/// What is to be told. Kind and subject together are its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// What kind of thing.
    pub kind: AlertKind,
    /// Which one of its kind.
    pub subject: String,
    /// The review's reason, else the kind's own word.
    pub reason: String,
    /// The attempt it is about, where there is one.
    pub attempt: Option<AttemptId>,
    /// In words, with the figures. Never a secret.
    pub words: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl Topic {
    /// A topic of our own watching, without an attempt.
    #[must_use]
    pub fn new(
        kind: AlertKind,
        subject: impl Into<String>,
        words: impl Into<String>,
        since: DateTime<Utc>,
    ) -> Self {
        Self {
            kind,
            subject: subject.into(),
            reason: kind.code().to_owned(),
            attempt: None,
            words: words.into(),
            since,
        }
    }
}

/// A topic, and how often it was told through one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What is to be told.
    pub topic: Topic,
    /// How often it was told before.
    pub times: u32,
}

/// What one message of a channel tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The first of those that stand, new ones first.
    pub open: Vec<Alert>,
    /// How many stand, those beyond the first included.
    pub open_count: u64,
    /// The first of those that are over.
    pub ended: Vec<Alert>,
    /// How many are over.
    pub ended_count: u64,
}

/// How a channel has been doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelState {
    /// Which one.
    pub channel: Channel,
    /// When a message last got through.
    pub last_told_at: Option<DateTime<Utc>>,
    /// How often in a row it has failed since.
    pub failures: u32,
    /// Why it failed last.
    pub last_error: Option<String>,
}

/// The pause after so many failures in a row: 15 s, doubled each time, at most 15 minutes.
#[must_use]
pub fn pause_after(failures: u32) -> TimeDelta {
    let doubled = 15_i64.checked_shl(failures.saturating_sub(1).min(16)).unwrap_or(900);
    TimeDelta::seconds(doubled.min(900))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(1, 15)]
    #[case(2, 30)]
    #[case(3, 60)]
    #[case(7, 900)]
    #[case(u32::MAX, 900)]
    fn a_channel_that_fails_is_tried_ever_less_often(#[case] failures: u32, #[case] seconds: i64) {
        assert_eq!(pause_after(failures), TimeDelta::seconds(seconds));
    }

    #[test]
    fn every_word_reads_back() {
        for kind in AlertKind::ALL {
            assert_eq!(AlertKind::from_code(kind.code()), Some(kind));
        }
        for channel in Channel::ALL {
            assert_eq!(Channel::from_code(channel.code()), Some(channel));
        }
        assert_eq!(AlertKind::from_code("other"), None);
        assert_eq!(Channel::from_code("pigeon"), None);
    }
}

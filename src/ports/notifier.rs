//! The ways to a person.
//!
//! **Invariant:** a message carries words that are safe to log, and leads to the admin page; never a secret.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::PeerError;
use crate::domain::alert::Channel;

/// One topic in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What kind of thing: the word of an [`AlertKind`](crate::domain::alert::AlertKind).
    pub kind: &'static str,
    /// The review's reason, else the kind's word.
    pub reason: String,
    /// In words.
    pub words: String,
    /// The attempt it is about.
    pub attempt: Option<String>,
    /// The admin page that shows it.
    pub link: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// How often it was told before.
    pub times: u32,
    /// Whether it is over.
    pub over: bool,
}

/// One message: everything that is due now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// One line.
    pub subject: String,
    /// The whole in plain text.
    pub text: String,
    /// How many topics stand, those without a line included.
    pub open: u64,
    /// How many are over, those without a line included.
    pub over: u64,
    /// The first of them.
    pub lines: Vec<Line>,
}

/// A way to a person.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Which one it is.
    fn channel(&self) -> Channel;

    /// Where it leads, in words without a secret.
    fn destination(&self) -> String;

    /// Tells a message. `Ok`: whoever is to pass it on has taken it.
    ///
    /// # Errors
    ///
    /// [`PeerError`]; whatever it is, telling is tried again.
    async fn tell(&self, message: &Message) -> Result<(), PeerError>;
}

/// Whether Splynx still accepts our API key.
#[async_trait]
pub trait ApiKeyCheck: Send + Sync {
    /// Asks. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`PeerError::Refused`]: it does not. After any other error nothing is known about it.
    async fn check_api_key(&self) -> Result<(), PeerError>;
}

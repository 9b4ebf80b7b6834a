//! What the use cases need of the outside, as traits, and how it can fail.
//!
//! **Invariant:** errors are cut by what the caller does next, and carry words that are safe to log: never a secret,
//! a body, or an address with a query.

pub mod alerts;
pub mod billing;
pub mod books;
pub mod clock;
pub mod entropy;
pub mod notifier;
pub mod pairing;
pub mod processor;
pub mod store;

/// The peer of an error that our own database caused while another system was to be asked.
pub const DATABASE: &str = "the database";

/// Why an outside system did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// It did not answer, or said it cannot now. Try again later.
    #[error("{peer} is unavailable: {why}")]
    Unavailable {
        /// Which system.
        peer: &'static str,
        /// In words.
        why: String,
    },
    /// It said no, in its own words. Trying again alone will not help.
    #[error("{peer} refused: {sentence}")]
    Refused {
        /// Which system.
        peer: &'static str,
        /// Its sentence, made into one an admin can act on.
        sentence: String,
    },
    /// It answered something this version cannot read.
    #[error("{peer} gave an unreadable answer: {why}")]
    Unreadable {
        /// Which system.
        peer: &'static str,
        /// What was wrong with it.
        why: String,
    },
}

impl PeerError {
    /// Whether asking again later may help.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

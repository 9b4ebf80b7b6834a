//! The memory of what a person was told.
//!
//! **Invariant:** as for [`Store`](super::store::Store): `Ok` has committed. A channel has one sender at a time, whichever
//! process it lives in; one that dies leaves its claim to run out, and what it may have told is told again.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::store::StoreError;
use crate::domain::alert::{AlertKind, Batch, Channel, ChannelState, Topic};

/// The wish to tell what is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Through this channel.
    pub channel: Channel,
    /// The claim's own name, never used before.
    pub batch: String,
    /// Now.
    pub now: DateTime<Utc>,
    /// What still stands is told again after so long.
    pub repeat: TimeDelta,
    /// How long the claim keeps others away.
    pub lease: TimeDelta,
    /// How many of each are wanted in words; the others are counted.
    pub shown: u32,
}

/// The memory of what a person was told.
#[async_trait]
pub trait AlertStore: Send + Sync {
    /// Takes up reviews, duplicates and late credits that are new, a page of them, and ends those that are over. `true`:
    /// there may be more to take up.
    async fn gather_alerts(&self, now: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Takes up a topic, or says the words of one that stands anew.
    async fn raise_alert(&self, topic: &Topic) -> Result<(), StoreError>;

    /// Ends every topic of this kind whose subject is not among `standing`. Returns how many.
    async fn end_alerts(
        &self,
        kind: AlertKind,
        standing: &[String],
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError>;

    /// Claims a channel together with what is due there. `None`: nothing is due, or another sender is at it, or the
    /// channel has failed a moment ago.
    async fn claim_alerts(&self, claim: &Claim) -> Result<Option<Batch>, StoreError>;

    /// The batch got through: what stands was told, what is over is forgotten.
    async fn alerts_told(
        &self,
        channel: Channel,
        batch: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// The batch did not get through. It is due again after a pause that grows with the failures.
    async fn alerts_not_told(
        &self,
        channel: Channel,
        batch: &str,
        why: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// How many topics stand, by kind.
    async fn standing_alerts(&self) -> Result<Vec<(AlertKind, i64)>, StoreError>;

    /// How each channel has been doing.
    async fn channel_states(&self) -> Result<Vec<ChannelState>, StoreError>;
}

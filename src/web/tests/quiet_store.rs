//! The parts of the store that no page asks.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::world::World;
use crate::domain::alert::{AlertKind, Batch, Channel, ChannelState, Topic};
use crate::domain::ids::CreditKey;
use crate::domain::proof::Proof;
use crate::ports::alerts::{AlertStore, Claim};
use crate::ports::books::BookStore;
use crate::ports::store::{Ledger, StoreError};

#[async_trait]
impl AlertStore for World {
    async fn gather_alerts(&self, _: DateTime<Utc>) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn raise_alert(&self, _: &Topic) -> Result<(), StoreError> {
        Ok(())
    }

    async fn end_alerts(
        &self,
        _: AlertKind,
        _: &[String],
        _: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn claim_alerts(&self, _: &Claim) -> Result<Option<Batch>, StoreError> {
        Ok(None)
    }

    async fn alerts_told(&self, _: Channel, _: &str, _: DateTime<Utc>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn alerts_not_told(
        &self,
        _: Channel,
        _: &str,
        _: &str,
        _: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    async fn standing_alerts(&self) -> Result<Vec<(AlertKind, i64)>, StoreError> {
        Ok(vec![])
    }

    async fn channel_states(&self) -> Result<Vec<ChannelState>, StoreError> {
        Ok(vec![])
    }
}

#[async_trait]
impl BookStore for World {
    async fn ledger_by_credit(&self, _: &CreditKey) -> Result<Option<Ledger>, StoreError> {
        Ok(None)
    }

    async fn put_proof(&self, _: &Proof) -> Result<(), StoreError> {
        Ok(())
    }

    async fn proofs(&self, _: u32, _: u32) -> Result<Vec<Proof>, StoreError> {
        Ok(vec![])
    }
}

//! What a person is told, and every day's proof, on the simulated disk.
//!
//! **Invariant:** a simulated world has no channel to a person: what stands is counted, and never claimed.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Disk, DiskPort};
use crate::domain::alert::{AlertKind, Batch, Channel, ChannelState, Topic};
use crate::domain::ids::CreditKey;
use crate::domain::proof::Proof;
use crate::ports::alerts::{AlertStore, Claim};
use crate::ports::books::BookStore;
use crate::ports::store::{Ledger, StoreError};

#[async_trait]
impl AlertStore for DiskPort {
    async fn gather_alerts(&self, _now: DateTime<Utc>) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn raise_alert(&self, topic: &Topic) -> Result<(), StoreError> {
        let raise = |disk: &mut Disk| {
            disk.topics.insert((topic.kind, topic.subject.clone()), topic.clone());
            Ok(())
        };
        self.write("raise alert", raise).await
    }

    async fn end_alerts(
        &self,
        kind: AlertKind,
        standing: &[String],
        _now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let end = |disk: &mut Disk| {
            let before = disk.topics.len();
            disk.topics.retain(|(of, subject), _| *of != kind || standing.contains(subject));
            Ok(u64::try_from(before.saturating_sub(disk.topics.len())).unwrap_or(u64::MAX))
        };
        self.write("end alerts", end).await
    }

    async fn claim_alerts(&self, _claim: &Claim) -> Result<Option<Batch>, StoreError> {
        Ok(None)
    }

    async fn alerts_told(
        &self,
        _channel: Channel,
        _batch: &str,
        _now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    async fn alerts_not_told(
        &self,
        _channel: Channel,
        _batch: &str,
        _why: &str,
        _now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    async fn standing_alerts(&self) -> Result<Vec<(AlertKind, i64)>, StoreError> {
        let count = |disk: &mut Disk| {
            let of = |kind| disk.topics.keys().filter(|(other, _)| *other == kind).count();
            let all =
                AlertKind::ALL.map(|kind| (kind, i64::try_from(of(kind)).unwrap_or(i64::MAX)));
            all.into_iter().filter(|(_, standing)| *standing > 0).collect()
        };
        self.read(count).await
    }

    async fn channel_states(&self) -> Result<Vec<ChannelState>, StoreError> {
        Ok(vec![])
    }
}

#[async_trait]
impl BookStore for DiskPort {
    async fn ledger_by_credit(&self, key: &CreditKey) -> Result<Option<Ledger>, StoreError> {
        let find = |disk: &mut Disk| {
            disk.ledgers().into_iter().find(|ledger| ledger.credit(key).is_some())
        };
        self.read(find).await
    }

    async fn put_proof(&self, proof: &Proof) -> Result<(), StoreError> {
        let keep = |disk: &mut Disk| {
            let there = disk.proofs.get(&proof.day);
            if there.is_none_or(|there| there.made_at <= proof.made_at) {
                disk.proofs.insert(proof.day, proof.clone());
            }
            Ok(())
        };
        self.write("proof", keep).await
    }

    async fn proofs(&self, limit: u32, offset: u32) -> Result<Vec<Proof>, StoreError> {
        let number = |figure: u32| usize::try_from(figure).unwrap_or(usize::MAX);
        let page = |disk: &mut Disk| {
            let newest = disk.proofs.values().rev().skip(number(offset));
            newest.take(number(limit)).cloned().collect()
        };
        self.read(page).await
    }
}

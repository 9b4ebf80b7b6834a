//! What comparing the three books reads and keeps.
//!
//! **Invariant:** as for [`Store`](super::store::Store); a day has one proof, the latest.

use async_trait::async_trait;

use super::store::{Ledger, StoreError};
use crate::domain::ids::CreditKey;
use crate::domain::proof::Proof;

/// What comparing the three books reads and keeps.
#[async_trait]
pub trait BookStore: Send + Sync {
    /// The attempt with the credit of this key, with all that hangs on it.
    async fn ledger_by_credit(&self, key: &CreditKey) -> Result<Option<Ledger>, StoreError>;

    /// Keeps the proof of a day, unless a later one of that day is there.
    async fn put_proof(&self, proof: &Proof) -> Result<(), StoreError>;

    /// The proofs, newest day first: `limit` of them after `offset`.
    async fn proofs(&self, limit: u32, offset: u32) -> Result<Vec<Proof>, StoreError>;
}

//! What comparing the three books reads and keeps.
//!
//! **Invariant:** every method is one transaction.

use async_trait::async_trait;
use diesel::prelude::*;

use super::connection::AnyConnection;
use super::schema::credits;
use super::store::ledgers;
use super::{Db, attempts, proofs};
use crate::domain::ids::CreditKey;
use crate::domain::proof::Proof;
use crate::ports::books::BookStore;
use crate::ports::store::{Ledger, StoreError};

#[async_trait]
impl BookStore for Db {
    async fn ledger_by_credit(&self, key: &CreditKey) -> Result<Option<Ledger>, StoreError> {
        let key = key.to_string();
        let work = move |conn: &mut AnyConnection| {
            let credit = credits::table.find(key.clone()).select(credits::attempt);
            let Some(id) = credit.first::<String>(conn).optional()? else {
                return Ok(None);
            };
            let attempt = attempts::find(conn, &id)?;
            Ok(ledgers(conn, attempt.into_iter().collect())?.pop())
        };
        self.read(work).await
    }

    async fn put_proof(&self, proof: &Proof) -> Result<(), StoreError> {
        let proof = proof.clone();
        self.write(move |conn| proofs::put(conn, &proof)).await
    }

    async fn proofs(&self, limit: u32, offset: u32) -> Result<Vec<Proof>, StoreError> {
        self.read(move |conn| proofs::list(conn, limit, offset)).await
    }
}

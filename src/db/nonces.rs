//! The table `nonces`.
//!
//! **Invariant:** the numbers under one key only rise, whichever process asks. The API key itself is not stored.

use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

use super::connection::AnyConnection;
use super::failure::{Failure, is_unique_violation};
use super::schema::nonces;
use crate::ports::store::StoreError;

/// How often a number that another process took is asked for again.
const TRIES: u32 = 32;

/// The name of an API key in the table.
pub(super) fn key_id(api_key: &str) -> String {
    hex::encode(Sha256::digest(api_key.as_bytes()))
}

/// A number above every earlier one under this name, and not below `floor`.
pub(super) fn next(conn: &mut AnyConnection, key_id: &str, floor: i64) -> Result<i64, Failure> {
    for _ in 0..TRIES {
        let row = nonces::table.find(key_id.to_owned());
        let last: Option<i64> = row.clone().select(nonces::last).first(conn).optional()?;
        let next = last.map_or(Some(floor), |last| Some(last.checked_add(1)?.max(floor)));
        let next = next.ok_or_else(|| StoreError::Refused("the nonces are used up".to_owned()))?;
        let taken = match last {
            None => insert(conn, key_id, next)?,
            Some(last) => {
                let unchanged = row.filter(nonces::last.eq(last));
                diesel::update(unchanged).set(nonces::last.eq(next)).execute(conn)? == 1
            }
        };
        if taken {
            return Ok(next);
        }
    }
    Err(StoreError::Unavailable("other processes take every nonce".to_owned()).into())
}

fn insert(conn: &mut AnyConnection, key_id: &str, next: i64) -> Result<bool, Failure> {
    let values = (nonces::key_id.eq(key_id.to_owned()), nonces::last.eq(next));
    let insert = diesel::insert_into(nonces::table).values(values);
    match conn.transaction(|conn| insert.execute(conn)) {
        Ok(_) => Ok(true),
        Err(error) if is_unique_violation(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

//! A hint arrives: an IPN, a webhook.
//!
//! **Invariant:** the hint is committed before it is acknowledged, and nothing of its body is believed. Neither Splynx
//! nor the processor is called.

use super::App;
use crate::domain::ids::Hook;
use crate::ports::store::{HintOutcome, StoreError};

/// What the sender of a hint is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reception {
    /// 200: committed, or there before.
    Taken,
    /// 200 as well, so that strangers learn nothing: no attempt has this hook.
    UnknownHook,
    /// 401: a signature was given and it is wrong.
    BadSignature,
}

/// Takes a hint for the attempt with this hook.
///
/// `signature` is the `x-signature` header, where one was sent; it must fit the raw `body`.
///
/// # Errors
///
/// [`StoreError`] when the hint is not durable: the sender is to try again.
pub async fn receive_hint(
    app: &App,
    hook: &Hook,
    body: &[u8],
    signature: Option<&str>,
) -> Result<Reception, StoreError> {
    if let Some(signature) = signature {
        let Some(connection) = app.store.connection_of(hook).await? else {
            return Ok(Reception::UnknownHook);
        };
        if !app.processors.is_signed_by(&connection, body, signature) {
            return Ok(Reception::BadSignature);
        }
    }
    match app.store.record_hint(hook, app.clock.now()).await? {
        HintOutcome::Unknown => Ok(Reception::UnknownHook),
        HintOutcome::Stored => {
            app.wake.notify_one();
            Ok(Reception::Taken)
        }
        HintOutcome::AlreadyStored => Ok(Reception::Taken),
    }
}

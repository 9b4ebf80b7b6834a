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
    match look_soon(app, hook).await? {
        HintOutcome::Unknown => Ok(Reception::UnknownHook),
        HintOutcome::Stored | HintOutcome::AlreadyStored => Ok(Reception::Taken),
    }
}

/// Has the attempt with this hook looked at as soon as a look may follow the last one. A step in progress is not
/// disturbed.
///
/// # Errors
///
/// [`StoreError`] when this is not durable.
pub(super) async fn look_soon(app: &App, hook: &Hook) -> Result<HintOutcome, StoreError> {
    let outcome = app.store.record_hint(hook, app.clock.now()).await?;
    // Who stored the hint that is there already has rung.
    if outcome == HintOutcome::Stored {
        app.wake.notify_one();
    }
    Ok(outcome)
}

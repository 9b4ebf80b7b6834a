//! Ways to a person that need neither Splynx nor a processor: a webhook, and our own log.
//!
//! **Invariant:** the webhook's address is a secret; no error and no log carries it.

mod log;
mod webhook;

pub use log::LogBook;
pub use webhook::{InvalidWebhook, Webhook};

//! The log, where there is no other way to a person.
//!
//! **Invariant:** it cannot fail, and says at ERROR what nobody else was told.

use async_trait::async_trait;

use crate::domain::alert::Channel;
use crate::ports::PeerError;
use crate::ports::notifier::{Message, Notifier};

/// Writes every topic into the log.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogBook;

#[async_trait]
impl Notifier for LogBook {
    fn channel(&self) -> Channel {
        Channel::Log
    }

    fn destination(&self) -> String {
        "the log".to_owned()
    }

    async fn tell(&self, message: &Message) -> Result<(), PeerError> {
        for line in &message.lines {
            let attempt = line.attempt.as_deref().unwrap_or_default();
            if line.over {
                tracing::info!(reason = line.reason, attempt, "over: {}", line.words);
            } else {
                tracing::error!(
                    reason = line.reason,
                    attempt,
                    "a person must look: {}",
                    line.words
                );
            }
        }
        tracing::error!(
            open = message.open,
            over = message.over,
            "nobody is told of this: set alerts.mail_to or alerts.webhook_url"
        );
        Ok(())
    }
}

//! Splynx's mail queue (facts/splynx 2.6): `POST admin/config/mail` with the type `add-on`.
//!
//! **Invariant:** a mail moves no money and changes no row of a customer; it is sent to the configured address alone.

use std::fmt;

use async_trait::async_trait;
use reqwest::Method;
use serde_json::json;

use super::client::{Client, Request};
use super::operation::Operation;
use super::outcome::{Verb, refused, write_outcome};
use super::search::Collection;
use super::statements::done;
use crate::domain::alert::Channel;
use crate::ports::PeerError;
use crate::ports::notifier::{ApiKeyCheck, Message, Notifier};

/// `admin/config/mail`.
const MAIL: Collection = Collection { operation: Operation::Diagnose, path: "admin/config/mail" };

/// What Splynx's columns hold (facts/splynx 2.6 names the queue, not its lengths: these are the shortest seen).
const SUBJECT_MAX: usize = 255;
const MESSAGE_MAX: usize = 60_000;

/// Tells through Splynx's mail queue.
#[derive(Clone)]
pub struct Mailer {
    client: Client,
    to: String,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("to", &self.to).finish_non_exhaustive()
    }
}

impl Mailer {
    /// To this one address.
    #[must_use]
    pub fn new(client: Client, to: String) -> Self {
        Self { client, to }
    }

    /// Whether the queue may be read, which is as far as can be seen without sending: that needs *add* as well.
    ///
    /// # Errors
    ///
    /// [`PeerError`]; a missing permission is [`PeerError::Refused`].
    pub async fn may_read_queue(&self) -> Result<(), PeerError> {
        self.client.read(&MAIL.newest(1)).await.map(drop)
    }
}

#[async_trait]
impl Notifier for Mailer {
    fn channel(&self) -> Channel {
        Channel::Mail
    }

    fn destination(&self) -> String {
        format!("mail to {}", self.to)
    }

    #[tracing::instrument(name = "splynx.mail", skip_all)]
    async fn tell(&self, message: &Message) -> Result<(), PeerError> {
        let body = json!({
            "type": "add-on",
            "subject": cut(&message.subject, SUBJECT_MAX),
            "recipient": self.to,
            "message": cut(&html(&message.text), MESSAGE_MAX),
        })
        .to_string();
        let request = Request::new(Operation::WriteMail, Method::POST, MAIL.path).body(&body);
        // A mail whose answer was lost may be sent again: twice told is told.
        done(write_outcome(Verb::Make, self.client.exchange(&request).await)).map(drop)
    }
}

#[async_trait]
impl ApiKeyCheck for Client {
    async fn check_api_key(&self) -> Result<(), PeerError> {
        let check = self.check().await?;
        if check.good { Ok(()) } else { Err(refused(check.message)) }
    }
}

/// Splynx's templates are HTML, so that is what its queue sends; line breaks and signs must survive that.
fn html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('\n', "<br>\n")
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_keeps_its_lines_and_is_no_markup() {
        assert_eq!(html("a <b>\n& c"), "a &lt;b&gt;<br>\n&amp; c");
        assert_eq!(cut("äöü", 2), "äö");
    }
}

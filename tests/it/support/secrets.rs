//! What must never be seen: in no answer and in no log, at no level.
//!
//! **Invariant:** the list is made of what the simulators gave out and the configuration holds, so that it cannot fall
//! behind.

use serde_json::Value;

use super::world::{API_SECRET, SECRET_KEY, World};

impl World {
    /// Tokens, keys, hooks and result tokens of this world.
    fn secrets(&self) -> Vec<String> {
        let mut secrets = vec![API_SECRET.to_owned(), SECRET_KEY.to_owned()];
        secrets.extend(self.bitpay.tokens().into_iter().map(|token| token.value));
        for invoice in self.bitpay.invoices() {
            for address in [invoice.notification_url, invoice.redirect_url].into_iter().flatten() {
                secrets.extend(address.rsplit('/').next().map(str::to_owned));
            }
        }
        secrets.push("PRIVATE KEY".to_owned());
        // The access tokens of Splynx are JSON web tokens.
        secrets.push("eyJhbGci".to_owned());
        secrets
    }

    /// Nothing of all that stands in this text, and nothing that looks like a key.
    pub(crate) fn hides_secrets(&self, place: &str, text: &str) {
        for secret in self.secrets() {
            self.hides(place, text, &secret);
        }
        let long = text.split(|c: char| !c.is_ascii_hexdigit()).find(|run| run.len() >= 64);
        assert_eq!(long, None, "{place} shows what looks like a key");
    }

    /// This does not stand in the text.
    #[expect(clippy::unused_self, reason = "reads like its neighbours")]
    pub(crate) fn hides(&self, place: &str, text: &str, secret: &str) {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{place} shows {secret}");
    }

    /// Nothing of all that was logged, nor a session.
    pub(crate) fn log_hides_secrets(&self) {
        let log = self.addon.log();
        assert!(log.contains("request method="), "the log is not there");
        self.hides_secrets("the log", &log);
        let sessions = self.sessions();
        assert!(!sessions.is_empty(), "nobody was logged in");
        for session in sessions {
            self.hides("the log", &log, &session);
        }
    }

    /// The portal sessions that were exchanged for tokens so far.
    fn sessions(&self) -> Vec<String> {
        let bodies = self.splynx.log().into_iter().map(|call| call.body);
        let parsed = bodies.filter_map(|body| serde_json::from_str::<Value>(&body).ok());
        parsed.filter_map(|body| Some(body.get("session_id")?.as_str()?.to_owned())).collect()
    }
}

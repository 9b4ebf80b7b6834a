//! `[alerts]`: how a person is told that they must look.

use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use url::{Host, Url};

use super::finding::Findings;
use super::key::section;
use super::{Context, parse, secret};

section! {
    /// How a person is told of what they must look at. With neither address, it stands in the log only.
    struct AlertsKeys in alerts {
        /// Who gets an e-mail through Splynx's mail queue: one address. The API key needs Mail (add).
        mail_to: Text = "";
        /// Where a JSON message is posted to: itself, `file:/path` or `env:NAME`. https://, or this machine.
        webhook_url: Secret = "";
        /// Hours after which what still stands is told again.
        repeat_hours: Number = 24;
    }
}

/// How a person is told.
#[derive(Debug, Clone)]
pub struct Alerts {
    /// An e-mail address.
    pub mail_to: Option<String>,
    /// Where messages are posted to. Whoever knows it can post there too.
    pub webhook_url: Option<SecretString>,
    /// Between two tellings of what still stands.
    pub repeat: TimeDelta,
}

impl Alerts {
    /// Whether anybody is told at all.
    #[must_use]
    pub fn reach_somebody(&self) -> bool {
        self.mail_to.is_some() || self.webhook_url.is_some()
    }
}

impl AlertsKeys {
    /// Parses the section, noting everything that is wrong with it.
    pub(super) fn parse(self, context: &Context<'_>, findings: &mut Findings) -> Option<Alerts> {
        let mail_to = findings.check("alerts.mail_to", mail_address(&self.mail_to));
        let webhook_url = match self.webhook_url.0.as_str() {
            "" => Ok(None),
            text => secret::resolve(text, context.variables).and_then(webhook).map(Some),
        };
        let webhook_url = findings.check("alerts.webhook_url", webhook_url);
        let repeat = findings.check("alerts.repeat_hours", parse::hours(self.repeat_hours));
        Some(Alerts { mail_to: mail_to?, webhook_url: webhook_url?, repeat: repeat? })
    }
}

/// One address, so far as can be told without sending: whether it exists only the mail itself shows.
fn mail_address(text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>,;\"()".contains(c);
    let good = text.len() <= 255
        && text.chars().all(plain)
        && text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !host.contains('@')
        });
    if good {
        Ok(Some(text.to_owned()))
    } else {
        Err("this is not one e-mail address; write one such as \"noc@isp.example\"".to_owned())
    }
}

/// The sentence never repeats the address: it is a secret.
fn webhook(secret: SecretString) -> Result<SecretString, String> {
    let wrong =
        || "this is not an address; write one such as \"https://hooks.example/x\"".to_owned();
    let url = Url::parse(secret.expose_secret()).map_err(|_| wrong())?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(wrong()),
    };
    match url.scheme() {
        "https" => Ok(secret),
        "http" if loopback => Ok(secret),
        "http" => Err("http:// is allowed on this machine only; write https://".to_owned()),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("noc@isp.example", Ok(Some("noc@isp.example")))]
    #[case(" noc@isp.example ", Ok(Some("noc@isp.example")))]
    #[case("", Ok(None))]
    #[case("noc", Err(()))]
    #[case("@isp.example", Err(()))]
    #[case("a@b@c", Err(()))]
    #[case("a@b, c@d", Err(()))]
    #[case("a@b\nBcc: c@d", Err(()))]
    #[case("NOC <noc@isp.example>", Err(()))]
    fn a_mail_goes_to_one_address(#[case] text: &str, #[case] address: Result<Option<&str>, ()>) {
        let address = address.map(|address| address.map(str::to_owned));
        assert_eq!(mail_address(text).map_err(drop), address);
    }

    #[rstest]
    #[case("https://hooks.example/services/canary?x=1", true)]
    #[case("http://127.0.0.1:9/canary", true)]
    #[case("http://[::1]:9/canary", true)]
    #[case("http://localhost/canary", true)]
    #[case("http://hooks.example/canary", false)]
    #[case("http://127.0.0.1.example/canary", false)]
    #[case("ftp://hooks.example/canary", false)]
    #[case("canary", false)]
    #[case("https:///canary", true)]
    fn a_webhook_is_private_and_never_repeated(#[case] text: &str, #[case] good: bool) {
        let outcome = webhook(text.to_owned().into());
        assert_eq!(outcome.is_ok(), good);
        assert!(outcome.err().is_none_or(|error| !error.contains("canary")));
    }
}

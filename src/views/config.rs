//! The admin's page: pairing with the processor (facts/splynx 3.1).

use serde::Serialize;

use super::{Link, View};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigPage {
    /// Where the forms go.
    pub action: &'static str,
    /// The session-bound token of the forms.
    pub form_token: String,
    /// `test` or `production`; ends the keys of the texts.
    pub environment: &'static str,
    /// The processor's address.
    pub processor: String,
    /// The key of good news about what was just done.
    pub success: Option<&'static str>,
    /// Why pairing did not work.
    pub failure: Option<Failure>,
    /// The code the admin pasted, where it did not work.
    pub code: String,
    /// The connection that takes payments now.
    pub paired: Option<Paired>,
    /// Back to the admin's pages.
    pub back: Link,
}

/// Why pairing did not work, in words an admin can act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Ends the key of the sentence: `pairing-failed-<code>`.
    pub code: &'static str,
    /// The processor's address.
    pub address: String,
    /// The processor's own words; empty where it said nothing.
    pub said: String,
}

/// The connection that takes payments now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paired {
    /// Enough of the access token to recognise it.
    pub masked_token: String,
    /// The client id at BitPay; empty with a raw token.
    pub sin: String,
    /// Since when, as text.
    pub since: String,
}

impl View for ConfigPage {
    const TEMPLATE: &'static str = "admin/config.html";

    fn samples() -> Vec<Self> {
        let unpaired = Self {
            action: "/bitpay/config",
            form_token: "0123456789abcdef".to_owned(),
            environment: "test",
            processor: "https://test.bitpay.com/".to_owned(),
            success: None,
            failure: None,
            code: String::new(),
            paired: None,
            back: Link::out("https://isp.example/admin/", "back-admin"),
        };
        let paired = Self {
            paired: Some(Paired {
                masked_token: "Bq2…x9k".to_owned(),
                sin: "Tf2yXsY49iFyDfxt3b2kf9VPRMwPxxAyCRW".to_owned(),
                since: "2026-11-21 12:00 UTC".to_owned(),
            }),
            ..unpaired.clone()
        };
        vec![
            unpaired.clone(),
            Self { environment: "production", ..unpaired.clone() },
            Self {
                failure: Some(Failure {
                    code: "wrong-code-test",
                    address: "https://test.bitpay.com".to_owned(),
                    said: "Unable to create <token>".to_owned(),
                }),
                code: "u7m0VSR".to_owned(),
                ..unpaired.clone()
            },
            Self { success: Some("unpaired"), ..unpaired },
            paired.clone(),
            Self {
                success: Some("paired"),
                environment: "production",
                paired: paired.paired.clone().map(|paired| Paired { sin: String::new(), ..paired }),
                ..paired
            },
        ]
    }
}

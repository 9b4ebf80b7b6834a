//! `[splynx]`: how Splynx is reached.

use secrecy::SecretString;

use super::base_url::BaseUrl;
use super::finding::Findings;
use super::key::section;
use super::{Context, parse, secret};

section! {
    /// How Splynx is reached: by its API, and by customers in their browsers.
    struct SplynxKeys in splynx {
        /// The API's address, with https:// and the last slash. http:// is allowed on this machine only.
        api_domain: Text = "https://isp.example/";
        /// The API key, from Splynx: Administration → API keys.
        api_key: Text = "";
        /// The API secret that belongs to the key: itself, `file:/path` or `env:NAME`.
        api_secret: Secret = "";
        /// Where customers open the portal, without the last slash. The add-on's pages are `/bitpay` below it.
        splynx_url: Text = "https://isp.example";
        /// The portal's session cookie.
        session_cookie: Text = "PHPSESSID";
    }
}

/// How Splynx is reached.
#[derive(Debug, Clone)]
pub struct Splynx {
    /// The API.
    pub api_domain: BaseUrl,
    /// Key and secret; `None` while both are empty. [`super::Config::require_api`] insists.
    pub api: Option<ApiCredentials>,
    /// The portal, as customers see it.
    pub splynx_url: BaseUrl,
    /// The name of the portal's session cookie.
    pub session_cookie: String,
}

/// What the add-on identifies itself with to Splynx's API.
#[derive(Debug, Clone)]
pub struct ApiCredentials {
    /// The API key.
    pub key: String,
    /// The API secret.
    pub secret: SecretString,
}

impl SplynxKeys {
    /// Parses the section, noting everything that is wrong with it.
    pub(super) fn parse(self, context: &Context<'_>, findings: &mut Findings) -> Option<Splynx> {
        let api_domain = findings.check("splynx.api_domain", BaseUrl::parse(&self.api_domain));
        let splynx_url = findings.check("splynx.splynx_url", portal(&self.splynx_url));
        let session_cookie =
            findings.check("splynx.session_cookie", parse::cookie_name(&self.session_cookie));
        let api = api(&self.api_key, &self.api_secret.0, context, findings);
        Some(Splynx {
            api_domain: api_domain?,
            api,
            splynx_url: splynx_url?,
            session_cookie: session_cookie?,
        })
    }
}

/// Splynx's portal: its pages are found from the host alone.
fn portal(text: &str) -> Result<BaseUrl, String> {
    let url = BaseUrl::parse(text)?;
    if url.has_path() {
        let host = url.origin();
        return Err(format!("write it without what stands behind the host: \"{host}\""));
    }
    Ok(url)
}

/// Both or neither. Also `None` when something is wrong with them, which is noted and fails the whole file.
fn api(
    key: &str,
    secret: &str,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<ApiCredentials> {
    match (key.trim(), secret) {
        ("", "") => {
            findings.lack("splynx.api_key", NO_API.to_owned());
            findings.lack("splynx.api_secret", NO_SECRET.to_owned());
            None
        }
        ("", _) => {
            findings.problem(
                "splynx.api_key",
                "this is empty; write the key of splynx.api_secret".to_owned(),
            );
            None
        }
        (_, "") => {
            findings.problem("splynx.api_secret", NO_SECRET.to_owned());
            None
        }
        (key, secret) => {
            let secret =
                findings.check("splynx.api_secret", secret::resolve(secret, context.variables))?;
            Some(ApiCredentials { key: key.to_owned(), secret })
        }
    }
}

/// What is said while there are no credentials.
const NO_API: &str = "this is empty; make an API key in Splynx (Administration → API keys) and write it here, with its secret in splynx.api_secret";

/// What is said while there is no secret.
const NO_SECRET: &str = "this is empty; write the secret of splynx.api_key";

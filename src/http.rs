//! The one factory of HTTP clients, and the one way to read an answer.
//!
//! **Invariant:** no client follows redirects, waits for ever, reads without a limit, or puts an address with a query
//! into an error.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Answers longer than this are not read: no peer has anything to say that takes a mebibyte.
pub const ANSWER_LIMIT: usize = 1024 * 1024;

/// Makes a client whose requests take at most `timeout` in all.
///
/// # Errors
///
/// A [`reqwest::Error`] when TLS cannot be set up.
pub fn client(user_agent: &str, timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    builder(user_agent, timeout)
        .pool_idle_timeout(Duration::from_secs(20))
        .pool_max_idle_per_host(4)
        .build()
}

/// Makes a client for requests that must never be executed twice: every one has a connection of its own.
///
/// A pooled connection may have been closed by the peer already. hyper then repeats the request by itself, and where
/// it does not, nobody can tell whether the peer had read it.
///
/// # Errors
///
/// A [`reqwest::Error`] when TLS cannot be set up.
pub fn one_shot_client(
    user_agent: &str,
    timeout: Duration,
) -> Result<reqwest::Client, reqwest::Error> {
    builder(user_agent, timeout).pool_max_idle_per_host(0).retry(reqwest::retry::never()).build()
}

fn builder(user_agent: &str, timeout: Duration) -> reqwest::ClientBuilder {
    #[expect(clippy::disallowed_methods, reason = "this is the one factory of clients")]
    let builder = reqwest::Client::builder();
    builder
        .user_agent(user_agent)
        .timeout(timeout)
        .connect_timeout(timeout.min(Duration::from_secs(5)))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_backend_preconfigured(tls().as_ref().clone())
}

/// The TLS settings of every outgoing connection: ring, TLS 1.2 and up, the system's certificate store.
///
/// One set for the whole process: a certificate store takes megabytes, and there is one truth about it.
#[must_use]
pub fn tls() -> Arc<rustls::ClientConfig> {
    static TLS: OnceLock<Arc<rustls::ClientConfig>> = OnceLock::new();
    TLS.get_or_init(|| Arc::new(tls_config())).clone()
}

fn tls_config() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap_or_else(|_| unreachable!("ring speaks TLS 1.2 and 1.3"))
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// Reads the body of an answer, up to [`ANSWER_LIMIT`] bytes.
///
/// # Errors
///
/// In words, when the connection breaks or the answer is too long.
pub async fn read_body(mut response: reqwest::Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(explain)? {
        if body.len().saturating_add(chunk.len()) > ANSWER_LIMIT {
            return Err("the answer is longer than 1 MiB".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What went wrong with a request, without its address.
#[must_use]
pub fn explain(error: reqwest::Error) -> String {
    let kind = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_body() || error.is_decode() {
        "the answer broke off"
    } else {
        "the request failed"
    };
    let error = error.without_url();
    let mut deepest: &dyn std::error::Error = &error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    format!("{kind} ({deepest})")
}

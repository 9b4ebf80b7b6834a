//! The address of a server we speak to or are shown under.
//!
//! **Invariant:** https, or http on this machine; no password, query or fragment; with and without the last slash as
//! the caller asks, never by accident.

use std::fmt;

use url::{Host, Url};

/// An address that others are built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Reads an address, with or without its last slash.
    ///
    /// # Errors
    ///
    /// A sentence that says what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text).map_err(|_| {
            "this is not an address; write one such as \"https://isp.example\"".to_owned()
        })?;
        check(&url)?;
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self(url))
    }

    /// The address with a slash at its end.
    #[must_use]
    pub fn with_slash(&self) -> &str {
        self.0.as_str()
    }

    /// The address without a slash at its end.
    #[must_use]
    pub fn without_slash(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Whether anything stands behind host and port.
    #[must_use]
    pub fn has_path(&self) -> bool {
        self.0.path() != "/"
    }

    /// Scheme, host and port, as browsers put it into `Origin`.
    #[must_use]
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Whether only this machine can reach it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.without_slash())
    }
}

fn check(url: &Url) -> Result<(), String> {
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(url) => {}
        "http" => {
            return Err("http:// is allowed on this machine only; write https://".to_owned());
        }
        other => return Err(format!("`{other}:` is not spoken here; write https://")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("leave out user name and password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("leave out everything from `?` or `#` on".to_owned());
    }
    Ok(())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://isp.example", "https://isp.example/", "https://isp.example")]
    #[case("https://isp.example/", "https://isp.example/", "https://isp.example")]
    #[case("https://ISP.example:443/a", "https://isp.example/a/", "https://isp.example")]
    #[case("http://127.0.0.1:8080", "http://127.0.0.1:8080/", "http://127.0.0.1:8080")]
    #[case("http://localhost:1", "http://localhost:1/", "http://localhost:1")]
    #[case("http://[::1]:1", "http://[::1]:1/", "http://[::1]:1")]
    fn an_address_knows_its_slash_and_its_origin(
        #[case] text: &str,
        #[case] with_slash: &str,
        #[case] origin: &str,
    ) {
        let url = BaseUrl::parse(text).unwrap();
        assert_eq!(url.with_slash(), with_slash);
        assert_eq!(url.without_slash(), with_slash.trim_end_matches('/'));
        assert_eq!(url.origin(), origin);
    }

    #[rstest]
    #[case("isp.example", "this is not an address")]
    #[case("", "this is not an address")]
    #[case("http://isp.example", "http:// is allowed on this machine only")]
    #[case("http://127.0.0.1.evil.example", "http:// is allowed on this machine only")]
    #[case("http://localhost.evil.example", "http:// is allowed on this machine only")]
    #[case("http://10.0.0.1", "http:// is allowed on this machine only")]
    #[case("ftp://isp.example", "`ftp:` is not spoken here")]
    #[case("https://admin:secret@isp.example", "leave out user name and password")]
    #[case("https://isp.example/?a=b", "leave out everything from `?`")]
    #[case("https://isp.example/#a", "leave out everything from `?`")]
    fn anything_else_is_refused(#[case] text: &str, #[case] sentence: &str) {
        let error = BaseUrl::parse(text).unwrap_err();
        assert!(error.starts_with(sentence), "{error}");
    }
}

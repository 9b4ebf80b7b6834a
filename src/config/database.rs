//! `[database]`: where payments are remembered.

use std::path::PathBuf;
use std::str::FromStr as _;

use secrecy::{ExposeSecret as _, SecretString};

use super::finding::Findings;
use super::key::section;
use super::variables::Variables;
use super::{Context, secret};

section! {
    /// Where payments are remembered.
    struct DatabaseKeys in database {
        /// `sqlite:///` and a full path, or `postgres://user:password@host/database`.
        /// May be `file:/path` or `env:NAME`, for the password's sake.
        url: DatabaseUrl = "sqlite:///var/lib/splynx-bitpay/splynx-bitpay.db";
    }
}

/// Where payments are remembered.
#[derive(Debug, Clone)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A PostgreSQL server, by a URL that may hold a password.
    Postgres(SecretString),
}

impl Database {
    /// The database of an address, as the configuration takes one: itself, `file:/path` or `env:NAME`.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong, and does not repeat the address.
    pub fn read(text: &str, variables: &Variables) -> Result<Self, String> {
        secret::resolve(text, variables).and_then(|url| parse(&url))
    }
}

impl DatabaseKeys {
    /// Parses the section, noting everything that is wrong with it.
    pub(super) fn parse(self, context: &Context<'_>, findings: &mut Findings) -> Option<Database> {
        findings.check("database.url", Database::read(&self.url.0, context.variables))
    }
}

/// Tells the two databases apart by the scheme alone: a mistyped address must never become an empty SQLite file.
fn parse(url: &SecretString) -> Result<Database, String> {
    let text = url.expose_secret();
    match text.split_once("://") {
        Some(("sqlite", path)) if path.starts_with('/') && !path.ends_with('/') => {
            Ok(Database::Sqlite(PathBuf::from(path)))
        }
        Some(("sqlite", _)) => {
            Err("write sqlite:/// and a full path, such as \"sqlite:///var/lib/splynx-bitpay/splynx-bitpay.db\"".to_owned())
        }
        Some(("postgres" | "postgresql", _)) => match tokio_postgres::Config::from_str(text) {
            Ok(_) => Ok(Database::Postgres(url.clone())),
            Err(_) => Err("this is not an address of PostgreSQL; write one such as \"postgres://user:password@host/database\"".to_owned()),
        },
        _ => Err("this names no database; write \"sqlite:///path\" or \"postgres://…\"".to_owned()),
    }
}

/// The address without its password, for people to see.
pub(super) fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (address, query) = match rest.split_once('?') {
        Some((address, query)) => (address, format!("?{}", without_password_parameter(query))),
        None => (rest, String::new()),
    };
    match address.rsplit_once('@') {
        Some((login, host)) => {
            let user = login.split(':').next().unwrap_or_default();
            let mask = if login.contains(':') { ":********" } else { "" };
            format!("{scheme}://{user}{mask}@{host}{query}")
        }
        None => format!("{scheme}://{address}{query}"),
    }
}

fn without_password_parameter(query: &str) -> String {
    let parameters = query.split('&').map(|parameter| match parameter.split_once('=') {
        Some((name, _)) if name.eq_ignore_ascii_case("password") => format!("{name}=********"),
        _ => parameter.to_owned(),
    });
    parameters.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_database_is_told_by_its_scheme() {
        let sqlite = parse(&"sqlite:///var/lib/x.db".to_owned().into()).unwrap();
        assert!(matches!(sqlite, Database::Sqlite(path) if path.as_os_str() == "/var/lib/x.db"));
        for url in
            ["postgres://u:p@h/d", "postgresql://h:5433/d", "postgres:///d?host=/run/postgresql"]
        {
            assert!(matches!(parse(&url.to_owned().into()), Ok(Database::Postgres(_))), "{url}");
        }
    }

    #[rstest]
    #[case("sqlite:relative.db")]
    #[case("sqlite://relative.db")]
    #[case("sqlite:///folder/")]
    #[case("postgres:/u@h/d")]
    #[case("postgres://u@h:port/d")]
    #[case("mysql://u@h/d")]
    #[case("/var/lib/x.db")]
    #[case("")]
    fn a_mistyped_address_is_refused_without_repeating_it(#[case] url: &str) {
        let error = parse(&url.to_owned().into()).unwrap_err();
        assert!(url.is_empty() || !error.contains(url), "{error}");
    }

    #[rstest]
    #[case("postgres://u:p@h/d", "postgres://u:********@h/d")]
    #[case("postgres://u:p@ss@h/d", "postgres://u:********@h/d")]
    #[case("postgres://u@h/d", "postgres://u@h/d")]
    #[case("postgres://h/d?user=u&password=p", "postgres://h/d?user=u&password=********")]
    #[case("sqlite:///var/lib/x.db", "sqlite:///var/lib/x.db")]
    fn a_password_is_not_shown(#[case] url: &str, #[case] shown: &str) {
        assert_eq!(without_password(url), shown);
    }
}

//! Which database, by the address in the configuration.
//!
//! **Invariant:** an address names one of the two databases by its scheme; a mistyped one is an error, never a new
//! empty file. Its password is never shown.

use std::fmt;
use std::path::{Path, PathBuf};

/// The address of a database.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:///path`: a file.
    SqliteFile(PathBuf),
    /// `sqlite::memory:`: gone with its [`Db`](super::Db). For tests.
    SqliteMemory,
    /// `postgres://…` or `postgresql://…`.
    Postgres(PostgresUrl),
}

/// An address with a password in it, perhaps.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

/// An address that names no database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the database address must begin with sqlite:/// and a path, with postgres:// or with postgresql://"
)]
pub struct InvalidUrl;

impl DatabaseUrl {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// [`InvalidUrl`] for every scheme but the two, and for a relative path: services have no working directory.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let text = text.trim();
        if text == "sqlite::memory:" {
            return Ok(Self::SqliteMemory);
        }
        if let Some(path) = text.strip_prefix("sqlite://") {
            let good = path.starts_with('/') && !path.ends_with('/') && !path.contains('\0');
            return if good { Ok(Self::SqliteFile(PathBuf::from(path))) } else { Err(InvalidUrl) };
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(PostgresUrl(text.to_owned())));
        }
        Err(InvalidUrl)
    }

    /// The file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::SqliteFile(path) => Some(path),
            Self::SqliteMemory | Self::Postgres(_) => None,
        }
    }
}

impl PostgresUrl {
    /// All of it, with the password: for connecting alone.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// Server and database: what stands between the password and the parameters.
    fn shown(&self) -> &str {
        let after_scheme = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let before_query = after_scheme.split('?').next().unwrap_or_default();
        before_query.rsplit('@').next().unwrap_or_default()
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SqliteFile(path) => write!(f, "sqlite://{}", path.display()),
            Self::SqliteMemory => f.write_str("sqlite::memory:"),
            Self::Postgres(url) => write!(f, "postgres://{}", url.shown()),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("sqlite:///var/lib/a.db", "sqlite:///var/lib/a.db")]
    #[case(
        "postgres://me:secret@db.example:5432/bitpay?sslmode=require",
        "postgres://db.example:5432/bitpay"
    )]
    #[case("postgresql:///bitpay?host=/run/postgresql", "postgres:///bitpay")]
    #[case("postgres://me:p@ss@h/d", "postgres://h/d")]
    fn an_address_is_shown_without_its_password(#[case] text: &str, #[case] shown: &str) {
        let url = DatabaseUrl::parse(text).unwrap();
        assert_eq!(url.to_string(), shown);
        assert_eq!(format!("{url:?}"), format!("DatabaseUrl({shown})"));
    }

    #[rstest]
    #[case("")]
    #[case("/var/lib/a.db")]
    #[case("sqlite:/var/lib/a.db")]
    #[case("sqlite://a.db")]
    #[case("sqlite:///")]
    #[case("postgres:/host/db")]
    #[case("mysql://host/db")]
    #[case("postgresq://host/db")]
    fn a_mistyped_address_is_no_new_file(#[case] text: &str) {
        assert_eq!(DatabaseUrl::parse(text), Err(InvalidUrl));
    }
}

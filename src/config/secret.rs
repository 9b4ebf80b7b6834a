//! Secrets of the configuration: written out, or a reference to where they are kept.
//!
//! **Invariant:** a secret leaves this module only inside a [`SecretString`], and no error repeats it.

use std::path::Path;

use secrecy::SecretString;

use super::variables::Variables;

/// Longer files are not secrets.
const LONGEST: usize = 64 * 1024;

/// Where a secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference<'a> {
    /// In a file.
    File(&'a str),
    /// In an environment variable.
    Variable(&'a str),
    /// Here.
    WrittenOut(&'a str),
}

impl<'a> Reference<'a> {
    /// Tells `file:/path` and `env:NAME` from a secret that is written out.
    pub(super) fn of(text: &'a str) -> Self {
        if let Some(path) = text.strip_prefix("file:") {
            Self::File(path)
        } else if let Some(name) = text.strip_prefix("env:") {
            Self::Variable(name)
        } else {
            Self::WrittenOut(text)
        }
    }
}

/// The secret itself, without blanks and line breaks around it.
///
/// # Errors
///
/// A sentence that says what is missing.
pub(super) fn resolve(text: &str, variables: &Variables) -> Result<SecretString, String> {
    let secret = match Reference::of(text) {
        Reference::WrittenOut(text) => text.to_owned(),
        Reference::File(path) => read(path)?,
        Reference::Variable(name) => variables
            .get(name)
            .ok_or_else(|| format!("the environment variable {name} is not set"))?
            .to_owned(),
    };
    match (secret.trim(), Reference::of(text)) {
        ("", Reference::File(path)) => Err(format!("the file {path} is empty")),
        ("", Reference::Variable(name)) => Err(format!("the environment variable {name} is empty")),
        (secret, _) => Ok(secret.into()),
    }
}

fn read(path: &str) -> Result<String, String> {
    if !Path::new(path).is_absolute() {
        return Err(format!(
            "`file:{path}` needs a full path, such as \"file:/etc/splynx-bitpay/api-secret\""
        ));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("the file {path} cannot be read: {error}"))?;
    if text.len() > LONGEST {
        return Err(format!("the file {path} is too long to be a secret"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_secret_is_read_from_a_file_without_its_line_break() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "s3cret\n").unwrap();
        let text = format!("file:{}", path.display());
        let secret = resolve(&text, &Variables::default()).unwrap();
        assert_eq!(secret.expose_secret(), "s3cret");
    }

    #[test]
    fn a_secret_is_read_from_the_environment() {
        let variables = Variables::from_iter([("API_SECRET", "s3cret")]);
        assert_eq!(resolve("env:API_SECRET", &variables).unwrap().expose_secret(), "s3cret");
    }

    #[test]
    fn a_secret_may_be_written_out() {
        assert_eq!(resolve("s3cret", &Variables::default()).unwrap().expose_secret(), "s3cret");
    }

    #[rstest]
    #[case("env:NOWHERE", "the environment variable NOWHERE is not set")]
    #[case("env:EMPTY", "the environment variable EMPTY is empty")]
    #[case("file:secret", "`file:secret` needs a full path")]
    #[case("file:/nonexistent/secret", "the file /nonexistent/secret cannot be read")]
    #[case("file:/dev/null", "the file /dev/null is empty")]
    fn a_reference_that_leads_nowhere_is_told(#[case] text: &str, #[case] sentence: &str) {
        let error = resolve(text, &Variables::from_iter([("EMPTY", "")])).unwrap_err();
        assert!(error.starts_with(sentence), "{error}");
    }
}

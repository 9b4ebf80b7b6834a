//! Reads and changes single keys of the configuration file: `config get` and `config set`.
//!
//! **Invariant:** a change leaves every other byte of the file alone (comments, order, formatting), and is made only
//! when the whole file is good afterwards. A secret is never handed out.

use std::collections::BTreeMap;
use std::path::Path;

use config::ValueKind;
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

use super::database::without_password;
use super::file::{self, Written};
use super::finding::{ConfigErrors, Finding};
use super::key::{self, Key, Kind};
use super::replace::replace_as_it_is;
use super::secret::Reference;
use super::variables::Variables;
use super::{Context, layers, parse_text, suggestion, unreadable};

/// The keys that mean something together only: one of them alone is not wrong, but not finished.
const PAIR: [&str; 2] = ["splynx.api_key", "splynx.api_secret"];

/// Why a key was not read or changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// There is no such key.
    #[error("{path}: {sentence}")]
    UnknownKey {
        /// As it was written.
        path: String,
        /// What was probably meant.
        sentence: String,
    },
    /// It is not handed out.
    #[error(
        "{0} is a secret and is not printed; `splynx-bitpay config show` says whether it is set"
    )]
    Secret(&'static str),
    /// It does not fit the key.
    #[error("{key}: expected {expected}")]
    Misshapen {
        /// The key.
        key: &'static str,
        /// What to write.
        expected: &'static str,
    },
    /// The file cannot be used, or could not be after the change.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The change could not be written.
    #[error("{path} cannot be written, nothing was changed: {source}")]
    NotWritten {
        /// The file.
        path: String,
        /// By the system's word.
        source: std::io::Error,
    },
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The file says it now.
    Made,
    /// The file said it already.
    WasThere,
}

/// The value of the key `name` (`section.key`) in the file at `path`, else its default; lists with commas.
///
/// What else is wrong with the file does not matter, so that a bad value can be asked for and corrected.
///
/// # Errors
///
/// [`EditError`]: an unknown key, a secret, a file that cannot be read.
pub fn get(path: &Path, name: &str) -> Result<String, EditError> {
    let key = known(name)?;
    if key.kind == Kind::Secret {
        return Err(EditError::Secret(key.path));
    }
    let mut written = read(path, &text_of(path)?, key)?;
    if !written.contains_key(key.path) {
        written = read(path, &layers::defaults(), key)?;
    }
    let value = written.get(key.path).map(|written| plain(&written.value)).unwrap_or_default();
    if is_secret(key, &value) { Err(EditError::Secret(key.path)) } else { Ok(value) }
}

/// Whether this value of this key must not be seen: on the screen, in a command line.
#[must_use]
pub fn is_secret(key: &Key, value: &str) -> bool {
    match key.kind {
        Kind::Secret => {
            matches!(Reference::of(value), Reference::WrittenOut(text) if !text.is_empty())
        }
        Kind::DatabaseUrl => without_password(value) != value,
        Kind::Text | Kind::Number | Kind::Amount | Kind::TextList => false,
    }
}

/// The key with this `section.name`.
///
/// # Errors
///
/// [`EditError::UnknownKey`], with the key that was probably meant.
pub fn known(name: &str) -> Result<&'static Key, EditError> {
    key::find(name).ok_or_else(|| {
        let sentence = match name.split_once('.') {
            Some((section, key)) => suggestion::unknown_key(section, key),
            None => suggestion::outside(name),
        };
        EditError::UnknownKey { path: name.to_owned(), sentence }
    })
}

/// Writes these `(section.key, value)` into the file at `path`, all or none; lists with commas.
///
/// # Errors
///
/// [`EditError`]: nothing was changed. What is wrong with the whole file afterwards counts, also where another key than
/// these is to blame; what is merely lacking does not.
pub fn set(
    path: &Path,
    changes: &[(&str, &str)],
    variables: &Variables,
) -> Result<Change, EditError> {
    let text = text_of(path)?;
    let mut document: DocumentMut = text.parse().map_err(|error| malformed(path, &text, &error))?;
    for (name, value) in changes {
        let key = known(name)?;
        put(&mut document, key, value_of(key, value)?).ok_or_else(|| misplaced(path, key))?;
    }
    let edited = document.to_string();
    if edited == text {
        return Ok(Change::WasThere);
    }
    check(path, &completed(document), variables)?;
    replace_as_it_is(path, edited.as_bytes())
        .map_err(|source| EditError::NotWritten { path: path.display().to_string(), source })?;
    Ok(Change::Made)
}

fn text_of(path: &Path) -> Result<String, ConfigErrors> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

/// What stands in the text, if this key's place in it is good.
fn read(path: &Path, text: &str, key: &Key) -> Result<BTreeMap<&'static str, Written>, EditError> {
    let mut findings = Vec::new();
    let written =
        file::read(text, &mut findings).map_err(|problems| ConfigErrors::new(path, problems))?;
    findings.retain(|finding| finding.key == key.path);
    if findings.is_empty() { Ok(written) } else { Err(ConfigErrors::new(path, findings).into()) }
}

fn plain(value: &ValueKind) -> String {
    match value {
        ValueKind::Array(items) => {
            items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        }
        value => value.to_string(),
    }
}

/// The value as TOML of the key's kind.
fn value_of(key: &Key, text: &str) -> Result<Value, EditError> {
    Ok(match key.kind {
        Kind::Number => {
            let misshapen =
                |_| EditError::Misshapen { key: key.path, expected: Kind::Number.expected() };
            text.trim().parse::<i64>().map_err(misshapen)?.into()
        }
        Kind::TextList => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.collect::<Array>())
        }
        Kind::Text | Kind::Amount | Kind::Secret | Kind::DatabaseUrl => text.into(),
    })
}

/// Puts the value in its place; `None` where the section's name stands for something else.
fn put(document: &mut DocumentMut, key: &Key, value: Value) -> Option<()> {
    let (section, name) = key.path.split_once('.')?;
    let table = section_of(document, section)?;
    match table.get_mut(name).map(Item::as_value_mut) {
        Some(old) => {
            let old = old?;
            // The comment behind it stays.
            let decor = old.decor().clone();
            *old = value;
            *old.decor_mut() = decor;
        }
        None => {
            table.insert(name, Item::Value(value));
        }
    }
    Some(())
}

fn section_of<'a>(document: &'a mut DocumentMut, name: &str) -> Option<&'a mut dyn TableLike> {
    if !document.contains_key(name) {
        let mut table = Table::new();
        if !document.is_empty() {
            table.decor_mut().set_prefix("\n");
        }
        document.insert(name, Item::Table(table));
    }
    document.get_mut(name)?.as_table_like_mut()
}

fn malformed(path: &Path, text: &str, error: &toml_edit::TomlError) -> EditError {
    // The reader of the file says it with line and column.
    let problems = file::read(text, &mut Vec::new()).err();
    let problems = problems.unwrap_or_else(|| vec![Finding::whole(error.message().to_owned())]);
    ConfigErrors::new(path, problems).into()
}

fn misplaced(path: &Path, key: &Key) -> EditError {
    let sentence = format!("{} cannot be written where its section stands", key.path);
    ConfigErrors::new(path, vec![Finding::whole(sentence)]).into()
}

/// The file as it will be judged: of two keys that mean something together, one may still be lacking.
fn completed(mut document: DocumentMut) -> String {
    let text = |document: &DocumentMut, path: &str| {
        let (section, name) = path.split_once('.')?;
        document.get(section)?.get(name)?.as_str().map(str::to_owned)
    };
    let [one, other] = PAIR;
    let empty = |path| text(&document, path).unwrap_or_default().is_empty();
    let lacking = match (empty(one), empty(other)) {
        (true, false) => key::find(one),
        (false, true) => key::find(other),
        (true, true) | (false, false) => None,
    };
    if let Some(key) = lacking {
        put(&mut document, key, "lacking".into());
    }
    document.to_string()
}

fn check(path: &Path, text: &str, variables: &Variables) -> Result<(), ConfigErrors> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    parse_text(text, &Context { path: &path, variables }).map(drop)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::path::PathBuf;

    use rstest::rstest;

    use super::*;

    const FILE: &str = "\
# Ours.
[log]   # quiet
level = 'warn'  # not too much

[server]
ops_listen = \"127.0.0.1:9001\"
trusted_proxies = [ \"127.0.0.1\",   \"10.0.0.1\" ]

[splynx] # below the log, on purpose
splynx_url = \"https://isp.example\"
";

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn set_one(path: &Path, key: &str, value: &str) -> Result<Change, EditError> {
        set(path, &[(key, value)], &Variables::default())
    }

    fn text(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    #[rstest]
    #[case(
        "log.level",
        "debug",
        "level = 'warn'  # not too much",
        "level = \"debug\"  # not too much"
    )]
    #[case(
        "splynx.splynx_url",
        "https://other.example",
        "splynx_url = \"https://isp.example\"",
        "splynx_url = \"https://other.example\""
    )]
    #[case(
        "server.trusted_proxies",
        "127.0.0.1, 10.0.0.2",
        "trusted_proxies = [ \"127.0.0.1\",   \"10.0.0.1\" ]",
        "trusted_proxies = [\"127.0.0.1\", \"10.0.0.2\"]"
    )]
    #[case(
        "server.listen",
        "127.0.0.1:9000",
        "   \"10.0.0.1\" ]\n",
        "   \"10.0.0.1\" ]\nlisten = \"127.0.0.1:9000\"\n"
    )]
    #[case(
        "splynx.session_cookie",
        "ISPSESSION",
        "\"https://isp.example\"\n",
        "\"https://isp.example\"\nsession_cookie = \"ISPSESSION\"\n"
    )]
    fn one_key_is_changed_and_nothing_else(
        #[case] key: &str,
        #[case] value: &str,
        #[case] before: &str,
        #[case] after: &str,
    ) {
        let (_folder, path) = file(FILE);
        assert_eq!(set_one(&path, key, value).unwrap(), Change::Made);
        assert_eq!(text(&path), FILE.replace(before, after));
        assert_eq!(set_one(&path, key, value).unwrap(), Change::WasThere);
    }

    #[test]
    fn a_section_that_is_not_there_is_added_at_the_end() {
        let (_folder, path) = file(FILE);
        set_one(&path, "worker.poll_seconds", "60").unwrap();
        assert_eq!(text(&path), format!("{FILE}\n[worker]\npoll_seconds = 60\n"));
    }

    #[test]
    fn an_empty_file_can_be_begun() {
        let (_folder, path) = file("");
        set_one(&path, "bitpay.environment", "test").unwrap();
        assert_eq!(text(&path), "[bitpay]\nenvironment = \"test\"\n");
    }

    #[test]
    fn the_default_file_can_be_changed_key_by_key_and_differs_in_these_lines_alone() {
        let default = super::super::reference::default_file();
        let (_folder, path) = file(&default);
        set_one(&path, "splynx.splynx_url", "https://isp.test").unwrap();
        set_one(&path, "splynx.api_secret", "s3cret").unwrap();
        set_one(&path, "splynx.api_key", "abc").unwrap();
        let expected = default
            .replace("splynx_url = \"https://isp.example\"", "splynx_url = \"https://isp.test\"")
            .replace("api_key = \"\"", "api_key = \"abc\"")
            .replace("api_secret = \"\"", "api_secret = \"s3cret\"");
        assert_eq!(text(&path), expected);
    }

    #[rstest]
    #[case("log.level", "loud", "log.level")]
    #[case("splynx.splynx_url", "isp.example", "this is not an address")]
    #[case("splynx.splynx_url", "http://isp.example", "https")]
    #[case("worker.poll_seconds", "often", "expected a whole number")]
    #[case("server.listen", "127.0.0.1:9001", "server.ops_listen: this is server.listen already")]
    #[case("splynx.api_domian", "https://isp.example/", "did you mean `api_domain`?")]
    #[case("api_secret", "x", "`api_secret` below `[splynx]`")]
    #[case("nowhere.nothing", "x", "there is no such")]
    fn a_bad_value_changes_nothing(#[case] key: &str, #[case] value: &str, #[case] sentence: &str) {
        let (_folder, path) = file(FILE);
        let error = set_one(&path, key, value).unwrap_err().to_string();
        assert!(error.contains(sentence), "{error}");
        assert_eq!(text(&path), FILE);
    }

    #[test]
    fn of_several_changes_a_bad_one_stops_all() {
        let (_folder, path) = file(FILE);
        let changes = [("log.level", "debug"), ("log.format", "prose")];
        assert!(set(&path, &changes, &Variables::default()).is_err());
        assert_eq!(text(&path), FILE);
    }

    #[rstest]
    #[case("[log]\nlevel = \"loud\"\n", "line 2: log.level")]
    #[case("[log\n", "line 1")]
    #[case("log = 5\n", "log")]
    fn a_file_that_is_bad_elsewhere_is_not_touched(#[case] bad: &str, #[case] sentence: &str) {
        let (_folder, path) = file(bad);
        let error = set_one(&path, "log.format", "json").unwrap_err().to_string();
        assert!(error.contains(sentence), "{error}");
        assert_eq!(text(&path), bad);
    }

    #[test]
    fn a_file_that_is_not_there_is_told_and_not_made() {
        let (_folder, path) = file("");
        std::fs::remove_file(&path).unwrap();
        for error in [
            set_one(&path, "log.level", "info").unwrap_err(),
            get(&path, "log.level").map(drop).unwrap_err(),
        ] {
            assert!(error.to_string().contains("there is no such file"), "{error}");
        }
        assert!(!path.exists());
    }

    #[test]
    fn mode_and_owner_stay() {
        let (_folder, path) = file(FILE);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o604)).unwrap();
        let before = std::fs::metadata(&path).unwrap();
        let group = if before.uid() == 0 { 65534 } else { before.gid() };
        std::os::unix::fs::chown(&path, None, Some(group)).unwrap();
        set_one(&path, "log.level", "info").unwrap();
        let after = std::fs::metadata(&path).unwrap();
        assert_eq!((after.mode() & 0o7777, after.gid()), (0o604, group));
    }

    #[rstest]
    #[case("log.level", "warn")]
    #[case("server.trusted_proxies", "127.0.0.1,10.0.0.1")]
    #[case("worker.poll_seconds", "30")]
    #[case("payments.minimum", "1.00")]
    #[case("database.url", "sqlite:///var/lib/splynx-bitpay/splynx-bitpay.db")]
    fn a_key_is_read_from_the_file_or_is_its_default(#[case] key: &str, #[case] value: &str) {
        let (_folder, path) = file(FILE);
        assert_eq!(get(&path, key).unwrap(), value);
    }

    #[test]
    fn every_key_that_can_be_read_can_be_set_to_what_was_read() {
        let (_folder, path) = file(&super::super::reference::default_file());
        for key in key::all().filter(|key| key.kind != Kind::Secret) {
            let value = get(&path, key.path).unwrap();
            assert_eq!(set_one(&path, key.path, &value).unwrap(), Change::WasThere, "{}", key.path);
        }
    }

    #[test]
    fn a_file_that_is_bad_elsewhere_can_still_be_read() {
        let (_folder, path) = file("[log]\nlevel = 5\nformat = \"json\"\n");
        assert_eq!(get(&path, "log.format").unwrap(), "json");
        assert!(get(&path, "log.level").unwrap_err().to_string().contains("line 2: log.level"));
    }

    #[rstest]
    #[case("[splynx]\napi_secret = \"hunter2\"\n", "splynx.api_secret")]
    #[case("[database]\nurl = \"postgres://a:hunter2@b/c\"\n", "database.url")]
    fn a_secret_is_not_read(#[case] text: &str, #[case] key: &str) {
        let (_folder, path) = file(text);
        let error = get(&path, key).unwrap_err().to_string();
        assert!(error.contains(key) && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn one_half_of_key_and_secret_may_come_before_the_other() {
        let (_folder, path) = file(FILE);
        set_one(&path, "splynx.api_key", "abc").unwrap();
        assert!(
            super::super::load_with(&path, &Variables::default()).is_err(),
            "one half is no use"
        );
        set_one(&path, "splynx.api_secret", "s3cret").unwrap();
        assert!(super::super::load_with(&path, &Variables::default()).is_ok());
    }
}

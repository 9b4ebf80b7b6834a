//! The command as a person at a terminal meets it.

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use rstest::rstest;

use super::*;

/// What came of a command.
struct Met {
    code: u8,
    out: String,
    err: String,
}

fn command(words: &[&str]) -> Met {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let words = std::iter::once(&"splynx-bitpay").chain(words).map(OsString::from);
    let code = execute(words, Streams { out: &mut out, err: &mut err });
    Met { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn with_config(words: &[&str], path: &Path) -> Met {
    command(&[words, &["--config", path.to_str().unwrap()]].concat())
}

const GOOD: &str = "[splynx]\napi_key = \"abc\"\napi_secret = \"hunter2\"\n";

/// The help of a command and of everything below it.
fn helps(command: &mut clap::Command, texts: &mut Vec<String>) {
    texts.push(command.render_help().to_string());
    for subcommand in command.get_subcommands_mut() {
        helps(subcommand, texts);
    }
}

#[test]
fn the_help_is_what_was_agreed() {
    let mut texts = Vec::new();
    let mut command = Arguments::command().term_width(100).disable_help_subcommand(true);
    command.build();
    helps(&mut command, &mut texts);
    insta::assert_snapshot!(texts.join("\n――――\n"));
}

#[test]
fn the_command_line_is_well_defined() {
    Arguments::command().debug_assert();
}

#[rstest]
#[case(&[])]
#[case(&["config"])]
#[case(&["config", "chekc"])]
#[case(&["--nonsense", "config", "check"])]
#[case(&["config", "check", "--config"])]
#[case(&["config", "check", "more"])]
#[case(&["attempts", "show", "xyz"])]
#[case(&["attempts", "retry", "BP-1-1"])]
fn wrong_usage_is_two_and_says_so(#[case] words: &[&str]) {
    let met = command(words);
    assert_eq!((met.code, met.out.as_str()), (2, ""));
    assert!(met.err.contains("Usage: splynx-bitpay") || met.err.contains("--help"), "{}", met.err);
}

#[rstest]
#[case("--help", "Usage: splynx-bitpay")]
#[case("--version", "splynx-bitpay 0.")]
fn what_was_asked_for_is_an_answer(#[case] word: &str, #[case] answer: &str) {
    let met = command(&[word]);
    assert_eq!((met.code, met.err.as_str()), (0, ""));
    assert!(met.out.contains(answer), "{}", met.out);
}

#[test]
fn the_default_file_needs_no_file() {
    let met = command(&["config", "default", "--config", "/nonexistent/config.toml"]);
    assert_eq!((met.code, met.err.as_str()), (0, ""));
    assert_eq!(met.out, crate::config::reference::default_file());
}

#[test]
fn a_good_configuration_is_said_to_be_good() {
    let (_folder, path) = file(GOOD);
    let met = with_config(&["config", "check"], &path);
    assert_eq!((met.code, met.err.as_str()), (0, ""));
    assert_eq!(met.out, format!("The configuration {} is good.\n", path.display()));
}

#[test]
fn a_doubtful_configuration_is_good_with_a_warning() {
    let (_folder, path) = file(&format!("{GOOD}[worker]\nquiescence_seconds = 5\n"));
    let met = with_config(&["config", "check"], &path);
    assert_eq!(met.code, 0);
    assert!(met.err.starts_with("warning: line 5: worker.quiescence_seconds: "), "{}", met.err);
}

#[rstest]
#[case("[server]\nlisten = 1\n[log]\nlevel = \"loud\"\n", &["line 2: server.listen", "line 4: log.level"])]
#[case("", &["splynx.api_key: this is empty"])]
fn a_bad_configuration_is_one_and_everything_is_told(
    #[case] text: &str,
    #[case] sentences: &[&str],
) {
    let (_folder, path) = file(text);
    let met = with_config(&["config", "check"], &path);
    assert_eq!((met.code, met.out.as_str()), (1, ""));
    for sentence in sentences {
        assert!(met.err.contains(sentence), "{}", met.err);
    }
}

#[test]
fn a_file_that_is_not_there_is_one_and_says_what_to_do() {
    let met = command(&["config", "show", "--config", "/nonexistent/config.toml"]);
    assert_eq!((met.code, met.out.as_str()), (1, ""));
    assert!(met.err.contains("`splynx-bitpay config default`"), "{}", met.err);
}

#[test]
fn what_is_shown_holds_no_secret_and_can_be_loaded_again() {
    let (_folder, path) = file(GOOD);
    let shown = with_config(&["config", "show"], &path);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
    assert!(!shown.out.contains("hunter2"), "{}", shown.out);

    let (_folder, path) = file(&shown.out);
    assert_eq!(with_config(&["config", "check"], &path).code, 0);
}

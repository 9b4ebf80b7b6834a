//! Every state, every event, and what follows: `docs/TRANSITIONS.md`, made by calling the rules themselves.
//!
//! **Invariant:** nothing here decides anything. The page is what the functions of the domain answer, for every
//! combination of their arguments that they can tell apart; a rule that changes changes the page, and the test below
//! fails until somebody has looked at the difference.

mod attempts;
mod choices;
mod codes;
mod credits;
mod postings;
mod properties;
mod samples;
mod table;
mod tasks;
mod words;

use std::path::Path;

const INTRODUCTION: &str = "\
# Transitions

Generated from the code by calling it: every state, every event, what follows. Not written by hand;
`make transitions` writes it anew, and a test fails while it is out of date.

The three machines are functions without I/O, clock or randomness in `src/domain`. They are total: what is not possible
leaves everything as it is. A *review* is a row beside the attempt that a person closes; it holds nothing up.
[EXCEPTIONS.md](EXCEPTIONS.md) tells the same as stories.
";

fn page() -> String {
    [INTRODUCTION.to_owned(), attempts::chapter(), credits::chapter(), postings::chapter()]
        .join("\n")
}

/// Compares the page with what it should be; with `UPDATE_GENERATED` set, writes it instead.
#[test]
fn the_generated_table_of_transitions_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/TRANSITIONS.md");
    let text = page();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(text.lines()).find(|(written, made)| written != made);
    assert!(
        written == text,
        "docs/TRANSITIONS.md is out of date, run `make transitions` and look at the difference: {differs:?}"
    );
}

//! Markdown tables, and rows of equal outcome told as one.
//!
//! **Invariant:** merging loses nothing: every combination is in exactly one of the merged rows.

use std::fmt::Write as _;

/// A table with these columns.
pub(super) fn table(columns: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        writeln!(text, "| {} |", row.join(" | ")).unwrap();
    }
    text
}

/// One combination: a word per dimension, and the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) words: Vec<String>,
    pub(super) outcome: Vec<String>,
}

/// Tells combinations of equal outcome as one: a dimension that makes no difference is left out.
pub(super) fn merged(cases: &[Case]) -> Vec<Case> {
    let Some(first) = cases.first() else { return vec![] };
    if first.words.is_empty() {
        assert!(cases.iter().all(|case| case == first), "one combination, two outcomes: {cases:?}");
        return vec![first.clone()];
    }
    let mut groups: Vec<(Vec<String>, Vec<Case>)> = Vec::new();
    for (word, rest) in by_first_word(cases) {
        let rest = merged(&rest);
        match groups.iter_mut().find(|(_, known)| *known == rest) {
            Some((words, _)) => words.push(word),
            None => groups.push((vec![word], rest)),
        }
    }
    let makes_a_difference = groups.len() > 1;
    let labelled = groups.into_iter().flat_map(|(words, rest)| {
        let label = if makes_a_difference { in_short(&words) } else { String::new() };
        rest.into_iter().map(move |case| Case {
            words: std::iter::once(label.clone()).chain(case.words).collect(),
            outcome: case.outcome,
        })
    });
    labelled.collect()
}

/// Numbers in a row that end with `7 tries or more` are told by the first of them.
fn in_short(words: &[String]) -> String {
    match words {
        [first, .., last] if last.ends_with(" or more") => format!("{first} or more"),
        _ => words.join(", "),
    }
}

/// The cases by their first word, in the order of its first appearance, without it.
fn by_first_word(cases: &[Case]) -> Vec<(String, Vec<Case>)> {
    let mut groups: Vec<(String, Vec<Case>)> = Vec::new();
    for case in cases {
        let (word, rest) = case.words.split_first().unwrap();
        let rest = Case { words: rest.to_vec(), outcome: case.outcome.clone() };
        match groups.iter_mut().find(|(known, _)| known == word) {
            Some((_, cases)) => cases.push(rest),
            None => groups.push((word.clone(), vec![rest])),
        }
    }
    groups
}

/// The words that make a difference, as one.
pub(super) fn condition(words: &[String]) -> String {
    let told: Vec<_> = words.iter().filter(|word| !word.is_empty()).map(String::as_str).collect();
    if told.is_empty() { "any".to_owned() } else { told.join("; ") }
}

#[test]
fn cases_of_equal_outcome_are_told_as_one_and_none_is_lost() {
    let case = |kind: &str, tries: &str, outcome: &str| Case {
        words: vec![kind.to_owned(), tries.to_owned()],
        outcome: vec![outcome.to_owned()],
    };
    let cases =
        [case("a", "1", "x"), case("a", "2", "x"), case("b", "1", "x"), case("b", "2", "y")];
    let told: Vec<_> = merged(&cases)
        .iter()
        .map(|case| (condition(&case.words), case.outcome[0].clone()))
        .collect();
    let expected = [("a", "x"), ("b; 1", "x"), ("b; 2", "y")];
    assert_eq!(told, expected.map(|(words, outcome)| (words.to_owned(), outcome.to_owned())));
}

//! `docs/EXCEPTIONS.md` and the stories name each other, and the reasons it names are the product's own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use splynx_bitpay::domain::review::ReviewReason;

/// Words in the last column of the tables.
fn stories_of_the_page(page: &str) -> Vec<String> {
    let rows = page.lines().filter(|line| line.starts_with('|') && !line.starts_with("|---"));
    let last = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next());
    let named = last.map(str::trim).filter(|cell| cell.starts_with('`'));
    named.map(|cell| cell.trim_matches('`').to_owned()).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The names in the `on_both_databases!` of every file.
fn stories_told() -> BTreeSet<String> {
    let files = ["processor.rs", "document.rs", "top_up.rs"];
    let told = files.map(|file| {
        let text = read(&format!("tests/it/exceptions/{file}"));
        let (_, rest) = text.split_once("on_both_databases! {").unwrap();
        let (list, _) = rest.split_once('}').unwrap();
        list.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>()
    });
    told.into_iter().flatten().filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_row_has_its_story_and_every_story_its_row() {
    let named = stories_of_the_page(&read("docs/EXCEPTIONS.md"));
    let rows: BTreeSet<_> = named.iter().cloned().collect();
    assert_eq!(named.len(), rows.len(), "a story is named twice");
    assert_eq!(rows, stories_told());
}

#[test]
fn the_reasons_of_the_page_are_the_products_own() {
    let page = read("docs/EXCEPTIONS.md");
    let stories = stories_told();
    let reasons: BTreeSet<_> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.contains('_') && !stories.contains(*word))
        .collect();
    for reason in &reasons {
        let known = ReviewReason::from_code(reason).is_some();
        assert!(known, "{reason} is no reason of a review");
    }
    assert!(reasons.len() >= 5, "{reasons:?}");
}

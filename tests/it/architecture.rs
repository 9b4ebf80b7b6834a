//! Who may name whom (design 3), and what every file must have.
//!
//! **Invariant:** the direction of dependencies is domain ← ports ← app ← web, worker ← cli; adapters know domain and
//! ports, never each other and never app; the simulators share nothing with the adapters they test.

use std::fs;
use std::path::{Path, PathBuf};

/// Top-level modules and what they may name besides themselves.
const ALLOWED: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("ports", &["domain"]),
    ("http", &[]),
    ("app", &["domain", "ports"]),
    ("splynx", &["domain", "ports", "http"]),
    ("bitpay", &["domain", "ports", "http"]),
    ("db", &["domain", "ports", "http"]),
    ("views", &["domain"]),
    ("config", &["domain", "ports"]),
    ("logging", &["config"]),
    ("web", &["app", "ports", "domain", "views", "config"]),
    ("worker", &["app", "ports", "domain", "views", "config"]),
    ("sim", &[]),
    // The simulated world runs the use cases and the worker's turn as they are.
    (SIMULATED_WORLD, &["app", "domain", "ports", "sim", "worker"]),
];

/// The part of `sim` that is no server but a world around the real money path.
const SIMULATED_WORLD: &str = "sim/simulate";

fn rust_files(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The part of a file that is compiled into the product: everything before its unit tests.
fn production(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

/// Whether the file is compiled into tests only: those may name whatever they hold against each other.
fn is_of_tests(file: &Path) -> bool {
    let of_tests = ["tests", "contract", "testing.rs"];
    file.components().any(|part| of_tests.iter().any(|name| part.as_os_str() == *name))
}

fn named_modules(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in production(text).lines().filter(|line| !line.trim_start().starts_with("//")) {
        for part in line.split("crate::").skip(1) {
            let name: String =
                part.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            found.push(name);
        }
    }
    found
}

#[test]
fn every_module_names_only_what_it_may() {
    let mut wrong = Vec::new();
    for (module, allowed) in ALLOWED {
        let folder = sources().join(module);
        let files = if folder.is_dir() {
            rust_files(&folder)
        } else {
            vec![sources().join(format!("{module}.rs"))]
        };
        for file in files {
            let is_world = file.starts_with(sources().join(SIMULATED_WORLD));
            if is_of_tests(&file) || is_world != (*module == SIMULATED_WORLD) {
                continue;
            }
            for name in named_modules(&fs::read_to_string(&file).unwrap()) {
                if name != *module && !name.is_empty() && !allowed.contains(&name.as_str()) {
                    wrong.push(format!("{} names {name}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_of_directions_knows_every_module() {
    let lib = fs::read_to_string(sources().join("lib.rs")).unwrap();
    let modules = lib.lines().filter_map(|line| line.strip_prefix("pub mod "));
    for module in modules.map(|line| line.trim_end_matches(';')) {
        let known = module == "cli" || ALLOWED.iter().any(|(name, _)| *name == module);
        assert!(known, "add `{module}` to the table");
    }
}

#[test]
fn only_postings_ask_splynx_to_write() {
    for file in rust_files(&sources().join("app")).iter().chain(&rust_files(&sources().join("web")))
    {
        let text = fs::read_to_string(file).unwrap();
        let writes = text.contains("billing.write(");
        let may = file.components().any(|part| part.as_os_str() == "postings");
        assert!(!writes || may, "{} asks Splynx to write", file.display());
    }
}

#[test]
fn every_file_says_what_it_is_for_and_fits_in_five_hundred_lines() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for file in rust_files(&sources()).iter().chain(&rust_files(&tests)) {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.starts_with("//!"), "{} has no module text", file.display());
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines", file.display());
    }
}

#[test]
fn nothing_is_allowed_silently() {
    for file in rust_files(&sources()) {
        let text = fs::read_to_string(&file).unwrap();
        let marker = concat!("#[", "allow(");
        assert!(!text.contains(marker), "{} uses {marker}", file.display());
    }
}

//! The default file and the reference page, printed from the table of keys.
//!
//! **Invariant:** `deploy/config.default.toml` and `docs/configuration.md` are what this module prints; a test compares.

use super::key::{Key, Kind, PREFIX, SECTIONS, Section};

/// The default configuration file, with every key explained.
#[must_use]
pub fn default_file() -> String {
    let sections: Vec<String> = SECTIONS.iter().map(section_of_file).collect();
    format!("{FILE_HEAD}\n{}", sections.join("\n"))
}

const FILE_HEAD: &str = "\
# The configuration of splynx-bitpay. `splynx-bitpay config default` prints this file, `splynx-bitpay config check`
# checks a changed one, `splynx-bitpay config show` tells which value is in force and why.
#
# Every key stands here with its default. Before this file come the environment (SPLYNX_BITPAY__SECTION__KEY), and for
# payments the module's settings inside Splynx. Secrets may be written as \"file:/path\" or \"env:NAME\".
";

fn section_of_file(section: &Section) -> String {
    let keys: Vec<String> = section.keys.iter().map(key_of_file).collect();
    format!("{}[{}]\n\n{}", comment(section.about), section.name, keys.join("\n"))
}

fn key_of_file(key: &Key) -> String {
    format!("{}{} = {}\n", comment(key.about), key.name, key.default)
}

fn comment(about: &str) -> String {
    about.lines().map(|line| format!("#{line}\n")).collect::<Vec<_>>().concat()
}

/// The reference page.
#[must_use]
pub fn page() -> String {
    let sections: Vec<String> = SECTIONS.iter().map(section_of_page).collect();
    format!("{}\n{}", page_head(), sections.join("\n"))
}

fn page_head() -> String {
    format!(
        "# Configuration\n\n\
         The file is `{path}`, or what `--config FILE` names; it is TOML. Unknown keys are errors.\n\n\
         * `splynx-bitpay config default` prints a file with every key and its default.\n\
         * `splynx-bitpay config check` says what is wrong, with line and key.\n\
         * `splynx-bitpay config show` prints what is in force and where it comes from, without secrets.\n\
         * `splynx-bitpay config get KEY` and `config set KEY VALUE` read and change one key of the file, such as \
         `splynx.splynx_url`; `config set KEY -` takes the value from standard input, as secrets must be.\n\n\
         Where a value is given more than once, the first of these holds:\n\n\
         1. the environment: `{PREFIX}SECTION__KEY`, such as `{example}`; lists with commas;\n\
         2. the module's settings inside Splynx (Config → Integrations → Modules list), for the keys marked *Splynx*;\n\
         3. the file;\n\
         4. the default.\n\n\
         A secret is written out, or as `file:/path` or `env:NAME`.\n",
        path = super::DEFAULT_PATH,
        example = Key { path: "log.level", name: "", kind: Kind::Text, default: "", about: "" }
            .variable(),
    )
}

fn section_of_page(section: &Section) -> String {
    let rows: String = section.keys.iter().map(row_of_page).collect();
    format!(
        "## `[{}]`\n\n{}\n\n| Key | Default | Kind | Meaning |\n|---|---|---|---|\n{rows}",
        section.name,
        sentence(section.about),
    )
}

fn row_of_page(key: &Key) -> String {
    let splynx = if super::module_settings::reaches(key.path) { " *Splynx*" } else { "" };
    format!(
        "| `{}`{splynx} | `{}` | {} | {} |\n",
        key.name,
        key.default,
        kind(key.kind),
        sentence(key.about).replace('|', "\\|"),
    )
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Number => "number",
        Kind::Amount => "amount, as text",
        Kind::TextList => "list of texts",
        Kind::Secret => "secret",
        Kind::DatabaseUrl => "address, may be a secret",
    }
}

fn sentence(about: &str) -> String {
    about.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rstest::rstest;

    use super::*;

    /// Compares a generated file with what it should be; with `UPDATE_GENERATED` set, writes it instead.
    #[rstest]
    #[case("deploy/config.default.toml", default_file())]
    #[case("docs/configuration.md", page())]
    fn a_generated_file_is_up_to_date(#[case] name: &str, #[case] text: String) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == text, "{name} is out of date; run the tests with UPDATE_GENERATED=1");
    }

    #[test]
    fn the_default_file_is_no_wider_than_a_screen() {
        for line in default_file().lines() {
            assert!(line.chars().count() <= 120, "{line}");
        }
    }
}

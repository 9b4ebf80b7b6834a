//! The man pages and the completions of shells in `deploy/`, made of the very commands.
//!
//! **Invariant:** nothing in them depends on the day or the machine they were made on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap_complete::{Generator, Shell, generate};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use super::Arguments;

const NAME: &str = "splynx-bitpay";

/// What a command ends with.
const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "All is well."),
    (
        "1",
        "Something failed, or is not well; standard error or the answer says what, and what to do.",
    ),
    ("2", "The command was called wrongly."),
];

const FILES: &[(&str, &str)] = &[
    (
        "/etc/splynx-bitpay/config.toml",
        "The configuration. Variables SPLYNX_BITPAY__SECTION__KEY of the environment come before it.",
    ),
    (
        "/etc/splynx-bitpay/secret.key",
        "Seals tokens and keys in the database, which is of no use without it: keep a copy.",
    ),
    ("/var/lib/splynx-bitpay/splynx-bitpay.db", "The database, unless it is PostgreSQL."),
    ("/var/lib/splynx-bitpay/backups/", "Copies of the database, by their moment in UTC."),
    ("/usr/share/doc/splynx-bitpay/", "The manual for whoever looks after a running add-on."),
];

/// A chapter of items, each with its explanation.
fn items(chapter: &str, items: &[(&str, &str)]) -> String {
    let mut roff = Roff::new();
    roff.control("SH", [chapter]);
    for (item, words) in items {
        roff.control("TP", []);
        roff.text([bold(*item)]);
        roff.text([roman(*words)]);
    }
    roff.to_roff()
}

/// The pages above and below this one.
fn see_also(command: &clap::Command, above: &[&str]) -> String {
    let below = command.get_subcommands().map(name);
    let mut line: Vec<Inline> = Vec::new();
    for page in above.iter().copied().chain(below) {
        line.extend([bold(page), roman("(1), ")]);
    }
    line.extend([bold("systemctl"), roman("(1), "), bold("journalctl"), roman("(1)")]);
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    roff.text(line);
    roff.to_roff()
}

/// How root's commands run.
fn notes() -> String {
    let mut roff = Roff::new();
    roff.control("SH", ["NOTES"]);
    roff.text([
        roman(
            "What root runs is run as the owner of the folder of the database, so that the service can go on writing \
             there. Commands that write the configuration or files of Splynx stay root's. All commands may be run \
             while ",
        ),
        italic("splynx-bitpay.service"),
        roman(" runs."),
    ]);
    roff.to_roff()
}

/// Its page's name, such as `splynx-bitpay-attempts-list`.
fn name(command: &clap::Command) -> &str {
    command.get_display_name().unwrap_or(NAME)
}

/// One page.
fn page(command: &clap::Command, above: &[&str]) -> String {
    let man = Man::new(command.clone());
    let mut chapters = Vec::new();
    man.render_name_section(&mut chapters).unwrap();
    man.render_synopsis_section(&mut chapters).unwrap();
    man.render_description_section(&mut chapters).unwrap();
    man.render_options_section(&mut chapters).unwrap();
    if command.has_subcommands() {
        man.render_subcommands_section(&mut chapters).unwrap();
    }
    let chapters = String::from_utf8(chapters).unwrap();
    // Each chapter comes with the definitions that a page needs once, before its title.
    let (definitions, _) = chapters.split_once(".SH").unwrap();
    // Without a date, which would be another one tomorrow; clap's own title has no place for an empty one.
    let title = format!(".TH {} 1 \"\" {NAME} \"User Commands\"\n", name(command));
    let exit_status = items("EXIT STATUS", EXIT_STATUS);
    let files = items("FILES", FILES);
    let chapters = &chapters.replace(definitions, "");
    let see_also = see_also(command, above);
    [definitions, &title, chapters, &exit_status, &files, &notes(), &see_also].concat()
}

fn pages(command: &clap::Command, above: &[&str], so_far: &mut BTreeMap<String, String>) {
    so_far.insert(format!("{}.1", name(command)), page(command, above));
    for below in command.get_subcommands() {
        pages(below, &[above, &[name(command)]].concat(), so_far);
    }
}

fn all_pages() -> BTreeMap<String, String> {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    let mut all = BTreeMap::new();
    pages(&command, &[], &mut all);
    all
}

fn all_completions() -> BTreeMap<String, String> {
    let completion = |shell: Shell| {
        let mut written = Vec::new();
        generate(shell, &mut Arguments::command(), NAME, &mut written);
        (shell.file_name(NAME), String::from_utf8(written).unwrap())
    };
    [Shell::Bash, Shell::Zsh, Shell::Fish].map(completion).into()
}

/// Compares a folder with what should be in it; with `UPDATE_GENERATED` set, makes it so instead.
fn assert_up_to_date(folder: &str, wanted: &BTreeMap<String, String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in wanted {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    let files = fs::read_dir(&folder).into_iter().flatten().map(|file| file.unwrap().path());
    let found: BTreeMap<String, String> = files.map(|path: PathBuf| read(&path)).collect();
    let names = |all: &BTreeMap<String, String>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(wanted), "{}: run `make generated`", folder.display());
    for (name, text) in wanted {
        assert!(found[name] == *text, "{name} is out of date: run `make generated`");
    }
}

fn read(path: &Path) -> (String, String) {
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    (name, fs::read_to_string(path).unwrap())
}

#[test]
fn the_generated_man_pages_are_up_to_date() {
    assert_up_to_date("deploy/man", &all_pages());
}

#[test]
fn the_generated_completions_are_up_to_date() {
    assert_up_to_date("deploy/completions", &all_completions());
}

#[test]
fn every_command_has_a_page_with_all_chapters() {
    let pages = all_pages();
    for name in ["splynx-bitpay.1", "splynx-bitpay-serve.1", "splynx-bitpay-attempts-settle.1"] {
        assert!(pages.contains_key(name), "{name}");
    }
    for (name, page) in &pages {
        let mut rest = page.as_str();
        for chapter in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "\"EXIT STATUS\"",
            "FILES",
            "NOTES",
            "\"SEE ALSO\"",
        ] {
            let heading = format!("\n.SH {chapter}\n");
            let (_, after) =
                rest.split_once(&heading).unwrap_or_else(|| panic!("{name}: no {chapter}"));
            rest = after;
        }
    }
}

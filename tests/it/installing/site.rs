//! A host with a Splynx-like tree on it, and the command that wires the add-on in.
//!
//! **Invariant:** everything stands in one temporary folder; nothing of the machine's own Splynx or nginx is touched.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The secret that the tree hands out; must never be seen.
pub(super) const API_SECRET: &str = "fedcba9876543210fedcba9876543210";

/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:1";

/// What came of a command.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

impl Said {
    /// The part of the answer about one step: its line and what follows below.
    pub(super) fn step(&self, name: &str) -> String {
        let beginning = format!("{name}: ");
        let mut lines = self.out.lines().skip_while(|line| !line.starts_with(&beginning));
        let first = lines.next().unwrap_or_else(|| panic!("nothing of {name}: {self:#?}"));
        let below = lines.take_while(|line| line.starts_with(' '));
        std::iter::once(first).chain(below).collect::<Vec<_>>().join("\n")
    }

    /// Fails unless the step came to this.
    pub(super) fn says(&self, name: &str, words: &[&str]) {
        let step = self.step(name);
        for word in words {
            assert!(step.contains(word), "{word:?} is not in: {step}\n{self:#?}");
        }
    }
}

/// The host.
#[derive(Debug)]
pub(super) struct Site {
    home: TempDir,
}

impl Site {
    /// With Splynx's tree, the add-on base and a configuration; no Splynx answers on its API, and nginx is not there.
    pub(super) fn new() -> Self {
        Self::towards(NOBODY)
    }

    /// The same, with a Splynx whose API is at this address.
    pub(super) fn towards(splynx: &str) -> Self {
        let site = Self { home: TempDir::new().unwrap() };
        let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/splynx-tree");
        let copied = Command::new("cp").arg("-a").arg(tree).arg(site.splynx()).status().unwrap();
        assert!(copied.success());
        let text = format!(
            "# Ours.\n[splynx]\napi_domain = \"{splynx}/\"\nsplynx_url = \"{splynx}\"  # as customers see it\n"
        );
        fs::write(site.config(), text).unwrap();
        site
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(super) fn splynx(&self) -> PathBuf {
        self.home().join("splynx")
    }

    pub(super) fn config(&self) -> PathBuf {
        self.home().join("config.toml")
    }

    pub(super) fn nginx(&self) -> PathBuf {
        self.home().join("nginx")
    }

    pub(super) fn addon(&self) -> PathBuf {
        self.splynx().join("addons/splynx-bitpay")
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.home().join(path)).unwrap_or_default()
    }

    /// Lets every call that contains one of these lines fail.
    pub(super) fn let_fail(&self, lines: &str) {
        fs::write(self.splynx().join("addon-fails"), lines).unwrap();
    }

    /// The calls of Splynx's command since the last time.
    pub(super) fn take_calls(&self) -> String {
        let path = self.splynx().join("addon-calls");
        let calls = fs::read_to_string(&path).unwrap_or_default();
        fs::remove_file(path).ok();
        calls
    }

    /// Wires the add-on in.
    pub(super) fn install(&self, more: &[&str]) -> Said {
        let mut command = self.command(&["install-splynx"]);
        command.arg("--splynx-dir").arg(self.splynx()).arg("--nginx-dir").arg(self.nginx());
        let said = finish(command.args(more).stdin(Stdio::null()));
        assert!(!format!("{said:?}").contains(API_SECRET), "the secret is shown: {said:#?}");
        said
    }

    /// Another command, with this on standard input.
    pub(super) fn run(&self, arguments: &[&str], input: &str) -> Said {
        let mut command = self.command(arguments);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that does not want it has closed its end.
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        said(&child.wait_with_output().unwrap())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_splynx-bitpay"));
        command.args(arguments).arg("--config").arg(self.config());
        command
    }

    /// Every file with its content, to be compared.
    pub(super) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        gather(self.home(), &mut files);
        files
    }
}

fn finish(command: &mut Command) -> Said {
    said(&command.output().unwrap())
}

fn said(output: &std::process::Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

fn gather(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, files);
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
}

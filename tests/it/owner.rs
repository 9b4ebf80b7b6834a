//! Root runs a command: what it writes belongs to the owner of the data, whom the service runs as.
//!
//! **Invariant:** run by somebody else than root, the same stories hold with the data of whoever runs them: then nothing
//! changes.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::{PATIENCE, Ports, SECRET_KEY, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_splynx-bitpay");

/// Nobody's numbers on most systems, and another group's, so that the two are told apart.
const OWNER: (u32, u32) = (65_534, 65_533);

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// An installation: data of the service's user, a configuration that only root and the service's group may read, and
/// the program where everybody may run it.
struct Installation {
    home: TempDir,
    ports: Ports,
    owner: (u32, u32),
}

impl Installation {
    fn new() -> Self {
        let home = TempDir::new().unwrap();
        let own = fs::metadata(home.path()).unwrap();
        let owner = if is_root() { OWNER } else { (own.uid(), own.gid()) };
        let installation = Self { home, ports: Ports::take(), owner };
        let (data, config) = (installation.path("data"), installation.path("config.toml"));
        fs::create_dir(&data).unwrap();
        fs::write(&config, installation.configuration()).unwrap();
        fs::copy(BINARY, installation.path("splynx-bitpay")).unwrap();
        open(installation.home.path(), 0o755);
        open(&data, 0o750);
        open(&config, 0o640);
        chown(&data, Some(owner.0), Some(owner.1)).unwrap();
        chown(&config, None, Some(owner.1)).unwrap();
        installation
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn configuration(&self) -> String {
        format!(
            "[server]\nlisten = \"{}\"\nops_listen = \"{}\"\nsecret_key = \"{SECRET_KEY}\"\n\
             [database]\nurl = \"sqlite://{}\"\n\
             [splynx]\napi_domain = \"http://127.0.0.1:1/\"\nsplynx_url = \"http://127.0.0.1:1\"\n\
             api_key = \"k\"\napi_secret = \"s\"\n",
            self.ports.pages(),
            self.ports.ops(),
            self.path("data/a.db").display(),
        )
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.path("splynx-bitpay"));
        command.args(words).arg("--config").arg(self.path("config.toml")).stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs a command that must work. Returns what it said.
    fn good(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Who owns the files below a folder.
    fn owners(&self, folder: &str) -> Vec<(PathBuf, u32, u32)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.path(folder)).unwrap() {
            let path = entry.unwrap().path();
            let file = fs::metadata(&path).unwrap();
            found.push((path, file.uid(), file.gid()));
        }
        found
    }

    fn is_of_the_owner(&self, folder: &str) {
        let owners = self.owners(folder);
        assert!(!owners.is_empty(), "{folder} is empty");
        for (path, user, group) in owners {
            assert_eq!((user, group), self.owner, "{}", path.display());
        }
    }
}

fn open(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_commands_write_belongs_to_the_owner_of_the_data() {
    let home = Installation::new();
    assert!(home.good(&["migrate"]).ends_with("The database is up to date.\n"));
    home.is_of_the_owner("data");
    // The words arrive as they were.
    assert_eq!(home.good(&["attempts", "list", "--limit", "3"]), "No payments yet.\n");
    let wrong = home.run(&["attempts", "show", "01M7AAAAAAAAAAAAAAAAAAAAAA"]);
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(wrong.status.code(), Some(1), "{said}");
    assert!(said.contains("there is no attempt 01M7AAAAAAAAAAAAAAAAAAAAAA"), "{said}");
    home.good(&["config", "show"]);
    let backup = home.good(&["backup"]);
    assert!(Path::new(backup.trim_end()).exists(), "{backup}");
    home.is_of_the_owner("data");
    home.is_of_the_owner("data/backups");
}

#[test]
fn the_environment_comes_along() {
    let home = Installation::new();
    let other = home.path("data/other.db");
    let mut command = home.command(&["migrate"]);
    command.env("SPLYNX_BITPAY__DATABASE__URL", format!("sqlite://{}", other.display()));
    assert!(command.output().unwrap().status.success());
    assert!(other.exists() && !home.path("data/a.db").exists());
    home.is_of_the_owner("data");
}

#[test]
fn a_backup_goes_only_where_the_owner_may_write() {
    let home = Installation::new();
    home.good(&["migrate"]);
    fs::create_dir(home.path("roots")).unwrap();
    open(&home.path("roots"), 0o755);
    let roots = home.path("roots");
    let output = home.run(&["backup", "--to", roots.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if is_root() {
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(said.contains("cannot be written: Permission denied"), "{said}");
        assert_eq!(fs::read_dir(&roots).unwrap().count(), 0);
    } else {
        assert!(output.status.success(), "{said}");
    }
}

#[test]
fn data_of_root_stay_roots() {
    let home = Installation::new();
    let data = home.path("data");
    let own = fs::metadata(home.home.path()).unwrap();
    chown(&data, Some(own.uid()), Some(own.gid())).unwrap();
    home.good(&["migrate"]);
    for (path, user, _) in home.owners("data") {
        assert_eq!(user, own.uid(), "{}", path.display());
    }
}

#[test]
fn without_a_folder_of_data_nothing_changes_hands() {
    let home = Installation::new();
    fs::remove_dir(home.path("data")).unwrap();
    let output = home.run(&["attempts", "list"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot be opened: No such file or directory"), "{said}");
}

#[test]
fn a_program_that_the_owner_may_not_run_is_told_of() {
    let home = Installation::new();
    let closed = home.path("closed");
    fs::create_dir(&closed).unwrap();
    fs::rename(home.path("splynx-bitpay"), closed.join("splynx-bitpay")).unwrap();
    open(&closed, 0o700);
    let mut command = Command::new(closed.join("splynx-bitpay"));
    let output = command.arg("migrate").arg("--config").arg(home.path("config.toml")).output();
    let output = output.unwrap();
    if !is_root() {
        assert!(output.status.success(), "{output:?}");
        return home.is_of_the_owner("data");
    }
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("belong to the user 65534; splynx-bitpay cannot be run"), "{said}");
    assert!(said.trim_end().ends_with("Permission denied (os error 13)"), "{said}");
    assert!(home.owners("data").is_empty());
}

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test]
async fn serve_runs_as_the_owner_under_the_same_number() {
    let home = Installation::new();
    let mut command = home.command(&["serve"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let running = Running(command.spawn().unwrap());
    let address = format!("http://{}/health", home.ports.ops());
    eventually("it answers", PATIENCE, async || {
        let answer = crate::support::client().get(&address).send().await;
        answer.map(|_| ()).map_err(|error| error.to_string())
    })
    .await;
    let status = fs::read_to_string(format!("/proc/{}/status", running.0.id())).unwrap();
    let ids = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<u32>>()
    };
    assert_eq!(ids("Uid:"), [home.owner.0; 4]);
    assert_eq!(ids("Gid:"), [home.owner.1; 4]);
    if is_root() {
        assert_eq!(ids("Groups:"), [0; 0], "root's other groups are given up");
    }
    home.is_of_the_owner("data");
    // Root's commands beside it leave nothing that it could not write.
    home.good(&["attempts", "list"]);
    home.is_of_the_owner("data");
}

//! Root's commands: the program becomes the owner of the data before it touches them.
//!
//! **Invariant:** what root runs leaves no file beside the database that the service could not write. It becomes somebody
//! who is not root, or nobody; so it happens once at most.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::Context as _;

use super::{Arguments, Command, config};
use crate::config::{Database, load};

/// Whose the data are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Owner {
    user: u32,
    group: u32,
}

/// Where root wants a command that touches data of another user: executes this program again as that user, with the
/// same words and environment, and does not return. Else does nothing.
///
/// # Errors
///
/// When the program cannot be executed.
pub(super) fn become_owner(arguments: &Arguments, words: &[OsString]) -> anyhow::Result<()> {
    if !rustix::process::geteuid().is_root() || !touches_data(&arguments.command) {
        return Ok(());
    }
    let file = data(&arguments.config).or_else(|| made(&arguments.command));
    let Some((folder, owner)) = file.and_then(|file| owned(&file)) else {
        return Ok(());
    };
    let error = execute_as(owner, words);
    let folder = folder.display();
    Err(error).with_context(|| {
        let Owner { user, group } = owner;
        format!(
            "the data in {folder} belong to the user {user}; splynx-bitpay cannot be run as this user \
             (setpriv --reuid {user} --regid {group} --clear-groups splynx-bitpay …)"
        )
    })
}

/// Whether a command opens the database, or says whether the service could. Those that write files of root's do not.
fn touches_data(command: &Command) -> bool {
    match command {
        Command::Config(command) => {
            matches!(command, config::Command::Show | config::Command::Check)
        }
        Command::Migrate { latest, .. } => !latest,
        Command::InstallSplynx(_) => false,
        Command::Serve
        | Command::Pair { .. }
        | Command::Unpair
        | Command::Pairing
        | Command::Doctor { .. }
        | Command::MoveDatabase(_)
        | Command::Backup(_)
        | Command::Attempts(_)
        | Command::Audit(_)
        | Command::Reconcile(_) => true,
    }
}

/// The database's file. A configuration that cannot be used is told of by the command itself.
fn data(config: &Path) -> Option<PathBuf> {
    match load(config).ok()?.config.database {
        Database::Sqlite(file) => Some(file),
        Database::Postgres(_) => None,
    }
}

/// The database's file that the command makes.
fn made(command: &Command) -> Option<PathBuf> {
    match command {
        Command::MoveDatabase(wish) => wish.file(),
        _ => None,
    }
}

/// The folder of the data and its owner, where that is not root.
fn owned(file: &Path) -> Option<(PathBuf, Owner)> {
    let folder = file.parent()?;
    let found = fs::metadata(folder).ok()?;
    let owner = Owner { user: found.uid(), group: found.gid() };
    (owner.user != 0).then(|| (folder.to_owned(), owner))
}

/// Returns only if it fails. Root's other groups are given up with root; the owner's group comes along, since the
/// configuration may be readable for it alone.
fn execute_as(owner: Owner, words: &[OsString]) -> std::io::Error {
    let (name, rest) =
        words.split_first().map_or((OsString::new(), &[][..]), |(name, rest)| (name.clone(), rest));
    // Without /proc, as in a bare chroot, the name is searched again as the shell did.
    let program = env::current_exe().unwrap_or_else(|_| PathBuf::from(&name));
    process::Command::new(program).arg0(name).args(rest).gid(owner.group).uid(owner.user).exec()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&["serve"], true)]
    #[case(&["attempts", "list"], true)]
    #[case(&["backup"], true)]
    #[case(&["move-database", "--to", "postgres:///bitpay"], true)]
    #[case(&["migrate"], true)]
    #[case(&["migrate", "--back-to", "0001"], true)]
    #[case(&["migrate", "--latest"], false)]
    #[case(&["config", "show"], true)]
    #[case(&["config", "check"], true)]
    #[case(&["config", "default"], false)]
    #[case(&["config", "get", "log.level"], false)]
    #[case(&["config", "set", "log.level", "info"], false)]
    #[case(&["install-splynx"], false)]
    fn what_the_service_must_be_able_to_do_is_done_as_the_service(
        #[case] words: &[&str],
        #[case] touches: bool,
    ) {
        let words = [&["splynx-bitpay"], words].concat();
        let arguments = Arguments::try_parse_from(words).unwrap();
        assert_eq!(touches_data(&arguments.command), touches);
    }

    #[rstest]
    #[case("sqlite:///x/a.db", Some("/x/a.db"))]
    #[case("postgres:///bitpay", None)]
    #[case("file:/x/url", None)]
    fn a_file_that_is_made_becomes_the_owners(#[case] to: &str, #[case] file: Option<&str>) {
        let words = ["splynx-bitpay", "move-database", "--to", to];
        let arguments = Arguments::try_parse_from(words).unwrap();
        assert_eq!(made(&arguments.command), file.map(PathBuf::from));
    }

    #[test]
    fn data_of_root_or_nowhere_have_no_other_owner() {
        assert_eq!(owned(Path::new("/proc/1/a.db")), None, "root's");
        assert_eq!(owned(Path::new("/nonexistent/a.db")), None);
    }

    #[test]
    fn data_in_postgresql_and_data_of_no_configuration_have_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        assert_eq!(data(&path), None);
        fs::write(&path, "[database]\nurl = \"postgres:///bitpay\"\n").unwrap();
        assert_eq!(data(&path), None);
        fs::write(&path, "[database]\nurl = \"sqlite:///x/a.db\"\n").unwrap();
        assert_eq!(data(&path), Some(PathBuf::from("/x/a.db")));
    }
}

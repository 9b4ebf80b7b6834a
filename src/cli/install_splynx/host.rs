//! This machine: runs commands, writes files, and remembers what it did.
//!
//! **Invariant:** a dry run starts no command and writes no file; every command ends, or is ended; what a command says
//! of a secret is in no recording and no error.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::config::replace::replace;

/// Splynx's scripts start PHP and a database; nothing of what is run here takes longer when all is well.
const SECONDS_MAX: &str = "60";

/// What coreutils' `timeout` answers for a command that did not end, cannot be run, is not there.
const TIMED_OUT: i32 = 124;
const KILLED: i32 = 137;
const NOT_RUNNABLE: i32 = 126;
const NOT_FOUND: i32 = 127;

/// More is not repeated of what a failing command says.
const SAID_MAX: usize = 600;

/// One command.
#[derive(Debug, Clone)]
pub(super) struct Line {
    program: OsString,
    arguments: Vec<OsString>,
    folder: Option<PathBuf>,
    tells_secret: bool,
}

/// Why a command is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// There is no such command here.
    #[error("there is no command {0} here")]
    Missing(String),
    /// It was ended.
    #[error("`{0}` did not end within {SECONDS_MAX} seconds")]
    TimedOut(String),
    /// It ran and said no.
    #[error("`{line}` failed: {said}")]
    Refused {
        /// What was run.
        line: String,
        /// Its own words.
        said: String,
    },
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It says something new.
    Changed,
    /// It said this already.
    Same,
}

/// This machine.
#[derive(Debug)]
pub(super) struct Host {
    dry: bool,
    recorded: Vec<String>,
}

impl Line {
    /// A command by its name or path.
    pub(super) fn new(program: impl Into<OsString>) -> Self {
        Self { program: program.into(), arguments: Vec::new(), folder: None, tells_secret: false }
    }

    /// One more argument.
    pub(super) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Where it runs.
    pub(super) fn inside(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// Its answer is a secret.
    pub(super) fn tells_secret(mut self) -> Self {
        self.tells_secret = true;
        self
    }

    /// As a person would type it.
    fn text(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.arguments);
        let line = words.map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        match &self.folder {
            Some(folder) => format!("cd {} && {line}", quoted(folder.as_os_str())),
            None => line,
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", SECONDS_MAX])
            .arg(&self.program)
            .args(&self.arguments)
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }
}

/// In single quotes where a shell would take it apart.
fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |it: char| it.is_ascii_alphanumeric() || "_-./:=,@%+".contains(it);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

impl Host {
    /// This machine, as it is.
    pub(super) fn new() -> Self {
        Self { dry: false, recorded: Vec::new() }
    }

    /// This machine, on which nothing is to be done.
    pub(super) fn untouched() -> Self {
        Self { dry: true, ..Self::new() }
    }

    /// Whether nothing is done.
    pub(super) fn is_dry(&self) -> bool {
        self.dry
    }

    /// What was done since this was asked last, or in a dry run would have been.
    pub(super) fn take_recorded(&mut self) -> Vec<String> {
        std::mem::take(&mut self.recorded)
    }

    /// Runs a command: what it said on standard output, nothing in a dry run.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    pub(super) fn run(&mut self, line: &Line) -> Result<String, Failure> {
        self.recorded.push(line.text());
        if self.dry { Ok(String::new()) } else { ask(line) }
    }

    /// Makes the file say this, and the folders above it. What is new is readable for everybody.
    ///
    /// # Errors
    ///
    /// The system's own, with the path.
    pub(super) fn write(&mut self, path: &Path, content: &[u8]) -> Result<Written, String> {
        if fs::read(path).is_ok_and(|present| present == content) {
            return Ok(Written::Same);
        }
        self.recorded.push(format!("(write {})", path.display()));
        if !self.dry {
            let made = path.parent().map_or(Ok(()), make_folder);
            made.and_then(|()| replace(path, content, 0o644))
                .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
        }
        Ok(Written::Changed)
    }

    /// Takes a file away.
    ///
    /// # Errors
    ///
    /// The system's own, with the path.
    pub(super) fn remove(&mut self, path: &Path) -> Result<(), String> {
        self.recorded.push(format!("(remove {})", path.display()));
        if self.dry {
            return Ok(());
        }
        fs::remove_file(path)
            .map_err(|error| format!("{} cannot be removed: {error}", path.display()))
    }
}

/// Runs a command that only looks, also in a dry run.
///
/// # Errors
///
/// [`Failure`].
pub(super) fn ask(line: &Line) -> Result<String, Failure> {
    let missing = || Failure::Missing(line.program.to_string_lossy().into_owned());
    let output = line.command().output().map_err(|_| missing())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.code() {
        Some(0) => Ok(said),
        Some(NOT_FOUND | NOT_RUNNABLE) => Err(missing()),
        Some(TIMED_OUT | KILLED) | None => Err(Failure::TimedOut(line.text())),
        Some(code) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            let words =
                if line.tells_secret { errors.into_owned() } else { errors.into_owned() + &said };
            Err(Failure::Refused { line: line.text(), said: shortened(&words, code) })
        }
    }
}

fn shortened(said: &str, code: i32) -> String {
    let said = said.trim();
    if said.is_empty() {
        return format!("exit code {code}, and it said nothing");
    }
    said.chars().take(SAID_MAX).collect()
}

/// Makes a folder and those above it, open to everybody's eyes whatever the umask says.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    folder.parent().map_or(Ok(()), make_folder)?;
    DirBuilder::new().create(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o755))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Line {
        Line::new("sh").arg("-c").arg(script)
    }

    #[test]
    fn a_command_answers_and_is_recorded_as_it_could_be_typed() {
        let mut host = Host::new();
        let folder = tempfile::tempdir().unwrap();
        let line = shell(r"echo it\'s; pwd").inside(folder.path());
        let said = host.run(&line).unwrap();
        assert_eq!(said, format!("it's\n{}\n", folder.path().display()));
        let typed = format!(r"cd {} && sh -c 'echo it\'\''s; pwd'", folder.path().display());
        assert_eq!(host.take_recorded(), [typed]);
        assert!(host.take_recorded().is_empty());
    }

    #[test]
    fn a_command_that_fails_is_told_in_its_own_words() {
        let error = Host::new().run(&shell("echo no; echo why >&2; exit 3")).unwrap_err();
        let Failure::Refused { said, .. } = &error else { panic!("{error:?}") };
        assert_eq!(said, "why\nno");
        let error = Host::new().run(&shell("exit 3")).unwrap_err().to_string();
        assert!(error.ends_with("failed: exit code 3, and it said nothing"), "{error}");
    }

    #[test]
    fn what_a_command_says_of_a_secret_is_not_repeated() {
        let line = shell("echo $((40 + 2))hunter; echo sorry >&2; exit 1").tells_secret();
        let error = Host::new().run(&line).unwrap_err();
        assert!(matches!(&error, Failure::Refused { said, .. } if said == "sorry"), "{error:?}");
    }

    #[test]
    fn a_command_that_is_not_there_is_named() {
        let error = Host::new().run(&Line::new("/nonexistent/addon")).unwrap_err();
        assert_eq!(error, Failure::Missing("/nonexistent/addon".to_owned()));
    }

    #[test]
    fn a_dry_run_only_records() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/file");
        let mut host = Host::untouched();
        assert_eq!(
            host.run(&shell(&format!("touch {}/made", folder.path().display()))).unwrap(),
            ""
        );
        assert_eq!(host.write(&path, b"x").unwrap(), Written::Changed);
        host.remove(folder.path()).unwrap();
        assert_eq!(host.take_recorded().len(), 3);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_is_written_once_and_readable_for_everybody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/it/file");
        let mut host = Host::new();
        assert_eq!(host.write(&path, b"x").unwrap(), Written::Changed);
        assert_eq!(host.write(&path, b"x").unwrap(), Written::Same);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o644, 0o755));
        host.remove(&path).unwrap();
        assert!(!path.exists());
        let blocked = folder.path().join("file");
        fs::write(&blocked, "").unwrap();
        assert!(
            host.write(&blocked.join("below"), b"x").unwrap_err().contains("cannot be written")
        );
    }
}

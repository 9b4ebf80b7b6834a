//! Splynx's own command for add-ons, `system/script/addon` (facts/splynx 3.4).
//!
//! **Invariant:** only what is publicly known of it is called; its arguments go past any shell.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::host::{Failure, Host, Line};

/// The command, where it is.
#[derive(Debug, Clone)]
pub(super) struct Addon {
    script: PathBuf,
}

impl Addon {
    /// Finds it in a Splynx.
    pub(super) fn find(splynx: &Path) -> Option<Self> {
        let script = splynx.join("system/script/addon");
        let metadata = script.metadata().ok()?;
        let can_run = metadata.is_file() && metadata.permissions().mode() & 0o111 != 0;
        can_run.then_some(Self { script })
    }

    /// Calls it: what it answered, without white space around.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    pub(super) fn call(
        &self,
        host: &mut Host,
        verb: &str,
        options: &[(&str, &str)],
    ) -> Result<String, Failure> {
        host.run(&self.line(verb, options)).map(|said| said.trim().to_owned())
    }

    /// Calls it for an answer that is a secret.
    ///
    /// # Errors
    ///
    /// [`Failure`], without the answer.
    pub(super) fn call_for_secret(
        &self,
        host: &mut Host,
        verb: &str,
        options: &[(&str, &str)],
    ) -> Result<String, Failure> {
        host.run(&self.line(verb, options).tells_secret()).map(|said| said.trim().to_owned())
    }

    fn line(&self, verb: &str, options: &[(&str, &str)]) -> Line {
        let line = Line::new(&self.script).arg(verb);
        options.iter().fold(line, |line, (name, value)| line.arg(format!("--{name}={value}")))
    }
}

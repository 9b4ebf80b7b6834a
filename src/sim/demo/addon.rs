//! The demo's add-on: the real binary, as a process of its own.
//!
//! **Invariant:** it ends with the demo, however the demo ends.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::time::sleep;

/// Ends the add-on and removes the folder when its standard input is closed, which the system does when the demo is
/// killed. A signal from the terminal ends the demo, and thereby this.
const WATCHER: &str = r#"
trap '' HUP INT TERM
cat >/dev/null
kill -KILL "$1"
rm -rf "$2"
"#;

/// A running add-on. Dropping it ends it.
pub(super) struct Addon {
    process: Child,
    watcher: Child,
}

impl Addon {
    /// Starts it, and somebody who ends it and removes `home` should we be killed.
    pub(super) fn start(binary: &Path, config: &Path, home: &Path) -> anyhow::Result<Self> {
        let mut process = Command::new(binary)
            .arg("serve")
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        match watch(&process, home) {
            Ok(watcher) => Ok(Self { process, watcher }),
            Err(error) => {
                end(&mut process);
                Err(error).context("cannot start sh")
            }
        }
    }

    /// Returns when it answers on its listener for figures.
    pub(super) async fn ready(&mut self, ops: SocketAddr) -> anyhow::Result<()> {
        for _ in 0..200 {
            if answers(ops) {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("the add-on did not start ({status})");
            }
            sleep(Duration::from_millis(50)).await;
        }
        bail!("the add-on did not answer within ten seconds")
    }

    /// Returns when it has ended by itself.
    pub(super) async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        loop {
            sleep(Duration::from_millis(300)).await;
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
        }
    }
}

impl Drop for Addon {
    fn drop(&mut self) {
        // The watcher first: it must not see the number of a process that is somebody else's by then.
        end(&mut self.watcher);
        end(&mut self.process);
    }
}

fn watch(process: &Child, home: &Path) -> std::io::Result<Child> {
    Command::new("sh")
        .args(["-c", WATCHER, "watcher"])
        .arg(process.id().to_string())
        .arg(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

fn end(process: &mut Child) {
    process.kill().ok();
    process.wait().ok();
}

fn answers(ops: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&ops, Duration::from_millis(200))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /health HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.contains(" 200 "))
    };
    ask().unwrap_or(false)
}

/// The add-on's binary beside this one.
pub(super) fn beside() -> std::io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("splynx-bitpay"))
}

/// A path as it can be typed into a shell in the folder `here`: short where it lies below, quoted where it must be.
pub(super) fn typed(path: &Path, here: &Path) -> String {
    let below = path.strip_prefix(here).map(|below| Path::new(".").join(below));
    let text = below.as_deref().unwrap_or(path).display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/src/target/debug/splynx-bitpay", "./target/debug/splynx-bitpay")]
    #[case("/usr/bin/splynx-bitpay", "/usr/bin/splynx-bitpay")]
    #[case("/srcs/splynx-bitpay", "/srcs/splynx-bitpay")]
    #[case("../splynx-bitpay", "../splynx-bitpay")]
    #[case("splynx-bitpay", "splynx-bitpay")]
    #[case("/my files/it's", r"'/my files/it'\''s'")]
    #[case("/src/my files/x", "'./my files/x'")]
    fn a_path_can_be_typed_as_it_is_printed(#[case] path: &str, #[case] expected: &str) {
        assert_eq!(typed(Path::new(path), Path::new("/src")), expected);
    }
}

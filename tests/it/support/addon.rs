//! The add-on as a process: started, killed, started again on the same configuration and database.
//!
//! **Invariant:** it never outlives its test, and whatever it writes is kept for assertions and for whoever reads a
//! failure.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::browser;
use super::eventually::eventually;

/// Starting may take long on a busy machine.
const START: Duration = Duration::from_secs(30);

/// The real binary.
const BINARY: &str = env!("CARGO_BIN_EXE_splynx-bitpay");

/// As systemd hands sockets over: from descriptor 3 on, to the process of this very number. They come in as standard
/// input and output, where no unsafe code is needed.
const HAND_OVER: &str = "exec 3<&0 0</dev/null; if [ $LISTEN_FDS = 2 ]; then exec 4<&1 1>&2; fi; \
     LISTEN_PID=$$ exec \"$@\"";

/// The add-on of one test.
#[derive(Debug)]
pub(crate) struct Addon {
    config: PathBuf,
    log: PathBuf,
    ops: SocketAddr,
    // Shared, so that a story can go on talking to the add-on while another part of it kills it.
    child: Mutex<Option<Child>>,
    // Of `serve` alone: other commands stay as they are.
    environment: Mutex<Vec<(String, String)>>,
    // Those that systemd would listen on: they stay open when a process ends.
    sockets: Mutex<Vec<(&'static str, TcpListener)>>,
}

impl Addon {
    /// Not started yet.
    pub(crate) fn new(config: &Path, log: &Path, ops: SocketAddr) -> Self {
        Self {
            config: config.to_owned(),
            log: log.to_owned(),
            ops,
            child: Mutex::new(None),
            environment: Mutex::new(Vec::new()),
            sockets: Mutex::new(Vec::new()),
        }
    }

    /// The environment in which `serve` starts from now on, besides the usual one.
    pub(crate) fn set_environment(&self, environment: Vec<(String, String)>) {
        *self.environment.lock().unwrap() = environment;
    }

    /// The sockets that `serve` is handed from now on, at most two, by name.
    pub(crate) fn hand_over(&self, sockets: Vec<(&'static str, TcpListener)>) {
        *self.sockets.lock().unwrap() = sockets;
    }

    /// Starts `serve`, and returns when it answers on its ops listener.
    pub(crate) async fn start(&self) {
        self.spawn();
        eventually("the add-on answers", START, async || {
            if let Some(status) = self.ended() {
                panic!("the add-on ended by itself ({status})");
            }
            match self.ops("/health").await {
                Ok((200, _)) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }

    /// Starts `serve` and does not wait.
    pub(crate) fn spawn(&self) {
        let mut running = self.child.lock().unwrap();
        assert!(running.is_none(), "the add-on runs already");
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let environment = self.environment.lock().unwrap().clone();
        let mut command = self.command(&["serve"]);
        command.stdout(log.try_clone().unwrap());
        let sockets = self.sockets.lock().unwrap();
        if !sockets.is_empty() {
            command = handing_over(&command, &sockets);
        }
        command.envs(environment).stderr(log);
        let child = command.spawn().unwrap();
        *running = Some(child);
    }

    /// Whether `/ready` says that nothing is missing.
    pub(crate) async fn ready(&self) {
        eventually("the add-on is ready", START, async || match self.ops("/ready").await {
            Ok((200, _)) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }

    /// SIGKILL: no destructor runs, nothing is flushed.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap().take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM, as the service manager says it: the add-on ends what it does and folds its files together.
    pub(crate) async fn stop(&self) {
        let status = self.terminate().await;
        assert!(status.success(), "{status}");
    }

    /// SIGTERM, however the process ends then.
    pub(crate) async fn terminate(&self) -> ExitStatus {
        let id = self.child.lock().unwrap().as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        eventually("the add-on ends", START, async || {
            self.fell().ok_or_else(|| "still there".to_owned())
        })
        .await
    }

    /// SIGKILL, and a new process on what the old one left.
    pub(crate) async fn kill_and_restart(&self) {
        self.kill();
        self.start().await;
    }

    /// How the process ended, if it did.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        self.child.lock().unwrap().as_mut().and_then(|child| child.try_wait().unwrap())
    }

    /// How the process ended, if it did; then another one can be started.
    pub(crate) fn fell(&self) -> Option<ExitStatus> {
        let mut child = self.child.lock().unwrap();
        let status = child.as_mut().and_then(|child| child.try_wait().unwrap());
        if status.is_some() {
            *child = None;
        }
        status
    }

    /// Runs another command of the binary on the same configuration.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The same, with something on its standard input.
    pub(crate) fn run_saying(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Runs another command and kills it after so long, whatever it is at.
    pub(crate) async fn run_and_kill(&self, arguments: &[&str], after: Duration) {
        let mut command = self.command(arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(after).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Everything written so far by all processes of this add-on.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Asks the ops listener.
    pub(crate) async fn ops(&self, path: &str) -> Result<(u16, String), String> {
        let answer = browser::client().get(format!("http://{}{path}", self.ops)).send().await;
        let answer = answer.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().await.map_err(|error| error.to_string())?))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(arguments)
            .arg("--config")
            .arg(&self.config)
            // The simulators live in UTC; the day of a payment is the server's.
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        command
    }
}

fn handing_over(command: &Command, sockets: &[(&'static str, TcpListener)]) -> Command {
    let copy = |index: usize| OwnedFd::from(sockets[index].1.try_clone().unwrap());
    let names: Vec<_> = sockets.iter().map(|(name, _)| *name).collect();
    let mut shell = Command::new("sh");
    shell.args(["-c", HAND_OVER, "sh"]).arg(command.get_program()).args(command.get_args());
    shell
        .env("TZ", "UTC")
        .env("LISTEN_FDS", sockets.len().to_string())
        .env("LISTEN_FDNAMES", names.join(":"))
        .stdin(copy(0));
    if sockets.len() > 1 {
        shell.stdout(copy(1));
    }
    shell
}

impl Drop for Addon {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut child) = child {
            child.kill().ok();
            child.wait().ok();
        }
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines.len().saturating_sub(80);
            let tail = lines.get(last..).unwrap_or_default().join("\n");
            std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("--- the add-on's last lines\n{tail}\n---\n").as_bytes(),
            )
            .ok();
        }
    }
}

//! The demo as a process: it shares the machine with others, and leaves nothing behind.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rstest::rstest;
use tempfile::TempDir;

use crate::support::{PATIENCE, Ports, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_splynx-bitpay-sim");

/// A demo, ended with its test.
struct Demo {
    process: Child,
    ports: Ports,
    home: TempDir,
}

impl Demo {
    async fn start() -> Self {
        let (ports, home) = (Ports::take_four(), TempDir::new().unwrap());
        let said = File::create(home.path().join("said")).unwrap();
        let process = command(&ports, &home).stdout(said).spawn().unwrap();
        let demo = Self { process, ports, home };
        eventually("the demo is ready", PATIENCE, async || {
            let said = demo.said();
            if said.contains("Ctrl-C ends it.") { Ok(()) } else { Err(said) }
        })
        .await;
        demo
    }

    fn said(&self) -> String {
        fs::read_to_string(self.home.path().join("said")).unwrap()
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join(format!("splynx-bitpay-demo-{}", self.ports.first()))
    }

    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Nobody listens on any of its ports, and the folder is gone.
    async fn has_left_nothing(&self) {
        let first = self.ports.first();
        eventually("nothing is left of the demo", PATIENCE, async || {
            let answers = |port: &u16| TcpStream::connect(("127.0.0.1", *port)).is_ok();
            let left: Vec<u16> = (first..first + 4).filter(answers).collect();
            if left.is_empty() && !self.folder().exists() {
                Ok(())
            } else {
                Err(format!("{left:?}"))
            }
        })
        .await;
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn command(ports: &Ports, home: &TempDir) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(["demo", "--port", &ports.first().to_string()])
        .env("TMPDIR", home.path())
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[rstest]
#[case("-INT")]
#[case("-TERM")]
#[case("-HUP")]
#[tokio::test]
async fn a_demo_that_is_told_to_end_leaves_nothing(#[case] signal: &str) {
    let mut demo = Demo::start().await;
    demo.signal(signal);
    let status = demo.process.wait().unwrap();
    assert!(status.success(), "{status}");
    demo.has_left_nothing().await;
}

#[tokio::test]
async fn a_demo_that_is_killed_leaves_nothing() {
    let mut demo = Demo::start().await;
    demo.signal("-KILL");
    demo.process.wait().unwrap();
    demo.has_left_nothing().await;
}

#[tokio::test]
async fn a_second_demo_leaves_the_first_alone() {
    let demo = Demo::start().await;
    let second = command(&demo.ports, &demo.home).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let words = String::from_utf8(second.stderr).unwrap();
    let port = demo.ports.first();
    assert!(
        words.contains(&format!("port {port} is in use")) && words.contains("--port"),
        "{words}"
    );
    assert!(demo.folder().join("config.toml").exists());
}

/// Whoever copies the line from the terminal gets an answer.
#[tokio::test]
async fn the_command_the_demo_prints_can_be_typed() {
    let demo = Demo::start().await;
    let said = demo.said();
    let line = said.lines().find_map(|line| line.strip_prefix("Commands:")).unwrap();
    let typed = line.replace(" doctor", " attempts list");
    let output = Command::new("sh").args(["-c", &typed]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "No payments yet.\n", "{output:?}");
}

//! A PostgreSQL server for tests and the demo: real, short-lived, on loopback.
//!
//! **Invariant:** a server that was started here ends, and its files go, with the process that started it, however that
//! ends. A missing server is an error, never a skipped test.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_postgres::{Config, NoTls};

/// The address (of a superuser) of a running server that is to be used instead of starting one.
pub const RUNNING_SERVER: &str = "SPLYNX_BITPAY_TEST_POSTGRES";

/// Where Debian keeps the versions of PostgreSQL.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Serves until its standard input is closed: by us, or by the system when we are gone. Then the server ends by its own
/// process id, and its files go. An interrupt from the terminal ends us, and thereby this.
const KEEPER: &str = r#"
trap '' INT TERM
"$1/postgres" -D "$2" -h 127.0.0.1 -p "$3" -k "" -F -c full_page_writes=off -c shared_buffers=16MB \
    -c max_connections=200 -c logging_collector=off -c lc_messages=C </dev/null >"$2/log" 2>&1 &
server=$!
cat >/dev/null
kill -INT "$server"
wait "$server"
rm -rf "$2"
"#;

/// A running server.
#[derive(Debug)]
pub struct Server {
    url: String,
    // Absent for a server that somebody else runs.
    keeper: Option<Mutex<Child>>,
}

/// A database on a [`Server`]. Dropping it drops the database.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
}

impl Server {
    /// Starts a server, or finds the one that [`RUNNING_SERVER`] names.
    ///
    /// # Errors
    ///
    /// In a sentence that says what to install or where to look.
    pub fn start() -> Result<Self, String> {
        if let Ok(url) = std::env::var(RUNNING_SERVER) {
            run(&url, "SELECT 1").map_err(|why| format!("{RUNNING_SERVER} is of no use: {why}"))?;
            return Ok(Self { url, keeper: None });
        }
        let programs = programs()?;
        let folder = make_cluster(&programs)?;
        let port = free_port()?;
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let keeper = as_server_user(&mut Command::new("sh"))?
            .args(["-c", KEEPER, "keeper"])
            .args([&programs, &folder])
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("sh cannot be started: {error}"))?;
        let server = Self { url, keeper: Some(Mutex::new(keeper)) };
        server.wait_until_ready(&folder)?;
        Ok(server)
    }

    /// The address of its superuser.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes a new, empty database.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn fresh_database(&self) -> Result<Database, String> {
        Database::make(&self.url, "template1")
    }

    fn wait_until_ready(&self, folder: &Path) -> Result<(), String> {
        let mut last = String::new();
        for _ in 0..300 {
            match run(&self.url, "SELECT 1") {
                Ok(()) => return Ok(()),
                Err(why) => last = why,
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        Err(format!("PostgreSQL did not start: {last}\n{log}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(keeper) = &mut self.keeper else {
            return;
        };
        let keeper = keeper.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(keeper.stdin.take());
        let _ = keeper.wait();
    }
}

impl Database {
    fn make(server: &str, template: &str) -> Result<Self, String> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        let database = Self { server: server.to_owned(), name };
        // A process of the same number may have died before it could clean up.
        database.become_copy_of(template)?;
        Ok(database)
    }

    /// A copy of it as it is now, as a backup is. Nobody may be connected.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn copy(&self) -> Result<Self, String> {
        Self::make(&self.server, &self.name)
    }

    /// Becomes again what it was when the copy was taken.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn restore(&self, copy: &Self) -> Result<(), String> {
        self.become_copy_of(&copy.name)
    }

    fn become_copy_of(&self, template: &str) -> Result<(), String> {
        let name = &self.name;
        run(&self.server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        run(&self.server, &format!("CREATE DATABASE {name} TEMPLATE {template}"))
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        let (before_query, query) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let server = before_query.rsplit_once('/').map_or(before_query, |(server, _)| server);
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{server}/{}{mark}{query}", self.name)
    }

    /// Runs statements in it, as its superuser.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn run(&self, statements: &str) -> Result<(), String> {
        run(&self.url(), statements)
    }

    /// Ends every connection to it, as a restart of the server would.
    ///
    /// # Errors
    ///
    /// In the server's words.
    pub fn disconnect_all(&self) -> Result<(), String> {
        let name = &self.name;
        run(
            &self.server,
            &format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            ),
        )
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Best effort: the whole server goes soon.
        let _ = run(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// The folder of the newest server that is installed.
fn programs() -> Result<PathBuf, String> {
    let missing = "the PostgreSQL server is not installed: apt install postgresql-15";
    let versions = fs::read_dir(VERSIONS).map_err(|_| missing.to_owned())?;
    versions
        .flatten()
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let programs = entry.path().join("bin");
            programs.join("initdb").exists().then_some((version, programs))
        })
        .max()
        .map(|(_, programs)| programs)
        .ok_or_else(|| missing.to_owned())
}

fn make_cluster(programs: &Path) -> Result<PathBuf, String> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let name = format!("splynx-bitpay-postgres-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let made = as_server_user(&mut Command::new(programs.join("initdb")))?
        .arg("-D")
        .arg(&folder)
        .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"])
        .args(["--no-sync", "--no-instructions"])
        .output()
        .map_err(|error| format!("initdb cannot be started: {error}"))?;
    if made.status.success() {
        return Ok(folder);
    }
    Err(format!("initdb failed: {}", String::from_utf8_lossy(&made.stderr)))
}

/// PostgreSQL refuses to run as root: root's servers run as the user of the package.
fn as_server_user(command: &mut Command) -> Result<&mut Command, String> {
    command.current_dir("/");
    if number_of(Command::new("id").arg("-u"))? != 0 {
        return Ok(command);
    }
    let user = number_of(Command::new("id").args(["-u", "postgres"]))?;
    let group = number_of(Command::new("id").args(["-g", "postgres"]))?;
    Ok(command.uid(user).gid(group))
}

fn number_of(command: &mut Command) -> Result<u32, String> {
    let output = command.output().map_err(|error| format!("id cannot be started: {error}"))?;
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .map_err(|_| "there is no user `postgres`: apt install postgresql-15".to_owned())
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

/// Runs statements on a connection of their own, in a thread of their own: the caller may be inside a runtime.
fn run(url: &str, statements: &str) -> Result<(), String> {
    let config: Config = url.parse().map_err(|error: tokio_postgres::Error| error.to_string())?;
    let statements = statements.to_owned();
    let work = move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?
            .block_on(run_on(&config, &statements))
    };
    std::thread::spawn(work).join().map_err(|_| "the thread panicked".to_owned())?
}

async fn run_on(config: &Config, statements: &str) -> Result<(), String> {
    let explain = |error: tokio_postgres::Error| match error.as_db_error() {
        Some(error) => error.message().to_owned(),
        None => error.to_string(),
    };
    let (client, connection) = config.connect(NoTls).await.map_err(explain)?;
    tokio::select! {
        done = client.batch_execute(statements) => done.map_err(explain),
        _ = connection => Err("the connection broke".to_owned()),
    }
}

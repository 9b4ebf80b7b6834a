//! As a service of systemd: sockets handed over, readiness and life told.
//!
//! The tests play systemd's part: they hold the sockets, and hear what it would be told.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixDatagram;

use crate::support::{Engine, PATIENCE, Setup, World, client, eventually, on_both_databases};

on_both_databases! {
    systemd_is_told_when_both_listeners_serve_and_when_the_end_begins,
    a_database_that_cannot_be_written_is_no_reason_to_be_killed,
}

/// What systemd would hear.
struct Ear {
    _home: TempDir,
    socket: UnixDatagram,
    path: String,
}

impl Ear {
    fn new() -> Self {
        let home = TempDir::new().unwrap();
        let path = home.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        Self { _home: home, socket, path: path.to_str().unwrap().to_owned() }
    }

    /// The environment of a service with a watchdog.
    fn environment(&self, watchdog: Duration) -> Vec<(String, String)> {
        let pair = |name: &str, value: String| (name.to_owned(), value);
        vec![
            pair("NOTIFY_SOCKET", self.path.clone()),
            pair("WATCHDOG_USEC", watchdog.as_micros().to_string()),
        ]
    }

    /// The next message.
    async fn hear(&self) -> String {
        let mut bytes = [0; 4096];
        let heard = tokio::time::timeout(PATIENCE, self.socket.recv(&mut bytes));
        let length = heard.await.unwrap().unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// Forgets what was said so far.
    fn forget(&self) {
        while self.socket.try_recv(&mut [0; 4096]).is_ok() {}
    }
}

async fn stopped(engine: Engine) -> World {
    World::stopped(engine, Setup { paired: false, ..Setup::default() }).await
}

/// On a connection of its own, as the web server in front does it.
async fn answer(address: SocketAddr, path: &str) -> Result<u16, String> {
    let request = client().get(format!("http://{address}{path}")).header("connection", "close");
    let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
    let status = answer.status().as_u16();
    answer.bytes().await.map_err(|error| format!("{error:?}"))?;
    Ok(status)
}

/// A page that needs neither Splynx nor a login.
const PAGE: &str = "/bitpay/result/00000000000000000000000000000000";

async fn systemd_is_told_when_both_listeners_serve_and_when_the_end_begins(engine: Engine) {
    let world = stopped(engine).await;
    let ear = Ear::new();
    world.addon.set_environment(ear.environment(Duration::from_secs(1)));
    world.addon.spawn();

    let ready = ear.hear().await;

    assert_eq!(ready, format!("READY=1\nSTATUS=serving on {}\n", world.pages()));
    assert_eq!(answer(world.pages(), PAGE).await, Ok(404), "{}", world.addon.log());
    assert_eq!(world.addon.ops("/health").await.unwrap().0, 200);
    for _ in 0..3 {
        assert_eq!(ear.hear().await, "WATCHDOG=1\n");
    }
    let (mut last, ()) = tokio::join!(ear.hear(), world.addon.stop());
    while last == "WATCHDOG=1\n" {
        last = ear.hear().await;
    }
    assert_eq!(last, "STOPPING=1\nSTATUS=finishing what has begun\n");
}

async fn a_database_that_cannot_be_written_is_no_reason_to_be_killed(engine: Engine) {
    let world = stopped(engine).await;
    let ear = Ear::new();
    world.addon.set_environment(ear.environment(Duration::from_secs(1)));
    world.addon.start().await;
    let locked = world.database.read_only();
    eventually("the database is missed", PATIENCE, async || {
        let (status, body) = world.addon.ops("/ready").await?;
        if status == 503 && body.contains("database") { Ok(()) } else { Err(body) }
    })
    .await;
    ear.forget();
    for _ in 0..5 {
        assert_eq!(ear.hear().await, "WATCHDOG=1\n");
    }
    drop(locked);
}

#[tokio::test]
async fn without_systemd_nothing_is_said_of_it() {
    let world = stopped(Engine::Sqlite).await;
    world.addon.start().await;
    world.addon.stop().await;
    assert!(!world.addon.log().contains("systemd"), "{}", world.addon.log());
}

#[tokio::test]
async fn sockets_that_are_handed_over_are_served() {
    let world = stopped(Engine::Sqlite).await;
    let (pages, ops) = (world.pages(), world.ops());
    let sockets = [("ops", ops), ("splynx-bitpay.socket", pages)];
    world.addon.hand_over(sockets.map(|(name, at)| (name, TcpListener::bind(at).unwrap())).into());

    world.addon.start().await;

    assert_eq!(answer(pages, PAGE).await, Ok(404));
    assert_eq!(answer(pages, "/health").await, Ok(404), "this is for the other listener");
    assert!(!world.addon.log().contains("another address"), "{}", world.addon.log());
}

#[tokio::test]
async fn a_socket_of_another_address_is_served_with_a_warning() {
    let world = stopped(Engine::Sqlite).await;
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    world.addon.hand_over(vec![("splynx-bitpay.socket", socket)]);

    world.addon.start().await;

    assert_eq!(answer(address, PAGE).await, Ok(404));
    assert!(answer(world.pages(), PAGE).await.is_err(), "nobody listens there");
    let log = world.addon.log();
    let warning = log.lines().find(|line| line.contains("another address")).unwrap_or_default();
    assert!(warning.contains("WARN") && warning.contains("server.listen"), "{log}");
    assert!(warning.contains(&address.to_string()), "{log}");
}

#[tokio::test]
async fn two_sockets_for_the_same_are_refused() {
    let world = stopped(Engine::Sqlite).await;
    let socket = || ("splynx-bitpay.socket", TcpListener::bind("127.0.0.1:0").unwrap());
    world.addon.hand_over(vec![socket(), socket()]);
    world.addon.spawn();
    let status = eventually("it ends", PATIENCE, async || {
        world.addon.fell().ok_or_else(|| "still there".to_owned())
    })
    .await;
    assert_eq!(status.code(), Some(1));
    assert!(world.addon.log().contains("several sockets for the same"), "{}", world.addon.log());
}

#[tokio::test]
async fn sockets_for_another_process_are_left_alone() {
    let world = stopped(Engine::Sqlite).await;
    let of_a_parent = [("LISTEN_FDS", "1"), ("LISTEN_PID", "1"), ("LISTEN_FDNAMES", "ops")];
    let environment = of_a_parent.map(|(name, value)| (name.to_owned(), value.to_owned()));
    world.addon.set_environment(environment.into());
    world.addon.start().await;
    assert_eq!(answer(world.pages(), PAGE).await, Ok(404));
}

/// An upgrade: the service ends and starts, the socket stays.
#[tokio::test]
async fn while_the_service_restarts_customers_wait_and_none_is_refused() {
    let world = stopped(Engine::Sqlite).await;
    let pages = world.pages();
    world.addon.hand_over(vec![("splynx-bitpay.socket", TcpListener::bind(pages).unwrap())]);
    world.addon.start().await;
    let over = AtomicBool::new(false);
    let customer = async || {
        let mut answered = 0;
        while !over.load(Ordering::Relaxed) {
            assert_eq!(answer(pages, PAGE).await, Ok(404), "after {answered}");
            answered += 1;
        }
        answered
    };
    let upgrades = async {
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            world.addon.stop().await;
            world.addon.start().await;
        }
        over.store(true, Ordering::Relaxed);
    };
    let (.., few, many, more, most) =
        tokio::join!(upgrades, customer(), customer(), customer(), customer());
    assert!(few + many + more + most > 100, "they were there all the time");
}

//! A scripted Splynx for the nasty cases: it answers, drops, hangs and lies byte by byte.
//!
//! It holds no state; what Splynx does when all is well is tested against the simulator.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use url::Url;

use super::{Client, Config};
use crate::domain::schedule::Timing;
use crate::ports::PeerError;
use crate::ports::billing::Nonces;
use crate::ports::clock::Clock;

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub(super) struct StillClock {
    seconds: AtomicI64,
}

impl StillClock {
    pub(super) fn advance(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn now(&self) -> DateTime<Utc> {
        let seconds = self.seconds.load(Ordering::SeqCst);
        DateTime::from_timestamp(1_542_493_076 + seconds, 0).unwrap()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.seconds.load(Ordering::SeqCst).try_into().unwrap())
    }
}

/// Nonces of one process.
#[derive(Debug, Default)]
pub(super) struct CountedNonces {
    last: AtomicI64,
}

#[async_trait]
impl Nonces for CountedNonces {
    async fn next(&self, _api_key: &str, floor: i64) -> Result<i64, PeerError> {
        let before = self.last.fetch_max(floor - 1, Ordering::SeqCst).max(floor - 1);
        self.last.fetch_add(1, Ordering::SeqCst);
        Ok(before + 1)
    }
}

/// A request as the fake saw it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Which of the fake's connections it came on.
    pub(super) connection: usize,
    pub(super) method: String,
    /// Path and query, decoded as far as brackets go.
    pub(super) target: String,
    pub(super) authorization: String,
    pub(super) head: String,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn is(&self, method: &str, target: &str) -> bool {
        self.method == method && self.target.starts_with(&format!("/api/2.0/admin/{target}"))
    }
}

/// What the fake does with a request.
#[derive(Debug, Clone)]
pub(super) enum Play {
    /// Status, extra header lines, body; the connection stays open.
    Answer(u16, &'static str, String),
    /// Nothing: the connection is closed after the request was read.
    Drop,
    /// Nothing, for as long as the test runs.
    Hang,
    /// Bytes that are no HTTP, or the beginning of some.
    Bytes(&'static str),
    /// This answer; then the connection is closed without having said so.
    AnswerThenClose(u16, String),
}

/// An answer with a body.
pub(super) fn answer(status: u16, body: impl Into<String>) -> Play {
    Play::Answer(status, "", body.into())
}

/// An error as Splynx writes it.
pub(super) fn own_error(status: u16, code: &str) -> Play {
    answer(
        status,
        format!(r#"{{"error":{{"message":"No!","code":{status},"internal_code":"{code}"}}}}"#),
    )
}

type Script = dyn Fn(&Seen, usize) -> Play + Send + Sync;

/// The fake. It stops listening with the test process.
pub(super) struct Fake {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Fake {
    /// Starts a fake. The script gets each request and how many with the same method and target came before.
    ///
    /// Logins are played by the fake itself unless the script answers [`Fake::with_logins`]'s requests.
    pub(super) fn start(script: impl Fn(&Seen, usize) -> Play + Send + Sync + 'static) -> Self {
        Self::with_logins(move |seen, before| {
            if seen.is("POST", "auth/tokens") { token(before) } else { script(seen, before) }
        })
    }

    /// Starts a fake whose script plays logins too.
    pub(super) fn with_logins(
        script: impl Fn(&Seen, usize) -> Play + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let fake = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let (seen, script): (_, Arc<Script>) = (fake.seen.clone(), Arc::new(script));
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().flatten().enumerate() {
                let (seen, script) = (seen.clone(), script.clone());
                thread::spawn(move || serve(stream, connection, &seen, &*script));
            }
        });
        fake
    }

    /// The requests so far, logins aside.
    pub(super) fn requests(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|seen| !seen.is("POST", "auth/tokens")).cloned().collect()
    }

    /// The logins so far.
    pub(super) fn logins(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|seen| seen.is("POST", "auth/tokens")).cloned().collect()
    }

    pub(super) fn client(&self) -> Client {
        self.client_at(&Arc::new(StillClock::default()))
    }

    pub(super) fn client_at(&self, clock: &Arc<StillClock>) -> Client {
        client_of(&format!("http://{}/", self.address), clock)
    }
}

/// A client of whatever listens there, with a request timeout of 1.6 s.
pub(super) fn client_of(api_domain: &str, clock: &Arc<StillClock>) -> Client {
    let config = Config {
        api_domain: Url::parse(api_domain).unwrap(),
        api_key: "API_KEY".to_owned(),
        api_secret: SecretString::from("API_SECRET"),
        timing: Timing::from_quiescence(TimeDelta::seconds(4)),
        requests_per_second: 1000,
        module: "splynx_bitpay_addon".to_owned(),
    };
    Client::new(config, clock.clone(), Arc::new(CountedNonces::default())).unwrap()
}

/// The `n`-th access token: good for 30 minutes by the still clock's first second, renewable for ten years.
pub(super) fn token(n: usize) -> Play {
    answer(
        201,
        format!(
            r#"{{"access_token":"access-{n}","access_token_expiration":{},
                "refresh_token":"refresh-{n}","refresh_token_expiration":1900000000}}"#,
            1_542_493_076 + 1800
        ),
    )
}

fn serve(stream: TcpStream, connection: usize, log: &Mutex<Vec<Seen>>, script: &Script) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(seen) = read_request(&mut reader, connection) {
        let before = {
            let mut log = log.lock().unwrap();
            let same = |other: &&Seen| other.method == seen.method && other.target == seen.target;
            let before = log.iter().filter(same).count();
            log.push(seen.clone());
            before
        };
        match script(&seen, before) {
            Play::Answer(status, headers, body) => {
                let _ = stream.write_all(http(status, headers, &body).as_bytes());
            }
            Play::AnswerThenClose(status, body) => {
                let _ = stream.write_all(http(status, "", &body).as_bytes());
                return;
            }
            Play::Drop => return,
            Play::Hang => thread::sleep(Duration::from_mins(1)),
            Play::Bytes(bytes) => {
                let _ = stream.write_all(bytes.as_bytes());
                return;
            }
        }
    }
}

fn http(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

fn read_request(reader: &mut BufReader<TcpStream>, connection: usize) -> Option<Seen> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let header = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default()
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut words = head.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let seen = Seen {
        connection,
        method,
        target: target.replace("%5B", "[").replace("%5D", "]"),
        authorization: header("authorization"),
        body: String::from_utf8(body).ok()?,
        head,
    };
    Some(seen)
}

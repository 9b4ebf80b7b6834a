//! The adapter over HTTP: what the tests share, among it a peer that sends whatever a test wants, byte by byte.

mod answers;
mod simulator;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use chrono::DateTime;
use k256::ecdsa::signature::Verifier as _;
use k256::ecdsa::{Signature, VerifyingKey};
use rstest::rstest;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::*;
use crate::domain::connection::{ConnectionStatus, Environment, ProcessorKind};
use crate::domain::ids::{AttemptId, ConnectionId};
use crate::domain::money::{Currency, Money};
use crate::domain::observation::{Exception, ProcessorStatus};
use crate::ports::clock::SystemClock;
use crate::ports::entropy::SystemEntropy;

const PRIVATE: &str = "97811b691dd7ebaeb67977d158e1da2c4d3eaa4ee4e2555150628acade6b344c";
const SIN: &str = "Tf3yr5tYvccKNVrE26BrPs6LWZRh8woHwjR";
const TOKEN: &str = "G7XM9fcM1gtCN7DUr8ZWtPGVFLTKiYWanHR4kvqsnjP3";
const INVOICE: &str = "G3viJEJgE8Jk2oekSdgT2A";

/// What an admin reads about a code that brought no token.
pub(super) fn sentence(outcome: PairingOutcome) -> String {
    let PairingOutcome::Refused { failure } = outcome else { panic!("{outcome:?}") };
    let key = format!("pairing-failed-{}", failure.kind.code());
    let arguments = [("address", failure.address.as_str()), ("said", failure.said.as_str())];
    crate::views::texts::Language::default().text_with(&key, &arguments).expect(&key)
}

/// What the peer does with one request.
#[derive(Debug, Clone)]
enum Reply {
    Says(u16, String),
    /// Sends the head and half of the body.
    BreaksOff,
    /// Takes the request and closes.
    Closes,
    /// Takes the request and never answers.
    Hangs,
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Received {
    line: String,
    head: String,
    body: String,
}

impl Received {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// A peer that gives one reply after another, then closes its port.
struct Peer {
    base: String,
    received: Arc<Mutex<Vec<Received>>>,
    /// Streams that were promised an answer for as long as the test runs.
    held: Arc<Mutex<Vec<TcpStream>>>,
}

impl Peer {
    /// The replies may name the peer's own address.
    fn at(replies: impl FnOnce(&str) -> Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let replies = replies(&base);
        let peer = Self { base, received: Arc::default(), held: Arc::default() };
        let (received, held) = (Arc::clone(&peer.received), Arc::clone(&peer.held));
        std::thread::spawn(move || {
            for reply in replies {
                let (mut stream, _) = listener.accept().unwrap();
                received.lock().unwrap().push(receive(&mut stream));
                answer(&mut stream, &reply);
                held.lock().unwrap().extend(matches!(reply, Reply::Hangs).then_some(stream));
            }
        });
        peer
    }

    fn giving(reply: Reply) -> Self {
        Self::at(|_| vec![reply])
    }

    fn saying(status: u16, body: &Value) -> Self {
        Self::giving(Reply::Says(status, body.to_string()))
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    fn connection(&self) -> Connection {
        connection(&self.base)
    }

    fn client(&self) -> Arc<dyn Processor> {
        accounts().of(&self.connection()).unwrap()
    }
}

fn receive(stream: &mut TcpStream) -> Received {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let (line, head) = head.split_once("\r\n").unwrap();
            let request =
                Received { line: line.to_owned(), head: head.to_owned(), body: body.to_owned() };
            let length = request.header("content-length").map_or(0, |text| text.parse().unwrap());
            if body.len() >= length {
                return request;
            }
        }
        let read = stream.read(&mut chunk).unwrap();
        assert!(read > 0, "the request broke off");
        bytes.extend_from_slice(&chunk[..read]);
    }
}

fn answer(stream: &mut TcpStream, reply: &Reply) {
    let text = match reply {
        Reply::Says(status, body) => {
            let location = "location: /elsewhere\r\nretry-after: 7\r\nconnection: close\r\n";
            let length = body.len();
            format!("HTTP/1.1 {status} x\r\n{location}content-length: {length}\r\n\r\n{body}")
        }
        Reply::BreaksOff => "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"data\":".to_owned(),
        Reply::Closes | Reply::Hangs => String::new(),
    };
    stream.write_all(text.as_bytes()).unwrap();
}

fn accounts() -> Accounts {
    accounts_with(Limits { timeout: Duration::from_millis(500), ..Limits::default() })
}

fn accounts_with(limits: Limits) -> Accounts {
    Accounts::new(Arc::new(SystemClock::default()), Arc::new(SystemEntropy), limits).unwrap()
}

fn connection(base_url: &str) -> Connection {
    let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    Connection {
        id: ConnectionId::new(now, 1),
        processor: ProcessorKind::BitPay,
        environment: Environment::Test,
        base_url: base_url.to_owned(),
        status: ConnectionStatus::Active,
        sin: SIN.to_owned(),
        secrets: ConnectionSecrets {
            private_key: Some(SecretString::from(PRIVATE)),
            token: Some(SecretString::from(TOKEN)),
        },
        created_at: now,
        activated_at: Some(now),
        retired_at: None,
        failure: None,
    }
}

fn wish() -> InvoiceWish {
    let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    InvoiceWish {
        attempt: AttemptId::new(now, 1),
        price: Money::parse("51.61", Currency::parse("USD").unwrap()).unwrap(),
        description: "Invoice 1".to_owned(),
        notification_url: "https://isp.example/bitpay/ipn/00".to_owned(),
        redirect_url: "https://isp.example/bitpay/result/00".to_owned(),
        close_url: "https://isp.example/bitpay/result/00".to_owned(),
        transaction_speed: "medium".to_owned(),
    }
}

fn invoice_at(base: &str, status: &str) -> Value {
    json!({"facade": "pos/invoice", "data": {
        "id": INVOICE, "url": format!("{base}invoice?id={INVOICE}"), "status": status,
        "price": 51.61, "currency": "USD", "orderId": wish().attempt.to_string(),
        "expirationTime": 1_700_000_900_000_i64, "exceptionStatus": false,
    }})
}

fn is_signed(request: &Received, base: &str) -> bool {
    let (Some(identity), Some(signature)) =
        (request.header("x-identity"), request.header("x-signature"))
    else {
        return false;
    };
    let key = VerifyingKey::from_sec1_bytes(&hex::decode(identity).unwrap()).unwrap();
    let signature = Signature::from_der(&hex::decode(signature).unwrap()).unwrap();
    let path = request.line.split(' ').nth(1).unwrap();
    let message = format!("{}{path}{}", base.trim_end_matches('/'), request.body);
    key.verify(message.as_bytes(), &signature).is_ok()
}

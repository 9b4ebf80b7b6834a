//! Notifications by the million: kept as BitPay signed them, and delivered over connections that stay open.
//!
//! **Invariant:** a delivery is repeated until it is answered by 200, as BitPay would; every other answer than "not
//! now" fails the test.

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use splynx_bitpay::sim::bitpay::Delivery;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Nobody is slower than this unless something is wrong.
const PATIENCE: Duration = Duration::from_mins(1);

/// A notification as bytes on the wire.
pub(crate) fn on_the_wire(delivery: &Delivery) -> Vec<u8> {
    let (_, path) = delivery.url.split_once("/bitpay/").unwrap();
    let signature = delivery.signature.as_deref().unwrap();
    let body = &delivery.body;
    format!(
        "POST /bitpay/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         X-Signature: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What all senders have seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: Cell<usize>,
    pub(crate) refused: Cell<usize>,
}

/// Delivers these notifications in this order over so many connections.
pub(crate) async fn pour(to: SocketAddr, rain: &[&[u8]], connections: usize, tally: &Tally) {
    let next = Cell::new(0_usize);
    let next = &next;
    let senders = (0..connections).map(|_| async move {
        let mut connection = Connection { to, stream: None };
        loop {
            let place = next.get();
            next.set(place + 1);
            let Some(drop) = rain.get(place) else { return };
            connection.deliver(drop, tally).await;
        }
    });
    join_all(senders).await;
}

struct Connection {
    to: SocketAddr,
    stream: Option<TcpStream>,
}

impl Connection {
    async fn deliver(&mut self, drop: &[u8], tally: &Tally) {
        loop {
            match timeout(PATIENCE, self.exchange(drop)).await.unwrap() {
                Ok(200) => {
                    tally.accepted.set(tally.accepted.get() + 1);
                    return;
                }
                // The add-on is dead, or says itself that it cannot store now.
                Ok(503) | Err(_) => {
                    tally.refused.set(tally.refused.get() + 1);
                    self.stream = None;
                    sleep(Duration::from_millis(50)).await;
                }
                Ok(other) => panic!("a notification was answered by {other}"),
            }
        }
    }

    async fn exchange(&mut self, drop: &[u8]) -> std::io::Result<u16> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => self.stream.insert(TcpStream::connect(self.to).await?),
        };
        stream.write_all(drop).await?;
        let mut answer = Vec::with_capacity(512);
        while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        let head = String::from_utf8_lossy(&answer).to_lowercase();
        assert!(head.contains("content-length: 0\r\n"), "an answer with a body: {head}");
        Ok(head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default())
    }
}

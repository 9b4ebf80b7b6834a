//! Whoever takes the add-on's webhook: keeps what was posted, and can refuse it.
//!
//! **Invariant:** it takes one request per connection and forgets none.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

/// A server on loopback that lives as long as the process.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    address: String,
    status: Arc<AtomicU16>,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    /// Starts to listen.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/hook/canary-webhook", listener.local_addr().unwrap());
        let receiver =
            Self { address, status: Arc::new(AtomicU16::new(200)), taken: Arc::default() };
        let own = receiver.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who breaks off is not this server's trouble.
                own.take(stream).ok();
            }
        });
        receiver
    }

    /// Where to post to; a secret.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Answers with this status from now on.
    pub(crate) fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// What was posted and answered by 200.
    pub(crate) fn taken(&self) -> Vec<Value> {
        self.texts().iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// The same as it came.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut length = 0_usize;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
                break;
            }
            if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let status = self.status.load(Ordering::SeqCst);
        if status == 200 {
            let text = String::from_utf8(body).unwrap();
            self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        }
        let mut stream = stream;
        write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    }
}

//! A client that signs as a merchant's server does, and a server that receives notifications.
//!
//! **Invariant:** speaks to the simulator over HTTP alone.

use std::collections::VecDeque;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::rt::System;
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use k256::ecdsa::signature::Signer as _;
use k256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::sim::bitpay::{Environment, Options, Settings, Simulator, sin_of};

/// The private key of the merchant's server.
pub(super) const MERCHANT: &str =
    "97811b691dd7ebaeb67977d158e1da2c4d3eaa4ee4e2555150628acade6b344c";
/// The private key of somebody else.
pub(super) const STRANGER: &str =
    "31eb31ecf1a640cd91e0a1105501f36235f8c7d51d67dcf74ccc968d74cb6b25";

/// A simulator in which nothing happens by itself.
pub(super) async fn simulator() -> Simulator {
    let settings = Settings { automatic: false, ..Settings::default() };
    Simulator::start(Options { settings, ..Options::default() }).await.unwrap()
}

/// The same in the other environment.
pub(super) async fn production_simulator() -> Simulator {
    let options = Options { environment: Environment::Production, ..Options::default() };
    Simulator::start(options).await.unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test's client shares nothing with the add-on")]
pub(super) fn http() -> reqwest::Client {
    // Another test may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// An answer: status and body.
pub(super) type Answer = (u16, Value);

/// A merchant's server: a key and the token it was given.
pub(super) struct Merchant {
    key: SigningKey,
    pub(super) base: String,
    pub(super) token: String,
    http: reqwest::Client,
}

impl Merchant {
    pub(super) fn with_key(simulator: &Simulator, private: &str) -> Self {
        let key = SigningKey::from_slice(&hex::decode(private).unwrap()).unwrap();
        let base = simulator.url().to_owned();
        Self { key, base, token: String::new(), http: http() }
    }

    /// A merchant's server that has exchanged a pairing code.
    pub(super) async fn paired(simulator: &Simulator) -> Self {
        let mut merchant = Self::with_key(simulator, MERCHANT);
        let code = simulator.create_pairing_code();
        let (status, body) = merchant.pair(&code).await;
        assert_eq!(status, 200, "{body}");
        merchant.token = body["data"][0]["token"].as_str().unwrap().to_owned();
        merchant
    }

    pub(super) fn identity(&self) -> String {
        hex::encode(self.key.verifying_key().to_sec1_point(true))
    }

    pub(super) fn sin(&self) -> String {
        sin_of(&self.identity()).unwrap()
    }

    pub(super) fn sign(&self, message: &str) -> String {
        let signature: Signature = self.key.sign(message.as_bytes());
        hex::encode(signature.to_der().as_bytes())
    }

    pub(super) async fn pair(&self, code: &str) -> Answer {
        self.post_unsigned("/tokens", &json!({"id": self.sin(), "pairingCode": code})).await
    }

    /// Signs one text and sends another request, as a forger would.
    pub(super) async fn send(
        &self,
        method: &str,
        target: &str,
        body: &str,
        signed: &str,
        identity: &str,
    ) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self
            .http
            .request(method, format!("{}{target}", self.base))
            .header("x-accept-version", "2.0.0")
            .header("content-type", "application/json")
            .header("x-identity", identity)
            .header("x-signature", self.sign(signed))
            .body(body.to_owned());
        answer(request).await
    }

    pub(super) async fn signed(&self, method: &str, target: &str, body: &str) -> Answer {
        let message = format!("{}{target}{body}", self.base);
        self.send(method, target, body, &message, &self.identity()).await
    }

    pub(super) async fn get(&self, target: &str) -> Answer {
        let separator = if target.contains('?') { '&' } else { '?' };
        self.signed("GET", &format!("{target}{separator}token={}", self.token), "").await
    }

    pub(super) async fn post(&self, target: &str, body: &Value) -> Answer {
        self.signed("POST", target, &body.to_string()).await
    }

    pub(super) async fn post_unsigned(&self, target: &str, body: &Value) -> Answer {
        let request = self
            .http
            .post(format!("{}{target}", self.base))
            .header("x-accept-version", "2.0.0")
            .header("content-type", "application/json")
            .body(body.to_string());
        answer(request).await
    }

    pub(super) async fn get_unsigned(&self, target: &str) -> Answer {
        answer(self.http.get(format!("{}{target}", self.base))).await
    }

    /// `POST /invoices` over twenty dollars, with more fields.
    pub(super) async fn invoice(&self, more: Value) -> Answer {
        let mut body = json!({"token": self.token, "price": 20, "currency": "USD"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post("/invoices", &body).await
    }

    /// The id of a new invoice.
    pub(super) async fn open_invoice(&self, more: Value) -> String {
        let (status, body) = self.invoice(more).await;
        assert_eq!(status, 200, "{body}");
        body["data"]["id"].as_str().unwrap().to_owned()
    }

    /// The control API, as the demo uses it.
    pub(super) async fn control(&self, method: &str, path: &str, body: &Value) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}/_control/{path}", self.base);
        answer(self.http.request(method, url).body(body.to_string())).await
    }

    /// A page as a browser sees it, or the address it is sent to.
    pub(super) async fn page(&self, target: &str) -> (u16, String) {
        read_page(self.http.get(format!("{}{target}", self.base))).await
    }

    /// Sends a form as a browser does.
    pub(super) async fn submit(&self, target: &str, form: &[(&str, &str)]) -> (u16, String) {
        read_page(self.http.post(format!("{}{target}", self.base)).form(form)).await
    }
}

async fn read_page(request: reqwest::RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let location = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    (status, location.unwrap_or(answer.text().await.unwrap()))
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// A notification as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) signature: Option<String>,
    pub(super) body: String,
}

impl Received {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Inbox {
    received: Mutex<Vec<Received>>,
    statuses: Mutex<VecDeque<u16>>,
}

/// The merchant's server that notifications go to.
pub(super) struct Receiver {
    inbox: Arc<Inbox>,
    pub(super) url: String,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// A server that answers with these statuses one after the other, and with 200 from then on.
    pub(super) async fn answering(statuses: &[u16]) -> Self {
        let inbox = Arc::new(Inbox {
            statuses: Mutex::new(statuses.iter().copied().collect()),
            ..Inbox::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/ipn", listener.local_addr().unwrap());
        let (ready, is_ready) = oneshot::channel();
        let theirs = Arc::clone(&inbox);
        let thread = thread::spawn(move || {
            System::new().block_on(async {
                let data = Data::from(theirs);
                let server = HttpServer::new(move || {
                    App::new().app_data(data.clone()).default_service(web::to(receive))
                });
                let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
                let _ = ready.send(server.handle());
                server.await.unwrap();
            });
        });
        let server = is_ready.await.unwrap();
        Self { inbox, url, server, thread: Some(thread) }
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.inbox.received.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.server.stop(false));
        let _ = self.thread.take().unwrap().join();
    }
}

async fn receive(request: HttpRequest, body: Bytes, inbox: Data<Inbox>) -> HttpResponse {
    let signature = request.headers().get("x-signature");
    let signature = signature.map(|value| value.to_str().unwrap().to_owned());
    let body = String::from_utf8(body.to_vec()).unwrap();
    inbox.received.lock().unwrap().push(Received { signature, body });
    let status = inbox.statuses.lock().unwrap().pop_front().unwrap_or(200);
    let status = StatusCode::from_u16(status).unwrap();
    if status.is_redirection() {
        let elsewhere = format!("http://{}/elsewhere", request.connection_info().host());
        return HttpResponse::build(status).insert_header(("location", elsewhere)).finish();
    }
    HttpResponse::build(status).finish()
}

//! A client that speaks to the simulator as the official PHP client speaks to Splynx.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde_json::{Value, json};

use crate::sim::splynx::api::auth::signature;
use crate::sim::splynx::{Options, Simulator};

pub(super) const KEY: &str = "0123456789abcdef0123456789abcdef";
pub(super) const SECRET: &str = "fedcba9876543210fedcba9876543210";
pub(super) const AGENT: &str = "Splynx PHP API 2.0";

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    /// The body; it must be JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// The `internal_code` of the error object.
    pub(super) fn code(&self) -> String {
        self.json()["error"]["internal_code"].as_str().unwrap_or_default().to_owned()
    }

    /// The attributes a 422 complains of.
    pub(super) fn complaints(&self) -> Vec<String> {
        assert_eq!(self.status, 422, "{}", self.text);
        let list = self.json();
        let pairs = list.as_array().unwrap().iter();
        pairs.map(|pair| pair["attribute"].as_str().unwrap().to_owned()).collect()
    }

    /// The id of a 201.
    pub(super) fn id(&self) -> u64 {
        assert_eq!(self.status, 201, "{}", self.text);
        plain(&self.json()["id"]).parse().unwrap()
    }

    /// `status internal_code`.
    pub(super) fn refusal(&self) -> String {
        format!("{} {}", self.status, self.code())
    }
}

/// A string or number as text.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// How a client proves who it is.
#[derive(Debug, Clone)]
pub(super) enum Proof {
    /// A fresh signature for each request.
    Signature,
    /// This header, or none.
    Header(Option<String>),
}

/// A client of one simulator.
pub(super) struct Api {
    pub(super) http: reqwest::Client,
    pub(super) url: String,
    proof: Proof,
    nonce: AtomicU64,
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test asks the simulator directly, over plain HTTP"
)]
fn http_from(address: [u8; 4], agent: &str) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy();
    let builder = builder.local_address(std::net::IpAddr::from(address)).user_agent(agent);
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

pub(super) fn http(agent: &str) -> reqwest::Client {
    http_from([127, 0, 0, 1], agent)
}

/// The same client on another machine.
pub(super) fn http_elsewhere(agent: &str) -> reqwest::Client {
    http_from([127, 0, 0, 2], agent)
}

pub(super) async fn simulator() -> Simulator {
    Simulator::start(Options::default()).await.unwrap()
}

impl Api {
    /// A client with the API key that signs as the PHP client does.
    pub(super) fn signed(simulator: &Simulator) -> Self {
        Self::with(simulator, Proof::Signature)
    }

    /// A client that sends this `Authorization`.
    pub(super) fn bearing(simulator: &Simulator, header: Option<&str>) -> Self {
        Self::with(simulator, Proof::Header(header.map(str::to_owned)))
    }

    /// A client whose token was exchanged for this session.
    pub(super) async fn session(simulator: &Simulator, session_id: &str) -> Self {
        let anybody = Self::bearing(simulator, None);
        let request = json!({ "auth_type": "session", "session_id": session_id });
        let token = anybody.post("admin/auth/tokens", &request).await;
        assert_eq!(token.status, 201, "{}", token.text);
        let access = token.json()["access_token"].as_str().unwrap().to_owned();
        Self::bearing(simulator, Some(&format!("Splynx-EA (access_token={access})")))
    }

    fn with(simulator: &Simulator, proof: Proof) -> Self {
        // The PHP client begins at round(microtime * 100). Two clients made within a hundredth of a
        // second would collide there as well, so this one waits its turn.
        let (now, last) = simulator
            .read(|world| (world.clock.now().timestamp_millis() / 10, world.access.last_nonce));
        let last = u64::try_from(last).unwrap();
        let nonce = AtomicU64::new(now.unsigned_abs().max(last + 1));
        Self { http: http(AGENT), url: simulator.url().to_owned(), proof, nonce }
    }

    fn authorization(&self) -> Option<String> {
        match &self.proof {
            Proof::Header(header) => header.clone(),
            Proof::Signature => {
                let nonce = self.nonce.fetch_add(1, Ordering::SeqCst).to_string();
                let signature = signature(KEY, SECRET, &nonce);
                Some(format!("Splynx-EA (key={KEY}&signature={signature}&nonce={nonce})"))
            }
        }
    }

    pub(super) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.http.request(method, format!("{}/api/2.0/{path}", self.url));
        if let Some(header) = self.authorization() {
            request = request.header(AUTHORIZATION, header);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// One field of a row, as text.
    pub(super) async fn field(&self, path: &str, name: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        plain(&answer.json()[name])
    }
}

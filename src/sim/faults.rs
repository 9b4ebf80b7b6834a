//! Scripted misbehaviour and the request log, shared by the simulators.
//!
//! A test arms faults; each API request takes the first armed one that matches, [`guard`] plays it.
//!
//! **Invariant:** a fault says exactly whether the request is executed. An execution that began is
//! never cancelled by a client that leaves, as a PHP worker behind nginx is not.

use std::any::Any;
use std::collections::VecDeque;
use std::future::{Future, pending};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::http::{Method, StatusCode};
use actix_web::rt::net::TcpStream;
use actix_web::rt::{spawn, time::sleep};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How many requests the log keeps; older ones are forgotten first.
pub const LOG_CAPACITY: usize = 50_000;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Wait, then serve as usual. The request is executed even if the client has left meanwhile.
    Delay {
        /// Milliseconds to wait.
        ms: u64,
    },
    /// Never execute and never answer.
    Hang,
    /// Execute, then close the connection before any byte of the answer.
    ExecuteThenDrop,
    /// Close the connection without executing.
    Drop,
    /// Close the connection at once; execute later.
    ExecuteLate {
        /// Milliseconds between the close and the execution.
        ms: u64,
    },
    /// Answer with this status without executing.
    Status(Answer),
    /// Execute, then answer with this status whatever came out.
    ExecuteThenStatus(Answer),
    /// Execute, then answer with the true status and a body that is not JSON.
    Garbage,
    /// Answer 201 (POST) or 200 with a body that is not JSON, without executing.
    GarbageUnexecuted,
    /// Execute, but a search returns all rows whatever its filter says.
    IgnoreFilter,
    /// Close every connection without executing, whatever the method and path.
    Down,
}

/// A scripted answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub code: StatusCode,
    /// A string is sent as HTML, anything else as JSON; nothing is the page a reverse proxy would send.
    pub body: Option<Value>,
    /// The `Retry-After` header, in seconds.
    pub retry_after: Option<u64>,
}

impl Answer {
    /// An answer with the body a reverse proxy would send for this status.
    #[must_use]
    pub fn bare(code: StatusCode) -> Self {
        Self { code, body: None, retry_after: None }
    }

    fn respond(&self) -> HttpResponse {
        let mut builder = HttpResponse::build(self.code);
        if let Some(seconds) = self.retry_after {
            builder.insert_header(("Retry-After", seconds.to_string()));
        }
        match &self.body {
            Some(Value::String(text)) => builder.content_type("text/html").body(text.clone()),
            Some(value) => builder.json(value),
            None => builder.content_type("text/html").body(proxy_page(self.code)),
        }
    }
}

fn proxy_page(code: StatusCode) -> String {
    format!(
        "<html>\r\n<head><title>{code}</title></head>\r\n<body><center><h1>{code}</h1></center></body>\r\n</html>"
    )
}

/// One fault of the script.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Wire")]
pub struct Fault {
    /// The method it is for; `None` is every method.
    pub method: Option<Method>,
    /// The path must begin with this; empty is every path. Without the API's own prefix.
    pub path: String,
    /// The query or the body must contain this; empty is every request.
    pub contains: String,
    /// How many matching requests pass untouched first.
    pub after: u64,
    /// How many requests it strikes; `None` is without end.
    pub times: Option<u64>,
    /// What goes wrong.
    pub kind: Kind,
}

impl Fault {
    /// A fault that strikes every request of this method and path prefix.
    #[must_use]
    pub fn on(method: Method, path: &str, kind: Kind) -> Self {
        Self {
            method: Some(method),
            path: path.to_owned(),
            contains: String::new(),
            after: 0,
            times: None,
            kind,
        }
    }

    /// A fault that strikes every request of any method under this path prefix.
    #[must_use]
    pub fn on_any(path: &str, kind: Kind) -> Self {
        Self { method: None, ..Self::on(Method::GET, path, kind) }
    }

    /// Strikes only so many requests.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Lets so many matching requests pass first.
    #[must_use]
    pub fn after(mut self, after: u64) -> Self {
        self.after = after;
        self
    }

    /// Strikes only requests whose query or body contains the text.
    #[must_use]
    pub fn containing(mut self, text: &str) -> Self {
        text.clone_into(&mut self.contains);
        self
    }

    fn matches(&self, call: &Call) -> bool {
        if self.kind == Kind::Down {
            return true;
        }
        self.method.as_ref().is_none_or(|method| *method == call.method)
            && call.path.starts_with(&self.path)
            && (call.query.contains(&self.contains) || call.body.contains(&self.contains))
    }
}

/// The JSON of a fault: one flat object, because tagged enums and exact numbers do not go together in serde.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    path: String,
    #[serde(default)]
    contains: String,
    #[serde(default)]
    after: u64,
    times: Option<u64>,
    kind: String,
    ms: Option<u64>,
    code: Option<u16>,
    body: Option<Value>,
    retry_after: Option<u64>,
}

impl TryFrom<Wire> for Fault {
    type Error = String;

    fn try_from(wire: Wire) -> Result<Self, String> {
        let method = match wire.method.as_deref() {
            None | Some("*") => None,
            Some(name) => {
                Some(Method::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?)
            }
        };
        let kind = kind_of(&wire)?;
        let Wire { path, contains, after, times, .. } = wire;
        Ok(Self { method, path, contains, after, times, kind })
    }
}

fn kind_of(wire: &Wire) -> Result<Kind, String> {
    let ms = || wire.ms.ok_or_else(|| format!("{} needs ms", wire.kind));
    Ok(match wire.kind.as_str() {
        "delay" => Kind::Delay { ms: ms()? },
        "hang" => Kind::Hang,
        "execute_then_drop" => Kind::ExecuteThenDrop,
        "drop" => Kind::Drop,
        "execute_late" => Kind::ExecuteLate { ms: ms()? },
        "status" => Kind::Status(answer_of(wire)?),
        "execute_then_status" => Kind::ExecuteThenStatus(answer_of(wire)?),
        "garbage" => Kind::Garbage,
        "garbage_unexecuted" => Kind::GarbageUnexecuted,
        "ignore_filter" => Kind::IgnoreFilter,
        "down" => Kind::Down,
        other => return Err(format!("unknown kind {other}")),
    })
}

fn answer_of(wire: &Wire) -> Result<Answer, String> {
    let code = wire.code.ok_or_else(|| format!("{} needs code", wire.kind))?;
    let code = StatusCode::from_u16(code).map_err(|error| error.to_string())?;
    Ok(Answer { code, body: wire.body.clone(), retry_after: wire.retry_after })
}

/// One API request, as faults are matched against it and as the log keeps it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path without the API's own prefix, e.g. `admin/finance/payments`.
    pub path: String,
    /// The raw query, without the question mark.
    pub query: String,
    /// The body as text.
    pub body: String,
    /// When it came, for the log only.
    pub at: String,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    seen: u64,
    struck: u64,
}

/// One line of the request log.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Counts up from 1 over the life of the simulator.
    pub sequence: u64,
    /// When it came.
    pub at: String,
    /// The method.
    pub method: String,
    /// The path without the API's own prefix.
    pub path: String,
    /// The raw query.
    pub query: String,
    /// The body as text.
    pub body: String,
    /// The status the client was sent; `None` while it waits and when it was sent nothing.
    pub status: Option<u16>,
    /// The fault that struck, if any.
    pub fault: Option<String>,
}

#[derive(Debug, Default)]
struct Inner {
    armed: Vec<Armed>,
    log: VecDeque<Entry>,
    sequence: u64,
}

/// The armed faults and the log of one simulator.
#[derive(Debug, Default)]
pub struct Script {
    inner: Mutex<Inner>,
}

impl Script {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Arms one more fault, after those armed before.
    pub fn arm(&self, fault: Fault) {
        self.lock().armed.push(Armed { fault, seen: 0, struck: 0 });
    }

    /// Disarms all faults. Requests that hang already go on hanging.
    pub fn disarm(&self) {
        self.lock().armed.clear();
    }

    /// The armed faults as JSON, with how often each was met and has struck.
    #[must_use]
    pub fn describe(&self) -> Value {
        let describe = |armed: &Armed| {
            json!({
                "method": armed.fault.method.as_ref().map(Method::as_str), "path": armed.fault.path,
                "kind": format!("{:?}", armed.fault.kind), "times": armed.fault.times,
                "after": armed.fault.after, "seen": armed.seen, "struck": armed.struck,
            })
        };
        self.lock().armed.iter().map(describe).collect()
    }

    /// The requests so far, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.lock().log.iter().cloned().collect()
    }

    /// Forgets the log.
    pub fn clear_log(&self) {
        self.lock().log.clear();
    }

    /// Takes the fault for this request and opens its log line.
    fn begin(&self, call: &Call) -> (u64, Option<Kind>) {
        let mut inner = self.lock();
        let kind = strike(&mut inner.armed, call);
        inner.sequence += 1;
        let sequence = inner.sequence;
        if inner.log.len() >= LOG_CAPACITY {
            inner.log.pop_front();
        }
        inner.log.push_back(Entry {
            sequence,
            at: call.at.clone(),
            method: call.method.to_string(),
            path: call.path.clone(),
            query: call.query.clone(),
            body: call.body.clone(),
            status: None,
            fault: kind.as_ref().map(|kind| format!("{kind:?}")),
        });
        (sequence, kind)
    }

    fn finish(&self, sequence: u64, status: StatusCode) {
        let mut inner = self.lock();
        if let Some(entry) = inner.log.iter_mut().rev().find(|entry| entry.sequence == sequence) {
            entry.status = Some(status.as_u16());
        }
    }
}

/// The first armed fault that is not used up; the ones before it count the request as seen.
fn strike(armed: &mut [Armed], call: &Call) -> Option<Kind> {
    for candidate in armed.iter_mut().filter(|armed| armed.fault.matches(call)) {
        candidate.seen += 1;
        let due = candidate.seen > candidate.fault.after;
        if due && candidate.fault.times.is_none_or(|times| candidate.struck < times) {
            candidate.struck += 1;
            return Some(candidate.fault.kind.clone());
        }
    }
    None
}

/// What the executor of a request is told by a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tweaks {
    /// Searches return every row.
    pub ignore_filter: bool,
}

/// A second handle on the connection's socket, by which [`guard`] closes it under the HTTP server.
#[derive(Debug)]
pub struct Socket(std::net::TcpStream);

/// To be given to `HttpServer::on_connect`; without it faults cannot close connections.
///
/// The server also needs `h1_allow_half_closed(false)`, so that hanging requests end when their client leaves.
pub fn keep_socket(connection: &dyn Any, data: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
    if let Ok(handle) = stream.as_fd().try_clone_to_owned() {
        data.insert(Socket(handle.into()));
    }
}

/// Ends the connection before a byte of the answer can leave; the answer written afterwards goes nowhere.
fn close(request: &HttpRequest) {
    if let Some(Socket(stream)) = request.conn_data::<Socket>() {
        // It fails only when the client has closed first, which comes to the same.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// Serves one API request through the script: takes its fault, executes or not, answers or not, and logs it.
pub async fn guard<E, F>(
    script: &Script,
    request: &HttpRequest,
    call: Call,
    execute: E,
) -> HttpResponse
where
    E: FnOnce(Tweaks) -> F + 'static,
    F: Future<Output = HttpResponse> + 'static,
{
    let (sequence, kind) = script.begin(&call);
    let tweaks = Tweaks { ignore_filter: kind == Some(Kind::IgnoreFilter) };
    let run = |ms: u64| run_detached(ms, move || execute(tweaks));
    let answer = match kind {
        None | Some(Kind::IgnoreFilter) => run(0).await,
        Some(Kind::Delay { ms }) => run(ms).await,
        Some(Kind::Hang) => pending().await,
        Some(Kind::Drop | Kind::Down) => return closed(request),
        Some(Kind::ExecuteThenDrop) => {
            run(0).await;
            return closed(request);
        }
        Some(Kind::ExecuteLate { ms }) => {
            drop(run(ms));
            return closed(request);
        }
        Some(Kind::Status(answer)) => answer.respond(),
        Some(Kind::ExecuteThenStatus(answer)) => {
            run(0).await;
            answer.respond()
        }
        Some(Kind::Garbage) => garbage(run(0).await.status()),
        Some(Kind::GarbageUnexecuted) if call.method == Method::POST => {
            garbage(StatusCode::CREATED)
        }
        Some(Kind::GarbageUnexecuted) => garbage(StatusCode::OK),
    };
    script.finish(sequence, answer.status());
    answer
}

/// Starts the execution in its own task, so that it ends whether or not anybody still waits for the answer.
fn run_detached<E, F>(ms: u64, execute: E) -> impl Future<Output = HttpResponse>
where
    E: FnOnce() -> F + 'static,
    F: Future<Output = HttpResponse> + 'static,
{
    let task = spawn(async move {
        if ms > 0 {
            sleep(Duration::from_millis(ms)).await;
        }
        execute().await
    });
    async { task.await.unwrap_or_else(|_| HttpResponse::InternalServerError().finish()) }
}

fn closed(request: &HttpRequest) -> HttpResponse {
    close(request);
    HttpResponse::ServiceUnavailable().force_close().finish()
}

fn garbage(status: StatusCode) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/html")
        .body("<html><body>Fatal error: Allowed memory size")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::other_method(Fault::on(Method::GET, "", Kind::Drop), false)]
    #[case::other_path(Fault::on_any("invoices", Kind::Drop), false)]
    #[case::other_body(Fault::on_any("", Kind::Drop).containing("BP-2"), false)]
    #[case::same_body(Fault::on_any("", Kind::Drop).containing("BP-1"), true)]
    #[case::down_is_for_all(Fault::on(Method::GET, "invoices", Kind::Down), true)]
    fn a_fault_strikes_only_what_it_names(#[case] fault: Fault, #[case] struck: bool) {
        let script = Script::default();
        script.arm(fault);
        let body = "receipt_number=BP-1".to_owned();
        let call = Call {
            method: Method::POST,
            path: "payments".into(),
            query: String::new(),
            body,
            at: String::new(),
        };
        assert_eq!(script.begin(&call).1.is_some(), struck);
    }

    #[rstest]
    #[case(r#"{"kind":"delay"}"#)]
    #[case(r#"{"kind":"status"}"#)]
    #[case(r#"{"kind":"burn"}"#)]
    #[case(r#"{"kind":"drop","paht":"x"}"#)]
    fn a_fault_that_cannot_be_understood_is_refused(#[case] wire: &str) {
        assert!(serde_json::from_str::<Fault>(wire).is_err());
    }
}

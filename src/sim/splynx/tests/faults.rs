//! Each kind of fault as a client meets it over HTTP: what it hears, and whether the request was executed.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::http::Method;
use actix_web::rt::time::sleep;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use rstest::rstest;
use serde_json::json;

use crate::sim::faults::{Call, Fault, Kind, Script, Tweaks, guard, keep_socket};

/// A server whose one route counts how often it is executed.
struct Counting {
    url: String,
    executed: Arc<AtomicUsize>,
    script: Arc<Script>,
}

fn counting() -> Counting {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/payments", listener.local_addr().unwrap());
    let (executed, script) = (Arc::new(AtomicUsize::new(0)), Arc::new(Script::default()));
    let counting = Counting { url, executed: executed.clone(), script: script.clone() };
    let serve = move |request: HttpRequest, body: String| {
        let (executed, script) = (executed.clone(), script.clone());
        let (method, query) = (request.method().clone(), request.query_string().to_owned());
        let call = Call { method, path: "payments".to_owned(), query, body, at: String::new() };
        async move {
            let execute = move |tweaks: Tweaks| async move {
                executed.fetch_add(1, Ordering::SeqCst);
                HttpResponse::Created().json(json!({ "ignored": tweaks.ignore_filter }))
            };
            guard(&script, &request, call, execute).await
        }
    };
    let app = move || App::new().default_service(web::to(serve.clone()));
    let server = HttpServer::new(app).workers(1).disable_signals().h1_allow_half_closed(false);
    let server = server.on_connect(keep_socket).listen(listener).unwrap().run();
    std::thread::spawn(|| actix_web::rt::System::new().block_on(server));
    counting
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test asks the simulator directly, over plain HTTP"
)]
fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(Duration::from_millis(400)).no_proxy().build().unwrap()
}

/// `"<status> <body>"`, or `closed`, or `timeout`.
async fn outcome(request: reqwest::RequestBuilder) -> String {
    match request.send().await {
        Ok(response) => {
            format!("{} {}", response.status().as_u16(), response.text().await.unwrap())
        }
        Err(error) if error.is_timeout() => "timeout".to_owned(),
        Err(error) => {
            assert!(error.is_request() && !error.is_connect(), "{error:?}");
            "closed".to_owned()
        }
    }
}

#[rstest]
#[case::delay(r#"{"kind":"delay","ms":50}"#, 1, "201 {\"ignored\":false}")]
#[case::long_delay(r#"{"kind":"delay","ms":600}"#, 1, "timeout")]
#[case::hang(r#"{"kind":"hang"}"#, 0, "timeout")]
#[case::drop(r#"{"kind":"drop"}"#, 0, "closed")]
#[case::down(r#"{"kind":"down"}"#, 0, "closed")]
#[case::execute_then_drop(r#"{"kind":"execute_then_drop"}"#, 1, "closed")]
#[case::execute_late(r#"{"kind":"execute_late","ms":100}"#, 1, "closed")]
#[case::status(r#"{"kind":"status","code":422,"body":[1]}"#, 0, "422 [1]")]
#[case::execute_then_status(r#"{"kind":"execute_then_status","code":502,"body":"x"}"#, 1, "502 x")]
#[case::garbage(r#"{"kind":"garbage"}"#, 1, "201 <html><body>Fatal error: Allowed memory size")]
#[case::unexecuted(
    r#"{"kind":"garbage_unexecuted"}"#,
    0,
    "201 <html><body>Fatal error: Allowed memory size"
)]
#[case::ignore_filter(r#"{"kind":"ignore_filter"}"#, 1, "201 {\"ignored\":true}")]
#[tokio::test]
async fn a_fault_says_whether_the_request_is_executed(
    #[case] fault: &str,
    #[case] executions: usize,
    #[case] expected: &str,
) {
    let server = counting();
    server.script.arm(serde_json::from_str(fault).unwrap());

    let outcome = outcome(client().post(&server.url).body("amount=1")).await;

    assert_eq!(outcome, expected);
    sleep(Duration::from_millis(400)).await;
    assert_eq!(server.executed.load(Ordering::SeqCst), executions);
}

#[tokio::test]
async fn a_fault_on_a_kept_alive_connection_closes_it_and_the_next_request_is_served() {
    let (server, client) = (counting(), client());
    server.script.arm(Fault::on(Method::POST, "pay", Kind::ExecuteThenDrop).after(1).times(1));

    let mut outcomes = Vec::new();
    for _ in 0..3 {
        outcomes.push(outcome(client.post(&server.url)).await);
    }

    assert_eq!(outcomes, ["201 {\"ignored\":false}", "closed", "201 {\"ignored\":false}"]);
    let log: Vec<_> =
        server.script.log().into_iter().map(|entry| (entry.sequence, entry.status)).collect();
    assert_eq!(log, [(1, Some(201)), (2, None), (3, Some(201))]);
}

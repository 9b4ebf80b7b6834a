//! The snippet in a real nginx: accepted, put back when it is not, and passing requests on as the add-on wants them.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::site::Site;
use crate::support::{PATIENCE, Ports, client, eventually};

/// A web server as Splynx's: a rule for PHP files, its own error pages, and the snippets of add-ons.
struct WebServer {
    site: Site,
    ports: Ports,
    child: Option<Child>,
}

impl WebServer {
    /// Its configuration, with `more` inside the server block. Nothing runs yet.
    fn new(more: &str) -> Self {
        let (site, ports) = (Site::new(), Ports::take());
        let folder = site.nginx();
        fs::create_dir_all(folder.join("sites-available")).unwrap();
        fs::create_dir_all(folder.join("temporary")).unwrap();
        // Workers are root as the test is, since others may not look into its folder.
        let user = if is_root() { "user root;" } else { "" };
        let text = format!(
            "{user}\npid {folder}/pid;\nerror_log {folder}/error.log warn;\nevents {{}}\nhttp {{\n\
             access_log off;\n\
             client_body_temp_path {folder}/temporary/body;\nproxy_temp_path {folder}/temporary/proxy;\n\
             fastcgi_temp_path {folder}/temporary/fastcgi;\nuwsgi_temp_path {folder}/temporary/uwsgi;\n\
             scgi_temp_path {folder}/temporary/scgi;\n\
             server {{\nlisten {listen};\nproxy_set_header X-Of-Splynx yes;\nclient_max_body_size 200m;\n\
             error_page 404 /splynx-says-no;\n\
             location / {{ return 204; }}\nlocation ~ \\.php$ {{ return 403; }}\n{more}\n}}\n}}\n",
            folder = folder.display(),
            listen = ports.pages(),
        );
        fs::write(folder.join("nginx.conf"), text).unwrap();
        Self { site, ports, child: None }
    }

    /// With the line that lets Splynx's server take the snippets.
    fn including(more: &str) -> Self {
        let server = Self::new("@INCLUDE@");
        let conf = server.site.nginx().join("nginx.conf");
        let text = fs::read_to_string(&conf).unwrap();
        let include =
            format!("include {}/sites-available/*.addons;", server.site.nginx().display());
        fs::write(&conf, text.replace("@INCLUDE@", &format!("{include}\n{more}"))).unwrap();
        server
    }

    fn snippet(&self) -> std::path::PathBuf {
        self.site.nginx().join("sites-available/splynx-bitpay.addons")
    }

    fn listen_on(&self, address: SocketAddr) {
        let said = self.site.run(&["config", "set", "server.listen", &address.to_string()], "");
        assert_eq!(said.code, Some(0), "{said:#?}");
    }

    async fn start(&mut self) {
        let conf = self.site.nginx().join("nginx.conf");
        let mut command = Command::new("nginx");
        command.arg("-c").arg(conf).args(["-g", "daemon off;"]);
        self.child = Some(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        eventually("nginx answers", PATIENCE, async || match self.get("/").await {
            Ok(204) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.ports.pages())
    }

    async fn get(&self, path: &str) -> Result<u16, String> {
        let answer = client().get(self.url(path)).send().await;
        answer.map(|answer| answer.status().as_u16()).map_err(|error| error.to_string())
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // SIGTERM, so that the workers go too.
            Command::new("kill").arg(child.id().to_string()).status().ok();
            child.wait().ok();
        }
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout == b"0\n"
}

/// An add-on that answers one request with what it got, as text.
async fn echo() -> (SocketAddr, TcpListener) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    (listener.local_addr().unwrap(), listener)
}

/// Answers one request by `status`; returns its head and body as they arrived.
async fn take_one(listener: &TcpListener, status: &str) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.unwrap();
        request.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nme");
                stream.write_all(answer.as_bytes()).await.unwrap();
                return text;
            }
        }
        assert!(count > 0, "the request ended early: {text}");
    }
}

/// The values of a header.
fn header<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    let head = request.split("\r\n\r\n").next().unwrap_or_default();
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

#[tokio::test]
async fn requests_arrive_at_the_listener_as_the_add_on_wants_them() {
    let mut server = WebServer::including("");
    let (address, listener) = echo().await;
    server.listen_on(address);
    let said = server.site.install(&[]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    said.says("nginx", &["done", "does not run"]);
    server.start().await;

    let sent = client()
        .post(server.url("/bitpay/pay-invoice?item_id=2018%2F1"))
        .header("X-Forwarded-For", "192.0.2.66")
        .header("X-Forwarded-Proto", "gopher")
        .header("X-Forwarded-Host", "evil.example")
        .header("Forwarded", "for=192.0.2.66")
        .header("Cookie", "PHPSESSID=abc")
        .header("Origin", "http://isp.example")
        .body("amount=25")
        .send();
    let (answer, request) = tokio::join!(sent, take_one(&listener, "404 Not Found"));

    assert!(
        request.starts_with("POST /bitpay/pay-invoice?item_id=2018%2F1 HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.ends_with("\r\n\r\namount=25"), "{request}");
    let host = server.ports.pages().to_string();
    assert_eq!(header(&request, "host"), [&host]);
    assert_eq!(header(&request, "x-forwarded-host"), [&host]);
    assert_eq!(header(&request, "x-forwarded-proto"), ["http"]);
    // From its end, the first that is no proxy of ours: the address that nginx saw.
    assert_eq!(header(&request, "x-forwarded-for"), ["192.0.2.66, 127.0.0.1"]);
    assert!(header(&request, "forwarded").is_empty(), "{request}");
    assert_eq!(header(&request, "cookie"), ["PHPSESSID=abc"]);
    assert_eq!(header(&request, "origin"), ["http://isp.example"]);
    let answer = answer.unwrap();
    assert_eq!(answer.status().as_u16(), 404);
    assert_eq!(answer.text().await.unwrap(), "me", "our page, not Splynx's error page");
}

#[tokio::test]
async fn everything_below_bitpay_and_nothing_beside_it_is_passed_on() {
    let mut server = WebServer::including("");
    let (address, listener) = echo().await;
    server.listen_on(address);
    server.site.install(&[]);
    server.start().await;

    for (path, arrives) in [
        ("/bitpay", "/bitpay/"),
        ("/bitpay?a=b", "/bitpay/?a=b"),
        ("/bitpay/", "/bitpay/"),
        ("/bitpay/index.php", "/bitpay/index.php"),
    ] {
        let (answer, request) = tokio::join!(server.get(path), take_one(&listener, "200 OK"));
        assert_eq!(answer, Ok(200));
        assert!(request.starts_with(&format!("GET {arrives} HTTP/1.1\r\n")), "{path}: {request}");
    }
    for (path, status) in [("/bitpayments", 204), ("/index.php", 403), ("/portal/", 204)] {
        assert_eq!(server.get(path).await, Ok(status), "{path}");
    }
}

#[tokio::test]
async fn a_body_of_64_kibibytes_passes_in_memory_and_a_larger_one_not_at_all() {
    let mut server = WebServer::including("");
    let (address, listener) = echo().await;
    server.listen_on(address);
    server.site.install(&[]);
    server.start().await;
    let post =
        |length: usize| client().post(server.url("/bitpay/")).body("x".repeat(length)).send();

    let (answer, request) = tokio::join!(post(64 * 1024), take_one(&listener, "200 OK"));
    assert_eq!(answer.unwrap().status().as_u16(), 200);
    assert!(request.len() > 64 * 1024);
    assert_eq!(post(64 * 1024 + 1).await.unwrap().status().as_u16(), 413);
    let log = fs::read_to_string(server.site.nginx().join("error.log")).unwrap();
    assert!(
        log.contains("too large body") && !log.contains("buffered to a temporary file"),
        "{log}"
    );
}

#[tokio::test]
async fn a_running_nginx_takes_a_new_port_over() {
    let mut server = WebServer::including("");
    let (first, _gone) = echo().await;
    server.listen_on(first);
    server.site.install(&[]);
    server.start().await;
    let (second, listener) = echo().await;
    server.listen_on(second);

    let said = server.site.install(&[]);

    said.says("nginx", &["done", "nginx reloaded"]);
    eventually("the new port is used", PATIENCE, async || {
        let used = tokio::time::timeout(std::time::Duration::from_millis(500), async {
            tokio::join!(server.get("/bitpay/"), take_one(&listener, "200 OK")).0
        });
        match used.await {
            Ok(Ok(200)) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    server.site.install(&[]).says("nginx", &["was there"]);
}

#[test]
fn a_snippet_that_nginx_does_not_accept_does_not_stay() {
    let server = WebServer::including("location ^~ /bitpay/ { return 200; }");
    let said = server.site.install(&[]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    said.says("nginx", &["FAILED", "as it was", "duplicate location \"/bitpay/\""]);
    assert!(!said.step("nginx").contains("not good without it"));
    assert!(!server.snippet().exists());
}

#[test]
fn the_old_snippet_is_put_back() {
    let server = WebServer::including("location ^~ /bitpay/ { return 200; }");
    fs::write(server.snippet(), "# the old one\n").unwrap();
    let said = server.site.install(&[]);
    said.says("nginx", &["FAILED", "duplicate location"]);
    assert_eq!(fs::read_to_string(server.snippet()).unwrap(), "# the old one\n");
}

#[test]
fn an_nginx_that_is_broken_anyway_is_said_to_be() {
    let server = WebServer::including("no_such_directive on;");
    let said = server.site.install(&[]);
    said.says("nginx", &["FAILED", "no_such_directive", "not good without it either"]);
    assert!(!server.snippet().exists());
}

#[test]
fn a_snippet_that_no_server_includes_is_said_to_be_idle() {
    let server = WebServer::new("");
    let said = server.site.install(&[]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    said.says("nginx", &["not possible", "no server of nginx includes it", "*.addons;"]);
}

#[test]
fn a_dry_run_asks_nginx_nothing_and_writes_nothing() {
    let server = WebServer::including("");
    let said = server.site.install(&["--dry-run"]);
    said.says("nginx", &["would be done", "write"]);
    assert!(!server.snippet().exists());
}

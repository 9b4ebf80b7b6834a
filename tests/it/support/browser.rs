//! A browser: a cookie, the headers current browsers send, and forms as the pages have them.
//!
//! **Invariant:** it posts what the form on the page contains, and follows no redirect by itself.

use std::sync::OnceLock;

use reqwest::header::{HeaderMap, HeaderName};
use url::form_urlencoded;

use super::world::World;

/// The one client of this test's people. Every test has a runtime of its own, and a connection that was kept would
/// belong to one that is gone: so none is kept.
pub(crate) fn client() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| build().pool_max_idle_per_host(0).build().unwrap())
}

#[expect(clippy::disallowed_methods, reason = "browsers are not part of the product")]
fn build() -> reqwest::ClientBuilder {
    // A simulator may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none())
}

/// What the server answered.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Page {
    /// Where the browser is sent.
    pub(crate) fn location(&self) -> &str {
        self.headers.get("location").map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Headers and body, to be searched for what must not be there.
    pub(crate) fn everything(&self) -> String {
        format!("{:?}\n{}", self.headers, self.body)
    }

    /// The form that holds `marker`.
    pub(crate) fn form_with(&self, marker: &str) -> Form {
        let forms = self.body.split("<form ").skip(1);
        let texts = forms.map(|text| text.split("</form>").next().unwrap_or_default());
        let text = texts.into_iter().find(|text| text.contains(marker));
        Form::read(text.unwrap_or_else(|| panic!("no form with {marker} in {}", self.body)))
    }
}

/// A form on a page.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Form {
    fn read(text: &str) -> Self {
        let (head, rest) = text.split_once('>').unwrap();
        let hidden = rest.split("<input ").skip(1).filter(|input| input.contains("hidden"));
        let field = |input: &str| (attribute(input, "name"), attribute(input, "value"));
        Self { action: attribute(head, "action"), fields: hidden.map(field).collect() }
    }

    /// The same with a field filled in, or a button pressed.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    fn body(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.fields).finish()
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let tag = tag.split('>').next().unwrap_or_default();
    let value = tag.split_once(&format!("{name}=\"")).map(|(_, rest)| rest);
    let value = value.and_then(|rest| rest.split('"').next()).unwrap_or_default();
    value.replace("&amp;", "&").replace("&#x2F;", "/").replace("&#61;", "=")
}

/// A browser with at most one session.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    origin: String,
    pub(crate) session: Option<String>,
}

impl Browser {
    /// Opens at a site, without any cookie.
    pub(crate) fn at(origin: &str) -> Self {
        Self { origin: origin.to_owned(), session: None }
    }

    /// Goes to a path of the site, or to a whole address.
    pub(crate) async fn get(&self, address: &str) -> Page {
        self.send(self.request(reqwest::Method::GET, address)).await
    }

    /// Asks as the page's own script does.
    pub(crate) async fn get_json(&self, address: &str) -> Page {
        let request = self.request(reqwest::Method::GET, address);
        self.send(request.header("accept", "application/json")).await
    }

    /// Sends a form.
    pub(crate) async fn submit(&self, form: &Form) -> Page {
        self.post(&form.action, "application/x-www-form-urlencoded", form.body()).await
    }

    /// Sends any body, from a page of the site.
    pub(crate) async fn post(
        &self,
        address: &str,
        content_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> Page {
        let request = self
            .request(reqwest::Method::POST, address)
            .header("origin", &self.origin)
            .header("content-type", content_type)
            .body(body);
        self.send(request).await
    }

    /// A request with what every request of a browser carries.
    pub(crate) fn request(
        &self,
        method: reqwest::Method,
        address: &str,
    ) -> reqwest::RequestBuilder {
        let address = match address.strip_prefix('/') {
            Some(_) => format!("{}{address}", self.origin),
            None => address.to_owned(),
        };
        let request = client()
            .request(method, address)
            .header("accept-language", "en")
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document");
        match &self.session {
            Some(session) => request.header("cookie", format!("lang=en; PHPSESSID={session}")),
            None => request,
        }
    }

    /// A form with the cookie, and without anything that says where it came from.
    pub(crate) fn bare_post(&self, path: &str, body: &'static str) -> reqwest::RequestBuilder {
        let session = self.session.as_deref().unwrap_or_default();
        client()
            .post(format!("{}{path}", self.origin))
            .header("cookie", format!("PHPSESSID={session}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Page {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Page { status, headers, body: answer.text().await.unwrap() }
    }

    /// Logs in on a login page, as people do.
    pub(crate) async fn log_in(&mut self, path: &str, login: &str, password: &str) {
        let form = self.get(path).await.form_with("password");
        let page = self.submit(&form.with("login", login).with("password", password)).await;
        assert_eq!(page.status, 303, "{login} cannot log in: {}", page.body);
        let cookie = page.headers.get("set-cookie").unwrap().to_str().unwrap();
        let value = cookie.split(';').next().and_then(|pair| pair.strip_prefix("PHPSESSID="));
        self.session = value.map(str::to_owned);
    }
}

/// A request out of the portal's modal.
pub(crate) fn framed(world: &World, path: &str) -> reqwest::RequestBuilder {
    let request = client().get(format!("{}{path}", world.splynx.url()));
    request.header("sec-fetch-site", "same-origin").header("sec-fetch-dest", "iframe")
}

/// What browsers say of a form that another site sent; and an old browser's silence.
pub(crate) fn foreign_headers(world: &World) -> Vec<HeaderMap> {
    let near = world.splynx.url().replace("http://", "http://portal.");
    let sets: [&[(&'static str, &str)]; 5] = [
        &[],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
        &[("origin", "null")],
        &[("origin", &near), ("sec-fetch-site", "same-site")],
        &[("referer", world.splynx.url()), ("sec-fetch-site", "none")],
    ];
    let header = |(name, value): &(&'static str, &str)| (*name, value.parse().unwrap());
    let set = |pairs: &[(&'static str, &str)]| {
        let pairs = pairs.iter().map(header);
        pairs.map(|(name, value)| (HeaderName::from_static(name), value)).collect()
    };
    sets.into_iter().map(set).collect()
}

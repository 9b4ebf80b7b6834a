//! The pages of the simulator: templates, assets, and how they are answered.
//!
//! **Invariant:** pages load nothing from elsewhere; the policy sent with each of them says so.

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use tera::{Context, Tera};

const TEMPLATES: [(&str, &str); 5] = [
    ("layout.html", include_str!("../../../templates/sim/bitpay/layout.html")),
    ("checkout.html", include_str!("../../../templates/sim/bitpay/checkout.html")),
    ("dashboard.html", include_str!("../../../templates/sim/bitpay/dashboard.html")),
    ("approve.html", include_str!("../../../templates/sim/bitpay/approve.html")),
    ("missing.html", include_str!("../../../templates/sim/bitpay/missing.html")),
];

const STYLE: &str = include_str!("../../../templates/sim/bitpay/style.css");
const SCRIPT: &str = include_str!("../../../templates/sim/bitpay/checkout.js");

/// Own files only. Forms post back here, so that `'self'` is enough for them.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    img-src data:; form-action 'self'; base-uri 'none'";

static TERA: LazyLock<Result<Tera, String>> = LazyLock::new(|| {
    let mut tera = Tera::new();
    tera.add_raw_templates(TEMPLATES).map_err(|error| error.to_string())?;
    Ok(tera)
});

/// A page with this status.
pub(super) fn page<T: Serialize>(status: StatusCode, template: &str, content: &T) -> HttpResponse {
    match render(template, content) {
        Ok(html) => builder(status).content_type("text/html; charset=utf-8").body(html),
        Err(error) => {
            builder(StatusCode::INTERNAL_SERVER_ERROR).content_type("text/plain").body(error)
        }
    }
}

fn builder(status: StatusCode) -> HttpResponseBuilder {
    let mut builder = HttpResponse::build(status);
    builder
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header(("cache-control", "no-store"))
        .insert_header(("x-content-type-options", "nosniff"));
    builder
}

fn render<T: Serialize>(template: &str, content: &T) -> Result<String, String> {
    let tera = TERA.as_ref().map_err(Clone::clone)?;
    let variables = Context::from_serialize(content).map_err(|error| error.to_string())?;
    tera.render(template, &variables).map_err(|error| error.to_string())
}

/// The page for what is not there.
pub(super) fn missing() -> HttpResponse {
    page(StatusCode::NOT_FOUND, "missing.html", &serde_json::Map::new())
}

/// Sends the browser to another page with a GET.
pub(super) fn see_other(target: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, target)).finish()
}

/// The style sheet.
pub(super) async fn style() -> HttpResponse {
    HttpResponse::Ok().content_type("text/css; charset=utf-8").body(STYLE)
}

/// The script of the checkout page.
pub(super) async fn script() -> HttpResponse {
    HttpResponse::Ok().content_type("text/javascript; charset=utf-8").body(SCRIPT)
}

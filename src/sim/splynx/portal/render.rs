//! The templates of the simulated pages.
//!
//! **Invariant:** every page is escaped; only the rendered widgets of entry points, escaped themselves, pass as they are.

use actix_web::web::Path;
use actix_web::{HttpResponse, Responder};
use anyhow::Context as _;
use serde_json::Value;
use tera::{Context, Tera};

/// The parsed templates.
#[derive(Debug, Clone)]
pub(in crate::sim::splynx) struct Pages {
    tera: Tera,
}

const TEMPLATES: &[(&str, &str)] = &[
    ("layout.html", include_str!("../../../../templates/sim/splynx/layout.html")),
    ("portal.html", include_str!("../../../../templates/sim/splynx/portal.html")),
    ("login.html", include_str!("../../../../templates/sim/splynx/login.html")),
    ("dashboard.html", include_str!("../../../../templates/sim/splynx/dashboard.html")),
    ("documents.html", include_str!("../../../../templates/sim/splynx/documents.html")),
    ("table.html", include_str!("../../../../templates/sim/splynx/table.html")),
    ("links.html", include_str!("../../../../templates/sim/splynx/links.html")),
];

const ASSETS: &[(&str, &str, &str)] = &[
    ("splynx.css", "text/css", include_str!("../../../../templates/sim/splynx/splynx.css")),
    ("portal.js", "text/javascript", include_str!("../../../../templates/sim/splynx/portal.js")),
];

impl Pages {
    /// Parses the templates.
    ///
    /// # Errors
    /// When one of them is wrong.
    pub(in crate::sim::splynx) fn load() -> anyhow::Result<Self> {
        let mut tera = Tera::default();
        tera.add_raw_templates(TEMPLATES.iter().copied()).context("a template is wrong")?;
        Ok(Self { tera })
    }

    /// A page with this context.
    pub(super) fn render(&self, name: &str, context: &Value) -> HttpResponse {
        let rendered =
            Context::from_serialize(context).and_then(|context| self.tera.render(name, &context));
        match rendered {
            Ok(html) => HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html),
            Err(error) => HttpResponse::InternalServerError().body(format!("{name}: {error}")),
        }
    }
}

/// Serves the style sheet and the script.
pub(super) async fn asset(name: Path<String>) -> impl Responder {
    match ASSETS.iter().find(|(known, ..)| *known == name.as_str()) {
        Some((_, kind, text)) => {
            HttpResponse::Ok().content_type(format!("{kind}; charset=utf-8")).body(*text)
        }
        None => HttpResponse::NotFound().finish(),
    }
}

//! What people see: the customer portal and the admin pages, and the reverse proxy to the add-on.
//!
//! **Invariant:** the pages only read; whatever is paid is paid through the add-on.

mod admin;
mod customer;
mod login;
mod proxy;
mod render;
mod session;
mod twig;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder, http::header};

pub(super) use proxy::client;
pub(super) use render::Pages;
#[cfg(test)]
pub(super) use twig::render as render_twig;

/// The routes of everything but the API and the control API.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/", web::get().to(async || see_other("/portal/")))
        .route("/assets/{name}", web::get().to(render::asset))
        .service(web::resource("/bitpay{path:.*}").to(proxy::handle))
        .configure(login::routes)
        .configure(customer::routes)
        .configure(admin::routes);
}

fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish()
}

/// A page that is not there.
pub(super) async fn not_found() -> impl Responder {
    HttpResponse::NotFound().content_type("text/plain; charset=utf-8").body("Page not found")
}

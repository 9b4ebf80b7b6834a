//! The two logins and the logout.
//!
//! **Invariant:** a login opens a new session; the one before, and a session id the browser brings, are never taken over.

use actix_web::web::{self, Data, Form, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, http::header};
use serde::Deserialize;
use serde_json::json;

use super::render::Pages;
use super::{see_other, session};
use crate::sim::splynx::access::Principal;
use crate::sim::splynx::api::auth::{admin_login, customer_login};
use crate::sim::splynx::world::{Shared, World};

/// One of the two places people log in to.
struct Place {
    name: &'static str,
    heading: &'static str,
    home: &'static str,
    action: &'static str,
    hint: &'static str,
    check: fn(&World, &str, &str) -> Option<Principal>,
}

const PORTAL: Place = Place {
    name: "portal",
    heading: "Customer portal",
    home: "/portal/",
    action: "/portal/login/",
    hint: "In the demo: customer1 / customer1, customer2 / customer2 …",
    check: customer_login,
};

const ADMIN: Place = Place {
    name: "admin",
    heading: "Administration",
    home: "/admin/",
    action: "/admin/login/",
    hint: "In the demo: admin / admin",
    check: admin_login,
};

pub(super) fn routes(config: &mut ServiceConfig) {
    for path in ["/portal/login", "/portal/login/"] {
        config.service(web::resource(path).get(portal_form).post(portal_login));
    }
    for path in ["/admin/login", "/admin/login/"] {
        config.service(web::resource(path).get(admin_form).post(admin_login_));
    }
    config.route("/portal/logout", web::get().to(portal_logout));
    config.route("/admin/logout", web::get().to(admin_logout));
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default, rename = "return")]
    return_to: String,
}

#[derive(Deserialize)]
struct Credentials {
    login: String,
    password: String,
    #[serde(default, rename = "return")]
    return_to: String,
}

async fn portal_form(pages: Data<Pages>, wanted: Query<Wanted>) -> HttpResponse {
    form(&pages, &PORTAL, &wanted.return_to, "")
}

async fn admin_form(pages: Data<Pages>, wanted: Query<Wanted>) -> HttpResponse {
    form(&pages, &ADMIN, &wanted.return_to, "")
}

async fn portal_login(
    pages: Data<Pages>,
    shared: Data<Shared>,
    form: Form<Credentials>,
) -> HttpResponse {
    log_in(&pages, &shared, &PORTAL, &form)
}

async fn admin_login_(
    pages: Data<Pages>,
    shared: Data<Shared>,
    form: Form<Credentials>,
) -> HttpResponse {
    log_in(&pages, &shared, &ADMIN, &form)
}

async fn portal_logout(request: HttpRequest, shared: Data<Shared>) -> HttpResponse {
    log_out(&request, &shared, &PORTAL)
}

async fn admin_logout(request: HttpRequest, shared: Data<Shared>) -> HttpResponse {
    log_out(&request, &shared, &ADMIN)
}

fn form(pages: &Pages, place: &Place, return_to: &str, error: &str) -> HttpResponse {
    pages.render(
        "login.html",
        &json!({
            "place": place.name, "home": place.home, "heading": place.heading, "name": "",
            "menu": [], "logout": "", "action": place.action, "hint": place.hint,
            "return_to": return_to, "error": error,
        }),
    )
}

fn log_in(pages: &Pages, shared: &Shared, place: &Place, given: &Credentials) -> HttpResponse {
    let mut world = shared.world();
    let Some(principal) = (place.check)(&world, &given.login, &given.password) else {
        return form(pages, place, &given.return_to, "Incorrect login or password.");
    };
    let id = world.access.open_session(principal);
    let location = session::local_path(&given.return_to, place.home);
    HttpResponse::SeeOther()
        .cookie(session::cookie(&id))
        .insert_header((header::LOCATION, location))
        .finish()
}

fn log_out(request: &HttpRequest, shared: &Shared, place: &Place) -> HttpResponse {
    if let Some(id) = session::id_of(request) {
        shared.world().access.revoke_session(&id);
    }
    see_other(place.action)
}

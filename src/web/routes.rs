//! The one table of routes.
//!
//! **Invariant:** what is not in the table does not exist (404), and a method that is not in its row is not allowed
//! (405). Every path exists with and without the last slash.

use actix_web::guard::{self, Guard};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource, Route};

use super::customer::{pay_document, refill, result};
use super::hooks::{ipn, webhook};
use super::refusal::Refusal;
use super::{Site, admin, rails, static_files};
use crate::domain::payable::DocumentKind::{Invoice, ProformaInvoice};
use crate::views::notice::NoticeKind;

/// Whose a route is: that decides about headers, and about who may send a form to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A customer's page, often in the portal's modal.
    Customer,
    /// The page after the checkout; no login.
    Result,
    /// The admin's page.
    Admin,
    /// Told to by a processor; no browser.
    Hook,
    /// A file that never changes.
    Static,
    /// Nothing is there.
    Nowhere,
}

/// One way to call a route.
#[derive(Debug, Clone, Copy)]
pub struct Verb {
    /// The methods, as the `Allow` header names them.
    pub methods: &'static [&'static str],
    handler: fn() -> Route,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The path without the last slash; also its name in logs and metrics.
    pub path: &'static str,
    /// Whose it is.
    pub kind: Kind,
    /// What can be done with it.
    pub verbs: &'static [Verb],
}

impl Row {
    /// Whether a form can be sent to it.
    #[must_use]
    pub fn takes_forms(&self) -> bool {
        self.verbs.iter().any(|verb| verb.methods.contains(&"POST"))
    }
}

const fn get(handler: fn() -> Route) -> Verb {
    Verb { methods: &["GET", "HEAD"], handler }
}

const fn post(handler: fn() -> Route) -> Verb {
    Verb { methods: &["POST"], handler }
}

/// Every route there is.
pub const ROUTES: &[Row] = &[
    Row {
        path: "/bitpay",
        kind: Kind::Customer,
        verbs: &[get(|| web::to(refill::get)), post(|| web::to(refill::post))],
    },
    Row {
        path: "/bitpay/pay-invoice",
        kind: Kind::Customer,
        verbs: &[
            get(|| web::to(|site, req| pay_document::get(Invoice, site, req))),
            post(|| web::to(|site, req, body| pay_document::post(Invoice, site, req, body))),
        ],
    },
    Row { path: "/bitpay/pay-request", kind: Kind::Customer, verbs: PROFORMA },
    Row { path: "/bitpay/pay-proforma", kind: Kind::Customer, verbs: PROFORMA },
    Row {
        path: "/bitpay/result/{token}",
        kind: Kind::Result,
        verbs: &[get(|| web::to(result::get))],
    },
    Row { path: "/bitpay/ipn/{hook}", kind: Kind::Hook, verbs: &[post(|| web::to(ipn::post))] },
    Row {
        path: "/bitpay/webhook/{hook}",
        kind: Kind::Hook,
        verbs: &[post(|| web::to(webhook::post))],
    },
    Row {
        path: "/bitpay/config",
        kind: Kind::Admin,
        verbs: &[get(|| web::to(admin::config::get)), post(|| web::to(admin::config::post))],
    },
    Row {
        path: "/bitpay/admin/attempts",
        kind: Kind::Admin,
        verbs: &[get(|| web::to(admin::attempts::get))],
    },
    Row {
        path: "/bitpay/admin/attempts/{id}",
        kind: Kind::Admin,
        verbs: &[get(|| web::to(admin::attempt::get)), post(|| web::to(admin::settle::post))],
    },
    Row {
        path: "/bitpay/static/{file}",
        kind: Kind::Static,
        verbs: &[get(|| web::to(static_files::get))],
    },
];

/// Splynx renamed requests to proforma invoices; both names lead to the same page.
const PROFORMA: &[Verb] = &[
    get(|| web::to(|site, req| pay_document::get(ProformaInvoice, site, req))),
    post(|| web::to(|site, req, body| pay_document::post(ProformaInvoice, site, req, body))),
];

/// Where every request ends up that has no row.
static NOWHERE: Row = Row { path: "nowhere", kind: Kind::Nowhere, verbs: &[] };

/// Puts the table into a server.
pub fn mount(config: &mut ServiceConfig, site: &web::Data<Site>) {
    config.app_data(site.clone());
    for row in ROUTES {
        config.service(resource(row));
    }
    let nowhere = web::to(not_found).wrap(from_fn(|req, next| rails::run(&NOWHERE, req, next)));
    config.default_service(nowhere);
}

fn resource(
    row: &'static Row,
) -> Resource<
    impl actix_web::dev::ServiceFactory<
        actix_web::dev::ServiceRequest,
        Config = (),
        Response = actix_web::dev::ServiceResponse,
        Error = actix_web::Error,
        InitError = (),
    > + 'static,
> {
    let mut resource = web::resource([row.path.to_owned(), format!("{}/", row.path)]);
    for verb in row.verbs {
        resource = resource.route((verb.handler)().guard(one_of(verb.methods)));
    }
    resource
        .default_service(web::to(move || async move { not_allowed(row) }))
        .wrap(from_fn(move |req, next| rails::run(row, req, next)))
}

fn one_of(methods: &'static [&'static str]) -> impl Guard {
    guard::fn_guard(move |context| methods.contains(&context.head().method.as_str()))
}

/// The methods of a row, as the `Allow` header wants them.
#[must_use]
pub fn allow(row: &Row) -> String {
    let methods: Vec<&str> = row.verbs.iter().flat_map(|verb| verb.methods).copied().collect();
    methods.join(", ")
}

fn not_allowed(row: &Row) -> Result<HttpResponse, Refusal> {
    Err(Refusal::method_not_allowed(allow(row)))
}

async fn not_found(_: HttpRequest) -> Result<HttpResponse, Refusal> {
    Err(Refusal::of(NoticeKind::NotFound))
}

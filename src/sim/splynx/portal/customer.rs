//! The customer portal.
//!
//! **Invariant:** a customer sees their own rows; the operations on them are the entry points of the add-on, no others.

use actix_web::web::{self, Data, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::render::Pages;
use super::session::NotLoggedIn;
use super::{not_found, see_other, session, twig};
use crate::sim::splynx::access::Principal;
use crate::sim::splynx::entry_points::EntryPoint;
use crate::sim::splynx::rows::{Customer, Document, Kind, Status};
use crate::sim::splynx::world::{Shared, World};

const DASHBOARD: &str = "controllers\\portal\\DashboardController";
const MENU: &[(&str, &str)] = &[
    ("/portal/", "Dashboard"),
    ("/portal/finance/invoices", "Invoices"),
    ("/portal/finance/requests", "Proforma invoices"),
    ("/portal/finance/payments/list", "Payments"),
];

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/portal", web::get().to(async || see_other("/portal/")))
        .route("/portal/", web::get().to(dashboard))
        .route("/portal/finance/invoices", web::get().to(invoices))
        .route("/portal/finance/requests", web::get().to(requests))
        .route("/portal/finance/payments/list", web::get().to(payments))
        .route("/portal/add-on--action-link-modal", web::get().to(modal))
        .service(web::resource("/portal/{path:.*}").to(not_found));
}

type Page = Result<HttpResponse, NotLoggedIn>;

/// The customer of this request.
fn customer(request: &HttpRequest, shared: &Shared) -> Result<Customer, NotLoggedIn> {
    let customer = match session::principal(request, shared) {
        Some(Principal::Customer(id)) => shared.world().books.customers.get(id).cloned(),
        _ => None,
    };
    customer.ok_or_else(|| NotLoggedIn::at("/portal/login/", request))
}

/// What every page needs.
fn page(customer: &Customer, path: &str, content: Value) -> Value {
    let link =
        |(url, title): &(&str, &str)| json!({ "url": url, "title": title, "active": *url == path });
    let mut page = json!({
        "place": "portal", "home": "/portal/", "name": customer.name, "logout": "/portal/logout",
        "menu": MENU.iter().map(link).collect::<Value>(),
    });
    if let (Some(page), Value::Object(content)) = (page.as_object_mut(), content) {
        page.extend(content);
    }
    page
}

fn money(sum: Decimal, world: &World) -> String {
    format!("{sum:.2} {}", world.currency)
}

/// A document as the pages and the Twig code see it.
fn row(document: &Document, world: &World) -> Value {
    let date = |date: Option<chrono::NaiveDate>| date.map(|date| date.to_string());
    let partly = document.status == Status::NotPaid && document.due < document.total;
    let (label, status_text) = match document.status {
        Status::Paid => ("label-success", "Paid"),
        Status::Pending => ("label-warning", "Pending"),
        Status::Deleted => ("", "Deleted"),
        Status::NotPaid if partly => ("label-warning", "Partially paid"),
        Status::NotPaid => ("label-danger", "Unpaid"),
    };
    json!({
        "id": document.id.to_string(), "number": document.number,
        "status": document.status.as_str(), "status_text": status_text, "label": label,
        "total": format!("{:.4}", document.total), "total_text": money(document.total, world),
        "due": format!("{:.4}", document.due), "due_text": money(document.due, world),
        "date_created": document.created.date().to_string(),
        "date_till": date(document.date_till).unwrap_or_default(),
        "date_payment": date(document.date_payment).unwrap_or_default(),
    })
}

/// The customer's documents, newest first, without the deleted ones.
fn rows(world: &World, kind: Kind, customer_id: u64) -> Value {
    let own = |document: &&Document| {
        document.customer_id == customer_id && document.status != Status::Deleted
    };
    let documents: Vec<&Document> = world.books.documents(kind).iter().filter(own).collect();
    documents.into_iter().rev().map(|document| row(document, world)).collect()
}

fn points(
    world: &World,
    wanted: impl Fn(&EntryPoint) -> bool,
) -> impl Iterator<Item = &EntryPoint> {
    let shown = world.behaviour.portal_entry_points;
    world
        .entry_points
        .iter()
        .filter(move |point| shown && point.enabled && point.place == "portal" && wanted(point))
}

async fn dashboard(request: HttpRequest, pages: Data<Pages>, shared: Data<Shared>) -> Page {
    let customer = customer(&request, &shared)?;
    let world = shared.world();
    let (before, after) = widgets(&world, &customer);
    let content = json!({
        "customer": {
            "name": customer.name, "login": customer.login,
            "deposit": money(customer.deposit, &world),
        },
        "before": before, "after": after,
    });
    Ok(pages.render("dashboard.html", &page(&customer, "/portal/", content)))
}

/// The rendered widgets before and after the content.
fn widgets(world: &World, customer: &Customer) -> (Vec<String>, Vec<String>) {
    let scope = json!({
        "loader": {
            "invoices": rows(world, Kind::Invoice, customer.id),
            "requests": rows(world, Kind::Proforma, customer.id),
        },
        "customer": { "name": customer.name, "billing_type": customer.billing_type },
    });
    let at = |location: &str| {
        points(world, |point| {
            point.kind == "code" && point.root == DASHBOARD && point.location == location
        })
        .map(|point| twig::render(&point.code, &scope).unwrap_or_else(|error| broken(&error)))
        .collect()
    };
    (at("before_content"), at("after_content"))
}

fn broken(error: &str) -> String {
    let text = error.replace('&', "&amp;").replace('<', "&lt;");
    format!("<div class=\"alert alert-danger\" role=\"alert\">Entry point: {text}</div>")
}

async fn invoices(request: HttpRequest, pages: Data<Pages>, shared: Data<Shared>) -> Page {
    documents(&request, &pages, &shared, Kind::Invoice)
}

async fn requests(request: HttpRequest, pages: Data<Pages>, shared: Data<Shared>) -> Page {
    documents(&request, &pages, &shared, Kind::Proforma)
}

fn documents(request: &HttpRequest, pages: &Pages, shared: &Shared, kind: Kind) -> Page {
    let customer = customer(request, shared)?;
    let (path, heading, model) = match kind {
        Kind::Invoice => ("/portal/finance/invoices", "Invoices", "Invoices"),
        Kind::Proforma => ("/portal/finance/requests", "Proforma invoices", "Requests"),
    };
    let world = shared.world();
    let point = |point: &EntryPoint| {
        json!({
            "name": point.name, "module": point.module, "title": point.title,
            "icon": point.icon, "size": point.size,
        })
    };
    let links = points(&world, |point| point.kind == "action_link" && point.model == model);
    let content = json!({
        "heading": heading, "has_due": kind == Kind::Invoice,
        "rows": rows(&world, kind, customer.id), "points": links.map(point).collect::<Value>(),
    });
    Ok(pages.render("documents.html", &page(&customer, path, content)))
}

async fn payments(request: HttpRequest, pages: Data<Pages>, shared: Data<Shared>) -> Page {
    let customer = customer(&request, &shared)?;
    let world = shared.world();
    let own = world.books.payments.iter().filter(|payment| payment.customer_id == customer.id);
    let mut rows: Vec<Value> = own
        .map(|payment| {
            json!([
                payment.date.to_string(),
                money(payment.amount, &world),
                payment.receipt_number,
                payment.comment
            ])
        })
        .collect();
    rows.reverse();
    let columns = ["Date", "Amount", "Receipt number", "Comment"];
    let table = json!({ "heading": "Payments", "columns": columns, "rows": rows });
    let content = json!({ "heading": "Payments", "tables": [table] });
    Ok(pages.render("table.html", &page(&customer, "/portal/finance/payments/list", content)))
}

#[derive(Deserialize)]
struct Modal {
    module: String,
    name: String,
    id: String,
}

/// What the iframe of the modal loads: the way to the add-on, with the number of the document.
async fn modal(request: HttpRequest, shared: Data<Shared>, modal: Query<Modal>) -> Page {
    customer(&request, &shared)?;
    let world = shared.world();
    let mut found = points(&world, |point| {
        point.kind == "action_link" && point.module == modal.module && point.name == modal.name
    });
    let Some(point) = found.next() else {
        return Ok(HttpResponse::NotFound().body("No such entry point"));
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("module", &point.module)
        .append_pair("model", &point.model)
        .append_pair("item_id", &modal.id)
        .finish();
    Ok(see_other(&format!("{}?{query}", point.url)))
}

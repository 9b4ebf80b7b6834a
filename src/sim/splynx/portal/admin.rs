//! The admin pages.
//!
//! **Invariant:** a customer's session opens none of them.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, http::header};
use serde_json::{Value, json};

use super::render::Pages;
use super::session::NotLoggedIn;
use super::{not_found, see_other, session};
use crate::sim::splynx::access::Principal;
use crate::sim::splynx::rows::Document;
use crate::sim::splynx::world::{Shared, World};

const MENU: &[(&str, &str)] = &[
    ("/admin/", "Dashboard"),
    ("/admin/customers", "Customers"),
    ("/admin/finance/invoices", "Invoices"),
    ("/admin/finance/payments", "Payments"),
    ("/admin/finance/statements", "Payment statements"),
    ("/admin/config/integrations", "Config → Integrations"),
    ("/admin/config/mail", "Mail queue"),
    ("/admin/administration/logs", "Logs"),
];

/// Pages of menu links: their path, heading and controller.
const LINK_PAGES: &[(&str, &str, &str)] = &[
    (
        "/admin/config/integrations",
        "Config → Integrations",
        "controllers\\admin\\config\\ConfigController",
    ),
    (
        "/admin/administration/logs",
        "Administration → Logs",
        "controllers\\admin\\administration\\LogsController",
    ),
];

/// A page of tables: its path, its heading, and what it shows.
type TablePage = (&'static str, &'static str, fn(&World) -> Vec<Value>);

const TABLE_PAGES: &[TablePage] = &[
    ("/admin/", "Dashboard", overview),
    ("/admin/finance/invoices", "Invoices", invoices),
    ("/admin/finance/payments", "Payments", payments),
    ("/admin/finance/statements", "Payment statements", statements),
    ("/admin/config/mail", "Mail queue", mails),
];

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/admin", web::get().to(async || see_other("/admin/")))
        .route("/admin/customers", web::get().to(customers))
        .route("/admin/customers/list", web::get().to(customers))
        .route("/admin/customers/{id}/portal", web::get().to(log_in_as));
    for (path, ..) in TABLE_PAGES {
        config.route(path, web::get().to(tables));
    }
    for (path, ..) in LINK_PAGES {
        config.route(path, web::get().to(links));
    }
    config.service(web::resource("/admin/{path:.*}").to(not_found));
}

type Page = Result<HttpResponse, NotLoggedIn>;

/// The name of the admin of this request.
fn admin(request: &HttpRequest, shared: &Shared) -> Result<String, NotLoggedIn> {
    let admin = match session::principal(request, shared) {
        Some(Principal::Admin(id)) => shared.world().books.admins.get(id).cloned(),
        _ => None,
    };
    admin.map(|admin| admin.name).ok_or_else(|| NotLoggedIn::at("/admin/login/", request))
}

fn page(name: &str, path: &str, content: Value) -> Value {
    let link =
        |(url, title): &(&str, &str)| json!({ "url": url, "title": title, "active": *url == path });
    let mut page = json!({
        "place": "admin", "home": "/admin/", "name": name, "logout": "/admin/logout",
        "menu": MENU.iter().map(link).collect::<Value>(),
    });
    if let (Some(page), Value::Object(content)) = (page.as_object_mut(), content) {
        page.extend(content);
    }
    page
}

async fn tables(request: HttpRequest, pages: Data<Pages>, shared: Data<Shared>) -> Page {
    let name = admin(&request, &shared)?;
    let Some((path, heading, show)) = TABLE_PAGES.iter().find(|(path, ..)| *path == request.path())
    else {
        return Ok(HttpResponse::NotFound().finish());
    };
    let content = json!({ "heading": heading, "tables": show(&shared.world()) });
    Ok(pages.render("table.html", &page(&name, path, content)))
}

async fn links(request: HttpRequest, pages: Data<Pages>, shared: Data<Shared>) -> Page {
    let name = admin(&request, &shared)?;
    let Some((path, heading, root)) = LINK_PAGES.iter().find(|(path, ..)| *path == request.path())
    else {
        return Ok(HttpResponse::NotFound().finish());
    };
    let world = shared.world();
    let shown = world.entry_points.iter().filter(|point| {
        point.enabled && point.place == "admin" && point.kind == "menu_link" && point.root == *root
    });
    let link = shown.map(|point| {
        json!({
            "url": point.url, "title": point.title, "icon": point.icon,
            "background": point.background,
        })
    });
    let content = json!({ "heading": heading, "links": link.collect::<Value>() });
    Ok(pages.render("links.html", &page(&name, path, content)))
}

async fn customers(request: HttpRequest, pages: Data<Pages>, shared: Data<Shared>) -> Page {
    let name = admin(&request, &shared)?;
    let world = shared.world();
    let link = world.books.customers.iter().map(|customer| {
        json!({
            "url": format!("/admin/customers/{}/portal", customer.id), "icon": "", "background": "",
            "title": format!(
                "{} {} ({}, balance {:.2}): log in as the customer",
                customer.id, customer.name, customer.billing_type, customer.deposit
            ),
        })
    });
    let content = json!({ "heading": "Customers", "links": link.collect::<Value>() });
    Ok(pages.render("links.html", &page(&name, "/admin/customers", content)))
}

/// "Login as customer": a genuine portal session in the place of the admin's.
async fn log_in_as(request: HttpRequest, shared: Data<Shared>, id: Path<u64>) -> Page {
    admin(&request, &shared)?;
    let mut world = shared.world();
    if world.books.customers.get(*id).is_none() {
        return Ok(HttpResponse::NotFound().finish());
    }
    let session_id = world.access.open_session(Principal::Customer(*id));
    Ok(HttpResponse::SeeOther()
        .cookie(session::cookie(&session_id))
        .insert_header((header::LOCATION, "/portal/"))
        .finish())
}

fn table(heading: &str, columns: &[&str], mut rows: Vec<Vec<String>>) -> Value {
    rows.reverse();
    json!({ "heading": heading, "columns": columns, "rows": rows })
}

fn text(id: Option<u64>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn overview(world: &World) -> Vec<Value> {
    let books = &world.books;
    let rows = vec![
        vec!["Payments".to_owned(), books.payments.len().to_string()],
        vec!["Invoices".to_owned(), books.invoices.len().to_string()],
        vec!["Customers".to_owned(), books.customers.len().to_string()],
    ];
    vec![table("Dashboard", &["What", "How many"], rows)]
}

fn document(document: &Document) -> Vec<String> {
    vec![
        document.number.clone(),
        document.customer_id.to_string(),
        format!("{:.2}", document.total),
        format!("{:.2}", document.due),
        document.status.as_str().to_owned(),
        document.date_payment.map(|date| date.to_string()).unwrap_or_default(),
        text(document.payment_id),
    ]
}

fn invoices(world: &World) -> Vec<Value> {
    let columns = ["Number", "Customer", "Total", "Due", "Status", "Payment date", "Payment"];
    let invoices = world.books.invoices.iter().map(document).collect();
    let proformas = world.books.proformas.iter().map(document).collect();
    vec![table("Invoices", &columns, invoices), table("Proforma invoices", &columns, proformas)]
}

fn payments(world: &World) -> Vec<Value> {
    let row = |payment: &crate::sim::splynx::rows::Payment| {
        vec![
            payment.id.to_string(),
            payment.date.to_string(),
            payment.customer_id.to_string(),
            text(payment.invoice_id),
            text(payment.request_id),
            format!("{:.2}", payment.amount),
            payment.receipt_number.clone(),
            payment.comment.clone(),
        ]
    };
    let columns =
        ["Id", "Date", "Customer", "Invoice", "Proforma", "Amount", "Receipt number", "Comment"];
    vec![table("Payments", &columns, world.books.payments.iter().map(row).collect())]
}

fn mails(world: &World) -> Vec<Value> {
    let row = |mail: &crate::sim::splynx::rows::Mail| {
        vec![
            mail.id.to_string(),
            mail.kind.clone(),
            mail.recipient.clone(),
            mail.subject.clone(),
            mail.message.clone(),
        ]
    };
    let columns = ["Id", "Type", "Recipient", "Subject", "Message"];
    vec![table("Mail queue", &columns, world.books.mails.iter().map(row).collect())]
}

fn statements(world: &World) -> Vec<Value> {
    let statement = |statement: &crate::sim::splynx::rows::Statement| {
        let own = world.books.records.iter();
        let own = own.filter(|record| record.bank_statements_process_id == statement.id);
        vec![
            statement.created.format("%Y-%m-%d %H:%M:%S").to_string(),
            statement.title.clone(),
            statement.status.clone(),
            own.count().to_string(),
        ]
    };
    let record = |record: &crate::sim::splynx::rows::Record| {
        vec![
            record.bank_statements_process_id.to_string(),
            record.payment_date.map(|date| date.to_string()).unwrap_or_default(),
            text(record.customer_id),
            format!("{:.2}", record.amount),
            record.status.clone(),
            record.comment.clone(),
            text(record.payment_id),
        ]
    };
    let records = ["Statement", "Date", "Customer", "Amount", "Status", "Comment", "Payment"];
    vec![
        table(
            "Payment statements",
            &["Date", "Title", "Status", "Records"],
            world.books.statements.iter().map(statement).collect(),
        ),
        table("Records", &records, world.books.records.iter().map(record).collect()),
    ]
}

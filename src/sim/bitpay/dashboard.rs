//! The merchant's dashboard: "Payment Tools › Manage API Tokens", and the page that approves a client's request.
//!
//! **Invariant:** nobody logs in; whoever reaches the simulator is its merchant.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Form, Path, Query, ServiceConfig};
use serde::{Deserialize, Serialize};

use super::clock::Moment;
use super::tokens::{PairingCode, Standing, Token};
use super::world::World;
use super::{Environment, Shared, pages, random};

/// How many of the latest invoices are listed.
const LATEST: usize = 50;

/// The routes of the dashboard.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/", web::get().to(home))
        .route("/", web::get().to(async || pages::see_other("/dashboard")))
        .route("/dashboard", web::get().to(show))
        .route("/dashboard/merchant/api-tokens", web::get().to(show))
        .route("/dashboard/tokens", web::post().to(add))
        .route("/dashboard/tokens/{verb}", web::post().to(switch))
        .route("/api-access-request", web::get().to(ask))
        .route("/api-access-request", web::post().to(approve));
}

async fn home() -> HttpResponse {
    pages::see_other("/dashboard")
}

async fn show(shared: Data<Shared>) -> HttpResponse {
    render(&shared, New::Nothing)
}

/// What the last form made; it is shown once.
enum New {
    Nothing,
    Code(String),
    Token(String),
}

#[derive(Debug, Deserialize)]
struct AddForm {
    #[serde(default)]
    label: String,
    authentication: Option<String>,
}

async fn add(form: Form<AddForm>, shared: Data<Shared>) -> HttpResponse {
    let label = Some(form.label.trim().to_owned()).filter(|label| !label.is_empty());
    let made = shared.change(|world, now| {
        if form.authentication.is_none() {
            let token = random::token();
            world.add_open_token(&token, label, now);
            return New::Token(token);
        }
        let code = random::pairing_code();
        let (environment, merchant) = (world.environment, world.merchant.clone());
        world.add_pairing_code(&code, environment, merchant, now);
        world.label_pairing_code(&code, label);
        New::Code(code)
    });
    render(&shared, made)
}

#[derive(Debug, Deserialize)]
struct SwitchForm {
    token: String,
}

async fn switch(verb: Path<String>, form: Form<SwitchForm>, shared: Data<Shared>) -> HttpResponse {
    let known = shared.change(|world, now| match verb.as_str() {
        "approve" => world.approve(&form.token, now),
        "enable" => world.stand(&form.token, Standing::Active),
        "disable" => world.stand(&form.token, Standing::Disabled),
        _ => false,
    });
    if known { pages::see_other("/dashboard") } else { pages::missing() }
}

fn render(shared: &Shared, new: New) -> HttpResponse {
    let mut content = shared.change(|world, now| Dashboard::of(world, now));
    match new {
        New::Nothing => {}
        New::Code(code) => content.new_code = code,
        New::Token(token) => content.new_token = token,
    }
    pages::page(StatusCode::OK, "dashboard.html", &content)
}

#[derive(Debug, Serialize)]
struct Dashboard {
    environment: Environment,
    new_code: String,
    new_token: String,
    codes: Vec<CodeRow>,
    tokens: Vec<TokenRow>,
    invoices: Vec<InvoiceRow>,
}

#[derive(Debug, Serialize)]
struct CodeRow {
    code: String,
    label: String,
    environment: Environment,
    state: &'static str,
}

#[derive(Debug, Serialize)]
struct TokenRow {
    value: String,
    short: String,
    label: String,
    facade: &'static str,
    state: &'static str,
    verb: &'static str,
    action: &'static str,
}

#[derive(Debug, Serialize)]
struct InvoiceRow {
    id: String,
    order: String,
    price: String,
    status: super::Status,
}

impl Dashboard {
    fn of(world: &World, now: Moment) -> Self {
        let tokens = world.token_order.iter().rev().filter_map(|value| world.tokens.get(value));
        let latest = world.invoice_order.iter().rev().take(LATEST);
        let invoices = latest.filter_map(|id| world.view(id, ""));
        Self {
            environment: world.environment,
            new_code: String::new(),
            new_token: String::new(),
            codes: world
                .pairing_codes
                .iter()
                .map(|(code, pairing)| code_row(code, pairing, now))
                .collect(),
            tokens: tokens.map(token_row).collect(),
            invoices: invoices
                .map(|view| InvoiceRow {
                    id: view.id,
                    order: view.order_id.unwrap_or_default(),
                    price: format!("{} {}", view.price, view.currency),
                    status: view.status,
                })
                .collect(),
        }
    }
}

fn code_row(code: &str, pairing: &PairingCode, now: Moment) -> CodeRow {
    let state = if pairing.used {
        "used"
    } else if now < pairing.expires {
        "waiting"
    } else {
        "expired"
    };
    let label = pairing.label.clone().unwrap_or_default();
    CodeRow { code: code.to_owned(), label, environment: pairing.environment, state }
}

fn token_row(token: &Token) -> TokenRow {
    let (value, state, verb, action) = match &token.standing {
        Standing::Pending { code, .. } => (code.clone(), "asks for approval", "approve", "Approve"),
        Standing::Active if token.sin.is_none() => {
            (token.value.clone(), "active, without authentication", "disable", "Disable")
        }
        Standing::Active => (token.value.clone(), "active", "disable", "Disable"),
        Standing::Disabled => (token.value.clone(), "disabled", "enable", "Enable"),
    };
    TokenRow {
        value,
        short: format!("{}…", token.value.chars().take(8).collect::<String>()),
        label: token.label.clone().unwrap_or_default(),
        facade: token.facade.name(),
        state,
        verb,
        action,
    }
}

#[derive(Debug, Deserialize)]
struct Request {
    #[serde(rename = "pairingCode", default)]
    code: String,
}

#[derive(Debug, Serialize)]
struct Approval {
    code: String,
    label: String,
    facade: &'static str,
    is_pending: bool,
    is_approved: bool,
}

async fn ask(request: Query<Request>, shared: Data<Shared>) -> HttpResponse {
    let content = shared.change(|world, now| {
        let token = world.pending(&request.code, now);
        Approval {
            code: request.code.clone(),
            label: token
                .and_then(|token| token.label.clone())
                .unwrap_or_else(|| "A client".to_owned()),
            facade: token.map_or("", |token| token.facade.name()),
            is_pending: token.is_some(),
            is_approved: false,
        }
    });
    approval(&content)
}

async fn approve(request: Form<Request>, shared: Data<Shared>) -> HttpResponse {
    let is_approved = shared.change(|world, now| world.approve(&request.code, now));
    let (code, label) = (String::new(), String::new());
    approval(&Approval { code, label, facade: "", is_pending: false, is_approved })
}

fn approval(content: &Approval) -> HttpResponse {
    let known = content.is_pending || content.is_approved;
    let status = if known { StatusCode::OK } else { StatusCode::NOT_FOUND };
    pages::page(status, "approve.html", content)
}

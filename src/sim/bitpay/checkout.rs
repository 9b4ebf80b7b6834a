//! The page a shopper pays on, with a box of test tools beside it.
//!
//! **Invariant:** shows the state as it is; every button does what the control API does, and nothing more.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path, Query, ServiceConfig, get, post};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Shared;
use super::clock::Moment;
use super::control::{ControlError, PayKind, PayRequest};
use super::invoice::{Exception, Refund, Status};
use super::pages;
use super::world::{Invoice, World};

/// The routes of the checkout.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/invoice", get().to(show))
        .route("/i/{id}", get().to(link))
        .route("/invoice/{id}/status", get().to(status))
        .route("/invoice/{id}/currency", post().to(choose))
        .route("/invoice/{id}/act", post().to(act));
}

#[derive(Debug, Deserialize)]
struct Which {
    #[serde(default)]
    id: String,
}

async fn show(which: Query<Which>, shared: Data<Shared>) -> HttpResponse {
    render(&shared, &which.id, StatusCode::OK, "")
}

async fn link(id: Path<String>) -> HttpResponse {
    pages::see_other(&address(&id))
}

/// What the page's script asks for; the page is loaded again when the answer changes.
async fn status(id: Path<String>, shared: Data<Shared>) -> HttpResponse {
    let print = shared.change(|world, _| world.invoices.get(id.as_str()).map(fingerprint));
    let Some(print) = print else {
        return pages::missing();
    };
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(json!({"fingerprint": print, "page": address(&id)}))
}

#[derive(Debug, Deserialize)]
struct Currency {
    currency: String,
}

async fn choose(id: Path<String>, form: Form<Currency>, shared: Data<Shared>) -> HttpResponse {
    let chosen = shared.change(|world, _| choose_coin(world, &id, &form.currency));
    answer(&shared, &id, chosen)
}

/// An empty choice goes back to the list, as long as nothing was paid.
fn choose_coin(world: &mut World, id: &str, code: &str) -> Result<(), ControlError> {
    let invoice = world.invoices.get_mut(id).ok_or(ControlError::Unknown("such invoice"))?;
    let progress = &mut invoice.progress;
    if code.is_empty() && progress.payments.is_empty() {
        progress.coin = None;
        return Ok(());
    }
    Ok(progress.choose(code)?)
}

#[derive(Debug, Deserialize)]
struct Action {
    action: String,
}

async fn act(id: Path<String>, form: Form<Action>, shared: Data<Shared>) -> HttpResponse {
    let done = shared.change(|world, now| carry_out(world, &id, &form.action, now));
    answer(&shared, &id, done)
}

fn carry_out(world: &mut World, id: &str, action: &str, now: Moment) -> Result<(), ControlError> {
    let pay = |kind, accepted| PayRequest { accepted, ..PayRequest::of(kind) };
    let payment = match action {
        "pay" => pay(PayKind::Exact, false),
        "less" => pay(PayKind::Less, false),
        "more" => pay(PayKind::More, false),
        "late" => pay(PayKind::Late, false),
        "late-accepted" => pay(PayKind::Late, true),
        name => return world.move_invoice(id, name, now).map(|_| ()),
    };
    world.pay(id, &payment, now).map(|_| ())
}

/// After a form the browser goes back to the page; a refusal is shown on it at once.
fn answer(shared: &Shared, id: &str, done: Result<(), ControlError>) -> HttpResponse {
    match done {
        Ok(()) => pages::see_other(&address(id)),
        Err(error) => render(shared, id, StatusCode::CONFLICT, &error.to_string()),
    }
}

fn address(id: &str) -> String {
    let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("/invoice?id={id}")
}

fn render(shared: &Shared, id: &str, status: StatusCode, message: &str) -> HttpResponse {
    let content = shared.change(|world, now| {
        let invoice = world.invoices.get(id)?;
        let refunds = world.refunds.iter().filter(|refund| refund.invoice == id);
        Some(Checkout::of(invoice, refunds, &shared.base, message, now))
    });
    content.map_or_else(pages::missing, |content| pages::page(status, "checkout.html", &content))
}

/// Changes whenever the page would.
fn fingerprint(invoice: &Invoice) -> String {
    let progress = &invoice.progress;
    let coin = progress.coin.map_or("", |coin| coin.code);
    format!("{:?}-{:?}-{coin}-{}", progress.status, progress.exception, progress.payments.len())
}

/// One coin to choose.
#[derive(Debug, Serialize)]
struct Choice {
    code: &'static str,
    name: &'static str,
    amount: String,
}

/// One button of the test tools.
#[derive(Debug, Serialize)]
struct Tool {
    action: &'static str,
    label: &'static str,
}

/// Money that went back.
#[derive(Debug, Serialize)]
struct SentBack {
    amount: String,
    currency: &'static str,
    reason: String,
}

/// Everything on the page.
#[derive(Debug, Serialize)]
struct Checkout {
    id: String,
    merchant: &'static str,
    price: String,
    item: String,
    status: String,
    exception: String,
    headline: &'static str,
    explanation: &'static str,
    message: String,
    fingerprint: String,
    is_open: bool,
    is_waiting: bool,
    is_partial: bool,
    remaining: String,
    remaining_ms: u128,
    quotes: Vec<Choice>,
    coin: &'static str,
    missing: String,
    paid: String,
    payment_link: String,
    refunds: Vec<SentBack>,
    back: String,
    back_host: String,
    close: String,
    auto_redirect: String,
    tools: Vec<Tool>,
}

impl Checkout {
    fn of<'a>(
        invoice: &Invoice,
        refunds: impl Iterator<Item = &'a Refund>,
        base: &str,
        message: &str,
        now: Moment,
    ) -> Self {
        let Invoice { progress, order, .. } = invoice;
        let (headline, explanation) = wording(progress.status, progress.exception);
        let remaining = now.until(progress.expires);
        let is_open = progress.status == Status::New;
        let is_paid =
            matches!(progress.status, Status::Paid | Status::Confirmed | Status::Complete);
        let text =
            |url: &Option<url::Url>| url.as_ref().map(ToString::to_string).unwrap_or_default();
        let shown =
            |amount: Decimal| progress.coin.map_or_else(String::new, |coin| coin.display(amount));
        let redirect = text(&order.redirect_url);
        let close = text(&order.close_url);
        let back = if is_open { String::new() } else { redirect.clone() };
        Self {
            id: progress.id.clone(),
            merchant: "Simulated Merchant",
            price: format!(
                "{} {}",
                with_decimals(order.price, order.currency.precision),
                order.currency.code
            ),
            item: order.item_desc.clone().unwrap_or_default(),
            status: word(&json!(progress.status)),
            exception: progress
                .exception
                .map(|exception| word(&json!(exception)))
                .unwrap_or_default(),
            headline,
            explanation,
            message: message.to_owned(),
            fingerprint: fingerprint(invoice),
            is_open,
            is_waiting: matches!(progress.status, Status::New | Status::Paid | Status::Confirmed),
            is_partial: is_open && !progress.payments.is_empty(),
            remaining: format!("{}:{:02}", remaining.as_secs() / 60, remaining.as_secs() % 60),
            remaining_ms: remaining.as_millis(),
            quotes: choices(invoice),
            coin: progress.coin.map_or("", |coin| coin.code),
            missing: shown(progress.missing()),
            paid: shown(progress.paid()),
            payment_link: progress.coin.map_or_else(String::new, |coin| {
                format!("{}:?r={base}/i/{}", coin.scheme, progress.id)
            }),
            refunds: refunds.map(sent_back).collect(),
            back_host: host(order.redirect_url.as_ref()),
            back,
            close: if is_paid { String::new() } else { close },
            auto_redirect: if is_paid && order.auto_redirect { redirect } else { String::new() },
            tools: tools(progress.status),
        }
    }
}

fn word(value: &serde_json::Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn with_decimals(price: Decimal, precision: u32) -> String {
    let mut price = price;
    price.rescale(precision);
    price.to_string()
}

fn host(url: Option<&url::Url>) -> String {
    url.and_then(url::Url::host_str).unwrap_or_default().to_owned()
}

fn choices(invoice: &Invoice) -> Vec<Choice> {
    let choice = |quote: &super::currencies::Quote| Choice {
        code: quote.coin.code,
        name: quote.coin.name,
        amount: quote.coin.display(quote.total),
    };
    invoice.progress.quotes.iter().map(choice).collect()
}

fn sent_back(refund: &Refund) -> SentBack {
    SentBack {
        amount: refund.amount.normalize().to_string(),
        currency: refund.currency,
        reason: word(&json!(refund.reason)),
    }
}

fn wording(status: Status, exception: Option<Exception>) -> (&'static str, &'static str) {
    match (status, exception) {
        (Status::New, Some(Exception::PaidPartial)) => (
            "Partly paid",
            "Send the rest before the time is over, or what you sent goes back to you.",
        ),
        (Status::New, _) => {
            ("Waiting for your payment", "The price is held until the time is over.")
        }
        (Status::Paid, _) => ("Paid", "Your payment was seen and waits for its confirmation."),
        (Status::Confirmed, _) => {
            ("Paid and confirmed", "Your payment has its first confirmation.")
        }
        (Status::Complete, _) => ("Paid and complete", "The merchant has the money."),
        (Status::Expired, Some(Exception::PaidPartial)) => {
            ("Expired", "Not all of it arrived in time. What you sent goes back to you.")
        }
        (Status::Expired, Some(_)) => {
            ("Expired", "Your payment came after the time was over. It goes back to you.")
        }
        (Status::Expired, None) => ("Expired", "The time is over. Go back and start again to pay."),
        (Status::Invalid, _) => {
            ("Not confirmed", "Your payment was seen, but not confirmed in time.")
        }
        (Status::Declined, _) => ("Declined", "The merchant sent your payment back."),
    }
}

/// What could happen next, by status.
fn tools(status: Status) -> Vec<Tool> {
    let tool = |(action, label)| Tool { action, label };
    let list: &[(&str, &str)] = match status {
        Status::New => &[
            ("pay", "Pay"),
            ("less", "Pay less"),
            ("more", "Pay more"),
            ("late", "Pay late"),
            ("late-accepted", "Pay late, accepted"),
            ("expire", "Expire"),
        ],
        Status::Expired => &[("late", "Pay late"), ("late-accepted", "Pay late, accepted")],
        Status::Paid => &[
            ("confirm", "Confirm"),
            ("complete", "Complete"),
            ("invalidate", "Invalidate"),
            ("pay", "Pay again"),
        ],
        Status::Confirmed => &[
            ("complete", "Complete"),
            ("invalidate", "Invalidate"),
            ("decline", "Decline"),
            ("pay", "Pay again"),
        ],
        Status::Invalid => &[("complete", "Complete")],
        Status::Complete => &[("refund", "Refund"), ("pay", "Pay again")],
        Status::Declined => &[],
    };
    list.iter().copied().map(tool).collect()
}

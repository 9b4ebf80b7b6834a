//! What tests and the demo do to the simulated BitPay: look at it, pay, confirm, expire, resend, misbehave.
//!
//! | below `/_control` | body |
//! |---|---|
//! | `GET state`, `GET log`, `DELETE log`, `GET invoices/{id}` | |
//! | `POST faults`, `GET faults`, `DELETE faults` | one fault of [`crate::sim::faults`] |
//! | `POST options` | some of [`Settings`] |
//! | `POST clock` | `{"advance_s": 60}` |
//! | `POST pairing-codes` | `{"code"?, "environment"?, "merchant"?}` |
//! | `POST open-tokens` | `{"token"?}` |
//! | `POST tokens/{pairing code}/approve`, `POST tokens/{token}/disable` or `/enable` | |
//! | `POST invoices/{id}/pay` | a [`PayRequest`], e.g. `{"kind": "late", "accepted": true}` |
//! | `POST invoices/{id}/expire`, `/confirm`, `/complete`, `/invalidate`, `/decline` | |
//! | `POST invoices/{id}/ipn` | an [`IpnRequest`], e.g. `{"times": 20}` |
//!
//! **Invariant:** the HTTP control API below `/_control` and the handle in this process do the same through the same
//! functions, and neither can do to an invoice what BitPay could not.

use actix_web::http::StatusCode;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Shared;
use super::clock::Moment;
use super::invoice::{Event, Exception, IllegalMove, Share, Speed, Status};
use super::ipn::Delivery;
use super::progress::Progress;
use super::random;
use super::reply::Reply;
use super::tokens::Standing;
use super::world::{Invoice, World};
use super::{Environment, Settings};

/// How a shopper pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PayKind {
    /// What is missing.
    Exact,
    /// Half of it.
    Less,
    /// Half as much again.
    More,
    /// All of it, but after the expiry; a new invoice expires first.
    Late,
}

/// One payment to simulate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayRequest {
    /// How much and when.
    pub kind: PayKind,
    /// The coin; else the one chosen before, else the first.
    #[serde(default)]
    pub currency: Option<String>,
    /// An amount in coins instead of the kind's, as a text.
    #[serde(default)]
    pub amount: Option<Decimal>,
    /// Whether a late payment is accepted; else it goes back.
    #[serde(default)]
    pub accepted: bool,
}

impl PayRequest {
    /// A payment of this kind in whatever coin.
    #[must_use]
    pub fn of(kind: PayKind) -> Self {
        Self { kind, currency: None, amount: None, accepted: false }
    }
}

/// What the control API shows of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvoiceView {
    /// The id.
    pub id: String,
    /// The idempotency key.
    pub guid: String,
    /// The checkout page.
    pub url: String,
    /// Where it stands.
    pub status: Status,
    /// What was unusual.
    pub exception_status: Option<Exception>,
    /// The price, in `currency`.
    pub price: Decimal,
    /// ISO 4217.
    pub currency: &'static str,
    /// The merchant's reference.
    pub order_id: Option<String>,
    /// Passed through.
    pub pos_data: Option<String>,
    /// What the shopper is told they buy.
    pub item_desc: Option<String>,
    /// Where notifications go.
    pub notification_url: Option<String>,
    /// Where the shopper goes after paying.
    pub redirect_url: Option<String>,
    /// Where the shopper goes after giving up.
    pub close_url: Option<String>,
    /// How many confirmations are awaited.
    pub transaction_speed: Speed,
    /// Whether notifications come as `{event, data}`.
    pub extended_notifications: bool,
    /// The merchant's resource id.
    pub merchant: String,
    /// When it was created.
    pub created: Moment,
    /// When the price lock ends.
    pub expires: Moment,
    /// The coin in use.
    pub coin: Option<&'static str>,
    /// What arrived, in coins.
    pub paid: Decimal,
    /// What is missing, in coins.
    pub missing: Decimal,
}

impl InvoiceView {
    fn of(invoice: &Invoice, base: &str) -> Self {
        let Invoice { progress, order, .. } = invoice;
        let text = |url: &Option<url::Url>| url.as_ref().map(ToString::to_string);
        Self {
            id: progress.id.clone(),
            guid: invoice.guid.clone(),
            url: format!("{base}/invoice?id={}", progress.id),
            status: progress.status,
            exception_status: progress.exception,
            price: order.price,
            currency: order.currency.code,
            order_id: order.order_id.clone(),
            pos_data: order.pos_data.clone(),
            item_desc: order.item_desc.clone(),
            notification_url: text(&order.notification_url),
            redirect_url: text(&order.redirect_url),
            close_url: text(&order.close_url),
            transaction_speed: progress.speed,
            extended_notifications: order.extended_notifications,
            merchant: invoice.merchant.clone(),
            created: invoice.created,
            expires: progress.expires,
            coin: progress.coin.map(|coin| coin.code),
            paid: progress.paid(),
            missing: progress.missing(),
        }
    }
}

/// Why the control API refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No such invoice, token or endpoint.
    #[error("there is no {0}")]
    Unknown(&'static str),
    /// The invoice cannot do that.
    #[error(transparent)]
    Illegal(#[from] IllegalMove),
    /// The request cannot be understood.
    #[error("{0}")]
    Unreadable(String),
}

impl From<Option<IllegalMove>> for ControlError {
    fn from(error: Option<IllegalMove>) -> Self {
        error.map_or(Self::Unknown("such invoice"), Self::Illegal)
    }
}

impl From<serde_json::Error> for ControlError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<ControlError> for Reply {
    fn from(error: ControlError) -> Self {
        let status = match error {
            ControlError::Unknown(_) => StatusCode::NOT_FOUND,
            ControlError::Illegal(_) => StatusCode::CONFLICT,
            ControlError::Unreadable(_) => StatusCode::BAD_REQUEST,
        };
        Self { status, body: json!({"error": error.to_string()}) }
    }
}

impl World {
    /// A shopper pays.
    ///
    /// # Errors
    /// The invoice is unknown or cannot be paid like that.
    pub(super) fn pay(
        &mut self,
        id: &str,
        request: &PayRequest,
        now: Moment,
    ) -> Result<Status, ControlError> {
        let late = request.kind == PayKind::Late;
        if late
            && self.invoices.get(id).is_some_and(|invoice| invoice.progress.status == Status::New)
        {
            self.advance(id, now, |progress| progress.expire(now))?;
        }
        let status = self.advance(id, now, |progress| {
            let first = progress.coin.or_else(|| progress.quotes.first().map(|quote| quote.coin));
            let code =
                request.currency.as_deref().or(first.map(|coin| coin.code)).unwrap_or_default();
            progress.choose(code)?;
            let amount = request.amount.unwrap_or_else(|| usual_amount(progress, request.kind));
            if late && request.accepted {
                progress.accept_late(amount, now)
            } else {
                progress.receive(amount, now)
            }
        })?;
        Ok(status)
    }

    /// Moves an invoice by the name of the move.
    ///
    /// # Errors
    /// The move or the invoice is unknown, or the invoice cannot make it.
    pub(super) fn move_invoice(
        &mut self,
        id: &str,
        name: &str,
        now: Moment,
    ) -> Result<Status, ControlError> {
        let status = match name {
            "expire" => self.advance(id, now, |progress| progress.expire(now)),
            "invalidate" => self.advance(id, now, Progress::invalidate),
            "confirm" => self.advance(id, now, Progress::confirm),
            "complete" => self.advance(id, now, Progress::complete),
            "decline" => self.advance(id, now, |progress| progress.decline(now)),
            "refund" => self.advance(id, now, |progress| progress.give_back(now)),
            _ => return Err(ControlError::Unknown("such move")),
        };
        Ok(status?)
    }

    /// One invoice for people and tests to look at.
    #[must_use]
    pub(super) fn view(&self, id: &str, base: &str) -> Option<InvoiceView> {
        self.invoices.get(id).map(|invoice| InvoiceView::of(invoice, base))
    }

    /// All invoices, oldest first.
    #[must_use]
    pub(super) fn views(&self, base: &str) -> Vec<InvoiceView> {
        self.invoice_order.iter().filter_map(|id| self.view(id, base)).collect()
    }

    /// Sends so many notifications of an invoice at once.
    ///
    /// # Errors
    /// The invoice is unknown.
    pub(super) fn send_ipns(
        &mut self,
        id: &str,
        request: &IpnRequest,
        now: Moment,
    ) -> Result<(), ControlError> {
        if !self.invoices.contains_key(id) {
            return Err(ControlError::Unknown("such invoice"));
        }
        for _ in 0..request.times {
            match request.claim {
                Some(claimed) => self.notify_falsely(id, request.event, claimed, now),
                None => self.notify_again(id, request.event, now),
            }
        }
        Ok(())
    }
}

fn usual_amount(progress: &Progress, kind: PayKind) -> Decimal {
    match kind {
        PayKind::Exact => progress.share(Share::Exact),
        PayKind::Less => progress.share(Share::Less),
        PayKind::More => progress.share(Share::More),
        PayKind::Late => progress.quote().map_or(Decimal::ZERO, |quote| quote.total),
    }
}

/// Notifications to send by hand.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IpnRequest {
    /// How many.
    #[serde(default = "once")]
    pub times: u32,
    /// What they report.
    #[serde(default = "manually")]
    pub event: Event,
    /// A status to claim instead of the true one, under a right signature.
    #[serde(default)]
    pub claim: Option<Status>,
}

fn once() -> u32 {
    1
}

fn manually() -> Event {
    Event::ManuallyNotified
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeRequest {
    code: Option<String>,
    environment: Option<Environment>,
    merchant: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockRequest {
    advance_s: u64,
}

/// Answers one request of the control API; `path` is what follows `/_control/`.
#[must_use]
pub(super) fn serve(shared: &Shared, method: &str, path: &str, body: &[u8]) -> Reply {
    route(shared, method, path, body).unwrap_or_else(Reply::from)
}

fn route(shared: &Shared, method: &str, path: &str, body: &[u8]) -> Result<Reply, ControlError> {
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match (method, path.as_slice()) {
        ("GET", ["state"]) => Ok(Reply::ok(state(shared))),
        ("GET", ["log"]) => Ok(Reply::ok(json!(shared.script.log()))),
        ("DELETE", ["log"]) => {
            shared.script.clear_log();
            Ok(done())
        }
        (_, ["faults"]) => faults(shared, method, body),
        ("POST", ["options"]) => change_settings(shared, &read(body)?),
        ("POST", ["clock"]) => {
            let request: ClockRequest = parse(body)?;
            shared.advance(std::time::Duration::from_secs(request.advance_s));
            Ok(Reply::ok(json!({"now": shared.clock.now()})))
        }
        ("POST", ["pairing-codes"]) => add_code(shared, body),
        ("POST", ["open-tokens"]) => add_open_token(shared, body),
        ("POST", ["tokens", token, verb]) => switch_token(shared, token, verb),
        ("GET", ["invoices", id]) => show(shared, id),
        ("POST", ["invoices", id, "ipn"]) => {
            let request = parse(body)?;
            shared.change(|world, now| world.send_ipns(id, &request, now))?;
            show(shared, id)
        }
        ("POST", ["invoices", id, "pay"]) => {
            let request = parse(body)?;
            shared.change(|world, now| world.pay(id, &request, now))?;
            show(shared, id)
        }
        ("POST", ["invoices", id, name]) => {
            shared.change(|world, now| world.move_invoice(id, name, now))?;
            show(shared, id)
        }
        _ => Err(ControlError::Unknown("such control")),
    }
}

fn done() -> Reply {
    Reply::ok(json!({"done": true}))
}

/// An empty body is an empty object.
fn read(body: &[u8]) -> Result<Value, ControlError> {
    let body = if body.is_empty() { b"{}" } else { body };
    let value: Value = serde_json::from_slice(body)?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(ControlError::Unreadable("the body must be an object".to_owned()))
    }
}

fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, ControlError> {
    Ok(serde_json::from_value(read(body)?)?)
}

fn show(shared: &Shared, id: &str) -> Result<Reply, ControlError> {
    let view = shared.world().view(id, &shared.base);
    view.map(|view| Reply::ok(json!(view))).ok_or(ControlError::Unknown("such invoice"))
}

fn state(shared: &Shared) -> Value {
    let world = shared.world();
    let tokens: Vec<_> =
        world.token_order.iter().filter_map(|value| world.tokens.get(value)).collect();
    let deliveries: Vec<&Delivery> = world.deliveries.values().collect();
    json!({
        "environment": world.environment,
        "now": shared.clock.now(),
        "merchant": world.merchant,
        "options": world.settings,
        "invoices": world.views(&shared.base),
        "tokens": tokens,
        "pairing_codes": world.pairing_codes,
        "deliveries": deliveries,
        "refunds": world.refunds,
        "faults": shared.script.describe(),
    })
}

fn faults(shared: &Shared, method: &str, body: &[u8]) -> Result<Reply, ControlError> {
    match method {
        "GET" => {}
        "POST" => shared.script.arm(parse(body)?),
        "DELETE" => shared.script.disarm(),
        _ => return Err(ControlError::Unknown("such control")),
    }
    Ok(Reply::ok(shared.script.describe()))
}

fn change_settings(shared: &Shared, change: &Value) -> Result<Reply, ControlError> {
    let settings = shared.change(|world, _| -> Result<Settings, serde_json::Error> {
        world.settings = world.settings.changed(change)?;
        Ok(world.settings.clone())
    })?;
    Ok(Reply::ok(json!(settings)))
}

fn add_code(shared: &Shared, body: &[u8]) -> Result<Reply, ControlError> {
    let request: CodeRequest = parse(body)?;
    let code = request.code.unwrap_or_else(random::pairing_code);
    let shape = code.len() == random::PAIRING_CODE_LENGTH
        && code.chars().all(|c| c.is_ascii_alphanumeric());
    if !shape {
        return Err(ControlError::Unreadable(
            "a pairing code has seven letters and digits".to_owned(),
        ));
    }
    shared.change(|world, now| {
        let environment = request.environment.unwrap_or(world.environment);
        let merchant = request.merchant.unwrap_or_else(|| world.merchant.clone());
        world.add_pairing_code(&code, environment, merchant, now);
    });
    Ok(Reply::ok(json!({"code": code})))
}

fn add_open_token(shared: &Shared, body: &[u8]) -> Result<Reply, ControlError> {
    let request: TokenRequest = parse(body)?;
    let token = request.token.unwrap_or_else(random::token);
    shared.change(|world, now| world.add_open_token(&token, None, now));
    Ok(Reply::ok(json!({"token": token})))
}

/// `approve` takes the pairing code of the request, `disable` and `enable` the token itself.
fn switch_token(shared: &Shared, token: &str, verb: &str) -> Result<Reply, ControlError> {
    let known = shared.change(|world, now| match verb {
        "approve" => world.approve(token, now),
        "disable" => world.stand(token, Standing::Disabled),
        "enable" => world.stand(token, Standing::Active),
        _ => false,
    });
    if known { Ok(done()) } else { Err(ControlError::Unknown("such token")) }
}

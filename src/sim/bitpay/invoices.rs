//! The endpoints below `/invoices`.
//!
//! **Invariant:** one guid of one merchant is one invoice, and no merchant sees another's.

use serde_json::{Map, Value};

use super::Environment;
use super::api::{ApiRequest, authorize, authorize_for};
use super::invoice::{Event, IllegalMove, Status};
use super::order::Order;
use super::progress::Progress;
use super::reply::{ApiError, Reply};
use super::tokens::{Facade, Token};
use super::wire;
use super::world::{Invoice, World};

const INVOICING: [Facade; 2] = [Facade::Pos, Facade::Merchant];

fn body_token(body: &Map<String, Value>) -> Result<&str, ApiError> {
    let token = body.get("token").and_then(Value::as_str).filter(|token| !token.is_empty());
    token.ok_or_else(|| ApiError::Missing(vec!["token"]))
}

fn own<'a>(world: &'a World, token: &Token, id: &str) -> Result<&'a Invoice, ApiError> {
    let invoice = world.invoices.get(id).filter(|invoice| invoice.merchant == token.merchant);
    invoice.ok_or(ApiError::InvoiceNotFound)
}

/// `POST /invoices`.
///
/// # Errors
/// As [`authorize_for`] and [`Order::read`].
pub(super) fn create(world: &mut World, request: &ApiRequest) -> Result<Reply, ApiError> {
    let body = request.json();
    let token = authorize_for(world, request, body_token(&body)?, &INVOICING)?;
    let order = Order::read(&body, &world.settings)?;
    let id = world.open_invoice(&token, order, request.now);
    let invoice = own(world, &token, &id)?;
    Ok(Reply::ok(wire::resource(invoice, token.facade, request)))
}

/// `GET /invoices/:id`: all of it for the merchant's token, a part of it for everybody.
///
/// # Errors
/// As [`authorize_for`], or that there is no such invoice.
pub(super) fn show(world: &World, request: &ApiRequest, id: &str) -> Result<Reply, ApiError> {
    let Some(value) = request.param("token") else {
        let invoice = world.invoices.get(id).ok_or(ApiError::InvoiceNotFound)?;
        return Ok(Reply::ok(wire::public(invoice, request)));
    };
    let token = authorize_for(world, request, &value, &INVOICING)?;
    Ok(Reply::ok(wire::resource(own(world, &token, id)?, token.facade, request)))
}

/// `GET /invoices/guid/:guid`.
///
/// # Errors
/// As [`authorize_for`], or that the merchant has no such invoice.
pub(super) fn show_by_guid(
    world: &World,
    request: &ApiRequest,
    guid: &str,
) -> Result<Reply, ApiError> {
    let value = request.param("token").ok_or_else(|| ApiError::Missing(vec!["token"]))?;
    let token = authorize_for(world, request, &value, &INVOICING)?;
    let key = (token.merchant.clone(), guid.to_owned());
    let id = world.by_guid.get(&key).ok_or(ApiError::InvoiceNotFound)?;
    Ok(Reply::ok(wire::resource(own(world, &token, id)?, token.facade, request)))
}

/// `GET /invoices`: the merchant facade alone may search.
///
/// # Errors
/// As [`authorize_for`], or that one of the dates is missing.
pub(super) fn list(world: &World, request: &ApiRequest) -> Result<Reply, ApiError> {
    let value = request.param("token").ok_or_else(|| ApiError::Missing(vec!["token"]))?;
    let token = authorize_for(world, request, &value, &[Facade::Merchant])?;
    let filter = Filter::read(request)?;
    let rows = world.invoice_order.iter().rev().filter_map(|id| world.invoices.get(id));
    let rows = rows.filter(|invoice| invoice.merchant == token.merchant && filter.passes(invoice));
    let page: Vec<_> = rows
        .skip(filter.offset)
        .take(filter.limit)
        .map(|invoice| wire::data(invoice, request))
        .collect();
    Ok(Reply::data(&Value::Array(page)))
}

struct Filter {
    from: String,
    to: String,
    status: Option<String>,
    order_id: Option<String>,
    limit: usize,
    offset: usize,
    all: bool,
}

impl Filter {
    fn read(request: &ApiRequest) -> Result<Self, ApiError> {
        let mut missing = Vec::new();
        let mut date = |name: &'static str| {
            let found = request.param(name);
            if found.is_none() {
                missing.push(name);
            }
            found.unwrap_or_default()
        };
        let (from, to) = (date("dateStart"), date("dateEnd"));
        if !missing.is_empty() {
            return Err(ApiError::Missing(missing));
        }
        let number = |name: &'static str, default: usize| {
            request
                .param(name)
                .map_or(Ok(default), |text| text.parse().map_err(|_| ApiError::InvalidParam(name)))
        };
        Ok(Self {
            from,
            to,
            status: request.param("status"),
            order_id: request.param("orderId"),
            limit: number("limit", 50)?,
            offset: number("offset", 0)?,
            all: request.ignore_filter,
        })
    }

    fn passes(&self, invoice: &Invoice) -> bool {
        let day = invoice.created.date();
        let status = serde_json::to_value(invoice.progress.status).unwrap_or_default();
        self.all
            || (self.from <= day
                && day <= self.to
                && self.status.as_ref().is_none_or(|wanted| status == wanted.as_str())
                && (self.order_id.is_none() || self.order_id == invoice.order.order_id))
    }
}

/// `PUT /invoices/pay/:id`: the test environment pays by itself.
///
/// # Errors
/// As [`authorize_for`]; not found in production; or the invoice cannot be paid any more.
pub(super) fn pay(world: &mut World, request: &ApiRequest, id: &str) -> Result<Reply, ApiError> {
    if world.environment != Environment::Test {
        return Err(ApiError::NotFound);
    }
    let body = request.json();
    let token = authorize_for(world, request, body_token(&body)?, &INVOICING)?;
    own(world, &token, id)?;
    let complete = match body.get("status").and_then(Value::as_str) {
        None | Some("confirmed") => false,
        Some("complete") => true,
        Some(_) => return Err(ApiError::InvalidParam("status")),
    };
    pay_at_once(world, request, id, complete)?;
    Ok(Reply::ok(wire::resource(own(world, &token, id)?, token.facade, request)))
}

fn pay_at_once(
    world: &mut World,
    request: &ApiRequest,
    id: &str,
    complete: bool,
) -> Result<(), ApiError> {
    let refused = |error: Option<IllegalMove>| match error {
        Some(error) => ApiError::InvoiceState(error.to_string()),
        None => ApiError::InvoiceNotFound,
    };
    let status = world
        .advance(id, request.now, |progress| progress.pay_off(request.now))
        .map_err(refused)?;
    if complete {
        world.advance(id, request.now, Progress::complete).map_err(refused)?;
    } else if status == Status::Paid {
        // With a low speed there is no such status; the invoice stays paid.
        let _ = world.advance(id, request.now, Progress::confirm);
    }
    Ok(())
}

/// `POST /invoices/:id/notifications`: sends the notification again; the invoice's own token is enough.
///
/// # Errors
/// Refuses any other token than the invoice's.
pub(super) fn resend(world: &mut World, request: &ApiRequest, id: &str) -> Result<Reply, ApiError> {
    let body = request.json();
    let value = body_token(&body)?;
    let invoice = world.invoices.get(id).ok_or(ApiError::InvoiceNotFound)?;
    if invoice.resource_token != value {
        // A merchant token is reported to be refused here too.
        authorize(world, request, value)?;
        return Err(ApiError::InvalidToken);
    }
    world.notify_again(id, Event::ManuallyNotified, request.now);
    Ok(Reply::data(&Value::from("Success")))
}

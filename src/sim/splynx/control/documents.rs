//! Rows by hand: customers, documents, payments.

use actix_web::http::Method;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, done, read};
use crate::sim::splynx::books::{Draft, DraftItem};
use crate::sim::splynx::rows::{Kind, Payment, Status};
use crate::sim::splynx::world::{Shared, World};

pub(super) fn route(
    shared: &Shared,
    method: &Method,
    segments: &[&str],
    body: &[u8],
) -> Option<Outcome> {
    let mut world = shared.world();
    match (method.as_str(), segments) {
        ("POST", ["customers"]) => Some(add_customer(&mut world, body)),
        ("POST", ["payments"]) => Some(add_payment(&mut world, body)),
        ("DELETE", ["payments", id]) => Some(delete_payment(&mut world, id)),
        ("POST", [table]) => Some(add(&mut world, kind_of(table)?, body)),
        ("PATCH", [table, id]) => Some(patch(&mut world, kind_of(table)?, id, body)),
        _ => None,
    }
}

fn kind_of(table: &str) -> Option<Kind> {
    match table {
        "invoices" => Some(Kind::Invoice),
        "proformas" => Some(Kind::Proforma),
        _ => None,
    }
}

fn decimal(value: &Value) -> Result<Decimal, String> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().map_err(|_| format!("{text} is not a sum"))
}

fn sum(value: Option<&Value>) -> Result<Option<Decimal>, String> {
    value.map(decimal).transpose()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCustomer {
    billing_type: Option<String>,
    name: Option<String>,
}

fn add_customer(world: &mut World, body: &[u8]) -> Outcome {
    let new: NewCustomer = read(body)?;
    let id = world.books.add_customer(new.billing_type.as_deref().unwrap_or("recurring"));
    let customer = world.books.customers.get_mut(id).ok_or("the customer is gone")?;
    if let Some(name) = new.name {
        customer.name = name;
    }
    Ok(json!({ "id": id, "login": customer.login, "password": customer.password }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewItem {
    description: String,
    quantity: Option<Value>,
    price: Value,
    tax: Option<Value>,
}

impl NewItem {
    fn draft(self) -> Result<DraftItem, String> {
        Ok(DraftItem {
            description: self.description,
            quantity: sum(self.quantity.as_ref())?.unwrap_or(Decimal::ONE),
            price: decimal(&self.price)?,
            tax: sum(self.tax.as_ref())?.unwrap_or_default(),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDocument {
    customer_id: u64,
    total: Option<Value>,
    #[serde(default)]
    items: Vec<NewItem>,
    number: Option<String>,
    date: Option<NaiveDate>,
}

/// Makes a document of the given total, or of the given items.
fn add(world: &mut World, kind: Kind, body: &[u8]) -> Outcome {
    let new: NewDocument = read(body)?;
    let now = world.clock.now().naive_utc();
    let created = new.date.map_or(now, |date| date.and_time(now.time()));
    let total = sum(new.total.as_ref())?;
    let mut draft = Draft::of(new.customer_id, total.unwrap_or_default(), created);
    draft.number = new.number;
    if total.is_none() {
        draft.items = new.items.into_iter().map(NewItem::draft).collect::<Result<_, _>>()?;
    }
    if world.books.customers.get(new.customer_id).is_none() {
        return Err(format!("no customer {}", new.customer_id));
    }
    let id = world.books.add_document(kind, draft);
    document(world, kind, id)
}

fn document(world: &World, kind: Kind, id: u64) -> Outcome {
    let document = world.books.documents(kind).get(id).ok_or("no such document")?;
    serde_json::to_value(document).map_err(|error| error.to_string())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    total: Option<Value>,
    due: Option<Value>,
    status: Option<Status>,
    customer_id: Option<u64>,
    #[serde(default)]
    items: Vec<NewItem>,
}

/// Changes a document as an admin does. The customer first, the status last.
fn patch(world: &mut World, kind: Kind, id: &str, body: &[u8]) -> Outcome {
    let id: u64 = id.parse().map_err(|_| "the id is no number")?;
    document(world, kind, id)?;
    let change: Change = read(body)?;
    let now = world.clock.now().naive_utc();
    if let Some(customer_id) = change.customer_id {
        world.books.reassign(kind, id, customer_id);
    }
    for item in change.items {
        world.books.append_item(kind, id, item.draft()?, now);
    }
    if let Some(total) = sum(change.total.as_ref())? {
        world.books.set_total(kind, id, total, now);
    }
    match (kind, sum(change.due.as_ref())?) {
        (Kind::Invoice, Some(due)) => world.books.set_due(id, due),
        (Kind::Proforma, Some(_)) => return Err("a proforma invoice has no due".to_owned()),
        (_, None) => {}
    }
    if let Some(status) = change.status {
        world.books.set_status(kind, id, status);
    }
    document(world, kind, id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPayment {
    customer_id: u64,
    amount: Value,
    invoice_id: Option<u64>,
    request_id: Option<u64>,
    receipt_number: Option<String>,
}

/// Records a payment in cash, as an admin does at the counter.
fn add_payment(world: &mut World, body: &[u8]) -> Outcome {
    let new: NewPayment = read(body)?;
    let created = world.clock.now().naive_utc();
    let payment = Payment {
        id: 0,
        customer_id: new.customer_id,
        invoice_id: new.invoice_id,
        request_id: new.request_id,
        transaction_id: None,
        payment_type: 1,
        receipt_number: new.receipt_number.unwrap_or_else(|| "CASH".to_owned()),
        date: created.date(),
        amount: decimal(&new.amount)?,
        comment: String::new(),
        fields: Default::default(),
        note: String::new(),
        memo: String::new(),
        remind_amount: Decimal::ZERO,
        created,
        added_by: "admin".to_owned(),
    };
    let behaviour = world.behaviour;
    Ok(json!({ "id": world.books.post_payment(payment, behaviour) }))
}

fn delete_payment(world: &mut World, id: &str) -> Outcome {
    let id: u64 = id.parse().map_err(|_| "the id is no number")?;
    if world.books.delete_payment(id) { done(|| {}) } else { Err("no such payment".to_owned()) }
}

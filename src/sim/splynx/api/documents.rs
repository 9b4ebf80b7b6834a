//! `admin/finance/invoices` and `admin/finance/proforma-invoices`.
//!
//! **Invariant:** an item without an id is appended, every time; an item with an id replaces that one.

use rust_decimal::Decimal;
use serde_json::Value;

use super::Reply;
use super::failure::Failure;
use super::input::Input;
use super::resource::{Action, Job};
use crate::sim::splynx::books::DraftItem;
use crate::sim::splynx::rows::{Document, INVOICE_COLUMNS, Item, Kind, PROFORMA_COLUMNS, Status};
use crate::sim::splynx::world::World;

pub(super) fn serve(world: &mut World, kind: Kind, job: &Job<'_>) -> Result<Reply, Failure> {
    let columns = match kind {
        Kind::Invoice => INVOICE_COLUMNS,
        Kind::Proforma => PROFORMA_COLUMNS,
    };
    match job.action {
        Action::Update => update(world, kind, job),
        _ => job.read(world, world.books.documents(kind), columns),
    }
}

/// What a PUT may change; everything else in it is ignored, as Yii ignores unsafe attributes.
struct Change {
    status: Option<Status>,
    date_payment: Option<chrono::NaiveDate>,
    payment_id: Option<u64>,
    note: Option<String>,
    memo: Option<String>,
    items: Vec<ItemChange>,
}

enum ItemChange {
    Append(DraftItem),
    Replace(Item),
}

fn update(world: &mut World, kind: Kind, job: &Job<'_>) -> Result<Reply, Failure> {
    let id = job.id()?;
    let document = world.books.documents(kind).get(id).ok_or_else(Failure::not_found)?;
    let mut input = Input::parse(&job.request.body)?;
    let change = read(&mut input, document);
    if let Some(payment_id) = change.payment_id
        && world.books.payments.get(payment_id).is_none()
    {
        input.error("payment_id", "Payment ID is invalid.");
    }
    input.check()?;
    apply(world, kind, id, change);
    Ok(Reply::accepted())
}

fn read(input: &mut Input, document: &Document) -> Change {
    let words: &[&str] = match document.kind {
        Kind::Invoice => &["not_paid", "paid", "pending", "deleted"],
        Kind::Proforma => &["not_paid", "paid", "pending"],
    };
    Change {
        status: input.word("status", words).and_then(|word| Status::parse(&word)),
        date_payment: input.date("date_payment"),
        payment_id: input.id("payment_id"),
        note: input.text("note", 2048),
        memo: input.text("memo", 2048),
        items: read_items(input, document),
    }
}

fn read_items(input: &mut Input, document: &Document) -> Vec<ItemChange> {
    let items = match input.value("items") {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(_) => {
            input.error("items", "items must be an array.");
            return Vec::new();
        }
    };
    let mut changes = Vec::new();
    for item in items {
        match read_item(&item, document) {
            Ok(change) => changes.push(change),
            Err(Failure::Invalid(errors)) => {
                for (attribute, error) in errors {
                    input.error(&attribute, error);
                }
            }
            Err(Failure::Coded(_, _, message)) => input.error("items", message),
        }
    }
    changes
}

fn read_item(item: &Value, document: &Document) -> Result<ItemChange, Failure> {
    let mut input = Input::parse(item.to_string().as_bytes())?;
    let Some(id) = input.id("id") else { return append(input) };
    let Some(old) = document.items.iter().find(|old| old.id == id) else {
        return Err(Failure::invalid("items", "Item not found."));
    };
    let changed = Item {
        description: input.text("description", 2048).unwrap_or_else(|| old.description.clone()),
        quantity: input.decimal("quantity").unwrap_or(old.quantity),
        unit: input.text("unit", 20).unwrap_or_else(|| old.unit.clone()),
        price: input.decimal("price").unwrap_or(old.price),
        tax: input.decimal("tax").unwrap_or(old.tax),
        category: input.id("categoryIdForTransaction").unwrap_or(old.category),
        ..old.clone()
    };
    input.check()?;
    Ok(ItemChange::Replace(changed))
}

fn append(mut input: Input) -> Result<ItemChange, Failure> {
    let draft = DraftItem {
        description: input.required_text("description", 2048),
        quantity: input.decimal("quantity").unwrap_or(Decimal::ONE),
        price: input.decimal("price").unwrap_or_default(),
        tax: input.decimal("tax").unwrap_or_default(),
    };
    input.check()?;
    Ok(ItemChange::Append(draft))
}

fn apply(world: &mut World, kind: Kind, id: u64, change: Change) {
    let now = world.clock.now().naive_utc();
    for item in change.items {
        match item {
            ItemChange::Append(draft) => world.books.append_item(kind, id, draft, now),
            ItemChange::Replace(item) => {
                world.books.replace_item(kind, id, &item, now);
            }
        }
    }
    if let Some(document) = world.books.documents_mut(kind).get_mut(id) {
        document.date_updated = Some(now.date());
        document.date_payment = change.date_payment.or(document.date_payment);
        document.payment_id = change.payment_id.or(document.payment_id);
        document.note = change.note.unwrap_or_else(|| document.note.clone());
        document.memo = change.memo.unwrap_or_else(|| document.memo.clone());
    }
    if let Some(status) = change.status {
        world.books.set_status(kind, id, status);
    }
}

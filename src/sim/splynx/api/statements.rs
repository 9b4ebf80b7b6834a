//! `admin/finance/bank-statements` and `admin/finance/bank-statements-records`.
//!
//! **Invariant:** neither titles nor records are unique, and neither moves money.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::failure::Failure;
use super::input::Input;
use super::resource::{Action, Job};
use super::{Reply, wire};
use crate::sim::splynx::books::Books;
use crate::sim::splynx::rows::{
    RECORD_COLUMNS, RECORD_STATUSES, Record, STATEMENT_COLUMNS, STATEMENT_STATUSES, Statement,
};
use crate::sim::splynx::world::World;

pub(super) fn serve(world: &mut World, job: &Job<'_>) -> Result<Reply, Failure> {
    match job.action {
        Action::Add => add_statement(world, job),
        Action::Index | Action::View => {
            let reply = job.read(world, &world.books.statements, STATEMENT_COLUMNS)?;
            Ok(with_counters(&world.books, reply))
        }
        Action::Update | Action::Delete => Err(Failure::disabled()),
    }
}

fn add_statement(world: &mut World, job: &Job<'_>) -> Result<Reply, Failure> {
    let mut input = Input::parse(&job.request.body)?;
    let statement = Statement {
        id: 0,
        title: input.required_text("title", 255),
        status: input.word("status", STATEMENT_STATUSES).unwrap_or_else(|| "new".to_owned()),
        created: world.clock.now().naive_utc(),
        payment_type: input.id("payment_type"),
    };
    input.check()?;
    let id = world.books.statements.insert(statement);
    Ok(Reply::created(wire::created(id, world.behaviour.typing)))
}

/// Adds `records`, `processed`, … to each statement of the answer.
fn with_counters(books: &Books, mut reply: Reply) -> Reply {
    match reply.body.as_mut() {
        Some(Value::Array(rows)) => {
            rows.iter_mut().filter_map(Value::as_object_mut).for_each(|row| count(books, row));
        }
        Some(Value::Object(row)) if row.contains_key("id") => count(books, row),
        _ => {}
    }
    reply
}

fn count(books: &Books, row: &mut Map<String, Value>) {
    let id = row.get("id").map(|id| id.to_string().trim_matches('"').to_owned());
    let own = |record: &&Record| Some(record.bank_statements_process_id.to_string()) == id;
    let of = |status: &str| {
        let found = books.records.iter().filter(own);
        Value::from(found.filter(|record| status.is_empty() || record.status == status).count())
    };
    let counters = [
        ("records", ""),
        ("processed", "processed"),
        ("errors", "error"),
        ("new", "new"),
        ("canceled", "canceled"),
        ("ignored", "ignored"),
        ("manual_paired", "manual_paired"),
        ("pending", "pending"),
    ];
    for (name, status) in counters {
        row.insert(name.to_owned(), of(status));
    }
}

pub(super) fn serve_records(world: &mut World, job: &Job<'_>) -> Result<Reply, Failure> {
    match job.action {
        Action::Add => add_record(world, job),
        Action::Update => update_record(world, job),
        _ => job.read(world, &world.books.records, RECORD_COLUMNS),
    }
}

fn blank(world: &World) -> Record {
    Record {
        id: 0,
        bank_statements_process_id: 0,
        created: world.clock.now().naive_utc(),
        payment_date: None,
        amount: Decimal::ZERO,
        status: "new".to_owned(),
        pairing: Default::default(),
        additional: Default::default(),
        comment: String::new(),
        customer_id: None,
        invoice_id: None,
        request_id: None,
        payment_id: None,
        transaction_id: None,
    }
}

/// The record with every field of the body taken over, and the errors in the body.
fn merge(old: Record, input: &mut Input) -> Record {
    let numbered = |input: &mut Input, prefix: &str, old: [String; 3]| {
        let mut numbers = 1..;
        old.map(|old| {
            let number = numbers.next().unwrap_or(0);
            input.text(&format!("{prefix}_{number}"), 255).unwrap_or(old)
        })
    };
    Record {
        bank_statements_process_id: input
            .id("bank_statements_process_id")
            .unwrap_or(old.bank_statements_process_id),
        payment_date: input.date("payment_date").or(old.payment_date),
        amount: input.decimal("amount").unwrap_or(old.amount),
        status: input.word("status", RECORD_STATUSES).unwrap_or(old.status),
        pairing: numbered(input, "pairing", old.pairing),
        additional: numbered(input, "additional", old.additional),
        comment: input.text("comment", 255).unwrap_or(old.comment),
        customer_id: input.id("customer_id").or(old.customer_id),
        invoice_id: input.id("invoice_id").or(old.invoice_id),
        request_id: input.id("request_id").or(old.request_id),
        payment_id: input.id("payment_id").or(old.payment_id),
        transaction_id: input.id("transaction_id").or(old.transaction_id),
        ..old
    }
}

fn add_record(world: &mut World, job: &Job<'_>) -> Result<Reply, Failure> {
    let mut input = Input::parse(&job.request.body)?;
    let record = merge(blank(world), &mut input);
    if world.books.statements.get(record.bank_statements_process_id).is_none() {
        input.error("bank_statements_process_id", "Payment Statement ID is invalid.");
    }
    input.check()?;
    let id = world.books.records.insert(record);
    Ok(Reply::created(wire::created(id, world.behaviour.typing)))
}

fn update_record(world: &mut World, job: &Job<'_>) -> Result<Reply, Failure> {
    let id = job.id()?;
    let old = world.books.records.get(id).ok_or_else(Failure::not_found)?.clone();
    let mut input = Input::parse(&job.request.body)?;
    let record = merge(old, &mut input);
    input.check()?;
    if let Some(slot) = world.books.records.get_mut(id) {
        *slot = record;
    }
    Ok(Reply::accepted())
}

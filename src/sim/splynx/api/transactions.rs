//! `admin/finance/transactions`.
//!
//! **Invariant:** a debit lowers the customer's deposit and a credit raises it, by the total with VAT.

use rust_decimal::Decimal;

use super::failure::Failure;
use super::input::Input;
use super::resource::{Action, Job};
use super::{Reply, wire};
use crate::sim::splynx::rows::{Direction, TRANSACTION_COLUMNS, Transaction};
use crate::sim::splynx::world::World;

pub(super) fn serve(world: &mut World, job: &Job<'_>) -> Result<Reply, Failure> {
    match job.action {
        Action::Add => add(world, job),
        _ => job.read(world, &world.books.transactions, TRANSACTION_COLUMNS),
    }
}

fn add(world: &mut World, job: &Job<'_>) -> Result<Reply, Failure> {
    let mut input = Input::parse(&job.request.body)?;
    let transaction = read(&mut input);
    if world.books.customers.get(transaction.customer_id).is_none() {
        input.error("customer_id", "Customer ID is invalid.");
    }
    if world.books.categories.get(transaction.category).is_none() {
        input.error("category", "Category is invalid.");
    }
    input.check()?;
    let id = world.books.book(transaction);
    Ok(Reply::created(wire::created(id, world.behaviour.typing)))
}

fn read(input: &mut Input) -> Transaction {
    if !input.has("type") {
        input.error("type", "Type is required");
    }
    if !input.has("tax_percent") {
        input.error("tax_percent", "VAT % is required");
    }
    let direction = match input.word("type", &["debit", "credit"]).as_deref() {
        Some("credit") => Direction::Credit,
        _ => Direction::Debit,
    };
    let quantity = input.decimal("quantity").unwrap_or(Decimal::ONE);
    let price = input.decimal("price").unwrap_or_default();
    let tax_percent = input.decimal("tax_percent").unwrap_or_default();
    Transaction {
        id: 0,
        direction,
        customer_id: input.id("customer_id").unwrap_or(0),
        quantity,
        price,
        tax_percent,
        total: Transaction::sum(quantity, price, tax_percent),
        date: input.required_date("date"),
        category: input.id("category").unwrap_or(0),
        description: input.text("description", 2048).unwrap_or_default(),
        comment: input.text("comment", 256).unwrap_or_default(),
        payment_id: input.id("payment_id"),
        invoice_id: input.id("invoice_id"),
        to_invoice: input.flag("to_invoice").unwrap_or(false),
        source: input
            .word("source", &["manual", "auto", "cdr", "config"])
            .unwrap_or_else(|| "manual".to_owned()),
    }
}

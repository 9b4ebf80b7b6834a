//! `admin/finance/payments`.
//!
//! **Invariant:** two equal POSTs are two payments. There is no idempotency here, and none may ever be added.

use rust_decimal::Decimal;

use super::failure::Failure;
use super::input::Input;
use super::resource::{Action, Job};
use super::{Reply, wire};
use crate::sim::splynx::access::Principal;
use crate::sim::splynx::books::Books;
use crate::sim::splynx::rows::{Kind, PAYMENT_COLUMNS, Payment};
use crate::sim::splynx::world::World;

pub(super) fn serve(world: &mut World, job: &Job<'_>) -> Result<Reply, Failure> {
    match job.action {
        Action::Add => add(world, job),
        Action::Delete if world.books.delete_payment(job.id()?) => Ok(Reply::no_content()),
        Action::Delete => Err(Failure::not_found()),
        _ => job.read(world, &world.books.payments, PAYMENT_COLUMNS),
    }
}

fn add(world: &mut World, job: &Job<'_>) -> Result<Reply, Failure> {
    let mut input = Input::parse(&job.request.body)?;
    let mut payment = read(&mut input);
    check(&world.books, &payment, &mut input);
    input.check()?;
    payment.created = world.clock.now().naive_utc();
    payment.added_by = match job.principal {
        Principal::ApiKey => "api".to_owned(),
        Principal::Admin(_) | Principal::Customer(_) => "admin".to_owned(),
    };
    let id = world.books.post_payment(payment, world.behaviour);
    Ok(Reply::created(wire::created(id, world.behaviour.typing)))
}

fn read(input: &mut Input) -> Payment {
    Payment {
        id: 0,
        customer_id: input.id("customer_id").unwrap_or(0),
        invoice_id: input.id("invoice_id"),
        request_id: input.id("request_id"),
        transaction_id: None,
        payment_type: input.id("payment_type").unwrap_or(0),
        receipt_number: input.required_text("receipt_number", 32),
        date: input.required_date("date"),
        amount: input.decimal("amount").unwrap_or_default(),
        comment: input.text("comment", 256).unwrap_or_default(),
        fields: [1, 2, 3, 4, 5].map(|n| input.present_text(&format!("field_{n}"), 512)),
        note: input.text("note", 2048).unwrap_or_default(),
        memo: input.text("memo", 2048).unwrap_or_default(),
        remind_amount: Decimal::ZERO,
        created: chrono::NaiveDateTime::MIN,
        added_by: String::new(),
    }
}

fn check(books: &Books, payment: &Payment, input: &mut Input) {
    if payment.customer_id == 0 {
        input.error("customer_id", "Customer ID is required");
    } else if books.customers.get(payment.customer_id).is_none() {
        input.error("customer_id", "Customer ID is invalid.");
    }
    if payment.amount.is_zero() {
        input.error("amount", "Invalid sum, only a value greater or less than 0 is allowed!");
    }
    let method = books.methods.get(payment.payment_type);
    if !method.is_some_and(|method| method.is_active) {
        input.error("payment_type", "Payment type is invalid.");
    }
    let links = [
        (Kind::Invoice, "invoice_id", payment.invoice_id),
        (Kind::Proforma, "request_id", payment.request_id),
    ];
    for (kind, attribute, id) in links {
        let Some(id) = id else { continue };
        let document = books.documents(kind).get(id);
        if document.is_none_or(|document| document.customer_id != payment.customer_id) {
            input.error(attribute, format!("{attribute} is invalid."));
        }
    }
}

//! The short lists: customers and their billing, partners, payment methods, categories, relations, e-mails.
//!
//! **Invariant:** a list that Splynx lets no add-on change is read only here.

use super::failure::Failure;
use super::input::Input;
use super::resource::{Action, Job};
use super::{Reply, wire};
use crate::sim::splynx::access::Principal;
use crate::sim::splynx::rows::{
    BILLING_COLUMNS, Billing, CATEGORY_COLUMNS, CUSTOMER_COLUMNS, MAIL_COLUMNS, METHOD_COLUMNS,
    Mail, Method, PARTNER_COLUMNS,
};
use crate::sim::splynx::table::{Column, column};
use crate::sim::splynx::world::World;

const RELATION_COLUMNS: &[Column] = &[
    column("id", "integer"),
    column("customer_id", "integer"),
    column("payer_id", "integer"),
    column("type", "string"),
    column("invoice_id", "integer"),
    column("amount", "decimal"),
];

pub(super) fn customers(world: &World, job: &Job<'_>) -> Result<Reply, Failure> {
    job.read(world, &world.books.customers, CUSTOMER_COLUMNS)
}

pub(super) fn partners(world: &World, job: &Job<'_>) -> Result<Reply, Failure> {
    job.read(world, &world.books.partners, PARTNER_COLUMNS)
}

pub(super) fn categories(world: &World, job: &Job<'_>) -> Result<Reply, Failure> {
    job.read(world, &world.books.categories, CATEGORY_COLUMNS)
}

pub(super) fn relations(world: &World, job: &Job<'_>) -> Result<Reply, Failure> {
    job.read(world, &world.books.relations, RELATION_COLUMNS)
}

pub(super) fn billing(world: &World, job: &Job<'_>) -> Result<Reply, Failure> {
    if job.action != Action::View {
        return Err(Failure::disabled());
    }
    let id = job.id()?;
    if matches!(job.principal, Principal::Customer(own) if own != id) {
        return Err(Failure::not_yours());
    }
    let customer = world.books.customers.get(id).ok_or_else(Failure::not_found)?;
    let billing = Billing(customer);
    let typing = world.behaviour.typing;
    Ok(Reply::ok(wire::cells(BILLING_COLUMNS, |column| billing.cell(column), typing, id % 2 == 1)))
}

pub(super) fn methods(world: &mut World, job: &Job<'_>) -> Result<Reply, Failure> {
    if job.action != Action::Add {
        return job.read(world, &world.books.methods, METHOD_COLUMNS);
    }
    let mut input = Input::parse(&job.request.body)?;
    if !input.has("is_active") {
        input.error("is_active", "Active is required");
    }
    let method = Method {
        id: 0,
        name: input.required_text("name", 64),
        is_active: input.flag("is_active").unwrap_or(false),
        names: [1, 2, 3, 4, 5].map(|n| input.text(&format!("name_{n}"), 64).unwrap_or_default()),
    };
    input.check()?;
    let id = world.books.methods.insert(method);
    Ok(Reply::created(wire::created(id, world.behaviour.typing)))
}

pub(super) fn mail(world: &mut World, job: &Job<'_>) -> Result<Reply, Failure> {
    if job.action != Action::Add {
        return job.read(world, &world.books.mails, MAIL_COLUMNS);
    }
    let mut input = Input::parse(&job.request.body)?;
    let kinds = ["message", "test", "monitoring", "add-on", "ticket"];
    if !input.has("type") {
        input.error("type", "Type is required");
    }
    let mail = Mail {
        id: 0,
        kind: input.word("type", &kinds).unwrap_or_default(),
        subject: input.required_text("subject", 255),
        recipient: input.required_text("recipient", 255),
        message: input.required_text("message", 65_535),
        customer_id: input.id("customer_id"),
    };
    input.check()?;
    let id = world.books.mails.insert(mail);
    Ok(Reply::created(wire::created(id, world.behaviour.typing)))
}

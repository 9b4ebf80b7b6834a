//! The click: what a payment will cost, and the way to the checkout.
//!
//! **Invariant:** the price is read from Splynx at the click; nothing of it comes from the browser. The attempt is
//! committed before the processor hears of it.

use chrono::TimeDelta;
use rust_decimal::Decimal;

use super::App;
use super::dead_end::{AmountProblem, DeadEnd};
use super::open_attempt;
use crate::domain::attempt::{Attempt, State, Terms};
use crate::domain::connection::Connection;
use crate::domain::ids::{AttemptId, DocumentNumber, Hook, ResultToken};
use crate::domain::money::{Money, MoneyError};
use crate::domain::payable::{Customer, Document, DocumentKind, Payable};
use crate::ports::store::Claim;

/// A reused checkout must stay open at least so long (design 4.2).
const USABLE_REST: TimeDelta = TimeDelta::minutes(3);

/// What a payment will cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// What is paid.
    pub payable: Payable,
    /// What is for the payable.
    pub due: Money,
    /// What is on top; nothing where no fee is asked for.
    pub fee: Money,
    /// The sum.
    pub price: Money,
}

/// The way to the checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Where the customer pays.
    pub url: String,
    /// Ends the address of the result page.
    pub result_token: ResultToken,
}

/// What a document of this customer will cost.
///
/// # Errors
///
/// [`DeadEnd`] says why it cannot be paid.
pub async fn quote_document(
    app: &App,
    customer: &Customer,
    kind: DocumentKind,
    number: &str,
) -> Result<Quote, DeadEnd> {
    active_connection(app).await?;
    let document = find_document(app, customer, kind, number).await?;
    let terms = document_terms(app, &document)?;
    let fee = terms.fee_gross();
    let payable = Payable::Document(document.reference);
    Ok(Quote { payable, due: terms.due, fee, price: terms.price })
}

/// Whether customers can refill at all now.
///
/// # Errors
///
/// [`DeadEnd::NotPaired`] when no processor is paired.
pub async fn can_top_up(app: &App) -> Result<(), DeadEnd> {
    active_connection(app).await.map(drop)
}

/// Begins (or goes on with) the payment of a document of this customer.
///
/// # Errors
///
/// [`DeadEnd`] says why it cannot be paid.
pub async fn pay_document(
    app: &App,
    customer: &Customer,
    kind: DocumentKind,
    number: &str,
) -> Result<Checkout, DeadEnd> {
    let connection = active_connection(app).await?;
    let document = find_document(app, customer, kind, number).await?;
    let terms = document_terms(app, &document)?;
    begin(app, customer, connection, Payable::Document(document.reference), terms).await
}

/// Reads the amount of a refill as the customer typed it. Asks neither Splynx nor the processor.
///
/// # Errors
///
/// [`DeadEnd::Amount`] when it cannot be refilled; [`DeadEnd::NotPaired`] before that, for then none can.
pub async fn check_top_up(app: &App, amount: &str) -> Result<Money, DeadEnd> {
    can_top_up(app).await?;
    parse_amount(app, amount)
}

/// Begins (or goes on with) a refill of this customer's balance by an amount that [`check_top_up`] let pass.
///
/// # Errors
///
/// [`DeadEnd`] says why it cannot be done.
pub async fn pay_top_up(app: &App, customer: &Customer, due: Money) -> Result<Checkout, DeadEnd> {
    let connection = active_connection(app).await?;
    let terms = Terms::new(due, app.rules().fee.on(due)?, Decimal::ZERO)?;
    begin(app, customer, connection, Payable::TopUp, terms).await
}

fn parse_amount(app: &App, text: &str) -> Result<Money, DeadEnd> {
    let rules = app.rules();
    let amount = Money::parse(text, rules.currency).map_err(|error| match error {
        MoneyError::TooPrecise { places } => AmountProblem::TooPrecise { places },
        MoneyError::OutOfRange => AmountProblem::TooLarge { maximum: rules.maximum },
        _ => AmountProblem::NotAnAmount,
    })?;
    if !amount.is_positive() {
        return Err(AmountProblem::NotAnAmount.into());
    }
    if amount.compare(rules.minimum)?.is_lt() {
        return Err(AmountProblem::TooSmall { minimum: rules.minimum }.into());
    }
    if amount.compare(rules.maximum)?.is_gt() {
        return Err(AmountProblem::TooLarge { maximum: rules.maximum }.into());
    }
    Ok(amount)
}

async fn active_connection(app: &App) -> Result<Connection, DeadEnd> {
    app.store.active_connection().await?.ok_or(DeadEnd::NotPaired)
}

async fn find_document(
    app: &App,
    customer: &Customer,
    kind: DocumentKind,
    number: &str,
) -> Result<Document, DeadEnd> {
    let number = number.trim();
    if number.is_empty() {
        return Err(DeadEnd::NoNumber);
    }
    let number = DocumentNumber::parse(number).map_err(|_| DeadEnd::UnknownDocument(kind))?;
    let found = app.billing.document_by_number(kind, &number).await;
    let document =
        found.map_err(|error| DeadEnd::of_splynx(&error))?.ok_or(DeadEnd::UnknownDocument(kind))?;
    if document.customer == customer.id { Ok(document) } else { Err(DeadEnd::SomeoneElses) }
}

fn document_terms(app: &App, document: &Document) -> Result<Terms, DeadEnd> {
    let rules = app.rules();
    let due = document.charge(rules.currency)?;
    Ok(Terms::new(due, rules.fee.on(due)?, document.total)?)
}

async fn begin(
    app: &App,
    customer: &Customer,
    connection: Connection,
    payable: Payable,
    terms: Terms,
) -> Result<Checkout, DeadEnd> {
    let wanted = new_attempt(app, customer, &connection, payable, terms);
    let usable_until = app.clock.now() + USABLE_REST;
    let attempt = match app.store.claim(&wanted, usable_until).await? {
        Claim::Created(attempt) | Claim::Existing(attempt) => attempt,
    };
    let attempt = match attempt.opened {
        Some(_) => attempt,
        None => open_attempt::open(app, attempt, &connection).await?,
    };
    checkout_of(&attempt)
}

fn checkout_of(attempt: &Attempt) -> Result<Checkout, DeadEnd> {
    let opened = attempt
        .opened
        .as_ref()
        .ok_or_else(|| DeadEnd::ProcessorDown("the invoice is still being made".to_owned()))?;
    let url = opened.checkout_url.clone();
    Ok(Checkout { url, result_token: attempt.result_token.clone() })
}

fn new_attempt(
    app: &App,
    customer: &Customer,
    connection: &Connection,
    payable: Payable,
    terms: Terms,
) -> Attempt {
    let now = app.clock.now();
    let open_key = open_key(customer, connection, &payable, &terms);
    Attempt {
        id: AttemptId::new(now, app.entropy.random_u128()),
        hook: Hook::new(app.entropy.random_u128()),
        result_token: ResultToken::new(app.entropy.random_u128()),
        connection: connection.id,
        processor: connection.processor,
        environment: connection.environment,
        customer: customer.id,
        payable,
        terms,
        state: State::Opening,
        opened: None,
        open_key: Some(open_key),
        created_at: now,
        settled_at: None,
        recorded_at: None,
        monitor_until: now + app.settings.monitor,
        last_seen: None,
        // Should this process die now, the worker of the next one asks the processor whether the invoice was made.
        look_at: Some(now + app.settings.timing.lease),
        work_at: None,
        failures: 0,
        version: 0,
    }
}

/// Two clicks with equal keys are one attempt: all that design 4.2 wants to be equal is in it.
fn open_key(
    customer: &Customer,
    connection: &Connection,
    payable: &Payable,
    terms: &Terms,
) -> String {
    let what = match payable {
        Payable::Document(document) => {
            let kind = match document.kind {
                DocumentKind::Invoice => "invoice",
                DocumentKind::ProformaInvoice => "proforma",
            };
            format!("{kind}:{}", document.id)
        }
        Payable::TopUp => "top-up".to_owned(),
    };
    format!(
        "{}/{}/{what}/{}/{}/{}",
        connection.id,
        customer.id,
        terms.due.minor(),
        terms.fee_gross().minor(),
        terms.due.currency()
    )
}

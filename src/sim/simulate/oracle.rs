//! What must be true when all faults have healed and nothing is due any more.
//!
//! **Invariant:** it reads Splynx's rows and what the processor's invoices went through; of our own books it believes only
//! that a review tells a person.

use rust_decimal::Decimal;

use super::bitpay::Invoice;
use super::coverage::Happening;
use super::splynx::{Books, MoneyRow};
use super::world::State;
use crate::domain::alert::AlertKind;
use crate::domain::attempt::State as Stand;
use crate::domain::payable::{DocumentStatus, Payable};
use crate::domain::review::ReviewReason;
use crate::ports::store::Ledger;

/// All that is wrong in the end.
pub(super) fn judge(state: &mut State) -> Vec<String> {
    let mut wrong = Vec::new();
    if state.plan.to_the_end && !state.disk.is_at_rest() {
        wrong.push("the world does not come to rest: something stays due for ever".to_owned());
    }
    let ledgers = state.disk.ledgers();
    for ledger in &ledgers {
        let words = judge_attempt(state, ledger);
        wrong.extend(words.into_iter().map(|words| format!("{}: {words}", ledger.attempt.id)));
    }
    wrong.extend(strangers(state, &ledgers));
    wrong.extend(over_linked(state, &ledgers));
    wrong
}

fn judge_attempt(state: &mut State, ledger: &Ledger) -> Vec<String> {
    let Some(invoice) = state.bitpay.invoices.get(&ledger.attempt.id).cloned() else {
        let none = ledger.credits.is_empty();
        return if none { vec![] } else { vec!["credited without a processor invoice".to_owned()] };
    };
    let reviews = state.disk.reviews(ledger.attempt.id);
    let told = |reasons: &[ReviewReason]| {
        reviews.iter().any(|it| it.closed.is_none() && reasons.contains(&it.reason))
    };
    // What the restored books do not know at all is told beside the attempts.
    let is_restored = state.plan.restores > 0
        && (told(&[ReviewReason::BooksDiffer])
            || rows(&state.splynx.payments, &invoice).any(|row| is_told_stranger(state, row)));
    let mut wrong = wrong_sums(&state.splynx, ledger, &invoice, is_restored);
    let in_full = invoice.price.to_decimal();
    let paid = paid_by(&state.splynx, &invoice);
    let is_told = is_restored || told(&[ReviewReason::TakenBack]);
    if paid == in_full && !invoice.is_settled() && !is_told {
        wrong.push("money was taken back and nobody is told".to_owned());
    }
    let doubles = doubles(&state.splynx, &invoice);
    if !doubles.is_empty() {
        if told(&[ReviewReason::Duplicate, ReviewReason::BooksDiffer])
            || told(&[ReviewReason::FeeRefused])
        {
            state.coverage.count(Happening::Duplicate);
        } else {
            wrong.push(format!("{doubles:?} exist twice and nobody is told"));
        }
    }
    if paid == in_full && !is_restored && ledger.attempt.state != Stand::Recorded {
        wrong.push(format!("all is credited, but it stands as {:?}", ledger.attempt.state));
    }
    wrong.extend(wrong_document(&state.splynx, ledger, told(&[ReviewReason::NotMarkedPaid])));
    wrong
}

fn rows<'a>(rows: &'a [MoneyRow], invoice: &'a Invoice) -> impl Iterator<Item = &'a MoneyRow> {
    let prefix = format!("BP-{}-", invoice.id);
    rows.iter().filter(move |row| row.key.starts_with(&prefix))
}

/// What Splynx has of it, each key counted once.
fn paid_by(books: &Books, invoice: &Invoice) -> Decimal {
    let mut seen = std::collections::BTreeSet::new();
    rows(&books.payments, invoice)
        .filter(|row| seen.insert(row.key.clone()))
        .fold(Decimal::ZERO, |sum, row| sum.saturating_add(row.amount))
}

/// Where the database lost what it knew, a person compares the sums; but nothing may be there twice or too much.
fn wrong_sums(books: &Books, ledger: &Ledger, invoice: &Invoice, is_restored: bool) -> Vec<String> {
    let paid = paid_by(books, invoice);
    let price = invoice.price.to_decimal();
    let mut wrong = Vec::new();
    let fits = if is_restored && invoice.ever_settled() {
        paid <= price
    } else if invoice.is_settled() {
        paid == price
    } else if invoice.ever_settled() {
        paid == price || paid.is_zero()
    } else {
        paid.is_zero()
    };
    if !fits {
        wrong.push(format!("{paid} are in Splynx of {price}; settled: {}", invoice.is_settled()));
    }
    if rows(&books.payments, invoice).any(|row| row.customer != ledger.attempt.customer.get()) {
        wrong.push("a payment stands at another customer".to_owned());
    }
    for (name, key) in counted(books, invoice) {
        if !books.tainted.contains(&name) {
            wrong.push(format!("`{name}` exists {key} times"));
        }
    }
    wrong
}

/// What exists more than once, and how often.
fn counted(books: &Books, invoice: &Invoice) -> Vec<(String, usize)> {
    let mut names: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    let mut count = |name: String| {
        let number = names.entry(name).or_default();
        *number = number.saturating_add(1);
    };
    rows(&books.payments, invoice).for_each(|row| count(format!("payment {}", row.key)));
    rows(&books.debits, invoice).for_each(|row| count(format!("debit {}", row.key)));
    let prefix = format!("BP-{}-", invoice.id);
    for item in books.documents.values().flat_map(|row| &row.document.items) {
        let key = item.description.rsplit(' ').next().unwrap_or_default();
        if key.starts_with(&prefix) {
            count(format!("item {key}"));
        }
    }
    names.into_iter().filter(|(_, number)| *number > 1).collect()
}

fn doubles(books: &Books, invoice: &Invoice) -> Vec<String> {
    counted(books, invoice).into_iter().map(|(name, _)| name).collect()
}

/// A linked payment that covers a document nobody else touched makes it paid, or a person is told.
fn wrong_document(books: &Books, ledger: &Ledger, is_told: bool) -> Option<String> {
    let Payable::Document(reference) = &ledger.attempt.payable else {
        return None;
    };
    let row = books.document(reference.kind, reference.id.get())?;
    let linked = linked(books, reference);
    let is_tainted = books.tainted.iter().any(|thing| !thing.starts_with("debit"));
    let covered = linked >= row.document.total && !linked.is_zero();
    let is_ours = ledger
        .credits
        .iter()
        .any(|credit| credit.target == crate::domain::credit::Target::Document);
    let is_paid = row.document.status == DocumentStatus::Paid;
    (covered && is_ours && !is_paid && !is_told && !row.edited && !is_tainted)
        .then(|| format!("{linked} are linked to its document, which is not paid"))
}

fn linked(books: &Books, reference: &crate::domain::payable::DocumentRef) -> Decimal {
    let rows = books.payments.iter();
    rows.filter(|row| row.document == Some((reference.kind, reference.id.get())))
        .fold(Decimal::ZERO, |sum, row| sum.saturating_add(row.amount))
}

/// No document takes more than it asks for.
fn over_linked(state: &State, ledgers: &[Ledger]) -> Vec<String> {
    let books = &state.splynx;
    let untainted = books.tainted.is_empty();
    let fee = |ledger: &Ledger| ledger.attempt.terms.fee_gross().to_decimal();
    let mut wrong = Vec::new();
    for row in books.documents.values().filter(|row| !row.edited && untainted) {
        let reference = &row.document.reference;
        let own = ledgers.iter().filter(|it| it.attempt.payable.document() == Some(reference));
        let most = own.map(fee).max().unwrap_or_default();
        let linked = linked(books, reference);
        let limit = row.document.total.saturating_add(most).saturating_add(Decimal::new(1, 2));
        if linked > limit {
            let total = row.document.total;
            wrong.push(format!("{linked} are linked to document {} of {total}", reference.id));
        }
    }
    wrong
}

/// Whether reconcile told a person of a payment that is in no books.
fn is_told_stranger(state: &State, row: &MoneyRow) -> bool {
    state.disk.tells(AlertKind::Finding, &format!("stranger/payment {}", row.id))
}

/// Payments with our keys that no processor invoice stands behind.
fn strangers(state: &State, ledgers: &[Ledger]) -> Option<String> {
    let known = |key: &str| {
        ledgers.iter().any(|ledger| ledger.credits.iter().any(|credit| credit.key.as_str() == key))
    };
    let mut payments = state.splynx.payments.iter();
    let may_be_told = state.plan.restores > 0;
    let stranger =
        payments.find(|row| !(known(&row.key) || may_be_told && is_told_stranger(state, row)))?;
    Some(format!("payment {} is in no books", stranger.key))
}

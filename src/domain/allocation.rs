//! Which part of a credit goes on the document, and which to the balance (design 4.6 and 4.8).
//!
//! **Invariant:** the parts always sum up to the credit; nothing is dropped and nothing is made.

use std::cmp::Ordering;

use super::ids::CustomerId;
use super::money::{Money, MoneyError};
use super::payable::{Document, NotPayable};

/// What we expect of the document when all goes well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Whose it is.
    pub customer: CustomerId,
    /// What it shows as due right now: the frozen sum, and our own fee item if that is on it.
    pub due: Money,
    /// The credit that pays it wholly: the price.
    pub amount: Money,
}

/// Where a credit goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// The part that is linked to the document.
    pub document: Option<Money>,
    /// The part that goes to the balance.
    pub balance: Option<Money>,
    /// Why it is not all on the document, in words.
    pub note: Option<String>,
}

impl Allocation {
    /// All of it to the balance, as a top-up wants.
    #[must_use]
    pub fn to_balance(amount: Money) -> Self {
        Self { document: None, balance: Some(amount), note: None }
    }

    fn moved(amount: Money, why: impl Into<String>) -> Self {
        Self { note: Some(why.into()), ..Self::to_balance(amount) }
    }
}

/// Decides where `amount` goes, given the document as Splynx shows it now (`None`: it is gone).
///
/// # Errors
///
/// [`MoneyError`] when the currencies differ.
pub fn allocate(
    amount: Money,
    expected: Expected,
    document: Option<&Document>,
) -> Result<Allocation, MoneyError> {
    let Some(document) = document else {
        return Ok(Allocation::moved(amount, "the document no longer exists"));
    };
    if document.customer != expected.customer {
        return Ok(Allocation::moved(amount, "the document now belongs to another customer"));
    }
    let due = match document.charge(amount.currency()) {
        Ok(due) => due,
        Err(NotPayable::Sum(error)) => return Err(error),
        Err(why) => return Ok(Allocation::moved(amount, why.to_string())),
    };
    by_due(amount, expected, if is_as_expected(document, expected) { expected.due } else { due })
}

/// Less than a minor unit apart counts as equal: Splynx keeps four decimal places, and VAT in a fee item makes use of
/// them.
fn is_as_expected(document: &Document, expected: Expected) -> bool {
    let apart = document.open_sum().saturating_sub(expected.due.to_decimal());
    apart.abs() < expected.due.currency().minor_unit()
}

fn by_due(amount: Money, expected: Expected, due: Money) -> Result<Allocation, MoneyError> {
    let as_frozen = due.compare(expected.due)?;
    let whole = amount.compare(expected.amount)? == Ordering::Equal;
    if as_frozen == Ordering::Equal && whole {
        return Ok(Allocation { document: Some(amount), balance: None, note: None });
    }
    if as_frozen == Ordering::Greater {
        return Ok(Allocation::moved(amount, format!("the document has grown to {due}")));
    }
    match amount.compare(due)? {
        Ordering::Less => {
            Ok(Allocation::moved(amount, format!("it does not cover the {due} that are due")))
        }
        Ordering::Equal => Ok(Allocation { document: Some(amount), balance: None, note: None }),
        Ordering::Greater => Ok(Allocation {
            document: Some(due),
            balance: Some(amount.checked_sub(due)?),
            note: Some(format!("only {due} are due on the document")),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use proptest::prelude::*;
    use rstest::rstest;
    use rust_decimal::Decimal;

    use super::super::ids::{DocumentId, DocumentNumber};
    use super::super::money::Currency;
    use super::super::payable::{DocumentKind, DocumentRef, DocumentStatus};
    use super::*;

    fn usd(text: &str) -> Money {
        Money::parse(text, Currency::parse("USD").unwrap()).unwrap()
    }

    fn document(customer: i64, status: DocumentStatus, due: &str) -> Document {
        Document {
            reference: DocumentRef {
                kind: DocumentKind::Invoice,
                id: DocumentId::new(7),
                number: DocumentNumber::parse("7").unwrap(),
            },
            customer: CustomerId::new(customer),
            status,
            total: Decimal::from_str(due).unwrap(),
            due: Some(Decimal::from_str(due).unwrap()),
            items: vec![],
        }
    }

    fn expected(due: &str, amount: &str) -> Expected {
        Expected { customer: CustomerId::new(1), due: usd(due), amount: usd(amount) }
    }

    #[rstest]
    #[case::as_frozen("100", "100", "100", Some("100"), None)]
    #[case::less_than_a_cent_apart("100", "100", "99.9951", Some("100"), None)]
    #[case::less_than_a_cent_above("100", "100", "100.0049", Some("100"), None)]
    #[case::shrunk("100", "100", "60", Some("60"), Some("40"))]
    #[case::grown("100", "100", "100.01", None, Some("100"))]
    #[case::nothing_due("100", "100", "0", None, Some("100"))]
    #[case::gross_on_a_proforma("100", "110", "100", Some("110"), None)]
    fn a_whole_payment_goes_where_the_document_allows(
        #[case] frozen: &str,
        #[case] amount: &str,
        #[case] now: &str,
        #[case] linked: Option<&str>,
        #[case] balance: Option<&str>,
    ) {
        let document = document(1, DocumentStatus::NotPaid, now);
        let found = allocate(usd(amount), expected(frozen, amount), Some(&document)).unwrap();
        assert_eq!((found.document, found.balance), (linked.map(usd), balance.map(usd)));
    }

    #[rstest]
    #[case(Some(document(2, DocumentStatus::NotPaid, "100")))]
    #[case(Some(document(1, DocumentStatus::Paid, "100")))]
    #[case(Some(document(1, DocumentStatus::Deleted, "100")))]
    #[case(Some(document(1, DocumentStatus::Pending, "100")))]
    #[case(None)]
    fn money_for_a_document_that_cannot_take_it_goes_to_the_balance(#[case] now: Option<Document>) {
        let found = allocate(usd("100"), expected("100", "100"), now.as_ref()).unwrap();
        assert_eq!((found.document, found.balance), (None, Some(usd("100"))));
        assert!(found.note.is_some());
    }

    #[test]
    fn the_fee_part_of_a_refused_fee_goes_to_the_balance() {
        let document = document(1, DocumentStatus::NotPaid, "100");
        let expected = Expected { due: usd("110"), ..expected("110", "110") };
        let found = allocate(usd("110"), expected, Some(&document)).unwrap();
        assert_eq!((found.document, found.balance), (Some(usd("100")), Some(usd("10"))));
    }

    proptest! {
        #[test]
        fn the_parts_always_sum_up(amount in 1_i64..1_000_000, frozen in 1_i64..1_000_000, now in 0_i64..1_000_000) {
            let currency = Currency::parse("USD").unwrap();
            let money = |minor| Money::from_minor(minor, currency);
            let document = document(1, DocumentStatus::NotPaid, &money(now).amount_text());
            let expected = Expected { customer: CustomerId::new(1), due: money(frozen), amount: money(amount) };
            let found = allocate(money(amount), expected, Some(&document)).unwrap();
            let part = |part: Option<Money>| part.map_or(0, Money::minor);
            prop_assert_eq!(part(found.document) + part(found.balance), amount);
        }
    }
}

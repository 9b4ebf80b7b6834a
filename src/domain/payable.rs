//! What a customer can pay, and what Splynx says about it.
//!
//! **Invariant:** the price of a document comes from [`Document::charge`] alone, never from a browser.

use rust_decimal::Decimal;

use super::ids::{CustomerId, DocumentId, DocumentNumber};
use super::money::{Currency, Money, MoneyError};

/// The two kinds of document Splynx wants to be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// `admin/finance/invoices`.
    Invoice,
    /// `admin/finance/proforma-invoices`; "request" in older Splynx.
    ProformaInvoice,
}

/// One Splynx document by its names; the number is what customers see, the id is what the API wants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DocumentRef {
    /// Which collection it lives in.
    pub kind: DocumentKind,
    /// Its id.
    pub id: DocumentId,
    /// Its number.
    pub number: DocumentNumber,
}

/// What a customer can pay.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Payable {
    /// An invoice or a proforma invoice.
    Document(DocumentRef),
    /// The customer's balance.
    TopUp,
}

impl Payable {
    /// The document, unless this is a top-up.
    #[must_use]
    pub fn document(&self) -> Option<&DocumentRef> {
        match self {
            Self::Document(document) => Some(document),
            Self::TopUp => None,
        }
    }

    /// Whether this is an invoice proper: the only payable that takes a fee item.
    #[must_use]
    pub fn is_invoice(&self) -> bool {
        self.document().is_some_and(|document| document.kind == DocumentKind::Invoice)
    }
}

/// Where Splynx says a document stands (facts/splynx 2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentStatus {
    /// `not_paid`.
    NotPaid,
    /// `paid`.
    Paid,
    /// `pending`: another payment add-on is at work on it.
    Pending,
    /// `deleted`.
    Deleted,
    /// A word this version does not know; treated as not payable.
    Other(String),
}

/// A line of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentItem {
    /// Its id.
    pub id: i64,
    /// Its text; our fee item ends with the credit key.
    pub description: String,
    /// Its price per unit without VAT, four decimal places.
    pub price: Decimal,
}

/// A document as Splynx shows it at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its names.
    pub reference: DocumentRef,
    /// Whose it is.
    pub customer: CustomerId,
    /// Where it stands.
    pub status: DocumentStatus,
    /// Its whole sum in major units, VAT included.
    pub total: Decimal,
    /// What is still to be paid, in major units. Proforma invoices and older releases have no such field.
    pub due: Option<Decimal>,
    /// Its lines.
    pub items: Vec<DocumentItem>,
}

impl Document {
    /// What is still to be paid: `due` where Splynx tells it, else `total` (facts/splynx 2.1), in major units.
    #[must_use]
    pub fn open_sum(&self) -> Decimal {
        self.due.unwrap_or(self.total)
    }

    /// What to charge for it now: the open sum, rounded up to the minor unit.
    ///
    /// # Errors
    ///
    /// [`NotPayable`] says why there is nothing to charge.
    pub fn charge(&self, currency: Currency) -> Result<Money, NotPayable> {
        match &self.status {
            DocumentStatus::NotPaid => {}
            DocumentStatus::Paid => return Err(NotPayable::Paid),
            DocumentStatus::Pending => return Err(NotPayable::Pending),
            DocumentStatus::Deleted => return Err(NotPayable::Deleted),
            DocumentStatus::Other(word) => return Err(NotPayable::Unknown(word.clone())),
        }
        let due = Money::rounded_up(self.open_sum(), currency)?;
        if due.is_positive() { Ok(due) } else { Err(NotPayable::NothingDue) }
    }

    /// Whether one of its lines is the fee item that carries this key.
    #[must_use]
    pub fn has_item_ending_with(&self, key: &str) -> bool {
        self.items.iter().any(|item| item.description.trim_end().ends_with(key))
    }
}

/// Why a document cannot be paid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPayable {
    /// It is paid.
    #[error("the document is already paid")]
    Paid,
    /// Another payment of it is being processed.
    #[error("a payment of the document is already being processed")]
    Pending,
    /// It was deleted.
    #[error("the document was deleted")]
    Deleted,
    /// Nothing is due on it.
    #[error("nothing is due on the document")]
    NothingDue,
    /// Splynx used a status this version does not know.
    #[error("the document has the unknown status `{0}`")]
    Unknown(String),
    /// Its sum is no amount of money.
    #[error(transparent)]
    Sum(#[from] MoneyError),
}

/// A Splynx customer, as far as the add-on needs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Their id.
    pub id: CustomerId,
    /// Their name, as Splynx shows it.
    pub name: String,
    /// `prepaid`, `prepaid_monthly` or `recurring`; empty where Splynx does not tell.
    pub billing_type: String,
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use rstest::rstest;

    use super::*;

    fn document(status: DocumentStatus, total: &str, due: Option<&str>) -> Document {
        Document {
            reference: DocumentRef {
                kind: DocumentKind::Invoice,
                id: DocumentId::new(1),
                number: DocumentNumber::parse("201801000001").unwrap(),
            },
            customer: CustomerId::new(1),
            status,
            total: Decimal::from_str(total).unwrap(),
            due: due.map(|due| Decimal::from_str(due).unwrap()),
            items: vec![],
        }
    }

    #[rstest]
    #[case("100.0000", None, "100.00")]
    #[case("100.0000", Some("40.0000"), "40.00")]
    #[case("100.0001", None, "100.01")]
    fn the_charge_is_due_where_present_and_total_otherwise(
        #[case] total: &str,
        #[case] due: Option<&str>,
        #[case] charge: &str,
    ) {
        let usd = Currency::parse("USD").unwrap();
        let charged = document(DocumentStatus::NotPaid, total, due).charge(usd).unwrap();
        assert_eq!(charged.amount_text(), charge);
    }

    #[rstest]
    #[case(DocumentStatus::Paid, NotPayable::Paid)]
    #[case(DocumentStatus::Pending, NotPayable::Pending)]
    #[case(DocumentStatus::Deleted, NotPayable::Deleted)]
    #[case(DocumentStatus::Other("odd".to_owned()), NotPayable::Unknown("odd".to_owned()))]
    fn a_document_that_is_not_open_is_not_charged(
        #[case] status: DocumentStatus,
        #[case] why: NotPayable,
    ) {
        let usd = Currency::parse("USD").unwrap();
        assert_eq!(document(status, "10", None).charge(usd), Err(why));
    }

    #[test]
    fn an_invoice_alone_takes_a_fee_item() {
        let invoice = document(DocumentStatus::NotPaid, "10", None).reference;
        let proforma = DocumentRef { kind: DocumentKind::ProformaInvoice, ..invoice.clone() };
        assert!(Payable::Document(invoice.clone()).is_invoice());
        assert!(!Payable::Document(proforma).is_invoice());
        assert!(!Payable::TopUp.is_invoice());
        assert_eq!(Payable::Document(invoice.clone()).document(), Some(&invoice));
        assert_eq!(Payable::TopUp.document(), None);
    }

    #[test]
    fn the_fee_item_is_known_by_the_end_of_its_text() {
        let item = |description: &str| DocumentItem {
            id: 1,
            description: description.to_owned(),
            price: Decimal::ONE,
        };
        let with = |items| Document { items, ..document(DocumentStatus::NotPaid, "10", None) };
        assert!(with(vec![item("Line"), item("Fee BP-x-1 \n")]).has_item_ending_with("BP-x-1"));
        assert!(!with(vec![item("BP-x-1 of another")]).has_item_ending_with("BP-x-1"));
        assert!(!with(vec![]).has_item_ending_with("BP-x-1"));
    }

    #[test]
    fn a_due_of_zero_is_nothing_to_pay() {
        let usd = Currency::parse("USD").unwrap();
        let charged = document(DocumentStatus::NotPaid, "10", Some("0.0000")).charge(usd);
        assert_eq!(charged, Err(NotPayable::NothingDue));
    }
}

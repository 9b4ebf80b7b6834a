//! Splynx's rows as our own types.
//!
//! **Invariant:** what money depends on (ids, owner, status, sums) must be there and readable; the rest may be absent.

use rust_decimal::Decimal;

use super::{Row, Unreadable};
use crate::domain::ids::{CreditKey, CustomerId, DocumentId, DocumentNumber, SplynxId};
use crate::domain::payable::{
    Customer, Document, DocumentItem, DocumentKind, DocumentRef, DocumentStatus,
};
use crate::ports::billing::{DocumentLink, PaymentRow};

/// An invoice or a proforma invoice (facts/splynx 2.1, 2.2).
pub(crate) fn document(kind: DocumentKind, row: Row<'_>) -> Result<Document, Unreadable> {
    let number = DocumentNumber::parse(&row.required_text("number")?)
        .map_err(|error| Unreadable(error.to_string()))?;
    Ok(Document {
        reference: DocumentRef { kind, id: DocumentId::new(row.id("id")?), number },
        customer: CustomerId::new(row.id("customer_id")?),
        status: status(row)?,
        total: row.decimal("total")?.ok_or_else(|| Unreadable("`total` is missing".to_owned()))?,
        due: row.decimal("due")?,
        items: row.list("items")?.into_iter().map(item).collect::<Result<_, _>>()?,
    })
}

fn status(row: Row<'_>) -> Result<DocumentStatus, Unreadable> {
    if row.flag("deleted") == Some(true) {
        return Ok(DocumentStatus::Deleted);
    }
    Ok(match row.required_text("status")?.as_str() {
        "not_paid" => DocumentStatus::NotPaid,
        "paid" => DocumentStatus::Paid,
        "pending" => DocumentStatus::Pending,
        "deleted" => DocumentStatus::Deleted,
        other => DocumentStatus::Other(other.chars().take(32).collect()),
    })
}

fn item(row: Row<'_>) -> Result<DocumentItem, Unreadable> {
    Ok(DocumentItem {
        id: row.integer("id")?.unwrap_or_default(),
        description: row.text("description"),
        price: row.decimal("price")?.unwrap_or(Decimal::ZERO),
    })
}

/// A customer (facts/splynx 2.6).
pub(crate) fn customer(row: Row<'_>) -> Result<Customer, Unreadable> {
    Ok(Customer {
        id: CustomerId::new(row.id("id")?),
        name: row.text("name"),
        billing_type: row.text("billing_type"),
    })
}

/// A payment (facts/splynx 2.3).
pub(crate) fn payment(row: Row<'_>) -> Result<PaymentRow, Unreadable> {
    Ok(PaymentRow {
        id: SplynxId::new(row.id("id")?),
        customer: CustomerId::new(row.id("customer_id")?),
        receipt_number: row.text("receipt_number"),
        amount: row
            .decimal("amount")?
            .ok_or_else(|| Unreadable("`amount` is missing".to_owned()))?,
        document: link(row)?,
        named: [row.text("comment"), row.text("field_1")]
            .iter()
            .flat_map(|text| keys_in(text))
            .collect(),
    })
}

fn link(row: Row<'_>) -> Result<DocumentLink, Unreadable> {
    let fields =
        [("invoice_id", DocumentKind::Invoice), ("request_id", DocumentKind::ProformaInvoice)];
    for (name, kind) in fields {
        if let Some(id) = row.integer(name)?.filter(|id| *id > 0) {
            return Ok(DocumentLink::Document(kind, DocumentId::new(id)));
        }
    }
    let told = fields.iter().any(|(name, _)| row.has(name));
    Ok(if told { DocumentLink::Nothing } else { DocumentLink::Untold })
}

/// What the keys of every processor begin with (design 4.6): payments of a processor this version does not know are
/// ours as well.
const CREDIT_PREFIXES: [&str; 3] = ["BP", "BT", "BL"];

/// A text that has the form of one of our keys: `BP-<id>-<n>` (design 4.6).
pub(crate) fn our_key(text: &str) -> Option<CreditKey> {
    let form = |prefix: &&str| {
        let rest = text.strip_prefix(prefix)?.strip_prefix('-')?;
        let (id, n) = rest.rsplit_once('-')?;
        Some(!id.is_empty() && !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let ours = CREDIT_PREFIXES.iter().any(|prefix| form(prefix) == Some(true));
    ours.then(|| CreditKey::parse(text).ok()).flatten()
}

/// The words of a text that have the form of one of our keys.
fn keys_in(text: &str) -> Vec<CreditKey> {
    let in_a_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.split(|c| !in_a_word(c)).filter_map(our_key).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    /// The shape of facts/splynx 2.1.
    fn invoice() -> Value {
        json!({
            "id": 137_737, "customer_id": "1", "number": "201801000001", "date_created": "2018-01-01",
            "date_till": "2018-01-15", "date_payment": "0000-00-00", "status": "not_paid",
            "payment_id": 0, "type": "recurring",
            "total": serde_json::from_str::<Value>("69354.84").unwrap(), "due": "54.8400",
            "items": [{
                "id": 1, "description": "Internet", "quantity": 1, "unit": "",
                "price": "64516.1290", "tax": "7.5000"
            }]
        })
    }

    fn read(value: &Value) -> Result<Document, Unreadable> {
        document(DocumentKind::Invoice, Row::of(value).unwrap())
    }

    #[test]
    fn the_captured_invoice_is_read_whole() {
        let document = read(&invoice()).unwrap();
        assert_eq!(document.reference.id, DocumentId::new(137_737));
        assert_eq!(document.customer, CustomerId::new(1));
        assert_eq!(document.status, DocumentStatus::NotPaid);
        assert_eq!(document.total.to_string(), "69354.84");
        assert_eq!(document.due.unwrap().to_string(), "54.8400");
        assert_eq!(document.items[0].price.to_string(), "64516.1290");
    }

    #[rstest]
    #[case("paid", DocumentStatus::Paid)]
    #[case("pending", DocumentStatus::Pending)]
    #[case("deleted", DocumentStatus::Deleted)]
    #[case("brand_new", DocumentStatus::Other("brand_new".to_owned()))]
    fn every_status_has_its_meaning(#[case] word: &str, #[case] status: DocumentStatus) {
        let mut row = invoice();
        row["status"] = json!(word);
        assert_eq!(read(&row).unwrap().status, status);
    }

    #[rstest]
    #[case("due")]
    #[case("items")]
    fn what_older_releases_do_not_send_may_be_absent(#[case] field: &str) {
        let mut row = invoice();
        row.as_object_mut().unwrap().remove(field);
        assert!(read(&row).is_ok());
    }

    #[rstest]
    #[case("id", json!(0))]
    #[case("customer_id", json!(null))]
    #[case("number", json!(""))]
    #[case("status", json!(null))]
    #[case("total", json!(null))]
    #[case("total", json!("a lot"))]
    #[case("due", json!("some"))]
    #[case("items", json!("none"))]
    fn a_document_without_what_money_depends_on_is_unreadable(
        #[case] field: &str,
        #[case] value: Value,
    ) {
        let mut row = invoice();
        row[field] = value;
        assert!(read(&row).is_err());
    }

    #[rstest]
    #[case("BP-BukWCRGV8Q1tW9jXfBSeS7-1", true)]
    #[case("BT-2mYqkNnPF7-12", true)]
    #[case("BL-0123456789abcdef01234567-1", true)]
    #[case("BP-1", false)]
    #[case("BP--1", false)]
    #[case("BP-x-", false)]
    #[case("BP-x-one", false)]
    #[case("CASH-201801-1", false)]
    #[case("", false)]
    fn a_key_of_ours_has_a_known_prefix_and_a_number(#[case] text: &str, #[case] ours: bool) {
        assert_eq!(our_key(text).is_some(), ours);
    }

    #[rstest]
    #[case(json!({"invoice_id": 7, "request_id": null}), DocumentLink::Document(DocumentKind::Invoice, DocumentId::new(7)))]
    #[case(json!({"invoice_id": "0", "request_id": "8"}), DocumentLink::Document(DocumentKind::ProformaInvoice, DocumentId::new(8)))]
    #[case(json!({"invoice_id": null}), DocumentLink::Nothing)]
    #[case(json!({"invoice_id": 0, "request_id": 0}), DocumentLink::Nothing)]
    #[case(json!({}), DocumentLink::Untold)]
    fn a_payment_says_which_document_it_is_linked_to(
        #[case] fields: Value,
        #[case] expected: DocumentLink,
    ) {
        let mut row = json!({
            "id": 1, "customer_id": 2, "amount": "5.0000", "comment": "Bitpay (BP-x-1), thanks"
        });
        row.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let payment = payment(Row::of(&row).unwrap()).unwrap();
        assert_eq!(payment.document, expected);
        assert_eq!(payment.named, [CreditKey::parse("BP-x-1").unwrap()]);
    }
}

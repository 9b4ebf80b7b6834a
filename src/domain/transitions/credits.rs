//! The chapter of credits: where one goes, given the document as Splynx shows it when the money is recorded.

use rust_decimal::Decimal;

use super::samples::{document_ref, usd};
use super::table::table;
use crate::domain::allocation::{Allocation, Expected, allocate};
use crate::domain::ids::CustomerId;
use crate::domain::payable::{Document, DocumentStatus};

const WORDS: &str = "\
## Credits

A credit is made *undecided* and becomes *document* or *balance* in the commit that freezes the bytes of its payment;
where it is split, the rest is a second credit with the next number. It goes back to *undecided* only if the document
changed while a payment that was never begun had to wait; its key stays, so that it still exists once. A top-up goes to
the balance, always.

`allocate`, for a document over 100.00. *Review* means `document_changed`.
";

/// A column: the words, the credit, what is expected to be due, and the credit that would pay all.
const CREDITS: [(&str, i64, i64, i64); 4] = [
    ("100.00 for 100.00", 10_000, 10_000, 10_000),
    ("40.00 of 100.00", 4_000, 10_000, 10_000),
    ("110.00 with the fee, beside a proforma invoice", 11_000, 10_000, 11_000),
    ("110.00 with a fee that was refused", 11_000, 10_000, 10_000),
];

fn documents() -> Vec<(&'static str, Option<Document>)> {
    let due = |status, ten_thousandths| document(1, status, Decimal::new(ten_thousandths, 4));
    let open = |ten_thousandths| Some(due(DocumentStatus::NotPaid, ten_thousandths));
    let whole = |status| Some(due(status, 1_000_000));
    vec![
        ("as at the click", open(1_000_000)),
        ("less than a cent above", open(1_000_099)),
        ("less than a cent below", open(999_901)),
        ("grown by a cent", open(1_000_100)),
        ("grown to 150.00", open(1_500_000)),
        ("shrunk by a cent", open(999_900)),
        ("shrunk to 60.00", open(600_000)),
        ("nothing due any more", open(0)),
        ("paid", whole(DocumentStatus::Paid)),
        ("pending: another add-on is at it", whole(DocumentStatus::Pending)),
        ("deleted", whole(DocumentStatus::Deleted)),
        ("in a status nobody knows", whole(DocumentStatus::Other("odd".to_owned()))),
        (
            "moved to another customer",
            Some(document(2, DocumentStatus::NotPaid, Decimal::ONE_HUNDRED)),
        ),
        ("gone", None),
    ]
}

fn document(customer: i64, status: DocumentStatus, due: Decimal) -> Document {
    Document {
        reference: document_ref(),
        customer: CustomerId::new(customer),
        status,
        total: due,
        due: Some(due),
        items: vec![],
    }
}

pub(super) fn chapter() -> String {
    let columns: Vec<&str> =
        std::iter::once("the document is").chain(CREDITS.map(|credit| credit.0)).collect();
    let rows: Vec<Vec<String>> = documents()
        .iter()
        .map(|(words, document)| {
            let cells = CREDITS.map(|(_, amount, due, whole)| {
                let expected =
                    Expected { customer: CustomerId::new(1), due: usd(due), amount: usd(whole) };
                cell(&allocate(usd(amount), expected, document.as_ref()).unwrap())
            });
            std::iter::once((*words).to_owned()).chain(cells).collect()
        })
        .collect();
    format!("{WORDS}\n{}", table(&columns, &rows))
}

fn cell(found: &Allocation) -> String {
    let mut words = Vec::new();
    words.extend(found.document.map(|part| format!("document {}", part.amount_text())));
    words.extend(found.balance.map(|part| format!("balance {}", part.amount_text())));
    words.extend(found.note.as_ref().map(|why| format!("review: {why}")));
    words.join("<br>")
}

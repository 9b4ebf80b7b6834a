//! The JSON bodies of postings. Made once, frozen in the row, sent byte for byte.
//!
//! **Invariant:** every body that moves money carries the credit key where a search can find it.

use serde_json::{Value, json};

use crate::domain::attempt::Attempt;
use crate::domain::connection::Environment;
use crate::domain::credit::{Credit, Target};
use crate::domain::fee::Fee;
use crate::domain::ids::CreditKey;
use crate::domain::payable::DocumentKind;

/// `POST admin/finance/payments` (facts/splynx 2.3): all fields, since Splynx releases differ in what they require.
pub(super) fn payment(attempt: &Attempt, credit: &Credit, payment_method: i64) -> String {
    let key = credit.key.as_str();
    let mut body = json!({
        "customer_id": attempt.customer.get(),
        "payment_type": payment_method,
        "receipt_number": key,
        "date": credit.date.to_string(),
        "amount": credit.amount.amount_text(),
        "comment": comment(attempt, &credit.key),
        "field_1": key,
        "field_2": credit.invoice.as_str(),
        "field_3": attempt.id.to_string(),
        "field_4": "",
        "field_5": "",
    });
    let document = attempt.payable.document().filter(|_| credit.target == Target::Document);
    if let (Some(document), Value::Object(fields)) = (document, &mut body) {
        let field = match document.kind {
            DocumentKind::Invoice => "invoice_id",
            DocumentKind::ProformaInvoice => "request_id",
        };
        fields.insert(field.to_owned(), document.id.get().into());
    }
    body.to_string()
}

/// `PUT admin/finance/invoices/{id}` with one more item (facts/splynx 2.1 and 3.8).
pub(super) fn fee_item(fee: &Fee, key: &CreditKey) -> String {
    let item = json!({
        "description": fee_text(fee, key),
        "quantity": 1,
        "unit": "",
        "price": format!("{:.4}", fee.net),
        "tax": format!("{:.4}", fee.vat_percent),
    });
    json!({ "items": [item] }).to_string()
}

/// `POST admin/finance/transactions`: the fee of a proforma invoice or a top-up.
pub(super) fn fee_debit(attempt: &Attempt, credit: &Credit, fee: &Fee) -> String {
    json!({
        "type": "debit",
        "customer_id": attempt.customer.get(),
        "quantity": 1,
        "price": format!("{:.4}", fee.net),
        "tax_percent": format!("{:.4}", fee.vat_percent),
        "date": credit.date.to_string(),
        "category": fee.category,
        "description": fee_text(fee, &credit.key),
        "comment": comment(attempt, &credit.key),
        "source": "auto",
    })
    .to_string()
}

/// `PUT` of a document's status, where the payment alone did not set it (facts/splynx 2.3).
pub(super) fn paid_status(date: chrono::NaiveDate, payment: i64) -> String {
    json!({ "status": "paid", "date_payment": date.to_string(), "payment_id": payment }).to_string()
}

fn fee_text(fee: &Fee, key: &CreditKey) -> String {
    format!("{} {key}", fee.text)
}

fn comment(attempt: &Attempt, key: &CreditKey) -> String {
    match attempt.environment {
        Environment::Production => format!("Bitpay {key}"),
        Environment::Test => format!("TEST Bitpay {key}"),
    }
}

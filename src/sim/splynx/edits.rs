//! What an admin of the simulated Splynx does by hand between two requests.
//!
//! **Invariant:** an edit keeps the sums of `ledger`: a total changes by an item, a `due` by a credit.

use chrono::NaiveDateTime;
use rust_decimal::Decimal;

use super::books::{Books, DraftItem};
use super::rows::{Customer, Kind, Relation};
use super::seed;

impl Books {
    /// Makes a customer whose login and password are `customer<id>`, and returns the id.
    pub fn add_customer(&mut self, billing_type: &str) -> u64 {
        let id = self.customers.insert(seed::customer(0, billing_type));
        let named = Customer { id, ..seed::customer(id, billing_type) };
        if let Some(customer) = self.customers.get_mut(id) {
            *customer = named;
        }
        id
    }

    /// Appends an item that brings the document to this total.
    pub fn set_total(&mut self, kind: Kind, id: u64, total: Decimal, now: NaiveDateTime) {
        let Some(document) = self.documents(kind).get(id) else { return };
        let difference = total - document.total;
        if difference.is_zero() {
            return;
        }
        let item = DraftItem {
            description: "Correction".to_owned(),
            quantity: Decimal::ONE,
            price: difference,
            tax: Decimal::ZERO,
        };
        self.append_item(kind, id, item, now);
    }

    /// Brings an invoice to this `due`, as a credit note for the difference does. No payment is written.
    pub fn set_due(&mut self, id: u64, due: Decimal) {
        let Some(invoice) = self.invoices.get(id) else { return };
        let (customer_id, amount) = (invoice.customer_id, invoice.due - due);
        self.relations.insert(Relation {
            id: 0,
            customer_id,
            payment_id: 0,
            kind: Kind::Invoice,
            document_id: id,
            amount,
        });
        self.recompute(Kind::Invoice, id);
    }

    /// Gives a document to another customer; what it charged moves along.
    pub fn reassign(&mut self, kind: Kind, id: u64, customer_id: u64) {
        let Some(document) = self.documents_mut(kind).get_mut(id) else { return };
        document.customer_id = customer_id;
        let charged: Vec<u64> =
            document.items.iter().filter_map(|item| item.transaction_id).collect();
        for transaction_id in charged {
            self.move_transaction(transaction_id, customer_id);
        }
    }
}

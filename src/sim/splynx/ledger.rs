//! The money rules of Splynx: what a payment, a transaction or an item does to everything else.
//!
//! **Invariant:** a customer's deposit is Σ credit − Σ debit of their transactions, and a document's `due` is its
//! total less what payments are allocated to it (0 once it is paid). The rules are the strict reading of what is
//! known: only a payment of exactly the open sum turns a document Paid, and no write is ever recognised as a repetition.

use chrono::NaiveDateTime;
use rust_decimal::Decimal;

use super::books::{Books, Draft, DraftItem};
use super::options::Behaviour;
use super::rows::{Direction, Document, Item, Kind, Payment, Relation, Status, Transaction};

/// The category "Service" of the items' transactions.
const CATEGORY_SERVICE: u64 = 1;
/// The category "Payment" of the payments' transactions.
const CATEGORY_PAYMENT: u64 = 3;

impl Books {
    /// Writes a transaction and moves the deposit.
    pub fn book(&mut self, transaction: Transaction) -> u64 {
        self.move_deposit(transaction.customer_id, transaction.effect());
        self.transactions.insert(transaction)
    }

    fn move_deposit(&mut self, customer_id: u64, by: Decimal) {
        if let Some(customer) = self.customers.get_mut(customer_id) {
            customer.deposit += by;
        }
    }

    /// Moves a transaction, and what it does to a deposit, to another customer.
    pub(super) fn move_transaction(&mut self, transaction_id: u64, customer_id: u64) {
        let Some(transaction) = self.transactions.get_mut(transaction_id) else { return };
        let (from, effect) = (transaction.customer_id, transaction.effect());
        transaction.customer_id = customer_id;
        self.move_deposit(from, -effect);
        self.move_deposit(customer_id, effect);
    }

    fn unbook(&mut self, transaction_id: Option<u64>) {
        let removed = transaction_id.and_then(|id| self.transactions.remove(id));
        if let Some(transaction) = removed {
            self.move_deposit(transaction.customer_id, -transaction.effect());
        }
    }

    /// Writes a payment: a credit transaction, a higher deposit, and what it does to a document.
    pub fn post_payment(&mut self, mut payment: Payment, behaviour: Behaviour) -> u64 {
        payment.remind_amount = payment.amount;
        let (credit, linked) = (credit_of(&payment), link_of(&payment));
        let (customer_id, amount) = (payment.customer_id, payment.amount);
        let id = self.payments.insert(payment);
        let transaction_id = self.book(Transaction { payment_id: Some(id), ..credit });
        if let Some(payment) = self.payments.get_mut(id) {
            payment.transaction_id = Some(transaction_id);
        }
        match linked {
            Some((kind, document_id)) => {
                self.settle_linked(kind, document_id, id, amount, behaviour.sets_paid);
            }
            None if behaviour.auto_allocate && amount > Decimal::ZERO => {
                self.settle_oldest(customer_id, id, amount, behaviour.sets_paid);
            }
            None => {}
        }
        id
    }

    /// A linked payment pays its document only when it is exactly the open sum. A smaller one lowers
    /// the `due` of an invoice; a larger one is only recorded.
    fn settle_linked(
        &mut self,
        kind: Kind,
        document_id: u64,
        payment_id: u64,
        amount: Decimal,
        sets_paid: bool,
    ) {
        let Some(document) = self.documents(kind).get(document_id) else { return };
        if !matches!(document.status, Status::NotPaid | Status::Pending) {
            return;
        }
        let open = match kind {
            Kind::Invoice => document.due,
            Kind::Proforma => document.total,
        };
        if amount == open {
            self.allocate(kind, document_id, payment_id, amount, sets_paid);
        } else if kind == Kind::Invoice && amount > Decimal::ZERO && amount < open {
            self.allocate(kind, document_id, payment_id, amount, false);
        }
    }

    /// Unlinked money goes to the oldest unpaid invoice; the rest stays on the deposit.
    fn settle_oldest(&mut self, customer_id: u64, payment_id: u64, amount: Decimal, pays: bool) {
        let Some(id) = self.oldest_unpaid_invoice(customer_id) else { return };
        let Some(due) = self.invoices.get(id).map(|invoice| invoice.due) else { return };
        self.allocate(Kind::Invoice, id, payment_id, due.min(amount), pays && amount >= due);
    }

    fn allocate(
        &mut self,
        kind: Kind,
        document_id: u64,
        payment_id: u64,
        amount: Decimal,
        pays: bool,
    ) {
        let Some(payment) = self.payments.get_mut(payment_id) else { return };
        payment.remind_amount -= amount;
        let (date, customer_id) = (payment.date, payment.customer_id);
        let relation = Relation { id: 0, customer_id, payment_id, kind, document_id, amount };
        self.relations.insert(relation);
        let Some(document) = self.documents_mut(kind).get_mut(document_id) else { return };
        document.due -= amount;
        if pays {
            document.status = Status::Paid;
            document.date_payment = Some(date);
            document.payment_id = Some(payment_id);
        }
    }

    /// Takes a payment back as an admin's delete does; false when there is none.
    pub fn delete_payment(&mut self, id: u64) -> bool {
        let Some(payment) = self.payments.remove(id) else { return false };
        self.unbook(payment.transaction_id);
        let of_payment = |relation: &&Relation| relation.payment_id == id;
        let relations: Vec<u64> =
            self.relations.iter().filter(of_payment).map(|relation| relation.id).collect();
        for relation in relations {
            self.relations.remove(relation);
        }
        for kind in [Kind::Invoice, Kind::Proforma] {
            self.reopen_documents_of(kind, id);
        }
        true
    }

    fn reopen_documents_of(&mut self, kind: Kind, payment_id: u64) {
        let ids: Vec<u64> = self.documents(kind).iter().map(|document| document.id).collect();
        for id in ids {
            let Some(document) = self.documents_mut(kind).get_mut(id) else { continue };
            if document.payment_id == Some(payment_id) {
                document.payment_id = None;
                document.date_payment = None;
                document.status = Status::NotPaid;
            }
            self.recompute(kind, id);
        }
    }

    /// Makes a document; an invoice charges its items to the deposit.
    pub fn add_document(&mut self, kind: Kind, draft: Draft) -> u64 {
        let date = draft.created.date();
        let number = draft.number.unwrap_or_else(|| self.next_number(kind, date));
        let id = self.documents_mut(kind).insert(Document {
            kind,
            id: 0,
            customer_id: draft.customer_id,
            number,
            created: draft.created,
            date_till: date.checked_add_days(chrono::Days::new(14)),
            date_payment: None,
            date_updated: None,
            payment_id: None,
            status: Status::NotPaid,
            total: Decimal::ZERO,
            due: Decimal::ZERO,
            note: String::new(),
            memo: String::new(),
            items: Vec::new(),
        });
        for item in draft.items {
            self.append_item(kind, id, item, draft.created);
        }
        id
    }

    /// Appends an item: the sum rises, and for an invoice the deposit sinks.
    pub fn append_item(
        &mut self,
        kind: Kind,
        document_id: u64,
        draft: DraftItem,
        now: NaiveDateTime,
    ) {
        self.last_item_id += 1;
        let mut item = Item {
            id: self.last_item_id,
            description: draft.description,
            quantity: draft.quantity,
            unit: String::new(),
            price: draft.price,
            tax: draft.tax,
            category: CATEGORY_SERVICE,
            transaction_id: None,
        };
        let Some(document) = self.documents(kind).get(document_id) else { return };
        if kind == Kind::Invoice && document.status != Status::Deleted {
            item.transaction_id = Some(self.book(debit_of(document, &item, now)));
        }
        if let Some(document) = self.documents_mut(kind).get_mut(document_id) {
            document.items.push(item);
        }
        self.recompute(kind, document_id);
    }

    /// Replaces the item of the same id; its transaction follows. False when there is no such item.
    pub fn replace_item(
        &mut self,
        kind: Kind,
        document_id: u64,
        item: &Item,
        now: NaiveDateTime,
    ) -> bool {
        let Some(document) = self.documents(kind).get(document_id) else { return false };
        let Some(old) = document.items.iter().find(|old| old.id == item.id) else { return false };
        let old_transaction = old.transaction_id;
        let debit = debit_of(document, item, now);
        self.unbook(old_transaction);
        let transaction_id = old_transaction.map(|_| self.book(debit));
        if let Some(document) = self.documents_mut(kind).get_mut(document_id)
            && let Some(slot) = document.items.iter_mut().find(|old| old.id == item.id)
        {
            *slot = Item { transaction_id, ..item.clone() };
        }
        self.recompute(kind, document_id);
        true
    }

    /// Sets the status; a deleted invoice no longer weighs on the deposit.
    pub fn set_status(&mut self, kind: Kind, document_id: u64, status: Status) {
        let Some(document) = self.documents_mut(kind).get_mut(document_id) else { return };
        document.status = status;
        if status == Status::Deleted {
            let charged: Vec<Option<u64>> =
                document.items.iter_mut().map(|item| item.transaction_id.take()).collect();
            for transaction_id in charged {
                self.unbook(transaction_id);
            }
        }
        self.recompute(kind, document_id);
    }

    /// Computes `total` and `due` again.
    pub(super) fn recompute(&mut self, kind: Kind, document_id: u64) {
        let of_document =
            |relation: &&Relation| relation.kind == kind && relation.document_id == document_id;
        let allocated: Decimal =
            self.relations.iter().filter(of_document).map(|relation| relation.amount).sum();
        if let Some(document) = self.documents_mut(kind).get_mut(document_id) {
            document.total = document.items.iter().map(Item::total).sum();
            document.due = match document.status {
                Status::Paid => Decimal::ZERO,
                _ => document.total - allocated,
            };
        }
    }
}

fn link_of(payment: &Payment) -> Option<(Kind, u64)> {
    let invoice = payment.invoice_id.map(|id| (Kind::Invoice, id));
    invoice.or(payment.request_id.map(|id| (Kind::Proforma, id)))
}

fn credit_of(payment: &Payment) -> Transaction {
    Transaction {
        id: 0,
        direction: Direction::Credit,
        customer_id: payment.customer_id,
        quantity: Decimal::ONE,
        price: payment.amount,
        tax_percent: Decimal::ZERO,
        total: payment.amount,
        date: payment.date,
        category: CATEGORY_PAYMENT,
        description: "Payment".to_owned(),
        comment: payment.comment.clone(),
        payment_id: None,
        invoice_id: None,
        to_invoice: false,
        source: "auto".to_owned(),
    }
}

fn debit_of(document: &Document, item: &Item, now: NaiveDateTime) -> Transaction {
    Transaction {
        id: 0,
        direction: Direction::Debit,
        customer_id: document.customer_id,
        quantity: item.quantity,
        price: item.price,
        tax_percent: item.tax,
        total: item.total(),
        date: now.date(),
        category: item.category,
        description: item.description.clone(),
        comment: String::new(),
        payment_id: None,
        invoice_id: Some(document.id),
        to_invoice: false,
        source: "auto".to_owned(),
    }
}

//! What the simulated database holds at the start.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use rust_decimal::Decimal;

use super::books::{Books, Draft, DraftItem};
use super::options::{Behaviour, Seed};
use super::rows::{Admin, Category, Customer, Kind, Method, Partner, Payment, Status};

/// Fills the database.
pub(super) fn fill(seed: Seed) -> Books {
    let mut books = Books::default();
    add_lists(&mut books);
    if seed == Seed::Demo {
        add_customers(&mut books);
        add_documents(&mut books);
    }
    books
}

fn add_lists(books: &mut Books) {
    let (login, password) = ("admin".to_owned(), "admin".to_owned());
    books.admins.insert(Admin { id: 0, login, password, name: "Admin".to_owned() });
    books.partners.insert(Partner { id: 0, name: "Main".to_owned() });
    // The live defaults of Splynx; 4 was PayPal once.
    let methods =
        [(1, "Cash"), (2, "Bank transfer"), (3, "Credit card"), (5, "Other"), (6, "Refill card")];
    for (id, name) in methods {
        books.methods.skip_to(id - 1);
        let (name, names) = (name.to_owned(), Default::default());
        books.methods.insert(Method { id: 0, name, is_active: true, names });
    }
    for name in ["Service", "Discount", "Payment", "Refund", "Correction"] {
        books.categories.insert(Category { id: 0, name: name.to_owned() });
    }
}

/// A customer whose login and password are `customer<id>`.
pub(super) fn customer(id: u64, billing_type: &str) -> Customer {
    let number = match id {
        1 => "One".to_owned(),
        2 => "Two".to_owned(),
        3 => "Three".to_owned(),
        other => other.to_string(),
    };
    Customer {
        id: 0,
        login: format!("customer{id}"),
        password: format!("customer{id}"),
        status: "active".to_owned(),
        partner_id: 1,
        name: format!("Customer {number}"),
        email: format!("customer{id}@example.com"),
        billing_type: billing_type.to_owned(),
        deposit: Decimal::ZERO,
    }
}

fn add_customers(books: &mut Books) {
    for (id, billing_type) in [(1, "recurring"), (2, "prepaid"), (3, "prepaid_monthly")] {
        books.customers.insert(customer(id, billing_type));
    }
}

fn on(year: i32, month: u32, day: u32) -> NaiveDateTime {
    let date = NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
    date.and_time(NaiveTime::MIN)
}

fn invoice(books: &mut Books, customer_id: u64, cents: i64, created: NaiveDateTime) -> u64 {
    books.add_document(Kind::Invoice, Draft::of(customer_id, Decimal::new(cents, 2), created))
}

/// Customer 1: 201801000001 over 51.61 and 201802000001 over 100.00 wait, 201803000001 is paid,
/// 201804000001 is deleted, 201805000001 has 25.00 of 75.00 left. Customers 2 and 3 have one each.
fn add_documents(books: &mut Books) {
    books.add_document(Kind::Invoice, vat_draft());
    invoice(books, 1, 10_000, on(2018, 2, 1));
    let paid = invoice(books, 1, 3_000, on(2018, 3, 1));
    let deleted = invoice(books, 1, 4_000, on(2018, 4, 1));
    let partial = invoice(books, 1, 7_500, on(2018, 5, 1));
    pay_in_cash(books, paid, 3_000);
    pay_in_cash(books, partial, 5_000);
    books.set_status(Kind::Invoice, deleted, Status::Deleted);
    invoice(books, 2, 2_000, on(2018, 1, 1));
    invoice(books, 3, 1_999, on(2018, 6, 1));
    for (customer_id, cents) in [(1, 6_000), (2, 1_234)] {
        let draft = Draft::of(customer_id, Decimal::new(cents, 2), on(2018, 1, 1));
        books.add_document(Kind::Proforma, draft);
    }
}

/// Two lines, one of them with VAT, that together are 51.61.
fn vat_draft() -> Draft {
    let item = |description: &str, ten_thousandths: i64, tax: i64| DraftItem {
        description: description.to_owned(),
        quantity: Decimal::ONE,
        price: Decimal::new(ten_thousandths, 4),
        tax: Decimal::from(tax),
    };
    let items = vec![item("Fibre 100", 413_223, 21), item("Router rent", 16_100, 0)];
    Draft { items, ..Draft::of(1, Decimal::ZERO, on(2018, 1, 1)) }
}

fn pay_in_cash(books: &mut Books, invoice_id: u64, cents: i64) {
    let Some(invoice) = books.invoices.get(invoice_id) else { return };
    let created = invoice.created;
    let payment = Payment {
        id: 0,
        customer_id: invoice.customer_id,
        invoice_id: Some(invoice_id),
        request_id: None,
        transaction_id: None,
        payment_type: 1,
        receipt_number: format!("CASH-{}", invoice.number),
        date: created.date(),
        amount: Decimal::new(cents, 2),
        comment: String::new(),
        fields: Default::default(),
        note: String::new(),
        memo: String::new(),
        remind_amount: Decimal::ZERO,
        created,
        added_by: "admin".to_owned(),
    };
    books.post_payment(payment, Behaviour::default());
}

//! A customer who tries again until it works, and what Splynx must hold afterwards.
//!
//! **Invariant:** the customer knows nothing of the add-on but its pages.

use rust_decimal::Decimal;
use splynx_bitpay::sim::splynx::{Direction, Payment, Status};

use crate::support::{Checkout, Customer, Document, PATIENCE, World, decimal, eventually};

/// The fee on 100.00 is 10.00 under this setup.
pub(crate) const FEE_PERCENT: &str = "10";
pub(crate) const FEE_VAT_PERCENT: &str = "2";

/// What is paid, always 100.00 and its fee.
#[derive(Debug, Clone)]
pub(crate) enum Goods {
    Invoice(Document),
    Proforma(Document),
    Refill,
}

/// Kinds of goods.
pub(crate) const KINDS: u64 = 3;

/// A customer and what they pay.
#[derive(Debug)]
pub(crate) struct Shopper<'a> {
    pub(crate) world: &'a World,
    pub(crate) customer: Customer,
    pub(crate) goods: Goods,
}

impl<'a> Shopper<'a> {
    /// A new customer with goods of a kind.
    pub(crate) async fn new(world: &'a World, kind: u64) -> Self {
        let customer = world.customer().await;
        let goods = match kind % KINDS {
            0 => Goods::Invoice(world.invoice(&customer, "100.00")),
            1 => Goods::Proforma(world.proforma(&customer, "100.00")),
            _ => Goods::Refill,
        };
        Self { world, customer, goods }
    }

    /// Opens the page and presses its button, again and again.
    pub(crate) async fn click(&self) -> Checkout {
        match &self.goods {
            Goods::Invoice(document) | Goods::Proforma(document) => {
                insist(&self.customer, &document.page(), None).await
            }
            Goods::Refill => insist(&self.customer, "/bitpay/", Some("100.00")).await,
        }
    }

    /// Reloads the result page until it says paid.
    pub(crate) async fn sees_paid(&self, checkout: &Checkout, patience: std::time::Duration) {
        let address = self.world.results(checkout).address;
        eventually("the result page says paid", patience, async || {
            let page = self.world.browser().get(&address).await;
            let paid = page.status == 200 && page.body.contains("data-progress=\"paid\"");
            match progress(&page.body) {
                _ if paid => Ok(()),
                "review" => Err(self.world.story_of(&checkout.invoice)),
                other => Err(format!("{}: {other}", page.status)),
            }
        })
        .await;
    }

    /// Waits until Splynx holds all of it: payment, fee, document.
    pub(crate) async fn sees_all_of_it(&self, checkout: &Checkout) {
        eventually("Splynx holds all of it", PATIENCE, async || self.credited(checkout)).await;
    }

    /// Waits until the payment statement tells the same; that is the last thing the add-on does.
    pub(crate) async fn sees_the_record(&self) {
        eventually("the statement's record is processed", PATIENCE, async || {
            if self.has_its_record() { Ok(()) } else { Err(format!("{:?}", self.records())) }
        })
        .await;
    }

    pub(crate) fn has_its_record(&self) -> bool {
        self.records() == ["processed"]
    }

    fn records(&self) -> Vec<String> {
        self.world.splynx.read(|splynx| {
            let rows = splynx.books.records.iter();
            let own = rows.filter(|row| row.customer_id == Some(self.customer.id));
            own.filter(|row| row.status != "canceled").map(|row| row.status.clone()).collect()
        })
    }

    fn payments(&self) -> Vec<Payment> {
        let mut payments = self.world.payments();
        payments.retain(|payment| {
            payment.customer_id == self.customer.id && !payment.receipt_number.starts_with("CASH")
        });
        payments
    }

    /// The oracle: one payment, one fee, the right sums, and the document paid.
    pub(crate) fn is_credited_once(&self, checkout: &Checkout) {
        self.credited(checkout).unwrap();
    }

    /// Says what is not there yet. What is there twice, or wrong, fails at once.
    pub(crate) fn credited(&self, checkout: &Checkout) -> Result<(), String> {
        let payments = self.payments();
        let key = checkout.key(1);
        assert!(payments.len() <= 1, "{key}: {payments:#?}");
        let Some(payment) = payments.first() else { return Err(format!("{key}: no payment")) };
        assert_eq!((payment.receipt_number.as_str(), payment.amount), (&*key, decimal("110.00")));
        match &self.goods {
            Goods::Invoice(invoice) => {
                assert_eq!(payment.invoice_id, Some(invoice.id), "{key}");
                let row = self.world.look(invoice);
                let fees = row.items.iter().filter(|item| item.description.ends_with(&key));
                assert_eq!(fees.count(), 1, "{key}: {:#?}", row.items);
                assert_eq!((row.total, row.due), (decimal("110.00"), Decimal::ZERO), "{key}");
                assert_eq!(self.world.balance(&self.customer), Decimal::ZERO, "{key}");
                is_marked_paid(&row)
            }
            Goods::Proforma(proforma) => {
                assert_eq!(payment.request_id, Some(proforma.id), "{key}");
                self.fee_is_debited_once(&key)?;
                is_marked_paid(&self.world.look(proforma))
            }
            Goods::Refill => {
                assert_eq!((payment.invoice_id, payment.request_id), (None, None), "{key}");
                self.fee_is_debited_once(&key)
            }
        }
    }

    fn fee_is_debited_once(&self, key: &str) -> Result<(), String> {
        let (debits, balance) = self.world.splynx.read(|splynx| {
            let own = splynx.books.transactions.iter();
            let own = own.filter(|row| row.customer_id == self.customer.id);
            let debits = own.filter(|row| row.direction == Direction::Debit);
            let debits = debits.filter(|row| row.description.ends_with(key)).map(|row| row.total);
            (debits.collect::<Vec<_>>(), splynx.books.deposit(self.customer.id))
        });
        if debits.is_empty() {
            return Err(format!("{key}: no fee"));
        }
        assert_eq!(debits, [decimal("10.00")], "{key}");
        assert_eq!(balance, decimal("100.00"), "{key}");
        Ok(())
    }
}

/// Opens the page and presses its button until that leads to BitPay.
pub(crate) async fn insist(customer: &Customer, path: &str, amount: Option<&str>) -> Checkout {
    let browser = &customer.browser;
    eventually("the customer is sent to BitPay", PATIENCE, async || {
        let page = browser.get(path).await;
        if page.status != 200 {
            return Err(format!("{}: {}", page.status, page.body));
        }
        let form = match amount {
            Some(amount) => page.form_with("amount").with("amount", amount),
            None => page.form_with("_top"),
        };
        let answer = browser.submit(&form).await;
        let address = answer.location().to_owned();
        match address.split_once("/invoice?id=") {
            Some((_, invoice)) => Ok(Checkout { invoice: invoice.to_owned(), address }),
            None => Err(format!("{}: {}", answer.status, answer.body)),
        }
    })
    .await
}

fn is_marked_paid(row: &splynx_bitpay::sim::splynx::Document) -> Result<(), String> {
    match row.status {
        Status::Paid => Ok(()),
        other => Err(format!("{} is {other:?}", row.number)),
    }
}

fn progress(body: &str) -> &str {
    let rest = body.split_once("data-progress=\"").map_or(body, |(_, rest)| rest);
    rest.split('"').next().unwrap_or_default()
}

//! Customers by the thousand, each with unpaid invoices, and the oracle for them.
//!
//! **Invariant:** no two sums of a world are equal, so that no payment can take another's place unseen.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use rust_decimal::Decimal;
use splynx_bitpay::sim::splynx::{Draft, Kind, Status};
use tokio::time::sleep;

use super::shopper::insist;
use crate::support::{Checkout, Customer, Document, World, eventually};

/// One customer may begin ten payments a minute.
pub(crate) const INVOICES_OF_A_CUSTOMER: usize = 10;
/// Customers who click at the same time.
const AT_ONCE: usize = 8;

/// An invoice that a customer has begun to pay.
#[derive(Debug, Clone)]
pub(crate) struct Begun {
    pub(crate) customer: u64,
    pub(crate) sum: Decimal,
    pub(crate) invoice: Document,
    pub(crate) checkout: Checkout,
}

/// So many customers open so many invoices' pages and press their buttons. `first` numbers go before them.
pub(crate) async fn begin_many(world: &World, first: usize, count: usize) -> Vec<Begun> {
    let places: Vec<usize> = (first..first + count).collect();
    let groups = places.chunks(INVOICES_OF_A_CUSTOMER).map(|places| begin(world, places));
    let groups: Vec<_> =
        futures_util::stream::iter(groups).buffer_unordered(AT_ONCE).collect().await;
    groups.into_iter().flatten().collect()
}

async fn begin(world: &World, places: &[usize]) -> Vec<Begun> {
    let customer = world.customer().await;
    let mut begun = Vec::with_capacity(places.len());
    for place in places {
        let sum = Decimal::new(i64::try_from(1000 + place).unwrap(), 2);
        let invoice = numbered_invoice(world, &customer, *place, sum);
        let checkout = insist(&customer, &invoice.page(), None).await;
        begun.push(Begun { customer: customer.id, sum, invoice, checkout });
    }
    begun
}

/// Its number is given: looking for the next free one takes long among thousands.
fn numbered_invoice(world: &World, customer: &Customer, place: usize, sum: Decimal) -> Document {
    let number = format!("2026{place:08}");
    let id = world.splynx.edit(|splynx| {
        let now = splynx.clock.now().naive_utc();
        let draft = Draft::of(customer.id, sum, now).numbered(&number);
        splynx.books.add_document(Kind::Invoice, draft)
    });
    Document { kind: Kind::Invoice, id, number }
}

pub(crate) fn recorded(world: &World) -> usize {
    world.splynx.read(|splynx| splynx.books.payments.len())
}

/// The oracle: Splynx has exactly one payment for each invoice that was paid, and it is the right one; in all it has
/// `total` payments.
pub(crate) fn is_exact(world: &World, begun: &[Begun], total: usize) {
    let payments = world.payments();
    let mut by_key: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for payment in &payments {
        by_key.entry(&payment.receipt_number).or_default().push(payment);
    }
    for one in begun {
        let key = one.checkout.key(1);
        let own = by_key.get(key.as_str()).map(Vec::as_slice).unwrap_or_default();
        let [payment] = own else { panic!("{key} is recorded {} times", own.len()) };
        assert_eq!(payment.amount, one.sum, "{key}");
        assert_eq!(payment.customer_id, one.customer, "{key}");
        assert_eq!(payment.invoice_id, Some(one.invoice.id), "{key}");
        let row = world.look(&one.invoice);
        assert_eq!((row.status, row.due), (Status::Paid, Decimal::ZERO), "{key}");
        assert_eq!(row.payment_id, Some(payment.id), "{key}");
    }
    assert_eq!(payments.len(), total, "payments for nothing");
}

/// Waits until the add-on says of so many attempts, and of no others, that they are recorded.
pub(crate) async fn all_recorded(world: &World, count: usize, patience: Duration) {
    let line = format!("splynx_bitpay_attempts{{state=\"recorded\"}} {count}");
    eventually("the add-on calls all of them recorded", patience, async || {
        sleep(Duration::from_millis(300)).await;
        let (_, figures) = world.addon.ops("/metrics").await?;
        let states = figures.lines().filter(|line| line.starts_with("splynx_bitpay_attempts{"));
        let states: Vec<_> = states.collect();
        if states.contains(&line.as_str()) { Ok(()) } else { Err(states.join(", ")) }
    })
    .await;
}

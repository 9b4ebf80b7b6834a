//! R20: every way in which a payment is not what was asked for. One story per row of `docs/EXCEPTIONS.md`, and the page
//! and this file name each other's rows completely.
//!
//! **Invariant:** nothing is dropped silently: what the price or the document does not explain is credited as the page
//! says, or a person is told.

mod document;
mod page;
mod processor;
mod top_up;

use rust_decimal::Decimal;
use splynx_bitpay::sim::bitpay::{PayKind, PayRequest};

use crate::support::{
    Checkout, Customer, Document, Engine, PATIENCE, Setup, World, decimal, eventually,
};

/// As shipped, but BitPay goes on only when it is told to, and Splynx puts nothing on documents by itself.
fn setup() -> Setup {
    let mut setup = Setup::default();
    setup.bitpay.automatic = false;
    setup.splynx.auto_allocate = false;
    setup
}

/// A customer on the way to pay an invoice over 100.00.
struct Story {
    world: World,
    customer: Customer,
    invoice: Document,
    checkout: Checkout,
}

async fn begun(engine: Engine) -> Story {
    begun_with(engine, setup()).await
}

async fn begun_with(engine: Engine, setup: Setup) -> Story {
    let world = World::with(engine, setup).await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer, "100.00");
    let checkout = customer.check_out(&invoice).await;
    Story { world, customer, invoice, checkout }
}

impl Story {
    fn pays(&self, kind: PayKind) {
        self.world.bitpay.pay(&self.checkout.invoice, kind).unwrap();
    }

    /// Late, and BitPay takes it after all.
    fn pays_late_and_is_accepted(&self, checkout: &Checkout) {
        let request = PayRequest { accepted: true, ..PayRequest::of(PayKind::Late) };
        self.world.bitpay.pay_with(&checkout.invoice, &request).unwrap();
    }

    /// The payment is final, and in Splynx.
    async fn is_paid(&self) {
        self.world.bitpay.confirm(&self.checkout.invoice).unwrap();
        self.world.results(&self.checkout).says("paid").await;
    }

    /// The whole price is on the document, and nobody has to look.
    async fn is_paid_as_usual(&self) {
        self.is_paid().await;
        self.has_payments(&[("100.00", true)]);
        assert!(self.world.under_review().is_empty(), "{}", self.tale());
    }

    /// Our payments, as (sum, whether it is on the document).
    fn has_payments(&self, expected: &[(&str, bool)]) {
        let ours = ours(&self.world).into_iter();
        let ours: Vec<_> = ours.map(|(sum, on)| (sum, on == Some(self.invoice.id))).collect();
        let expected: Vec<_> = expected.iter().map(|(sum, on)| (decimal(sum), *on)).collect();
        assert_eq!(ours, expected, "{}", self.tale());
    }

    fn tale(&self) -> String {
        self.world.story_of(&self.checkout.invoice)
    }

    /// Waits until a person is told this.
    async fn is_told(&self, reason: &str, words: &str) {
        is_told(&self.world, &self.checkout, reason, words).await;
    }
}

/// Waits until a person is told this about that payment.
async fn is_told(world: &World, checkout: &Checkout, reason: &str, words: &str) {
    eventually(&format!("a person is told {reason}"), PATIENCE, async || {
        let story = world.story_of(&checkout.invoice);
        let told = story.contains(&format!("OPEN {reason}")) && story.contains(words);
        if told { Ok(()) } else { Err(story) }
    })
    .await;
}

/// Our payments in Splynx, as (sum, document).
fn ours(world: &World) -> Vec<(Decimal, Option<u64>)> {
    let payments = world.payments().into_iter().filter(|row| row.receipt_number.starts_with("BP-"));
    payments.map(|row| (row.amount, row.invoice_id.or(row.request_id))).collect()
}

/// Waits until the result page tells the customer that a person looks at this payment.
async fn waits_for_a_person(world: &World, checkout: &Checkout) {
    world.results(checkout).says("review").await;
}

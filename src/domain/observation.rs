//! What a processor answered to our own question, in our words.
//!
//! **Invariant:** only an [`Observation`] moves an attempt; a hint never does.

use super::connection::ProcessorKind;
use super::ids::ProcessorInvoiceId;
use super::money::Money;

/// The processor's status, normalised (facts/bitpay 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProcessorStatus {
    /// Nothing, or not everything, was paid yet.
    Unpaid,
    /// Seen in full, not final.
    Seen,
    /// Final: the merchant gets the money.
    Settled,
    /// The time to pay is over.
    Expired,
    /// Seen, but not confirmed in time. May still settle later.
    Invalid,
    /// A confirmed payment was taken back.
    Declined,
}

impl ProcessorStatus {
    /// The word people read.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unpaid => "unpaid",
            Self::Seen => "seen",
            Self::Settled => "settled",
            Self::Expired => "expired",
            Self::Invalid => "invalid",
            Self::Declined => "declined",
        }
    }
}

/// What is special about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exception {
    /// Nothing.
    None,
    /// Less than the price came.
    PaidPartial,
    /// More than the price came.
    PaidOver,
    /// It came after the end of the time to pay.
    PaidLate,
    /// A person marked the invoice at the processor.
    Marked,
    /// The merchant gave money of a final payment back. BitPay's status stays `complete` then (facts/bitpay 2.5).
    Refunded,
}

/// One answer about one processor invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The id in the answer.
    pub invoice: ProcessorInvoiceId,
    /// Our attempt's id as the processor remembers it; absent where the answer leaves it out.
    pub order_id: Option<String>,
    /// The price in the answer.
    pub price: Money,
    /// Where the invoice stands.
    pub status: ProcessorStatus,
    /// What is special about the payment.
    pub exception: Exception,
    /// The paid value in the invoice's currency, where the processor tells it in fiat. BitPay does not: its
    /// `amountPaid` is crypto and never compared with fiat (design 4.5).
    pub paid: Option<Money>,
}

impl Observation {
    /// How much of this invoice is the merchant's, finally (design 4.5).
    ///
    /// BitPay refunds over- and underpayments itself, so it is the price or nothing.
    #[must_use]
    pub fn settled(&self, processor: ProcessorKind) -> Money {
        match (processor, self.status) {
            (ProcessorKind::BitPay, ProcessorStatus::Settled) => self.price,
            (ProcessorKind::BitPay, _) => Money::zero(self.price.currency()),
        }
    }
}

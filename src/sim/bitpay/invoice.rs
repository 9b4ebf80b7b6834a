//! The words for an invoice at BitPay: where it stands, what happened, what was sent back.
//!
//! **Invariant:** the names and codes are BitPay's own.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::clock::Moment;

/// Where an invoice stands, in BitPay's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not paid in full; also while partially paid.
    New,
    /// Seen in full, not yet confirmed.
    Paid,
    /// Confirmed as the transaction speed asks.
    Confirmed,
    /// Credited to the merchant's ledger.
    Complete,
    /// Not paid in full in time.
    Expired,
    /// Paid, but not confirmed within an hour; may still become complete.
    Invalid,
    /// A confirmed invoice that was refunded.
    Declined,
}

/// What was unusual about the payment (`exceptionStatus`; `false` on the wire when there is none).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Exception {
    /// Less than the total arrived.
    PaidPartial,
    /// More than the total arrived.
    PaidOver,
    /// It arrived after the expiry.
    PaidLate,
}

/// How many confirmations the merchant waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speed {
    /// Confirmed as soon as it is seen.
    High,
    /// Confirmed after one block, complete after six.
    Medium,
    /// Never `confirmed`: paid, then complete after six blocks.
    Low,
}

/// What BitPay tells the merchant about (code and name of an IPN's `event`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// 1003.
    PaidInFull,
    /// 1004.
    Expired,
    /// 1005.
    Confirmed,
    /// 1006.
    Completed,
    /// 1012: somebody asked for the notification to be sent again.
    ManuallyNotified,
    /// 1013.
    FailedToConfirm,
    /// 1016.
    RefundComplete,
    /// 1019.
    Declined,
}

impl Event {
    /// The numeric code.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::PaidInFull => 1003,
            Self::Expired => 1004,
            Self::Confirmed => 1005,
            Self::Completed => 1006,
            Self::ManuallyNotified => 1012,
            Self::FailedToConfirm => 1013,
            Self::RefundComplete => 1016,
            Self::Declined => 1019,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PaidInFull => "invoice_paidInFull",
            Self::Expired => "invoice_expired",
            Self::Confirmed => "invoice_confirmed",
            Self::Completed => "invoice_completed",
            Self::ManuallyNotified => "invoice_manuallyNotified",
            Self::FailedToConfirm => "invoice_failedToConfirm",
            Self::RefundComplete => "invoice_refundComplete",
            Self::Declined => "invoice_declined",
        }
    }
}

/// One transaction that reached the invoice's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payment {
    /// The transaction on the chain.
    pub txid: String,
    /// What arrived.
    pub amount: Decimal,
    /// When.
    pub at: Moment,
}

/// Money BitPay sent back to the shopper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refund {
    /// The refund's id.
    pub id: String,
    /// The invoice it belongs to.
    pub invoice: String,
    /// Why it was sent.
    pub reason: RefundReason,
    /// The coin.
    pub currency: &'static str,
    /// How much, in coins.
    pub amount: Decimal,
    /// When.
    pub at: Moment,
}

/// Why money went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RefundReason {
    /// The invoice expired before the rest arrived.
    Underpayment,
    /// More than the total arrived; the surplus goes back.
    Overpayment,
    /// It arrived after the expiry.
    Late,
    /// The merchant declined a confirmed invoice.
    Declined,
    /// The merchant refunded a complete invoice.
    Merchant,
}

/// A move that this invoice cannot make.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an invoice that is {from:?} cannot {wish}")]
pub struct IllegalMove {
    /// Where it stands.
    pub(super) from: Status,
    /// What it was asked to do.
    pub(super) wish: &'static str,
}

/// What a move brought about: notifications due and money sent back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// In the order they happened.
    pub events: Vec<Event>,
    /// Refunds BitPay made by itself.
    pub refunds: Vec<Refund>,
}

impl Outcome {
    /// One notification and no refund.
    pub(super) fn of(event: Event) -> Self {
        Self { events: vec![event], refunds: Vec::new() }
    }

    /// With money that goes back.
    pub(super) fn refunding(mut self, refund: Refund) -> Self {
        self.refunds.push(refund);
        self.events.push(Event::RefundComplete);
        self
    }
}

/// How much of the total a payment brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Share {
    /// What is still missing.
    Exact,
    /// Half of what is still missing.
    Less,
    /// Half as much again as is still missing.
    More,
}

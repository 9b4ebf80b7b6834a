//! Notifications (IPNs): which are due, what they say, and when they are tried again.
//!
//! **Invariant:** a notification names its event for ever, but carries the invoice as it is when it leaves; it counts
//! as delivered on HTTP 200 alone.

use serde::Serialize;
use serde_json::Value;

use super::agenda::Task;
use super::clock::Moment;
use super::invoice::{Event, Status};
use super::signature::ipn_signature;
use super::wire;
use super::world::{Invoice, World};

/// Minutes after the first try at which BitPay tries again; after the last it gives up.
const RETRY_MINUTES: [u64; 5] = [1, 4, 9, 16, 25];

/// How many finished notifications are remembered.
const REMEMBERED: usize = 50_000;

/// What became of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waiting for its next try, or being sent.
    Pending,
    /// Answered with 200.
    Delivered,
    /// Never answered with 200.
    GaveUp,
    /// Sending was switched off when it was due.
    NotSent,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// When the answer, or its absence, was known.
    pub at: Moment,
    /// The HTTP status; `None` if there was no answer.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// One notification and its tries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Counts up from 1.
    pub number: u64,
    /// The invoice it is about.
    pub invoice: String,
    /// What it reports.
    pub event: Event,
    /// Where it goes.
    pub url: String,
    /// What became of it.
    pub state: DeliveryState,
    /// The tries so far.
    pub attempts: Vec<Attempt>,
    /// The body of the last try.
    pub body: String,
    /// The `x-signature` of the last try.
    pub signature: Option<String>,
    /// When it was first due; the schedule counts from here.
    pub first: Moment,
    /// A status to claim instead of the true one.
    pub claimed: Option<Status>,
}

/// A request that leaves now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outgoing {
    /// The notification's number.
    pub number: u64,
    /// Where it goes.
    pub url: String,
    /// The exact bytes.
    pub body: String,
    /// The `x-signature` header.
    pub signature: Option<String>,
    /// How long the merchant's server has.
    pub timeout_ms: u64,
}

impl World {
    /// Plans the notification of an event, if the merchant wants to hear of it.
    pub(super) fn notify(&mut self, id: &str, event: Event, now: Moment) {
        let Some(invoice) = self.invoices.get_mut(id).filter(|invoice| wanted(invoice, event))
        else {
            return;
        };
        invoice.told_final |= is_final(event);
        self.notify_again(id, event, now);
    }

    /// Plans a notification whether or not it was sent before.
    pub(super) fn notify_again(&mut self, id: &str, event: Event, now: Moment) {
        self.plan_delivery(id, event, None, now);
    }

    /// Plans a notification that claims another status than the invoice has, under a right signature.
    pub(super) fn notify_falsely(&mut self, id: &str, event: Event, claimed: Status, now: Moment) {
        self.plan_delivery(id, event, Some(claimed), now);
    }

    fn plan_delivery(&mut self, id: &str, event: Event, claimed: Option<Status>, now: Moment) {
        let Some(url) =
            self.invoices.get(id).and_then(|invoice| invoice.order.notification_url.as_ref())
        else {
            return;
        };
        let url = url.to_string();
        self.last_delivery += 1;
        let number = self.last_delivery;
        let delivery = Delivery {
            number,
            invoice: id.to_owned(),
            event,
            url,
            state: DeliveryState::Pending,
            attempts: Vec::new(),
            body: String::new(),
            signature: None,
            first: now,
            claimed,
        };
        self.forget_oldest_delivery();
        self.deliveries.insert(number, delivery);
        self.agenda.plan(now, Task::Deliver(number));
    }

    fn forget_oldest_delivery(&mut self) {
        if self.deliveries.len() < REMEMBERED {
            return;
        }
        let finished =
            self.deliveries.values().find(|delivery| delivery.state != DeliveryState::Pending);
        if let Some(number) = finished.map(|delivery| delivery.number) {
            self.deliveries.remove(&number);
        }
    }

    /// The request for a notification that is due; `None` if sending is switched off.
    pub(super) fn outgoing(&mut self, number: u64, base: &str, now: Moment) -> Option<Outgoing> {
        let delivery = self.deliveries.get_mut(&number)?;
        if !self.settings.send_ipn {
            delivery.state = DeliveryState::NotSent;
            return None;
        }
        let invoice = self.invoices.get(&delivery.invoice)?;
        delivery.body = body(invoice, delivery, base, now);
        let sign = self.settings.sign_ipn;
        delivery.signature =
            sign.then(|| ipn_signature(&invoice.api_token, delivery.body.as_bytes()));
        Some(Outgoing {
            number,
            url: delivery.url.clone(),
            body: delivery.body.clone(),
            signature: delivery.signature.clone(),
            timeout_ms: self.settings.ipn_timeout_ms,
        })
    }

    /// Takes down how a try ended and plans the next one.
    pub(super) fn record_attempt(&mut self, number: u64, attempt: Attempt) {
        let Some(delivery) = self.deliveries.get_mut(&number) else {
            return;
        };
        let delivered = attempt.status == Some(200);
        let retry = RETRY_MINUTES.get(delivery.attempts.len()).copied();
        delivery.attempts.push(attempt);
        match retry {
            _ if delivered => delivery.state = DeliveryState::Delivered,
            None => delivery.state = DeliveryState::GaveUp,
            Some(minutes) => {
                let due = delivery.first.plus_ms(minutes.saturating_mul(self.settings.minute_ms));
                self.agenda.plan(due, Task::Deliver(number));
            }
        }
    }
}

fn is_final(event: Event) -> bool {
    matches!(event, Event::Confirmed | Event::Completed)
}

fn wanted(invoice: &Invoice, event: Event) -> bool {
    match event {
        Event::ManuallyNotified => true,
        Event::Confirmed | Event::Completed => {
            invoice.order.full_notifications || !invoice.told_final
        }
        Event::PaidInFull | Event::FailedToConfirm => invoice.order.full_notifications,
        Event::Expired | Event::RefundComplete | Event::Declined => {
            invoice.order.extended_notifications
        }
    }
}

fn body(invoice: &Invoice, delivery: &Delivery, base: &str, now: Moment) -> String {
    let status = delivery.claimed.unwrap_or(invoice.progress.status);
    let data: Value = wire::notification(invoice, status, base, now);
    if invoice.order.extended_notifications {
        wire::extended_notification(&data, delivery.event, now)
    } else {
        data.to_string()
    }
}

//! Everything the simulated BitPay knows: merchants' tokens, invoices, notifications, refunds.
//!
//! **Invariant:** all of it sits behind one lock, held for one request or one task, never across an await.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::Environment;
use super::agenda::{Agenda, Task};
use super::clock::Moment;
use super::currencies::COINS;
use super::invoice::{IllegalMove, Outcome, Refund, Speed, Status};
use super::ipn::Delivery;
use super::order::Order;
use super::progress::Progress;
use super::random;
use super::settings::Settings;
use super::tokens::{PairingCode, Token};

/// An invoice with everything that was asked and has happened.
#[derive(Debug, Clone)]
pub(super) struct Invoice {
    /// The idempotency key; made up when the merchant sent none.
    pub guid: String,
    /// The merchant it belongs to.
    pub merchant: String,
    /// The API token that created it; notifications are signed with it.
    pub api_token: String,
    /// The token of this one resource.
    pub resource_token: String,
    /// When it was created.
    pub created: Moment,
    /// What the merchant asked for.
    pub order: Order,
    /// Where the payment stands.
    pub progress: Progress,
    /// Whether confirmed or complete was notified, which happens once without full notifications.
    pub told_final: bool,
}

/// The state of the simulator.
#[derive(Debug)]
pub(super) struct World {
    /// Which of BitPay's two worlds this is.
    pub environment: Environment,
    /// The merchant whose dashboard is shown.
    pub merchant: String,
    /// What can be changed while it runs.
    pub settings: Settings,
    /// Tokens by value.
    pub tokens: HashMap<String, Token>,
    /// The values of the tokens in the order they were made.
    pub token_order: Vec<String>,
    /// Pairing codes made in the dashboard.
    pub pairing_codes: BTreeMap<String, PairingCode>,
    /// When pairing codes were refused, for the brake on guessing.
    pub failed_pairings: VecDeque<Moment>,
    /// Invoices by id.
    pub invoices: HashMap<String, Invoice>,
    /// Ids in the order of creation.
    pub invoice_order: Vec<String>,
    /// Ids by merchant and guid.
    pub by_guid: HashMap<(String, String), String>,
    /// Notifications by number.
    pub deliveries: BTreeMap<u64, Delivery>,
    /// The number of the last notification.
    pub last_delivery: u64,
    /// Money that BitPay sent back by itself.
    pub refunds: Vec<Refund>,
    /// What will happen when.
    pub agenda: Agenda,
    /// Notifications that have to leave now.
    pub leaving: Vec<u64>,
}

impl World {
    /// An empty BitPay with one merchant.
    #[must_use]
    pub(super) fn new(environment: Environment, settings: Settings) -> Self {
        Self {
            environment,
            merchant: random::token(),
            settings,
            tokens: HashMap::new(),
            token_order: Vec::new(),
            pairing_codes: BTreeMap::new(),
            failed_pairings: VecDeque::new(),
            invoices: HashMap::new(),
            invoice_order: Vec::new(),
            by_guid: HashMap::new(),
            deliveries: BTreeMap::new(),
            last_delivery: 0,
            refunds: Vec::new(),
            agenda: Agenda::default(),
            leaving: Vec::new(),
        }
    }

    /// Opens an invoice; with a guid this merchant used before, that invoice is meant and nothing is created.
    pub(super) fn open_invoice(&mut self, token: &Token, order: Order, now: Moment) -> String {
        let guid = order.guid.clone().unwrap_or_else(random::uuid);
        let key = (token.merchant.clone(), guid.clone());
        if let Some(known) = self.by_guid.get(&key) {
            return known.clone();
        }
        let id = random::id();
        let invoice = new_invoice(&id, guid, token, order, &self.settings, now);
        self.agenda.plan(invoice.progress.expires, Task::Expire(id.clone()));
        self.by_guid.insert(key, id.clone());
        self.invoice_order.push(id.clone());
        self.invoices.insert(id.clone(), invoice);
        id
    }

    /// Moves an invoice and does what follows: refunds, notifications, the next automatic step.
    ///
    /// # Errors
    /// `None` for an unknown invoice, else why the invoice cannot make this move.
    pub(super) fn advance<F>(
        &mut self,
        id: &str,
        now: Moment,
        step: F,
    ) -> Result<Status, Option<IllegalMove>>
    where
        F: FnOnce(&mut Progress) -> Result<Outcome, IllegalMove>,
    {
        let invoice = self.invoices.get_mut(id).ok_or(None)?;
        let before = invoice.progress.status;
        let outcome = step(&mut invoice.progress).map_err(Some)?;
        let status = invoice.progress.status;
        self.refunds.extend(outcome.refunds);
        for event in outcome.events {
            self.notify(id, event, now);
        }
        if status != before
            && matches!(status, Status::Paid | Status::Confirmed)
            && self.settings.automatic
        {
            let due = now.plus_ms(self.settings.step_ms);
            self.agenda.plan(due, Task::Step(id.to_owned()));
        }
        Ok(status)
    }

    /// Does all that is due; the notifications that have to leave now are put aside for the sender.
    pub(super) fn run_due(&mut self, now: Moment) {
        while let Some((due, task)) = self.agenda.take_due(now) {
            match task {
                Task::Expire(id) => self.expire_if_open(&id, due),
                Task::Step(id) => self.confirm_further(&id, due),
                Task::Deliver(number) => self.leaving.push(number),
            }
        }
    }

    fn expire_if_open(&mut self, id: &str, due: Moment) {
        // Paid or already expired by hand: then the plan of the creation is void.
        let _ = self.advance(id, due, |progress| progress.expire(due));
    }

    fn confirm_further(&mut self, id: &str, due: Moment) {
        if !self.settings.automatic {
            return;
        }
        // Moved by hand since it was planned: then the hand wins.
        let _ = self.advance(id, due, |progress| match (progress.status, progress.speed) {
            (Status::Paid, Speed::High | Speed::Medium) => progress.confirm(),
            (Status::Paid, Speed::Low) | (Status::Confirmed, _) => progress.complete(),
            _ => Ok(Outcome::default()),
        });
    }
}

fn new_invoice(
    id: &str,
    guid: String,
    token: &Token,
    order: Order,
    settings: &Settings,
    now: Moment,
) -> Invoice {
    let offered = |coin: &&'static _| order.coins.is_empty() || order.coins.contains(coin);
    let quotes =
        COINS.iter().filter(offered).map(|coin| coin.quote(order.price, order.currency)).collect();
    Invoice {
        guid,
        merchant: token.merchant.clone(),
        api_token: token.value.clone(),
        resource_token: random::token(),
        created: now,
        progress: Progress {
            id: id.to_owned(),
            status: Status::New,
            exception: None,
            speed: order.speed,
            expires: now.plus_ms(order.acceptance_window.unwrap_or(settings.expiry_ms)),
            quotes,
            coin: None,
            payments: Vec::new(),
            refunded: None,
        },
        told_final: false,
        order,
    }
}

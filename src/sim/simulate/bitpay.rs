//! The simulated processor: invoices that are found again by their guid, and what becomes of each.
//!
//! **Invariant:** what an invoice will go through is drawn when its checkout is first shown, and is all the oracle needs to
//! know about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use secrecy::SecretString;

use super::clock::true_time;
use super::coverage::Happening;
use super::executor::Life;
use super::plan::{DAY, HOUR, MINUTE};
use super::rng::Rng;
use super::splynx::TIMEOUT;
use super::world::{Point, State, World};
use crate::domain::connection::{Connection, ConnectionSecrets};
use crate::domain::ids::{AttemptId, ProcessorInvoiceId};
use crate::domain::money::Money;
use crate::domain::observation::{Exception, Observation, ProcessorStatus};
use crate::ports::PeerError;
use crate::ports::processor::{InvoiceWish, OpenedInvoice, PairingOutcome, Processor, Processors};

const PEER: &str = "the processor";
/// How long an invoice can be paid.
const OPEN: i64 = 15 * MINUTE;

/// What an invoice is from some moment on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phase {
    pub(super) from: i64,
    pub(super) status: ProcessorStatus,
    pub(super) exception: Exception,
}

/// One invoice.
#[derive(Debug, Clone)]
pub(super) struct Invoice {
    pub(super) id: ProcessorInvoiceId,
    pub(super) price: Money,
    pub(super) hook: String,
    /// When we last asked about it, by true time.
    pub(super) observed: i64,
    born: i64,
    shown: bool,
    phases: Vec<Phase>,
}

/// All invoices, by our attempts' ids.
#[derive(Debug, Clone, Default)]
pub(super) struct Site {
    pub(super) invoices: BTreeMap<AttemptId, Invoice>,
    /// Whether ids are longer than any that fits into a receipt number.
    pub(super) long_ids: bool,
}

impl Invoice {
    fn phase(&self, now: i64) -> Phase {
        let mut past = self.phases.iter().filter(|phase| phase.from <= now);
        past.next_back().copied().unwrap_or(Phase {
            from: self.born,
            status: ProcessorStatus::Unpaid,
            exception: Exception::None,
        })
    }

    /// From this moment on its money is final, whatever was drawn.
    #[cfg(test)]
    pub(super) fn settle_at(&mut self, from: i64) {
        let (status, exception) = (ProcessorStatus::Settled, Exception::None);
        self.phases = vec![Phase { from, status, exception }];
    }

    /// When the last thing happens to it.
    pub(super) fn last_change(&self) -> i64 {
        self.phases.last().map_or(self.born, |phase| phase.from)
    }

    /// Whether its money was final at some moment.
    pub(super) fn ever_settled(&self) -> bool {
        self.phases.iter().any(|phase| phase.status == ProcessorStatus::Settled)
    }

    /// Whether its money is final at the end.
    pub(super) fn is_settled(&self) -> bool {
        self.phases.last().is_some_and(|phase| phase.status == ProcessorStatus::Settled)
    }
}

/// Draws what becomes of an invoice whose checkout somebody sees now.
fn draw_phases(rng: &mut Rng, born: i64, now: i64) -> (Happening, Vec<Phase>) {
    use Exception as E;
    use Happening as H;
    use ProcessorStatus as S;

    let closes = born.saturating_add(OPEN);
    let paid = now.saturating_add(rng.between(1000, OPEN)).min(closes.max(now.saturating_add(1)));
    let settles = paid.saturating_add(rng.between(0, 2 * HOUR));
    let after = |moment: i64, pause: i64| moment.saturating_add(pause);
    let what = rng.pick(
        &[
            H::Paid,
            H::Paid,
            H::Paid,
            H::PaidOver,
            H::PaidPartial,
            H::PaidLate,
            H::Invalid,
            H::InvalidSettled,
            H::Declined,
            H::Unpaid,
        ],
        H::Paid,
    );
    let late = after(closes, rng.between(MINUTE, 6 * HOUR));
    let wait = rng.between(MINUTE, 8 * HOUR);
    let phases = match what {
        H::PaidOver => vec![(paid, S::Seen, E::PaidOver), (settles, S::Settled, E::PaidOver)],
        H::PaidPartial => {
            vec![(paid, S::Unpaid, E::PaidPartial), (closes, S::Expired, E::PaidPartial)]
        }
        H::PaidLate => vec![
            (closes, S::Expired, E::None),
            (late, S::Seen, E::PaidLate),
            (after(late, wait), S::Settled, E::PaidLate),
        ],
        H::Invalid => vec![(paid, S::Seen, E::None), (after(paid, HOUR), S::Invalid, E::None)],
        H::InvalidSettled => vec![
            (paid, S::Seen, E::None),
            (after(paid, HOUR), S::Invalid, E::None),
            (after(paid, HOUR.saturating_add(wait)), S::Settled, E::Marked),
        ],
        H::Declined => vec![
            (paid, S::Seen, E::None),
            (settles, S::Settled, E::None),
            (after(settles, rng.between(MINUTE, DAY)), S::Declined, E::None),
        ],
        H::Unpaid => vec![(closes, S::Expired, E::None)],
        _ => vec![(paid, S::Seen, E::None), (settles, S::Settled, E::None)],
    };
    let phase = |(from, status, exception)| Phase { from, status, exception };
    (what, phases.into_iter().map(phase).collect())
}

impl State {
    /// A customer sees the checkout of this invoice. Returns the hook and when notifications are sent, the first time.
    pub(super) fn show(&mut self, id: &str, now: i64) -> Option<(String, Vec<i64>)> {
        let mut invoices = self.bitpay.invoices.values_mut();
        let invoice = invoices.find(|invoice| invoice.id.as_str() == id)?;
        if invoice.shown {
            return None;
        }
        invoice.shown = true;
        let (what, phases) = draw_phases(&mut self.rng, invoice.born, now);
        let hints = phases.iter().map(|phase| phase.from).collect();
        invoice.phases = phases;
        let hook = invoice.hook.clone();
        self.coverage.count(what);
        self.journal.note(now, "customer", 0, || format!("{id}: {}", what.words()));
        Some((hook, hints))
    }

    /// Makes the invoice, or finds the one of the same guid.
    fn open_invoice(&mut self, wish: &InvoiceWish, now: i64) -> OpenedInvoice {
        let number = self.bitpay.invoices.len();
        let there = self.bitpay.invoices.get(&wish.attempt).cloned();
        if there.is_some() {
            self.coverage.count(Happening::FoundByGuid);
        }
        let invoice = there.unwrap_or_else(|| {
            let digits = if self.bitpay.long_ids { 27 } else { 19 };
            let id = ProcessorInvoiceId::parse(&format!("Sim{number:0digits$}"));
            let hook = wish.notification_url.rsplit('/').next().unwrap_or_default().to_owned();
            let closes = now.saturating_add(OPEN);
            let unpaid = Phase {
                from: closes,
                status: ProcessorStatus::Expired,
                exception: Exception::None,
            };
            Invoice {
                id: id.unwrap_or_else(|_| unreachable!("letters and digits are an id")),
                price: wish.price,
                hook,
                observed: 0,
                born: now,
                shown: false,
                phases: vec![unpaid],
            }
        });
        let opened = OpenedInvoice {
            invoice: invoice.id.clone(),
            checkout_url: invoice.id.to_string(),
            expires_at: true_time(invoice.born) + TimeDelta::milliseconds(OPEN),
            price: invoice.price,
        };
        self.bitpay.invoices.insert(wish.attempt, invoice);
        opened
    }

    fn observe(&mut self, id: &ProcessorInvoiceId, now: i64) -> Option<Observation> {
        let mut invoices = self.bitpay.invoices.iter_mut();
        let (attempt, invoice) = invoices.find(|(_, invoice)| invoice.id == *id)?;
        invoice.observed = now;
        let phase = invoice.phase(now);
        Some(Observation {
            invoice: id.clone(),
            order_id: Some(attempt.to_string()),
            price: invoice.price,
            status: phase.status,
            exception: phase.exception,
            paid: None,
        })
    }
}

/// The processor as one process sees it.
pub(super) struct BitPayPort {
    pub(super) world: Arc<World>,
    pub(super) life: Life,
}

fn unavailable() -> PeerError {
    PeerError::Unavailable { peer: PEER, why: "no answer".to_owned() }
}

fn refused(sentence: &str) -> PeerError {
    PeerError::Refused { peer: PEER, sentence: sentence.to_owned() }
}

impl BitPayPort {
    async fn arrive(&self) -> Result<(), PeerError> {
        self.world.step(self.life, Point::Before).await;
        self.world.pass(5, 200).await;
        let error = {
            let mut state = self.world.state();
            if state.strikes(|plan| plan.rates.processor, Happening::ProcessorSilent) {
                Some(unavailable())
            } else if state
                .strikes(|plan| plan.rates.processor_refuses, Happening::ProcessorRefused)
            {
                Some(refused("no"))
            } else {
                None
            }
        };
        let Some(error) = error else {
            return Ok(());
        };
        let hangs = self.world.state().rng.chance(300);
        self.world.schedule.sleep(if hangs { TIMEOUT } else { 20 }).await;
        Err(error)
    }
}

#[async_trait]
impl Processor for BitPayPort {
    async fn open_invoice(&self, wish: &InvoiceWish) -> Result<OpenedInvoice, PeerError> {
        self.arrive().await?;
        let (opened, is_lost) = {
            let mut state = self.world.state();
            let opened = state.open_invoice(wish, self.world.now());
            let what = Happening::UnclearOpening;
            (opened, state.strikes(|plan| plan.rates.unclear_opening, what))
        };
        self.world.step(self.life, Point::Sent).await;
        self.world.pass(5, 200).await;
        if is_lost { Err(unavailable()) } else { Ok(opened) }
    }

    async fn observe(&self, invoice: &ProcessorInvoiceId) -> Result<Observation, PeerError> {
        self.arrive().await?;
        let seen = self.world.state().observe(invoice, self.world.now());
        self.world.pass(5, 200).await;
        seen.ok_or_else(|| refused("there is no such invoice"))
    }

    async fn check_token(&self) -> Result<(), PeerError> {
        self.arrive().await
    }
}

#[async_trait]
impl Processors for BitPayPort {
    fn of(&self, connection: &Connection) -> Result<Arc<dyn Processor>, PeerError> {
        if connection.secrets.token.is_none() {
            return Err(refused("the secrets of this connection are erased"));
        }
        Ok(Arc::new(Self { world: Arc::clone(&self.world), life: self.life }))
    }

    fn is_signed_by(&self, _: &Connection, _: &[u8], _: &str) -> bool {
        false
    }

    fn is_raw_token(&self, _: &str) -> bool {
        false
    }

    fn new_key(&self) -> (ConnectionSecrets, String) {
        (ConnectionSecrets::default(), String::new())
    }

    async fn exchange(&self, _: &Connection, _: &str) -> PairingOutcome {
        PairingOutcome::Unclear { why: "nobody pairs in these worlds".to_owned() }
    }

    async fn find_token(&self, _: &Connection) -> Result<Option<SecretString>, PeerError> {
        Ok(None)
    }
}

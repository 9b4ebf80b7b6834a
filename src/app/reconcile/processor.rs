//! Processor and our books: what is final there must be credited here, and what is paid there must be known here.
//!
//! **Invariant:** a processor that does not answer is not asked for ever, and what was left out is said.

use chrono::{Days, NaiveDate};

use super::report::{Finding, FindingKind};
use super::{Books, at_attempt};
use crate::app::receive_hint::look_soon;
use crate::app::refresh_attempt::in_short;
use crate::app::work::TurnError;
use crate::domain::attempt::Attempt;
use crate::domain::connection::Connection;
use crate::domain::ids::{AttemptId, ConnectionId};
use crate::domain::money::Money;
use crate::domain::observation::Observation;
use crate::domain::recording::credited;
use crate::ports::PeerError;
use crate::ports::processor::{Listing, Processor};
use crate::ports::store::Ledger;

/// After so many questions in a row without an answer a processor is asked no more.
const SILENCE: u32 = 3;

/// Days whose invoices are listed at once.
const WINDOW: Days = Days::new(7);

/// Pages of one window; more are a list that does not end.
const PAGES: u32 = 2000;

impl Books<'_> {
    /// Asks the processor what is final. Returns the ledger as it is now, if it was read again.
    pub(super) async fn compare_with_processor(
        &mut self,
        ledger: &Ledger,
    ) -> Result<Option<Ledger>, TurnError> {
        let attempt = &ledger.attempt;
        let nothing = Money::zero(attempt.terms.price.currency());
        let mut sum = credited(&ledger.credits, nothing)?;
        let observation = self.ask(attempt).await?;
        let mut fresh = None;
        if let Some(observation) = &observation {
            let settled = observation.settled(attempt.processor);
            if settled != sum {
                // Asking takes its time: what settled meanwhile may be credited by now.
                fresh = self.app.store.ledger(attempt.id).await?;
                sum = credited(&fresh.as_ref().unwrap_or(ledger).credits, nothing)?;
            }
            self.report.add(settled, |sums| &mut sums.processor);
            if settled != sum {
                let attempt = &fresh.as_ref().unwrap_or(ledger).attempt;
                self.name_difference(attempt, observation, (settled, sum)).await?;
            }
        }
        self.report.add(sum, |sums| &mut sums.ours);
        Ok(fresh)
    }

    /// What our own looks have not seen yet is no difference: it is looked at now, and credited then. After a day out of
    /// service, or where no notification comes, reconcile may well be the first to hear of it.
    async fn name_difference(
        &mut self,
        attempt: &Attempt,
        observation: &Observation,
        (settled, sum): (Money, Money),
    ) -> Result<(), TurnError> {
        let id = attempt.id;
        let words = format!("{id}: final at the processor {settled}, credited {sum}");
        if attempt.last_seen.as_deref() == Some(in_short(observation).as_str()) {
            let words = format!("{words}.");
            self.report.name(at_attempt(FindingKind::Processor, attempt, id, words));
            return Ok(());
        }
        let words = format!("{words}; it was not looked at since.");
        self.report.name(at_attempt(FindingKind::NotSeenYet, attempt, id, words));
        look_soon(self.app, &attempt.hook).await?;
        Ok(())
    }

    /// What the processor says now about an invoice of ours.
    async fn ask(&mut self, attempt: &Attempt) -> Result<Option<Observation>, TurnError> {
        let Some(opened) = &attempt.opened else {
            return Ok(None);
        };
        if self.silent >= SILENCE {
            self.left_out(attempt, "the processor does not answer");
            return Ok(None);
        }
        let Some(processor) = self.processor(attempt.connection).await? else {
            return Ok(None);
        };
        let answer = match processor {
            Ok(processor) => processor.observe(&opened.invoice).await,
            Err(error) => Err(error),
        };
        self.report.asked = self.report.asked.saturating_add(1);
        self.silent = match &answer {
            Err(error) if error.is_unavailable() => self.silent.saturating_add(1),
            _ => 0,
        };
        match answer {
            Ok(observation) => match attempt.mismatch(&observation) {
                None => Ok(Some(observation)),
                Some(note) => {
                    let words = format!("{}: {}", attempt.id, note.words);
                    let subject = attempt.id;
                    self.report.name(at_attempt(FindingKind::Processor, attempt, subject, words));
                    Ok(None)
                }
            },
            Err(error @ PeerError::Refused { .. }) => {
                let words = format!("{}: {error}.", attempt.id);
                self.report.name(at_attempt(FindingKind::Processor, attempt, attempt.id, words));
                Ok(None)
            }
            Err(error) => {
                self.left_out(attempt, &error.to_string());
                Ok(None)
            }
        }
    }

    fn left_out(&mut self, attempt: &Attempt, why: &str) {
        let words = format!("{}: not compared: {why}.", attempt.id);
        self.report.name(at_attempt(FindingKind::NotCompared, attempt, attempt.id, words));
    }

    /// The account of a connection, looked up once as long as the same one is asked for.
    async fn processor(
        &mut self,
        id: ConnectionId,
    ) -> Result<Option<Result<std::sync::Arc<dyn Processor>, PeerError>>, TurnError> {
        if let Some((known, processor)) = &self.account
            && *known == id
        {
            return Ok(Some(Ok(std::sync::Arc::clone(processor))));
        }
        let Some(connection) = self.app.store.connection(id).await? else {
            return Ok(None);
        };
        let processor = self.app.processors.of(&connection);
        if let Ok(processor) = &processor {
            self.account = Some((id, std::sync::Arc::clone(processor)));
        }
        Ok(Some(processor))
    }

    /// Names paid invoices that carry an order id of ours and are in no books of ours.
    pub(super) async fn find_unseen(&mut self) -> Result<(), TurnError> {
        for connection in self.app.store.connections().await? {
            if connection.secrets.token.is_none() {
                continue;
            }
            let Ok(processor) = self.app.processors.of(&connection) else { continue };
            self.list_all(&connection, processor.as_ref()).await?;
        }
        Ok(())
    }

    async fn list_all(
        &mut self,
        connection: &Connection,
        processor: &dyn Processor,
    ) -> Result<(), TurnError> {
        let last =
            self.app.clock.local_date(self.report.begun).succ_opt().unwrap_or(NaiveDate::MAX);
        let mut day = self.app.clock.local_date(self.report.since);
        while day <= last {
            let until = day.checked_add_days(WINDOW).unwrap_or(last).min(last);
            if !self.list_window(connection, processor, (day, until)).await? {
                return Ok(());
            }
            let Some(next) = until.succ_opt() else { return Ok(()) };
            day = next;
        }
        Ok(())
    }

    /// `false`: there is no list to be had from this account.
    async fn list_window(
        &mut self,
        connection: &Connection,
        processor: &dyn Processor,
        (since, until): (NaiveDate, NaiveDate),
    ) -> Result<bool, TurnError> {
        let mut offset = 0_usize;
        for _ in 0..PAGES {
            match processor.list(since, until, offset).await {
                Ok(Listing::Page(page)) if page.is_empty() => return Ok(true),
                Ok(Listing::Page(page)) => {
                    offset = offset.saturating_add(page.len());
                    for observation in &page {
                        self.compare_listed(connection, observation).await?;
                    }
                }
                Ok(Listing::NotAllowed { why }) => {
                    self.report.unlisted.push(why);
                    return Ok(false);
                }
                Err(error) => {
                    let words = format!("The processor's list was not compared: {error}.");
                    let kind = FindingKind::NotCompared;
                    self.report.name(without_attempt(kind, connection.id.to_string(), words));
                    return Ok(false);
                }
            }
        }
        let words = "The processor's list does not end.".to_owned();
        let kind = FindingKind::NotCompared;
        self.report.name(without_attempt(kind, connection.id.to_string(), words));
        Ok(false)
    }

    /// Other shops of the merchant have other order ids; ours are attempts' ids.
    async fn compare_listed(
        &mut self,
        connection: &Connection,
        observation: &Observation,
    ) -> Result<(), TurnError> {
        self.report.listed = self.report.listed.saturating_add(1);
        let settled = observation.settled(connection.processor);
        let order = observation.order_id.as_deref().unwrap_or_default();
        let Ok(id) = AttemptId::parse(order) else { return Ok(()) };
        if !settled.is_positive() {
            return Ok(());
        }
        let ledger = self.app.store.ledger(id).await?;
        let invoice = ledger.as_ref().and_then(|ledger| ledger.attempt.opened.as_ref());
        if invoice.is_some_and(|opened| opened.invoice == observation.invoice) {
            return Ok(());
        }
        let words = format!(
            "The processor has {settled} on invoice {} with our order id {id}, which our books never saw.",
            observation.invoice
        );
        let subject = observation.invoice.to_string();
        self.report.name(match &ledger {
            Some(ledger) => at_attempt(FindingKind::Unseen, &ledger.attempt, subject, words),
            None => without_attempt(FindingKind::Unseen, subject, words),
        });
        Ok(())
    }
}

fn without_attempt(kind: FindingKind, subject: String, words: String) -> Finding {
    Finding { kind, subject, attempt: None, customer: None, words }
}

//! The moves an invoice may make.
//!
//! **Invariant:** only the full price is ever kept: what is under, over or late is refunded, and an invoice becomes
//! `complete` only if its whole price was paid in time or accepted late.

use rust_decimal::{Decimal, RoundingStrategy};

use super::clock::Moment;
use super::currencies::{Coin, Quote};
use super::invoice::{
    Event, Exception, IllegalMove, Outcome, Payment, Refund, RefundReason, Share, Speed, Status,
};
use super::random;

/// The money side of an invoice; the merchant's texts are in [`super::world::Invoice`].
#[derive(Debug, Clone)]
pub(super) struct Progress {
    /// The invoice's id, for the refunds.
    pub id: String,
    /// Where it stands.
    pub status: Status,
    /// What was unusual.
    pub exception: Option<Exception>,
    /// The transaction speed.
    pub speed: Speed,
    /// The price lock ends here.
    pub expires: Moment,
    /// What the price is in every coin.
    pub quotes: Vec<Quote>,
    /// The coin the shopper chose; the first payment fixes it.
    pub coin: Option<&'static Coin>,
    /// What arrived.
    pub payments: Vec<Payment>,
    /// What the merchant gave back after the invoice was complete.
    pub refunded: Option<Refund>,
}

impl Progress {
    /// The quote of the coin in use.
    #[must_use]
    pub(super) fn quote(&self) -> Option<&Quote> {
        let coin = self.coin?;
        self.quotes.iter().find(|quote| quote.coin == coin)
    }

    /// What arrived so far, in coins.
    #[must_use]
    pub(super) fn paid(&self) -> Decimal {
        self.payments.iter().map(|payment| payment.amount).sum()
    }

    /// What is still missing, in coins; zero when nothing is.
    #[must_use]
    pub(super) fn missing(&self) -> Decimal {
        let total = self.quote().map_or(Decimal::ZERO, |quote| quote.total);
        (total - self.paid()).max(Decimal::ZERO)
    }

    /// Chooses the coin, which is possible until something was paid.
    ///
    /// # Errors
    /// Refused for an unknown coin, or after the first payment in another one.
    pub(super) fn choose(&mut self, code: &str) -> Result<(), IllegalMove> {
        let quote = self.quotes.iter().find(|quote| quote.coin.code == code);
        let coin = quote
            .map(|quote| quote.coin)
            .ok_or_else(|| self.illegal("be paid in that currency"))?;
        if !self.payments.is_empty() && self.coin != Some(coin) {
            return Err(self.illegal("change its currency"));
        }
        self.coin = Some(coin);
        Ok(())
    }

    /// The amount a share of the missing rest is; of the whole total, when nothing is missing.
    #[must_use]
    pub(super) fn share(&self, share: Share) -> Decimal {
        let Some(quote) = self.quote() else {
            return Decimal::ZERO;
        };
        let missing = self.missing();
        let base = if missing.is_zero() { quote.total } else { missing };
        let shown = quote.coin.shown;
        match share {
            Share::Exact => base,
            Share::Less => {
                (base / Decimal::TWO).round_dp_with_strategy(shown, RoundingStrategy::ToZero)
            }
            Share::More => {
                base + (base / Decimal::TWO)
                    .round_dp_with_strategy(shown, RoundingStrategy::AwayFromZero)
            }
        }
    }

    /// A transaction arrives: in time it counts, afterwards it goes back to the shopper.
    ///
    /// # Errors
    /// Refused without a chosen coin, or for an amount that is not positive.
    pub(super) fn receive(&mut self, amount: Decimal, now: Moment) -> Result<Outcome, IllegalMove> {
        let Some(quote) = self.quote().copied() else {
            return Err(self.illegal("be paid before a currency is chosen"));
        };
        if amount <= Decimal::ZERO {
            return Err(self.illegal("be paid with nothing"));
        }
        self.payments.push(Payment { txid: random::txid(), amount, at: now });
        Ok(match self.status {
            Status::New => self.count(quote, now),
            Status::Expired => {
                self.exception = Some(Exception::PaidLate);
                Outcome::default().refunding(self.refund(RefundReason::Late, amount, now))
            }
            _ => {
                self.exception = Some(Exception::PaidOver);
                Outcome::default().refunding(self.refund(RefundReason::Overpayment, amount, now))
            }
        })
    }

    /// The test environment pays what is missing, in the first coin if none was chosen.
    ///
    /// # Errors
    /// Refused unless the invoice is new.
    pub(super) fn pay_off(&mut self, now: Moment) -> Result<Outcome, IllegalMove> {
        self.only_from(&[Status::New], "be paid")?;
        self.coin = self.coin.or_else(|| self.quotes.first().map(|quote| quote.coin));
        self.receive(self.share(Share::Exact), now)
    }

    fn count(&mut self, quote: Quote, now: Moment) -> Outcome {
        let surplus = self.paid() - quote.total;
        if surplus < Decimal::ZERO {
            self.exception = Some(Exception::PaidPartial);
            return Outcome::default();
        }
        self.exception = None;
        let outcome = self.pay_in_full();
        if surplus.is_zero() {
            return outcome;
        }
        self.exception = Some(Exception::PaidOver);
        outcome.refunding(self.refund(RefundReason::Overpayment, surplus, now))
    }

    fn pay_in_full(&mut self) -> Outcome {
        if self.speed == Speed::High {
            self.status = Status::Confirmed;
            return Outcome {
                events: vec![Event::PaidInFull, Event::Confirmed],
                refunds: Vec::new(),
            };
        }
        self.status = Status::Paid;
        Outcome::of(Event::PaidInFull)
    }

    /// The price lock has run out; a partial payment goes back.
    ///
    /// # Errors
    /// Refused unless the invoice is new.
    pub(super) fn expire(&mut self, now: Moment) -> Result<Outcome, IllegalMove> {
        self.only_from(&[Status::New], "expire")?;
        self.status = Status::Expired;
        self.expires = self.expires.min(now);
        let paid = self.paid();
        if paid.is_zero() {
            return Ok(Outcome::of(Event::Expired));
        }
        Ok(Outcome::of(Event::Expired).refunding(self.refund(
            RefundReason::Underpayment,
            paid,
            now,
        )))
    }

    /// A late payment of the whole total is accepted after all.
    ///
    /// # Errors
    /// Refused unless the invoice has expired, or for less than the total.
    pub(super) fn accept_late(
        &mut self,
        amount: Decimal,
        now: Moment,
    ) -> Result<Outcome, IllegalMove> {
        self.only_from(&[Status::Expired], "be paid late")?;
        if self.quote().is_none_or(|quote| amount < quote.total) {
            return Err(self.illegal("be accepted late with less than its total"));
        }
        self.payments.push(Payment { txid: random::txid(), amount, at: now });
        self.exception = Some(Exception::PaidLate);
        Ok(self.pay_in_full())
    }

    /// Enough confirmations for a medium speed.
    ///
    /// # Errors
    /// Refused unless paid, and always for the low speed, which has no such state.
    pub(super) fn confirm(&mut self) -> Result<Outcome, IllegalMove> {
        self.only_from(&[Status::Paid], "be confirmed")?;
        if self.speed == Speed::Low {
            return Err(self.illegal("be confirmed with a low transaction speed"));
        }
        self.status = Status::Confirmed;
        Ok(Outcome::of(Event::Confirmed))
    }

    /// The money is in the merchant's ledger.
    ///
    /// # Errors
    /// Refused unless the whole total was paid and kept.
    pub(super) fn complete(&mut self) -> Result<Outcome, IllegalMove> {
        self.only_from(&[Status::Paid, Status::Confirmed, Status::Invalid], "be completed")?;
        self.status = Status::Complete;
        Ok(Outcome::of(Event::Completed))
    }

    /// The payment was not confirmed in time, or double-spent.
    ///
    /// # Errors
    /// Refused unless paid or confirmed.
    pub(super) fn invalidate(&mut self) -> Result<Outcome, IllegalMove> {
        self.only_from(&[Status::Paid, Status::Confirmed], "be invalidated")?;
        self.status = Status::Invalid;
        Ok(Outcome::of(Event::FailedToConfirm))
    }

    /// The merchant gives a confirmed payment back.
    ///
    /// # Errors
    /// Refused unless confirmed.
    pub(super) fn decline(&mut self, now: Moment) -> Result<Outcome, IllegalMove> {
        self.only_from(&[Status::Confirmed], "be declined")?;
        self.status = Status::Declined;
        let total = self.quote().map_or(Decimal::ZERO, |quote| quote.total);
        Ok(Outcome::of(Event::Declined).refunding(self.refund(RefundReason::Declined, total, now)))
    }

    /// The merchant gives a complete payment back; the invoice stays complete (facts 2.5).
    ///
    /// # Errors
    /// Refused unless complete, and the second time.
    pub(super) fn give_back(&mut self, now: Moment) -> Result<Outcome, IllegalMove> {
        self.only_from(&[Status::Complete], "be refunded")?;
        if self.refunded.is_some() {
            return Err(self.illegal("be refunded twice"));
        }
        let total = self.quote().map_or(Decimal::ZERO, |quote| quote.total);
        let refund = self.refund(RefundReason::Merchant, total, now);
        self.refunded = Some(refund.clone());
        Ok(Outcome::default().refunding(refund))
    }

    fn only_from(&self, allowed: &[Status], wish: &'static str) -> Result<(), IllegalMove> {
        if allowed.contains(&self.status) { Ok(()) } else { Err(self.illegal(wish)) }
    }

    fn illegal(&self, wish: &'static str) -> IllegalMove {
        IllegalMove { from: self.status, wish }
    }

    fn refund(&self, reason: RefundReason, amount: Decimal, at: Moment) -> Refund {
        let currency = self.coin.map_or("", |coin| coin.code);
        Refund { id: random::id(), invoice: self.id.clone(), reason, currency, amount, at }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::sim::bitpay::currencies::Fiat;

    const NOW: i64 = 1_700_000_000_000;

    fn invoice(speed: Speed) -> Progress {
        let usd = Fiat::find("USD").unwrap();
        let price = Decimal::from(20);
        let mut progress = Progress {
            id: "G3viJEJgE8Jk2oekSdgT2A".to_owned(),
            status: Status::New,
            exception: None,
            speed,
            expires: Moment::from_ms(NOW).plus_ms(900_000),
            quotes: crate::sim::bitpay::currencies::COINS
                .iter()
                .map(|coin| coin.quote(price, usd))
                .collect(),
            coin: None,
            payments: Vec::new(),
            refunded: None,
        };
        progress.choose("BTC").unwrap();
        progress
    }

    fn pay(progress: &mut Progress, share: Share) -> Outcome {
        let amount = progress.share(share);
        progress.receive(amount, Moment::from_ms(NOW)).unwrap()
    }

    fn in_state(status: Status) -> Progress {
        let mut progress = invoice(Speed::Medium);
        pay(&mut progress, Share::Exact);
        progress.status = status;
        progress
    }

    #[rstest]
    #[case(Speed::Medium, Status::Paid, vec![Event::PaidInFull])]
    #[case(Speed::Low, Status::Paid, vec![Event::PaidInFull])]
    #[case(Speed::High, Status::Confirmed, vec![Event::PaidInFull, Event::Confirmed])]
    fn a_full_payment_follows_the_transaction_speed(
        #[case] speed: Speed,
        #[case] status: Status,
        #[case] events: Vec<Event>,
    ) {
        let mut progress = invoice(speed);
        let outcome = pay(&mut progress, Share::Exact);
        assert_eq!((progress.status, progress.exception), (status, None));
        assert_eq!(outcome, Outcome { events, refunds: vec![] });
    }

    #[test]
    fn a_partial_payment_stays_new_and_is_refunded_at_the_expiry() {
        let mut progress = invoice(Speed::Medium);
        assert_eq!(pay(&mut progress, Share::Less), Outcome::default());
        assert_eq!(
            (progress.status, progress.exception),
            (Status::New, Some(Exception::PaidPartial))
        );
        let paid = progress.paid();
        let outcome = progress.expire(Moment::from_ms(NOW)).unwrap();
        assert_eq!(
            (progress.status, progress.exception),
            (Status::Expired, Some(Exception::PaidPartial))
        );
        assert_eq!(outcome.events, vec![Event::Expired, Event::RefundComplete]);
        assert_eq!(
            (outcome.refunds[0].reason, outcome.refunds[0].amount),
            (RefundReason::Underpayment, paid)
        );
        assert!(progress.complete().is_err(), "half a price never completes");
    }

    #[test]
    fn the_missing_rest_makes_a_partial_payment_whole() {
        let mut progress = invoice(Speed::Medium);
        pay(&mut progress, Share::Less);
        let outcome = pay(&mut progress, Share::Exact);
        assert_eq!((progress.status, progress.exception), (Status::Paid, None));
        assert_eq!(outcome.events, vec![Event::PaidInFull]);
        assert!(progress.missing().is_zero());
    }

    #[test]
    fn the_surplus_of_an_overpayment_goes_back() {
        let mut progress = invoice(Speed::Medium);
        let total = progress.quote().unwrap().total;
        let outcome = pay(&mut progress, Share::More);
        assert_eq!(
            (progress.status, progress.exception),
            (Status::Paid, Some(Exception::PaidOver))
        );
        assert_eq!(outcome.refunds[0].reason, RefundReason::Overpayment);
        assert_eq!(progress.paid() - outcome.refunds[0].amount, total);
    }

    #[test]
    fn a_second_payment_of_a_paid_invoice_goes_back_entirely() {
        let mut progress = invoice(Speed::Medium);
        pay(&mut progress, Share::Exact);
        let outcome = pay(&mut progress, Share::Exact);
        assert_eq!(progress.status, Status::Paid);
        assert_eq!(outcome.refunds[0].amount, progress.quote().unwrap().total);
    }

    #[test]
    fn a_payment_after_the_expiry_goes_back() {
        let mut progress = invoice(Speed::Medium);
        progress.expire(Moment::from_ms(NOW)).unwrap();
        let outcome = pay(&mut progress, Share::Exact);
        assert_eq!(
            (progress.status, progress.exception),
            (Status::Expired, Some(Exception::PaidLate))
        );
        assert_eq!(outcome.refunds[0].reason, RefundReason::Late);
        assert!(progress.complete().is_err());
    }

    #[test]
    fn a_late_payment_can_be_accepted_but_only_in_full() {
        let mut progress = invoice(Speed::Medium);
        let total = progress.quote().unwrap().total;
        assert!(
            progress.accept_late(total, Moment::from_ms(NOW)).is_err(),
            "it has not expired yet"
        );
        progress.expire(Moment::from_ms(NOW)).unwrap();
        assert!(progress.accept_late(total / Decimal::TWO, Moment::from_ms(NOW)).is_err());
        progress.accept_late(total, Moment::from_ms(NOW)).unwrap();
        assert_eq!(
            (progress.status, progress.exception),
            (Status::Paid, Some(Exception::PaidLate))
        );
    }

    type Move = fn(&mut Progress) -> Result<Outcome, IllegalMove>;

    #[rstest]
    #[case(Progress::confirm, &[Status::Paid])]
    #[case(Progress::complete, &[Status::Paid, Status::Confirmed, Status::Invalid])]
    #[case(Progress::invalidate, &[Status::Paid, Status::Confirmed])]
    #[case(|p: &mut Progress| p.decline(Moment::from_ms(NOW)), &[Status::Confirmed])]
    #[case(|p: &mut Progress| p.expire(Moment::from_ms(NOW)), &[Status::New])]
    fn a_move_is_legal_from_the_documented_states_alone(
        #[case] attempt: Move,
        #[case] legal: &[Status],
    ) {
        let all = [
            Status::New,
            Status::Paid,
            Status::Confirmed,
            Status::Complete,
            Status::Expired,
            Status::Invalid,
            Status::Declined,
        ];
        for from in all {
            let mut progress = in_state(from);
            let moved = attempt(&mut progress);
            assert_eq!(moved.is_ok(), legal.contains(&from), "from {from:?}");
            assert_eq!(progress.status == from, moved.is_err(), "from {from:?}");
        }
    }

    #[test]
    fn a_complete_invoice_can_be_refunded_once_and_stays_complete() {
        let mut progress = in_state(Status::Confirmed);
        assert!(progress.give_back(Moment::from_ms(NOW)).is_err(), "that would be a decline");
        progress.complete().unwrap();
        let outcome = progress.give_back(Moment::from_ms(NOW)).unwrap();
        assert_eq!(outcome.refunds[0].reason, RefundReason::Merchant);
        assert_eq!(outcome.events, vec![Event::RefundComplete]);
        assert_eq!((progress.status, progress.exception), (Status::Complete, None));
        assert!(progress.give_back(Moment::from_ms(NOW)).is_err());
    }

    #[test]
    fn a_low_speed_is_never_confirmed() {
        let mut progress = invoice(Speed::Low);
        pay(&mut progress, Share::Exact);
        assert!(progress.confirm().is_err());
        assert_eq!(progress.complete().unwrap().events, vec![Event::Completed]);
    }

    #[test]
    fn an_invalid_invoice_may_still_complete() {
        let mut progress = in_state(Status::Paid);
        assert_eq!(progress.invalidate().unwrap().events, vec![Event::FailedToConfirm]);
        progress.complete().unwrap();
        assert_eq!(progress.status, Status::Complete);
    }

    #[test]
    fn the_currency_is_fixed_by_the_first_payment() {
        let mut progress = invoice(Speed::Medium);
        progress.choose("ETH").unwrap();
        pay(&mut progress, Share::Less);
        assert!(progress.choose("BTC").is_err());
        assert!(progress.choose("NONE").is_err());
    }
}

//! One customer's try to pay one payable through one connection.
//!
//! **Invariant:** [`Attempt::observe`] is total and applying one observation twice is applying it once. Money that
//! settled is never taken back by it: what looks like that becomes a review.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::connection::{Environment, ProcessorKind};
use super::credit::next_credit;
use super::fee::Fee;
use super::ids::{AttemptId, ConnectionId, CustomerId, Hook, ProcessorInvoiceId, ResultToken};
use super::money::{Money, MoneyError};
use super::observation::{Exception, Observation, ProcessorStatus};
use super::payable::Payable;
use super::review::{ReviewNote, ReviewReason};

/// Where an attempt stands. Data that exists only in one state lives in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The row is committed; whether the processor invoice exists is not known yet.
    Opening,
    /// The customer can pay.
    AwaitingPayment,
    /// The processor saw the payment; it is not final.
    Confirming,
    /// Final at the processor, not wholly in Splynx yet.
    Settled,
    /// In Splynx.
    Recorded,
    /// The time to pay is over.
    Expired,
    /// The processor refused to make the invoice, or called the payment invalid or declined.
    Refused,
}

impl State {
    /// Every state, in the order of a good life.
    pub const ALL: [Self; 7] = [
        Self::Opening,
        Self::AwaitingPayment,
        Self::Confirming,
        Self::Settled,
        Self::Recorded,
        Self::Expired,
        Self::Refused,
    ];

    /// The word in the database, in metrics and on the command line.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::AwaitingPayment => "awaiting_payment",
            Self::Confirming => "confirming",
            Self::Settled => "settled",
            Self::Recorded => "recorded",
            Self::Expired => "expired",
            Self::Refused => "refused",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// The processor invoice of an attempt, once it is known to exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its id; all we ever ask the processor about.
    pub invoice: ProcessorInvoiceId,
    /// Where the customer pays.
    pub checkout_url: String,
    /// Until when, by the processor's word.
    pub expires_at: DateTime<Utc>,
    /// When we learned of it.
    pub opened_at: DateTime<Utc>,
}

/// What was agreed at the click. Never changes afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What is for the payable.
    pub due: Money,
    /// What is on top.
    pub fee: Option<Fee>,
    /// `due` + fee: the price of the processor invoice.
    pub price: Money,
    /// The document's whole sum at the click, in major units; zero for a top-up.
    pub document_total: Decimal,
}

impl Terms {
    /// Adds up `due` and fee.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when the sum does not fit.
    pub fn new(due: Money, fee: Option<Fee>, document_total: Decimal) -> Result<Self, MoneyError> {
        let price = match &fee {
            Some(fee) => due.checked_add(fee.gross)?,
            None => due,
        };
        Ok(Self { due, fee, price, document_total })
    }

    /// The fee with VAT; nothing where none was asked for.
    #[must_use]
    pub fn fee_gross(&self) -> Money {
        self.fee.as_ref().map_or(Money::zero(self.due.currency()), |fee| fee.gross)
    }
}

/// One try to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Our name for it; `orderId` and `guid` at the processor.
    pub id: AttemptId,
    /// Ends the notification URL.
    pub hook: Hook,
    /// Ends the URL of the result page.
    pub result_token: ResultToken,
    /// The account it was begun with.
    pub connection: ConnectionId,
    /// The kind of that account.
    pub processor: ProcessorKind,
    /// Test or real money.
    pub environment: Environment,
    /// Who pays.
    pub customer: CustomerId,
    /// What for.
    pub payable: Payable,
    /// How much.
    pub terms: Terms,
    /// Where it stands.
    pub state: State,
    /// The processor invoice, once known.
    pub opened: Option<Opened>,
    /// While set, a second click of the same kind finds this attempt instead of making another (design 4.2).
    pub open_key: Option<String>,
    /// When the row was committed.
    pub created_at: DateTime<Utc>,
    /// When the payment was first seen as final.
    pub settled_at: Option<DateTime<Utc>>,
    /// When all of it was in Splynx.
    pub recorded_at: Option<DateTime<Utc>>,
    /// Until when it is looked at.
    pub monitor_until: DateTime<Utc>,
    /// The last answer of the processor, in short, for people.
    pub last_seen: Option<String>,
    /// The next look at the processor.
    pub look_at: Option<DateTime<Utc>>,
    /// The next work on its postings.
    pub work_at: Option<DateTime<Utc>>,
    /// Failed tries in a row of whatever is next.
    pub failures: u32,
    /// Bumped by every change; writes compare it.
    pub version: i64,
}

/// What follows from one observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where the attempt stands now.
    pub state: State,
    /// Money to be credited that was not credited before.
    pub credit: Option<Money>,
    /// What a person must know.
    pub reviews: Vec<ReviewNote>,
}

impl Attempt {
    /// Whether a second click may be led here: it is still opening, it can be paid until `usable_until` at least, or it
    /// is paid already and only waits to become final (design 4.2).
    #[must_use]
    pub fn takes_a_click(&self, usable_until: DateTime<Utc>) -> bool {
        match self.state {
            State::Opening | State::Confirming => true,
            State::AwaitingPayment => {
                self.opened.as_ref().is_some_and(|opened| opened.expires_at >= usable_until)
            }
            State::Settled | State::Recorded | State::Expired | State::Refused => false,
        }
    }

    /// Why this observation cannot be about our invoice, if it cannot.
    ///
    /// The id and the price must be ours; the order id must be ours where the processor tells one (facts 2.7).
    #[must_use]
    pub fn mismatch(&self, observation: &Observation) -> Option<ReviewNote> {
        let ours = self.opened.as_ref().map(|opened| &opened.invoice);
        let differs = if ours != Some(&observation.invoice) {
            Some(format!("its id is {}", observation.invoice))
        } else if observation.order_id.as_deref().is_some_and(|order| order != self.id.to_string())
        {
            Some("its order id is not ours".to_owned())
        } else if observation.price != self.terms.price {
            Some(format!("its price is {} instead of {}", observation.price, self.terms.price))
        } else {
            None
        };
        differs.map(|what| {
            let words = format!("The processor's answer is not about this invoice: {what}.");
            ReviewNote::new(ReviewReason::NotOurInvoice, words)
        })
    }

    /// What follows from `observation`, when `credited` is the sum of all credits made so far.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] only if the currencies differ, which [`Self::mismatch`] has excluded.
    pub fn observe(&self, observation: &Observation, credited: Money) -> Result<Step, MoneyError> {
        if let Some(note) = self.mismatch(observation) {
            return Ok(Step { state: self.state, credit: None, reviews: vec![note] });
        }
        let settled = observation.settled(self.processor);
        let credit = next_credit(settled, credited)?;
        let mut reviews = Vec::new();
        reviews.extend(lost_money(observation.status, settled, credited)?);
        reviews.extend(inexact(observation, credited));
        Ok(Step { state: self.next_state(observation.status, credit, credited), credit, reviews })
    }

    fn next_state(&self, status: ProcessorStatus, credit: Option<Money>, credited: Money) -> State {
        use ProcessorStatus as P;

        if credit.is_some() {
            return State::Settled;
        }
        if credited.is_positive() {
            // What is credited stays credited; a person decides about the rest.
            return self.state;
        }
        match (self.state, status) {
            // Settled without any money to credit: a price of zero cannot occur, so nothing changes.
            (state, P::Settled) => state,
            (_, P::Seen) => State::Confirming,
            // Unpaid again after it was seen: the transaction was replaced. Expired and refused ones stay.
            (State::Confirming | State::Opening | State::AwaitingPayment, P::Unpaid) => {
                State::AwaitingPayment
            }
            (state, P::Unpaid) => state,
            (State::Refused, P::Expired) => State::Refused,
            (_, P::Expired) => State::Expired,
            (_, P::Invalid | P::Declined) => State::Refused,
        }
    }
}

fn lost_money(
    status: ProcessorStatus,
    settled: Money,
    credited: Money,
) -> Result<Option<ReviewNote>, MoneyError> {
    if settled.compare(credited)? != Ordering::Less {
        return Ok(None);
    }
    let note = match status {
        ProcessorStatus::Invalid | ProcessorStatus::Declined => ReviewNote::new(
            ReviewReason::TakenBack,
            format!("The processor took back a payment of which {credited} is already credited."),
        ),
        _ => ReviewNote::new(
            ReviewReason::LessThanCredited,
            format!("The processor now shows {settled} as final, but {credited} is credited."),
        ),
    };
    Ok(Some(note))
}

/// Whatever somebody paid and the price does not explain is told to a person (design 4.5): what is partial, in excess or
/// late is paid back by BitPay itself, and what was never confirmed may still come.
fn inexact(observation: &Observation, credited: Money) -> Option<ReviewNote> {
    use ProcessorStatus as P;

    let nothing_credited = !credited.is_positive();
    let words = match (observation.exception, observation.status) {
        (Exception::Refunded, P::Settled) => {
            let words = "The merchant gave money of this payment back at the processor, but the whole price is \
                         credited.";
            return Some(ReviewNote::new(ReviewReason::TakenBack, words));
        }
        (Exception::PaidOver, P::Settled) => {
            "More than the price was paid; the price is credited and the processor refunds the rest."
        }
        (Exception::PaidPartial, P::Expired) => {
            "Less than the price was paid before the invoice expired; nothing is credited and the \
             processor refunds it."
        }
        (Exception::PaidLate, P::Expired) => {
            "Money came after the invoice had expired; nothing is credited and the processor refunds it. Should it \
             accept the payment after all, it will be credited by itself."
        }
        (_, P::Invalid) if nothing_credited => {
            "A payment was seen, but not confirmed in time; nothing is credited. Should it still be confirmed, it \
             will be credited by itself."
        }
        (_, P::Declined) if nothing_credited => {
            "A payment was given back at the processor before it was credited; nothing is credited."
        }
        _ => return None,
    };
    Some(ReviewNote::new(ReviewReason::PaidInexactly, words))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::super::ids::{DocumentId, DocumentNumber};
    use super::super::money::Currency;
    use super::super::payable::{DocumentKind, DocumentRef};
    use super::*;

    fn usd(minor: i64) -> Money {
        Money::from_minor(minor, Currency::parse("USD").unwrap())
    }

    fn invoice(id: &str) -> ProcessorInvoiceId {
        ProcessorInvoiceId::parse(id).unwrap()
    }

    fn attempt(state: State) -> Attempt {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        Attempt {
            id: AttemptId::new(now, 1),
            hook: Hook::new(1),
            result_token: ResultToken::new(2),
            connection: ConnectionId::new(now, 3),
            processor: ProcessorKind::BitPay,
            environment: Environment::Test,
            customer: CustomerId::new(1),
            payable: Payable::Document(DocumentRef {
                kind: DocumentKind::Invoice,
                id: DocumentId::new(1),
                number: DocumentNumber::parse("1").unwrap(),
            }),
            terms: Terms::new(usd(100), None, Decimal::ONE).unwrap(),
            state,
            opened: Some(Opened {
                invoice: invoice("ours"),
                checkout_url: String::new(),
                expires_at: now,
                opened_at: now,
            }),
            open_key: None,
            created_at: now,
            settled_at: None,
            recorded_at: None,
            monitor_until: now,
            last_seen: None,
            look_at: None,
            work_at: None,
            failures: 0,
            version: 1,
        }
    }

    fn seen(status: ProcessorStatus) -> Observation {
        Observation {
            invoice: invoice("ours"),
            order_id: Some(attempt(State::Opening).id.to_string()),
            price: usd(100),
            status,
            exception: Exception::None,
            paid: None,
        }
    }

    #[rstest]
    #[case(State::AwaitingPayment, ProcessorStatus::Unpaid, State::AwaitingPayment)]
    #[case(State::AwaitingPayment, ProcessorStatus::Seen, State::Confirming)]
    #[case(State::AwaitingPayment, ProcessorStatus::Settled, State::Settled)]
    #[case(State::AwaitingPayment, ProcessorStatus::Expired, State::Expired)]
    #[case(State::Confirming, ProcessorStatus::Unpaid, State::AwaitingPayment)]
    #[case(State::Confirming, ProcessorStatus::Invalid, State::Refused)]
    #[case(State::Confirming, ProcessorStatus::Declined, State::Refused)]
    #[case(State::Expired, ProcessorStatus::Seen, State::Confirming)]
    #[case(State::Expired, ProcessorStatus::Settled, State::Settled)]
    #[case(State::Expired, ProcessorStatus::Unpaid, State::Expired)]
    #[case(State::Refused, ProcessorStatus::Settled, State::Settled)]
    #[case(State::Refused, ProcessorStatus::Expired, State::Refused)]
    fn an_attempt_without_credits_follows_the_processor(
        #[case] from: State,
        #[case] status: ProcessorStatus,
        #[case] to: State,
    ) {
        let step = attempt(from).observe(&seen(status), usd(0)).unwrap();
        assert_eq!(step.state, to);
        assert_eq!(step.credit.is_some(), status == ProcessorStatus::Settled);
        let told = matches!(status, ProcessorStatus::Invalid | ProcessorStatus::Declined);
        assert_eq!(step.reviews.len(), usize::from(told), "{:?}", step.reviews);
    }

    #[rstest]
    #[case(ProcessorStatus::Settled, Exception::PaidOver, "More than the price")]
    #[case(ProcessorStatus::Expired, Exception::PaidPartial, "Less than the price")]
    #[case(ProcessorStatus::Expired, Exception::PaidLate, "after the invoice had expired")]
    #[case(ProcessorStatus::Invalid, Exception::None, "not confirmed in time")]
    #[case(ProcessorStatus::Invalid, Exception::PaidOver, "not confirmed in time")]
    #[case(ProcessorStatus::Declined, Exception::None, "given back")]
    fn what_the_price_does_not_explain_is_told(
        #[case] status: ProcessorStatus,
        #[case] exception: Exception,
        #[case] words: &str,
    ) {
        let observation = Observation { exception, ..seen(status) };
        let step = attempt(State::AwaitingPayment).observe(&observation, usd(0)).unwrap();
        let [note] = step.reviews.as_slice() else { panic!("{:?}", step.reviews) };
        assert_eq!(note.reason, ReviewReason::PaidInexactly);
        assert!(note.words.contains(words), "{}", note.words);
    }

    #[rstest]
    #[case(ProcessorStatus::Unpaid, Exception::PaidPartial)]
    #[case(ProcessorStatus::Seen, Exception::PaidOver)]
    #[case(ProcessorStatus::Expired, Exception::None)]
    #[case(ProcessorStatus::Settled, Exception::PaidLate)]
    #[case(ProcessorStatus::Settled, Exception::Marked)]
    fn nobody_is_told_of_what_goes_on_by_itself(
        #[case] status: ProcessorStatus,
        #[case] exception: Exception,
    ) {
        let observation = Observation { exception, ..seen(status) };
        let step = attempt(State::AwaitingPayment).observe(&observation, usd(0)).unwrap();
        assert_eq!(step.reviews, vec![]);
    }

    #[test]
    fn a_refund_of_a_final_payment_is_told_and_moves_nothing() {
        let refunded =
            Observation { exception: Exception::Refunded, ..seen(ProcessorStatus::Settled) };
        let step = attempt(State::Recorded).observe(&refunded, usd(100)).unwrap();
        assert_eq!((step.state, step.credit), (State::Recorded, None));
        assert_eq!(step.reviews.first().unwrap().reason, ReviewReason::TakenBack);
    }

    #[rstest]
    #[case(ProcessorStatus::Invalid, ReviewReason::TakenBack)]
    #[case(ProcessorStatus::Declined, ReviewReason::TakenBack)]
    #[case(ProcessorStatus::Expired, ReviewReason::LessThanCredited)]
    #[case(ProcessorStatus::Unpaid, ReviewReason::LessThanCredited)]
    fn what_is_credited_stays_and_a_person_is_told(
        #[case] status: ProcessorStatus,
        #[case] reason: ReviewReason,
    ) {
        let step = attempt(State::Recorded).observe(&seen(status), usd(100)).unwrap();
        assert_eq!((step.state, step.credit), (State::Recorded, None));
        assert_eq!(step.reviews.iter().map(|note| note.reason).collect::<Vec<_>>(), [reason]);
    }

    #[rstest]
    #[case::id(Observation { invoice: invoice("theirs"), ..seen(ProcessorStatus::Settled) })]
    #[case::order(Observation { order_id: Some("x".to_owned()), ..seen(ProcessorStatus::Settled) })]
    #[case::price(Observation { price: usd(99), ..seen(ProcessorStatus::Settled) })]
    fn an_answer_about_another_invoice_credits_nothing(#[case] observation: Observation) {
        let step = attempt(State::AwaitingPayment).observe(&observation, usd(0)).unwrap();
        assert_eq!((step.state, step.credit), (State::AwaitingPayment, None));
        assert_eq!(step.reviews.first().unwrap().reason, ReviewReason::NotOurInvoice);
    }

    fn any_status() -> impl Strategy<Value = ProcessorStatus> {
        prop::sample::select(vec![
            ProcessorStatus::Unpaid,
            ProcessorStatus::Seen,
            ProcessorStatus::Settled,
            ProcessorStatus::Expired,
            ProcessorStatus::Invalid,
            ProcessorStatus::Declined,
        ])
    }

    proptest! {
        #[test]
        fn any_order_of_answers_credits_the_price_at_most_once(statuses in prop::collection::vec(any_status(), 0..12)) {
            let mut attempt = attempt(State::AwaitingPayment);
            let mut credited = usd(0);
            for status in &statuses {
                let observation = seen(*status);
                let step = attempt.observe(&observation, credited).unwrap();
                attempt.state = step.state;
                if let Some(credit) = step.credit {
                    credited = credited.checked_add(credit).unwrap();
                }
                let again = attempt.observe(&observation, credited).unwrap();
                prop_assert_eq!(again.state, attempt.state);
                prop_assert_eq!(again.credit, None);
            }
            let settled = statuses.contains(&ProcessorStatus::Settled);
            prop_assert_eq!(credited, usd(if settled { 100 } else { 0 }));
        }
    }
}

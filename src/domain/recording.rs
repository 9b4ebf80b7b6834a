//! What is next for a settled attempt on its way into Splynx.
//!
//! **Invariant:** one thing at a time and always in the same order (design 4.8): fee item, payments, fee debit, status
//! of the document; the statement record comes last and holds nothing up.

use chrono::{DateTime, Utc};

use super::credit::{Credit, Target};
use super::ids::{CreditKey, PostingId};
use super::money::{Money, MoneyError};
use super::posting::{Posting, PostingKind, PostingState};
use super::schedule::is_due;

/// The next thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Read the document and decide where this credit goes.
    Decide(CreditKey),
    /// Send this posting, which is ready and due.
    Send(PostingId),
    /// Find out whether Splynx has this posting. Whoever began it is gone, since we hold the lease.
    Search(PostingId),
    /// Nothing before this moment.
    WaitUntil(DateTime<Utc>),
    /// Nothing at all.
    Nothing,
}

/// The next thing to do.
#[must_use]
pub fn next_task(credits: &[Credit], postings: &[Posting], now: DateTime<Utc>) -> Task {
    let mut wait: Option<DateTime<Utc>> = None;
    let mut in_doubt = false;
    for credit in credits {
        match next_of_payment(credit, postings, now) {
            None => {}
            // What one credit waits for holds up no other; but where it is in doubt, the document cannot be judged.
            Some(Task::WaitUntil(at)) => wait = Some(wait.map_or(at, |earlier| earlier.min(at))),
            Some(Task::Decide(_)) if in_doubt => {}
            Some(task) => return task,
        }
        in_doubt |= postings.iter().any(|posting| is_in_doubt(posting, credit));
    }
    if let Some(at) = wait {
        return Task::WaitUntil(at);
    }
    let after = postings.iter().filter(|posting| !belongs_to_payment(posting.kind));
    let mut after: Vec<_> = after.filter(|posting| !posting.is_final()).collect();
    after.sort_by_key(|posting| posting.kind);
    for posting in after {
        match task_of(posting, now) {
            Task::WaitUntil(at) => wait = Some(wait.map_or(at, |earlier| earlier.min(at))),
            task => return task,
        }
    }
    wait.map_or(Task::Nothing, Task::WaitUntil)
}

/// Whether every credit is in Splynx.
#[must_use]
pub fn is_recorded(credits: &[Credit], postings: &[Posting]) -> bool {
    credits.iter().all(|credit| {
        credit.target != Target::Undecided
            && postings.iter().any(|posting| is_payment_of(posting, credit) && posting.is_posted())
    })
}

/// The sum of all credits.
///
/// # Errors
///
/// [`MoneyError`] when it does not fit.
pub fn credited(credits: &[Credit], nothing: Money) -> Result<Money, MoneyError> {
    credits.iter().try_fold(nothing, |sum, credit| sum.checked_add(credit.amount))
}

/// Whether this posting pays this credit, as it is or as it once was to be.
#[must_use]
pub fn is_payment_of(posting: &Posting, credit: &Credit) -> bool {
    posting.kind.is_payment() && posting.credit.as_ref() == Some(&credit.key)
}

fn is_in_doubt(posting: &Posting, credit: &Credit) -> bool {
    is_payment_of(posting, credit)
        && matches!(posting.state, PostingState::Posting { .. } | PostingState::Unknown { .. })
}

fn belongs_to_payment(kind: PostingKind) -> bool {
    kind == PostingKind::FeeItem || kind.is_payment()
}

fn next_of_payment(credit: &Credit, postings: &[Posting], now: DateTime<Utc>) -> Option<Task> {
    let mut own: Vec<_> = postings
        .iter()
        .filter(|posting| posting.credit.as_ref() == Some(&credit.key))
        .filter(|posting| belongs_to_payment(posting.kind) && !posting.is_final())
        .collect();
    own.sort_by_key(|posting| posting.kind);
    match own.first() {
        Some(posting) => Some(task_of(posting, now)),
        None if credit.target == Target::Undecided => Some(Task::Decide(credit.key.clone())),
        None => None,
    }
}

fn task_of(posting: &Posting, now: DateTime<Utc>) -> Task {
    match posting.state {
        PostingState::Ready { not_before } if is_due(not_before, now) => Task::Send(posting.id),
        PostingState::Posting { .. } => Task::Search(posting.id),
        PostingState::Unknown { search_at, .. } if is_due(search_at, now) => {
            Task::Search(posting.id)
        }
        _ => posting.work_at().map_or(Task::Nothing, Task::WaitUntil),
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::super::credit::ByHand;
    use super::super::ids::{AttemptId, ConnectionId, ProcessorInvoiceId, SplynxId};
    use super::super::money::Currency;
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    fn credit(n: u32, target: Target) -> Credit {
        Credit {
            key: CreditKey::parse(&format!("BP-x-{n}")).unwrap(),
            attempt: AttemptId::new(now(), 1),
            connection: ConnectionId::new(now(), 1),
            invoice: ProcessorInvoiceId::parse("x").unwrap(),
            n,
            amount: Money::from_minor(100, Currency::parse("USD").unwrap()),
            target,
            date: NaiveDate::default(),
            by_hand: ByHand::Nothing,
        }
    }

    fn posting(random: u128, n: u32, kind: PostingKind, state: PostingState) -> Posting {
        Posting {
            id: PostingId::new(now(), random),
            attempt: AttemptId::new(now(), 1),
            credit: (n > 0).then(|| CreditKey::parse(&format!("BP-x-{n}")).unwrap()),
            kind,
            state,
            body: String::new(),
            tries: 0,
            first_begun_at: None,
            last_error: None,
        }
    }

    fn ready() -> PostingState {
        PostingState::Ready { not_before: now() }
    }

    fn posted() -> PostingState {
        PostingState::Posted { splynx_id: Some(SplynxId::new(1)) }
    }

    #[test]
    fn an_undecided_credit_is_decided_once_its_fee_item_is_settled() {
        let credits = [credit(1, Target::Undecided)];
        let decide = Task::Decide(credits[0].key.clone());
        assert_eq!(next_task(&credits, &[], now()), decide);
        let fee = posting(1, 1, PostingKind::FeeItem, ready());
        assert_eq!(next_task(&credits, std::slice::from_ref(&fee), now()), Task::Send(fee.id));
        for state in [posted(), PostingState::Dropped] {
            assert_eq!(next_task(&credits, &[Posting { state, ..fee.clone() }], now()), decide);
        }
    }

    #[test]
    fn all_payments_come_before_any_status_and_records_come_last() {
        let credits = [credit(1, Target::Document), credit(2, Target::Balance)];
        let record = posting(1, 0, PostingKind::StatementRecord, ready());
        let status = posting(2, 1, PostingKind::DocumentStatus, ready());
        let linked = posting(3, 1, PostingKind::DocumentPayment, ready());
        let rest = posting(4, 2, PostingKind::BalancePayment, ready());
        let mut postings = [record, status, linked, rest];
        for expected in [2, 3, 1, 0] {
            let task = next_task(&credits, &postings, now());
            assert_eq!(task, Task::Send(postings[expected].id));
            postings[expected].state = posted();
        }
        assert_eq!(next_task(&credits, &postings, now()), Task::Nothing);
        assert!(is_recorded(&credits, &postings));
    }

    #[test]
    fn a_begun_posting_is_searched_and_a_waiting_one_waited_for() {
        let credits = [credit(1, Target::Balance)];
        let begun =
            posting(1, 1, PostingKind::BalancePayment, PostingState::Posting { begun_at: now() });
        assert_eq!(
            next_task(&credits, std::slice::from_ref(&begun), now()),
            Task::Search(begun.id)
        );
        let later = now() + chrono::TimeDelta::seconds(9);
        let waiting = Posting { state: PostingState::Ready { not_before: later }, ..begun };
        assert_eq!(
            next_task(&credits, std::slice::from_ref(&waiting), now()),
            Task::WaitUntil(later)
        );
        assert!(!is_recorded(&credits, &[waiting]));
    }

    #[test]
    fn a_payment_that_is_refused_hourly_holds_no_other_credit_up() {
        let hour = now() + chrono::TimeDelta::hours(1);
        let credits = [credit(1, Target::Document), credit(2, Target::Balance)];
        let refused = PostingState::Ready { not_before: hour };
        let linked = posting(1, 1, PostingKind::DocumentPayment, refused);
        let rest = posting(2, 2, PostingKind::BalancePayment, ready());
        let status = posting(3, 1, PostingKind::DocumentStatus, ready());
        let both = [linked.clone(), status.clone(), rest.clone()];
        assert_eq!(next_task(&credits, &both, now()), Task::Send(rest.id));
        let rest = Posting { state: posted(), ..rest };
        let both = [linked, status, rest];
        assert_eq!(next_task(&credits, &both, now()), Task::WaitUntil(hour), "the status is later");
    }

    #[test]
    fn nothing_is_decided_about_a_document_while_a_payment_of_it_is_in_doubt() {
        let later = now() + chrono::TimeDelta::minutes(9);
        let credits = [credit(1, Target::Document), credit(2, Target::Undecided)];
        let unknown =
            PostingState::Unknown { begun_at: now(), first_absent: None, search_at: later };
        let linked = posting(1, 1, PostingKind::DocumentPayment, unknown);
        let task = next_task(&credits, std::slice::from_ref(&linked), now());
        assert_eq!(task, Task::WaitUntil(later));
        let waiting = Posting { state: PostingState::Ready { not_before: later }, ..linked };
        let task = next_task(&credits, std::slice::from_ref(&waiting), now());
        assert_eq!(task, Task::Decide(credits[1].key.clone()));
    }

    #[test]
    fn a_statement_record_that_waits_does_not_hide_a_status_that_is_due() {
        let later = now() + chrono::TimeDelta::hours(1);
        let record =
            posting(1, 0, PostingKind::StatementRecord, PostingState::Ready { not_before: later });
        let status = posting(2, 1, PostingKind::DocumentStatus, ready());
        assert_eq!(next_task(&[], &[record.clone(), status.clone()], now()), Task::Send(status.id));
        assert_eq!(next_task(&[], &[record], now()), Task::WaitUntil(later));
    }
}

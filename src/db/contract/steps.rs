//! Steps of an attempt: compare-and-swap, and what hangs on it.

use std::str::FromStr as _;

use super::*;
use crate::domain::fee::Fee;
use crate::domain::ids::SplynxId;
use crate::domain::review::ReviewClosed;
use crate::ports::store::StoreError;

pub(super) async fn a_step_from_an_old_version_changes_nothing(world: World) {
    let read = world.created(attempt(1)).await;
    let first = Attempt { state: State::Expired, ..read.clone() };
    let after = world.applied(Change::of(first)).await;
    assert_eq!((after.attempt.state, after.attempt.version), (State::Expired, read.version + 1));

    let late = Change {
        credits: vec![credit(&read, 1, 1)],
        reviews: vec![review(1, &read, ReviewReason::TakenBack)],
        ..Change::of(Attempt { state: State::Refused, ..read.clone() })
    };
    assert!(!world.store.apply(&late).await.unwrap());
    assert_eq!(world.ledger(read.id).await, after);
    assert_eq!(world.store.reviews(read.id).await.unwrap(), []);

    let nobody = attempt(9);
    assert!(!world.store.apply(&Change::of(nobody)).await.unwrap());
}

fn fee() -> Fee {
    Fee {
        gross: usd(77),
        net: Decimal::from_str("0.6417").unwrap(),
        vat_percent: Decimal::from_str("20.50").unwrap(),
        text: "Bitpay fee – «»".to_owned(),
        category: 5,
    }
}

pub(super) async fn every_attempt_reads_back_as_it_was_written(world: World) {
    let payables = [
        Payable::Document(document(DocumentKind::Invoice)),
        Payable::Document(document(DocumentKind::ProformaInvoice)),
        Payable::TopUp,
    ];
    let mut n = 0;
    for payable in payables {
        for fee in [None, Some(fee())] {
            for is_open in [false, true] {
                for state in State::ALL {
                    n += 1;
                    let written = Attempt {
                        payable: payable.clone(),
                        terms: Terms::new(usd(5161), fee.clone(), Decimal::new(516_100, 4))
                            .unwrap(),
                        opened: is_open.then(|| opened(n, at(900))),
                        environment: if is_open {
                            Environment::Test
                        } else {
                            Environment::Production
                        },
                        open_key: is_open.then(|| format!("key {n}")),
                        settled_at: is_open.then_some(at(2)),
                        recorded_at: (!is_open).then_some(at(3)),
                        last_seen: is_open.then(|| "confirmed".to_owned()),
                        look_at: (!is_open).then_some(at(4)),
                        work_at: is_open.then_some(at(5)),
                        failures: 6,
                        version: 7,
                        state,
                        ..attempt(n)
                    };
                    assert_eq!(world.created(written.clone()).await, written);
                    let by_id = world.ledger(written.id).await;
                    let by_token = world.store.ledger_by_token(&written.result_token).await;
                    assert_eq!(by_id.attempt, written);
                    assert_eq!(by_token.unwrap(), Some(by_id));
                    // All of it can be changed back and forth in one step.
                    let plain = Attempt {
                        open_key: None,
                        version: 7,
                        ..Attempt {
                            terms: written.terms.clone(),
                            payable: payable.clone(),
                            ..attempt(n)
                        }
                    };
                    let plain = Attempt { environment: written.environment, ..plain };
                    let after = world.applied(Change::of(plain.clone())).await;
                    assert_eq!(after.attempt, Attempt { version: 8, ..plain });
                    let back = Attempt { version: 8, ..written.clone() };
                    let after = world.applied(Change::of(back)).await;
                    assert_eq!(after.attempt, Attempt { version: 9, ..written });
                }
            }
        }
    }
    let nobody = world.store.ledger_by_token(&ResultToken::new(0)).await.unwrap();
    assert_eq!(nobody, None);
}

fn posting_states() -> Vec<PostingState> {
    vec![
        PostingState::Ready { not_before: at(1) },
        PostingState::Posting { begun_at: at(2) },
        PostingState::Unknown { begun_at: at(3), first_absent: None, search_at: at(4) },
        PostingState::Unknown { begun_at: at(3), first_absent: Some(at(5)), search_at: at(6) },
        PostingState::Posted { splynx_id: None },
        PostingState::Posted { splynx_id: Some(SplynxId::new(17)) },
        PostingState::Duplicate { splynx_ids: vec![SplynxId::new(18), SplynxId::new(19)] },
        PostingState::Dropped,
    ]
}

pub(super) async fn every_posting_reads_back_as_it_was_written(world: World) {
    let mut attempt = world.created(attempt(1)).await;
    let mut written = Vec::new();
    let targets = [Target::Undecided, Target::Document, Target::Balance].into_iter().cycle();
    for ((round, state), target) in (1_u32..).zip(posting_states()).zip(targets) {
        let credit = Credit { target, ..credit(&attempt, 1, round) };
        let mut postings = Vec::new();
        for (k, kind) in (0_u128..).zip(PostingKind::ALL) {
            // Named backwards, so that only their making keeps them in order.
            let posting = posting(u128::from(1000 - round) - 10 * k, &credit, kind);
            postings.push(Posting {
                state: state.clone(),
                credit: (kind != PostingKind::StatementRecord).then(|| credit.key.clone()),
                tries: round,
                first_begun_at: (round % 2 == 0).then_some(at(2)),
                last_error: (round % 2 == 1).then(|| "Splynx said «no»".to_owned()),
                ..posting
            });
        }
        written.extend(postings.clone());
        let change = Change { credits: vec![credit.clone()], postings, ..Change::of(attempt) };
        let ledger = world.applied(change).await;
        assert_eq!(ledger.postings, written);
        assert_eq!(ledger.credits.last(), Some(&credit));
        assert_eq!(ledger.credits.len(), usize::try_from(round).unwrap());
        attempt = ledger.attempt;
    }
}

pub(super) async fn credits_and_postings_are_changed_by_their_names(world: World) {
    let attempt = world.created(attempt(1)).await;
    let credit = credit(&attempt, 1, 1);
    let fee = posting(2, &credit, PostingKind::FeeItem);
    let payment = posting(1, &credit, PostingKind::DocumentPayment);
    let made = Change {
        credits: vec![credit.clone()],
        postings: vec![fee.clone(), payment.clone()],
        ..Change::of(attempt)
    };
    let mut ledger = world.applied(made).await;
    for state in posting_states() {
        let payment = Posting { state, tries: 3, ..payment.clone() };
        let credit = Credit { target: Target::Balance, amount: usd(9), ..credit.clone() };
        let change = Change {
            credits: vec![credit.clone()],
            postings: vec![payment.clone()],
            ..Change::of(ledger.attempt)
        };
        ledger = world.applied(change).await;
        assert_eq!(ledger.credits, [credit]);
        assert_eq!(ledger.postings, [fee.clone(), payment]);
    }
}

async fn refused(world: &World, change: Change) {
    let error = world.store.apply(&change).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
}

pub(super) async fn a_credit_key_exists_once(world: World) {
    let (one, two) = (world.created(attempt(1)).await, world.created(attempt(2)).await);
    let change = Change { credits: vec![credit(&one, 1, 1)], ..Change::of(one.clone()) };
    let before = world.applied(change).await;
    let stolen = Credit { attempt: two.id, amount: usd(1), ..credit(&one, 1, 1) };
    refused(&world, Change { credits: vec![stolen], ..Change::of(two) }).await;
    assert_eq!(world.ledger(one.id).await, before);
}

pub(super) async fn a_tranche_exists_once(world: World) {
    let (one, two) = (world.created(attempt(1)).await, world.created(attempt(2)).await);
    world.applied(Change { credits: vec![credit(&one, 1, 1)], ..Change::of(one.clone()) }).await;
    let key = credit_key(ProcessorKind::BitPay, &invoice_id(99), 1).unwrap();
    let renamed = Credit { attempt: two.id, key, ..credit(&one, 1, 1) };
    refused(&world, Change { credits: vec![renamed], ..Change::of(two) }).await;
}

pub(super) async fn a_credit_has_one_living_posting_of_a_kind(world: World) {
    let attempt = world.created(attempt(1)).await;
    let credit = credit(&attempt, 1, 1);
    let first = posting(1, &credit, PostingKind::DocumentPayment);
    let second = posting(2, &credit, PostingKind::DocumentPayment);
    let made =
        Change { credits: vec![credit], postings: vec![first.clone()], ..Change::of(attempt) };
    let ledger = world.applied(made).await;
    let twin = Change { postings: vec![second.clone()], ..Change::of(ledger.attempt.clone()) };
    refused(&world, twin).await;

    let dropped = Posting { state: PostingState::Dropped, ..first };
    let replaced = Change { postings: vec![dropped, second], ..Change::of(ledger.attempt) };
    assert_eq!(world.applied(replaced).await.postings.len(), 2);
}

pub(super) async fn a_processor_invoice_belongs_to_one_attempt(world: World) {
    let (one, two) = (world.created(attempt(1)).await, world.created(attempt(2)).await);
    world.applied(Change::of(Attempt { opened: Some(opened(1, at(9))), ..one })).await;
    refused(&world, Change::of(Attempt { opened: Some(opened(1, at(9))), ..two })).await;
}

pub(super) async fn a_refused_step_leaves_no_trace(world: World) {
    let attempt = world.created(attempt(1)).await;
    let good = credit(&attempt, 1, 1);
    let nothing = Credit { amount: usd(0), ..credit(&attempt, 1, 2) };
    let change = Change {
        credits: vec![good, nothing],
        ..Change::of(Attempt { state: State::Settled, ..attempt.clone() })
    };
    refused(&world, change).await;
    let untouched = Ledger { attempt: attempt.clone(), credits: vec![], postings: vec![] };
    assert_eq!(world.ledger(attempt.id).await, untouched);
}

pub(super) async fn a_step_that_mixes_currencies_is_refused(world: World) {
    let yen = Money::from_minor(1, Currency::parse("JPY").unwrap());
    let terms = Terms { price: yen, ..attempt(1).terms };
    let error = world.store.claim(&Attempt { terms, ..attempt(1) }, at(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    // Nor does the schema take a price that is not the sum of its parts.
    let terms = Terms { price: usd(5162), ..attempt(1).terms };
    assert!(world.store.claim(&Attempt { terms, ..attempt(1) }, at(0)).await.is_err());
}

pub(super) async fn one_review_of_a_reason_is_open_at_a_time(world: World) {
    let attempt = world.created(attempt(1)).await;
    let id = attempt.id;
    let (first, second) = (
        review(1, &attempt, ReviewReason::TakenBack),
        review(2, &attempt, ReviewReason::TakenBack),
    );
    let change = Change { reviews: vec![first.clone(), second.clone()], ..Change::of(attempt) };
    let ledger = world.applied(change).await;
    assert_eq!(world.store.reviews(id).await.unwrap(), std::slice::from_ref(&first));

    let closed = ReviewClosed { at: at(9), by: "Admin".to_owned(), note: "Seen.".to_owned() };
    assert!(world.store.close_review(first.id, &closed).await.unwrap());
    assert!(!world.store.close_review(first.id, &closed).await.unwrap());
    assert!(!world.store.close_review(second.id, &closed).await.unwrap());

    let second = Review { words: "Something new.".to_owned(), ..second };
    let change = Change { reviews: vec![second.clone()], ..Change::of(ledger.attempt) };
    world.applied(change).await;
    let first = Review { closed: Some(closed), ..first };
    assert_eq!(world.store.reviews(id).await.unwrap(), [second, first]);
}

pub(super) async fn every_review_reads_back_as_it_was_written(world: World) {
    let attempt = world.created(attempt(1)).await;
    let id = attempt.id;
    let mut reviews: Vec<Review> =
        (1..).zip(ReviewReason::ALL).map(|(n, reason)| review(n, &attempt, reason)).collect();
    world.applied(Change { reviews: reviews.clone(), ..Change::of(attempt) }).await;
    reviews.reverse();
    assert_eq!(world.store.reviews(id).await.unwrap(), reviews);
}

//! What a person was told, and the daily proofs.

use std::collections::BTreeMap;

use super::*;
use crate::domain::alert::{AlertKind, Batch, Channel, Topic};
use crate::domain::ids::CreditKey;
use crate::domain::proof::{Proof, Sums};
use crate::domain::review::ReviewClosed;
use crate::ports::alerts::{AlertStore as _, Claim};

const DAY: i64 = 86_400;

fn claim(channel: Channel, name: &str, now: i64) -> Claim {
    Claim {
        channel,
        batch: name.to_owned(),
        now: at(now),
        repeat: TimeDelta::seconds(DAY),
        lease: TimeDelta::seconds(60),
        shown: 3,
    }
}

async fn claimed(world: &World, name: &str, now: i64) -> Option<Batch> {
    world.store.claim_alerts(&claim(Channel::Mail, name, now)).await.unwrap()
}

async fn told(world: &World, name: &str, now: i64) {
    world.store.alerts_told(Channel::Mail, name, at(now)).await.unwrap();
}

fn subjects(batch: &Batch) -> Vec<&str> {
    batch.open.iter().map(|alert| alert.topic.subject.as_str()).collect()
}

fn finding(subject: &str) -> Topic {
    Topic::new(AlertKind::Finding, subject, format!("Found {subject}."), at(0))
}

async fn with_review(world: &World, n: u128) -> Review {
    let attempt = world.created(attempt(n)).await;
    let review = review(n, &attempt, ReviewReason::Refused);
    world.applied(Change { reviews: vec![review.clone()], ..Change::of(attempt) }).await;
    review
}

async fn close(world: &World, review: &Review) {
    let closed = ReviewClosed { at: at(9), by: "Admin".to_owned(), note: String::new() };
    assert!(world.store.close_review(review.id, &closed).await.unwrap());
}

async fn gathered(world: &World, now: i64) {
    while world.store.gather_alerts(at(now)).await.unwrap() {}
}

pub(super) async fn a_review_is_told_once_and_again_after_a_day(world: World) {
    let review = with_review(&world, 1).await;
    gathered(&world, 10).await;
    gathered(&world, 11).await;
    let batch = claimed(&world, "a", 11).await.unwrap();
    assert_eq!((batch.open_count, batch.ended_count), (1, 0));
    let topic = &batch.open[0].topic;
    assert_eq!((topic.kind, topic.reason.as_str()), (AlertKind::Review, "refused"));
    assert_eq!((topic.attempt, &topic.words), (Some(review.attempt), &review.words));
    assert_eq!((topic.since, batch.open[0].times), (review.opened_at, 0));
    told(&world, "a", 12).await;
    assert_eq!(claimed(&world, "b", 12 + DAY - 1).await, None);
    let again = claimed(&world, "c", 12 + DAY).await.unwrap();
    assert_eq!((again.open_count, again.open[0].times), (1, 1));
}

pub(super) async fn the_end_is_told_once_to_whom_the_beginning_was_told(world: World) {
    let (heard, unheard) = (with_review(&world, 1).await, with_review(&world, 2).await);
    close(&world, &unheard).await;
    gathered(&world, 10).await;
    claimed(&world, "a", 10).await.unwrap();
    told(&world, "a", 10).await;
    close(&world, &heard).await;
    gathered(&world, 20).await;
    let batch = claimed(&world, "b", 20).await.unwrap();
    assert_eq!((batch.open_count, batch.ended_count), (0, 1));
    assert_eq!(batch.ended[0].topic.subject, heard.id.to_string());
    told(&world, "b", 20).await;
    gathered(&world, 30).await;
    assert_eq!(claimed(&world, "c", 30 + 2 * DAY).await, None);
    // A channel that never told the beginning does not tell the end.
    assert_eq!(world.store.claim_alerts(&claim(Channel::Webhook, "w", 30)).await.unwrap(), None);
}

pub(super) async fn what_fails_is_told_later_and_loses_nothing(world: World) {
    world.store.raise_alert(&finding("one")).await.unwrap();
    assert!(claimed(&world, "a", 0).await.is_some());
    world.store.alerts_not_told(Channel::Mail, "a", "no answer", at(1)).await.unwrap();
    assert_eq!(claimed(&world, "b", 15).await, None);
    let state = world.store.channel_states().await.unwrap();
    let mail = state.iter().find(|state| state.channel == Channel::Mail).unwrap();
    assert_eq!((mail.failures, mail.last_error.as_deref()), (1, Some("no answer")));
    world.store.raise_alert(&finding("two")).await.unwrap();
    let batch = claimed(&world, "c", 16).await.unwrap();
    assert_eq!(subjects(&batch), ["one", "two"]);
    told(&world, "c", 17).await;
    let state = world.store.channel_states().await.unwrap();
    let mail = state.iter().find(|state| state.channel == Channel::Mail).unwrap();
    assert_eq!((mail.failures, mail.last_told_at), (0, Some(at(17))));
    assert_eq!(mail.last_error, None);
}

pub(super) async fn many_topics_are_one_batch_with_a_count(world: World) {
    for n in 1..=120 {
        with_review(&world, n).await;
    }
    gathered(&world, 10).await;
    let batch = claimed(&world, "a", 10).await.unwrap();
    assert_eq!((batch.open.len(), batch.open_count), (3, 120));
    told(&world, "a", 10).await;
    assert_eq!(claimed(&world, "b", 11).await, None);
    let standing = world.store.standing_alerts().await.unwrap();
    assert!(standing.contains(&(AlertKind::Review, 120)), "{standing:?}");
}

pub(super) async fn of_two_senders_one_tells(world: World) {
    world.store.raise_alert(&finding("one")).await.unwrap();
    let second = world.second().await;
    let (one, two) = (claim(Channel::Mail, "a", 0), claim(Channel::Mail, "b", 0));
    let (one, two) = tokio::join!(world.store.claim_alerts(&one), second.claim_alerts(&two));
    let claims = [one.unwrap(), two.unwrap()];
    assert_eq!(claims.iter().flatten().count(), 1, "{claims:?}");
    // The sender dies; what it may have told is told by the next.
    assert_eq!(claimed(&world, "c", 59).await, None);
    assert!(claimed(&world, "d", 60).await.is_some());
    // The first one comes back and can spoil nothing.
    world.store.alerts_not_told(Channel::Mail, "a", "late", at(61)).await.unwrap();
    told(&world, "d", 61).await;
    assert_eq!(claimed(&world, "e", 61).await, None);
}

pub(super) async fn what_ends_and_begins_again_before_it_is_told_goes_on(world: World) {
    let ended = || world.store.end_alerts(AlertKind::Finding, &[], at(5));
    world.store.raise_alert(&finding("one")).await.unwrap();
    claimed(&world, "a", 0).await.unwrap();
    told(&world, "a", 0).await;
    assert_eq!(ended().await.unwrap(), 1);
    world.store.raise_alert(&finding("one")).await.unwrap();
    assert_eq!(claimed(&world, "b", 6).await, None);
    // Once its end is on its way, it is news.
    assert_eq!(ended().await.unwrap(), 1);
    claimed(&world, "c", 7).await.unwrap();
    world.store.raise_alert(&finding("one")).await.unwrap();
    told(&world, "c", 7).await;
    let news = claimed(&world, "d", 8).await.unwrap();
    assert_eq!((news.open_count, news.open[0].times), (1, 0));
}

pub(super) async fn only_what_is_named_stays_when_a_kind_ends(world: World) {
    for subject in ["one", "two"] {
        world.store.raise_alert(&finding(subject)).await.unwrap();
    }
    let other = Topic::new(AlertKind::ApiKey, "key", "Refused.", at(0));
    world.store.raise_alert(&other).await.unwrap();
    let standing = ["two".to_owned()];
    assert_eq!(world.store.end_alerts(AlertKind::Finding, &standing, at(1)).await.unwrap(), 1);
    let batch = claimed(&world, "a", 2).await.unwrap();
    assert_eq!(subjects(&batch), ["key", "two"]);
}

pub(super) async fn late_money_and_duplicates_are_taken_up_and_end_by_themselves(world: World) {
    let attempt = world.created(attempt(1)).await;
    let credit = credit(&attempt, 1, 1);
    let change = Change { credits: vec![credit.clone()], ..Change::of(attempt) };
    let ledger = world.applied(change).await;
    gathered(&world, 3599).await;
    assert_eq!(claimed(&world, "a", 3599).await, None);
    gathered(&world, 3600).await;
    let batch = claimed(&world, "b", 3600).await.unwrap();
    assert_eq!(subjects(&batch), [credit.key.as_str()]);
    assert!(batch.open[0].topic.words.contains("51.61 USD"), "{batch:?}");
    told(&world, "b", 3600).await;

    let twice = PostingState::Duplicate {
        splynx_ids: vec![
            crate::domain::ids::SplynxId::new(1),
            crate::domain::ids::SplynxId::new(2),
        ],
    };
    let posting = posting(1, &credit, PostingKind::DocumentPayment);
    let posting = Posting { state: twice, ..posting };
    let change = Change {
        credits: vec![Credit { target: Target::Document, ..credit }],
        postings: vec![posting.clone()],
        ..Change::of(ledger.attempt)
    };
    let ledger = world.applied(change).await;
    gathered(&world, 3700).await;
    let batch = claimed(&world, "c", 3700).await.unwrap();
    assert_eq!(batch.open[0].topic.kind, AlertKind::Duplicate);
    assert_eq!(batch.ended[0].topic.kind, AlertKind::LateCredit);
    told(&world, "c", 3700).await;

    let posted = Posting { state: PostingState::Posted { splynx_id: None }, ..posting };
    world.applied(Change { postings: vec![posted], ..Change::of(ledger.attempt) }).await;
    gathered(&world, 3800).await;
    let batch = claimed(&world, "d", 3800).await.unwrap();
    assert_eq!((batch.open_count, batch.ended_count), (0, 1));
}

pub(super) async fn a_day_has_one_proof_and_the_latest_wins(world: World) {
    let proof = |made_at: i64, findings: u64| Proof {
        day: at(0).date_naive(),
        made_at: at(made_at),
        since: at(-DAY),
        attempts: 3,
        asked: 2,
        listed: 1,
        findings,
        agreed: findings == 0,
        sums: BTreeMap::from([(
            "USD".to_owned(),
            Sums { processor: Decimal::new(5161, 2), ..Sums::default() },
        )]),
    };
    world.store.put_proof(&proof(10, 1)).await.unwrap();
    world.store.put_proof(&proof(20, 0)).await.unwrap();
    world.store.put_proof(&proof(15, 7)).await.unwrap();
    let next = Proof { day: at(DAY).date_naive(), ..proof(DAY, 2) };
    world.store.put_proof(&next).await.unwrap();
    assert_eq!(world.store.proofs(10, 0).await.unwrap(), [next, proof(20, 0)]);
    assert_eq!(world.store.proofs(1, 1).await.unwrap(), [proof(20, 0)]);
}

pub(super) async fn an_attempt_is_found_by_the_key_of_its_credit(world: World) {
    let attempt = world.created(attempt(1)).await;
    let credit = credit(&attempt, 1, 1);
    let change = Change { credits: vec![credit.clone()], ..Change::of(attempt) };
    let ledger = world.applied(change).await;
    assert_eq!(world.store.ledger_by_credit(&credit.key).await.unwrap(), Some(ledger));
    let stranger = CreditKey::parse("BP-stranger-1").unwrap();
    assert_eq!(world.store.ledger_by_credit(&stranger).await.unwrap(), None);
}

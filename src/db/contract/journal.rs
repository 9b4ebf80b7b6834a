//! The audit journal: what it tells, and that nothing can be done to it unseen.

use super::*;
use crate::db::{Flaw, Head, Verdict};
use crate::domain::ids::SplynxId;
use crate::domain::review::ReviewClosed;
use crate::ports::store::JournalRow;

async fn rows(world: &World) -> Vec<JournalRow> {
    world.store.journal(None, 0, 1000).await.unwrap()
}

async fn told(world: &World, attempt: AttemptId) -> Vec<(String, String, String)> {
    let rows = world.store.journal(Some(attempt), 0, 1000).await.unwrap();
    rows.into_iter().map(|row| (row.who, row.what, row.words)).collect()
}

async fn verdict(world: &World) -> Verdict {
    world.db().verify_journal(None, |_| ()).await.unwrap()
}

async fn flaw(world: &World) -> Option<Flaw> {
    verdict(world).await.flaw
}

/// A payment's life in a few steps: rows 2 and later; row 1 tells of the world's connection.
async fn lived(world: &World) -> Attempt {
    let begun = world.created(attempt(1)).await;
    let opened =
        Attempt { opened: Some(opened(1, at(900))), state: State::AwaitingPayment, ..begun };
    let opened = world.applied(Change::of(opened)).await.attempt;
    let settled =
        Attempt { state: State::Settled, last_seen: Some("settled".to_owned()), ..opened };
    let credit = credit(&settled, 1, 1);
    let change = Change { credits: vec![credit.clone()], ..Change::of(settled) };
    let settled = world.applied(change).await.attempt;
    let posting = posting(1, &credit, PostingKind::BalancePayment);
    let decided = Credit { target: Target::Balance, ..credit };
    let (credits, postings) = (vec![decided], vec![posting.clone()]);
    let settled = world.applied(Change { credits, postings, ..Change::of(settled) }).await.attempt;
    let posted = PostingState::Posted { splynx_id: Some(SplynxId::new(7)) };
    let posting = Posting { state: posted, tries: 1, ..posting };
    let recorded = Attempt { state: State::Recorded, ..settled };
    world.applied(Change { postings: vec![posting], ..Change::of(recorded) }).await.attempt
}

pub(super) async fn every_step_is_written_down_with_who_and_what(world: World) {
    let attempt = lived(&world).await;
    let told = told(&world, attempt.id).await;
    let told: Vec<(&str, &str, &str)> =
        told.iter().map(|(who, what, words)| (&**who, &**what, &**words)).collect();
    let begun = format!(
        "51.61 USD for document 201801000001, through bitpay (test) connection {}",
        attempt.connection
    );
    let addon = "splynx-bitpay";
    let opened = "invoice invoice1 over 51.61 USD, to be paid until 2023-11-14 22:28:20 UTC";
    assert_eq!(
        told,
        [
            ("customer 7", "begun", begun.as_str()),
            (addon, "opened", opened),
            (addon, "state", "opening → awaiting_payment"),
            (addon, "observed", "settled; awaiting_payment → settled"),
            (addon, "credit", "BP-invoice1-1: 51.61 USD not decided yet"),
            (addon, "credit_changed", "BP-invoice1-1: 51.61 USD to the balance"),
            (addon, "posting_ready", "balance_payment BP-invoice1-1"),
            (addon, "posting_posted", "balance_payment BP-invoice1-1, in Splynx 7, try 1"),
            (addon, "state", "settled → recorded"),
        ]
    );
    let all = rows(&world).await;
    assert_eq!(all.iter().map(|row| row.seq).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
    assert_eq!((all[0].what.as_str(), all[0].attempt.as_ref()), ("connection_pairing", None));
    let verdict = verdict(&world).await;
    assert_eq!((verdict.rows, verdict.flaw), (10, None));
}

pub(super) async fn what_changes_nothing_visible_writes_no_row(world: World) {
    let attempt = lived(&world).await;
    let before = rows(&world).await;
    let look = Attempt { look_at: Some(at(99)), failures: 3, ..attempt };
    let after = world.applied(Change { release: true, ..Change::of(look) }).await;
    // The same posting once more, with another moment for its next try.
    let postings = after.postings.clone();
    world.applied(Change { postings, ..Change::of(after.attempt.clone()) }).await;
    assert!(!world.store.apply(&Change::of(after.attempt)).await.unwrap(), "an old version");
    assert_eq!(rows(&world).await, before);
}

pub(super) async fn what_was_refused_is_not_written_down(world: World) {
    let attempt = lived(&world).await;
    let before = rows(&world).await;
    let stolen = Credit { amount: usd(0), ..credit(&attempt, 1, 2) };
    let refused = Change { credits: vec![stolen], ..Change::of(attempt) };
    assert!(world.store.apply(&refused).await.is_err());
    assert_eq!(rows(&world).await, before);
    assert_eq!(flaw(&world).await, None);
}

pub(super) async fn what_people_do_is_written_down_under_their_name(world: World) {
    let attempt = lived(&world).await;
    let terminal = Actor::Terminal("root".to_owned());
    assert!(world.store.wake(attempt.id, &terminal, at(1)).await.unwrap());
    let attempt = world.attempt(attempt.id).await;
    let reviews = vec![
        review(1, &attempt, ReviewReason::Refused),
        review(2, &attempt, ReviewReason::Duplicate),
    ];
    let attempt =
        world.applied(Change { reviews: reviews.clone(), ..Change::of(attempt) }).await.attempt;
    let closed = |by: &str| ReviewClosed { at: at(9), by: by.to_owned(), note: "Seen.".to_owned() };
    assert!(world.store.close_review(reviews[1].id, &closed("admin 2")).await.unwrap());
    let change = Change {
        closes: vec![(reviews[0].id, closed("admin 1"))],
        by: Actor::Admin(1),
        order: Some("dismissed: Seen.".to_owned()),
        ..Change::of(attempt.clone())
    };
    world.applied(change).await;
    let told = told(&world, attempt.id).await;
    let last: Vec<(&str, &str)> =
        told[9..].iter().map(|(who, what, _)| (&**who, &**what)).collect();
    assert_eq!(
        last,
        [
            ("root on the command line", "retry"),
            ("splynx-bitpay", "review_opened"),
            ("splynx-bitpay", "review_opened"),
            ("admin 2", "review_closed"),
            ("admin 1", "order"),
            ("admin 1", "review_closed"),
        ]
    );
    assert!(
        told.iter().any(|(_, what, words)| what == "review_closed" && words == "duplicate: Seen.")
    );
    assert!(!world.store.wake(super::attempt(9).id, &terminal, at(1)).await.unwrap());
    assert_eq!(rows(&world).await.len(), 16);
}

pub(super) async fn a_step_that_ends_a_review_twice_is_refused_as_a_whole(world: World) {
    let attempt = world.created(attempt(1)).await;
    let opened = review(1, &attempt, ReviewReason::Refused);
    let attempt = world
        .applied(Change { reviews: vec![opened.clone()], ..Change::of(attempt) })
        .await
        .attempt;
    let closed = ReviewClosed { at: at(9), by: "admin 1".to_owned(), note: "Seen.".to_owned() };
    let close = |attempt: &Attempt| Change {
        closes: vec![(opened.id, closed.clone())],
        credits: vec![credit(attempt, 1, 1)],
        ..Change::of(attempt.clone())
    };
    let after = world.applied(close(&attempt)).await;
    let again = Change { credits: vec![credit(&attempt, 1, 2)], ..close(&after.attempt) };
    assert!(world.store.apply(&again).await.is_err());
    assert_eq!(world.ledger(attempt.id).await, after);
}

pub(super) async fn connections_that_end_are_written_down(world: World) {
    let active = |n| Connection {
        status: ConnectionStatus::Active,
        activated_at: Some(at(1)),
        ..connection(n)
    };
    world.store.change_connection(&active(1), &Actor::Admin(1)).await.unwrap();
    world.store.add_connection(&active(2), &Actor::Admin(2)).await.unwrap();
    assert_eq!(world.store.erase_retired(at(5)).await.unwrap(), 1);
    let rows = rows(&world).await;
    let rows: Vec<(&str, &str)> = rows.iter().map(|row| (&*row.who, &*row.what)).collect();
    assert_eq!(
        rows,
        [
            ("splynx-bitpay", "connection_pairing"),
            ("admin 1", "connection_active"),
            ("splynx-bitpay", "connection_retired"),
            ("admin 2", "connection_active"),
            ("splynx-bitpay", "connection_erased"),
        ]
    );
}

fn edited(seq: i64, attempt: &Attempt) -> Flaw {
    Flaw::Edited { seq, attempt: Some(attempt.id.to_string()) }
}

pub(super) async fn an_edited_row_is_found(world: World) {
    let attempt = lived(&world).await;
    for (column, value) in [
        ("words", "'BP-invoice1-1: 1.61 USD not decided yet'"),
        ("who", "'admin 1'"),
        ("what", "'credit_changed'"),
        ("at", "at + 1"),
        ("previous", "mac"),
        ("mac", "previous"),
    ] {
        world.execute("CREATE TABLE kept AS SELECT * FROM journal WHERE seq = 6");
        world.execute(&format!("UPDATE journal SET {column} = {value} WHERE seq = 6"));
        assert_eq!(flaw(&world).await, Some(edited(6, &attempt)), "{column}");
        world.execute(
            "DELETE FROM journal WHERE seq = 6; INSERT INTO journal SELECT * FROM kept; DROP TABLE kept",
        );
        assert_eq!(flaw(&world).await, None, "{column}");
    }
    world.execute("UPDATE journal SET attempt = NULL WHERE seq = 6");
    assert_eq!(flaw(&world).await, Some(Flaw::Edited { seq: 6, attempt: None }));
}

pub(super) async fn a_missing_row_is_found(world: World) {
    let attempt = lived(&world).await;
    world.execute("DELETE FROM journal WHERE seq IN (4, 5)");
    let of = Some(attempt.id.to_string());
    assert_eq!(flaw(&world).await, Some(Flaw::Missing { first: 4, last: 5, attempt: of }));
    // Closing the gap shows in the row that moved.
    world.execute("UPDATE journal SET seq = 4 WHERE seq = 6");
    assert_eq!(flaw(&world).await, Some(edited(4, &attempt)));
}

pub(super) async fn rows_in_another_order_are_found(world: World) {
    let attempt = lived(&world).await;
    world.execute(
        "UPDATE journal SET seq = 1004 WHERE seq = 4; UPDATE journal SET seq = 4 WHERE seq = 5; \
         UPDATE journal SET seq = 5 WHERE seq = 1004",
    );
    assert_eq!(flaw(&world).await, Some(edited(4, &attempt)));
}

pub(super) async fn an_inserted_row_is_found(world: World) {
    let attempt = lived(&world).await;
    world.execute(
        "INSERT INTO journal SELECT 11, at, attempt, who, what, words, previous, mac FROM journal WHERE seq = 10",
    );
    assert_eq!(flaw(&world).await, Some(edited(11, &attempt)));
    world.execute("UPDATE meta SET value = '11' WHERE name = 'journal_head'");
    assert_eq!(flaw(&world).await, Some(edited(11, &attempt)));
}

pub(super) async fn a_tail_that_was_cut_off_is_found(world: World) {
    lived(&world).await;
    let kept = world.db().journal_head().await.unwrap().unwrap();
    world.execute("DELETE FROM journal WHERE seq > 8");
    let missing = Flaw::Missing { first: 9, last: 10, attempt: None };
    assert_eq!(flaw(&world).await, Some(missing));
    world.execute("DELETE FROM meta WHERE name = 'journal_head'");
    assert_eq!(flaw(&world).await, Some(Flaw::NoEnd));

    // Whoever also makes the end fit is found by the head that was kept elsewhere.
    let shorter = verdict(&world).await.head;
    world.execute(&format!("INSERT INTO meta VALUES ('journal_head', '{shorter}')"));
    assert_eq!(flaw(&world).await, None);
    let by_head = |head: &str| {
        let head = Head::parse_kept(head).unwrap();
        world.db().verify_journal(Some(head), |_| ())
    };
    assert_eq!(by_head(&kept.to_string()).await.unwrap().flaw, Some(Flaw::UnknownHead));
    assert_eq!(by_head(&kept.hash()).await.unwrap().flaw, Some(Flaw::UnknownHead));
    assert_eq!(by_head(&shorter.hash()).await.unwrap().flaw, None);
}

pub(super) async fn an_end_that_was_moved_back_is_found(world: World) {
    lived(&world).await;
    let kept = world.db().journal_head().await.unwrap().unwrap().to_string();
    world.execute(&format!(
        "UPDATE meta SET value = '9 {}' WHERE name = 'journal_head'",
        kept.split(' ').next_back().unwrap()
    ));
    assert_eq!(flaw(&world).await, Some(Flaw::BehindTheEnd { seq: 10 }));
    world.execute(&format!(
        "UPDATE meta SET value = '10 {}' WHERE name = 'journal_head'",
        "00".repeat(32)
    ));
    assert_eq!(flaw(&world).await, Some(Flaw::NoEnd));
}

/// Money does not wait for an auditor: the add-on goes on behind the break, and says that there is one.
pub(super) async fn a_broken_chain_stops_nobody_and_stays_visible(world: World) {
    let attempt = lived(&world).await;
    let step = |attempt: Attempt, n: i64| {
        Change::of(Attempt { last_seen: Some(format!("look {n}")), ..attempt })
    };
    // The end is gone: all rows are there, and the break is told by the add-on's own row.
    world.execute("DELETE FROM meta WHERE name = 'journal_head'");
    let attempt = world.applied(step(attempt, 1)).await.attempt;
    assert_eq!(flaw(&world).await, Some(Flaw::WasBroken { seq: 11 }));
    // The end was moved back before rows that are there.
    let end = "UPDATE meta SET value = '3 00' WHERE name = 'journal_head'";
    world.execute(end);
    let attempt = world.applied(step(attempt, 2)).await.attempt;
    assert_eq!(verdict(&world).await.rows, 14);
    // The tail was cut off: its numbers stay empty.
    world.execute("DELETE FROM journal WHERE seq > 12");
    world.applied(step(attempt, 3)).await;
    let broken = Flaw::Missing { first: 13, last: 14, attempt: None };
    assert_eq!(flaw(&world).await, Some(broken));
    assert_eq!(rows(&world).await.last().unwrap().seq, 16);
}

pub(super) async fn another_key_finds_every_row_foreign(world: World) {
    lived(&world).await;
    let first = rows(&world).await.remove(0);
    let other = crate::db::journal::JournalKey::of(&SealKey::from_bytes([2; 32]));
    let mut verification = crate::db::Verification::new(other, None);
    let page = world.db().read(|conn| crate::db::journal::page(conn, 0)).await.unwrap();
    let flaw = verification.take(&page).unwrap().flaw;
    assert_eq!(flaw, Some(Flaw::Edited { seq: first.seq, attempt: None }));
}

pub(super) async fn processes_that_write_at_once_make_one_chain(world: World) {
    const STEPS: i64 = 40;
    let mut attempts = Vec::new();
    for n in 1..=4 {
        attempts.push(world.created(attempt(n)).await);
    }
    let other = world.second().await;
    let stores = [world.db(), &other, world.db(), &other];
    let walks = attempts.into_iter().zip(stores).map(async |(mut attempt, store)| {
        for n in 0..STEPS {
            attempt.last_seen = Some(format!("look {n}"));
            assert!(store.apply(&Change::of(attempt.clone())).await.unwrap());
            attempt.version += 1;
        }
    });
    futures_util::future::join_all(walks).await;
    let verdict = verdict(&world).await;
    // The connection, four clicks, and a row for each step.
    assert_eq!((verdict.rows, verdict.flaw), (5 + 4 * 40, None));
}

pub(super) async fn a_long_journal_is_verified_page_by_page(world: World) {
    const STEPS: u64 = 2100;
    let attempt = world.created(attempt(1)).await;
    let looks = (0..STEPS).map(|n| {
        let version = attempt.version + i64::try_from(n).unwrap();
        let last_seen = Some(format!("look {n}"));
        world.db().write_down(move |conn, entries| {
            let _ = conn;
            let attempt = Attempt { version, last_seen: last_seen.clone(), ..super::attempt(1) };
            entries.push(crate::db::journal::begun(&attempt, at(0)));
            Ok(())
        })
    });
    futures_util::future::join_all(looks).await;
    let mut seen = Vec::new();
    let verdict = world.db().verify_journal(None, |rows| seen.push(rows)).await.unwrap();
    assert_eq!((verdict.rows, verdict.flaw), (STEPS + 2, None));
    assert_eq!(seen, [2000]);
}

pub(super) async fn what_a_person_closed_is_not_opened_again_by_the_same_words(world: World) {
    let mut attempt = world.created(attempt(1)).await;
    let mut step = async |n, words: &str, at_seconds| {
        let note = Review {
            words: words.to_owned(),
            opened_at: at(at_seconds),
            ..review(n, &attempt, ReviewReason::LessThanCredited)
        };
        let change = Change { reviews: vec![note], ..Change::of(attempt.clone()) };
        attempt = world.applied(change).await.attempt;
        let reviews = world.store.reviews(attempt.id).await.unwrap();
        reviews
            .into_iter()
            .filter(|review| review.closed.is_none())
            .map(|it| it.id)
            .collect::<Vec<_>>()
    };
    let open = step(1, "0.00 of 5.00", 1).await;
    let closed = ReviewClosed { at: at(2), by: "admin 1".to_owned(), note: "Known.".to_owned() };
    assert!(world.store.close_review(open[0], &closed).await.unwrap());
    assert_eq!(step(2, "0.00 of 5.00", 3).await, []);
    assert_eq!(step(3, "0.00 of 5.00", 99_999).await, []);
    assert_eq!(step(4, "1.00 of 5.00", 4).await.len(), 1);
}

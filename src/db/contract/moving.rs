//! Moving everything to another database: nothing is forgotten, and only one of the two can be used.

use chrono::SubsecRound as _;

use super::opening::{Name, columns_there};
use super::*;
use crate::db::moving::moved_columns;
use crate::db::{Move, MoveError, MoveOutcome, MovedTo, ServeLock, move_database};

/// What a row does not take along: leases end, and the database reckons the rest by itself.
const LEFT: [&str; 3] = ["attempts.lease_owner", "attempts.lease_until", "attempts.ready_at"];

pub(super) async fn no_table_and_no_column_is_forgotten(world: World) {
    let mut moved = moved_columns();
    moved.extend(LEFT.map(str::to_owned));
    moved.sort_unstable();
    assert_eq!(columns_there(&world).await, moved);
}

impl World {
    fn kind(&self) -> Kind {
        match self.place {
            Place::Sqlite(_) => Kind::Sqlite,
            Place::Postgresql(_) => Kind::Postgresql,
            Place::Simulated => Kind::Simulated,
        }
    }

    /// A database of the other kind.
    fn other_place(&self) -> Place {
        Place::new(if self.kind() == Kind::Sqlite { Kind::Postgresql } else { Kind::Sqlite })
    }

    /// Nobody has it open any more.
    fn closed(self) -> (Place, Arc<TestClock>) {
        let Self { store, clock, place } = self;
        drop(store);
        (place, clock)
    }
}

async fn moved(from: &Place, to: &Place) -> Result<MoveOutcome, MoveError> {
    moved_by([1; 32], from, to).await
}

async fn moved_by(key: [u8; 32], from: &Place, to: &Place) -> Result<MoveOutcome, MoveError> {
    let wish = Move {
        from: from.url(),
        to: to.url(),
        seal_key: SealKey::from_bytes(key),
        entropy: Arc::new(SystemEntropy),
        by: Actor::Terminal("somebody".to_owned()),
        at: at(7),
    };
    move_database(wish, |_, _| ()).await
}

/// More rows than a page in tables with a key of one, two and three columns; and something in every table.
async fn filled(world: &World) {
    let attempts = (1..=1001).map(|n| world.created(attempt(n)));
    let attempt = futures_util::future::join_all(attempts).await.remove(0);
    let invoiced = Attempt { opened: Some(opened(1, at(900))), ..attempt };
    let credit = credit(&invoiced, 1, 1);
    let change = Change {
        credits: vec![credit.clone()],
        postings: vec![posting(1, &credit, PostingKind::DocumentPayment)],
        reviews: vec![review(1, &invoiced, ReviewReason::Refused)],
        ..Change::of(invoiced)
    };
    world.applied(change).await;
    world.store.remember("settings", "{\"words\":\"a 'quoted' \\\\ ₿\"}").await.unwrap();
    let more = "\
        INSERT INTO nonces VALUES ('key', 9007199254740993); \
        INSERT INTO hints SELECT id, 0, 5 FROM attempts; \
        INSERT INTO hints SELECT id, 1, 6 FROM attempts; \
        INSERT INTO alerts (channel, kind, subject, reason, words, since, times) \
            SELECT 'mail', 'review', id, 'refused', 'Words.', 1, 0 FROM attempts; \
        INSERT INTO alerts (channel, kind, subject, reason, words, since, times) \
            SELECT 'log', 'finding', id, 'refused', '', 1, 0 FROM attempts; \
        UPDATE alert_channels SET failures = 3, last_error = 'no answer' WHERE channel = 'mail'; \
        INSERT INTO proofs VALUES ('2026-11-21', 1, 2, 3, 4, 5, 6, 1, '{}')";
    world.execute(more);
}

/// Every row of every table as the database writes it, without what a move adds and takes away.
async fn content(db: &Db) -> Vec<String> {
    let work = |conn: &mut AnyConnection| {
        let names = |conn: &mut AnyConnection, query: &str| {
            let names: Vec<Name> = diesel::RunQueryDsl::load(diesel::sql_query(query), conn)?;
            Ok::<Vec<String>, super::super::Failure>(names.into_iter().map(|it| it.name).collect())
        };
        let is_sqlite = matches!(conn, AnyConnection::Sqlite(_));
        let tables = if is_sqlite {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 2) <> '__'"
        } else {
            "SELECT table_name::text AS name FROM information_schema.tables \
             WHERE table_schema = 'public' AND left(table_name, 2) <> '__'"
        };
        let mut rows = Vec::new();
        for table in names(conn, tables)? {
            let row = if is_sqlite {
                let columns = format!(
                    "SELECT 'quote(' || name || ')' AS name FROM pragma_table_xinfo('{table}')"
                );
                names(conn, &columns)?.join(" || ',' || ")
            } else {
                format!("{table}::text")
            };
            let which = match table.as_str() {
                "journal" => "WHERE what <> 'moved'",
                "meta" => "WHERE name NOT IN ('journal_head', 'moved_to')",
                _ => "",
            };
            let query = format!("SELECT '{table} ' || {row} AS name FROM {table} {which}");
            rows.extend(names(conn, &query)?);
        }
        rows.sort_unstable();
        Ok(rows)
    };
    db.read(work).await.unwrap()
}

/// There and back, and once more between two of a kind.
pub(super) async fn everything_is_moved_there_and_back(world: World) {
    filled(&world).await;
    let before = content(world.db()).await;
    let head = world.db().journal_head().await.unwrap();
    world.execute("UPDATE attempts SET lease_owner = 'somebody', lease_until = 99999");
    let (other, kind) = (world.other_place(), world.kind());
    let (first, clock) = world.closed();
    let places = [first, other, Place::new(kind), Place::new(kind)];
    for hop in places.windows(2) {
        let [from, to] = hop else { unreachable!("two of them") };
        let MoveOutcome::Moved { rows, journal } = moved(from, to).await.unwrap() else {
            panic!("nothing was there before");
        };
        assert_eq!(journal.flaw, None);
        for table in ["attempts", "hints", "alerts"] {
            let (_, rows) = rows.iter().find(|(name, _)| *name == table).unwrap();
            assert!(*rows >= 1001, "{table}: {rows}");
        }
    }
    let db = Db::open(places[3].options(&clock)).await.unwrap();
    assert_eq!(content(&db).await, before);
    let verdict = db.verify_journal(head, |_| ()).await.unwrap();
    assert_eq!(verdict.flaw, None, "the journal goes on behind the old head");
    let last = db.journal(None, head.unwrap().seq, 10).await.unwrap();
    let last: Vec<_> = last.iter().map(|row| (row.who.as_str(), row.what.as_str())).collect();
    assert_eq!(last, [("somebody on the command line", "moved"); 3]);
    assert_eq!(db.connections().await.unwrap().len(), 1, "its seal opens");
}

pub(super) async fn of_the_two_databases_only_the_new_one_can_be_used(world: World) {
    let (to, options) = (world.other_place(), world.options());
    let (from, clock) = world.closed();
    moved(&from, &to).await.unwrap();
    let place = to.url().to_string();
    let expected = OpenError::Moved(MovedTo { at: at(7).trunc_subsecs(0), place });
    assert_eq!(Db::open(options.clone()).await.err(), Some(expected.clone()));
    assert!(expected.to_string().contains("on 2023-11-14 22:13 UTC"), "{expected}");
    // Nor can it be moved elsewhere: that would be a second ledger.
    let elsewhere = moved(&from, &Place::new(Kind::Sqlite)).await.unwrap_err();
    assert!(matches!(elsewhere, MoveError::From(OpenError::Moved(_))), "{elsewhere}");
    assert!(Db::open(to.options(&clock)).await.is_ok());
}

pub(super) async fn a_move_that_was_cut_off_is_done_again_and_a_whole_one_is_not(world: World) {
    let (to, clock) = (world.other_place(), Arc::clone(&world.clock));
    // As a process leaves it that is killed between its two last steps.
    let mark = format!("INSERT INTO meta VALUES ('moved_to', '2026-11-22T01:40:00Z {}')", to.url());
    world.execute(&mark);
    let (from, _) = world.closed();
    let outcome = moved(&from, &to).await.unwrap();
    assert!(matches!(outcome, MoveOutcome::Moved { .. }), "{outcome:?}");
    for n in 1..=2 {
        assert_eq!(moved(&from, &to).await.unwrap(), MoveOutcome::WasMoved);
        // Also when it has gone on living.
        let db = Db::open(to.options(&clock)).await.unwrap();
        created(&db, attempt(n)).await;
        db.close();
    }
}

pub(super) async fn nothing_is_written_over(world: World) {
    let to = world.other_place();
    let db = Db::open(to.options(&world.clock)).await.unwrap();
    let options = world.options();
    db.add_connection(&connection(2), &Actor::Worker).await.unwrap();
    let before = content(&db).await;
    db.close();
    let (from, clock) = world.closed();
    let error = moved(&from, &to).await.unwrap_err();
    assert!(matches!(error, MoveError::NotEmpty { table: "connections", .. }), "{error}");
    assert!(Db::open(options).await.is_ok(), "the old one is as it was");
    let db = Db::open(to.options(&clock)).await.unwrap();
    assert_eq!(content(&db).await, before);
}

pub(super) async fn a_wrong_key_moves_nothing(world: World) {
    let (to, options) = (world.other_place(), world.options());
    let (from, clock) = world.closed();
    let error = moved_by([2; 32], &from, &to).await.unwrap_err();
    assert!(matches!(error, MoveError::From(OpenError::SealedWithAnotherKey)), "{error}");
    let foreign = Options { seal_key: SealKey::from_bytes([2; 32]), ..to.options(&clock) };
    drop(Db::open(foreign).await.unwrap());
    let error = moved(&from, &to).await.unwrap_err();
    assert!(matches!(error, MoveError::To(OpenError::SealedWithAnotherKey)), "{error}");
    assert!(Db::open(options).await.is_ok());
}

pub(super) async fn a_database_that_is_open_elsewhere_is_not_moved(world: World) {
    let to = world.other_place();
    let error = moved(&world.place, &to).await.unwrap_err();
    assert!(matches!(&error, MoveError::InUse(url) if *url == world.place.url()), "{error}");
    let (from, clock) = world.closed();
    let db = Db::open(to.options(&clock)).await.unwrap();
    let error = moved(&from, &to).await.unwrap_err();
    assert!(matches!(&error, MoveError::InUse(url) if *url == to.url()), "{error}");
    db.close();
    for place in [&from, &to].into_iter().filter(|place| matches!(place, Place::Sqlite(_))) {
        let _serving = ServeLock::take(&place.url()).unwrap();
        let error = moved(&from, &to).await.unwrap_err();
        assert!(matches!(error, MoveError::Served(_)), "{error}");
    }
    let error = moved(&from, &from).await.unwrap_err();
    assert!(matches!(error, MoveError::Same(_)), "{error}");
    moved(&from, &to).await.unwrap();
}

/// What the new database does to a row on its way in is noticed.
pub(super) async fn a_copy_that_differs_is_no_move(world: World) {
    let to = Place::new(Kind::Sqlite);
    drop(Db::open(to.options(&world.clock)).await.unwrap());
    let run = |statement: &str| {
        let mut conn = AnyConnection::open(&to.url(), Role::Writer, Missing::Refuse).unwrap();
        conn.batch_execute(statement).unwrap();
    };
    run(
        "CREATE TRIGGER less AFTER INSERT ON connections BEGIN UPDATE connections SET sin = 'x'; END",
    );
    let options = world.options();
    let (from, _) = world.closed();
    let error = moved(&from, &to).await.unwrap_err();
    assert!(matches!(error, MoveError::Differs("connections")), "{error}");
    assert!(Db::open(options).await.is_ok(), "the old one goes on");
    run("DROP TRIGGER less");
    assert!(matches!(moved(&from, &to).await.unwrap(), MoveOutcome::Moved { .. }));
}

/// A journal that somebody tampered with is neither mended nor hidden by a move, and keeps nobody from it.
pub(super) async fn a_broken_journal_stays_broken(world: World) {
    world.created(attempt(1)).await;
    world.execute("UPDATE journal SET words = 'nothing' WHERE seq = 2");
    let to = world.other_place();
    let (from, clock) = world.closed();
    let MoveOutcome::Moved { journal, .. } = moved(&from, &to).await.unwrap() else {
        panic!("nothing was there before");
    };
    assert!(matches!(journal.flaw, Some(crate::db::Flaw::Edited { seq: 2, .. })), "{journal:?}");
    let db = Db::open(to.options(&clock)).await.unwrap();
    assert_eq!(db.verify_journal(None, |_| ()).await.unwrap(), journal);
}

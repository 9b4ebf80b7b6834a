//! Opening a database, and what is found in it.

use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::sql_types::Text;
use futures_util::future::join_all;

use super::super::connection::MultiBackend;
use super::super::schema;
use super::*;
use crate::ports::store::StoreError;

pub(super) async fn what_was_committed_is_there_after_a_restart(world: World) {
    let attempt = world.created(attempt(1)).await;
    let credit = credit(&attempt, 1, 1);
    let posting = posting(1, &credit, PostingKind::DocumentPayment);
    let change =
        Change { credits: vec![credit], postings: vec![posting], ..Change::of(attempt.clone()) };
    let before = world.applied(change).await;

    let world = world.reopen().await;
    assert_eq!(world.ledger(attempt.id).await, before);
}

pub(super) async fn a_database_sealed_with_another_key_is_refused(world: World) {
    let other = Options { seal_key: SealKey::from_bytes([2; 32]), ..world.options() };
    assert_eq!(Db::open(other).await.err(), Some(OpenError::SealedWithAnotherKey));
    // The refusal changed nothing.
    assert!(Db::open(world.options()).await.is_ok());
}

pub(super) async fn processes_that_open_a_new_database_at_once_all_succeed(world: World) {
    let kind = match world.place {
        Place::Sqlite(_) => Kind::Sqlite,
        Place::Postgresql(_) => Kind::Postgresql,
        Place::Simulated => Kind::Simulated,
    };
    let place = Place::new(kind);
    let opened = join_all((0..4).map(|_| Db::open(place.options(&world.clock)))).await;
    for store in opened {
        assert_eq!(store.unwrap().connections().await.unwrap().len(), 0);
    }
}

/// The folders of `migrations/sqlite`; a test sees to it that the other database has the same.
fn every_migration() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    let folders = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

pub(super) async fn migrations_that_must_be_done_are_named_and_not_run(world: World) {
    world.execute("DELETE FROM __diesel_schema_migrations");
    let pending = every_migration();
    let must_be_done = Options { migrations: Migrations::MustBeDone, ..world.options() };
    for _ in 0..2 {
        let refused = Db::open(must_be_done.clone()).await.err();
        assert_eq!(refused, Some(OpenError::PendingMigrations(pending.clone())));
    }
    assert_eq!(crate::db::pending_migrations(&world.place.url()).await.unwrap(), pending);

    for name in &pending {
        let version = name.split('_').next().unwrap();
        let done = format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')");
        world.execute(&done);
    }
    assert!(Db::open(must_be_done).await.is_ok());
    assert_eq!(crate::db::pending_migrations(&world.place.url()).await.unwrap(), [""; 0]);
}

pub(super) async fn who_may_only_make_a_new_database_leaves_an_older_one_alone(world: World) {
    let only_new = |place: &Place| Options {
        migrations: Migrations::OnlyOfANewOne,
        ..place.options(&world.clock)
    };
    let last = every_migration().pop().unwrap();
    let version = last.split('_').next().unwrap();
    world.execute(&format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"));
    let refused = Db::open(only_new(&world.place)).await.err();
    assert_eq!(refused, Some(OpenError::PendingMigrations(vec![last.clone()])));
    assert_eq!(crate::db::pending_migrations(&world.place.url()).await.unwrap(), [last]);
    let kind = match world.place {
        Place::Postgresql(_) => Kind::Postgresql,
        _ => Kind::Sqlite,
    };
    assert!(Db::open(only_new(&Place::new(kind))).await.is_ok());
}

#[derive(Debug, QueryableByName)]
pub(super) struct Name {
    #[diesel(sql_type = Text)]
    pub(super) name: String,
}

pub(super) async fn the_schema_is_what_the_queries_believe(world: World) {
    let believed = [
        columns(&schema::alert_channels::table),
        columns(&schema::alerts::table),
        columns(&schema::attempts::table),
        columns(&schema::connections::table),
        columns(&schema::credits::table),
        columns(&schema::hints::table),
        columns(&schema::journal::table),
        columns(&schema::meta::table),
        columns(&schema::nonces::table),
        columns(&schema::postings::table),
        columns(&schema::proofs::table),
        columns(&schema::reviews::table),
    ];
    let mut believed = believed.concat();
    believed.sort_unstable();
    assert_eq!(columns_there(&world).await, believed);
}

/// The columns of all tables but the migrations' own, as `table.column`, in order.
pub(super) async fn columns_there(world: &World) -> Vec<String> {
    let query = match &world.place {
        Place::Sqlite(_) => {
            "SELECT t.name || '.' || c.name AS name FROM sqlite_schema t, pragma_table_xinfo(t.name) c \
             WHERE t.type = 'table' AND t.name NOT LIKE '\\_\\_%' ESCAPE '\\'"
        }
        Place::Postgresql(_) => {
            "SELECT table_name || '.' || column_name AS name FROM information_schema.columns \
             WHERE table_schema = 'public' AND left(table_name, 2) <> '__'"
        }
        Place::Simulated => unreachable!("the simulated disk has no schema"),
    };
    let load = move |conn: &mut AnyConnection| Ok(diesel::sql_query(query).load::<Name>(conn)?);
    let mut found: Vec<String> =
        world.db().read(load).await.unwrap().into_iter().map(|row| row.name).collect();
    found.sort_unstable();
    found
}

/// The columns a table has by `schema.rs`, as `table.column`.
fn columns<T>(table: &T) -> Vec<String>
where
    T: Table + Copy,
    T::AllColumns: QueryFragment<diesel::sqlite::Sqlite>,
{
    let _: Option<MultiBackend> = None;
    let shown = diesel::debug_query::<diesel::sqlite::Sqlite, _>(&T::all_columns()).to_string();
    let _ = table;
    let listed = shown.split(" -- ").next().unwrap();
    listed.split(',').map(|column| column.replace(['`', ' '], "")).collect()
}

pub(super) async fn a_value_that_cannot_be_is_named_by_its_place(world: World) {
    let attempt = world.created(attempt(1)).await;
    world.execute("UPDATE attempts SET document_total = 'a lot'");
    let error = world.store.ledger(attempt.id).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the database holds an impossible value in attempts.document_total of `{}`",
            attempt.id
        )
    );
    assert!(matches!(error, StoreError::Inconsistent { .. }));
}

pub(super) async fn a_hook_that_a_constraint_names_is_not_told(world: World) {
    world.created(attempt(1)).await;
    let same_hook = Attempt { id: AttemptId::new(at(0), 2), ..attempt(1) };
    let error = world.store.claim(&same_hook, at(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    assert!(!error.to_string().contains(same_hook.hook.as_str()), "{error}");
}

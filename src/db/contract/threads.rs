//! The threads behind the store.

use diesel::prelude::*;
use futures_util::future::join_all;

use super::super::failure::Failure;
use super::super::schema::meta;
use super::*;
use crate::ports::store::StoreError;

fn insert(conn: &mut AnyConnection, name: &str) -> Result<(), Failure> {
    diesel::insert_into(meta::table)
        .values((meta::name.eq(name.to_owned()), meta::value.eq("value")))
        .execute(conn)?;
    Ok(())
}

async fn names(store: &Db) -> Vec<String> {
    let load = |conn: &mut AnyConnection| {
        let own = ["seal_check", "journal_head"];
        let rows = meta::table.filter(meta::name.ne_all(own)).order(meta::name);
        Ok(rows.select(meta::name).load(conn)?)
    };
    store.read(load).await.unwrap()
}

/// Makes the writing thread wait for a word, so that what is queued meanwhile becomes one group. Once the sender is
/// gone it does not wait any more: like every job, this one may be run twice.
fn hold(store: &Db) -> (std::sync::mpsc::Sender<()>, impl Future<Output = Result<(), StoreError>>) {
    let (go, wait) = std::sync::mpsc::channel();
    // Only the first time: after a panic in its group the job is run again, and nobody sends twice.
    let mut wait = Some(wait);
    let held = store.write(move |_| {
        let _ = wait.take().map(|wait| wait.recv());
        Ok(())
    });
    (go, held)
}

pub(super) async fn one_failing_job_does_not_spoil_the_group(world: World) {
    let store = world.db();
    store.write(|conn| insert(conn, "a")).await.unwrap();
    let (go, held) = hold(store);
    let jobs = ["b", "a", "c", "a", "d"].map(|name| store.write(move |conn| insert(conn, name)));
    let release = async move {
        tokio::task::yield_now().await;
        go.send(()).unwrap();
    };
    let (held, ends, ()) = tokio::join!(held, join_all(jobs), release);
    held.unwrap();
    let succeeded: Vec<bool> = ends.iter().map(Result::is_ok).collect();
    assert_eq!(succeeded, [true, false, true, false, true]);
    assert!(matches!(ends[1], Err(StoreError::Refused(_))), "{:?}", ends[1]);
    assert_eq!(names(store).await, ["a", "b", "c", "d"]);
}

pub(super) async fn a_panicking_job_does_not_spoil_the_group(world: World) {
    let store = world.db();
    let (go, held) = hold(store);
    let jobs = ["a", "panic", "b"].map(|name| {
        store.write(move |conn| {
            insert(conn, name)?;
            assert!(name != "panic", "a job that panics on purpose");
            Ok(())
        })
    });
    let release = async move {
        tokio::task::yield_now().await;
        go.send(()).unwrap();
    };
    let (held, ends, ()) = tokio::join!(held, join_all(jobs), release);
    held.unwrap();
    assert!(ends[0].is_ok() && ends[2].is_ok());
    assert!(matches!(ends[1], Err(StoreError::Refused(_))), "{:?}", ends[1]);
    store.write(|conn| insert(conn, "c")).await.unwrap();
    assert_eq!(names(store).await, ["a", "b", "c"]);
}

pub(super) async fn a_swallowed_error_is_not_mistaken_for_a_commit(world: World) {
    // In PostgreSQL the first error dooms the transaction, and COMMIT then says nothing but rolls back.
    let work = |conn: &mut AnyConnection| {
        insert(conn, "a")?;
        let _ = insert(conn, "a");
        Ok(())
    };
    let end = world.db().write(work).await;
    let committed = names(world.db()).await == ["a"];
    assert_eq!(end.is_ok(), committed, "{end:?}");
}

pub(super) async fn a_reader_cannot_write(world: World) {
    assert!(world.db().read(|conn| insert(conn, "a")).await.is_err());
    assert_eq!(names(world.db()).await, [""; 0]);
}

pub(super) async fn a_panicking_reader_goes_on(world: World) {
    for _ in 0..4 {
        let panicking = |_: &mut AnyConnection| -> Result<(), Failure> {
            panic!("a job that panics on purpose");
        };
        let end = world.db().read(panicking).await;
        assert!(matches!(end, Err(StoreError::Refused(_))), "{end:?}");
    }
    assert_eq!(names(world.db()).await, [""; 0]);
}

pub(super) async fn dropping_the_database_ends_the_queued_jobs_first(world: World) {
    let answers: Vec<_> = ["a", "b", "c"]
        .map(|name| world.db().writer.submit(move |conn, _| insert(conn, name)))
        .into_iter()
        .collect();
    let world = world.reopen().await;
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(names(world.db()).await, ["a", "b", "c"]);
}

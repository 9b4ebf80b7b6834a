//! Backups: made beside a service at work, kept for a while, and put back as the operations manual says.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use diesel::SqliteConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::support::{Engine, PATIENCE, Setup, World};

const MANUAL: &str = include_str!("../../docs/OPERATIONS.md");

fn home(world: &World) -> PathBuf {
    world.database_file().parent().unwrap().to_owned()
}

/// Makes a backup, and returns its path as it was printed.
fn back_up(world: &World, words: &[&str]) -> PathBuf {
    let said = world.command(&[&["backup"], words].concat());
    PathBuf::from(said.lines().last().unwrap())
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(link: &mut SqliteConnection, query: &str) -> Vec<String> {
    let lines: Vec<Line> = diesel::sql_query(query).load(link).unwrap();
    lines.into_iter().map(|line| line.line).collect()
}

/// Every row of every table, as text.
fn content(file: &Path) -> BTreeMap<String, Vec<String>> {
    let link = &mut SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let tables = lines(link, "SELECT name AS line FROM sqlite_schema WHERE type = 'table'");
    let rows = |table: String| {
        let columns =
            format!("SELECT 'quote(' || name || ')' AS line FROM pragma_table_info('{table}')");
        let columns = lines(link, &columns).join(" || ',' || ");
        let rows = lines(link, &format!("SELECT {columns} AS line FROM {table} ORDER BY 1"));
        (table, rows)
    };
    tables.into_iter().map(rows).collect()
}

async fn paid(world: &World, amount: &str) {
    let customer = world.customer().await;
    let checkout = customer.check_out(&world.invoice(&customer, amount)).await;
    world.pay(&checkout);
    world.results(&checkout).says("paid").await;
}

#[tokio::test]
async fn a_backup_holds_all_rows_and_the_proof_of_the_key() {
    let world = World::new(Engine::Sqlite).await;
    paid(&world, "50.00").await;
    world.addon.stop().await;
    assert_eq!(commands("Backup")[0], "splynx-bitpay backup");
    let backup = back_up(&world, &[]);
    assert_eq!(backup.parent(), Some(home(&world).join("backups").as_path()));
    let (copied, original) = (content(&backup), content(&world.database_file()));
    assert_eq!(copied, original);
    for table in ["attempts", "connections", "credits", "journal", "meta", "postings"] {
        assert!(!copied[table].is_empty(), "{table}");
    }
    let meta = copied["meta"].join("\n");
    assert!(meta.contains("seal_check") && meta.contains("journal_head"), "{meta}");
    let file = fs::metadata(&backup).unwrap();
    let folder = fs::metadata(backup.parent().unwrap()).unwrap();
    assert_eq!((file.mode() & 0o777, folder.mode() & 0o777), (0o600, 0o700));
}

/// The commands of a chapter of the manual, without its remarks.
fn commands(chapter: &str) -> Vec<String> {
    let (_, rest) = MANUAL.split_once(&format!("### {chapter}\n")).unwrap();
    let block = rest.split("```").nth(1).unwrap();
    let lines = block.lines().map(|line| line.split("  #").next().unwrap().trim());
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Does what the manual says, with this world's folder, user and backup in place of the package's.
async fn follow(world: &World, chapter: &str, backup: &Path) {
    let home = home(world);
    let own = fs::metadata(&home).unwrap();
    let name = backup.file_name().unwrap().to_str().unwrap();
    let (user, group) = (format!("-o {}", own.uid()), format!("-g {}", own.gid()));
    for command in commands(chapter) {
        if let Some(words) = command.strip_prefix("splynx-bitpay ") {
            // What it finds differs; that the words are right does not.
            let output = world.addon.run(&words.split(' ').collect::<Vec<_>>());
            assert_ne!(output.status.code(), Some(2), "{command}: {output:?}");
        } else if command.starts_with("systemctl stop ") {
            world.addon.stop().await;
        } else if command.starts_with("systemctl start ") {
            world.addon.start().await;
        } else {
            let here = command
                .replace("splynx-bitpay-20261121T030000Z.db", name)
                .replace("-o splynx-bitpay", &user)
                .replace("-g splynx-bitpay", &group)
                .replace("/var/lib/splynx-bitpay", home.to_str().unwrap());
            assert_ne!(here, command, "the command touches the machine's own files");
            let done = Command::new("sh").args(["-ec", &here]).output().unwrap();
            assert!(done.status.success(), "{here}: {done:?}");
        }
    }
}

#[tokio::test]
async fn a_backup_beside_a_service_at_work_is_put_back_as_the_manual_says() {
    let world = World::new(Engine::Sqlite).await;
    paid(&world, "50.00").await;
    // Customers come and go while backups are made.
    let customers = async {
        for amount in ["1.00", "2.00", "3.00"] {
            paid(&world, amount).await;
        }
    };
    let backups = async {
        let mut made = Vec::new();
        for _ in 0..4 {
            made.push(back_up(&world, &[]));
            tokio::time::sleep(Duration::from_millis(1100)).await;
        }
        made
    };
    let (made, ()) = tokio::join!(backups, customers);
    let [first, .., last] = made.as_slice() else { panic!("{made:?}") };
    let before = content(first);
    assert_ne!(before, content(last), "something happened meanwhile");

    follow(&world, "Restore", first).await;

    let known = |attempts: Vec<crate::support::Attempt>| attempts.len();
    assert_eq!(known(world.attempts()), before["attempts"].len());
    assert!(world.command(&["audit", "verify"]).ends_with("The journal is whole.\n"));
    world.addon.ready().await;
    paid(&world, "4.00").await;
    assert_eq!(world.payments_become(5, PATIENCE).await.len(), 5);
    let restored = fs::metadata(world.database_file()).unwrap();
    assert_eq!(restored.mode() & 0o777, 0o600);
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

async fn with_database() -> World {
    let setup = Setup { paired: false, ..Setup::default() };
    let world = World::stopped(Engine::Sqlite, setup).await;
    world.command(&["migrate"]);
    world
}

#[tokio::test]
async fn old_backups_go_when_a_new_one_is_there() {
    let world = with_database().await;
    let folder = home(&world).join("mine");
    fs::create_dir(&folder).unwrap();
    let to = ["--to", folder.to_str().unwrap()];
    fs::write(folder.join("splynx-bitpay-20200101T000000Z.db"), "").unwrap();
    fs::write(folder.join("notes"), "").unwrap();
    let (kept, first) = (back_up(&world, &[&to[..], &["--keep-days", "60000"]].concat()), 3);
    assert_eq!(names(&folder).len(), first);
    let newest = back_up(&world, &to);
    let mut left = vec!["notes".to_owned()];
    left.extend([kept, newest].map(|file| file.file_name().unwrap().to_str().unwrap().to_owned()));
    left.dedup();
    assert_eq!(names(&folder), left);
}

#[tokio::test]
async fn where_no_backup_can_be_made_the_old_ones_stay_and_nothing_is_left_behind() {
    let world = with_database().await;
    let folder = home(&world).join("mine");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("splynx-bitpay-20200101T000000Z.db"), "").unwrap();
    for (to, expected) in [
        ("/nonexistent/backups", "there is no folder /nonexistent/backups: make it first"),
        // Nobody can make a file there, not even root.
        ("/proc", "cannot be written: "),
    ] {
        let output = world.addon.run(&["backup", "--to", to]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(expected), "{said}");
    }
    // A database that breaks is noticed before an old backup is given up for it.
    world.database.run(
        "CREATE TABLE u (x TEXT CHECK (x <> 'c')); PRAGMA ignore_check_constraints = ON; INSERT INTO u VALUES ('c')",
    );
    let output = world.addon.run(&["backup", "--to", folder.to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the copy of the database is broken"), "{said}");
    assert_eq!(names(&folder), ["splynx-bitpay-20200101T000000Z.db"]);
}

#[tokio::test]
async fn postgresql_is_left_to_its_own_tools() {
    let world = World::stopped(Engine::Postgresql, Setup::default()).await;
    let said = world.command(&["backup"]);
    assert!(said.contains("pg_dump"), "{said}");
    assert_eq!(said.lines().count(), 1);
    assert!(!home(&world).join("backups").exists());
}

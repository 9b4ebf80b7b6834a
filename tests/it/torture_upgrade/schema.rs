//! The schema of a database as its files make it, as it is, and halfway between two of them.
//!
//! **Invariant:** the migrations' own files are the only source of what a schema is.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::support::{Database, Engine, PATIENCE, eventually};

/// The tables that hold money. Whatever a migration does, their rows stay.
const MONEY: [&str; 6] = ["connections", "attempts", "hints", "credits", "postings", "reviews"];

/// One migration, from its folder.
#[derive(Debug, Clone)]
pub(super) struct Migration {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) up: String,
    pub(super) down: Option<String>,
}

/// All migrations of a database, in order.
pub(super) fn migrations(engine: Engine) -> Vec<Migration> {
    let folder = match engine {
        Engine::Sqlite => "migrations/sqlite",
        Engine::Postgresql => "migrations/postgresql",
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut all: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| read(&entry.unwrap().path())).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

fn read(folder: &Path) -> Migration {
    let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
    let version = name.split('_').next().unwrap().to_owned();
    let up = fs::read_to_string(folder.join("up.sql")).unwrap();
    let down = fs::read_to_string(folder.join("down.sql")).ok();
    Migration { name, version, up, down }
}

/// The statements of a file, one by one; the body of a trigger or function stays in one piece.
pub(super) fn statements(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("--")) {
        writeln!(current, "{line}").unwrap();
        let is_open = current.matches("$$").count() % 2 == 1
            || (current.contains("CREATE TRIGGER") && !current.contains("END;"));
        if line.trim_end().ends_with(';') && !is_open {
            found.push(std::mem::take(&mut current));
        }
    }
    assert!(current.trim().is_empty(), "no statement: {current}");
    found
}

/// What diesel keeps about them.
fn bookkeeping(migrations: &[Migration]) -> String {
    let mut sql =
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
                   run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);"
            .to_owned();
    for migration in migrations {
        write!(
            sql,
            "INSERT INTO __diesel_schema_migrations (version) VALUES ('{}');",
            migration.version
        )
        .unwrap();
    }
    sql
}

/// A new database as these migrations' files make it.
pub(super) async fn fresh(engine: Engine, home: &Path, migrations: &[Migration]) -> Database {
    let database = Database::fresh(engine, home);
    let files: String = migrations.iter().map(|migration| migration.up.as_str()).collect();
    execute(&database, &format!("{}{files}", bookkeeping(migrations))).await;
    database
}

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    value: String,
}

fn sqlite(database: &Database) -> SqliteConnection {
    let url = database.url();
    let mut link = SqliteConnection::establish(url.trim_start_matches("sqlite://")).unwrap();
    link.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
    link
}

#[expect(clippy::disallowed_methods, reason = "the driver of a connection ends with its client")]
async fn postgres(database: &Database) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Runs statements.
pub(super) async fn execute(database: &Database, sql: &str) {
    match database {
        Database::File(_) => sqlite(database).batch_execute(sql).unwrap(),
        Database::Server(_) => postgres(database).await.batch_execute(sql).await.unwrap(),
    }
}

/// The single text column, named `value`, of a query.
pub(super) async fn query(database: &Database, sql: &str) -> Vec<String> {
    if let Database::File(_) = database {
        let rows: Vec<Row> = sql_query(sql).load(&mut sqlite(database)).unwrap();
        return rows.into_iter().map(|row| row.value).collect();
    }
    let answer = postgres(database).await.simple_query(sql).await.unwrap();
    let rows = answer.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    });
    rows.collect()
}

/// The numbers of the migrations that were run.
pub(super) async fn applied(database: &Database) -> Vec<String> {
    query(database, "SELECT version AS value FROM __diesel_schema_migrations ORDER BY 1").await
}

/// Waits until nobody else is at the database. What a process sent before it was killed, a server still carries out.
pub(super) async fn is_left_alone(database: &Database) {
    if let Database::File(_) = database {
        return;
    }
    let others = "SELECT CAST(count(*) AS TEXT) AS value FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    eventually("nobody else is at the database", PATIENCE, async || {
        let found = query(database, others).await.remove(0);
        if found == "0" { Ok(()) } else { Err(found) }
    })
    .await;
}

const POSTGRESQL_SCHEMA: &str = "\
    SELECT concat_ws(' ', 'column', table_name, column_name, data_type, is_nullable, column_default, \
        generation_expression) AS value \
      FROM information_schema.columns WHERE table_schema = 'public' \
    UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' \
    UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid)) \
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
    ORDER BY 1";

/// Everything about the schema, in words that do not depend on how it came about.
pub(super) async fn schema(database: &Database) -> Vec<String> {
    let found = match database {
        Database::File(_) => query(
            database,
            "SELECT name || ' ' || coalesce(sql, '') AS value FROM sqlite_master \
             WHERE name NOT LIKE 'sqlite_%' AND name <> '__diesel_schema_migrations' ORDER BY 1",
        ),
        Database::Server(_) => query(database, POSTGRESQL_SCHEMA),
    };
    let found = found.await.into_iter();
    found
        .filter(|line| !line.contains("__diesel_schema_migrations"))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().concat())
        .collect()
}

/// The rows that hold money, in the columns that this schema and the one of `like` have in common.
pub(super) async fn money(database: &Database, like: &Database) -> Vec<String> {
    let mut rows = Vec::new();
    for table in MONEY {
        let columns = columns(like, table).await;
        let text: Vec<_> =
            columns.iter().map(|name| format!("coalesce(CAST({name} AS TEXT), '-')")).collect();
        let sql = format!(
            "SELECT '{table} ' || {} AS value FROM {table} ORDER BY 1",
            text.join(" || ' ' || ")
        );
        rows.extend(query(database, &sql).await);
    }
    rows
}

async fn columns(database: &Database, table: &str) -> Vec<String> {
    let sql = match database {
        // What is computed from the others follows them; bytes are no text.
        Database::File(_) => format!(
            "SELECT name AS value FROM pragma_table_xinfo('{table}') WHERE hidden = 0 AND type <> 'BLOB'"
        ),
        Database::Server(_) => format!(
            "SELECT column_name AS value FROM information_schema.columns WHERE table_name = '{table}' \
             AND table_schema = 'public' AND is_generated = 'NEVER' AND data_type <> 'bytea'"
        ),
    };
    query(database, &sql).await
}

/// A process that died after so many statements of a migration, all in one transaction as the add-on runs them: on
/// SQLite what was written so far is in the journal beside the file, on PostgreSQL the server notices that nobody is
/// there any more.
pub(super) async fn die_after(database: &Database, statements: &[String]) {
    let sql = statements.concat();
    match database {
        Database::File(url) => {
            let file = url.trim_start_matches("sqlite://");
            let mut link = sqlite(database);
            // A cache of a page: what would stay in memory is written before the commit.
            link.batch_execute(
                "PRAGMA journal_mode = WAL; PRAGMA cache_size = 1; PRAGMA cache_spill = 1;",
            )
            .unwrap();
            link.batch_execute(&format!("BEGIN IMMEDIATE; {sql}")).unwrap();
            let left = ["", "-wal"].map(|part| (part, fs::read(format!("{file}{part}")).ok()));
            drop(link);
            fs::remove_file(format!("{file}-shm")).ok();
            for (part, bytes) in left {
                match bytes {
                    Some(bytes) => fs::write(format!("{file}{part}"), bytes).unwrap(),
                    None => drop(fs::remove_file(format!("{file}{part}"))),
                }
            }
        }
        Database::Server(server) => {
            let client = postgres(database).await;
            client.batch_execute(&format!("BEGIN; {sql}")).await.unwrap();
            server.disconnect_all().unwrap();
        }
    }
}

#[test]
fn statements_are_told_apart() {
    let text = "-- A word; about it.\nCREATE TABLE a (\n    b TEXT\n);\n\nCREATE TRIGGER c BEGIN\n  SELECT 1;\nEND;\nDROP TABLE d;\n";
    let found = statements(text);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[1].contains("SELECT 1;\nEND;"), "{found:?}");
}

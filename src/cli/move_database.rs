//! `move-database`: everything the add-on knows goes to another database, mostly from SQLite to PostgreSQL.
//!
//! **Invariant:** no password is taken from the command line; the configuration is the admin's to change.

use std::path::{Path, PathBuf};

use anyhow::bail;

use super::output::Streams;
use super::progress::Distance;
use super::{Ending, config as config_command, who, wiring};
use crate::config::{self, Config, Database, Variables, edit};
use crate::db::{self, DatabaseUrl, Move, MoveOutcome, Verdict};
use crate::ports::clock::{Clock as _, SystemClock};

/// The key of the configuration that names the database.
const KEY: &str = "database.url";

/// Where everything goes.
#[derive(Debug, clap::Args)]
pub(super) struct Wish {
    /// The address of the new, empty database: `postgres://…`, or `sqlite:///` and a full path. One with a password
    /// comes as `file:/path` or `env:NAME`, or from standard input with `-`.
    #[arg(long, value_name = "URL")]
    to: String,
}

impl Wish {
    /// The file that would be made.
    pub(super) fn file(&self) -> Option<PathBuf> {
        self.to.strip_prefix("sqlite://").map(PathBuf::from)
    }

    /// The new database.
    fn database(&self) -> anyhow::Result<Database> {
        let text = match self.to.as_str() {
            config_command::STANDARD_INPUT => config_command::one_line(std::io::stdin().lock())?,
            to if edit::is_secret(edit::known(KEY)?, to) => bail!(
                "a password on a command line can be read by everybody on this machine: write `--to file:/path`, or `--to \
                 -` and give the address on standard input"
            ),
            to => to.to_owned(),
        };
        Database::read(&text, &Variables::of_this_process()).map_err(anyhow::Error::msg)
    }
}

/// Moves everything, and prints what, and what is left to do.
pub(super) async fn run(
    path: &Path,
    wish: &Wish,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Ending> {
    let config = config::load(path)?.config;
    let to = wiring::address(&wish.database()?)?;
    let mut distance = Distance::on_stderr();
    let told = move |what: &'static str, rows| distance.say(&format!("{what}: {rows} rows ..."));
    let moved = wiring::with_key(&config, async |secret, entropy| {
        let seal_key = wiring::seal_key(&secret)?;
        let from = wiring::database_url(&config)?;
        let (by, at) = (who::at_the_terminal(), SystemClock::default().now());
        let wish = Move { from, to: to.clone(), seal_key, entropy, by, at };
        Ok(db::move_database(wish, told).await?)
    });
    let moved = moved.await;
    Distance::on_stderr().end();
    tell(&moved?, &config, &to, streams)?;
    next_steps(&config, wish, streams)?;
    Ok(Ending::Good)
}

fn tell(
    moved: &MoveOutcome,
    config: &Config,
    to: &DatabaseUrl,
    streams: &mut Streams<'_>,
) -> anyhow::Result<()> {
    let from = wiring::database_url(config)?;
    let MoveOutcome::Moved { rows, journal } = moved else {
        writeln!(streams.out, "Everything was moved from {from} to {to} before.")?;
        return Ok(());
    };
    for (table, rows) in rows {
        writeln!(streams.out, "{table:<16}{rows:>9}")?;
    }
    writeln!(streams.out, "\nMoved from {from} to {to}: every row was read back.")?;
    let Verdict { head, flaw, .. } = journal;
    match flaw {
        None => writeln!(streams.out, "The journal is whole, and goes on behind {head}.")?,
        // It was so before, and stays so: a move is no way to be rid of it.
        Some(flaw) => writeln!(
            streams.out,
            "The journal was moved as it was, and it was NOT whole before: {flaw}."
        )?,
    }
    Ok(())
}

fn next_steps(config: &Config, wish: &Wish, streams: &mut Streams<'_>) -> anyhow::Result<()> {
    let old = match &config.database {
        Database::Sqlite(file) => format!("The file {}", file.display()),
        Database::Postgres(_) => "The old database".to_owned(),
    };
    writeln!(
        streams.out,
        "{old} keeps all its rows, and is not served any more.\n\n\
         What is left to do:\n  \
         splynx-bitpay config set {KEY} {}\n  \
         systemctl start splynx-bitpay.socket splynx-bitpay.service",
        wish.to
    )?;
    Ok(())
}

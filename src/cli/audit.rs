//! `audit`: the journal of every step, and the proof that it is whole.
//!
//! **Invariant:** nothing here writes.

use std::path::Path;

use clap::Subcommand;

use super::output::Streams;
use super::progress::Distance;
use super::{Ending, wiring};
use crate::config;
use crate::db::{Head, Migrations, Verdict};
use crate::domain::ids::AttemptId;
use crate::ports::store::{JournalRow, Store as _};

/// Rows read at a time.
const PAGE: u32 = 1000;

/// What to do with the journal.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Prove that no row was changed, moved, added or taken out, and print the head to be kept elsewhere.
    Verify {
        /// A head printed earlier, or found in the log: it must still be in the journal.
        #[arg(long, value_name = "HEAD", value_parser = Head::parse_kept)]
        head: Option<Head>,
    },
    /// List what happened, oldest first.
    Show {
        /// Only what concerns this payment.
        #[arg(long, value_name = "ID", value_parser = AttemptId::parse)]
        attempt: Option<AttemptId>,
    },
}

impl Command {
    /// Runs it.
    pub(super) async fn run(
        &self,
        path: &Path,
        streams: &mut Streams<'_>,
    ) -> anyhow::Result<Ending> {
        let config = config::load(path)?.config;
        let (db, _) = wiring::open_database(&config, Migrations::OnlyOfANewOne).await?;
        match self {
            Self::Verify { head } => {
                let mut distance = Distance::on_stderr();
                let told = |rows| distance.say(&format!("{rows} rows ..."));
                let verdict = db.verify_journal(*head, told).await;
                distance.end();
                tell(&verdict?, streams)
            }
            Self::Show { attempt } => {
                let mut after = 0;
                loop {
                    let rows = db.journal(*attempt, after, PAGE).await?;
                    let Some(last) = rows.last() else {
                        return Ok(Ending::Good);
                    };
                    after = last.seq;
                    for row in &rows {
                        writeln!(streams.out, "{}", line(row))?;
                    }
                }
            }
        }
    }
}

fn tell(verdict: &Verdict, streams: &mut Streams<'_>) -> anyhow::Result<Ending> {
    writeln!(streams.out, "rows:  {}", verdict.rows)?;
    writeln!(streams.out, "head:  {}", verdict.head)?;
    let Some(flaw) = &verdict.flaw else {
        writeln!(streams.out, "The journal is whole.")?;
        return Ok(Ending::Good);
    };
    writeln!(streams.out, "The journal is NOT whole: {flaw}.")?;
    Ok(Ending::NotGood)
}

fn line(row: &JournalRow) -> String {
    let attempt = row.attempt.as_deref().unwrap_or("-");
    format!(
        "{:>7}  {}  {attempt:<26}  {:<18}  {}  [{}]",
        row.seq,
        row.at.format("%Y-%m-%d %H:%M:%S"),
        row.what,
        row.words,
        row.who,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_one_line_with_its_number_first() {
        let row = JournalRow {
            seq: 7,
            at: chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
            attempt: None,
            who: "admin 1".to_owned(),
            what: "connection_active".to_owned(),
            words: "bitpay (test) connection X".to_owned(),
        };
        assert_eq!(
            line(&row),
            "      7  2023-11-14 22:13:20  -                           connection_active   \
             bitpay (test) connection X  [admin 1]"
        );
    }
}

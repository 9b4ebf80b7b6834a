//! `attempts`: what stands where, a nudge for the worker, and a person's decisions.
//!
//! **Invariant:** nothing here sends anything: `retry` wakes the worker, `settle` commits a decision for it.

mod list;
mod settle;
mod show;

use std::path::Path;

use clap::Subcommand;

use super::output::Streams;
use super::{Ending, who, wiring};
use crate::config;
use crate::db::Migrations;
use crate::domain::attempt::Attempt;
use crate::domain::ids::AttemptId;
use crate::ports::clock::{Clock as _, SystemClock};
use crate::ports::store::Store as _;

/// Rows of the journal read at a time.
const PAGE: u32 = 1000;

/// What to do with attempts.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List payments, newest first.
    List(list::Wish),
    /// Show one payment with its credits, postings and reviews, and everything that happened.
    Show {
        /// Its id.
        #[arg(value_parser = AttemptId::parse)]
        id: AttemptId,
    },
    /// Let the worker look at it now.
    Retry {
        /// Its id.
        #[arg(value_parser = AttemptId::parse)]
        id: AttemptId,
    },
    /// Decide about a payment that waits for a person.
    Settle(settle::Wish),
}

impl Command {
    /// Runs it.
    pub(super) async fn run(
        &self,
        path: &Path,
        streams: &mut Streams<'_>,
    ) -> anyhow::Result<Ending> {
        let config = config::load(path)?.config;
        if let Self::Settle(wish) = self {
            return wish.run(&config, streams).await;
        }
        let (db, _) = wiring::open_database(&config, Migrations::OnlyOfANewOne).await?;
        match self {
            Self::List(wish) => wish.run(db.as_ref(), streams).await?,
            Self::Show { id } => {
                let ledger = db.ledger(*id).await?;
                let ledger = ledger.ok_or_else(|| anyhow::anyhow!("there is no attempt {id}"))?;
                show::write(streams.out, &ledger, &db.reviews(*id).await?)?;
                let mut after = 0;
                loop {
                    let rows = db.journal(Some(*id), after, PAGE).await?;
                    let Some(last) = rows.last() else { break };
                    after = last.seq;
                    show::timeline(streams.out, &rows)?;
                }
            }
            Self::Retry { id } => {
                let (by, now) = (who::at_the_terminal(), SystemClock::default().now());
                if !db.wake(*id, &by, now).await? {
                    anyhow::bail!("there is no attempt {id}");
                }
                writeln!(streams.out, "The worker will look at {id} now.")?;
            }
            Self::Settle(_) => {}
        }
        Ok(Ending::Good)
    }
}

fn what(attempt: &Attempt) -> String {
    attempt
        .payable
        .document()
        .map_or_else(|| "refill".to_owned(), |document| document.number.to_string())
}

fn line(attempt: &Attempt) -> String {
    let invoice = attempt.opened.as_ref().map_or("-", |opened| opened.invoice.as_str());
    format!(
        "{}  {}  {:<16}  customer {:<6}  {:>12}  {:<16}  {invoice}",
        attempt.id,
        attempt.created_at.format("%Y-%m-%d %H:%M"),
        attempt.state.code(),
        attempt.customer,
        attempt.terms.price.to_string(),
        what(attempt),
    )
}

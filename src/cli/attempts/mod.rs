//! `attempts`: what stands where, and a nudge for the worker.
//!
//! **Invariant:** `retry` only wakes the worker; it never sends anything itself.

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
use crate::ports::store::{AttemptFilter, Store as _};

/// What to do with attempts.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List payments, newest first.
    List {
        /// Only those a person must look at.
        #[arg(long)]
        review: bool,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show one payment with its credits, postings and reviews.
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
}

impl Command {
    /// Runs it.
    pub(super) async fn run(
        &self,
        path: &Path,
        streams: &mut Streams<'_>,
    ) -> anyhow::Result<Ending> {
        let config = config::load(path)?.config;
        let (db, _) = wiring::open_database(&config, Migrations::Run).await?;
        match self {
            Self::List { review, limit } => {
                let filter = AttemptFilter {
                    under_review: *review,
                    limit: *limit,
                    ..AttemptFilter::default()
                };
                let attempts = db.list(&filter).await?;
                if attempts.is_empty() {
                    let none =
                        if *review { "No payment waits for a person." } else { "No payments yet." };
                    writeln!(streams.out, "{none}")?;
                }
                for attempt in attempts {
                    writeln!(streams.out, "{}", line(&attempt))?;
                }
            }
            Self::Show { id } => {
                let ledger = db.ledger(*id).await?;
                let ledger = ledger.ok_or_else(|| anyhow::anyhow!("there is no attempt {id}"))?;
                show::write(streams.out, &ledger, &db.reviews(*id).await?)?;
            }
            Self::Retry { id } => {
                if !db.wake(*id, &who::at_the_terminal(), SystemClock::default().now()).await? {
                    anyhow::bail!("there is no attempt {id}");
                }
                writeln!(streams.out, "The worker will look at {id} now.")?;
            }
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

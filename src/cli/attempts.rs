//! `attempts`: what stands where, and a nudge for the worker.
//!
//! **Invariant:** `retry` only wakes the worker; it never sends anything itself.

use std::path::Path;

use clap::Subcommand;

use super::output::Streams;
use super::{Ending, wiring};
use crate::config;
use crate::db::Migrations;
use crate::domain::attempt::Attempt;
use crate::domain::ids::AttemptId;
use crate::domain::posting::{Posting, PostingState};
use crate::ports::clock::{Clock as _, SystemClock};
use crate::ports::store::{AttemptFilter, Ledger, Store as _};

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
        id: String,
    },
    /// Let the worker look at it now.
    Retry {
        /// Its id.
        id: String,
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
                for attempt in db.list(&filter).await? {
                    writeln!(streams.out, "{}", line(&attempt))?;
                }
            }
            Self::Show { id } => {
                let id = AttemptId::parse(id)?;
                let ledger = db.ledger(id).await?;
                let ledger = ledger.ok_or_else(|| anyhow::anyhow!("there is no attempt {id}"))?;
                show(&ledger, streams)?;
                for review in db.reviews(id).await? {
                    let open = if review.closed.is_some() { "closed" } else { "OPEN" };
                    let reason = review.reason.code();
                    writeln!(streams.out, "review    {open} {reason}: {}", review.words)?;
                }
            }
            Self::Retry { id } => {
                let id = AttemptId::parse(id)?;
                if !db.wake(id, SystemClock::default().now()).await? {
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

fn show(ledger: &Ledger, streams: &mut Streams<'_>) -> std::io::Result<()> {
    let attempt = &ledger.attempt;
    writeln!(streams.out, "{}", line(attempt))?;
    let seen = attempt.last_seen.as_deref().unwrap_or("not asked yet");
    writeln!(streams.out, "processor {seen}")?;
    for credit in &ledger.credits {
        let target = credit.target.code();
        writeln!(streams.out, "credit    {} {} to {target}", credit.key, credit.amount)?;
    }
    for posting in &ledger.postings {
        writeln!(streams.out, "posting   {}", posting_line(posting))?;
    }
    Ok(())
}

fn posting_line(posting: &Posting) -> String {
    let state = match &posting.state {
        PostingState::Ready { not_before } => format!("ready, not before {not_before}"),
        PostingState::Posting { begun_at } => format!("being posted since {begun_at}"),
        PostingState::Unknown { search_at, .. } => format!("UNKNOWN, next search {search_at}"),
        PostingState::Posted { splynx_id: Some(id) } => format!("posted as {id}"),
        PostingState::Posted { splynx_id: None } => "done".to_owned(),
        PostingState::Duplicate { splynx_ids } => {
            let ids: Vec<_> = splynx_ids.iter().map(ToString::to_string).collect();
            format!("DUPLICATE: {}", ids.join(", "))
        }
        PostingState::Dropped => "dropped".to_owned(),
    };
    let error = posting.last_error.as_deref().map(|e| format!(" ({e})")).unwrap_or_default();
    format!("{:<17} {state}{error}", posting.kind.code())
}

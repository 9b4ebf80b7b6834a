//! `attempts list`: payments, newest first, for people and for programs.
//!
//! **Invariant:** the keys of the JSON stay as they are; what has no value is `null`.

use anyhow::Result;
use chrono::NaiveDate;
use clap::Args;
use serde_json::{Value, json};

use super::{line, what};
use crate::cli::output::Streams;
use crate::domain::attempt::{Attempt, State};
use crate::domain::ids::{AttemptId, CustomerId};
use crate::ports::store::{AttemptFilter, Store};

/// Which payments.
#[derive(Debug, Args)]
pub(in crate::cli) struct Wish {
    /// Only those a person must look at.
    #[arg(long)]
    review: bool,
    /// Only those in this state, such as settled or expired.
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<State>,
    /// Only those of the customer with this id.
    #[arg(long, value_name = "ID")]
    customer: Option<i64>,
    /// Only those begun on this day (YYYY-MM-DD, UTC).
    #[arg(long, value_name = "DATE")]
    day: Option<NaiveDate>,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

fn state(code: &str) -> Result<State, String> {
    State::from_code(code).ok_or_else(|| {
        let known = State::ALL.map(State::code).join(", ");
        format!("there is no such state; the states are {known}")
    })
}

impl Wish {
    /// Lists them.
    pub(super) async fn run(&self, store: &dyn Store, streams: &mut Streams<'_>) -> Result<()> {
        let filter = AttemptFilter {
            customer: self.customer.map(CustomerId::new),
            state: self.state,
            day: self.day,
            under_review: self.review,
            limit: self.limit,
            ..AttemptFilter::default()
        };
        let attempts = store.list(&filter).await?;
        if self.json {
            let ids: Vec<AttemptId> = attempts.iter().map(|attempt| attempt.id).collect();
            let open = store.open_reviews(&ids).await?;
            let rows: Vec<Value> = attempts.iter().map(|attempt| row(attempt, &open)).collect();
            writeln!(streams.out, "{:#}", Value::Array(rows))?;
            return Ok(());
        }
        if attempts.is_empty() {
            writeln!(streams.out, "{}", self.nothing())?;
        }
        for attempt in attempts {
            writeln!(streams.out, "{}", line(&attempt))?;
        }
        Ok(())
    }

    fn nothing(&self) -> &'static str {
        let is_narrowed = self.state.is_some() || self.customer.is_some() || self.day.is_some();
        match (is_narrowed, self.review) {
            (true, _) => "No payment is like that.",
            (false, true) => "No payment waits for a person.",
            (false, false) => "No payments yet.",
        }
    }
}

fn row(attempt: &Attempt, open: &[(AttemptId, i64)]) -> Value {
    let reviews = open.iter().find(|(id, _)| *id == attempt.id).map_or(0, |(_, count)| *count);
    json!({
        "id": attempt.id.to_string(),
        "created_at": attempt.created_at.to_rfc3339(),
        "state": attempt.state.code(),
        "customer": attempt.customer.get(),
        "amount": attempt.terms.price.amount_text(),
        "currency": attempt.terms.price.currency().code(),
        "document": attempt.payable.document().map(|_| what(attempt)),
        "processor_invoice": attempt.opened.as_ref().map(|opened| opened.invoice.as_str()),
        "open_reviews": reviews,
    })
}

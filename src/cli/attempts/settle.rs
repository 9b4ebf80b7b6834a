//! `attempts settle`: a person at a terminal decides about a payment.

use anyhow::{Result, anyhow};
use clap::{Args, ValueEnum};

use crate::app::settle::{Decision, Order, settle};
use crate::cli::output::Streams;
use crate::cli::{Ending, who, wiring};
use crate::config::Config;
use crate::db::Migrations;
use crate::domain::ids::{AttemptId, ReviewId};
use crate::domain::settlement::Goal;

/// Where the money shall go.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum To {
    /// To the document.
    Document,
    /// To the customer's balance.
    Balance,
    /// Nowhere: close the review and move nothing.
    Dismiss,
}

/// What is decided.
#[derive(Debug, Args)]
pub(in crate::cli) struct Wish {
    /// The payment's id.
    #[arg(value_parser = AttemptId::parse)]
    id: AttemptId,
    /// Where the money shall go.
    #[arg(long, value_enum)]
    to: To,
    /// How much the processor holds, where nothing is credited yet.
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<String>,
    /// Which review; by default all that the decision answers.
    #[arg(long, value_name = "ID", value_parser = ReviewId::parse)]
    review: Option<ReviewId>,
    /// Why: kept with the name of your account.
    #[arg(long)]
    note: String,
}

impl Wish {
    /// Settles it.
    pub(super) async fn run(&self, config: &Config, streams: &mut Streams<'_>) -> Result<Ending> {
        let world = wiring::connect(config, Migrations::OnlyOfANewOne).await?;
        let credit = |goal| Decision::Credit { goal, amount: self.amount.clone() };
        let order = Order {
            attempt: self.id,
            review: self.review,
            decision: match self.to {
                To::Document => credit(Goal::Document),
                To::Balance => credit(Goal::Balance),
                To::Dismiss => Decision::Dismiss,
            },
            note: self.note.clone(),
            by: who::at_the_terminal(),
        };
        let settled = settle(&world.app, &order).await.map_err(|error| anyhow!("{error}"))?;
        for credit in &settled.credits {
            let (amount, target) = (credit.amount, credit.target.code());
            writeln!(streams.out, "{}: {amount} goes to the {target}.", credit.key)?;
        }
        writeln!(streams.out, "Reviews closed: {}.", settled.closed)?;
        Ok(Ending::Good)
    }
}

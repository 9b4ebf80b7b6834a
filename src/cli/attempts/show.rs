//! One payment as a person reads it: what was agreed, where it stands, what was written to Splynx.
//!
//! **Invariant:** every line begins with a word that says what it is about; nothing secret is shown.

use std::io::{self, Write};

use chrono::{DateTime, Utc};

use super::line;
use crate::domain::attempt::{Attempt, Terms};
use crate::domain::credit::ByHand;
use crate::domain::money::Money;
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::domain::review::Review;
use crate::ports::store::{JournalRow, Ledger};

/// Writes all that is known of a payment.
pub(super) fn write(out: &mut dyn Write, ledger: &Ledger, reviews: &[Review]) -> io::Result<()> {
    let attempt = &ledger.attempt;
    writeln!(out, "{}", line(attempt))?;
    writeln!(out, "terms     {}", terms(&attempt.terms))?;
    let (processor, mode) = (attempt.processor.code(), attempt.environment.code());
    writeln!(out, "account   {processor} ({mode}), connection {}", attempt.connection)?;
    writeln!(out, "times     {}", past(attempt))?;
    writeln!(out, "next      {}", future(attempt))?;
    let seen = attempt.last_seen.as_deref().unwrap_or("not asked yet");
    writeln!(out, "processor {seen}")?;
    for credit in &ledger.credits {
        let target = credit.target.code();
        let hand = match credit.by_hand {
            ByHand::Nothing => "",
            ByHand::Target => ", decided by a person",
            ByHand::Amount => ", made by hand",
        };
        writeln!(out, "credit    {} {} to {target}{hand}", credit.key, credit.amount)?;
    }
    for posting in &ledger.postings {
        writeln!(out, "posting   {}", posting_line(posting, amount(posting, ledger)))?;
    }
    for review in reviews {
        writeln!(out, "review    {}", review_line(review))?;
    }
    Ok(())
}

/// Writes what happened, oldest first.
pub(super) fn timeline(out: &mut dyn Write, rows: &[JournalRow]) -> io::Result<()> {
    for row in rows {
        let at = when(row.at);
        writeln!(out, "step      {at} {}: {} [{}]", row.what, row.words, row.who)?;
    }
    Ok(())
}

fn when(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn maybe(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "-".to_owned(), when)
}

fn terms(terms: &Terms) -> String {
    let fee = terms.fee.as_ref().map_or_else(
        || "no fee".to_owned(),
        |fee| format!("fee {} (with {} % VAT)", fee.gross, fee.vat_percent.normalize()),
    );
    format!("due {}, {fee}, price {}", terms.due, terms.price)
}

fn past(attempt: &Attempt) -> String {
    format!(
        "created {}, opened {}, settled {}, recorded {}",
        when(attempt.created_at),
        maybe(attempt.opened.as_ref().map(|opened| opened.opened_at)),
        maybe(attempt.settled_at),
        maybe(attempt.recorded_at),
    )
}

fn future(attempt: &Attempt) -> String {
    format!(
        "look at the processor {}, work in Splynx {}, watched until {}",
        maybe(attempt.look_at),
        maybe(attempt.work_at),
        when(attempt.monitor_until),
    )
}

/// What a posting moves; nothing where it moves no money.
fn amount(posting: &Posting, ledger: &Ledger) -> Option<Money> {
    match posting.kind {
        PostingKind::DocumentPayment | PostingKind::BalancePayment => {
            let key = posting.credit.as_ref()?;
            ledger.credits.iter().find(|credit| credit.key == *key).map(|credit| credit.amount)
        }
        PostingKind::FeeItem | PostingKind::FeeDebit => {
            ledger.attempt.terms.fee.as_ref().map(|fee| fee.gross)
        }
        PostingKind::DocumentStatus | PostingKind::StatementRecord => None,
    }
}

fn posting_line(posting: &Posting, amount: Option<Money>) -> String {
    let amount = amount.map(|amount| format!(" {amount}")).unwrap_or_default();
    let begun = posting.first_begun_at;
    let begun = begun.map(|at| format!(", first begun {}", when(at))).unwrap_or_default();
    let error = posting.last_error.as_deref().map(|e| format!(" ({e})")).unwrap_or_default();
    format!(
        "{:<17}{amount} {}; tries {}{begun}{error}",
        posting.kind.code(),
        state(&posting.state),
        posting.tries,
    )
}

fn state(state: &PostingState) -> String {
    match state {
        PostingState::Ready { not_before } => format!("ready, not before {}", when(*not_before)),
        PostingState::Posting { begun_at } => format!("being posted since {}", when(*begun_at)),
        PostingState::Unknown { search_at, .. } => {
            format!("UNKNOWN, next search {}", when(*search_at))
        }
        PostingState::Posted { splynx_id: Some(id) } => format!("posted as {id}"),
        PostingState::Posted { splynx_id: None } => "done".to_owned(),
        PostingState::Duplicate { splynx_ids } => {
            let ids: Vec<_> = splynx_ids.iter().map(ToString::to_string).collect();
            format!("DUPLICATE: {}", ids.join(", "))
        }
        PostingState::Dropped => "dropped".to_owned(),
    }
}

fn review_line(review: &Review) -> String {
    let (reason, opened) = (review.reason.code(), when(review.opened_at));
    let (open, closed) = match &review.closed {
        None => ("OPEN", String::new()),
        Some(closed) => {
            let note = if closed.note.is_empty() { "" } else { ": " };
            let (at, by) = (when(closed.at), &closed.by);
            ("closed", format!(", closed {at} by {by}{note}{}", closed.note))
        }
    };
    format!("{open} {reason}: {} [{}, opened {opened}{closed}]", review.words, review.id)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use rstest::rstest;

    use super::*;
    use crate::domain::ids::{AttemptId, PostingId, ReviewId};
    use crate::domain::money::Currency;
    use crate::domain::review::{ReviewClosed, ReviewReason};

    fn noon() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn review(closed: Option<ReviewClosed>) -> Review {
        Review {
            id: ReviewId::new(noon(), 1),
            attempt: AttemptId::new(noon(), 2),
            reason: ReviewReason::Refused,
            words: "Splynx refused the fee_item.".to_owned(),
            opened_at: noon(),
            closed,
        }
    }

    fn closed(note: &str) -> ReviewClosed {
        let at = noon() + TimeDelta::hours(1);
        ReviewClosed { at, by: "Admin".to_owned(), note: note.to_owned() }
    }

    #[rstest]
    #[case(None, "OPEN refused: Splynx refused the fee_item. [ID, opened 2026-03-01 12:00:00 UTC]")]
    #[case(
        Some(closed("")),
        "closed refused: Splynx refused the fee_item. [ID, opened 2026-03-01 12:00:00 UTC, \
         closed 2026-03-01 13:00:00 UTC by Admin]"
    )]
    #[case(
        Some(closed("Done by hand.")),
        "closed refused: Splynx refused the fee_item. [ID, opened 2026-03-01 12:00:00 UTC, \
         closed 2026-03-01 13:00:00 UTC by Admin: Done by hand.]"
    )]
    fn a_review_tells_its_times(#[case] closed: Option<ReviewClosed>, #[case] line: &str) {
        let review = review(closed);
        assert_eq!(review_line(&review), line.replace("ID", &review.id.to_string()));
    }

    #[test]
    fn a_posting_tells_its_amount_its_tries_and_its_last_error() {
        let posting = Posting {
            id: PostingId::new(noon(), 1),
            attempt: AttemptId::new(noon(), 2),
            credit: None,
            kind: PostingKind::BalancePayment,
            state: PostingState::Unknown {
                begun_at: noon(),
                first_absent: None,
                search_at: noon() + TimeDelta::minutes(10),
            },
            body: String::new(),
            tries: 2,
            first_begun_at: Some(noon()),
            last_error: Some("Splynx did not answer in time".to_owned()),
        };
        let amount = Money::zero(Currency::parse("USD").unwrap());
        assert_eq!(
            posting_line(&posting, Some(amount)),
            "balance_payment   0.00 USD UNKNOWN, next search 2026-03-01 12:10:00 UTC; tries 2, \
             first begun 2026-03-01 12:00:00 UTC (Splynx did not answer in time)"
        );
    }
}

//! The chapter of attempts: what an answer of the processor makes of one.

use super::samples::{EXCEPTIONS, STATUSES, attempt, invoice, seen, usd};
use super::table::table;
use crate::domain::attempt::{State, Step};
use crate::domain::money::Money;
use crate::domain::observation::{Exception, Observation, ProcessorStatus};

const WORDS: &str = "\
## Attempts

`Attempt::observe`: the attempt's state, the processor's answer to our own question, and how much is credited already
(of a price of 100.00) give the next state, the credit to be made in the same commit, and the reviews. BitPay's words:
*unpaid* is `new`, *seen* is `paid`, *settled* is `confirmed` or `complete`; a word this version does not know is
*unpaid*. Only *settled* is money.

Besides these, a settled attempt becomes `recorded` in the commit that posts the payment of its last credit.
";

/// Credited before, with the words for it.
fn credited() -> [(&'static str, Money); 3] {
    [("nothing", usd(0)), ("40.00", usd(4_000)), ("100.00", usd(10_000))]
}

pub(super) fn chapter() -> String {
    let mut chapters = vec![WORDS.to_owned()];
    // What no state and no status can tell apart is one table.
    let mut tables: Vec<(Vec<String>, String)> = Vec::new();
    for (words, sum) in credited() {
        for exception in EXCEPTIONS {
            let made = matrix(exception, sum);
            let label = format!("{words} credited, {}", exception_word(exception));
            match tables.iter_mut().find(|(_, known)| *known == made) {
                Some((labels, _)) => labels.push(label),
                None => tables.push((vec![label], made)),
            }
        }
    }
    for (labels, made) in tables {
        chapters.push(format!("### {}\n\n{made}", labels.join("; ")));
    }
    chapters.push(mismatches());
    chapters.join("\n")
}

/// A row per state, a column per status.
fn matrix(exception: Exception, credited: Money) -> String {
    let columns: Vec<&str> =
        std::iter::once("state").chain(STATUSES.into_iter().map(ProcessorStatus::word)).collect();
    // States that no answer can tell apart are one row.
    let mut rows: Vec<(Vec<State>, [String; 6])> = Vec::new();
    for state in State::ALL {
        let cells = STATUSES.map(|status| cell(state, &seen(status, exception), credited));
        match rows.iter_mut().find(|(_, known)| *known == cells) {
            Some((states, _)) => states.push(state),
            None => rows.push((vec![state], cells)),
        }
    }
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(states, cells)| {
            let states: Vec<_> = states.iter().map(|state| format!("`{}`", state.code())).collect();
            std::iter::once(states.join(", ")).chain(cells).collect()
        })
        .collect();
    table(&columns, &rows)
}

fn cell(state: State, observation: &Observation, credited: Money) -> String {
    let Step { state: next, credit, reviews } =
        attempt(state).observe(observation, credited).unwrap();
    let mut words =
        vec![if next == state { "–".to_owned() } else { format!("`{}`", next.code()) }];
    words.extend(credit.map(|credit| format!("credit {}", credit.amount_text())));
    words.extend(reviews.iter().map(|note| format!("review `{}`", note.reason.code())));
    words.join("<br>")
}

/// Answers that are not about our invoice, whatever they say.
fn mismatches() -> String {
    let ours = || seen(ProcessorStatus::Settled, Exception::None);
    let theirs: [(&str, Observation); 4] = [
        ("another id", Observation { invoice: invoice("theirs"), ..ours() }),
        ("another order id", Observation { order_id: Some("theirs".to_owned()), ..ours() }),
        ("another price", Observation { price: usd(9_999), ..ours() }),
        ("no order id at all", Observation { order_id: None, ..ours() }),
    ];
    let rows: Vec<Vec<String>> = theirs
        .iter()
        .map(|(words, observation)| {
            let cells = [State::AwaitingPayment, State::Recorded].map(|state| {
                let credited = usd(if state == State::Recorded { 10_000 } else { 0 });
                cell(state, observation, credited)
            });
            std::iter::once((*words).to_owned()).chain(cells).collect()
        })
        .collect();
    let columns =
        ["the answer has", "`awaiting_payment`, nothing credited", "`recorded`, 100.00 credited"];
    format!("### A settled answer about another invoice\n\n{}", table(&columns, &rows))
}

fn exception_word(exception: Exception) -> &'static str {
    match exception {
        Exception::None => "nothing special",
        Exception::PaidPartial => "paid in part",
        Exception::PaidOver => "paid in excess",
        Exception::PaidLate => "paid late",
        Exception::Marked => "marked by hand",
        Exception::Refunded => "refunded by the merchant",
    }
}

//! The chapter of postings: how one write to Splynx ends, and when it may be sent again.

use chrono::{DateTime, TimeDelta, Utc};

use super::samples::{WINDOW, at, posting, timing};
use super::table::{Case, condition, merged, table};
use crate::domain::ids::SplynxId;
use crate::domain::posting::{
    NotExecuted, Posting, PostingKind, PostingState, SearchOutcome, WriteOutcome,
};
use crate::domain::review::ReviewNote;

const WORDS: &str = "\
## Postings

`Posting::{begin, ended, orphaned, looked_up, searched}`. A posting is sent only by *begin*, and that only from `READY`;
so every way back to `READY` below is a way to be sent again. *Absent* means that complete searches of this very process
found nothing, timed by a clock that does not jump; the window is the quiescence (`worker.quiescence_seconds`, 600 s).
Where the kind, the number of tries or an earlier sending
makes a difference, it is said; everything else is left as it is (*–*).
";

/// The moment of every event.
fn now() -> DateTime<Utc> {
    at(WINDOW)
}

fn ids(ids: &[i64]) -> Vec<SplynxId> {
    ids.iter().copied().map(SplynxId::new).collect()
}

fn states() -> Vec<(&'static str, PostingState)> {
    let begun_at = at(-60);
    let unknown = |first_absent| PostingState::Unknown { begun_at, first_absent, search_at: now() };
    vec![
        ("READY, due", PostingState::Ready { not_before: now() }),
        ("READY, later", PostingState::Ready { not_before: now() + TimeDelta::seconds(1) }),
        ("POSTING", PostingState::Posting { begun_at }),
        ("UNKNOWN, no absence yet", unknown(None)),
        ("UNKNOWN, absence seen", unknown(Some(at(0)))),
        ("POSTED", PostingState::Posted { splynx_id: Some(SplynxId::new(7)) }),
        ("DUPLICATE", PostingState::Duplicate { splynx_ids: ids(&[7, 8]) }),
        ("DROPPED", PostingState::Dropped),
    ]
}

type After = (Posting, Option<ReviewNote>);
type Event = (&'static str, Box<dyn Fn(&Posting) -> After>);

fn events() -> Vec<Event> {
    let mut events: Vec<Event> = vec![
        ("begin", Box::new(|it| (it.begin(now()).unwrap_or_else(|| it.clone()), None))),
        ("orphaned: its sender is gone", Box::new(|it| (it.orphaned(), None))),
    ];
    for (words, outcome) in outcomes() {
        events.push((words, Box::new(move |it| it.ended(outcome.clone(), now()))));
    }
    for (look, search, found) in findings() {
        let first = found.clone();
        // Nothing found: the caller sends it.
        let looked = move |it: &Posting| {
            it.looked_up(first.clone(), now()).unwrap_or_else(|| (it.clone(), None))
        };
        events.push((look, Box::new(looked)));
        // However long absence was seen before: anything but nothing found is judged alike.
        for (words, seconds) in absences(search) {
            let (found, absent) = (found.clone(), TimeDelta::seconds(seconds));
            events.push((
                words,
                Box::new(move |it| it.searched(found.clone(), now(), absent, timing())),
            ));
        }
    }
    events
}

/// How long absence was seen before, where that makes a difference.
fn absences(search: &'static str) -> Vec<(&'static str, i64)> {
    if search != "searched: nothing" {
        return vec![(search, WINDOW)];
    }
    vec![
        ("searched: nothing, the first time", 0),
        ("searched: nothing, and absent for less than a window", WINDOW - 1),
        ("searched: nothing, and absent for a window", WINDOW),
    ]
}

fn outcomes() -> Vec<(&'static str, WriteOutcome)> {
    let why = || "why".to_owned();
    let surely_not = WriteOutcome::NotExecuted;
    vec![
        ("ended: 201 with an id", WriteOutcome::Done { splynx_id: Some(SplynxId::new(7)) }),
        ("ended: done without an id", WriteOutcome::Done { splynx_id: None }),
        ("ended: it never left", surely_not(NotExecuted::Unreachable { why: why() })),
        ("ended: Splynx refused", surely_not(NotExecuted::Refused { sentence: why() })),
        (
            "ended: Splynx asked to wait 33 s",
            surely_not(NotExecuted::Throttled { wait: TimeDelta::seconds(33) }),
        ),
        ("ended: unclear", WriteOutcome::Unclear { why: why() }),
    ]
}

fn findings() -> Vec<(&'static str, &'static str, SearchOutcome)> {
    let incomplete = |unavailable| SearchOutcome::Incomplete { why: "why".to_owned(), unavailable };
    vec![
        ("looked up: nothing", "searched: nothing", SearchOutcome::Complete(vec![])),
        ("looked up: one row", "searched: one row", SearchOutcome::Complete(ids(&[7]))),
        ("looked up: two rows", "searched: two rows", SearchOutcome::Complete(ids(&[7, 8]))),
        ("looked up: Splynx is silent", "searched: Splynx is silent", incomplete(true)),
        ("looked up: cannot complete", "searched: cannot complete", incomplete(false)),
    ]
}

pub(super) fn chapter() -> String {
    let mut events = events();
    // In the order of a life: begin, look up, ended, search.
    events.sort_by_key(|(words, _)| {
        let order = ["begin", "looked up", "ended", "orphaned", "searched"];
        order.iter().position(|beginning| words.starts_with(beginning))
    });
    let mut rows = Vec::new();
    for (event, act) in &events {
        for (state, before) in states() {
            let cases = merged(&variants(&before, act));
            rows.extend(
                cases
                    .into_iter()
                    .filter(|case| case.outcome[0] != "–" || case.outcome[1] != "–")
                    .map(|case| {
                        let [next, review] = [&case.outcome[0], &case.outcome[1]].map(Clone::clone);
                        vec![
                            (*event).to_owned(),
                            state.to_owned(),
                            condition(&case.words),
                            next,
                            review,
                        ]
                    }),
            );
        }
    }
    let columns = ["event", "state", "where", "next state", "review"];
    format!(
        "{WORDS}\n{}\nAll other combinations of these {} events and {} states change nothing.\n",
        table(&columns, &rows),
        events.len(),
        states().len()
    )
}

/// Every kind, the tries that can make a difference, sent before or not.
fn variants(before: &PostingState, act: &dyn Fn(&Posting) -> After) -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in PostingKind::ALL {
        for tries in 1..=7 {
            for (begun, first_begun_at) in [("sent before", Some(at(-60))), ("never sent", None)] {
                let it = Posting { tries, first_begun_at, ..posting(kind, before.clone()) };
                let (after, note) = act(&it);
                let words = vec![format!("`{}`", kind.code()), tries_word(tries), begun.to_owned()];
                cases.push(Case { words, outcome: outcome(&it, &after, note.as_ref()) });
            }
        }
    }
    cases
}

fn tries_word(tries: u32) -> String {
    match tries {
        1 => "1 try".to_owned(),
        7 => "7 tries or more".to_owned(),
        tries => format!("{tries} tries"),
    }
}

fn outcome(before: &Posting, after: &Posting, note: Option<&ReviewNote>) -> Vec<String> {
    let same = after.state == before.state;
    let next = if same { "–".to_owned() } else { state_words(&after.state) };
    let review = note.map_or("–".to_owned(), |note| format!("`{}`", note.reason.code()));
    vec![next, review]
}

fn state_words(state: &PostingState) -> String {
    let pause = |until: DateTime<Utc>| match (until - now()).num_seconds() {
        0 => "at once".to_owned(),
        seconds if seconds < 0 => "at once".to_owned(),
        seconds => format!("in {seconds} s"),
    };
    match state {
        PostingState::Ready { not_before } => format!("READY {}", pause(*not_before)),
        PostingState::Posting { .. } => "POSTING".to_owned(),
        PostingState::Unknown { first_absent, search_at, .. } => {
            let absence = if first_absent.is_some() { ", absence" } else { "" };
            format!("UNKNOWN{absence}, search {}", pause(*search_at))
        }
        PostingState::Posted { splynx_id: Some(_) } => "POSTED with its id".to_owned(),
        PostingState::Posted { splynx_id: None } => "POSTED".to_owned(),
        PostingState::Duplicate { .. } => "DUPLICATE".to_owned(),
        PostingState::Dropped => "DROPPED".to_owned(),
    }
}

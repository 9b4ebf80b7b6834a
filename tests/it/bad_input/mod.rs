//! What must not be taken: for every kind of it a clear answer, no change of state, and nothing secret in answer or
//! log.

mod amounts;
mod bodies;
mod config;
mod documents;
mod notifications;

use splynx_bitpay::sim::splynx::Payment;

use crate::support::{Attempt, Page, Setup, World};

/// Everything is logged that can be logged.
fn talkative() -> Setup {
    Setup { log_level: "trace", ..Setup::default() }
}

/// What must be the same before and after.
#[derive(Debug, PartialEq)]
struct State {
    attempts: Vec<Attempt>,
    payments: Vec<Payment>,
    processor_invoices: usize,
    pairing: String,
}

fn state(world: &World) -> State {
    State {
        attempts: world.attempts(),
        payments: world.payments(),
        processor_invoices: world.bitpay.invoices().len(),
        pairing: world.command(&["pairing"]),
    }
}

/// An answer shows nothing secret, and nothing of what was sent but as text.
fn is_harmless(world: &World, page: &Page) {
    world.hides_secrets("the answer", &page.everything());
    for raw in ["<script", "<b>10", "<img src=x", "onerror=\""] {
        let ours = page.body.replace("<script src=\"/bitpay/static/", "");
        assert!(!ours.contains(raw), "{raw} in {}", page.body);
    }
}

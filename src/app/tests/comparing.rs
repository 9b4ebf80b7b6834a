//! The comparison of the books beside work that is under way.

use chrono::TimeDelta;

use super::bench::{Bench, at, attempt, invoice, payable, usd};
use crate::app::reconcile::{FindingKind, reconcile};
use crate::app::refresh_attempt::refresh;
use crate::domain::attempt::{Attempt, State};
use crate::domain::observation::{Exception, Observation, ProcessorStatus};
use crate::domain::payable::DocumentKind;

fn settled() -> Observation {
    Observation {
        invoice: invoice(),
        order_id: None,
        price: usd(10_000),
        status: ProcessorStatus::Settled,
        exception: Exception::None,
        paid: None,
    }
}

#[tokio::test]
async fn a_step_in_progress_is_not_fenced_out_by_what_the_comparison_hears_first() {
    let bench = Bench::new();
    let open = Attempt {
        state: State::AwaitingPayment,
        settled_at: None,
        work_at: None,
        look_at: Some(at(3600)),
        ..attempt(payable(DocumentKind::Invoice), false)
    };
    let mut turn = bench.turn(open, vec![], vec![]).await;
    bench.clock.set(60);
    bench.till.says(Ok(settled()));
    let report = reconcile(&bench.app, at(0) - TimeDelta::days(1), |_| {}).await.unwrap();
    let kinds: Vec<_> = report.findings.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::NotSeenYet]);
    let ledger = bench.app.store.ledger(turn.ledger.attempt.id).await.unwrap().unwrap();
    assert_eq!(ledger.attempt.look_at, Some(at(60)), "it is looked at now");
    bench.till.says(Ok(settled()));
    refresh(&mut turn).await.unwrap();
    assert_eq!(turn.ledger.credits.len(), 1);
}

//! R4: Splynx answers the payment unclearly, in every way, with and without a crash, a filter that is ignored and a
//! search that is down: never two payments while Splynx executes within the quiescence window, none lost, and a
//! duplicate from outside the window is reported by the next comparison of the books.
//!
//! Full size: the whole cross product, for an invoice, a proforma invoice and a refill.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use splynx_bitpay::sim::faults::{Answer, Fault, Kind};
use tokio::time::{Instant, sleep, sleep_until};

use super::crew;
use super::orders::{Cases, Orders};
use super::shopper::{FEE_PERCENT, FEE_VAT_PERCENT, KINDS, Shopper};
use crate::support::{Checkout, Engine, Setup, World, decimal, eventually, on_both_databases};

on_both_databases! {
    whatever_splynx_answers_the_payment_exists_once_or_a_person_is_told,
}

const PAYMENTS: &str = "admin/finance/payments";
/// Requests may take 1.6 s.
const QUIESCENCE: Duration = Duration::from_secs(4);
const WITHIN: u64 = 1500;
const OUTSIDE: u64 = 9000;
const PATIENCE: Duration = Duration::from_mins(1);

const ANSWERS: u64 = 7;
const CRASHES: u64 = 3;
const CASES: u64 = ANSWERS * CRASHES * 2 * 2 * KINDS;

/// When the add-on is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crash {
    None,
    /// Splynx has the request, the add-on no answer.
    Executing,
    /// The add-on has drawn its conclusion.
    After,
}

/// One cell of the cross product.
#[derive(Debug, Clone)]
struct Cell {
    answer: Kind,
    crash: Crash,
    filter_ignored: bool,
    search_down: bool,
    goods: u64,
}

impl Cell {
    fn of(case: u64) -> Self {
        let (answer, rest) = (case % ANSWERS, case / ANSWERS);
        let (crash, rest) = (rest % CRASHES, rest / CRASHES);
        let gateway = Answer::bare(StatusCode::BAD_GATEWAY);
        Self {
            answer: match answer {
                0 => Kind::Hang,
                1 => Kind::ExecuteThenDrop,
                2 => Kind::ExecuteThenStatus(gateway),
                3 => Kind::Garbage,
                4 => Kind::GarbageUnexecuted,
                5 => Kind::ExecuteLate { ms: WITHIN },
                _ => Kind::ExecuteLate { ms: OUTSIDE },
            },
            crash: [Crash::None, Crash::Executing, Crash::After][usize::try_from(crash).unwrap()],
            filter_ignored: rest % 2 == 1,
            search_down: rest / 2 % 2 == 1,
            goods: rest / 4,
        }
    }

    /// Whether Splynx executes when nobody expects it any more.
    fn is_late(&self) -> bool {
        self.answer == Kind::ExecuteLate { ms: OUTSIDE }
    }
}

fn setup() -> Setup {
    let mut setup = Setup {
        fee_percent: FEE_PERCENT,
        fee_vat_percent: FEE_VAT_PERCENT,
        quiescence_seconds: 4,
        ..Setup::default()
    };
    setup.bitpay.step_ms = 10;
    setup
}

async fn whatever_splynx_answers_the_payment_exists_once_or_a_person_is_told(engine: Engine) {
    let orders = Orders::of("R4", engine);
    let cases = Cases::new(&orders, CASES, 8);
    let duplicates = crew::work(&cases, orders.pick(6, 8), async || {
        let mut duplicates = 0;
        while let Some(case) = cases.next() {
            let _named = cases.named(case);
            duplicates += u32::from(play(engine, &Cell::of(case)).await);
            cases.is_done();
        }
        duplicates
    });
    let duplicates: u32 = duplicates.into_iter().sum();
    let words = format!(
        "{{hang, execute then reset, execute then 502, 2xx garbage executed or not, executed {WITHIN} ms or {OUTSIDE} \
         ms late}} x {{no crash, while executing, after}} x filter ignored x search down x {{invoice, proforma, \
         refill}}; window {} ms. Oracle: one payment and one fee; executed outside the window, {duplicates} became a \
         duplicate, and each was named by the next reconcile.",
        QUIESCENCE.as_millis()
    );
    cases.report("cases", &words);
}

/// Plays one cell in a world of its own. Says whether the payment ended up in Splynx twice.
async fn play(engine: Engine, cell: &Cell) -> bool {
    let world = World::with(engine, setup()).await;
    let shopper = Shopper::new(&world, cell.goods).await;
    pays_cash(&world, &shopper).await;
    let checkout = shopper.click().await;
    world.splynx.edit(|splynx| splynx.behaviour.ignore_filter = cell.filter_ignored);
    world.splynx.arm(Fault::on(Method::POST, PAYMENTS, cell.answer.clone()).times(1));
    world.pay(&checkout);
    let sent_at = is_sent(&world).await;
    if cell.search_down {
        // Armed only now: nothing is sent at all where the search before the sending fails.
        let broken = Answer::bare(StatusCode::INTERNAL_SERVER_ERROR);
        world.splynx.arm(Fault::on(Method::GET, PAYMENTS, Kind::Status(broken)));
    }
    match cell.crash {
        Crash::None => {}
        Crash::Executing => world.addon.kill_and_restart().await,
        Crash::After => {
            is_concluded(&world).await;
            world.addon.kill_and_restart().await;
        }
    }
    if cell.search_down {
        sleep_until(sent_at + QUIESCENCE + Duration::from_secs(1)).await;
        let what_was_sent = sent(&world);
        assert_eq!(what_was_sent, 1, "{cell:?}: sent again although nobody could search");
        world.splynx.disarm();
    }
    is_recorded(&world, &checkout, cell).await;
    if cell.is_late() {
        sleep_until(sent_at + Duration::from_millis(OUTSIDE + 500)).await;
        let found =
            world.splynx.read(|splynx| splynx.books.payments_with_receipt(&checkout.key(1)).len());
        if found == 2 {
            is_reported(&world, &checkout);
            return true;
        }
    }
    shopper.sees_all_of_it(&checkout).await;
    shopper.sees_the_record().await;
    shopper.is_credited_once(&checkout);
    assert!(world.under_review().iter().all(|_| cell.search_down), "{cell:?}");
    world.books_agree();
    false
}

/// Others pay as much, and so does the same customer, for something else.
async fn pays_cash(world: &World, shopper: &Shopper<'_>) {
    let neighbour = world.customer().await;
    for payer in [&shopper.customer, &neighbour] {
        let invoice = world.invoice(payer, "110.00");
        world.pay_in_cash(payer, &invoice, "110.00");
        assert_eq!(world.look(&invoice).due, decimal("0"));
    }
}

fn sent(world: &World) -> usize {
    let log = world.splynx.log();
    log.iter().filter(|call| call.method == "POST" && call.path == PAYMENTS).count()
}

async fn is_sent(world: &World) -> Instant {
    eventually("the payment is on its way", PATIENCE, async || match sent(world) {
        0 => Err("not yet".to_owned()),
        _ => Ok(()),
    })
    .await;
    Instant::now()
}

async fn is_concluded(world: &World) {
    eventually("the add-on has drawn its conclusion", PATIENCE, async || {
        let log = world.addon.log();
        let told = log.lines().filter(|line| line.contains("_payment"));
        let mut told =
            told.filter(|line| line.contains("not posted yet") || line.contains("posted"));
        if told.next().is_some() { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await;
    // It is logged right before it is committed.
    sleep(Duration::from_millis(30)).await;
}

/// An admin need not wait for the next search, which is a minute away where the last one failed.
async fn is_recorded(world: &World, checkout: &Checkout, cell: &Cell) {
    let id = world.attempt_of(&checkout.invoice).id;
    eventually(&format!("{cell:?} is recorded"), PATIENCE, async || {
        if cell.search_down {
            world.command(&["attempts", "retry", &id]);
        }
        sleep(Duration::from_millis(500)).await;
        let state = world.attempt_of(&checkout.invoice).state;
        if state == "recorded" { Ok(()) } else { Err(world.story_of(&checkout.invoice)) }
    })
    .await;
}

/// The residue that no protocol can exclude: it is found by one comparison of the books, and a person is told.
fn is_reported(world: &World, checkout: &Checkout) {
    let compared = world.addon.run(&["reconcile"]);
    let report = String::from_utf8(compared.stdout).unwrap();
    assert_eq!(compared.status.code(), Some(1), "{report}");
    let line = format!("{}: Splynx has it 2 times", checkout.key(1));
    assert!(report.contains(&line), "{report}");
    let told = world.story_of(&checkout.invoice);
    assert!(told.contains("OPEN"), "{told}");
}

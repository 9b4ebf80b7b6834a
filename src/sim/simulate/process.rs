//! One instance of the add-on: the real use cases and the real worker's turn on simulated ports.
//!
//! **Invariant:** of the production code only the few lines that start tasks and sleep (`worker::run`) are stood in for;
//! what is leased, what is done and when it is done again is `worker::round`, `worker::turn` and `app`.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::select;
use rust_decimal::Decimal;

use super::bitpay::BitPayPort;
use super::clock::{Dice, HostClock};
use super::disk::DiskPort;
use super::executor::Life;
use super::plan::{HOUR, Houses};
use super::splynx::SplynxPort;
use super::world::World;
use crate::app::{App, Ports, Settings};
use crate::domain::connection::Environment;
use crate::domain::fee::FeeRule;
use crate::domain::money::{Currency, Money};
use crate::domain::rules::{PaymentRules, StatementGroup, TransactionSpeed};
use crate::domain::schedule::Timing;
use crate::ports::clock::Clock;
use crate::ports::store::Errand;
use crate::worker::outage::Outage;
use crate::worker::round::{self, Free, Rest};
use crate::worker::turn;

/// Turns of each kind at the same time.
const SLOTS: usize = 16;

/// An instance that runs.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) life: Life,
    pub(super) app: App,
}

/// The currency of all money here.
pub(super) fn dollars() -> Currency {
    Currency::parse("USD").unwrap_or_else(|_| unreachable!("USD is a currency"))
}

fn rules(fee_percent: i64) -> PaymentRules {
    let money = |minor| Money::from_minor(minor, dollars());
    PaymentRules {
        currency: dollars(),
        payment_method_id: 5,
        minimum: money(100),
        maximum: money(1_000_000),
        fee: FeeRule {
            percent: Decimal::from(fee_percent),
            vat_percent: Decimal::from(20),
            text: "Bitpay fee".to_owned(),
            category: 5,
        },
        transaction_speed: TransactionSpeed::Medium,
        statements: StatementGroup::Month,
    }
}

/// Starts an instance on this host.
pub(super) fn start(world: &Arc<World>, host: usize) {
    let mut state = world.state();
    state.last_life = state.last_life.saturating_add(1);
    let life = Life(state.last_life);
    let plan = state.plan.clone();
    drop(state);
    let host_clock = HostClock { world: Arc::clone(world), host, booted: world.now() };
    let host_clock = Arc::new(host_clock);
    let clock: Arc<dyn Clock> = Arc::<HostClock>::clone(&host_clock);
    let splynx =
        Arc::new(SplynxPort { world: Arc::clone(world), life, clock: Arc::clone(&host_clock) });
    let ports = Ports {
        store: Arc::new(DiskPort::new(Arc::clone(world), life, Arc::clone(&clock))),
        billing: Arc::<SplynxPort>::clone(&splynx),
        statements: splynx,
        processors: Arc::new(BitPayPort { world: Arc::clone(world), life }),
        clock,
        entropy: Arc::new(Dice(Arc::clone(world))),
    };
    let settings = Settings {
        public_url: "https://isp.example/bitpay".to_owned(),
        portal_url: "https://isp.example".to_owned(),
        environment: Environment::Production,
        processor_url: "https://bitpay.example/".to_owned(),
        timing: Timing::from_quiescence(TimeDelta::milliseconds(plan.quiescence)),
        poll: TimeDelta::milliseconds(plan.poll),
        monitor: TimeDelta::milliseconds(plan.monitor),
        owner: format!("life {}", life.0),
    };
    let app = App::new(ports, settings, rules(plan.fee_percent));
    let now = world.now();
    let mut state = world.state();
    state.journal.note(now, "start", i64::from(life.0), || format!("on host {host}"));
    if let Some(place) = state.running.get_mut(host) {
        *place = Some(Running { life, app: app.clone() });
    }
    drop(state);
    world.schedule.start(life, serve(Arc::clone(world), life, app, plan.houses));
}

async fn serve(world: Arc<World>, life: Life, app: App, houses: Houses) {
    if houses == Houses::One {
        while app.store.end_all_leases().await.is_err() {
            world.schedule.sleep(1000).await;
        }
    }
    let outage = Arc::new(Outage::default());
    let busy = Arc::new(Busy::default());
    loop {
        let rest = match one_round(&world, life, &app, &outage, &busy).await {
            Ok(rest) => rest,
            Err(_) => Rest::For(Duration::from_secs(1)),
        };
        match rest {
            Rest::UntilRung => app.wake.notified().await,
            Rest::For(rest) => {
                let millis = i64::try_from(rest.as_millis()).unwrap_or(HOUR);
                let rung = pin!(app.wake.notified());
                select(rung, pin!(world.schedule.sleep(millis))).await;
            }
        }
    }
}

/// Turns that are being taken.
#[derive(Default)]
struct Busy {
    looks: AtomicUsize,
    work: AtomicUsize,
}

impl Busy {
    fn of(&self, errand: Errand) -> &AtomicUsize {
        match errand {
            Errand::Look => &self.looks,
            Errand::Work => &self.work,
        }
    }

    fn free(&self) -> Free {
        let free = |busy: &AtomicUsize| SLOTS.saturating_sub(busy.load(Ordering::Relaxed));
        Free { looks: free(&self.looks), work: free(&self.work) }
    }
}

async fn one_round(
    world: &Arc<World>,
    life: Life,
    app: &App,
    outage: &Arc<Outage>,
    busy: &Arc<Busy>,
) -> Result<Rest, crate::ports::store::StoreError> {
    let free = busy.free();
    if free.looks == 0 && free.work == 0 {
        return Ok(Rest::UntilRung);
    }
    let mut round = round::begin(app, outage, free).await?;
    let lease_end = round.lease_end;
    for (errand, ledger) in round.leased.drain(..) {
        let (app, outage, busy) = (app.clone(), Arc::clone(outage), Arc::clone(busy));
        busy.of(errand).fetch_add(1, Ordering::Relaxed);
        world.schedule.start(life, async move {
            turn::take(&app, errand, ledger, lease_end, &outage).await;
            busy.of(errand).fetch_sub(1, Ordering::Relaxed);
            app.wake.notify_one();
        });
    }
    round.rest(app).await
}

/// Everybody looks at the database within five seconds, as the worker does without any bell.
pub(super) fn ring_all(world: &Arc<World>, after: i64) {
    let mut state = world.state();
    let pause = after.saturating_add(state.rng.between(0, 5000));
    drop(state);
    let world = Arc::clone(world);
    let schedule = Arc::clone(&world.schedule);
    schedule.after(pause, move || {
        for running in world.state().running.iter().flatten() {
            running.app.wake.notify_one();
        }
    });
}

//! R18: two add-ons on one PostgreSQL share the work, and are killed in turns: each payment exists once. On SQLite a
//! second one refuses to start, in a sentence.
//!
//! Full size: 5,000 payments.

use std::fs;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use splynx_bitpay::sim::faults::{Fault, Kind};
use tempfile::TempDir;
use tokio::time::sleep;

use super::orders::Orders;
use super::shopping::{all_recorded, begin_many, is_exact, recorded};
use crate::support::{Addon, Engine, Ports, Setup, World};

const FULL: usize = 5000;
/// So many times the payments, at most, until each of the two has had its share.
const MORE: usize = 5;
/// In a row.
const KILLS_OF_A_ROUND: u32 = 25;

#[derive(Debug, Clone, Copy)]
struct Size {
    payments: usize,
    of_a_round: usize,
}

fn setup() -> Setup {
    let mut setup = Setup { quiescence_seconds: 6, requests_per_second: 1000, ..Setup::default() };
    setup.bitpay.step_ms = 1;
    setup.bitpay.minute_ms = 200;
    setup
}

/// A second add-on on the database of the first one.
struct Second {
    addon: Addon,
    address: String,
    _ports: Ports,
    _home: TempDir,
}

impl Second {
    fn beside(world: &World) -> Self {
        let (home, ports) = (TempDir::new().unwrap(), Ports::take());
        let config = home.path().join("config.toml");
        let first = world.configuration();
        let lines = first.lines().map(|line| match line.split_once(" = ") {
            Some(("listen", _)) => format!("listen = \"{}\"", ports.pages()),
            Some(("ops_listen", _)) => format!("ops_listen = \"{}\"", ports.ops()),
            _ => line.to_owned(),
        });
        fs::write(&config, lines.collect::<Vec<_>>().join("\n")).unwrap();
        let addon = Addon::new(&config, &home.path().join("log"), ports.ops());
        Self { addon, address: format!("http://{}", ports.pages()), _ports: ports, _home: home }
    }
}

mod postgresql {
    #[tokio::test]
    async fn two_addons_share_the_work_and_credit_once() {
        super::two_addons_share_the_work_and_credit_once().await;
    }
}

async fn two_addons_share_the_work_and_credit_once() {
    let orders = Orders::of("R18", Engine::Postgresql);
    let small = Size { payments: 40, of_a_round: 40 };
    let size = orders.pick(small, Size { payments: FULL, of_a_round: 100 });
    let world = World::with(Engine::Postgresql, setup()).await;
    let second = Second::beside(&world);
    second.addon.start().await;
    let (mut chance, mut done, mut kills) = (orders.chance(0), 0, 0);
    let idle = || [&world.addon, &second.addon].map(shared).contains(&0);
    while (done < size.payments && orders.has_time()) || (idle() && done < MORE * size.payments) {
        let begun = begin_many(&world, done, size.of_a_round).await;
        // Else one of them has recorded a small round before anybody is killed.
        world.splynx.arm(Fault::on_any("", Kind::Delay { ms: 100 }));
        for one in &begun {
            world.pay(&one.checkout);
        }
        done += begun.len();
        kills += kill_in_turns(&world, &second, &mut chance, done).await;
        world.splynx.disarm();
        all_recorded(&world, done, Duration::from_mins(5)).await;
        is_exact(&world, &begun, done);
    }
    let shares = [&world.addon, &second.addon].map(shared);
    assert!(shares.iter().all(|share| *share > 0), "one did nothing: {shares:?}");
    world.nobody_is_called();
    world.books_agree();
    let words = format!(
        "Two add-ons on one PostgreSQL, killed {kills} times in turns; they posted {} and {} payments. Oracle: Splynx \
         has exactly {done} payments, each once and right; all books agree.",
        shares[0], shares[1]
    );
    let [done, asked] = [done, size.payments].map(|number| u64::try_from(number).unwrap());
    orders.report("payments", done, asked, &words);
}

/// While there is something to record, one of them dies and comes back, then the other. The web server in front passes
/// requests to whoever is there.
async fn kill_in_turns(world: &World, second: &Second, chance: &mut StdRng, until: usize) -> u32 {
    let first = format!("http://{}", world.pages());
    let mut kills = 0;
    // Who dies more often than the window lasts never sends again what was lost, and rightly so: they are left alone in
    // the end.
    while recorded(world) < until && kills < KILLS_OF_A_ROUND {
        let (victim, other) = match kills % 2 {
            0 => (&world.addon, &second.address),
            _ => (&second.addon, &first),
        };
        sleep(Duration::from_millis(chance.random_range(150..900))).await;
        victim.kill();
        world.splynx.set_bitpay_url(other);
        sleep(Duration::from_millis(chance.random_range(0..100))).await;
        victim.start().await;
        kills += 1;
    }
    kills
}

/// How many payments this one has posted.
fn shared(addon: &Addon) -> usize {
    let log = addon.log();
    let posted = log.lines().filter(|line| line.contains(": posted attempt="));
    posted.filter(|line| line.contains("kind=\"document_payment\"")).count()
}

mod sqlite {
    #[tokio::test]
    async fn a_second_addon_refuses_to_start() {
        super::a_second_addon_refuses_to_start().await;
    }
}

async fn a_second_addon_refuses_to_start() {
    let orders = Orders::of("R18", Engine::Sqlite);
    let world = World::with(Engine::Sqlite, setup()).await;
    let second = Second::beside(&world);
    let refused = second.addon.run(&["serve"]);
    let sentence = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{sentence}");
    assert!(sentence.contains("another splynx-bitpay already serves this database"), "{sentence}");
    let customer = world.customer().await;
    let checkout = customer.refill("20.00").await;
    world.pay(&checkout);
    world.results(&checkout).says("paid").await;
    world.addon.kill();
    second.addon.start().await;
    orders.report(
        "refusals",
        1,
        1,
        "A second add-on on the same SQLite file ended with exit code 1 and said why; the first one worked on; after \
         its death by SIGKILL the second one started.",
    );
}

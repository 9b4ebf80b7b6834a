//! R3: the add-on is killed by SIGKILL at every write point, and started again: each payment exists once.
//!
//! A write point is a call that changes a file or sends on a socket, from the start of the process to its shutdown
//! behind the last line in the payment statement; `tests/torture/killat.c` counts them and kills before the call, after it (so also after a
//! flush to the disk), or in the middle of it. A seed decides what is paid, and whether Splynx marks it paid by itself.
//! Full size: every point × {before, after, torn} × 100 seeds.

use std::cell::Cell;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use diesel::prelude::*;
use tempfile::TempDir;
use tokio::time::sleep;

use super::crew;
use super::orders::{Cases, Orders};
use super::shopper::{FEE_PERCENT, FEE_VAT_PERCENT, KINDS, Shopper};
use crate::support::{Engine, PATIENCE, Setup, World, on_both_databases};

on_both_databases! {
    killed_at_any_write_point_it_credits_once,
}

const SEEDS: u64 = 100;
const MOMENTS: [&str; 3] = ["before", "after", "torn"];
/// A world is left for a fresh one after so many kills: its books grow, and are compared in whole.
const KILLS_OF_A_WORLD: u32 = 40;
/// The count differs a little from run to run; so the numbers of the cases do not.
const ROUNDING: u64 = 50;

/// Which kill.
#[derive(Debug, Clone, Copy)]
struct Kill {
    seed: u64,
    point: u64,
    moment: &'static str,
}

impl Kill {
    fn of(case: u64, points: u64) -> Self {
        let moment = MOMENTS[usize::try_from(case / points % 3).unwrap()];
        Self { seed: case / points / 3, point: case % points + 1, moment }
    }
}

fn setup() -> Setup {
    let mut setup = Setup {
        fee_percent: FEE_PERCENT,
        fee_vat_percent: FEE_VAT_PERCENT,
        quiescence_seconds: 3,
        requests_per_second: 1000,
        log_level: "warn",
        ..Setup::default()
    };
    setup.bitpay.step_ms = 10;
    setup.bitpay.minute_ms = 300;
    setup
}

async fn killed_at_any_write_point_it_credits_once(engine: Engine) {
    let orders = Orders::of("R3", engine);
    let counts = points(engine).await;
    let points = counts[0].div_ceil(ROUNDING) * ROUNDING;
    let cases = Cases::new(&orders, points * 3 * SEEDS, 10);
    let reached =
        crew::work(&cases, orders.pick(2, 4), async || works_off(engine, &cases, points).await);
    let reached: u32 = reached.into_iter().sum();
    let words = format!(
        "One story has about {} write points ({} file writes, {} flushes, {} other changes of files, {} sends): every \
         one x before, after, torn x {SEEDS} seeds is {} kills. {reached} processes died at their point, the others \
         ended first. Oracle: one payment, one fee, right sums, Paid, all books agree, the database opens clean and \
         without hand work.",
        counts[0],
        counts[1],
        counts[2],
        counts[3],
        counts[4],
        points * 3 * SEEDS
    );
    cases.report("kills", &words);
}

/// One worker: kill after kill, in a fresh world now and then. Returns how many processes died.
async fn works_off(engine: Engine, cases: &Cases<'_>, points: u64) -> u32 {
    let mut died = 0;
    let mut next = cases.next();
    while next.is_some() {
        let stage = Stage::set(engine).await;
        for _ in 0..KILLS_OF_A_WORLD {
            let Some(case) = next else { break };
            let _named = cases.named(case);
            died += u32::from(stage.plays(Kill::of(case, points)).await);
            cases.is_done();
            next = cases.next();
        }
        stage.world.addon.start().await;
        stage.world.nobody_is_called();
        stage.world.books_agree();
    }
    died
}

/// How many write points the longest story has, by kind.
async fn points(engine: Engine) -> [u64; 5] {
    let stage = Stage::set(engine).await;
    let died = stage.plays(Kill { seed: 0, point: 0, moment: "before" }).await;
    assert!(!died, "nobody was to die");
    let bytes = fs::read(&stage.counts).unwrap();
    let number =
        |place: usize| u64::from_ne_bytes(bytes[8 * place..8 * place + 8].try_into().unwrap());
    let counts = [0, 1, 2, 3, 4].map(number);
    assert!(counts[4] > 20, "sends are not seen: {counts:?}");
    let files = counts[1].min(counts[2]);
    assert!(engine == Engine::Postgresql || files > 10, "writes are not seen: {counts:?}");
    counts
}

/// A world whose add-on is not running, and the file of the counts.
struct Stage {
    engine: Engine,
    world: World,
    counts: PathBuf,
    _home: TempDir,
}

impl Stage {
    async fn set(engine: Engine) -> Self {
        let world = World::with(engine, setup()).await;
        world.addon.stop().await;
        let home = TempDir::new().unwrap();
        let counts = home.path().join("counts");
        Self { engine, world, counts, _home: home }
    }

    /// From the start of the add-on over the click to Paid, with the kill. Says whether the process died of it.
    async fn plays(&self, kill: Kill) -> bool {
        let world = &self.world;
        fs::write(&self.counts, [0; 64]).unwrap();
        world.splynx.edit(|splynx| splynx.behaviour.sets_paid = kill.seed / KINDS % 2 == 1);
        world.addon.set_environment(vec![
            ("LD_PRELOAD".to_owned(), shim().display().to_string()),
            ("KILLAT_COUNTS".to_owned(), self.counts.display().to_string()),
            ("KILLAT_POINT".to_owned(), kill.point.to_string()),
            ("KILLAT_WHEN".to_owned(), kill.moment.to_owned()),
        ]);
        world.addon.spawn();
        let died = Cell::new(false);
        tokio::select! {
            () = self.pays(kill.seed) => {}
            () = self.revives(&died) => {}
        }
        world.addon.set_environment(Vec::new());
        // The last points are those of the shutdown.
        let ended = world.addon.terminate().await;
        self.opens_clean();
        // Who was revived a moment ago may be told to stop before it listens for that.
        let is_expected = match ended.signal() {
            None => ended.success(),
            Some(9) => !died.get(),
            Some(15) => died.get(),
            Some(_) => false,
        };
        assert!(is_expected, "{ended}");
        died.get() || !ended.success()
    }

    async fn pays(&self, seed: u64) {
        let shopper = Shopper::new(&self.world, seed).await;
        let checkout = shopper.click().await;
        self.world.pay(&checkout);
        shopper.sees_paid(&checkout, PATIENCE).await;
        shopper.sees_the_record().await;
        shopper.is_credited_once(&checkout);
    }

    /// What the service manager does, for ever.
    async fn revives(&self, died: &Cell<bool>) {
        loop {
            if let Some(status) = self.world.addon.fell() {
                assert_eq!(status.signal(), Some(9), "the add-on ended by itself: {status}");
                assert!(!died.replace(true), "it was killed once, and died twice");
                self.opens_clean();
                self.world.addon.set_environment(Vec::new());
                self.world.addon.start().await;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The database as the killed process left it, looked at in a copy: nothing repairs it but the add-on itself.
    fn opens_clean(&self) {
        if self.engine == Engine::Postgresql {
            return;
        }
        let file = self.world.database_file();
        let copy = TempDir::new().unwrap();
        let name = |ending: &str| PathBuf::from(format!("{}{ending}", file.display()));
        for ending in ["", "-wal"] {
            let target = copy.path().join(format!("copy{ending}"));
            if name(ending).exists() {
                fs::copy(name(ending), target).unwrap();
            }
        }
        let path = copy.path().join("copy");
        let mut link = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        let found: Vec<Integrity> =
            diesel::sql_query("PRAGMA integrity_check").load(&mut link).unwrap();
        let found: Vec<_> = found.into_iter().map(|row| row.integrity_check).collect();
        assert_eq!(found, ["ok"]);
    }
}

#[derive(QueryableByName)]
struct Integrity {
    #[diesel(sql_type = diesel::sql_types::Text)]
    integrity_check: String,
}

/// The shim, compiled once by whoever needs it first.
fn shim() -> &'static Path {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture/killat.c");
        let library = folder.join(format!("killat-{}.so", std::process::id()));
        let mut gcc = Command::new("gcc");
        gcc.args(["-O2", "-Wall", "-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl");
        assert!(gcc.status().unwrap().success(), "gcc cannot compile the shim");
        library
    })
}

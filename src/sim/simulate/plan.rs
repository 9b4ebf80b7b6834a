//! What goes wrong in the world of one seed, and how often.
//!
//! **Invariant:** all of it is drawn from the seed before the world begins; after [`Plan::heal_at`] nothing goes wrong any
//! more.

use super::rng::Rng;

/// One minute, in milliseconds.
pub(super) const MINUTE: i64 = 60_000;
/// One hour, in milliseconds.
pub(super) const HOUR: i64 = 60 * MINUTE;
/// One day, in milliseconds.
pub(super) const DAY: i64 = 24 * HOUR;

/// Which database two instances would share, or one has alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Houses {
    /// `SQLite`'s way: one instance, which ends all leases at its start.
    One,
    /// PostgreSQL's way: two instances on one disk.
    Two,
}

/// How often each fault happens, in a thousand.
#[derive(Debug, Clone, Default)]
pub(super) struct Rates {
    /// A write to Splynx whose connection is refused.
    pub(super) unreachable: u64,
    /// A write that is lost before it is executed.
    pub(super) lost_before: u64,
    /// A write that is executed and whose answer is lost.
    pub(super) lost_after: u64,
    /// A write that is executed long after its sender gave up.
    pub(super) late: u64,
    /// A write that Splynx refuses.
    pub(super) refused: u64,
    /// A write that Splynx asks to send later.
    pub(super) throttled: u64,
    /// A read that is not answered.
    pub(super) unread: u64,
    /// A read that Splynx refuses.
    pub(super) read_refused: u64,
    /// A search that cannot complete.
    pub(super) incomplete: u64,
    /// A search whose filter is ignored.
    pub(super) unfiltered: u64,
    /// Something about payment statements that fails.
    pub(super) statements: u64,
    /// A question to the processor that is not answered.
    pub(super) processor: u64,
    /// A processor invoice that is made and whose answer is lost.
    pub(super) unclear_opening: u64,
    /// A question that the processor refuses.
    pub(super) processor_refuses: u64,
    /// A commit that fails.
    pub(super) disk: u64,
    /// A commit that happens and is reported as failed (a connection to the database that broke).
    pub(super) unclear_commit: u64,
    /// A notification that never comes.
    pub(super) hint_lost: u64,
    /// A notification that comes more than once, and out of order.
    pub(super) hint_repeated: u64,
}

/// The world of a seed.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// How many instances share the disk.
    pub(super) houses: Houses,
    /// Whether requests may be executed later than the residual assumption allows.
    pub(super) beyond_quiescence: bool,
    /// Whether Splynx marks a document as paid when its payment comes.
    pub(super) marks_paid: bool,
    /// Per cent of service fee.
    pub(super) fee_percent: i64,
    /// Milliseconds between two looks at a young attempt.
    pub(super) poll: i64,
    /// Milliseconds of quiescence.
    pub(super) quiescence: i64,
    /// How long an attempt is watched.
    pub(super) monitor: i64,
    /// The faults.
    pub(super) rates: Rates,
    /// Splynx answers nothing in these times.
    pub(super) outages: Vec<(i64, i64)>,
    /// Crashes to come.
    pub(super) crashes: u32,
    /// Freezes to come.
    pub(super) freezes: u32,
    /// Clock jumps to come.
    pub(super) jumps: u32,
    /// Edits of documents by admins.
    pub(super) edits: u32,
    /// `attempts retry` by admins.
    pub(super) retries: u32,
    /// Reconciles before the end.
    pub(super) reconciles: u32,
    /// Customers' clicks.
    pub(super) clicks: u32,
    /// Documents there are.
    pub(super) documents: i64,
    /// Restores of the database from a moment ago.
    pub(super) restores: u32,
    /// Whether the world is played to the end of all watching, and not only until all has settled down.
    pub(super) to_the_end: bool,
    /// Splynx never answers a search for what this customer paid.
    pub(super) unsearchable: Option<i64>,
    /// When everything is well again.
    pub(super) heal_at: i64,
}

fn rate(rng: &mut Rng, most: u64) -> u64 {
    if rng.chance(500) { rng.below(most.saturating_add(1)) } else { 0 }
}

impl Rates {
    fn draw(rng: &mut Rng) -> Self {
        Self {
            unreachable: rate(rng, 300),
            lost_before: rate(rng, 500),
            lost_after: rate(rng, 500),
            late: rate(rng, 500),
            refused: rate(rng, 200),
            throttled: rate(rng, 200),
            unread: rate(rng, 200),
            read_refused: rate(rng, 60),
            incomplete: rate(rng, 150),
            unfiltered: rate(rng, 700),
            statements: if rng.chance(200) { rng.below(600) } else { 0 },
            processor: rate(rng, 300),
            unclear_opening: rate(rng, 500),
            processor_refuses: rate(rng, 60),
            disk: rate(rng, 40),
            unclear_commit: rate(rng, 40),
            hint_lost: rate(rng, 600),
            hint_repeated: rate(rng, 600),
        }
    }
}

fn few(rng: &mut Rng, most: u64) -> u32 {
    if rng.chance(500) {
        u32::try_from(rng.below(most).saturating_add(1)).unwrap_or_default()
    } else {
        0
    }
}

impl Plan {
    /// The world of this seed.
    pub(super) fn draw(rng: &mut Rng) -> Self {
        let heal_at = rng.between(2 * HOUR, 12 * HOUR);
        let mut outages = Vec::new();
        for _ in 0..few(rng, 2) {
            let begin = rng.between(0, heal_at);
            outages.push((begin, begin.saturating_add(rng.between(MINUTE, 3 * HOUR))));
        }
        Self {
            houses: if rng.chance(500) { Houses::One } else { Houses::Two },
            beyond_quiescence: rng.chance(150),
            marks_paid: rng.chance(500),
            fee_percent: rng.pick(&[0, 0, 5], 0),
            poll: rng.pick(&[HOUR, 6 * HOUR, 6 * HOUR], HOUR),
            quiescence: rng.pick(&[2 * MINUTE, 10 * MINUTE, 10 * MINUTE], MINUTE),
            monitor: rng.between(3, 4).saturating_mul(DAY),
            rates: Rates::draw(rng),
            outages,
            crashes: few(rng, 4),
            freezes: few(rng, 3),
            jumps: few(rng, 3),
            edits: few(rng, 2),
            retries: few(rng, 3),
            reconciles: few(rng, 2),
            clicks: u32::try_from(rng.between(1, 4)).unwrap_or(1),
            documents: rng.between(1, 2),
            restores: u32::from(rng.chance(150)),
            to_the_end: rng.chance(60),
            unsearchable: None,
            heal_at,
        }
    }

    /// A world in which nothing happens by itself.
    #[cfg(test)]
    pub(super) fn calm(rng: &mut Rng) -> Self {
        Self {
            houses: Houses::One,
            beyond_quiescence: false,
            marks_paid: true,
            fee_percent: 0,
            poll: HOUR,
            quiescence: 10 * MINUTE,
            rates: Rates::default(),
            outages: vec![],
            crashes: 0,
            freezes: 0,
            jumps: 0,
            edits: 0,
            retries: 0,
            reconciles: 0,
            clicks: 0,
            documents: 1,
            restores: 0,
            heal_at: 100 * DAY,
            ..Self::draw(rng)
        }
    }

    /// Nothing goes wrong any more.
    pub(super) fn heal(&mut self) {
        self.rates = Rates::default();
        self.outages.clear();
        self.unsearchable = None;
    }
}

//! What a seed decides: the world, what people do in it, and what goes wrong.

use std::time::Duration;

use fastrand::Rng;

use crate::{
    case::{Action, Case, Thing, Wish},
    fuse::{MOMENTS, Moment},
};

/// One world and all that happens in it.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// What it was drawn from; also what the weather is drawn from.
    pub(crate) seed: u64,
    /// How far Astra's reads lag behind its writes, in seconds.
    pub(crate) lag: u64,
    /// One case for each kind: endpoints, lists, peerings, all on one database.
    pub(crate) cases: [Option<Case>; 3],
    /// How often something goes wrong, in each thousand requests.
    pub(crate) weather: u32,
    /// Where the operator's process dies, each counted from the death before.
    pub(crate) deaths: Vec<(usize, Moment)>,
    /// What happens to the cluster, the Secret and the machine, and when.
    pub(crate) incidents: Vec<(u64, Incident)>,
}

/// Something that happens to what the operator stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Incident {
    /// The process is killed and started again.
    Kill,
    /// The process is told to end and started again, as in an update.
    Restart,
    /// The API server is started again: all connections end.
    ApiServerRestarts,
    /// Older revisions are forgotten: watches that resume from there get 410.
    Compaction,
    /// etcd is restored from the snapshot that was taken this many seconds before.
    EtcdRestored,
    /// All watches are silent from now on, for this long, and their connections stay open.
    WatchesGoDark,
    /// The Secret is deleted, and made again a while later.
    SecretLost,
    /// The token in the Secret is replaced by another one; the old one is revoked a while later.
    TokenRotated,
    /// The operator may not write statuses for a while.
    RightsTaken,
    /// The machine's clock is set wrong by so many hours.
    ClockJumps(i64),
    /// Somebody writes another object's record into a status, or strikes one out.
    StatusTampered,
}

const LAGS: [u64; 5] = [0, 0, 3, 8, 30];

impl Scenario {
    /// What this seed decides.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let lag = LAGS[dice.usize(0..LAGS.len())];
        let base = Case {
            cloud: dice.u8(0..3),
            regions: dice.u8(1..3),
            flags: dice.u8(0..8),
            foreign: Vec::new(),
            lag,
            latency: 0,
            script: Vec::new(),
        };
        let only = dice.usize(0..6);
        let cases = [0, 1, 2].map(|kind| (only > 2 || only == kind).then(|| case(&mut dice, &base)));
        let weather = [0, 10, 30, 80][dice.usize(0..4)];
        let deaths = (0..dice.usize(0..5))
            .map(|_| (dice.usize(1..14), MOMENTS[dice.usize(0..MOMENTS.len())]))
            .collect();
        let incidents = (0..dice.usize(0..4)).map(|_| (dice.u64(0..150), incident(&mut dice))).collect();
        Self { seed, lag, cases, weather, deaths, incidents }
    }

    /// When the last of it has happened.
    pub(crate) fn end(&self) -> Duration {
        let scripts = self.cases.iter().flatten();
        let longest = scripts.map(|case| case.script.iter().map(|(after, _)| after).sum()).max();
        let incidents = self.incidents.iter().map(|(at, _)| at + 40).max();
        Duration::from_secs(longest.unwrap_or(0).max(incidents.unwrap_or(0)) + 5)
    }

    /// Can the cluster's own past come back? Then what was deleted since may be wanted again.
    pub(crate) fn restores_etcd(&self) -> bool {
        self.incidents.iter().any(|(_, incident)| *incident == Incident::EtcdRestored)
    }
}

fn incident(dice: &mut Rng) -> Incident {
    match dice.u8(0..14) {
        0..3 => Incident::Kill,
        3 => Incident::Restart,
        4 => Incident::ApiServerRestarts,
        5 => Incident::Compaction,
        6 => Incident::EtcdRestored,
        7 => Incident::WatchesGoDark,
        8 => Incident::SecretLost,
        9 => Incident::TokenRotated,
        10 => Incident::RightsTaken,
        11 => Incident::ClockJumps(if dice.bool() { 1 } else { -1 }),
        _ => Incident::StatusTampered,
    }
}

fn case(dice: &mut Rng, base: &Case) -> Case {
    let mut script = vec![(dice.u64(0..3), Action::Create(wish(dice)))];
    for _ in 0..dice.usize(0..6) {
        script.push(([0, 1, 4, 15, 70][dice.usize(0..5)], action(dice)));
    }
    Case { foreign: things(dice, 4), script, ..base.clone() }
}

fn action(dice: &mut Rng) -> Action {
    match dice.u8(0..12) {
        0 | 1 => Action::Create(wish(dice)),
        2..6 => Action::Edit(dice.usize(0..3), wish(dice)),
        6 | 7 => Action::Delete(dice.usize(0..3)),
        8..11 => Action::Drift(dice.u8(0..6), thing(dice)),
        _ => Action::Status(["MAINTENANCE", "ACTIVE", "PARKED", "HIBERNATED"][dice.usize(0..4)]),
    }
}

fn wish(dice: &mut Rng) -> Wish {
    Wish {
        things: things(dice, 4),
        exclusive: dice.u8(0..20) < 7,
        by_name: dice.bool(),
        delete: dice.bool(),
        choice: dice.u8(0..4),
    }
}

fn thing(dice: &mut Rng) -> Thing {
    Thing { id: dice.u8(0..7), variety: dice.u8(0..6) }
}

/// Each id once.
fn things(dice: &mut Rng, most: usize) -> Vec<Thing> {
    let mut things: Vec<Thing> = Vec::new();
    for _ in 0..dice.usize(0..=most) {
        let one = thing(dice);
        if things.iter().all(|known| known.id != one.id) {
            things.push(one);
        }
    }
    things
}

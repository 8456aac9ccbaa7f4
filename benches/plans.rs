//! What deciding costs with lists of ten thousand addresses: ten times what a spec may have.
//!
//! ```text
//! cargo bench --bench plans
//! ```
#![expect(clippy::unwrap_used, reason = "a bench has nobody to tell of an error")]

use std::{
    collections::BTreeMap,
    hint::black_box,
    time::{Duration, Instant},
};

use astra_devops::{
    access_list::{AccessList, Configurations, Entry},
    id::DatabaseId,
};
use astra_operator::{
    engine::{Goal, Identities, Kind, Peer, Plan, View, guard, ownership},
    kinds::{
        AstraAccessList,
        access_list::{AccessListDetails, desired::Desired, observed::Observed},
    },
};
use libtest_mimic::{Arguments, Measurement, Trial};
use serde_json::json;

const SIZES: [usize; 3] = [100, 1_000, 10_000];

/// What is measured: a piece of work over a list of some length, which is made before.
type Work = fn(usize) -> Box<dyn FnMut()>;

const BENCHES: [(&str, Work); 8] = [
    // The look of every minute: all is there.
    ("exclusive_at_rest", |n| plan(World::new("Exclusive", n, n, 0))),
    ("exclusive_from_nothing", |n| plan(World::new("Exclusive", n, 0, 0))),
    ("exclusive_half_there", |n| plan(World::new("Exclusive", n, n / 2, 0))),
    ("shared_at_rest", |n| plan(World::new("Shared", n, n, 0))),
    ("shared_at_rest_among_100_peers", |n| plan(World::new("Shared", n, n, 100))),
    // Most is to be removed: the guard counts it.
    ("mass_removal_is_ruled", rule),
    // What of all that is owned is there: asked at every look, of every address.
    ("ownership_after_a_look", own),
    // The index of a list as it was read.
    ("observed", observe),
];

fn main() {
    let arguments = Arguments::from_args();
    let trial = |(name, work): (&'static str, Work), n: usize| {
        Trial::bench(format!("{name}/{n}"), move |is_test| Ok(measure(work(n), is_test)))
    };
    let trials = BENCHES.into_iter().flat_map(|bench| SIZES.map(|n| trial(bench, n)));
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

/// Repeats the work for half a second, or does it once when it is only tested.
fn measure(mut work: Box<dyn FnMut()>, is_test: bool) -> Option<Measurement> {
    work();
    if is_test {
        return None;
    }
    let mut times: Vec<u64> = Vec::new();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(500) {
        let begin = Instant::now();
        work();
        times.push(u64::try_from(begin.elapsed().as_nanos()).unwrap());
    }
    times.sort_unstable();
    // The median: the machine may have had other things to do. The spread is that of the middle half.
    let at = |part: usize| times[times.len() * part / 4];
    Some(Measurement { avg: at(2), variance: at(3) - at(1) })
}

fn address(n: usize) -> String {
    format!("10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255)
}

/// All that a view borrows.
struct World {
    desired: Desired,
    place: DatabaseId,
    observed: Observed,
    owned: Identities,
    details: AccessListDetails,
    peers: Vec<Peer>,
}

impl World {
    /// An object that wants `wanted` addresses, in an Astra that has `there` of them, beside `peers` other objects, each of
    /// which wants ten of its own.
    fn new(management: &str, wanted: usize, there: usize, peers: usize) -> Self {
        let place: DatabaseId = "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01".parse().unwrap();
        let addresses: Vec<_> = (0..wanted).map(|n| json!({ "address": address(n) })).collect();
        let spec =
            json!({ "database": { "name": "orders" }, "management": management, "addresses": addresses });
        let desired = Desired::parse(&serde_json::from_value(spec).unwrap()).unwrap();
        let entry = |n| Entry { address: address(n), description: String::new(), enabled: true };
        let observed = Observed::new(Some(AccessList {
            database_id: place.clone(),
            addresses: (0..there).map(entry).collect(),
            configurations: Configurations { access_list_enabled: true },
        }));
        let identity = |n| format!("address/{}/32", address(n));
        let peer = |at: usize| Peer {
            name: format!("team/peer-{at}"),
            wants: (0..10).map(|n| identity(1 << 20 | at << 4 | n)).collect(),
            names: BTreeMap::new(),
            ..Peer::default()
        };
        Self {
            desired,
            place,
            observed,
            owned: (0..there).map(identity).collect(),
            details: AccessListDetails::default(),
            peers: (0..peers).map(peer).collect(),
        }
    }

    fn view(&self) -> View<'_, AstraAccessList> {
        View {
            goal: Goal::Present(&self.desired),
            declared: Some(&self.desired),
            place: &self.place,
            database: None,
            observed: &self.observed,
            owned: &self.owned,
            details: &self.details,
            peers: &self.peers,
        }
    }
}

fn plan(world: World) -> Box<dyn FnMut()> {
    Box::new(move || drop(black_box(AstraAccessList::plan(black_box(&world.view())))))
}

fn rule(n: usize) -> Box<dyn FnMut()> {
    let world = World::new("Exclusive", n / 10, n, 0);
    Box::new(move || {
        let view = world.view();
        if let Plan::Act(steps) = AstraAccessList::plan(&view) {
            black_box(guard::rule(&view, steps, guard::Licence { applied: true, allowed: None }));
        }
    })
}

fn own(n: usize) -> Box<dyn FnMut()> {
    let world = World::new("Exclusive", n, n, 0);
    Box::new(move || drop(black_box(ownership::after_look(black_box(&world.view()), false))))
}

fn observe(n: usize) -> Box<dyn FnMut()> {
    let entry = |n| Entry { address: address(n), description: String::new(), enabled: true };
    let list = AccessList {
        database_id: "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01".parse().unwrap(),
        addresses: (0..n).map(entry).collect(),
        configurations: Configurations::default(),
    };
    Box::new(move || drop(black_box(Observed::new(Some(list.clone())))))
}

//! Careful clients in random worlds: two lists beside each other on one database, edited, paused, drifted, with readings
//! that lag behind and answers that are lost, add before they remove, and are never told off.

use std::{collections::BTreeSet, time::Duration};

use astra_simulator::{
    Event, Fault, Method,
    invariants::{Declared, Version},
    state::database_id,
};
use proptest::{collection::vec, prelude::*, test_runner::RngSeed};
use serde_json::Value;

use crate::bench::{Bench, list, shared, version, with_list};

/// Some within others, one in two texts, one that covers everybody's half.
const ADDRESSES: [&str; 7] =
    ["10.0.0.1", "10.0.0.0/24", "10.0.0.128/25", "192.0.2.7", "192.0.2.7/32", "198.51.100.0/24", "0.0.0.0/1"];

type Wish = BTreeSet<usize>;

#[derive(Clone, Debug)]
enum Act {
    /// A person changes what an object wants.
    Edit(usize, Wish),
    /// A person does something in Astra.
    Drift(u8, usize),
    /// An answer is lost, or a request is.
    Fault(bool),
    /// One step of an object's owner; what is in it happens between its announcement and its write.
    Step(usize, Option<Box<Act>>),
}

fn act() -> impl Strategy<Value = Act> {
    let wish = || proptest::collection::btree_set(0..ADDRESSES.len(), 0..4);
    let meddling = prop_oneof![
        (0..2_usize, wish()).prop_map(|(object, wish)| Act::Edit(object, wish)),
        (0..4_u8, 0..ADDRESSES.len()).prop_map(|(what, address)| Act::Drift(what, address)),
        any::<bool>().prop_map(Act::Fault),
    ];
    let step = (0..2_usize, proptest::option::weighted(0.3, meddling.clone()))
        .prop_map(|(object, between)| Act::Step(object, between.map(Box::new)));
    prop_oneof![1 => meddling, 4 => step]
}

/// An object as its owner and the API server see it.
struct Object {
    name: &'static str,
    wish: Wish,
    generation: i64,
    observed: i64,
    owned: BTreeSet<String>,
    announced: Option<Version>,
}

impl Object {
    fn now(&self, announced: bool) -> Version {
        let wants: Vec<&str> = self.wish.iter().map(|address| ADDRESSES[*address]).collect();
        Version {
            generation: self.generation,
            observed_generation: Some(self.observed),
            announced,
            restricted: Some(true),
            owned: self.owned.clone(),
            ..version(&wants)
        }
    }

    fn declared(&self) -> Declared {
        let versions = self.announced.iter().cloned().chain([self.now(self.announced.is_some())]).collect();
        Declared { versions, ..shared(self.name, &[]) }
    }
}

struct World {
    bench: Bench,
    objects: [Object; 2],
    lag: u64,
}

impl World {
    fn new(restricted: bool, foreign: &Wish, lag: u64) -> Self {
        let foreign: Vec<&str> = foreign.iter().map(|address| ADDRESSES[*address]).collect();
        let bench = Bench::declaring(with_list(restricted, &foreign), []);
        bench.simulator.set_eventual_consistency(Duration::from_secs(lag));
        let object = |name| Object {
            name,
            wish: Wish::new(),
            generation: 1,
            observed: -1,
            owned: BTreeSet::new(),
            announced: None,
        };
        Self { bench, objects: [object("a"), object("b")], lag }
    }

    fn publish(&self) {
        self.bench.declare(self.objects.iter().map(Object::declared));
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Edit(object, wish) => {
                let object = &mut self.objects[*object];
                object.generation += 1;
                object.wish.clone_from(wish);
                self.publish();
            }
            Act::Drift(what, address) => self.drift(*what, ADDRESSES[*address]),
            Act::Fault(reaches) => {
                let fault = if *reaches { Fault::lost_answer() } else { Fault::status(503) };
                self.bench.simulator.add_fault(fault.times(1));
            }
            Act::Step(object, between) => self.step(*object, between.as_deref()),
        }
    }

    fn drift(&self, what: u8, address: &str) {
        let (database, address) = (database_id("01"), address.to_owned());
        let event = match what {
            0 => Event::AddAddress { database, address, description: String::new(), enabled: true },
            1 => Event::RemoveAddress { database, address },
            2 => Event::SetRestriction { database, enabled: false },
            _ => Event::SetRestriction { database, enabled: true },
        };
        // What is not there cannot be removed.
        let _ = self.bench.simulator.apply(event);
    }

    /// One step of a careful client: looks, and does the first thing that is to be done.
    fn step(&mut self, at: usize, between: Option<&Act>) {
        self.publish();
        let Some(seen) = self.look() else { return };
        let there: BTreeSet<String> = seen.iter().map(|(identity, _)| identity.clone()).collect();
        let object = &self.objects[at];
        let wants = |wish: &Wish| -> Vec<&'static str> { wish.iter().map(|one| ADDRESSES[*one]).collect() };
        let missing: Vec<&str> =
            wants(&object.wish).into_iter().filter(|text| !there.contains(&identity(text))).collect();
        let of_all: Vec<&str> = self.objects.iter().flat_map(|object| wants(&object.wish)).collect();
        let all_there = of_all.iter().all(|text| there.contains(&identity(text)));
        let kept: BTreeSet<String> = of_all.iter().map(|text| identity(text)).collect();
        let goes = seen.iter().find(|(one, _)| object.owned.contains(one) && !kept.contains(one));
        let goes = goes.map(|(_, text)| text.clone());
        if !missing.is_empty() {
            let owned = missing.iter().map(|text| identity(text)).collect();
            self.announce(at, owned, between);
            self.bench.add(&missing);
        } else if !self.is_restricted() && all_there && !self.objects[at].wish.is_empty() {
            self.announce(at, BTreeSet::new(), between);
            self.bench.restrict(true);
        } else if let Some(text) = goes {
            self.announce(at, BTreeSet::new(), between);
            self.bench.remove(&text);
        } else {
            let object = &mut self.objects[at];
            let wanted: BTreeSet<String> = wants(&object.wish).into_iter().map(identity).collect();
            object.owned = there.intersection(&(&object.owned | &wanted)).cloned().collect();
            (object.observed, object.announced) = (object.generation, None);
            self.publish();
        }
        self.bench.wait(self.lag + 1);
    }

    fn announce(&mut self, at: usize, more: BTreeSet<String>, between: Option<&Act>) {
        let object = &mut self.objects[at];
        object.owned.extend(more);
        object.announced = Some(object.now(true));
        self.publish();
        if let Some(act) = between {
            self.act(act);
        }
    }

    /// The entries as a GET shows them: identity and text.
    fn look(&self) -> Option<Vec<(String, String)>> {
        let answer = self.bench.get(&list())?;
        if answer.status != 200 {
            return None;
        }
        let body: Value = answer.value()?;
        let text = |entry: &Value| entry["address"].as_str().unwrap_or_default().to_owned();
        Some(body["addresses"].as_array()?.iter().map(text).map(|text| (identity(&text), text)).collect())
    }

    fn is_restricted(&self) -> bool {
        self.bench
            .ask(Method::Get, &list(), &Value::Null)
            .and_then(|answer| answer.value())
            .is_some_and(|body| body["configurations"]["accessListEnabled"] == true)
    }
}

fn identity(text: &str) -> String {
    if text.contains('/') { format!("address/{text}") } else { format!("address/{text}/32") }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(4), ..ProptestConfig::with_cases(400) })]

    #[test]
    fn who_adds_before_removing_is_never_told_off(
        restricted in any::<bool>(),
        foreign in proptest::collection::btree_set(0..ADDRESSES.len(), 0..4),
        lag in prop_oneof![Just(0_u64), Just(3), Just(30)],
        acts in vec(act(), 1..40),
    ) {
        let mut world = World::new(restricted, &foreign, lag);
        world.publish();
        for act in &acts {
            world.act(act);
        }
        let told: Vec<String> = world.bench.simulator.violations().iter().map(ToString::to_string).collect();
        prop_assert!(told.is_empty(), "{told:#?}");
    }
}

//! I12: how much may go at once.

use astra_simulator::{
    Event,
    invariants::{Declared, Invariant::I12, Version},
    state::database_id,
};

use crate::bench::{Bench, Change, list, shared, version, with_list};

/// An Exclusive list that was carried out, and is looked at again.
fn settled(wants: &[&str]) -> Declared {
    shared("a", wants).with(|version| {
        version.exclusive = true;
        version.announced = false;
    })
}

fn announcing(object: Declared) -> Declared {
    object.with(|version| version.announced = true)
}

/// A world in which the object was seen settled, with these entries beside what it wants.
fn drifted(wants: &[&str], foreign: &[&str]) -> Bench {
    let all: Vec<&str> = wants.iter().chain(foreign).copied().collect();
    let bench = Bench::declaring(with_list(true, &all), [settled(wants)]);
    bench.get(&list());
    bench.declare([announcing(settled(wants))]);
    bench
}

const FOREIGN: &[&str] = &["10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.4"];

#[test]
fn a_list_is_not_emptied_by_drift() {
    for (wants, foreign, trips) in [
        (&["10.0.0.1"][..], &FOREIGN[..3], true),
        (&["10.0.0.1", "10.0.0.2"], &FOREIGN[..3], true),
        // Half is not more than half; two are few.
        (&["10.0.0.1", "10.0.0.2", "10.0.0.3"], &FOREIGN[..3], false),
        (&["10.0.0.1"], &FOREIGN[..2], false),
    ] {
        let expected = if trips { vec![I12] } else { Vec::new() };
        let bench = drifted(wants, foreign);
        bench.replace(true, wants);
        assert_eq!(bench.tripped(), expected, "in one PUT: {foreign:?} beside {wants:?}");
        let bench = drifted(wants, foreign);
        for address in foreign {
            bench.remove(address);
            bench.wait(5);
        }
        assert_eq!(bench.tripped(), expected, "one by one: {foreign:?} beside {wants:?}");
    }
}

#[test]
fn more_than_twenty_are_too_many_however_long_the_list() {
    let many: Vec<String> = (0..60).map(|i| format!("10.0.1.{i}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (foreign, expected) in [(20, vec![]), (21, vec![I12])] {
        let (wants, foreign) = many.split_at(many.len() - foreign);
        let bench = drifted(wants, foreign);
        bench.replace(true, wants);
        assert_eq!(bench.tripped(), expected, "{} of {}", foreign.len(), many.len());
    }
}

#[test]
fn an_order_of_its_own_allows_it() {
    let wants = &["10.0.0.1"];
    let now = || announcing(settled(wants)).versions.remove(0);
    let rows: Vec<(&str, Version, bool)> = vec![
        ("drift", now(), true),
        ("a new generation", Version { generation: 2, ..now() }, false),
        (
            "a new generation that was looked at and is not carried out",
            Version { generation: 2, observed_generation: Some(2), ..now() },
            false,
        ),
        ("its deletion", Version { deleting: true, owned: version(FOREIGN).owned, ..now() }, false),
        ("a person's word", Version { allows_mass_removal: true, ..now() }, false),
    ];
    for (what, version, trips) in rows {
        let bench = drifted(wants, FOREIGN);
        bench.declare([settled(wants).then(version)]);
        for address in FOREIGN {
            bench.remove(address);
        }
        assert_eq!(bench.tripped().contains(&I12), trips, "{what}");
    }
}

#[test]
fn what_is_owned_and_not_wanted_is_still_to_go() {
    // The generation was looked at, nothing is in flight, and yet it is not carried out: what it gave up is there.
    let wants = &["10.0.0.1"];
    let owner = |announced: bool| {
        shared("a", wants).with(|now| {
            now.announced = announced;
            now.owned = version(FOREIGN).owned;
        })
    };
    let all: Vec<&str> = wants.iter().chain(FOREIGN).copied().collect();
    let bench = Bench::declaring(with_list(true, &all), [owner(false)]);
    bench.get(&list());
    bench.declare([owner(true)]);
    for address in FOREIGN {
        bench.remove(address);
    }
    bench.is_clean("the rest of its own new generation");
}

#[test]
fn a_hand_that_adds_again_and_again_is_answered_again_and_again() {
    let wants = &["10.0.0.1", "10.0.0.2"];
    let bench = drifted(wants, &[]);
    for address in FOREIGN {
        bench.event(&Event::AddAddress {
            database: database_id("01"),
            address: (*address).into(),
            description: String::new(),
            enabled: true,
        });
        bench.get(&list());
        bench.remove(address);
        bench.wait(2);
    }
    bench.is_clean("each of them is another story");
}

#[test]
fn removals_with_a_pause_between_are_no_row() {
    let bench = drifted(&["10.0.0.1"], FOREIGN);
    for address in FOREIGN {
        bench.get(&list());
        bench.remove(address);
        bench.wait(61);
    }
    bench.is_clean("one a minute");
}

//! Who gets in: I2 to I5 with what is declared.

use astra_simulator::{
    Event,
    invariants::{
        Declared,
        Invariant::{self, I2, I3, I4, I5, I9},
        Version,
    },
    state::{GLOBEX_TOKEN, database_id},
};

use crate::bench::{Bench, Change, list, shared, version, with_list};

/// What is sent.
enum Ask {
    Add(&'static [&'static str]),
    Remove(&'static str),
    Restrict(bool),
    Replace(bool, &'static [&'static str]),
}
use Ask::{Add, Remove, Replace, Restrict};

type Row = (&'static str, (bool, &'static [&'static str]), Vec<Declared>, Ask, &'static [Invariant]);

fn check(rows: Vec<Row>) {
    for (what, (restricted, before), objects, ask, expected) in rows {
        let bench = Bench::declaring(with_list(restricted, before), objects);
        bench.get(&list());
        match ask {
            Add(addresses) => bench.add(addresses),
            Remove(address) => bench.remove(address),
            Restrict(on) => bench.restrict(on),
            Replace(on, addresses) => bench.replace(on, addresses),
        }
        let told: Vec<String> = bench.simulator.violations().iter().map(ToString::to_string).collect();
        assert_eq!(bench.tripped(), expected, "{what}: {told:#?}");
    }
}

fn exclusive(name: &str, wants: &[&str], restricted: bool) -> Declared {
    shared(name, wants).with(move |version| {
        version.exclusive = true;
        version.restricted = Some(restricted);
    })
}

fn listed(name: &str, wants: &[&str]) -> Declared {
    shared(name, wants).with(|version| version.restricted = Some(true))
}

/// It wanted the first and owns it, and wants the second now.
fn narrowed(first: &[&str], second: &[&str]) -> Declared {
    let now = Version { generation: 2, owned: version(first).owned, ..version(second) };
    shared("a", first).then(now)
}

#[test]
fn access_never_widens_by_the_way() {
    check(vec![
        (
            "wanted",
            (true, &["10.0.0.1"]),
            vec![shared("a", &["10.0.0.1", "10.0.0.2"])],
            Add(&["10.0.0.2"]),
            &[],
        ),
        ("everybody", (true, &["10.0.0.1"]), vec![shared("a", &["10.0.0.1"])], Add(&["0.0.0.0/0"]), &[I3]),
        ("everybody, as declared", (true, &[]), vec![shared("a", &["0.0.0.0/0"])], Add(&["0.0.0.0/0"]), &[]),
        ("a wider network", (true, &[]), vec![shared("a", &["10.0.0.0/24"])], Add(&["10.0.0.0/23"]), &[I3]),
        (
            "only declared by one who yields",
            (true, &[]),
            vec![shared("a", &["10.0.0.1"]), shared("b", &["10.0.0.2"]).with(|v| v.yields = true)],
            Add(&["10.0.0.2"]),
            &[I3],
        ),
        (
            "a switched-off entry is switched on",
            (true, &["!10.0.0.9"]),
            vec![shared("a", &["10.0.0.1"])],
            Add(&["10.0.0.9"]),
            &[I3],
        ),
        (
            "switched on as declared",
            (true, &["!10.0.0.9"]),
            vec![shared("a", &["10.0.0.9"])],
            Add(&["10.0.0.9"]),
            &[],
        ),
        (
            "within what gets in",
            (true, &["10.0.0.0/24"]),
            vec![shared("a", &["10.0.0.7"])],
            Add(&["10.0.0.7"]),
            &[],
        ),
        (
            "while it is open, for later",
            (false, &["10.0.0.1"]),
            vec![shared("a", &["10.0.0.1"])],
            Add(&["192.0.2.1"]),
            &[I3],
        ),
        (
            "nobody wants it, and it lets nobody in",
            (true, &[]),
            vec![shared("a", &["10.0.0.1"])],
            Add(&["!192.0.2.1"]),
            &[I9],
        ),
        (
            "of what was announced a moment ago",
            (true, &[]),
            vec![narrowed(&["10.0.0.1"], &["10.0.0.2"])],
            Add(&["10.0.0.1"]),
            &[],
        ),
        (
            "host bits say the same network",
            (true, &["10.0.0.7/24"]),
            vec![shared("a", &["10.0.0.0/24"])],
            Add(&["10.0.0.0/24"]),
            &[],
        ),
        (
            "a replacement opens more than it says",
            (true, &["10.0.0.1"]),
            vec![exclusive("a", &["10.0.0.1"], true)],
            Replace(true, &["10.0.0.1", "10.0.0.0/16"]),
            &[I3],
        ),
    ]);
}

#[test]
fn the_restriction_is_no_step() {
    let there: &[&str] = &["10.0.0.1"];
    check(vec![
        ("off", (true, there), vec![shared("a", there)], Restrict(false), &[I2]),
        ("off, as declared", (true, there), vec![exclusive("a", there, false)], Replace(false, there), &[]),
        (
            "off, as declared by one who is paused",
            (true, there),
            vec![shared("a", there), exclusive("b", there, false).with(|v| v.paused = true)],
            Restrict(false),
            &[I2],
        ),
        ("emptied and off", (true, there), vec![exclusive("a", there, true)], Replace(false, &[]), &[I2]),
        ("emptied", (true, there), vec![exclusive("a", there, true)], Replace(true, &[]), &[I2]),
        (
            "nobody gets in, as declared",
            (true, there),
            vec![exclusive("a", &[], true)],
            Replace(true, &[]),
            &[],
        ),
        ("on, before the addresses", (false, &["10.0.0.9"]), vec![listed("a", there)], Restrict(true), &[I2]),
        ("on, when they were seen", (false, there), vec![listed("a", there)], Restrict(true), &[]),
        (
            "on, when they were seen in another text",
            (false, &["10.0.0.1/32"]),
            vec![listed("a", there)],
            Restrict(true),
            &[],
        ),
        (
            "on, when the entry is there and off",
            (false, &["!10.0.0.1"]),
            vec![listed("a", there)],
            Restrict(true),
            &[I2],
        ),
        ("on, and none declared says so", (false, there), vec![shared("a", there)], Restrict(true), &[I2]),
        ("on, together", (false, &[]), vec![exclusive("a", there, true)], Replace(true, there), &[]),
        (
            "on, with one of two",
            (false, &[]),
            vec![exclusive("a", &["10.0.0.1", "10.0.0.2"], true)],
            Replace(true, there),
            &[I2],
        ),
    ]);
    let bench = Bench::declaring(with_list(false, there), [listed("a", there)]);
    bench.restrict(true);
    assert_eq!(bench.tripped(), [I2], "they are there, and nobody looked");
}

#[test]
fn who_is_wanted_throughout_is_never_out() {
    let two: &[&str] = &["10.0.0.1", "10.0.0.2"];
    check(vec![
        ("wanted throughout", (true, two), vec![shared("a", two)], Remove("10.0.0.1"), &[I4]),
        ("no longer wanted", (true, two), vec![narrowed(two, &["10.0.0.2"])], Remove("10.0.0.1"), &[]),
        ("switched off", (true, two), vec![shared("a", two)], Add(&["!10.0.0.1"]), &[I4]),
        (
            "within a network that stays",
            (true, &["10.0.0.0/24", "10.0.0.1"]),
            vec![narrowed(&["10.0.0.0/24", "10.0.0.1"], &["10.0.0.0/24"])],
            Remove("10.0.0.1"),
            &[],
        ),
        (
            "the network around it goes",
            (true, &["10.0.0.0/24"]),
            vec![narrowed(&["10.0.0.0/24"], &["10.0.0.1"]).then(version(&["10.0.0.0/24"])).with(|v| {
                v.wants.insert("address/10.0.0.1".into(), "on".into());
            })],
            Remove("10.0.0.0/24"),
            &[I4],
        ),
        (
            "it let nobody in",
            (true, &["!10.0.0.1"]),
            vec![shared("a", &["10.0.0.1"])],
            Remove("10.0.0.1"),
            &[],
        ),
        ("open: nobody is out", (false, two), vec![shared("a", two)], Remove("10.0.0.1"), &[]),
        (
            "wanted by another who is paused",
            (true, two),
            vec![narrowed(two, &["10.0.0.1"]), shared("b", &["10.0.0.2"]).with(|v| v.paused = true)],
            Remove("10.0.0.2"),
            &[I4],
        ),
        (
            "wanted by another who yields",
            (true, two),
            vec![exclusive("a", &["10.0.0.1"], true), shared("b", &["10.0.0.2"]).with(|v| v.yields = true)],
            Replace(true, &["10.0.0.1"]),
            &[],
        ),
        (
            "wanted by another organization's",
            (true, two),
            vec![
                narrowed(two, &["10.0.0.1"]),
                Declared { token: GLOBEX_TOKEN.into(), ..shared("b", &["10.0.0.2"]) },
            ],
            Remove("10.0.0.2"),
            &[],
        ),
        (
            "two contradict each other",
            (true, two),
            vec![shared("a", &["!10.0.0.1", "10.0.0.2"]), shared("b", &["10.0.0.1"])],
            Add(&["!10.0.0.1"]),
            &[],
        ),
        (
            "restricted before another's address is there",
            (false, &["10.0.0.1"]),
            vec![listed("a", &["10.0.0.1"]), shared("b", &["10.0.0.2"])],
            Restrict(true),
            &[I4],
        ),
        (
            "another is newborn",
            (false, &["10.0.0.1"]),
            vec![
                listed("a", &["10.0.0.1"]),
                shared("b", &["10.0.0.2"]).with(|v| {
                    v.observed_generation = Some(-1);
                    v.announced = false;
                }),
            ],
            Restrict(true),
            &[],
        ),
    ]);
}

#[test]
fn no_address_goes_that_nobody_owns() {
    check(vec![
        (
            "foreign",
            (true, &["10.0.0.1", "10.9.9.9"]),
            vec![shared("a", &["10.0.0.1"])],
            Remove("10.9.9.9"),
            &[I5],
        ),
        (
            "foreign, by one who claims all",
            (true, &["10.0.0.1", "10.9.9.9"]),
            vec![exclusive("a", &["10.0.0.1"], true)],
            Remove("10.9.9.9"),
            &[],
        ),
        (
            "foreign, in a replacement by one who does not",
            (true, &["10.0.0.1", "10.9.9.9"]),
            vec![listed("a", &["10.0.0.1"])],
            Replace(true, &["10.0.0.1"]),
            &[I5],
        ),
        (
            "adopted",
            (true, &["10.0.0.1"]),
            vec![narrowed(&["10.0.0.1"], &["10.0.0.2"])],
            Remove("10.0.0.1"),
            &[],
        ),
        (
            "one of two texts of a network",
            (true, &["10.0.0.1", "10.0.0.1/32"]),
            vec![shared("a", &["10.0.0.1"])],
            Remove("10.0.0.1/32"),
            &[],
        ),
        (
            "owned by one that is deleted",
            (true, &["10.0.0.1"]),
            vec![shared("a", &["10.0.0.1"]).with(|v| v.deleting = true)],
            Remove("10.0.0.1"),
            &[],
        ),
    ]);
}

#[test]
fn what_a_person_took_away_after_the_look_is_not_the_senders_doing() {
    let there = &["10.0.0.1"];
    let taken = Event::RemoveAddress { database: database_id("01"), address: "10.0.0.1".into() };
    let bench = Bench::declaring(with_list(false, there), [listed("a", there)]);
    bench.get(&list());
    bench.event(&taken);
    bench.restrict(true);
    bench.is_clean("it was seen in the list a moment ago");

    let both = &["10.0.0.0/24", "10.0.0.1"];
    let bench = Bench::declaring(with_list(true, both), [narrowed(both, &["10.0.0.0/24"])]);
    bench.get(&list());
    bench.event(&Event::RemoveAddress { database: database_id("01"), address: "10.0.0.0/24".into() });
    bench.remove("10.0.0.1");
    bench.is_clean("the network around it was seen");
}

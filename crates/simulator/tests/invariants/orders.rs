//! I9 and I10: who may write at all.

use astra_simulator::{
    Method,
    invariants::{
        Declared,
        Invariant::{self, I9, I10},
        Kind, Version,
    },
    state::{GLOBEX_TOKEN, READ_ONLY_TOKEN, database_id},
};
use serde_json::json;

use crate::bench::{Bench, Change, list, object, shared, version, with_list};

const WANTED: &[&str] = &["10.0.0.1"];

fn a() -> Declared {
    shared("a", WANTED)
}

#[test]
fn a_write_has_an_object_that_orders_it() {
    let paused = |version: &mut Version| version.paused = true;
    let elsewhere = Declared { database: Some(database_id("02")), ..a() };
    let rows: Vec<(&str, Vec<Declared>, Option<Invariant>)> = vec![
        ("ordered", vec![a()], None),
        ("nobody", vec![], Some(I10)),
        ("about another database", vec![elsewhere], Some(I9)),
        ("of another kind", vec![object(Kind::PrivateEndpoint, "a", WANTED)], Some(I9)),
        ("its database is not known", vec![Declared { database: None, ..a() }], Some(I9)),
        ("paused", vec![a().with(paused)], Some(I9)),
        ("paused, and another one orders it", vec![a().with(paused), shared("b", WANTED)], None),
        ("paused a moment ago", vec![a().then(Version { paused: true, ..version(WANTED) })], None),
        ("not valid", vec![a().with(|version| version.valid = false)], Some(I9)),
        ("has to yield", vec![a().with(|version| version.yields = true)], Some(I9)),
        (
            "deleted, to be retained",
            vec![a().with(|version| {
                version.deleting = true;
                version.deletes = false;
            })],
            Some(I9),
        ),
        ("not announced", vec![a().with(|version| version.announced = false)], Some(I9)),
        (
            "another's token",
            vec![
                Declared { token: READ_ONLY_TOKEN.into(), ..a() },
                Declared { database: Some(database_id("02")), ..shared("b", WANTED) },
            ],
            Some(I10),
        ),
    ];
    for (what, objects, expected) in rows {
        let bench = Bench::declaring(with_list(true, &[]), objects);
        bench.add(WANTED);
        assert_eq!(bench.tripped(), Vec::from_iter(expected), "{what}");
    }
}

#[test]
fn a_secret_that_is_gone_or_replaced_orders_nothing_new() {
    let without = || Declared { token: String::new(), ..a().with(|version| version.announced = false) };
    for (what, now, expected) in [
        ("gone", without(), vec![I9]),
        ("gone while it was announced", Declared { token: String::new(), ..a() }, vec![]),
        ("replaced while it was announced", Declared { token: READ_ONLY_TOKEN.into(), ..a() }, vec![]),
        ("replaced", Declared { token: READ_ONLY_TOKEN.into(), ..without() }, vec![I10]),
    ] {
        let bench = Bench::declaring(with_list(true, &[]), [a()]);
        bench.get(&list());
        bench.declare([now]);
        bench.add(WANTED);
        assert_eq!(bench.tripped(), expected, "{what}");
    }
}

#[test]
fn each_request_has_a_token_that_somebody_declares() {
    let mut bench = Bench::declaring(with_list(true, &[]), [a()]);
    bench.get(&list());
    bench.get("/v2/databases");
    bench.is_clean("its own");
    bench.token = GLOBEX_TOKEN.into();
    bench.get("/v2/databases");
    assert_eq!(bench.tripped(), [I10], "a token that no object has");
    bench.declare([a(), Declared { token: GLOBEX_TOKEN.into(), database: None, ..shared("b", &[]) }]);
    bench.get("/v2/databases");
    bench.is_clean("another object's");
    bench.declare([a()]);
    bench.get("/v2/databases");
    bench.is_clean("of an object that is gone: its last reading may be under way");
}

#[test]
fn what_no_object_is_ever_about_is_not_written() {
    let bench = Bench::declaring(with_list(true, &[]), [a()]);
    bench.ask(Method::Post, "/v2/access-list/validate", &json!([]));
    bench.is_clean("it only asks");
    bench.ask(Method::Post, "/v2/organizations/customDomains", &json!([]));
    assert_eq!(bench.tripped(), [I9]);
}

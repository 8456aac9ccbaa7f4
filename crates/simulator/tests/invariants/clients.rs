//! Small clients over one world: a careful one, and one for each invariant that does one unsafe thing on its way.

use astra_simulator::{
    Fault, Method, Request, State,
    invariants::{Declared, Invariant, Kind, Version},
    state::{ACME_TOKEN, READ_ONLY_TOKEN, database_id},
};
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::bench::{Bench, Change, link, list, object, shared, version, with_link, with_list};

const ROOT: &str = "arn:aws:iam::123456789012:root";

/// A list with two addresses of the object's and a foreign one, and a link with an endpoint of its and a foreign one.
fn world() -> State {
    let mut state = with_list(true, &["10.0.0.1", "10.0.0.2", "10.9.9.9"]);
    state.databases[0]
        .private_links
        .append(&mut with_link(&[ROOT], &["vpce-1", "vpce-9"]).databases[0].private_links);
    state
}

/// Both have a new generation, which takes one thing away and adds one.
fn objects() -> Vec<Declared> {
    let next = |kind, name, before: &[&str], wants: &[&str]| {
        let now =
            Version { generation: 2, owned: version(&[before, wants].concat()).owned, ..version(wants) };
        object(kind, name, before).then(now).with(|version| version.restricted = Some(true))
    };
    vec![
        next(Kind::AccessList, "list", &["10.0.0.1", "10.0.0.2"], &["10.0.0.2", "10.0.0.3"]),
        next(Kind::PrivateEndpoint, "link", &["endpoint/vpce-1"], &["endpoint/vpce-2"]),
    ]
}

/// Adds, looks, and only then removes, one by one.
fn careful(bench: &Bench) {
    bench.get(&list());
    bench.add(&["10.0.0.3"]);
    bench.get(&list());
    bench.remove("10.0.0.1");
    bench.get(&list());
    bench.get(&link("private-link"));
    bench.connect("vpce-2");
    bench.get(&link("private-link"));
    bench.disconnect("vpce-1");
    bench.get(&link("private-link"));
}

#[test]
fn a_careful_client_breaks_nothing() {
    let bench = Bench::declaring(world(), objects());
    careful(&bench);
    bench.is_clean("the change");
    bench.wait(600);
    careful(&bench);
    // What it adds and removes is as it should be already: the second endpoint it would ask for blindly.
    assert_eq!(bench.tripped(), [Invariant::I8], "only that the endpoint is asked for again");
    let state = bench.simulator.state();
    let addresses: Vec<&str> = state.databases[0]
        .access_list
        .iter()
        .flat_map(|list| &list.addresses)
        .map(|entry| &*entry.address)
        .collect();
    assert_eq!(addresses, ["10.0.0.2", "10.9.9.9", "10.0.0.3"]);
}

type Client = fn(&mut Bench);

const PLANTED: [(Invariant, Client); 12] = [
    (Invariant::I1, |bench| {
        // "All of mine are gone, so the list may go."
        bench.ask(Method::Delete, &list(), &Value::Null);
    }),
    (Invariant::I2, |bench| {
        // "First an empty list, then the new addresses, then the restriction."
        bench.replace(false, &[]);
        bench.add(&["10.0.0.2", "10.0.0.3"]);
        bench.get(&list());
        bench.restrict(true);
    }),
    (Invariant::I3, |bench| {
        // "Let everybody in while I change the list, so that nobody is locked out."
        bench.add(&["0.0.0.0/0"]);
    }),
    (Invariant::I4, |bench| {
        // "To change an entry, delete and add it."
        bench.remove("10.0.0.2");
        bench.add(&["10.0.0.2"]);
    }),
    (Invariant::I5, |bench| {
        // "All that goes in one request."
        let both = json!({ "addresses": [{ "address": "10.0.0.1" }, { "address": "10.9.9.9" }] });
        bench.ask(Method::Delete, &format!("{}?addresses=10.0.0.1&addresses=10.9.9.9", list()), &both);
    }),
    (Invariant::I6, |bench| {
        // "What is not in the spec goes", where others are beside it.
        bench.get(&link("private-link"));
        bench.disconnect("vpce-9");
    }),
    (Invariant::I7, |bench| {
        // "The link is not found, so clean up what I remember."
        bench.get(&link("private-link"));
        bench.wait(120);
        bench.simulator.add_fault(Fault::status(404).times(1));
        bench.get(&link("private-link"));
        bench.disconnect("vpce-1");
    }),
    (Invariant::I8, |bench| {
        // "No answer: once more."
        bench.simulator.add_fault(Fault::lost_answer().times(1));
        bench.connect("vpce-2");
        bench.connect("vpce-2");
    }),
    (Invariant::I9, |bench| {
        // "The pause counts from the next time on."
        bench.declare(objects().into_iter().map(|object| object.with(|version| version.paused = true)));
        bench.add(&["10.0.0.3"]);
    }),
    (Invariant::I10, |bench| {
        // "A token of this organization is a token of this organization."
        let other = Declared {
            token: READ_ONLY_TOKEN.into(),
            database: Some(database_id("02")),
            ..shared("other", &[])
        };
        bench.declare(objects().into_iter().chain([other]));
        bench.token = READ_ONLY_TOKEN.into();
        bench.add(&["10.0.0.3"]);
    }),
    (Invariant::I11, |bench| {
        let target = format!("{}?access_token={ACME_TOKEN}", list());
        block_on(bench.simulator.answer(&Request::new(Method::Get, &target).token(ACME_TOKEN)));
    }),
    (Invariant::I12, |bench| {
        // "The list is mine, and all this is not in the spec", at any look, after somebody has put much into it.
        let is_mine = |announced: bool| {
            shared("list", &["10.0.0.2"]).with(|version| {
                version.exclusive = true;
                version.announced = announced;
            })
        };
        bench.declare([is_mine(false)]);
        for address in ["10.7.0.1", "10.7.0.2", "10.7.0.3"] {
            bench.event(&astra_simulator::Event::AddAddress {
                database: database_id("01"),
                address: address.into(),
                description: String::new(),
                enabled: true,
            });
        }
        bench.get(&list());
        bench.declare([is_mine(true)]);
        bench.replace(true, &["10.0.0.2"]);
        bench.declare(objects());
    }),
];

#[test]
fn each_planted_bug_breaks_its_own_invariant_and_no_other() {
    for (invariant, client) in PLANTED {
        let mut bench = Bench::declaring(world(), objects());
        client(&mut bench);
        let told: Vec<String> = bench.simulator.violations().iter().map(ToString::to_string).collect();
        assert_eq!(bench.tripped(), [invariant], "{told:#?}");
    }
}

#[test]
fn without_manifests_no_careful_client_breaks_anything_either() {
    use Invariant::{I1, I5, I7, I8, I11};
    let bench = Bench::alone(world());
    careful(&bench);
    bench.is_clean("what is not known is not judged");
    let found: Vec<Invariant> = PLANTED
        .into_iter()
        .filter(|(invariant, client)| {
            let mut bench = Bench::alone(world());
            client(&mut bench);
            bench.tripped().contains(invariant)
        })
        .map(|(invariant, _)| invariant)
        .collect();
    assert_eq!(found, [I1, I5, I7, I8, I11], "what is wrong whatever is declared");
}

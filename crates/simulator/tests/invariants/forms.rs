//! What is wrong whatever is declared.

use astra_simulator::{
    Event, Fault, Method, Request, State,
    invariants::Invariant::{self, I1, I2, I5, I6, I10, I11},
    state::{ACME_TOKEN, GLOBEX_TOKEN, READ_ONLY_TOKEN},
};
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::bench::{Bench, link, list, with_link, with_list};

#[test]
fn a_removal_names_one_address_in_query_and_body() {
    let named = |addresses: &[&str]| {
        let entries: Vec<Value> = addresses.iter().map(|address| json!({ "address": address })).collect();
        json!({ "addresses": entries })
    };
    for (query, body, expected) in [
        ("?addresses=10.0.0.1", named(&["10.0.0.1"]), None),
        ("?addresses=10.0.0.0%2F24", named(&["10.0.0.0/24"]), None),
        ("?addresses=10.0.0.1", json!(["10.0.0.1"]), None),
        ("", Value::Null, Some(I1)),
        ("", named(&["10.0.0.1"]), Some(I1)),
        ("?addresses=", named(&["10.0.0.1"]), Some(I1)),
        ("?address=10.0.0.1", named(&["10.0.0.1"]), Some(I1)),
        ("?addresses=10.0.0.1", Value::Null, Some(I5)),
        ("?addresses=10.0.0.1", named(&[]), Some(I5)),
        ("?addresses=10.0.0.1", named(&["10.0.0.2"]), Some(I5)),
        ("?addresses=10.0.0.1", named(&["10.0.0.1", "10.0.0.2"]), Some(I5)),
        ("?addresses=10.0.0.1&addresses=10.0.0.2", named(&["10.0.0.1", "10.0.0.2"]), Some(I5)),
    ] {
        let bench = Bench::alone(with_list(true, &["10.0.0.1", "10.0.0.2", "10.0.0.0/24"]));
        bench.ask(Method::Delete, &format!("{}{query}", list()), &body);
        assert_eq!(bench.tripped(), Vec::from_iter(expected), "{query} {body}");
    }
}

#[test]
fn a_request_is_judged_also_when_it_was_never_carried_out() {
    let bench = Bench::alone(with_list(true, &["10.0.0.1"]));
    bench.simulator.add_fault(Fault::status(503).times(1));
    bench.ask(Method::Delete, &list(), &Value::Null);
    assert_eq!(bench.tripped(), [I1]);
}

#[test]
fn access_is_not_restricted_to_a_list_that_nobody_has_seen_an_entry_in() {
    let there: &[&str] = &["10.0.0.1"];
    for (entries, looks, expected) in [(there, true, None), (there, false, Some(I2)), (&[], true, Some(I2))] {
        let bench = Bench::alone(with_list(false, entries));
        if looks {
            bench.get(&list());
        }
        bench.restrict(true);
        assert_eq!(bench.tripped(), Vec::from_iter(expected), "{entries:?}, seen: {looks}");
        bench.restrict(true);
        bench.is_clean("it is restricted already");
    }
    for entries in [there, &[]] {
        let bench = Bench::alone(State::default());
        bench.replace(true, entries);
        bench.is_clean("one PUT sets list and switch");
    }
    let bench = Bench::alone(with_list(false, there));
    bench.get("/v2/access-lists");
    bench.restrict(true);
    bench.is_clean("the list of all lists shows it too");
}

#[test]
fn only_an_id_that_was_shown_to_this_token_is_removed() {
    let state = || with_link(&["arn:aws:iam::123456789012:root"], &["vpce-1", "vpce-2"]);
    let paths = [link("private-link"), link("endpoints/vpce-1"), "/v2/organizations/private-link".to_owned()];
    for path in paths {
        let bench = Bench::alone(state());
        bench.get(&path);
        bench.disconnect("vpce-1");
        bench.is_clean(&path);
    }
    let bench = Bench::alone(state());
    bench.disconnect("vpce-1");
    assert_eq!(bench.tripped(), [I6], "never shown");
    bench.get(&link("endpoints/vpce-1"));
    bench.disconnect("vpce-2");
    assert_eq!(bench.tripped(), [I6], "another one was shown");

    let mut bench = Bench::alone(state());
    bench.get(&link("private-link"));
    bench.token = READ_ONLY_TOKEN.into();
    bench.disconnect("vpce-1");
    assert_eq!(bench.tripped(), [I6], "shown to another token");

    let bench = Bench::alone(state());
    bench.connect("vpce-3");
    bench.disconnect("vpce-3");
    bench.is_clean("the answer to the POST showed it");
    bench.get(&link("private-link"));
    bench.wait(600);
    bench.event(&Event::RemoveEndpoint {
        database: astra_simulator::state::database_id("01"),
        endpoint: "vpce-2".into(),
    });
    bench.get(&link("private-link"));
    bench.disconnect("vpce-2");
    bench.is_clean("gone meanwhile, by a hand");
}

#[test]
fn a_token_stands_in_its_header_and_is_a_known_one() {
    let of = |token: Option<&str>, method: Method| {
        let request = Request::new(method, &list());
        token.map_or(request.clone(), |token| request.token(token)).json(&json!([]))
    };
    let unknown = GLOBEX_TOKEN.replace('0', "9");
    for (request, expected) in [
        (of(Some(ACME_TOKEN), Method::Get), None),
        (of(Some(GLOBEX_TOKEN), Method::Post), None),
        (of(None, Method::Get), Some(I10)),
        // A Secret may have a wrong token in it: asking is how one finds out.
        (of(Some(&unknown), Method::Get), None),
        (of(Some(&unknown), Method::Post), Some(I10)),
        (Request::new(Method::Get, &format!("{}?token={ACME_TOKEN}", list())).token(ACME_TOKEN), Some(I11)),
        (Request::new(Method::Get, &format!("/v2/{}", &ACME_TOKEN[40..80])).token(ACME_TOKEN), Some(I11)),
        (of(Some(ACME_TOKEN), Method::Post).json(&json!([{ "description": ACME_TOKEN }])), Some(I11)),
        // Another one's, which this caller cannot know from its header.
        (Request::new(Method::Get, &format!("/v2/{}", &GLOBEX_TOKEN[40..60])).token(ACME_TOKEN), None),
    ] {
        let bench = Bench::alone(State::default());
        block_on(bench.simulator.answer(&request));
        assert_eq!(bench.tripped(), Vec::<Invariant>::from_iter(expected), "{}", request.method);
    }
    let bench = Bench::alone(State::default());
    bench.get(&list());
    bench.event(&Event::RevokeToken { token: ACME_TOKEN.into() });
    bench.add(&["10.0.0.1"]);
    bench.is_clean("revoked while it was under way");
}

#[test]
fn a_violation_tells_who_and_what_and_never_the_token() {
    let bench = Bench::alone(with_list(true, &["10.0.0.1", "!10.0.0.2"]));
    bench.ask(Method::Delete, &format!("{}?token={ACME_TOKEN}", list()), &Value::Null);
    let all = bench.simulator.violations();
    let told = serde_json::to_string(&all).unwrap() + &format!("{all:?} {}", all[0]);
    for part in ACME_TOKEN.split(':').skip(1) {
        assert!(!told.contains(part), "{told}");
    }
    let one = &all[0];
    assert_eq!(one.who, "token 1 of acme (Organization Administrator)");
    assert_eq!(one.before, "restricted: 10.0.0.1 on, 10.0.0.2 off");
    assert_eq!(one.after, "no list, everybody gets in");
    assert!(one.request.starts_with("DELETE /v2/databases/"), "{}", one.request);
    assert_eq!(all.iter().map(|one| one.invariant).collect::<Vec<_>>(), [I11, I1]);
}

#[test]
fn nobody_looks_unless_asked_and_a_new_world_is_a_new_story() {
    let simulator = astra_simulator::Simulator::new(with_list(true, &["10.0.0.1"]));
    block_on(simulator.answer(&Request::new(Method::Delete, &list()).token(ACME_TOKEN)));
    assert!(simulator.violations().is_empty());
    let bench = Bench::alone(with_link(&[], &["vpce-1"]));
    bench.get(&link("private-link"));
    bench.simulator.put_state(with_link(&[], &["vpce-1"]));
    bench.disconnect("vpce-1");
    assert_eq!(bench.tripped(), [I6], "what was shown in another world counts for nothing");
}

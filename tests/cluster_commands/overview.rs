//! The tree, from objects as the API server gives them.

use anstream::adapter::strip_str;
use astra_operator::{
    kinds::KINDS,
    overview::{
        Overview,
        read::Seen,
        standing::{Standing, State},
        text::{age, text, wrapped},
    },
};
use expect_test::expect;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

fn now() -> Timestamp {
    "2026-01-02T00:00:00Z".parse().unwrap()
}

fn condition(type_: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({
        "type": type_, "status": status, "reason": reason, "message": message,
        "observedGeneration": 1, "lastTransitionTime": "2026-01-01T23:57:00Z",
    })
}

fn ready(message: &str) -> Value {
    json!({ "observedGeneration": 1, "conditions": [condition("Ready", "True", "UpToDate", message)] })
}

fn stalled(reason: &str, message: &str) -> Value {
    json!({
        "observedGeneration": 1,
        "conditions": [condition("Ready", "False", reason, message), condition("Stalled", "True", reason, message)],
    })
}

fn object(name: &str, spec: Value, mut status: Value, more: Value) -> Value {
    let mut metadata = json!({ "namespace": "team-a", "name": name, "uid": name, "generation": 1 });
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    if status["databaseId"].is_null() && status["conditions"][0]["status"] == "True" {
        status["databaseId"] = json!("4B8A1C52-0f1d-4e6a-9c3b-1d2e3f4a5b01");
        status["databaseName"] = json!("orders");
    }
    json!({ "metadata": metadata, "spec": spec, "status": status })
}

fn seen(objects: &[(&str, Value)]) -> Seen {
    let mut seen = Seen::default();
    for (kind, object) in objects {
        let kind = KINDS.iter().position(|entry| entry.kind == *kind).unwrap();
        seen.put(kind, [object.clone()]);
    }
    seen
}

fn of_orders(more: Value) -> Value {
    let mut spec = json!({ "database": { "name": "orders" } });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    spec
}

fn world() -> Seen {
    let mut list = ready("1 address or network gets in, nobody else");
    list["publicAccess"] = json!("Listed");
    list["addressCount"] = json!(3);
    list["owned"] = json!(["address/203.0.113.7/32", "address/198.51.100.0/24"]);
    list["unmanagedAddresses"] = json!(["10.0.0.1"]);
    let mut endpoint = stalled(
        "EndpointRejected",
        "Astra has vpce-1 as Rejected; a message that is so long that it does not fit into one line of a terminal, and goes on",
    );
    endpoint["databaseId"] = json!("4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01");
    endpoint["databaseName"] = json!("orders");
    endpoint["serviceName"] = json!("com.amazonaws.vpce-svc-1");
    endpoint["provider"] = json!("AWS");
    endpoint["region"] = json!("us-east-2");
    endpoint["endpoints"] =
        json!([{ "id": "vpce-1", "status": "Rejected" }, { "id": "vpce-2", "status": "Accepted" }]);
    let mut peering = ready("peered with shared");
    peering["databaseId"] = json!("4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b08");
    peering["databaseName"] = json!("archive");
    peering["peeringStatus"] = json!("active");
    peering["peerNetwork"] =
        json!({ "account": "acme-network", "network": "shared", "cidrBlock": "10.104.0.0/16" });
    let addresses = json!([
        { "address": "203.0.113.7" }, { "address": "198.51.100.0/24", "enabled": false }, { "address": "192.0.2.1" },
    ]);
    let deleted = json!({ "deletionTimestamp": "2026-01-01T23:59:00Z" });
    seen(&[
        ("AstraAccessList", object("list", of_orders(json!({ "addresses": addresses })), list, json!({}))),
        (
            "AstraPrivateEndpoint",
            object(
                "endpoint",
                of_orders(
                    json!({ "allowedPrincipals": ["arn:1"], "endpoints": [{ "id": "vpce-1" }, { "id": "vpce-3" }] }),
                ),
                endpoint,
                json!({}),
            ),
        ),
        (
            "AstraVpcPeering",
            object("peering", json!({ "database": { "name": "archive" } }), peering, deleted),
        ),
        // Not looked at: by its name it is the database above.
        (
            "AstraAccessList",
            object("new", of_orders(json!({})), json!({ "observedGeneration": -1 }), json!({})),
        ),
        (
            "AstraAccessList",
            object(
                "later\u{1b}[31m",
                json!({ "database": { "name": "payments" } }),
                json!({}),
                json!({ "annotations": { "astra.datastax.com/paused": "true" } }),
            ),
        ),
    ])
}

#[test]
fn the_tree_is_aligned_and_troubles_come_first() {
    let mut seen = world();
    seen.refused.insert(2, "you may not list\nastravpcpeerings".to_owned());
    let shown = strip_str(&text(&Overview::new(&seen, Some("team-a")), now())).to_string();
    expect![[r"
        note: you may not list\nastravpcpeerings
        5 objects on 3 databases in the namespace team-a: 1 stalled, 1 waits, 1 deleting, 1 paused, 1 ready

        orders  4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01
        ├─ ✗ stalled  AstraPrivateEndpoint  team-a/endpoint    EndpointRejected for 3m
        │  │    Astra has vpce-1 as Rejected; a message that is so long that it does not fit into one line of a
        │  │    terminal, and goes on
        │  ├─ service    com.amazonaws.vpce-svc-1  AWS us-east-2
        │  ├─ principals 0 of 1 allowed
        │  ├─ endpoint   vpce-1                    Rejected
        │  ├─ endpoint   vpce-2                    Accepted
        │  └─ endpoint   vpce-3                    not seen in Astra
        ├─ … waits    AstraAccessList       team-a/new         NotLookedAt
        │       no operator has looked at it yet
        └─ ✓ ready    AstraAccessList       team-a/list        for 3m  1 address or network gets in, nobody else
           ├─ access     Listed           the listed addresses get in; 3 in the list
           ├─ address    203.0.113.7      listed
           ├─ address    198.51.100.0/24  switched off
           ├─ address    192.0.2.1        not seen in Astra
           └─ others     1 address        of others, left alone

        archive  4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b08
        └─ − deleting AstraVpcPeering       team-a/peering     Deleting for 60s
           │    its deletion was asked for
           └─ peering    acme-network shared 10.104.0.0/16  active

        payments  not looked up yet
        └─ ‖ paused   AstraAccessList       team-a/later\u{1b}[31m  PausedByAnnotation
                nothing is sent to Astra for it; its spec as it is now was not carried out before
    "]].assert_eq(&shown);
}

#[test]
fn one_word_tells_how_an_object_stands() {
    let paused = json!({ "annotations": { "astra.datastax.com/paused": "true" } });
    let deleted = json!({ "deletionTimestamp": "2026-01-01T23:59:00Z" });
    let newer = json!({ "generation": 2 });
    let both = json!({ "annotations": { "astra.datastax.com/paused": "true" }, "deletionTimestamp": "2026-01-01T23:59:00Z", "generation": 2 });
    let conflict = || stalled("Conflict", "another is older");
    for (status, more, expected) in [
        (ready("all"), json!({}), (State::Ready, true, false, "UpToDate")),
        (ready("all"), newer.clone(), (State::Waits, false, false, "NotLookedAt")),
        (ready("all"), deleted.clone(), (State::Deleting, false, false, "Deleting")),
        (ready("all"), paused.clone(), (State::Paused, true, false, "PausedByAnnotation")),
        (ready("all"), both, (State::Paused, false, false, "PausedByAnnotation")),
        (conflict(), json!({}), (State::Stalled, false, true, "Conflict")),
        // What it said is about another spec.
        (conflict(), newer, (State::Waits, false, false, "NotLookedAt")),
        (conflict(), deleted, (State::Deleting, false, true, "Conflict")),
        (conflict(), paused, (State::Paused, false, true, "PausedByAnnotation")),
        (json!({ "observedGeneration": -1 }), json!({}), (State::Waits, false, false, "NotLookedAt")),
        (json!({}), json!({}), (State::Waits, false, false, "NotLookedAt")),
        (json!({ "conditions": "odd" }), json!({}), (State::Waits, false, false, "NotLookedAt")),
        (
            json!({ "observedGeneration": 1, "conditions": [condition("Ready", "False", "RateLimited", "…")] }),
            json!({}),
            (State::Waits, false, false, "RateLimited"),
        ),
    ] {
        let object = object("x", of_orders(json!({})), status, more);
        let Standing { state, ready, stalled, reason, .. } = Standing::of(&object);
        assert_eq!((state, ready, stalled, reason.as_str()), expected, "{object}");
    }
}

#[test]
fn a_long_list_is_cut_and_what_needs_a_look_is_not_what_is_cut() {
    let mut status = ready("all");
    let addresses: Vec<Value> = (0..200).map(|last| json!({ "address": format!("10.0.0.{last}") })).collect();
    let owned: Vec<String> = (0..199).map(|last| format!("address/10.0.0.{last}/32")).collect();
    status["owned"] = json!(owned);
    let list = object("list", of_orders(json!({ "addresses": addresses })), status, json!({}));
    let overview = Overview::new(&seen(&[("AstraAccessList", list)]), None);
    let parts = &overview.databases[0].objects[0].parts;
    assert_eq!(parts.len(), 20);
    assert_eq!((parts[0].name.as_str(), parts[0].odd), ("10.0.0.199", true));
    assert_eq!((parts[19].name.as_str(), parts[19].odd), ("and 181 more", false));
}

#[test]
fn of_two_databases_with_one_name_nobody_guesses() {
    let with_id = |name: &str, id: &str| {
        let mut status = ready("all");
        status["databaseId"] = json!(id);
        status["databaseName"] = json!("staging");
        object(name, json!({ "database": { "id": id } }), status, json!({}))
    };
    let by_name = object("c", json!({ "database": { "name": "staging" } }), json!({}), json!({}));
    let objects = [
        ("AstraAccessList", with_id("a", "00000000-0000-4000-8000-000000000001")),
        ("AstraAccessList", with_id("b", "00000000-0000-4000-8000-000000000002")),
        ("AstraAccessList", by_name),
    ];
    let count = |objects: &[(&str, Value)]| {
        let overview = Overview::new(&seen(objects), None);
        overview.databases.iter().map(|node| node.objects.len()).collect::<Vec<_>>()
    };
    assert_eq!(count(&objects), [1, 1, 1], "each is alone");
    assert_eq!(count(&objects[1..]), [2], "there is only one of that name");
}

#[test]
fn ages_and_lines() {
    let at = |seconds: i64| Timestamp::from_second(now().as_second() - seconds).unwrap();
    let ages = [-5, 0, 119, 120, 7_199, 7_200, 172_799, 172_800].map(|seconds| age(now(), at(seconds)));
    assert_eq!(ages, ["0s", "0s", "119s", "2m", "119m", "2h", "47h", "2d"]);
    assert_eq!(wrapped("one two  three-and-more four", 8), ["one two", "three-and-more", "four"]);
    assert_eq!(wrapped("", 8), [""; 0]);
}

//! The built-in kinds that the operator and its users touch.

use serde_json::{Value, json};

use crate::sequence::{Sequence, apply, delete, get, json_patch, merge, post, put, sequence, steps, watch};

const SECRETS: &str = "/api/v1/namespaces/{ns}/secrets";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases";
const EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/{ns}/events";

fn lease(holder: &str) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": { "name": "l" },
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": 15,
            "acquireTime": "2026-01-01T00:00:00.500000Z",
            "renewTime": "2026-01-01T00:00:00.123456Z",
            "leaseTransitions": 0,
        },
    })
}

fn held_by(holder: &str, version: &str) -> Value {
    let mut lease = lease(holder);
    lease["metadata"]["resourceVersion"] = json!(version);
    lease
}

fn event(name: &str) -> Value {
    json!({
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": { "name": name, "namespace": "{ns}" },
        "action": "Reconcile",
        "reason": "Tested",
        "note": "hello",
        "type": "Normal",
        "eventTime": "2026-11-21T00:00:00.000000Z",
        "reportingController": "c",
        "reportingInstance": "i",
        "regarding": {
            "apiVersion": "astra.datastax.com/v1beta1", "kind": "AstraAccessList", "name": "a", "namespace": "{ns}", "uid": "x",
        },
    })
}

pub(crate) fn sequences() -> Vec<Sequence> {
    let s = format!("{SECRETS}/s");
    let l = format!("{LEASES}/l");
    let e = format!("{EVENTS}/e");
    let secret = |data: Value| json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "data": data });
    let versioned = "${made.metadata.resourceVersion}";
    vec![
        sequence("a secret", steps![
            get(&s),
            post(SECRETS, json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "stringData": { "token": "abc" }, "data": { "x": "eA==" } })).save("made"),
            post(SECRETS, secret(json!({}))),
            get(&s),
            put(&s, json!("${made}")),
            put(&s, secret(json!({ "token": "eQ==" }))),
            merge(&s, json!({ "data": { "token": null, "z": "eg==" } })),
            merge(&s, json!({ "metadata": { "resourceVersion": versioned } })),
            delete(&s),
            delete(&s),
            put(&s, secret(json!({}))),
        ]),
        sequence("a secret without kind and version", steps![
            post(SECRETS, json!({ "metadata": { "name": "s" }, "data": { "token": "eQ==" } })),
        ]),
        sequence("a secret of another id", steps![
            post(SECRETS, secret(json!({}))),
            put(&s, { let mut body = secret(json!({})); body["metadata"]["uid"] = json!("other"); body }),
            merge(&s, json!({ "metadata": { "uid": "other" } })),
        ]),
        sequence("a lease is taken, renewed, and raced for", steps![
            get(&l),
            post(LEASES, lease("a")).save("made"),
            post(LEASES, lease("b")),
            put(&l, held_by("b", versioned)).save("won"),
            put(&l, held_by("c", versioned)),
            put(&l, held_by("b", "${won.metadata.resourceVersion}")),
            put(&l, lease("d")),
            get(&l),
        ]),
        sequence("a lease is made by putting it there", steps![put(&l, lease("a")), put(&l, lease("b"))]),
        sequence("a lease is released", steps![
            post(LEASES, lease("a")).save("made"),
            merge(&l, json!({ "spec": { "holderIdentity": null } })),
            merge(&l, json!({ "spec": { "holderIdentity": "" } })),
            merge(&l, json!({ "metadata": { "resourceVersion": versioned }, "spec": { "holderIdentity": "z" } })),
            json_patch(&l, json!([{ "op": "test", "path": "/spec/leaseDurationSeconds", "value": 15 }, { "op": "replace", "path": "/spec/leaseTransitions", "value": 3 }])),
            merge(&l, json!({ "spec": { "more": 1 } })),
            merge(&l, json!({ "spec": { "leaseDurationSeconds": 0 } })),
            delete(&l),
            get(&l),
        ]),
        sequence("a lease is applied", steps![
            apply(&l, "m", lease("a")),
            apply(&l, "m", json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": { "holderIdentity": "z" } })),
        ]),
        sequence("a lease is watched and listed", steps![
            post(LEASES, lease("a")).save("made"),
            merge(&l, json!({ "spec": { "holderIdentity": "b" } })),
            delete(&l),
            watch(LEASES, "resourceVersion=${made.metadata.resourceVersion}"),
            post(LEASES, lease("c")),
            get(LEASES),
        ]),
        sequence("an event and its series", steps![
            post(EVENTS, event("e")),
            post(EVENTS, event("e")),
            merge(&e, json!({ "series": { "count": 2, "lastObservedTime": "2026-11-21T00:00:01.000000Z" } })),
            merge(&e, json!({ "note": "y" })),
            merge(format!("{EVENTS}/nope"), json!({ "series": null })),
        ]),
        sequence("an event that cannot be", steps![
            post(EVENTS, { let mut body = event("e"); body["note"] = json!("x".repeat(1025)); body }),
            post(EVENTS, { let mut body = event("e"); body["type"] = json!("Foo"); body }),
            post(EVENTS, { let mut body = event("e"); body["reason"] = json!(""); body }),
            post(EVENTS, { let mut body = event("e"); body["action"] = json!(""); body }),
            post(EVENTS, { let mut body = event("e"); body["metadata"]["namespace"] = json!("other"); body }),
        ]),
        sequence("a namespace", steps![
            get("/api/v1/namespaces/{ns}"),
            get("/api/v1/namespaces/{ns}-none"),
            post("/api/v1/namespaces", json!({ "metadata": { "name": "{ns}" } })),
        ]),
    ]
}

//! The status, as the operator writes it and as others may.

use serde_json::{Value, json};

use crate::sequence::{
    LISTS, Sequence, apply, delete, gentle_apply, get, list, merge, one, post, put, sequence, status, steps,
};

fn condition(type_: &str, message: &str) -> Value {
    json!({ "type": type_, "status": "True", "reason": "R", "message": message, "lastTransitionTime": "2026-01-01T00:00:00Z" })
}

pub(crate) fn sequences() -> Vec<Sequence> {
    let a = one("a");
    let s = a.clone() + "/status";
    let versioned = |version: &str, value| {
        let mut body = status(value);
        body["metadata"] = json!({ "resourceVersion": version });
        body
    };
    vec![
        sequence(
            "an apply with the version that was read",
            steps![
                post(LISTS, list("a")).save("made"),
                apply(
                    &s,
                    "m",
                    versioned("${made.metadata.resourceVersion}", json!({ "observedGeneration": 1 }))
                ),
                apply(
                    &s,
                    "m",
                    versioned("${made.metadata.resourceVersion}", json!({ "observedGeneration": 2 }))
                ),
                apply(&s, "m", versioned("1", json!({ "observedGeneration": 2 }))),
                get(&s),
            ],
        ),
        sequence(
            "fields that are left out go",
            steps![
                post(LISTS, list("a")),
                apply(
                    &s,
                    "m",
                    status(
                        json!({ "observedGeneration": 1, "addressCount": 3, "owned": ["a", "b"], "databaseId": "x" })
                    )
                ),
                apply(&s, "m", status(json!({ "observedGeneration": 1, "owned": ["b"] }))),
                apply(&s, "m", status(json!({ "owned": ["b"] }))),
                apply(&s, "m", status(json!({}))),
            ],
        ),
        sequence(
            "an object that is left out goes",
            steps![
                post(LISTS, list("a")),
                apply(
                    &s,
                    "m",
                    status(
                        json!({ "observedGeneration": 1, "inFlight": { "generation": 1, "since": "2026-01-01T00:00:00Z", "steps": ["a"] } })
                    )
                ),
                apply(&s, "m", status(json!({ "observedGeneration": 1 }))),
            ],
        ),
        sequence(
            "conditions are known by their type",
            steps![
                post(LISTS, list("a")),
                apply(
                    &s,
                    "m",
                    status(json!({ "conditions": [condition("Ready", "1"), condition("Paused", "1")] }))
                ),
                apply(&s, "n", status(json!({ "conditions": [condition("Other", "1")] }))),
                apply(
                    &s,
                    "m",
                    status(json!({ "conditions": [condition("Stalled", "2"), condition("Ready", "2")] }))
                ),
                apply(&s, "m", status(json!({ "conditions": [] }))),
            ],
        ),
        sequence(
            "nulls in an apply",
            steps![
                post(LISTS, list("a")),
                apply(
                    &s,
                    "m",
                    status(json!({ "observedGeneration": 1, "addressCount": null, "databaseId": "x" }))
                ),
                apply(&s, "m", status(json!({ "observedGeneration": 1, "databaseId": null }))),
            ],
        ),
        sequence(
            "an apply that changes nothing does nothing",
            steps![
                post(LISTS, list("a")),
                apply(
                    &s,
                    "m",
                    status(json!({ "observedGeneration": 1, "conditions": [condition("Ready", "1")] }))
                ),
                apply(
                    &s,
                    "m",
                    status(json!({ "observedGeneration": 1, "conditions": [condition("Ready", "1")] }))
                ),
                apply(&s, "n", status(json!({ "observedGeneration": 1 }))),
                apply(&s, "n", status(json!({ "observedGeneration": 1 }))),
            ],
        ),
        sequence(
            "somebody tampers, and the manager applies again",
            steps![
                post(LISTS, list("a")),
                apply(&s, "m", status(json!({ "observedGeneration": 1, "addressCount": 3, "owned": ["a"] }))),
                merge(&s, json!({ "status": { "addressCount": 9, "databaseId": "y", "owned": null } })),
                apply(&s, "m", status(json!({ "observedGeneration": 1, "addressCount": 3, "owned": ["a"] }))),
                apply(&s, "m", status(json!({ "observedGeneration": 1 }))),
            ],
        ),
        sequence(
            "somebody tampers, and the manager leaves the field out",
            steps![
                post(LISTS, list("a")),
                apply(&s, "m", status(json!({ "observedGeneration": 1, "addressCount": 3 }))),
                merge(&s, json!({ "status": { "addressCount": 9 } })),
                apply(&s, "m", status(json!({ "observedGeneration": 1 }))),
            ],
        ),
        sequence(
            "an apply that is not forced",
            steps![
                post(LISTS, list("a")),
                apply(&s, "m", status(json!({ "observedGeneration": 1, "addressCount": 3 }))),
                gentle_apply(&s, "n", status(json!({ "observedGeneration": 1 }))),
                gentle_apply(&s, "n", status(json!({ "observedGeneration": 2 }))),
                gentle_apply(&s, "n", status(json!({ "observedGeneration": 2, "addressCount": 4 }))),
                gentle_apply(&s, "m", status(json!({ "observedGeneration": 1, "addressCount": 4 }))),
            ],
        ),
        sequence(
            "another id is not looked at in a status",
            steps![
                post(LISTS, list("a")),
                apply(&s, "m", {
                    let mut body = status(json!({ "observedGeneration": 1 }));
                    body["metadata"] = json!({ "uid": "other" });
                    body
                }),
            ],
        ),
        sequence(
            "applies that make no sense",
            steps![
                post(LISTS, list("a")),
                apply(&s, "m", json!({ "status": { "observedGeneration": 1 } })),
                apply(&s, "m", {
                    let mut body = status(json!({}));
                    body["apiVersion"] = json!("astra.datastax.com/v1");
                    body
                }),
                apply(&s, "m", {
                    let mut body = status(json!({}));
                    body["metadata"] = json!({ "name": "b" });
                    body
                }),
                apply(&s, "m", status(json!({ "observedGeneration": 1, "more": 1 }))),
                merge(&s, status(json!({}))).raw(crate::sequence::APPLY, "{}"),
                apply(&(one("nope") + "/status"), "m", status(json!({ "observedGeneration": 1 }))),
            ],
        ),
        sequence(
            "only the status is changed",
            steps![
                post(LISTS, list("a")),
                merge(
                    &s,
                    json!({
                        "metadata": { "labels": { "a": "b" }, "annotations": { "a": "b" }, "finalizers": ["a.io/b"] },
                        "spec": { "publicAccess": "Open" },
                        "status": { "observedGeneration": 7 },
                    })
                ),
                apply(&s, "m", {
                    let mut body = list("a");
                    body["metadata"]["labels"] = json!({ "a": "b" });
                    body["spec"]["publicAccess"] = json!("Open");
                    body["status"] = json!({ "observedGeneration": 8 });
                    body
                }),
                get(&a),
            ],
        ),
        sequence(
            "a merge of no status brings the default back",
            steps![
                post(LISTS, list("a")),
                merge(&s, json!({ "status": { "observedGeneration": 7, "addressCount": 1 } })),
                merge(&s, json!({ "status": null })),
                merge(&s, json!({ "status": { "observedGeneration": null } })),
            ],
        ),
        sequence(
            "a whole status",
            steps![
                post(LISTS, list("a")).save("made"),
                put(&s, {
                    let mut body = list("a");
                    body["metadata"]["resourceVersion"] = json!("${made.metadata.resourceVersion}");
                    body["spec"]["publicAccess"] = json!("Open");
                    body["status"] = json!({ "addressCount": 2 });
                    body
                }),
                put(&s, {
                    let mut body = list("a");
                    body["metadata"]["resourceVersion"] = json!("${made.metadata.resourceVersion}");
                    body["status"] = json!({ "addressCount": 3 });
                    body
                }),
                put(&s, {
                    let mut body = list("a");
                    body["status"] = json!({ "addressCount": 3 });
                    body
                }),
            ],
        ),
        sequence(
            "a status of an object that is being deleted, and of one that is gone",
            steps![
                post(LISTS, {
                    let mut body = list("a");
                    body["metadata"]["finalizers"] = json!(["a.io/b"]);
                    body
                }),
                delete(&a),
                apply(&s, "m", status(json!({ "observedGeneration": 2 }))),
                merge(&a, json!({ "metadata": { "finalizers": null } })),
                apply(&s, "m", status(json!({ "observedGeneration": 3 }))),
            ],
        ),
        sequence(
            "a status for an object that was made anew",
            steps![
                post(LISTS, list("a")).save("first"),
                delete(&a),
                post(LISTS, list("a")),
                apply(
                    &s,
                    "m",
                    versioned("${first.metadata.resourceVersion}", json!({ "observedGeneration": 1 }))
                ),
                get(&a),
            ],
        ),
    ]
}

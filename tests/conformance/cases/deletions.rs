//! Deleting, with finalizers and without.

use serde_json::{Value, json};

use crate::sequence::{
    LISTS, Sequence, Step, delete, delete_with, get, json_patch, list, list_with, merge, one, post, put,
    sequence, steps, watch,
};

fn held(finalizers: &[&str]) -> Value {
    list_with(json!({ "name": "a", "finalizers": finalizers }))
}

fn only(finalizers: &[&str]) -> Value {
    json!({ "metadata": { "finalizers": finalizers } })
}

pub(crate) fn sequences() -> Vec<Sequence> {
    let a = one("a");
    let all = "resourceVersion=${made.metadata.resourceVersion}";
    vec![
        sequence(
            "at once",
            steps![post(LISTS, list("a")).save("made"), delete(&a), get(&a), delete(&a), watch(LISTS, all)],
        ),
        sequence(
            "with options",
            steps![
                post(LISTS, list("a")),
                delete_with(
                    &a,
                    json!({ "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background" })
                ),
            ],
        ),
        sequence(
            "with a finalizer",
            steps![
                post(LISTS, held(&["a.io/b"])).save("made"),
                delete(&a),
                Step::Pass,
                delete(&a),
                merge(&a, only(&[])),
                get(&a),
                watch(LISTS, all),
            ],
        ),
        sequence(
            "with two finalizers",
            steps![
                post(LISTS, held(&["a.io/b", "a.io/c"])).save("made"),
                delete(&a),
                merge(&a, only(&["a.io/c"])),
                merge(&a, only(&[])),
                get(&a),
                watch(LISTS, all),
            ],
        ),
        sequence(
            "the last finalizer by a JSON patch",
            steps![
                post(LISTS, held(&["a.io/b"])),
                delete(&a),
                json_patch(
                    &a,
                    json!([{ "op": "test", "path": "/metadata/finalizers/0", "value": "a.io/b" }, { "op": "remove", "path": "/metadata/finalizers/0" }])
                ),
                get(&a),
            ],
        ),
        sequence(
            "the last finalizer by a whole object",
            steps![
                post(LISTS, held(&["a.io/b"])),
                delete(&a).save("going"),
                put(
                    &a,
                    list_with(json!({ "name": "a", "resourceVersion": "${going.metadata.resourceVersion}" }))
                ),
                get(&a),
            ],
        ),
        sequence(
            "no new finalizers while it goes",
            steps![
                post(LISTS, held(&["a.io/b"])),
                delete(&a),
                merge(&a, only(&["a.io/b", "a.io/c"])),
                merge(&a, only(&["a.io/c"])),
            ],
        ),
        sequence(
            "there is no way back",
            steps![
                post(LISTS, held(&["a.io/b"])),
                delete(&a),
                merge(&a, json!({ "metadata": { "deletionTimestamp": null } })),
                merge(&a, json!({ "metadata": { "deletionTimestamp": "2020-01-01T00:00:00Z" } })),
                post(LISTS, list("a")),
            ],
        ),
        sequence(
            "it can be changed while it goes",
            steps![
                post(LISTS, held(&["a.io/b"])),
                delete(&a),
                merge(
                    &a,
                    json!({ "spec": { "management": "Shared" }, "metadata": { "labels": { "a": "b" } } })
                ),
            ],
        ),
        sequence(
            "finalizers go with an old version in hand",
            steps![
                post(LISTS, held(&["a.io/b"])).save("made"),
                delete(&a),
                merge(
                    &a,
                    json!({ "metadata": { "finalizers": [], "resourceVersion": "${made.metadata.resourceVersion}" } })
                ),
                get(&a),
            ],
        ),
        sequence(
            "gone while it is patched",
            steps![
                post(LISTS, list("a")).save("made"),
                delete(&a),
                merge(
                    &a,
                    json!({ "metadata": { "resourceVersion": "${made.metadata.resourceVersion}", "finalizers": ["a.io/b"] } })
                ),
                put(&a, json!("${made}")),
            ],
        ),
        sequence(
            "preconditions",
            steps![
                post(LISTS, list("a")).save("made"),
                delete_with(&a, json!({ "preconditions": { "uid": "other" } })),
                delete_with(&a, json!({ "preconditions": { "resourceVersion": "1" } })),
                delete_with(
                    &a,
                    json!({ "preconditions": { "uid": "${made.metadata.uid}", "resourceVersion": "${made.metadata.resourceVersion}" } })
                ),
            ],
        ),
        sequence(
            "preconditions of one that is held",
            steps![
                post(LISTS, held(&["a.io/b"])).save("made"),
                delete_with(&a, json!({ "preconditions": { "uid": "other" } })),
                delete_with(&a, json!({ "preconditions": { "uid": "${made.metadata.uid}" } })),
                delete_with(
                    &a,
                    json!({ "preconditions": { "resourceVersion": "${made.metadata.resourceVersion}" } })
                ),
            ],
        ),
        sequence(
            "a namespace goes with what is in it",
            steps![
                post(LISTS, held(&["a.io/b"])),
                post(LISTS, list("b")).save("made"),
                delete("/api/v1/namespaces/{ns}"),
                Step::Until("/apis/astra.datastax.com/v1beta1/namespaces/{ns}/astraaccesslists/b", 404),
                post(LISTS, list("c")),
                Step::Pass,
                get(&a),
                merge(&a, only(&[])),
                Step::Until("/api/v1/namespaces/{ns}", 404),
                get(&a),
            ],
        ),
    ]
}

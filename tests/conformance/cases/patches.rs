//! The three sorts of patches, on the object itself.

use serde_json::json;

use crate::sequence::{
    LISTS, Sequence, apply, gentle_apply, get, json_patch, list, merge, one, post, sequence, steps,
};

pub(crate) fn sequences() -> Vec<Sequence> {
    let a = one("a");
    let applied =
        |spec| json!({ "apiVersion": "astra.datastax.com/v1beta1", "kind": "AstraAccessList", "spec": spec });
    vec![
        sequence(
            "merge: nulls take away, lists are replaced",
            steps![
                post(LISTS, list("a")),
                merge(&a, json!({ "metadata": { "labels": { "a": "1", "b": "2" } } })),
                merge(
                    &a,
                    json!({ "metadata": { "labels": { "a": null } }, "spec": { "addresses": [{ "address": "203.0.113.8" }] } })
                ),
                merge(&a, json!({ "spec": { "management": null, "publicAccess": null } })),
                merge(&a, json!({ "metadata": { "labels": null } })),
            ],
        ),
        sequence(
            "merge with a version",
            steps![
                post(LISTS, list("a")).save("made"),
                merge(
                    &a,
                    json!({ "metadata": { "resourceVersion": "${made.metadata.resourceVersion}", "finalizers": ["a.io/b"] } })
                ),
                merge(
                    &a,
                    json!({ "metadata": { "resourceVersion": "${made.metadata.resourceVersion}", "finalizers": [] } })
                ),
                merge(&a, json!({ "metadata": { "resourceVersion": null, "finalizers": [] } })),
                get(&a),
            ],
        ),
        sequence(
            "merge with another identity",
            steps![
                post(LISTS, list("a")),
                merge(&a, json!({ "metadata": { "name": "b" } })),
                merge(&a, json!({ "metadata": { "namespace": "b" } })),
                merge(&a, json!({ "metadata": { "uid": "b" } })),
                merge(&a, json!({ "metadata": { "creationTimestamp": "2020-01-01T00:00:00Z" } })),
                merge(&a, json!({ "metadata": { "deletionTimestamp": "2020-01-01T00:00:00Z" } })),
                merge(&a, json!({ "metadata": { "deletionGracePeriodSeconds": 5 } })),
            ],
        ),
        sequence(
            "merge does not touch the status",
            steps![
                post(LISTS, list("a")),
                merge(&a, json!({ "status": { "observedGeneration": 8 } })),
                merge(&a, json!({ "status": null })),
            ],
        ),
        sequence(
            "a JSON patch and its tests",
            steps![
                post(LISTS, list("a")).save("made"),
                json_patch(
                    &a,
                    json!([
                        { "op": "test", "path": "/metadata/uid", "value": "${made.metadata.uid}" },
                        { "op": "add", "path": "/metadata/finalizers", "value": ["a.io/b"] },
                    ])
                ),
                json_patch(
                    &a,
                    json!([{ "op": "test", "path": "/metadata/uid", "value": "other" }, { "op": "remove", "path": "/metadata/finalizers" }])
                ),
                json_patch(&a, json!([{ "op": "remove", "path": "/metadata/labels/x" }])),
                json_patch(
                    &a,
                    json!([{ "op": "replace", "path": "/spec/addresses/0/description", "value": "office" }])
                ),
                json_patch(&a, json!([])),
            ],
        ),
        sequence(
            "patches of another sort",
            steps![
                post(LISTS, list("a")),
                merge(&a, json!({})).raw("application/strategic-merge-patch+json", "{}"),
                merge(&a, json!({})).raw("text/plain", "{}"),
            ],
        ),
        sequence(
            "an apply makes what is not there",
            steps![apply(&a, "m", list("a")), apply(&a, "m", list("a")), get(&a),],
        ),
        sequence(
            "an apply takes away what it leaves out",
            steps![
                apply(&a, "m", {
                    let mut object = list("a");
                    object["metadata"]["labels"] = json!({ "l": "1", "k": "2" });
                    object["spec"]["addresses"] = json!([{ "address": "203.0.113.7" }, { "address": "203.0.113.8", "description": "b" }]);
                    object
                }),
                merge(&a, json!({ "metadata": { "labels": { "k": "people" } } })),
                apply(&a, "m", list("a")),
            ],
        ),
        sequence(
            "an apply leaves what others own",
            steps![
                post(LISTS, list("a")),
                apply(
                    &a,
                    "m",
                    applied(json!({ "addresses": [{ "address": "203.0.113.9", "description": "m" }] }))
                ),
                apply(
                    &a,
                    "n",
                    applied(json!({ "addresses": [{ "address": "203.0.113.10", "description": "n" }] }))
                ),
                apply(
                    &a,
                    "m",
                    applied(json!({ "addresses": [{ "address": "203.0.113.11", "description": "m" }] }))
                ),
            ],
        ),
        sequence(
            "an apply that is not forced takes nothing from others",
            steps![
                apply(&a, "m", list("a")),
                gentle_apply(&a, "n", applied(json!({ "publicAccess": "Listed" }))),
                gentle_apply(&a, "n", applied(json!({ "publicAccess": "Blocked" }))),
                gentle_apply(
                    &a,
                    "n",
                    applied(json!({ "publicAccess": "Blocked", "database": { "name": "other" } }))
                ),
                apply(&a, "n", applied(json!({ "publicAccess": "Blocked" }))),
            ],
        ),
        sequence(
            "an apply with another id",
            steps![
                apply(&a, "m", list("a")),
                apply(&a, "m", {
                    let mut object = list("a");
                    object["metadata"]["uid"] = json!("other");
                    object
                }),
            ],
        ),
    ]
}

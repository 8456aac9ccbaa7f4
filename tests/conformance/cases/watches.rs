//! Watches: what they tell of what happened, before and after they were opened.

use serde_json::json;

use crate::sequence::{
    ALL, LISTS, METADATA, Sequence, Step, apply, delete, get, list, list_with, merge, one, post, sequence,
    status, steps, watch,
};

pub(crate) fn sequences() -> Vec<Sequence> {
    let a = one("a");
    let since = "resourceVersion=${made.metadata.resourceVersion}";
    let second = LISTS.replace("{ns}", "{ns2}");
    vec![
        sequence(
            "from a revision",
            steps![
                post(LISTS, list("a")).save("made"),
                merge(&a, json!({ "spec": { "management": "Shared" } })),
                merge(&a, json!({ "spec": { "management": "Shared" } })),
                apply(&(one("a") + "/status"), "m", status(json!({ "observedGeneration": 2 }))),
                post(LISTS, list("b")),
                delete(&a),
                post(LISTS, list("a")),
                watch(LISTS, since),
            ],
        ),
        sequence(
            "from nowhere, and from any revision",
            steps![
                post(LISTS, list("b")),
                post(LISTS, list("a")),
                watch(LISTS, ""),
                watch(LISTS, "resourceVersion=0"),
            ],
        ),
        sequence(
            "while it happens",
            steps![
                post(LISTS, list("a")).save("made"),
                Step::Open("w", get(format!("{LISTS}?watch=true&timeoutSeconds=2&{since}"))),
                post(LISTS, list("b")),
                merge(&a, json!({ "metadata": { "finalizers": ["a.io/b"] } })),
                delete(&a),
                merge(&a, json!({ "metadata": { "finalizers": null } })),
                Step::Finish("w"),
            ],
        ),
        sequence(
            "of all namespaces",
            steps![
                post(LISTS, list("a")).save("made"),
                post(&second, list("a")),
                delete(&a),
                watch(ALL, since),
                watch(LISTS, since),
                watch(&second, since),
            ],
        ),
        sequence(
            "of a revision that is not there yet: silence",
            steps![
                post(LISTS, list("a")),
                Step::Open(
                    "w",
                    get(format!(
                        "{LISTS}?watch=true&timeoutSeconds=2&resourceVersion=99999999&allowWatchBookmarks=true"
                    ))
                ),
                post(LISTS, list("b")),
                Step::Finish("w"),
            ],
        ),
        sequence("of a revision that makes no sense", steps![watch(LISTS, "resourceVersion=abc")]),
        sequence(
            "of metadata",
            steps![
                post(LISTS, list("a")).save("made"),
                merge(&a, json!({ "metadata": { "labels": { "a": "b" } } })),
                delete(&a),
                watch(LISTS, since).accept(METADATA),
            ],
        ),
        sequence(
            "of one name",
            steps![
                post(LISTS, list("a")).save("made"),
                post(LISTS, list("b")),
                delete(&a),
                watch(LISTS, &format!("{since}&fieldSelector=metadata.name%3Da")),
                watch(LISTS, "fieldSelector=metadata.name%3Db"),
            ],
        ),
        sequence(
            "of a label that comes and goes",
            steps![
                post(LISTS, list("a")).save("made"),
                merge(&a, json!({ "metadata": { "labels": { "l": "1" } } })),
                merge(&a, json!({ "metadata": { "labels": { "l": "1", "k": "1" } } })),
                merge(&a, json!({ "metadata": { "labels": { "l": "2" } } })),
                merge(&a, json!({ "metadata": { "labels": { "k": "3" } } })),
                watch(LISTS, &format!("{since}&labelSelector=l%3D1")),
            ],
        ),
        sequence(
            "with what is there at first",
            steps![
                post(LISTS, list("a")),
                post(LISTS, list("b")),
                watch(
                    LISTS,
                    "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
                ),
            ],
        ),
        sequence(
            "bookmarks shortly before the end",
            steps![
                post(LISTS, list_with(json!({ "name": "a" }))).save("made"),
                get(format!("{LISTS}?watch=true&timeoutSeconds=8&allowWatchBookmarks=true&{since}")),
                get(format!("{LISTS}?watch=true&timeoutSeconds=4&{since}")),
            ],
        ),
        sequence("of a revision that is forgotten", steps![watch(LISTS, "resourceVersion=1"),]),
    ]
}

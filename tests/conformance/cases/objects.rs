//! Making, getting and replacing objects of a definition.

use serde_json::json;

use crate::sequence::{
    LISTS, METADATA, Sequence, get, list, list_with, merge, one, post, put, sequence, steps,
};

pub(crate) fn sequences() -> Vec<Sequence> {
    let with = |field: &str, value| {
        let mut object = list("a");
        object[field] = value;
        object
    };
    vec![
        sequence("make, get, make again", steps![
            post(LISTS, list("a")),
            get(one("a")),
            post(LISTS, list("a")),
        ]),
        sequence("defaults come", steps![
            post(LISTS, with("spec", json!({ "database": { "name": "orders" }, "publicAccess": "Blocked" }))),
            post(LISTS, {
                let mut object = list("b");
                object["spec"]["credentials"] = json!({ "key": "other" });
                object["spec"]["addresses"] = json!([{ "address": "203.0.113.7", "enabled": true }, { "address": "203.0.113.8" }]);
                object
            }),
        ]),
        sequence("nulls where none may be are as nothing, if there is a default", steps![
            post(LISTS, {
                let mut object = list("a");
                object["spec"]["credentials"] = json!(null);
                object["spec"]["database"]["id"] = json!(null);
                object
            }),
        ]),
        sequence("unknown fields go", steps![
            post(LISTS, {
                let mut object = list("a");
                object["more"] = json!(1);
                object["metadata"]["more"] = json!(1);
                object["spec"]["more"] = json!({ "a": 1 });
                object["spec"]["addresses"][0]["more"] = json!(1);
                object
            }),
            merge(one("a"), json!({ "spec": { "more": 1 } })),
        ]),
        sequence("what only the server says cannot be sent", steps![
            post(LISTS, list_with(json!({
                "name": "a", "uid": "1", "generation": 5, "creationTimestamp": "2020-01-01T00:00:00Z",
                "deletionTimestamp": "2020-01-01T00:00:00Z", "deletionGracePeriodSeconds": 3, "selfLink": "x",
                "finalizers": ["a.io/b"], "labels": { "l": "1" }, "annotations": { "n": "1" },
            }))),
            get(one("a")),
        ]),
        sequence("a status cannot be sent along", steps![
            post(LISTS, with("status", json!({ "observedGeneration": 5, "addressCount": 1 }))),
            get(one("a")),
        ]),
        sequence("a version cannot be sent along", steps![
            post(LISTS, list_with(json!({ "name": "a", "resourceVersion": "1" }))),
        ]),
        sequence("generated names", steps![
            post(LISTS, list_with(json!({ "generateName": "gen-" }))).save("made"),
            get(one("${made.metadata.name}")),
            post(LISTS, list_with(json!({ "generateName": "gen-", "name": "given" }))),
        ]),
        sequence("names that cannot be", steps![
            post(LISTS, list_with(json!({ "name": "Upper" }))),
            post(LISTS, list_with(json!({ "name": "a_b" }))),
            post(LISTS, list_with(json!({ "name": "-a" }))),
            post(LISTS, list_with(json!({ "name": "a..b" }))),
            post(LISTS, list_with(json!({ "name": "a.b-c" }))),
        ]),
        sequence("no name", steps![post(LISTS, list_with(json!({})))]),
        sequence("another namespace than the path's", steps![
            post(LISTS, list_with(json!({ "name": "a", "namespace": "other" }))),
            post(LISTS, list_with(json!({ "name": "a", "namespace": "{ns}" }))),
        ]),
        sequence("a namespace that is not there", steps![
            post(LISTS.replace("{ns}", "{ns}-none"), list("a")),
            get(one("a").replace("{ns}", "{ns}-none")),
            get(LISTS.replace("{ns}", "{ns}-none")),
        ]),
        sequence("what is not there", steps![
            get(one("nope")),
            put(one("nope"), list("nope")),
            put(one("nope"), list_with(json!({ "name": "nope", "resourceVersion": "1" }))),
            merge(one("nope"), json!({})),
            merge(one("nope") + "/status", json!({})),
        ]),
        sequence("kinds and paths that are not there", steps![
            get("/apis/astra.datastax.com/v1beta1/namespaces/{ns}/nopes"),
            get("/apis/astra.datastax.com/v1/namespaces/{ns}/astraaccesslists"),
            get("/apis/nope.io/v1/namespaces/{ns}/astraaccesslists"),
            post("/apis/astra.datastax.com/v1beta1/astraaccesslists", list("a")),
            get("/nope"),
        ]),
        sequence("unknown subresources", steps![
            post(LISTS, list("a")),
            get(one("a") + "/nope"),
            merge(one("a") + "/scale", json!({})),
        ]),
        sequence("kind and version must be right", steps![
            post(LISTS, with("apiVersion", json!("v1"))),
        ]),
        sequence("bodies of another sort", steps![
            post(LISTS, list("a")).raw("text/plain", "{}"),
            put(one("a"), list("a")).raw("text/plain", "{}"),
        ]),
        sequence("replace with the version that is there", steps![
            post(LISTS, list("a")).save("made"),
            put(one("a"), {
                let mut object = list_with(json!({ "name": "a", "resourceVersion": "${made.metadata.resourceVersion}", "labels": { "a": "b" } }));
                object["spec"]["management"] = json!("Shared");
                object["status"] = json!({ "observedGeneration": 9 });
                object
            }).save("changed"),
            put(one("a"), json!("${changed}")),
            put(one("a"), list_with(json!({ "name": "a", "resourceVersion": "${changed.metadata.resourceVersion}" }))),
            get(one("a")),
        ]),
        sequence("replace with an old version", steps![
            post(LISTS, list("a")).save("made"),
            merge(one("a"), json!({ "metadata": { "labels": { "a": "b" } } })),
            put(one("a"), json!("${made}")),
            put(one("a"), list_with(json!({ "name": "a", "resourceVersion": "1" }))),
        ]),
        sequence("replace without a version", steps![post(LISTS, list("a")), put(one("a"), list("a"))]),
        sequence("replace with another id", steps![
            post(LISTS, list("a")).save("made"),
            put(one("a"), list_with(json!({ "name": "a", "resourceVersion": "${made.metadata.resourceVersion}", "uid": "other" }))),
        ]),
        sequence("replace under another name", steps![
            post(LISTS, list("a")).save("made"),
            put(one("a"), list_with(json!({ "name": "b", "resourceVersion": "${made.metadata.resourceVersion}" }))),
            put(one("a"), list_with(json!({ "resourceVersion": "${made.metadata.resourceVersion}" }))),
            put(LISTS, list("a")),
        ]),
        sequence("the first write that changes nothing stores the status; the next ones do nothing", steps![
            post(LISTS, list("a")).save("made"),
            put(one("a"), json!("${made}")).save("again"),
            put(one("a"), json!("${again}")),
            merge(one("a"), json!({})),
        ]),
        sequence("the generation counts what is neither metadata nor status", steps![
            post(LISTS, list("a")),
            merge(one("a"), json!({ "metadata": { "labels": { "a": "b" }, "annotations": { "c": "d" } } })),
            merge(one("a"), json!({ "spec": { "management": "Shared" } })),
            merge(one("a"), json!({ "spec": { "management": "Shared" } })),
            merge(one("a") + "/status", json!({ "status": { "observedGeneration": 2 } })),
            merge(one("a"), json!({ "metadata": { "generation": 77 } })),
        ]),
        sequence("metadata only", steps![
            post(LISTS, list("a")),
            get(one("a")).accept(METADATA),
        ]),
        sequence("get at a revision", steps![
            post(LISTS, list("a")).save("made"),
            // In this order: after it, the server's cache has the object.
            get(one("a") + "?resourceVersion=${made.metadata.resourceVersion}"),
            get(one("a") + "?resourceVersion=0"),
        ]),
        sequence(
            "rules of the definition",
            steps![
                post(LISTS, list("a")),
                merge(one("a"), json!({ "spec": { "database": { "name": "other" } } })),
                merge(one("a"), json!({ "spec": { "addresses": [] } })),
                merge(one("a"), json!({ "spec": { "addresses": [{ "address": "10.0.0.1/8" }] } })),
                get(one("a")),
            ]
        ),
        sequence("the same name again is another object", steps![
            post(LISTS, list("a")).save("first"),
            crate::sequence::delete(one("a")),
            post(LISTS, list("a")),
            put(one("a"), json!("${first}")),
            merge(one("a"), json!({ "metadata": { "resourceVersion": "${first.metadata.resourceVersion}", "finalizers": ["a.io/b"] } })),
            merge(one("a"), json!({ "metadata": { "uid": "${first.metadata.uid}" } })),
        ]),
    ]
}

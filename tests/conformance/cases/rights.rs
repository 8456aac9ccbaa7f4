//! What is said to those who may not.

use serde_json::json;

use crate::sequence::{ALL, LISTS, Sequence, delete, get, list, merge, one, post, sequence, steps};

const KIND: &str = "astraaccesslists";
const SECRETS: &str = "/api/v1/namespaces/{ns}/secrets";

pub(crate) fn sequences() -> Vec<Sequence> {
    vec![
        sequence(
            "objects",
            steps![
                get(one("a")).by_nobody("get", KIND),
                post(LISTS, list("a")).by_nobody("create", KIND),
                merge(one("a"), json!({})).by_nobody("patch", KIND),
                merge(one("a") + "/status", json!({})).by_nobody("patch", "astraaccesslists/status"),
                delete(one("a")).by_nobody("delete", KIND),
            ],
        ),
        sequence(
            "lists and watches",
            steps![
                get(LISTS).by_nobody("list", KIND),
                get(ALL).by_nobody("list", KIND),
                get(format!("{ALL}?watch=true")).by_nobody("watch", KIND),
            ],
        ),
        sequence(
            "built-in kinds",
            steps![
                get(format!("{SECRETS}/s")).by_nobody("get", "secrets"),
                get(SECRETS).by_nobody("list", "secrets"),
                get(format!("{SECRETS}?watch=true")).by_nobody("watch", "secrets"),
                get("/apis/coordination.k8s.io/v1/namespaces/{ns}/leases/l").by_nobody("get", "leases"),
                get("/api/v1/namespaces/{ns}").by_nobody("get", "namespaces"),
            ],
        ),
    ]
}

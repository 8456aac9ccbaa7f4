//! Lists: pages, revisions, selections, metadata.

use serde_json::json;

use crate::sequence::{
    ALL, LISTS, METADATA_LIST, Sequence, Step, get, list, list_with, merge, one, post, sequence, steps,
};

fn three() -> Vec<Step> {
    steps![
        post(LISTS, list("b")).save("b"),
        post(LISTS, list("a")).save("a"),
        post(LISTS, list("c")).save("c")
    ]
}

fn with_three(name: &'static str, more: Vec<Step>) -> Sequence {
    sequence(name, three().into_iter().chain(more).collect())
}

pub(crate) fn sequences() -> Vec<Sequence> {
    let get_with = |query: &str| get(format!("{LISTS}?{query}"));
    vec![
        with_three("by name", steps![get(LISTS)]),
        sequence("empty", steps![get(LISTS)]),
        with_three(
            "in pages",
            steps![
                get_with("limit=2").save("page"),
                get_with("limit=2&continue=${page.metadata.continue}"),
                get_with("limit=1").save("page"),
                get_with("limit=1&continue=${page.metadata.continue}").save("page"),
                get_with("limit=1&continue=${page.metadata.continue}"),
                get_with("limit=3"),
                get_with("limit=0"),
            ],
        ),
        with_three(
            "a page shows what was there when the first was read",
            steps![
                get_with("limit=1").save("page"),
                post(LISTS, list("bb")),
                merge(one("c"), json!({ "metadata": { "labels": { "a": "b" } } })),
                get_with("limit=5&continue=${page.metadata.continue}"),
                get(LISTS),
            ],
        ),
        with_three(
            "pages and versions",
            steps![
                get_with("limit=1").save("page"),
                get_with("limit=1&resourceVersion=1&continue=${page.metadata.continue}"),
            ],
        ),
        with_three(
            "at a revision",
            steps![
                get_with("resourceVersion=${a.metadata.resourceVersion}&resourceVersionMatch=Exact"),
                get_with("resourceVersion=${a.metadata.resourceVersion}&resourceVersionMatch=NotOlderThan"),
                get_with("resourceVersion=${a.metadata.resourceVersion}"),
                get_with("resourceVersion=${a.metadata.resourceVersion}&limit=5"),
            ],
        ),
        sequence(
            "revisions that make no sense",
            steps![
                get_with("resourceVersion=abc"),
                get_with("resourceVersionMatch=Exact"),
                get_with("resourceVersion=0&resourceVersionMatch=Exact"),
                get_with("resourceVersion=5&resourceVersionMatch=Foo"),
            ],
        ),
        sequence(
            "a revision that is not there yet",
            steps![get_with("resourceVersion=99999999").save("late"),],
        ),
        with_three(
            "by fields",
            steps![
                get_with("fieldSelector=metadata.name%3Da"),
                get_with("fieldSelector=metadata.name!%3Da"),
                get_with("fieldSelector=spec.database.name%3Dorders,metadata.name%3Dc"),
                get_with("fieldSelector=spec.database.name%3Dnope"),
                get_with("fieldSelector=spec.management%3DShared"),
            ],
        ),
        sequence(
            "by labels",
            steps![
                post(LISTS, list_with(json!({ "name": "a", "labels": { "l": "1" } }))),
                post(LISTS, list_with(json!({ "name": "b", "labels": { "l": "2" } }))),
                post(LISTS, list("c")),
                get_with("labelSelector=l%3D1"),
                get_with("labelSelector=l!%3D1"),
                get_with("labelSelector=l"),
                get_with("labelSelector=!l"),
            ],
        ),
        with_three(
            "metadata only",
            steps![get(LISTS).accept(METADATA_LIST), get_with("limit=2").accept(METADATA_LIST),],
        ),
        sequence(
            "of all namespaces",
            steps![post(LISTS, list("b")), post(LISTS.replace("{ns}", "{ns2}"), list("a")), get(ALL),],
        ),
    ]
}

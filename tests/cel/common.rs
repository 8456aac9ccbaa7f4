//! Rows that are the same for all kinds: the database, the credentials, the deletion policy.

use serde_json::{Value, json};

use crate::table::{Row, Verdict};

const ID: &str = "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b01";
const EITHER: &str = "give exactly one of database.id and database.name";
const FIXED: &str =
    "spec.database cannot be changed: delete this object and make another for the other database";

pub(crate) fn rows() -> Vec<Row> {
    let kinds = [
        ("AstraAccessList", json!({ "addresses": [{ "address": "203.0.113.7" }] })),
        ("AstraPrivateEndpoint", json!({ "allowedPrincipals": ["arn:aws:iam::123456789012:root"] })),
        ("AstraVpcPeering", json!({ "gcp": { "projectId": "acme-network", "network": "shared" } })),
    ];
    kinds.iter().flat_map(|(kind, rest)| of_kind(kind, rest)).collect()
}

fn of_kind(kind: &'static str, rest: &Value) -> Vec<Row> {
    let with = |field: &str, value: Value| {
        let mut spec = rest.clone();
        spec["database"] = json!({ "name": "orders" });
        spec[field] = value;
        spec
    };
    let database = |value: Value| with("database", value);
    let create = |name, spec, verdict| Row { kind, name, old: None, spec, verdict };
    let update = |name, old, spec, verdict| Row { kind, name, old: Some(old), spec, verdict };
    let by_name = database(json!({ "name": "orders" }));
    vec![
        create("a database by name", by_name.clone(), Verdict::Accepted),
        create("a database by id", database(json!({ "id": ID })), Verdict::Accepted),
        create(
            "by id and name",
            database(json!({ "id": ID, "name": "orders" })),
            Verdict::Rule("spec.database", EITHER),
        ),
        create("by neither", database(json!({})), Verdict::Rule("spec.database", EITHER)),
        create(
            "no UUID",
            database(json!({ "id": "orders" })),
            Verdict::Schema("spec.database.id", "should match"),
        ),
        create(
            "an empty name",
            database(json!({ "name": "" })),
            Verdict::Schema("spec.database.name", "at least 1 chars"),
        ),
        create("no database", rest.clone(), Verdict::Schema("spec.database", "Required value")),
        create(
            "an empty Secret's name",
            with("credentials", json!({ "secretName": "" })),
            Verdict::Schema("spec.credentials.secretName", "at least 1 chars"),
        ),
        create(
            "a Secret's name that climbs",
            with("credentials", json!({ "secretName": "../../other/secrets/astra-credentials" })),
            Verdict::Schema("spec.credentials.secretName", "should match"),
        ),
        create(
            "no key of a Secret",
            with("credentials", json!({ "key": "a/b" })),
            Verdict::Schema("spec.credentials.key", "should match"),
        ),
        create(
            "a Secret and a key",
            with("credentials", json!({ "secretName": "team", "key": "astra" })),
            Verdict::Accepted,
        ),
        create(
            "an unknown policy",
            with("deletionPolicy", json!("Orphan")),
            Verdict::Schema("spec.deletionPolicy", "Unsupported value"),
        ),
        update("nothing changed", by_name.clone(), by_name.clone(), Verdict::Accepted),
        update("another policy", by_name.clone(), with("deletionPolicy", json!("Retain")), Verdict::Accepted),
        update(
            "another database",
            by_name.clone(),
            database(json!({ "name": "sessions" })),
            Verdict::Rule("spec.database", FIXED),
        ),
        update(
            "the same database by id",
            by_name,
            database(json!({ "id": ID })),
            Verdict::Rule("spec.database", FIXED),
        ),
    ]
}

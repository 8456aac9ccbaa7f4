//! What the definitions promise of every field, and that the operator keeps to it: limits on all of a spec and a status,
//! no status that the operator's own schema would refuse, and objects that were stored under another one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod checker;
mod limits;
mod poison;
mod statuses;

use astra_operator::kinds::Entry;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

/// A kind's name, and the schema of a part of it: `spec` or `status`.
pub(crate) fn part(entry: &Entry, part: &str) -> (String, JSONSchemaProps) {
    let crd = (entry.crd)();
    let version = crd.spec.versions.into_iter().next().unwrap();
    let root = version.schema.unwrap().open_api_v3_schema.unwrap();
    (crd.spec.names.kind, root.properties.unwrap().remove(part).unwrap())
}

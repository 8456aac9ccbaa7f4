//! Small worlds out of bytes: few names, so that what is wanted, owned and there meets often.

use std::collections::BTreeMap;

use arbitrary::Unstructured;
use astra_devops::databases::Database;
use astra_operator::engine::{Identities, Identity, Peer};
use serde_json::json;

/// One of these; the first when the bytes are used up.
pub(crate) fn one<'a>(input: &mut Unstructured<'_>, of: &[&'a str]) -> &'a str {
    input.choose(of).copied().unwrap_or(of[0])
}

/// Yes or no; no when the bytes are used up.
pub(crate) fn flag(input: &mut Unstructured<'_>) -> bool {
    input.arbitrary().unwrap_or_default()
}

/// Some of these, in any order, maybe one of them twice.
pub(crate) fn some<'a>(input: &mut Unstructured<'_>, of: &[&'a str]) -> Vec<&'a str> {
    let count = input.int_in_range(0..=of.len().min(5)).unwrap_or_default();
    (0..count).map(|_| one(input, of)).collect()
}

/// Some of these as a set.
pub(crate) fn set(input: &mut Unstructured<'_>, of: &[&str]) -> Identities {
    some(input, of).into_iter().map(ToOwned::to_owned).collect()
}

/// Other objects at the place, who want and own some of these.
pub(crate) fn peers(input: &mut Unstructured<'_>, identities: &[&str], names: &[&str]) -> Vec<Peer> {
    let count = input.int_in_range(0..=2).unwrap_or_default();
    let peer = |n: i32, input: &mut Unstructured<'_>| Peer {
        name: format!("team/peer-{n}"),
        older: flag(input),
        exclusive: false,
        deleting: flag(input),
        unseen: flag(input),
        stuck: flag(input),
        announced: flag(input),
        wants: set(input, identities),
        disables: set(input, identities),
        owns: set(input, identities),
        names: called(input, identities, names),
    };
    (0..count).map(|n| peer(n, input)).collect()
}

fn called(input: &mut Unstructured<'_>, identities: &[&str], names: &[&str]) -> BTreeMap<Identity, String> {
    if names.is_empty() || !flag(input) {
        return BTreeMap::new();
    }
    BTreeMap::from([(one(input, identities).to_owned(), one(input, names).to_owned())])
}

/// Databases of each cloud, with no, one and several regions.
pub(crate) fn databases() -> Vec<Database> {
    let database = |id: &str, cloud: &str, tier: &str, regions: &[&str]| {
        let datacenter =
            |(n, region): (usize, &&str)| json!({ "id": format!("{id}-{}", n + 1), "region": region });
        let datacenters: Vec<_> = regions.iter().enumerate().map(datacenter).collect();
        let info = json!({ "name": format!("db-{cloud}"), "cloudProvider": cloud, "tier": tier, "datacenters": datacenters });
        serde_json::from_value(json!({ "id": id, "info": info, "status": "ACTIVE" })).expect("a database")
    };
    vec![
        database("8fbcfe1d-56fa-4ed0-9aff-f57029feef1b", "AWS", "serverless", &["us-east-2"]),
        database("8fbcfe1d-56fa-4ed0-9aff-f57029feef1c", "azure", "C10", &["westeurope", "eastus"]),
        database("8fbcfe1d-56fa-4ed0-9aff-f57029feef1d", "GCP", "D10", &[]),
        database("8fbcfe1d-56fa-4ed0-9aff-f57029feef1e", "a cloud of tomorrow", "", &["here"]),
    ]
}

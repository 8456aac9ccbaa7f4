//! What is measured: N databases in a simulated organization, and one object of a kind for each.

use anyhow::Result;
use serde_json::{Value, json};

/// The namespace of the objects.
pub(super) const NAMESPACE: &str = "bench";
/// The Secret that all of them share.
pub(super) const SECRET: &str = "astra-credentials";
/// The address that each access list declares.
const ADDRESS: &str = "203.0.113.0/24";

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    /// One address each.
    AccessList,
    /// One allowed principal and one endpoint each.
    PrivateEndpoint,
    /// One Azure network each.
    VpcPeering,
}

impl Kind {
    /// As its command-line value, for files and tables.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AccessList => "access-list",
            Self::PrivateEndpoint => "private-endpoint",
            Self::VpcPeering => "vpc-peering",
        }
    }

    /// Where the objects of a namespace are in the Kubernetes API.
    pub(super) fn path(self, namespace: &str) -> String {
        let plural = match self {
            Self::AccessList => "astraaccesslists",
            Self::PrivateEndpoint => "astraprivateendpoints",
            Self::VpcPeering => "astravpcpeerings",
        };
        format!("/apis/astra.datastax.com/v1beta1/namespaces/{namespace}/{plural}")
    }

    /// How many changes of Astra one object needs.
    pub(super) const fn writes(self) -> usize {
        match self {
            Self::AccessList | Self::VpcPeering => 1,
            Self::PrivateEndpoint => 2,
        }
    }

    /// How many readings of Astra one object needs of its own, because Astra has no list of such things.
    pub(super) const fn own_reads(self) -> usize {
        match self {
            Self::AccessList | Self::PrivateEndpoint => 0,
            Self::VpcPeering => 1,
        }
    }

    /// The most objects that are measured. Ten thousand peerings are nobody's, and Astra has no list to read them by.
    pub(super) const fn most(self) -> usize {
        match self {
            Self::AccessList | Self::PrivateEndpoint => usize::MAX,
            Self::VpcPeering => 1_000,
        }
    }

    /// The `n`th object.
    pub(super) fn object(self, n: usize) -> Value {
        let (kind, mut spec) = match self {
            Self::AccessList => ("AstraAccessList", json!({ "addresses": [{ "address": ADDRESS }] })),
            Self::PrivateEndpoint => (
                "AstraPrivateEndpoint",
                json!({
                    "allowedPrincipals": ["arn:aws:iam::123456789012:root"],
                    "endpoints": [{ "id": format!("vpce-{n:017x}") }],
                }),
            ),
            Self::VpcPeering => ("AstraVpcPeering", json!({ "azure": azure(n) })),
        };
        spec["database"] = json!({ "name": database_name(n) });
        json!({
            "apiVersion": "astra.datastax.com/v1beta1", "kind": kind, "spec": spec,
            "metadata": { "name": object_name(n), "namespace": NAMESPACE },
        })
    }

    /// An event of the simulator that undoes what the `n`th object declares, if there is one that a write puts right.
    pub(super) fn drift(self, n: usize) -> Option<Value> {
        let database = database_id(n);
        match self {
            Self::AccessList => {
                Some(json!({ "removeAddress": { "database": database, "address": ADDRESS } }))
            }
            Self::PrivateEndpoint => {
                let endpoint = format!("vpce-{n:017x}");
                Some(json!({ "removeEndpoint": { "database": database, "endpoint": endpoint } }))
            }
            // A peering that is gone is told to a person.
            Self::VpcPeering => None,
        }
    }
}

fn azure(n: usize) -> Value {
    json!({
        "tenantId": "3f2b8f0a-7d2e-4f61-9a55-2a8f4c1f7c10",
        "subscriptionId": "9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001",
        "resourceGroup": "network",
        "virtualNetwork": format!("net-{n}"),
    })
}

/// The name of the `n`th object.
pub(super) fn object_name(n: usize) -> String {
    format!("object-{n}")
}

/// The `n`th database's name.
fn database_name(n: usize) -> String {
    format!("database-{n}")
}

/// The `n`th database's id.
pub(super) fn database_id(n: usize) -> String {
    format!("{n:08x}-0f1d-4e6a-9c3b-1d2e3f4a5b5c")
}

/// A token that opens nothing but this simulator.
pub(super) fn token() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness for a token: {error}"))?;
    Ok(format!("AstraCS:bench:{:032x}", u128::from_be_bytes(bytes)))
}

/// The state that the simulator begins with: one organization with `count` databases that `kind` fits, and these tokens.
pub(super) fn state(kind: Kind, count: usize, tokens: &[&str]) -> Value {
    const ORGANIZATION: &str = "6d5c1a8e-3b0f-4c57-8f0e-2f6f0a9d1c00";
    let (cloud, tier, region) = match kind {
        Kind::AccessList | Kind::PrivateEndpoint => ("AWS", "serverless", "us-east-2"),
        Kind::VpcPeering => ("AZURE", "C10", "westus2"),
    };
    let database = |n: usize| {
        let id = database_id(n);
        let datacenters = json!([{ "id": format!("{id}-1"), "region": region }]);
        json!({
            "id": id, "name": database_name(n), "organization": ORGANIZATION, "cloudProvider": cloud,
            "tier": tier, "datacenters": datacenters,
        })
    };
    let token = |token: &&str| json!({ "token": token, "organization": ORGANIZATION, "role": "Organization Administrator" });
    json!({
        "organizations": [{ "id": ORGANIZATION, "name": "bench" }],
        "tokens": tokens.iter().map(token).collect::<Vec<_>>(),
        "databases": (0..count).map(database).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_object_has_a_database_of_its_own() {
        let state = state(Kind::AccessList, 3, &["AstraCS:x"]);
        let names: Vec<&Value> =
            state["databases"].as_array().unwrap().iter().map(|database| &database["name"]).collect();
        for (n, name) in names.into_iter().enumerate() {
            assert_eq!(*name, Kind::AccessList.object(n)["spec"]["database"]["name"]);
        }
        assert_eq!(Kind::PrivateEndpoint.drift(2).unwrap()["removeEndpoint"]["database"], database_id(2));
    }

    #[test]
    fn tokens_are_never_the_same() {
        assert_ne!(token().unwrap(), token().unwrap());
    }
}

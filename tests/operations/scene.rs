//! The world that is operated on: databases of all clouds in the simulator, Secrets, and specs that all fields are in.

use std::{collections::BTreeMap, sync::Mutex};

use astra_simulator::{
    State,
    state::{ACME, Cloud, Database, Datacenter},
};
use serde_json::{Value, json};

/// Names of databases that exist, beside the plain ones: the shortest, the longest, and one in other letters.
pub(crate) fn names() -> Vec<String> {
    vec!["q".to_owned(), "n".repeat(256), "ü".repeat(256), "Bücher データ \u{1f600} \"quoted\"".to_owned()]
}

/// Secrets that exist and have the token: the shortest name, the longest, and one with all that a name may have.
pub(crate) fn secrets() -> Vec<String> {
    let long = ["s".repeat(63), "e".repeat(63), "c".repeat(63), "r".repeat(61)].join(".");
    vec!["s".to_owned(), long, "team-0.astra".to_owned()]
}

/// Keys that each of these Secrets has.
pub(crate) fn keys() -> Vec<String> {
    vec!["k".to_owned(), "K".repeat(253), "Astra.token_2-b".to_owned()]
}

/// A spec that works, on a database of a cloud. All fields of a kind are in one of its bases.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    pub(crate) name: &'static str,
    pub(crate) cloud: Cloud,
    pub(crate) spec: Value,
}

/// The specs that all others are made of.
pub(crate) fn bases(kind: &str) -> Vec<Base> {
    match kind {
        "AstraAccessList" => access_lists(),
        "AstraPrivateEndpoint" => private_endpoints(),
        "AstraVpcPeering" => vpc_peerings(),
        other => panic!("{other}: say in scene.rs what a spec of it looks like"),
    }
}

fn base(name: &'static str, cloud: Cloud, database: Value, mut spec: Value) -> Base {
    spec["database"] = database;
    spec["credentials"] = json!({ "secretName": "astra-credentials", "key": "token" });
    Base { name, cloud, spec }
}

fn by_name() -> Value {
    json!({ "name": "{name}" })
}

fn by_id() -> Value {
    json!({ "id": "{id}" })
}

fn access_lists() -> Vec<Base> {
    let addresses = json!([
        { "address": "203.0.113.7", "description": "office", "enabled": true },
        { "address": "198.51.100.0/24", "description": "", "enabled": true },
    ]);
    vec![
        base(
            "exclusive",
            Cloud::Aws,
            by_name(),
            json!({ "publicAccess": "Listed", "addresses": addresses, "management": "Exclusive", "deletionPolicy": "Delete" }),
        ),
        base(
            "shared",
            Cloud::Gcp,
            by_id(),
            json!({ "addresses": addresses, "management": "Shared", "deletionPolicy": "Delete" }),
        ),
        base(
            "blocked",
            Cloud::Azure,
            by_id(),
            json!({ "publicAccess": "Blocked", "deletionPolicy": "Retain" }),
        ),
    ]
}

fn private_endpoints() -> Vec<Base> {
    vec![
        base(
            "aws",
            Cloud::Aws,
            by_name(),
            json!({
                "region": "region-1",
                "allowedPrincipals": ["arn:aws:iam::123456789012:root", "arn:aws:iam::210987654321:role/network"],
                "endpoints": [
                    { "id": "vpce-0f7aed6e7a18a1791", "description": "orders" },
                    { "id": "vpce-1", "description": "" },
                ],
                "management": "Shared",
                "deletionPolicy": "Delete",
            }),
        ),
        base(
            "azure",
            Cloud::Azure,
            by_id(),
            json!({
                "datacenterId": "{id}-1",
                "allowedPrincipals": ["9A1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001"],
                "endpoints": [{
                    "id": "/subscriptions/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourceGroups/Netz_ü/providers/Microsoft.Network/privateEndpoints/astra",
                    "description": "orders",
                }],
                "management": "Exclusive",
                "deletionPolicy": "Delete",
            }),
        ),
        base(
            "gcp",
            Cloud::Gcp,
            by_id(),
            json!({
                "allowedPrincipals": ["acme-network"],
                "endpoints": [{ "id": "13585698993864708", "description": "orders" }],
                "management": "Exclusive",
                "deletionPolicy": "Retain",
            }),
        ),
    ]
}

fn vpc_peerings() -> Vec<Base> {
    vec![
        base(
            "azure",
            Cloud::Azure,
            by_id(),
            json!({
                "azure": {
                    "tenantId": "3f2b8f0a-7d2e-4f61-9a55-2a8f4c1f7c10",
                    "subscriptionId": "9A1C6AE4-1cf9-4f0b-8d0e-6b0c7fb7a001",
                    "resourceGroup": "network",
                    "virtualNetwork": "hub",
                },
                "deletionPolicy": "Retain",
            }),
        ),
        base(
            "aws",
            Cloud::Aws,
            by_name(),
            json!({
                "aws": {
                    "accountId": "123456789012",
                    "region": "us-west-2",
                    "vpcId": "vpc-0a1b2c3d4e5f60718",
                    "cidrBlock": "10.1.0.0/16",
                },
                "deletionPolicy": "Delete",
            }),
        ),
        base(
            "gcp",
            Cloud::Gcp,
            by_name(),
            json!({ "gcp": { "projectId": "acme-network", "network": "shared" }, "deletionPolicy": "Delete" }),
        ),
    ]
}

/// A database, known by id and name.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) cloud: Cloud,
}

impl Place {
    /// A spec with this database's id and name in it.
    pub(crate) fn fill(&self, template: &Value) -> Value {
        match template {
            Value::String(text) if text.contains('{') => json!(
                text.replace("{id}", &self.id)
                    .replace("{ID}", &self.id.to_uppercase())
                    .replace("{name}", &self.name)
            ),
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.fill(value))).collect()
            }
            other => other.clone(),
        }
    }
}

/// The databases that nobody has used yet, by cloud.
pub(crate) struct Places(Mutex<BTreeMap<&'static str, Vec<Place>>>);

impl Places {
    /// One that nobody has used.
    pub(crate) fn fresh(&self, cloud: Cloud) -> Place {
        let mut all = self.0.lock().unwrap();
        all.get_mut(cloud.as_str()).and_then(Vec::pop).expect("there are as many databases as the plan needs")
    }
}

/// A world with so many databases of each cloud, and one for each of the special names, which is listed but not handed
/// out.
pub(crate) fn world(each: usize) -> (State, Places) {
    let clouds = [Cloud::Aws, Cloud::Azure, Cloud::Gcp];
    let mut databases = Vec::new();
    let mut places = BTreeMap::<_, Vec<Place>>::new();
    for (n, cloud) in (0..each).flat_map(|n| clouds.map(|cloud| (n, cloud))) {
        let place = Place {
            id: format!("{:08x}-0f1d-4e6a-9c3b-1d2e3f4a5b01", 0xd000_0000 + databases.len()),
            name: format!("operated-{}-{n}", cloud.as_str().to_lowercase()),
            cloud,
        };
        databases.push(database(&place));
        places.entry(cloud.as_str()).or_default().push(place);
    }
    for (i, name) in names().into_iter().enumerate() {
        let id = format!("{:08x}-0f1d-4e6a-9c3b-1d2e3f4a5b02", 0xe000_0000 + i);
        databases.push(database(&Place { id, name, cloud: Cloud::Aws }));
    }
    // Peerings come into being at once: what is tested is not how they are waited for.
    let peering_delay = std::time::Duration::from_millis(50);
    (State { databases, peering_delay, ..State::default() }, Places(Mutex::new(places)))
}

/// A Classic database in one region, so that every kind can be operated on it.
fn database(place: &Place) -> Database {
    Database {
        id: place.id.clone(),
        name: place.name.clone(),
        organization: ACME.to_owned(),
        cloud_provider: place.cloud,
        tier: "C10".to_owned(),
        status: "ACTIVE".to_owned(),
        datacenters: vec![Datacenter {
            id: format!("{}-1", place.id),
            region: "region-1".to_owned(),
            status: "ACTIVE".to_owned(),
        }],
        keyspaces: vec!["default_keyspace".to_owned()],
        capacity_units: 1,
        db_type: None,
        created: None,
        access_list: None,
        private_links: Vec::new(),
        peering: None,
    }
}

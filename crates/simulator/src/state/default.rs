//! The world that is there when no other is given: two organizations, three tokens, and a database for each case.

use super::{Cloud, Database, Datacenter, Organization, State, TokenEntry, keyspaces, second};

/// The id of the first organization, `acme`.
pub const ACME: &str = "6d5c1a8e-3b0f-4c57-8f0e-2f6f0a9d1c00";
/// The id of the second organization, `globex`.
pub const GLOBEX: &str = "c3a9f1d2-7e64-4b1b-9d35-81f04e6b2a00";

/// An administrator of `acme`. Made up.
pub const ACME_TOKEN: &str =
    "AstraCS:AcmeSimulatorAdmin000001:5a1f0c3e9b7d24680ace13579bdf02468ace13579bdf02468ace13579bdf0246";
/// A user of `acme` who may look at databases, and at nothing of their network. Made up.
pub const READ_ONLY_TOKEN: &str =
    "AstraCS:AcmeSimulatorReader00001:13579bdf02468ace13579bdf02468ace13579bdf02468ace5a1f0c3e9b7d2468";
/// An administrator of `globex`. Made up.
pub const GLOBEX_TOKEN: &str =
    "AstraCS:GlobexSimulatorAdmin0001:02468ace13579bdf5a1f0c3e9b7d246802468ace13579bdf13579bdf02468ace";

/// What the ids of acme's databases begin with; two digits follow.
const PREFIX: &str = "4b8a1c52-0f1d-4e6a-9c3b-1d2e3f4a5b";

/// One row: number, name, cloud, tier, status, regions.
type Row = (&'static str, &'static str, Cloud, &'static str, &'static str, &'static [&'static str]);

const DATABASES: &[Row] = &[
    ("01", "orders", Cloud::Aws, "serverless", "ACTIVE", &["us-east-2"]),
    ("02", "catalog", Cloud::Aws, "serverless", "ACTIVE", &["us-east-1", "eu-west-1"]),
    ("03", "ledger", Cloud::Azure, "serverless", "ACTIVE", &["eastus"]),
    ("04", "fraud", Cloud::Gcp, "serverless", "ACTIVE", &["us-east4"]),
    ("05", "sessions", Cloud::Aws, "serverless", "ACTIVE", &["us-east-2"]),
    ("06", "warehouse", Cloud::Azure, "C10", "ACTIVE", &["westus2"]),
    ("07", "legacy", Cloud::Aws, "C20", "ACTIVE", &["us-west-2"]),
    ("08", "archive", Cloud::Gcp, "D10", "ACTIVE", &["us-central1"]),
    ("09", "staging", Cloud::Aws, "serverless", "ACTIVE", &["us-east-2"]),
    ("0a", "staging", Cloud::Aws, "serverless", "ACTIVE", &["us-east-2"]),
    ("0b", "migrating", Cloud::Aws, "serverless", "MAINTENANCE", &["us-east-2"]),
    ("0c", "retired", Cloud::Aws, "serverless", "TERMINATED", &["us-east-2"]),
    ("0d", "dormant", Cloud::Aws, "C10", "PARKED", &["us-east-2"]),
    ("0e", "payments", Cloud::Aws, "serverless", "ACTIVE", &["us-east-2"]),
    ("0f", "analytics", Cloud::Aws, "serverless", "ACTIVE", &["us-west-2"]),
];

/// The id of one of acme's databases in the default world, by its two last digits: `database_id("01")` is `orders`.
#[must_use]
pub fn database_id(number: &str) -> String {
    format!("{PREFIX}{number}")
}

impl Default for State {
    fn default() -> Self {
        let mut databases: Vec<_> =
            DATABASES.iter().map(|row| database(database_id(row.0), ACME, row)).collect();
        let theirs = ("", "reactor", Cloud::Aws, "serverless", "ACTIVE", ["us-east-2"].as_slice());
        databases.push(database("f2b7d6a0-58c1-4c3e-8a9d-6e5f4d3c2b01".into(), GLOBEX, &theirs));
        Self {
            organizations: vec![organization(ACME, "acme"), organization(GLOBEX, "globex")],
            tokens: vec![
                token(ACME_TOKEN, ACME, "Organization Administrator"),
                token(READ_ONLY_TOKEN, ACME, "Read Only User"),
                token(GLOBEX_TOKEN, GLOBEX, "Organization Administrator"),
            ],
            databases,
            rejected_endpoints: Vec::new(),
            normalize_addresses: false,
            peering_delay: second(),
            database_delay: second(),
            caller_address: None,
        }
    }
}

fn organization(id: &str, name: &str) -> Organization {
    Organization { id: id.into(), name: name.into(), custom_domains: Vec::new(), devops_acl: None }
}

fn token(token: &str, organization: &str, role: &str) -> TokenEntry {
    TokenEntry {
        token: token.into(),
        organization: organization.into(),
        role: Some(role.into()),
        permissions: Vec::new(),
    }
}

fn database(id: String, organization: &str, row: &Row) -> Database {
    let (_, name, cloud_provider, tier, status, regions) = *row;
    let datacenter = |(i, region): (usize, &&str)| Datacenter {
        id: format!("{id}-{}", i + 1),
        region: (*region).into(),
        status: "ACTIVE".into(),
    };
    let datacenters = regions.iter().enumerate().map(datacenter).collect();
    Database {
        id,
        name: name.into(),
        organization: organization.into(),
        cloud_provider,
        tier: tier.into(),
        status: status.into(),
        datacenters,
        keyspaces: keyspaces(),
        capacity_units: 1,
        db_type: None,
        created: None,
        access_list: None,
        private_links: Vec::new(),
        peering: None,
    }
}

//! One object of each kind, for what is the same for all kinds.

use serde_json::{Value, json};

use super::stage::{AccessList, PrivateEndpoint, Stage, VpcPeering};

/// An access list of `orders`.
pub(crate) fn list() -> Value {
    json!({
        "database": { "name": "orders" },
        "deletionPolicy": "Delete",
        "addresses": [{ "address": "203.0.113.7" }],
    })
}

/// A private endpoint of `orders`.
pub(crate) fn endpoint() -> Value {
    json!({
        "database": { "name": "orders" },
        "allowedPrincipals": ["arn:aws:iam::123456789012:root"],
        "endpoints": [{ "id": "vpce-0f7aed6e7a18a1791" }],
    })
}

/// A peering of `archive`.
pub(crate) fn peering() -> Value {
    json!({
        "database": { "name": "archive" },
        "gcp": { "projectId": "acme-network", "network": "shared" },
    })
}

/// One object of each kind.
pub(crate) async fn apply_all(stage: &Stage) {
    stage.apply::<AccessList>("list", list()).await;
    stage.apply::<PrivateEndpoint>("endpoint", endpoint()).await;
    stage.apply::<VpcPeering>("peering", peering()).await;
}

/// Waits until all of them are Ready, and all that was sent was seen.
pub(crate) async fn all_ready(stage: &Stage) {
    stage.settled::<AccessList>("list").await;
    stage.settled::<PrivateEndpoint>("endpoint").await;
    stage.settled::<VpcPeering>("peering").await;
}

/// The writes that make the three of them, whatever their order among each other.
pub(crate) const MAKING: [&str; 4] = [
    r#"POST /v2/organizations/clusters/{orders}/datacenters/{orders}-1/endpoints {"description":"","endpointID":"vpce-0f7aed6e7a18a1791"}"#,
    r#"POST /v2/organizations/clusters/{orders}/datacenters/{orders}-1/private-link {"allowedPrincipals":["arn:aws:iam::123456789012:root"]}"#,
    r#"POST /v2/peering/provider/gcp/database/{archive} {"projectId":"acme-network","vpcNetworkName":"shared"}"#,
    r#"PUT /v2/databases/{orders}/access-list {"addresses":[{"address":"203.0.113.7","description":"","enabled":true}],"configurations":{"accessListEnabled":true}}"#,
];

/// In an order that does not depend on who was first.
pub(crate) fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

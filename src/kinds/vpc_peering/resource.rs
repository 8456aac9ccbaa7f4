//! The resource `AstraVpcPeering`: spec, status, and what the API server refuses.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    resource::{CredentialsRef, DatabaseRef, DeletionPolicy},
    status::{
        Status,
        limits::{self, Bounded},
    },
};

/// The peering of one Classic Astra database with one network of yours.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "astra.datastax.com",
    version = "v1beta1",
    kind = "AstraVpcPeering",
    plural = "astravpcpeerings",
    shortname = "avp",
    category = "astra",
    namespaced,
    status = "VpcPeeringStatus",
    derive = "PartialEq",
    doc = "AstraVpcPeering is the peering of one Classic Astra database with one cloud network.",
    printcolumn(name = "Provider", type_ = "string", json_path = ".status.provider"),
    printcolumn(
        name = "Peering",
        type_ = "string",
        json_path = ".status.peeringStatus",
        description = "The status as Astra has it"
    ),
    cel
)]
#[x_kube(
    validation = Rule::new("[has(self.azure), has(self.aws), has(self.gcp)].filter(given, given).size() == 1")
        .message("give exactly one of spec.azure, spec.aws and spec.gcp"),
    validation = Rule::new("has(self.azure) == has(oldSelf.azure) && has(self.aws) == has(oldSelf.aws) && has(self.gcp) == has(oldSelf.gcp)")
        .message("a peering cannot be changed in Astra: delete this object, wait until it is gone, and make another")
)]
#[serde(rename_all = "camelCase")]
pub struct AstraVpcPeeringSpec {
    /// Which database. Peering is for Classic databases only.
    #[x_kube(validation = Rule::new("self == oldSelf").message("spec.database cannot be changed: delete this object and make another for the other database"))]
    pub database: DatabaseRef,
    /// Where the token is.
    #[serde(default)]
    pub credentials: CredentialsRef,
    /// An Azure virtual network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self == oldSelf").message("a peering cannot be changed in Astra: delete this object, wait until it is gone, and make another"))]
    pub azure: Option<AzureNetwork>,
    /// An AWS VPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self == oldSelf").message("a peering cannot be changed in Astra: delete this object, wait until it is gone, and make another"))]
    pub aws: Option<AwsVpc>,
    /// A Google Cloud VPC network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self == oldSelf").message("a peering cannot be changed in Astra: delete this object, wait until it is gone, and make another"))]
    pub gcp: Option<GcpNetwork>,
    /// What happens to the peering when this object is deleted.
    #[serde(default = "delete")]
    pub deletion_policy: DeletionPolicy,
}

/// An Azure virtual network.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AzureNetwork {
    /// The tenant's id, a GUID.
    #[schemars(
        length(max = 36),
        regex(pattern = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$")
    )]
    pub tenant_id: String,
    /// The subscription's id, a GUID.
    #[schemars(
        length(max = 36),
        regex(pattern = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$")
    )]
    pub subscription_id: String,
    /// The resource group's name.
    // The characters are those that Azure takes: letters of any alphabet, and no control character that could break a
    // line of a log.
    #[schemars(length(min = 1, max = 90), regex(pattern = r"^[\p{L}\p{N}_.()-]+$"))]
    pub resource_group: String,
    /// The virtual network's name.
    #[schemars(length(min = 1, max = 80), regex(pattern = "^[0-9A-Za-z_.-]+$"))]
    pub virtual_network: String,
}

/// An AWS VPC.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AwsVpc {
    /// The account's id, 12 digits, in quotes.
    #[schemars(length(max = 12), regex(pattern = "^[0-9]{12}$"))]
    pub account_id: String,
    /// The VPC's region.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[0-9a-z-]+$"))]
    pub region: String,
    /// The VPC's id.
    #[schemars(length(max = 21), regex(pattern = "^vpc-([a-z0-9]{8}|[a-z0-9]{17})$"))]
    pub vpc_id: String,
    /// The VPC's network.
    #[schemars(length(min = 9, max = 18))]
    #[x_kube(
        validation = Rule::new("isCIDR(self) && cidr(self).ip().family() == 4").message("must be an IPv4 network such as 10.1.0.0/16"),
        validation = Rule::new("!isCIDR(self) || cidr(self) == cidr(self).masked()")
            .message("has bits set behind its prefix: write the network's first address, such as 10.1.0.0/16")
    )]
    pub cidr_block: String,
}

/// A Google Cloud VPC network.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GcpNetwork {
    /// The project's id.
    #[schemars(length(max = 64), regex(pattern = "^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$"))]
    pub project_id: String,
    /// The network's name.
    #[schemars(length(max = 63), regex(pattern = "^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub network: String,
}

/// The status of an `AstraVpcPeering`.
pub type VpcPeeringStatus = Status<VpcPeeringDetails>;

/// What an `AstraVpcPeering` reports beside what all kinds do.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct VpcPeeringDetails {
    /// The cloud: `AWS`, `Azure` or `Google Cloud`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub provider: Option<String>,
    /// Astra's id of the peering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub connection_id: Option<String>,
    /// The peering's status in Astra's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub peering_status: Option<String>,
    /// The database's network (`currentVpc`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub astra_network: Option<NetworkReport>,
    /// Your network (`otherVpc`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_network: Option<NetworkReport>,
}

/// One side of a peering as Astra has it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NetworkReport {
    /// AWS account, Azure subscription or Google Cloud project.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = limits::TEXT))]
    pub account: String,
    /// The network's id or name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = limits::TEXT))]
    pub network: String,
    /// Its addresses.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = limits::TEXT))]
    pub cidr_block: String,
}

impl Bounded for VpcPeeringDetails {
    fn bound(&mut self) {
        limits::drop_if_longer(&mut self.connection_id, limits::TEXT);
        for text in [&mut self.provider, &mut self.peering_status].into_iter().flatten() {
            limits::cut(text, limits::TEXT);
        }
        for network in [&mut self.astra_network, &mut self.peer_network].into_iter().flatten() {
            for text in [&mut network.account, &mut network.network, &mut network.cidr_block] {
                limits::cut(text, limits::TEXT);
            }
        }
    }
}

fn delete() -> DeletionPolicy {
    DeletionPolicy::Delete
}

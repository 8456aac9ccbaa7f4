//! The resource `AstraPrivateEndpoint`: spec, status, and what the API server refuses.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    resource::{CredentialsRef, DatabaseRef, DeletionPolicy, Management},
    status::{
        Status,
        limits::{self, Bounded},
    },
};

/// The private side of one Astra database in one region: who may connect, and through which endpoints.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "astra.datastax.com",
    version = "v1beta1",
    kind = "AstraPrivateEndpoint",
    plural = "astraprivateendpoints",
    shortname = "ape",
    category = "astra",
    namespaced,
    status = "PrivateEndpointStatus",
    derive = "PartialEq",
    doc = "AstraPrivateEndpoint is the allowed principals and private endpoints of one Astra database in one region.",
    printcolumn(name = "Region", type_ = "string", json_path = ".status.region"),
    printcolumn(
        name = "Service",
        type_ = "string",
        json_path = ".status.serviceName",
        priority = 1,
        description = "What to build the cloud's endpoint from"
    ),
    cel
)]
#[x_kube(
    validation = Rule::new("size(self.allowedPrincipals) > 0 || size(self.endpoints) > 0")
        .message("declare at least one of spec.allowedPrincipals and spec.endpoints"),
    validation = Rule::new("!has(oldSelf.region) || (has(self.region) && self.region == oldSelf.region)")
        .message("spec.region cannot be changed: make another object for the other region, then delete this one"),
    validation = Rule::new("!has(oldSelf.datacenterId) || (has(self.datacenterId) && self.datacenterId == oldSelf.datacenterId)")
        .message("spec.datacenterId cannot be changed: make another object for the other datacenter, then delete this one")
)]
#[serde(rename_all = "camelCase")]
pub struct AstraPrivateEndpointSpec {
    /// Which database.
    #[x_kube(validation = Rule::new("self == oldSelf").message("spec.database cannot be changed: delete this object and make another for the other database"))]
    pub database: DatabaseRef,
    /// Where the token is.
    #[serde(default)]
    pub credentials: CredentialsRef,
    /// Which region of the database, e.g. `us-east-2`. Not needed while the database has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub region: Option<String>,
    /// Which datacenter, by Astra's id, in place of the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[0-9A-Za-z-]+$"))]
    pub datacenter_id: Option<String>,
    /// Who may connect. AWS: `arn:aws:iam::ACCOUNT:root`. Azure: a subscription id. Google Cloud: a project id.
    #[serde(default)]
    #[schemars(length(max = 100), inner(length(min = 1, max = 256)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new(r"self.all(p, p.matches('^arn:aws[a-z-]*:iam::[0-9]{12}:(root|role/.+|user/.+)$') || p.matches('^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$') || p.matches('^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$'))")
            .message("each allowed principal must be an AWS ARN (arn:aws:iam::123456789012:root), an Azure subscription id (a GUID) or a Google Cloud project id")
    )]
    pub allowed_principals: Vec<String>,
    /// The endpoints that were made in the cloud and shall be connected.
    #[serde(default)]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["id".to_string()]))]
    pub endpoints: Vec<EndpointSpec>,
    /// `Shared`: other principals and endpoints are left alone. `Exclusive`: there are exactly these.
    #[serde(default = "shared")]
    pub management: Management,
    /// What happens to this object's principals and endpoints when it is deleted.
    #[serde(default = "delete")]
    pub deletion_policy: DeletionPolicy,
}

/// One endpoint.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSpec {
    /// The endpoint's id as the cloud shows it. AWS: `vpce-…`. Azure: the resource id. Google Cloud: the PSC
    /// connection id, in quotes because it is a number.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(
        validation = Rule::new("!self.startsWith('vpce-svc-')")
            .message("vpce-svc-… is the endpoint service; the endpoint's own id is vpce-…"),
        validation = Rule::new(r"self.matches('^vpce-[0-9a-zA-Z-]+$') || self.matches('^[0-9]+$') || self.matches('^/(?i:subscriptions)/[0-9a-fA-F-]{36}/(?i:resourceGroups)/[^/]+/(?i:providers/Microsoft[.]Network/privateEndpoints)/[^/]+$')")
            .message("must be an AWS VPC endpoint id (vpce-…), an Azure resource id (/subscriptions/…/privateEndpoints/NAME) or a Google Cloud PSC connection id (digits)")
    )]
    pub id: String,
    /// What it is for.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub description: String,
}

/// The status of an `AstraPrivateEndpoint`.
pub type PrivateEndpointStatus = Status<PrivateEndpointDetails>;

/// What an `AstraPrivateEndpoint` reports beside what all kinds do.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PrivateEndpointDetails {
    /// The cloud: `AWS`, `Azure` or `Google Cloud`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub provider: Option<String>,
    /// The region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub region: Option<String>,
    /// Astra's id of the region of this database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub datacenter_id: Option<String>,
    /// What to build the cloud's endpoint from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub service_name: Option<String>,
    /// Google Cloud: the service name as a URL, as some tools want it.
    #[serde(default, rename = "serviceAttachmentURI", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub service_attachment_uri: Option<String>,
    /// The names that must point at the endpoint in the private DNS zone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::DNS_NAMES), inner(length(max = limits::TEXT)))]
    pub dns_names: Vec<String>,
    /// The declared principals that Astra has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::REPORTED), inner(length(max = limits::TEXT)))]
    pub allowed_principals: Vec<String>,
    /// The endpoints that this object declares or still owns, as Astra has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::REPORTED))]
    pub endpoints: Vec<EndpointReport>,
    /// Principals that are in Astra, are not this object's, and were left alone: at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::OTHERS), inner(length(max = limits::TEXT)))]
    pub unmanaged_principals: Vec<String>,
    /// Endpoints that are in Astra, are not this object's, and were left alone: at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::OTHERS), inner(length(max = limits::TEXT)))]
    pub unmanaged_endpoints: Vec<String>,
}

/// One endpoint as Astra has it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EndpointReport {
    /// The id in the spec.
    #[schemars(length(max = limits::TEXT))]
    pub id: String,
    /// The id that Astra has it under, when it is another (Azure).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub astra_id: Option<String>,
    /// Astra's id of the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub link_id: Option<String>,
    /// `Accepted`, `Rejected`, or what Astra says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub status: Option<String>,
    /// When it was made, as Astra writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::TEXT))]
    pub created: Option<String>,
}

impl Bounded for PrivateEndpointDetails {
    fn bound(&mut self) {
        for text in
            [&mut self.provider, &mut self.region, &mut self.service_name, &mut self.service_attachment_uri]
                .into_iter()
                .flatten()
        {
            limits::cut(text, limits::TEXT);
        }
        limits::drop_if_longer(&mut self.datacenter_id, limits::TEXT);
        limits::cut_texts(&mut self.dns_names, limits::DNS_NAMES);
        limits::cut_texts(&mut self.allowed_principals, limits::REPORTED);
        limits::cut_texts(&mut self.unmanaged_principals, limits::OTHERS);
        limits::cut_texts(&mut self.unmanaged_endpoints, limits::OTHERS);
        for endpoint in &mut self.endpoints {
            endpoint.bound();
        }
    }
}

impl Bounded for EndpointReport {
    fn bound(&mut self) {
        limits::drop_if_longer(&mut self.astra_id, limits::TEXT);
        for text in [&mut self.link_id, &mut self.status, &mut self.created].into_iter().flatten() {
            limits::cut(text, limits::TEXT);
        }
    }
}

fn shared() -> Management {
    Management::Shared
}

fn delete() -> DeletionPolicy {
    DeletionPolicy::Delete
}

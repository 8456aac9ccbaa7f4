//! The resource `AstraAccessList`: spec, status, and what the API server refuses.

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

/// Who gets into one Astra database from the internet: its IP access list and the switch that makes it count.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "astra.datastax.com",
    version = "v1beta1",
    kind = "AstraAccessList",
    plural = "astraaccesslists",
    shortname = "aal",
    category = "astra",
    namespaced,
    status = "AccessListStatus",
    derive = "PartialEq",
    doc = "AstraAccessList is the IP access list of one Astra database.",
    printcolumn(
        name = "Access",
        type_ = "string",
        json_path = ".status.publicAccess",
        description = "Who gets in from the internet, as Astra has it"
    ),
    cel
)]
#[x_kube(
    validation = Rule::new("(has(self.publicAccess) && self.publicAccess in ['Blocked', 'Open']) || size(self.addresses) > 0")
        .message("addresses needs at least one address: an empty list would lock everybody out. To let in nobody but private endpoints say publicAccess: Blocked, to let in everybody say publicAccess: Open"),
    validation = Rule::new("!has(self.publicAccess) || self.publicAccess != 'Blocked' || size(self.addresses) == 0")
        .message("publicAccess: Blocked lets in nobody from the internet, so spec.addresses must be empty; to let in these addresses say publicAccess: Listed"),
    validation = Rule::new("self.management != 'Shared' || !has(self.publicAccess) || self.publicAccess == 'Listed'")
        .message("publicAccess: Blocked and Open decide over the whole list, so they need management: Exclusive"),
    validation = Rule::new("(has(self.publicAccess) && self.publicAccess != 'Listed') || self.management == 'Shared' || size(self.addresses) == 0 || self.addresses.exists(a, a.enabled)")
        .message("at least one address must be enabled: a list without one would lock everybody out. To let in nobody but private endpoints say publicAccess: Blocked")
)]
#[serde(rename_all = "camelCase")]
pub struct AstraAccessListSpec {
    /// Which database.
    #[x_kube(validation = Rule::new("self == oldSelf").message("spec.database cannot be changed: delete this object and make another for the other database"))]
    pub database: DatabaseRef,
    /// Where the token is.
    #[serde(default)]
    pub credentials: CredentialsRef,
    /// Who gets in from the internet. `Listed`: only the addresses. `Blocked`: nobody, only private endpoints. `Open`:
    /// everybody. Without it, an Exclusive object means `Listed`, and a Shared one leaves the switch as it finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_access: Option<PublicAccess>,
    /// The addresses and networks that get in.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["address".to_string()]))]
    pub addresses: Vec<Address>,
    /// `Exclusive`: the list is exactly these addresses. `Shared`: other entries are left alone.
    #[serde(default = "exclusive")]
    pub management: Management,
    /// What happens to the list when this object is deleted. `Delete` takes this object's addresses away and leaves
    /// the restriction on; public access is reopened only by a spec that says `Open`.
    #[serde(default = "retain")]
    pub deletion_policy: DeletionPolicy,
}

/// Who gets in from the internet.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicAccess {
    /// Only the listed addresses.
    Listed,
    /// Nobody: only private endpoints.
    Blocked,
    /// Everybody.
    Open,
}

/// One entry of the list.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// An IPv4 address (`203.0.113.7`) or network (`203.0.113.0/24`). Astra takes no IPv6.
    #[schemars(length(min = 7, max = 18))]
    #[x_kube(
        validation = Rule::new(r"self.matches('^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(/(3[0-2]|[12]?[0-9]))?$')")
            .message("must be an IPv4 address such as 203.0.113.7 or network such as 203.0.113.0/24, with parts of 0 to 255 without leading zeros and a prefix of 0 to 32; Astra takes no IPv6"),
        validation = Rule::new("!isCIDR(self) || cidr(self) == cidr(self).masked()")
            .message("has bits set behind its prefix: write the network's first address, such as 10.0.0.0/24, or a single address without a prefix")
    )]
    pub address: String,
    /// What it is for.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub description: String,
    /// A disabled entry stays in the list and lets nobody in.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// The status of an `AstraAccessList`.
pub type AccessListStatus = Status<AccessListDetails>;

/// What an `AstraAccessList` reports beside what all kinds do.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct AccessListDetails {
    /// Who gets in from the internet, as Astra has it. A list that Astra does not have is `Open`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_access: Option<PublicAccess>,
    /// How many entries the list has in Astra.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = limits::LARGEST))]
    pub address_count: Option<i64>,
    /// Entries that are in Astra, are not this object's, and were left alone: at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::OTHERS), inner(length(max = limits::TEXT)))]
    pub unmanaged_addresses: Vec<String>,
}

impl Bounded for AccessListDetails {
    fn bound(&mut self) {
        limits::cut_texts(&mut self.unmanaged_addresses, limits::OTHERS);
    }
}

fn exclusive() -> Management {
    Management::Exclusive
}

fn retain() -> DeletionPolicy {
    DeletionPolicy::Retain
}

fn yes() -> bool {
    true
}

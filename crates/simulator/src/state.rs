//! What the simulated world is made of: organizations, tokens, databases and their networks. This is also the format of
//! the state file and of `GET` and `PUT /_simulator/state` (YAML or JSON, camelCase, unknown fields refused).

mod default;
mod role;
mod validate;

use std::{fmt, net::Ipv4Addr, time::Duration};

use astra_devops::peering::Peering;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use default::{ACME, ACME_TOKEN, GLOBEX, GLOBEX_TOKEN, READ_ONLY_TOKEN, database_id};
pub use role::Permissions;
pub use validate::StateError;

use crate::span;

/// The whole world. [`State::default`] is the one that the project's examples are written for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    /// The organizations.
    pub organizations: Vec<Organization>,
    /// The tokens that are known.
    #[serde(default)]
    pub tokens: Vec<TokenEntry>,
    /// The databases, in the order they are listed in.
    #[serde(default)]
    pub databases: Vec<Database>,
    /// Endpoint ids that are answered `Rejected` when they are posted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected_endpoints: Vec<String>,
    /// Store a bare address as a network of one (`203.0.113.7` as `203.0.113.7/32`). The real service may do so.
    #[serde(default)]
    pub normalize_addresses: bool,
    /// How long a peering stays in each status on its way.
    #[serde(default = "second", with = "span")]
    pub peering_delay: Duration,
    /// How long a database stays in each status on its way.
    #[serde(default = "second", with = "span")]
    pub database_delay: Duration,
    /// The address that all callers seem to come from. Given, the organization's DevOps API access list is enforced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_address: Option<Ipv4Addr>,
}

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Organization {
    /// Its id, a UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its custom domains (`/v2/organizations/customDomains`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom_domains: Vec<String>,
    /// Who may call the DevOps API (`/v2/organizations/{id}/devops-acl`); absent is everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devops_acl: Option<Vec<CallerEntry>>,
}

/// One entry of a DevOps API access list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallerEntry {
    /// An IPv4 address or network.
    pub address: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// A disabled entry lets nobody in.
    pub enabled: bool,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_update_date_time: Option<Timestamp>,
}

/// An application token and what it may do. `Debug` hides the token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenEntry {
    /// The token, `AstraCS:…`, made up.
    pub token: String,
    /// The organization it belongs to.
    pub organization: String,
    /// A role that the service has by default, e.g. `Organization Administrator`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Single permissions, e.g. `accesslist-read`, beside those of the role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
}

impl fmt::Debug for TokenEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token: _, organization, role, permissions } = self;
        f.debug_struct("TokenEntry")
            .field("organization", organization)
            .field("role", role)
            .field("permissions", permissions)
            .finish_non_exhaustive()
    }
}

/// A cloud. Written in capitals, read in any case, as the service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Cloud {
    #[serde(alias = "aws")]
    Aws,
    #[serde(alias = "azure")]
    Azure,
    #[serde(alias = "gcp")]
    Gcp,
}

impl Cloud {
    /// Reads a cloud's name in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Aws, Self::Azure, Self::Gcp]
            .into_iter()
            .find(|cloud| cloud.as_str().eq_ignore_ascii_case(text))
    }

    /// The name in capitals.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Azure => "AZURE",
            Self::Gcp => "GCP",
        }
    }
}

/// A database and its network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Database {
    /// Its id, a UUID.
    pub id: String,
    /// Its name; several may have the same.
    pub name: String,
    /// The id of its organization.
    pub organization: String,
    /// Its cloud.
    pub cloud_provider: Cloud,
    /// `serverless`, or a Classic tier such as `C10`.
    #[serde(default = "serverless")]
    pub tier: String,
    /// Its status: an open set.
    #[serde(default = "active")]
    pub status: String,
    /// Its regions; the first cannot be taken away.
    pub datacenters: Vec<Datacenter>,
    /// Its keyspaces; the first is the one it was made with.
    #[serde(default = "keyspaces")]
    pub keyspaces: Vec<String>,
    /// Its size (Classic).
    #[serde(default = "one")]
    pub capacity_units: u32,
    /// `vector`, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub db_type: Option<String>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// Its IP access list; absent is open to the internet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_list: Option<AccessList>,
    /// Its private links, one for each datacenter that has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private_links: Vec<PrivateLink>,
    /// Its peering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peering: Option<Peering>,
}

impl Database {
    /// Is it of the kind without a Classic tier?
    #[must_use]
    pub fn is_serverless(&self) -> bool {
        self.tier.eq_ignore_ascii_case("serverless")
    }

    /// Gone: it can still be seen, and nothing else.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        self.status == "TERMINATED"
    }

    /// One of its datacenters.
    #[must_use]
    pub fn datacenter(&self, id: &str) -> Option<&Datacenter> {
        self.datacenters.iter().find(|datacenter| datacenter.id == id)
    }

    /// Ends it: with a database goes its network.
    pub(crate) fn terminate(&mut self) {
        "TERMINATED".clone_into(&mut self.status);
        self.access_list = None;
        self.private_links.clear();
        self.peering = None;
    }
}

/// One region of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Datacenter {
    /// Its id: the database's id with `-1`, `-2` … behind it.
    pub id: String,
    /// The region's name.
    pub region: String,
    /// Its status.
    #[serde(default = "active", skip_serializing_if = "is_active")]
    pub status: String,
}

/// A database's IP access list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessList {
    /// Its entries, in the order they were added.
    #[serde(default)]
    pub addresses: Vec<AddressEntry>,
    /// Is access restricted to the entries?
    #[serde(default)]
    pub access_list_enabled: bool,
}

/// One entry of an access list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddressEntry {
    /// An IPv4 address or network, in the text it was sent in.
    pub address: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// A disabled entry lets nobody in.
    pub enabled: bool,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_update_date_time: Option<Timestamp>,
}

/// The private link configuration of one datacenter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrivateLink {
    /// The datacenter.
    pub datacenter_id: String,
    /// The service to connect to. Empty: the name that follows from the seed and the datacenter.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service_name: String,
    /// Who may connect.
    #[serde(default)]
    pub allowed_principals: Vec<String>,
    /// The endpoints that were accepted or rejected.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
}

/// A private endpoint as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Endpoint {
    /// The id it is kept under. On Azure not the one that was posted.
    #[serde(alias = "endpointID")]
    pub endpoint_id: String,
    /// The id that was posted, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted_id: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// The id of the link. Empty: the one that follows from the seed and the endpoint.
    #[serde(default, alias = "linkID", skip_serializing_if = "String::is_empty")]
    pub link_id: String,
    /// `Accepted` or `Rejected`.
    #[serde(default = "accepted")]
    pub status: String,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
}

impl Endpoint {
    /// Is it known by this id, the kept one or the posted one?
    #[must_use]
    pub fn is(&self, id: &str) -> bool {
        self.endpoint_id == id || self.posted_id.as_deref() == Some(id)
    }
}

impl State {
    /// Reads a state file, YAML or JSON, and checks it.
    pub fn read(text: &str) -> Result<Self, StateError> {
        let state: Self =
            serde_saphyr::from_str(text).map_err(|error| StateError::Unreadable(error.to_string()))?;
        state.validate()?;
        Ok(state)
    }

    /// The state as a state file.
    pub fn to_yaml(&self) -> Result<String, StateError> {
        // A token on one line can be found and copied.
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
        serde_saphyr::to_string_with_options(self, options)
            .map_err(|error| StateError::Unwritable(error.to_string()))
    }

    /// One database, whichever organization it belongs to.
    #[must_use]
    pub fn database(&self, id: &str) -> Option<&Database> {
        self.databases.iter().find(|database| database.id == id)
    }

    pub(crate) fn database_mut(&mut self, id: &str) -> Option<&mut Database> {
        self.databases.iter_mut().find(|database| database.id == id)
    }
}

fn second() -> Duration {
    Duration::from_secs(1)
}

fn one() -> u32 {
    1
}

fn serverless() -> String {
    "serverless".into()
}

fn active() -> String {
    "ACTIVE".into()
}

fn accepted() -> String {
    "Accepted".into()
}

fn keyspaces() -> Vec<String> {
    vec!["default_keyspace".into()]
}

fn is_active(status: &str) -> bool {
    status == "ACTIVE"
}

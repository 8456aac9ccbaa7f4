//! What the specs of all kinds have in common, in the words of the Kubernetes API conventions and of Astra.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The API group of all kinds.
pub const GROUP: &str = "astra.datastax.com";
/// The API version of all kinds.
pub const VERSION: &str = "v1beta1";

/// Which Astra database: exactly one of `id` and `name`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(validation = Rule::new("has(self.id) != has(self.name)").message("give exactly one of database.id and database.name"))]
#[serde(rename_all = "camelCase")]
pub struct DatabaseRef {
    /// The database's id, as the Astra Portal and `GET /v2/databases` show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 36),
        regex(pattern = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$")
    )]
    pub id: Option<String>,
    /// The database's name. It is looked up in the token's organization; several databases may have one name in Astra,
    /// and then the id is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub name: Option<String>,
}

/// Where the Astra application token is: a Secret in the object's own namespace.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsRef {
    /// The Secret's name.
    // The pattern is that of all Secrets' names: what could climb out of its place in a URL is no name.
    #[serde(default = "CredentialsRef::default_secret_name")]
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub secret_name: String,
    /// The key in the Secret under which the token is.
    // The pattern is that of all keys of Secrets.
    #[serde(default = "CredentialsRef::default_key")]
    #[schemars(length(min = 1, max = 253), regex(pattern = "^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

impl CredentialsRef {
    /// What an object names, given as JSON: what it leaves out, or cannot say, is the default.
    pub(crate) fn of(object: &serde_json::Value) -> Self {
        serde_json::from_value(object["spec"]["credentials"].clone()).unwrap_or_default()
    }

    fn default_secret_name() -> String {
        "astra-credentials".to_owned()
    }

    fn default_key() -> String {
        "token".to_owned()
    }
}

impl Default for CredentialsRef {
    fn default() -> Self {
        Self { secret_name: Self::default_secret_name(), key: Self::default_key() }
    }
}

/// What happens in Astra when the object is deleted.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// What this object owns is taken away.
    Delete,
    /// Everything is left in Astra as it is.
    Retain,
}

/// Who else may change the same thing in Astra.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Management {
    /// Only this object: what it does not declare is removed.
    Exclusive,
    /// Others too: only what this object owns is ever changed or removed.
    Shared,
}

/// Annotations that a person sets on an object to steer the operator.
pub mod annotation {
    /// With the value `true`, nothing is sent to Astra for this object, and its deletion waits.
    pub const PAUSED: &str = "astra.datastax.com/paused";
    /// Each new value makes the operator look at Astra at once.
    pub const RECONCILE: &str = "astra.datastax.com/reconcile-requested-at";
    /// The number of entries that may be removed in one go although the spec did not change: the number that the
    /// condition `MassRemoval` tells.
    pub const ALLOW_MASS_REMOVAL: &str = "astra.datastax.com/allow-mass-removal";
    /// With the value `true`, an object that is being deleted goes even if Astra could not be cleaned up.
    pub const FORCE_FINALIZE: &str = "astra.datastax.com/force-finalize";
}

/// The finalizer: the object stays until what it owns in Astra was seen to be gone.
pub const FINALIZER: &str = "astra.datastax.com/cleanup";

//! Databases, their datacenters and secure connect bundles (`/v2/databases`).

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Answer, Call, Client, Endpoint, Error, Method,
    answer::ReadError,
    id::{DatabaseId, DatacenterId},
    lenient::or_default,
};

const VIEW: &str = "org-db-view";

/// How many databases are asked for at once: the most the API gives (`limit`, 1 to 100).
pub const PAGE: usize = 100;

/// A database, with what matters for its network.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// Its id.
    pub id: DatabaseId,
    /// Name, cloud, regions.
    #[serde(default)]
    pub info: DatabaseInfo,
    /// Its status: an open set, `ACTIVE`, `MAINTENANCE`, `TERMINATED` and a dozen more.
    #[serde(default)]
    pub status: DatabaseStatus,
}

/// What a database is (`info`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseInfo {
    /// Its name. Several databases of one organization may have the same.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// The cloud, in varying case (`AWS`, `aws`).
    #[serde(default, deserialize_with = "or_default")]
    pub cloud_provider: String,
    /// `serverless`, or a Classic tier such as `C10`.
    #[serde(default, deserialize_with = "or_default")]
    pub tier: String,
    /// The first region.
    #[serde(default, deserialize_with = "or_default")]
    pub region: String,
    /// All regions, one datacenter each, in no promised order.
    #[serde(default, deserialize_with = "or_default")]
    pub datacenters: Vec<Datacenter>,
}

/// One region of a database.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Datacenter {
    /// Its id, to be used in the private link paths.
    pub id: DatacenterId,
    /// The region's name, e.g. `us-east-2`.
    #[serde(default, deserialize_with = "or_default")]
    pub region: String,
    /// The cloud, in varying case.
    #[serde(default, deserialize_with = "or_default")]
    pub cloud_provider: String,
    /// Its status; not sent in every place.
    #[serde(default, deserialize_with = "or_default")]
    pub status: DatabaseStatus,
}

/// A database's status: an open set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct DatabaseStatus(pub String);

impl DatabaseStatus {
    /// Gone, or going: `TERMINATED`, `TERMINATING`.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self.0.as_str(), "TERMINATED" | "TERMINATING")
    }

    /// Can its network be changed now? In `MAINTENANCE` and while it is made, parked or resized, Astra answers 409.
    #[must_use]
    pub fn takes_changes(&self) -> bool {
        // Hibernated databases sleep, but their configuration is open; an unknown status is tried rather than waited for.
        !self.is_terminal() && !Self::BUSY.contains(&self.0.as_str()) && !self.is_parked()
    }

    /// Parked, or on the way there.
    #[must_use]
    pub fn is_parked(&self) -> bool {
        matches!(self.0.as_str(), "PARKED" | "PARKING" | "UNPARKING" | "SUSPENDED")
    }

    const BUSY: &'static [&'static str] = &[
        "PENDING",
        "PLACING",
        "ASSOCIATING",
        "PREPARING",
        "PREPARED",
        "INITIALIZING",
        "MAINTENANCE",
        "RESIZING",
        "DECOMMISSIONING",
        "ERROR",
    ];
}

/// `GET /v2/databases`: one page of the databases that are not terminated.
#[derive(Clone, Debug, Default)]
pub struct ListDatabases {
    /// The last id of the page before.
    pub starting_after: Option<DatabaseId>,
}

impl Endpoint for ListDatabases {
    type Output = Vec<Database>;

    fn call(&self) -> Call {
        let call = Call::new(Method::Get, &["v2", "databases"], VIEW).query("limit", PAGE.to_string());
        match &self.starting_after {
            Some(id) => call.query("starting_after", id.as_str()),
            None => call,
        }
    }

    fn read(&self, answer: &Answer) -> Result<Vec<Database>, ReadError> {
        answer.read()
    }
}

/// All databases that are not terminated, page by page.
///
/// # Errors
/// When one page cannot be had: half a list would look as if databases were gone.
pub async fn list_all(client: &Client) -> Result<Vec<Database>, Error> {
    let mut all: Vec<Database> = Vec::new();
    let mut page = ListDatabases::default();
    loop {
        let found = client.send(&page).await?;
        let last = found.last().map(|database| database.id.clone());
        let full = found.len() >= PAGE;
        // A server that does not know `starting_after` gives the same page for ever.
        let repeated = last.is_some() && last == page.starting_after;
        if !repeated {
            all.extend(found);
        }
        if !full || repeated {
            return Ok(all);
        }
        page.starting_after = last;
    }
}

/// `GET /v2/databases/{id}`: one database, also a terminated one. `None` when Astra does not know it.
#[derive(Clone, Debug)]
pub struct GetDatabase(pub DatabaseId);

impl Endpoint for GetDatabase {
    type Output = Option<Database>;

    fn call(&self) -> Call {
        Call::new(Method::Get, &["v2", "databases", self.0.as_str()], VIEW)
    }

    fn accepts(&self, answer: &Answer) -> bool {
        // Only Astra's own errors object says that a database is unknown; a 404 of some proxy does not.
        answer.is_success() || (answer.status == 404 && answer.has_errors_object())
    }

    fn read(&self, answer: &Answer) -> Result<Option<Database>, ReadError> {
        if answer.status == 404 { Ok(None) } else { answer.read().map(Some) }
    }
}

/// `GET /v2/databases/{id}/datacenters`: the regions of a database.
#[derive(Clone, Debug)]
pub struct ListDatacenters {
    /// Of which database.
    pub database: DatabaseId,
    /// Also those that are not active.
    pub all: bool,
}

impl Endpoint for ListDatacenters {
    type Output = Vec<Datacenter>;

    fn call(&self) -> Call {
        let call = Call::new(Method::Get, &["v2", "databases", self.database.as_str(), "datacenters"], VIEW);
        if self.all { call.query("all", "true") } else { call }
    }

    fn read(&self, answer: &Answer) -> Result<Vec<Datacenter>, ReadError> {
        answer.read()
    }
}

/// `POST /v2/databases/{id}/secureBundleURL`: where to download a database's connection bundles, for some minutes.
#[derive(Clone, Debug)]
pub struct SecureBundleUrls(pub DatabaseId);

/// The bundles of one region.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecureBundle {
    /// For connections over the internet or a private endpoint.
    #[serde(rename = "downloadURL")]
    pub download_url: String,
    /// For connections over a VPC peering.
    #[serde(rename = "downloadURLInternal", default)]
    pub download_url_internal: Option<String>,
    /// Which datacenter. The key is misspelt in the real API.
    #[serde(rename = "datcenterID", alias = "datacenterID", default)]
    pub datacenter_id: Option<String>,
    /// Which region.
    #[serde(default)]
    pub region: Option<String>,
}

impl Endpoint for SecureBundleUrls {
    type Output = Vec<SecureBundle>;

    fn call(&self) -> Call {
        Call::new(Method::Post, &["v2", "databases", self.0.as_str(), "secureBundleURL"], "db-cql")
            .query("all", "true")
            .body(json!({}))
            .safe_to_repeat()
    }

    fn read(&self, answer: &Answer) -> Result<Vec<SecureBundle>, ReadError> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum OneOrMany {
            Many(Vec<SecureBundle>),
            One(SecureBundle),
        }
        Ok(match answer.read()? {
            OneOrMany::Many(bundles) => bundles,
            OneOrMany::One(bundle) => vec![bundle],
        })
    }
}

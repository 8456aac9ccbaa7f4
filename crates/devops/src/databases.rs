//! Databases, their datacenters and secure connect bundles (`/v2/databases`).

use std::collections::HashSet;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{
    Answer, Call, Client, Endpoint, Error, Method,
    answer::ReadError,
    id::{DatabaseId, DatacenterId},
    lenient::{one_or_many, or_default, without_odd},
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
    /// The organization it belongs to.
    #[serde(default, deserialize_with = "or_default")]
    pub org_id: String,
    /// Name, cloud, regions.
    #[serde(default, deserialize_with = "or_default")]
    pub info: DatabaseInfo,
    /// Its status: an open set, `ACTIVE`, `MAINTENANCE`, `TERMINATED` and a dozen more.
    #[serde(default, deserialize_with = "or_default")]
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
    /// All regions, one datacenter each, in no promised order. One that has no id yet is left out.
    #[serde(default, deserialize_with = "with_id")]
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

/// A datacenter without an id, as one that is being made may be, cannot be named in any call; it must not make the
/// list of all databases unreadable.
fn with_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Datacenter>, D::Error> {
    without_odd(deserializer, |datacenter| datacenter.get("id").and_then(Value::as_str) == Some(""))
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
        Ok(answer.read::<Option<_>>()?.unwrap_or_default())
    }
}

/// All databases that are not terminated, page by page.
///
/// # Errors
/// When one page cannot be had: half a list would look as if databases were gone. So it is too when a full page comes
/// twice, because then the server does not know `starting_after`, and nobody knows what is behind that page.
pub async fn list_all(client: &Client) -> Result<Vec<Database>, Error> {
    let mut all: Vec<Database> = Vec::new();
    let mut seen = HashSet::new();
    let mut page = ListDatabases::default();
    loop {
        let found = client.send(&page).await?;
        let count = found.len();
        page.starting_after = found.last().map(|database| database.id.clone());
        let before = all.len();
        all.extend(found.into_iter().filter(|database| seen.insert(database.id.clone())));
        if count < PAGE || (all.len() == before && count > PAGE) {
            // The last page; or, with more than was asked for, a server that does not page and gave all at once.
            return Ok(all);
        }
        if all.len() == before {
            return Err(Error::Unreadable {
                call: page.call().to_string(),
                status: 200,
                start: "the same page again".to_owned(),
                source: serde::de::Error::custom(
                    "starting_after has no effect, so the list would not be whole",
                ),
            });
        }
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
        answer.is_success() || answer.is_unknown()
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
        one_or_many(answer)
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
    /// Which datacenter.
    #[serde(flatten, deserialize_with = "datacenter_id")]
    pub datacenter_id: Option<String>,
    /// Which region.
    #[serde(default)]
    pub region: Option<String>,
}

/// The key is misspelt in the real API; an answer with both spellings must not fail as one with a key twice.
fn datacenter_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Spellings {
        #[serde(rename = "datcenterID", default)]
        real: Option<String>,
        #[serde(rename = "datacenterID", default)]
        right: Option<String>,
    }
    let spellings = Spellings::deserialize(deserializer)?;
    Ok(spellings.real.or(spellings.right))
}

impl Endpoint for SecureBundleUrls {
    type Output = Vec<SecureBundle>;

    fn call(&self) -> Call {
        Call::new(Method::Post, &["v2", "databases", self.0.as_str(), "secureBundleURL"], "db-cql")
            .query("all", "true")
            .safe_to_repeat()
    }

    fn read(&self, answer: &Answer) -> Result<Vec<SecureBundle>, ReadError> {
        one_or_many(answer)
    }
}

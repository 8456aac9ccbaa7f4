//! The regions that databases can be made in (`/v2/regions/serverless`, `/v2/availableRegions`).

use serde::Deserialize;

use crate::{Answer, Call, Endpoint, Method, answer::ReadError, lenient::or_default};

/// Astra demands the permission to make databases for this, and answers 401 `null` without it.
const CREATE: &str = "org-db-create";

/// A region for serverless databases.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerlessRegion {
    /// The cloud, in varying case.
    pub cloud_provider: String,
    /// Its name, e.g. `us-east-2`.
    pub name: String,
    /// Its name for people.
    #[serde(default, deserialize_with = "or_default")]
    pub display_name: String,
    /// Can it be used by this organization?
    #[serde(default, deserialize_with = "or_default")]
    pub enabled: bool,
}

/// `GET /v2/regions/serverless`: all types of regions.
#[derive(Clone, Copy, Debug)]
pub struct ListServerlessRegions;

impl Endpoint for ListServerlessRegions {
    type Output = Vec<ServerlessRegion>;

    fn call(&self) -> Call {
        Call::new(Method::Get, &["v2", "regions", "serverless"], CREATE).query("region-type", "all")
    }

    fn read(&self, answer: &Answer) -> Result<Vec<ServerlessRegion>, ReadError> {
        Ok(answer.read::<Option<_>>()?.unwrap_or_default())
    }
}

/// A region and tier for Classic databases.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassicRegion {
    /// The tier, e.g. `C10`.
    pub tier: String,
    /// The cloud, in varying case.
    pub cloud_provider: String,
    /// Its name.
    pub region: String,
}

/// `GET /v2/availableRegions`: tiers and regions for Classic databases. The real answer has duplicates.
#[derive(Clone, Copy, Debug)]
pub struct ListClassicRegions;

impl Endpoint for ListClassicRegions {
    type Output = Vec<ClassicRegion>;

    fn call(&self) -> Call {
        Call::new(Method::Get, &["v2", "availableRegions"], CREATE)
    }

    fn read(&self, answer: &Answer) -> Result<Vec<ClassicRegion>, ReadError> {
        Ok(answer.read::<Option<_>>()?.unwrap_or_default())
    }
}

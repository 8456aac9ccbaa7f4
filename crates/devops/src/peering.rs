//! VPC peering of Classic databases (`/v2/peering/provider/{provider}/database/{db}`): one for each database and cloud.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Answer, Call, Endpoint, Method,
    answer::ReadError,
    id::DatabaseId,
    lenient::{object, or_default},
};

const READ: &str = "org-db-readpeering";
const WRITE: &str = "org-db-addpeering";

/// What an answer about a peering must have something of.
const FIELDS: &[&str] = &["connectionId", "status", "currentVpc", "otherVpc"];

/// The clouds, as they are written in paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Provider {
    Aws,
    Azure,
    Gcp,
}

impl Provider {
    /// As it is written in paths.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
        }
    }

    /// Reads a cloud's name in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Aws, Self::Azure, Self::Gcp]
            .into_iter()
            .find(|provider| provider.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aws => "AWS",
            Self::Azure => "Azure",
            Self::Gcp => "Google Cloud",
        })
    }
}

/// The network to peer with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Network {
    /// An AWS VPC.
    #[serde(rename_all = "camelCase")]
    Aws {
        /// 12 digits.
        account_id: String,
        /// `vpc-…`.
        vpc_id: String,
        /// The VPC's region.
        region: String,
        /// The VPC's network.
        cidr_block: String,
    },
    /// An Azure virtual network.
    #[serde(rename_all = "camelCase")]
    Azure {
        /// A GUID.
        tenant_id: String,
        /// A GUID.
        subscription_id: String,
        /// The resource group's name.
        resource_group_name: String,
        /// The virtual network's name.
        virtual_network_name: String,
    },
    /// A Google Cloud VPC network.
    #[serde(rename_all = "camelCase")]
    Gcp {
        /// The project's id.
        project_id: String,
        /// The network's name.
        vpc_network_name: String,
    },
}

impl Network {
    /// Its cloud.
    #[must_use]
    pub const fn provider(&self) -> Provider {
        match self {
            Self::Aws { .. } => Provider::Aws,
            Self::Azure { .. } => Provider::Azure,
            Self::Gcp { .. } => Provider::Gcp,
        }
    }
}

/// A peering as Astra has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Peering {
    /// Astra's id of it.
    #[serde(default, deserialize_with = "or_default")]
    pub connection_id: String,
    /// An open set: `pending-acceptance`, `active`, `failed` …, or an Azure error text.
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
    /// One side.
    #[serde(default, deserialize_with = "or_default")]
    pub current_vpc: Vpc,
    /// The other side.
    #[serde(default, deserialize_with = "or_default")]
    pub other_vpc: Vpc,
}

/// One side of a peering.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Vpc {
    /// The cloud.
    #[serde(default, deserialize_with = "or_default")]
    pub provider: String,
    /// AWS account, Azure subscription or Google Cloud project.
    #[serde(default, deserialize_with = "or_default")]
    pub account: String,
    /// The network's id or name.
    #[serde(default, deserialize_with = "or_default")]
    pub vpc_id: String,
    /// Its addresses.
    #[serde(default, deserialize_with = "or_default")]
    pub cidr_block: String,
}

/// `GET`: a database's peering with one cloud. `None` when there is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GetPeering {
    /// The cloud.
    pub provider: Provider,
    /// The database.
    pub database: DatabaseId,
}

impl Endpoint for GetPeering {
    type Output = Option<Peering>;

    fn call(&self) -> Call {
        Call::new(Method::Get, &path(self.provider, &self.database), READ)
    }

    fn accepts(&self, answer: &Answer) -> bool {
        // Astra's word for "no peering" is not documented: a bare string or an errors object. The latter may also mean
        // that the database is unknown, and then there is no peering either.
        answer.is_success() || answer.is_plain_404() || answer.is_unknown()
    }

    fn read(&self, answer: &Answer) -> Result<Option<Peering>, ReadError> {
        if answer.status == 404 { Ok(None) } else { object(answer, FIELDS).map(Some) }
    }
}

/// `POST`: asks for a peering. Not safe to repeat; there is no update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatePeering {
    /// The database.
    pub database: DatabaseId,
    /// The network to peer with.
    pub network: Network,
}

impl Endpoint for CreatePeering {
    type Output = Peering;

    fn call(&self) -> Call {
        Call::new(Method::Post, &path(self.network.provider(), &self.database), WRITE)
            .body(json!(self.network))
    }

    fn read(&self, answer: &Answer) -> Result<Peering, ReadError> {
        object(answer, FIELDS)
    }
}

/// `DELETE`: ends a database's peering with one cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletePeering {
    /// The cloud.
    pub provider: Provider,
    /// The database.
    pub database: DatabaseId,
}

impl Endpoint for DeletePeering {
    type Output = ();

    fn call(&self) -> Call {
        Call::new(Method::Delete, &path(self.provider, &self.database), WRITE).safe_to_repeat()
    }

    fn read(&self, _: &Answer) -> Result<(), ReadError> {
        Ok(())
    }
}

fn path(provider: Provider, database: &DatabaseId) -> [&str; 6] {
    ["v2", "peering", "provider", provider.as_str(), "database", database.as_str()]
}

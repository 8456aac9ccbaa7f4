//! Private link: allowed principals, service name and private endpoints of a datacenter
//! (`/v2/organizations/…/private-link`). In these paths `clusterID` is the database's id.

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Value, json};

use crate::{
    Answer, Call, Endpoint, Method,
    answer::ReadError,
    id::{DatabaseId, DatacenterId, EndpointId},
    lenient::{object, object_or_none, or_default, without_odd},
};

const MANAGE: &str = "db-manage-privateendpoint";

/// What an answer about a datacenter's private link must have something of.
const LINK: &[&str] = &["serviceName", "allowedPrincipals", "datacenterID", "endpoints"];

/// Which datacenter of which database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The database (`clusterID`).
    pub database: DatabaseId,
    /// The datacenter (`datacenterID`).
    pub datacenter: DatacenterId,
}

impl Place {
    fn path<'a>(&'a self, last: &[&'a str]) -> Vec<&'a str> {
        let mut path = vec!["v2", "organizations", "clusters", self.database.as_str(), "datacenters"];
        path.push(self.datacenter.as_str());
        path.extend_from_slice(last);
        path
    }
}

/// The private links of one database.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct DatabaseLinks {
    /// The database.
    #[serde(rename = "clusterID")]
    pub database: DatabaseId,
    /// One entry for each datacenter that has a configuration.
    #[serde(default, deserialize_with = "or_default")]
    pub datacenters: Vec<PrivateLink>,
}

/// The private link configuration of one datacenter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrivateLink {
    /// The datacenter; absent in some answers that are about one.
    #[serde(rename = "datacenterID", default, deserialize_with = "or_default")]
    pub datacenter: String,
    /// What to build the cloud's endpoint from; made by the first principal, and stable.
    #[serde(default, deserialize_with = "or_default")]
    pub service_name: String,
    /// Who may connect.
    #[serde(default, deserialize_with = "or_default")]
    pub allowed_principals: Vec<String>,
    /// The endpoints that were accepted or rejected. One whose id no call could name is left out.
    #[serde(default, deserialize_with = "with_id")]
    pub endpoints: Vec<PrivateEndpoint>,
}

/// Somebody else's endpoint with an odd id (empty, with a space) must not make the links of the whole organization
/// unreadable. It cannot be one of ours: such an id is never sent.
fn with_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PrivateEndpoint>, D::Error> {
    without_odd(deserializer, |endpoint| {
        endpoint.get("endpointID").and_then(Value::as_str).is_some_and(|id| id.parse::<EndpointId>().is_err())
    })
}

/// A private endpoint as Astra has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct PrivateEndpoint {
    /// Its id. On Azure not the one that was sent, but one that Astra made from it.
    #[serde(rename = "endpointID")]
    pub id: EndpointId,
    /// What it is for.
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
    /// Astra's id of the link.
    #[serde(rename = "linkID", default, deserialize_with = "or_default")]
    pub link_id: String,
    /// `Accepted` or `Rejected`, as far as is known.
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
    /// When it was made, as Astra writes it, without a zone.
    #[serde(rename = "createdDateTime", default, deserialize_with = "or_default")]
    pub created: String,
}

/// `GET /v2/organizations/private-link`: all databases at once.
#[derive(Clone, Copy, Debug)]
pub struct ListPrivateLinks;

impl Endpoint for ListPrivateLinks {
    type Output = Vec<DatabaseLinks>;

    fn call(&self) -> Call {
        Call::new(Method::Get, &["v2", "organizations", "private-link"], MANAGE)
    }

    fn accepts(&self, answer: &Answer) -> bool {
        // An organization without any configuration is answered as a datacenter without one.
        answer.is_success() || answer.is_plain_404()
    }

    fn read(&self, answer: &Answer) -> Result<Vec<DatabaseLinks>, ReadError> {
        #[derive(Deserialize)]
        struct Organization {
            #[serde(default, deserialize_with = "or_default")]
            clusters: Vec<DatabaseLinks>,
        }
        if answer.status == 404 {
            return Ok(Vec::new());
        }
        let found: Option<Organization> = object_or_none(answer, &["clusters"])?;
        Ok(found.map(|organization| organization.clusters).unwrap_or_default())
    }
}

/// `GET /v2/organizations/clusters/{db}/private-link`: one database.
#[derive(Clone, Debug)]
pub struct GetDatabaseLinks(pub DatabaseId);

impl Endpoint for GetDatabaseLinks {
    type Output = DatabaseLinks;

    fn call(&self) -> Call {
        Call::new(Method::Get, &["v2", "organizations", "clusters", self.0.as_str(), "private-link"], MANAGE)
    }

    fn accepts(&self, answer: &Answer) -> bool {
        answer.is_success() || answer.is_plain_404()
    }

    fn read(&self, answer: &Answer) -> Result<DatabaseLinks, ReadError> {
        let nothing = || DatabaseLinks { database: self.0.clone(), datacenters: Vec::new() };
        if answer.status == 404 {
            return Ok(nothing());
        }
        Ok(object_or_none(answer, &["clusterID"])?.unwrap_or_else(nothing))
    }
}

/// `GET …/datacenters/{dc}/private-link`. `None` when nothing was configured there yet.
#[derive(Clone, Debug)]
pub struct GetPrivateLink(pub Place);

impl Endpoint for GetPrivateLink {
    type Output = Option<PrivateLink>;

    fn call(&self) -> Call {
        Call::new(Method::Get, &self.0.path(&["private-link"]), MANAGE)
    }

    fn accepts(&self, answer: &Answer) -> bool {
        // Not configured is 404 with a bare string; an errors object says that the database is unknown.
        answer.is_success() || answer.is_plain_404()
    }

    fn read(&self, answer: &Answer) -> Result<Option<PrivateLink>, ReadError> {
        if answer.status == 404 { Ok(None) } else { object_or_none(answer, LINK) }
    }
}

/// What the answer to allowing a principal must have something of.
const SERVICE: &[&str] = &["serviceName", "allowedPrincipals"];

/// What [`AllowPrincipals`] answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// What to build the cloud's endpoint from.
    #[serde(default, deserialize_with = "or_default")]
    pub service_name: String,
    /// Who may connect now.
    #[serde(default, deserialize_with = "or_default")]
    pub allowed_principals: Vec<String>,
}

/// `POST …/private-link`: allows principals beside those that are allowed already. The first one makes the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowPrincipals {
    /// Where.
    pub place: Place,
    /// AWS: an ARN; Azure: a subscription id; Google Cloud: a project id.
    pub principals: Vec<String>,
}

impl Endpoint for AllowPrincipals {
    type Output = Service;

    fn call(&self) -> Call {
        Call::new(Method::Post, &self.place.path(&["private-link"]), MANAGE)
            .body(json!({ "allowedPrincipals": self.principals }))
            .safe_to_repeat()
    }

    fn read(&self, answer: &Answer) -> Result<Service, ReadError> {
        object(answer, SERVICE)
    }
}

/// `POST …/allowed-principals`: does the same as [`AllowPrincipals`] for a datacenter that has a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddAllowedPrincipals(pub AllowPrincipals);

impl Endpoint for AddAllowedPrincipals {
    type Output = Service;

    fn call(&self) -> Call {
        Call::new(Method::Post, &self.0.place.path(&["allowed-principals"]), MANAGE)
            .body(json!({ "allowedPrincipals": self.0.principals }))
            .safe_to_repeat()
    }

    fn read(&self, answer: &Answer) -> Result<Service, ReadError> {
        object(answer, SERVICE)
    }
}

/// `DELETE …/allowed-principals`: takes one principal away, named in the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovePrincipal {
    /// Where.
    pub place: Place,
    /// Whom.
    pub principal: String,
}

impl Endpoint for RemovePrincipal {
    type Output = ();

    fn call(&self) -> Call {
        Call::new(Method::Delete, &self.place.path(&["allowed-principals"]), MANAGE)
            .body(json!({ "allowedPrincipal": self.principal }))
            .safe_to_repeat()
    }

    fn read(&self, _: &Answer) -> Result<(), ReadError> {
        Ok(())
    }
}

/// `POST …/endpoints`: accepts a cloud's endpoint. Not known to be safe to repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptEndpoint {
    /// Where.
    pub place: Place,
    /// The id as the cloud names it.
    pub id: EndpointId,
    /// What it is for.
    pub description: String,
}

impl Endpoint for AcceptEndpoint {
    type Output = PrivateEndpoint;

    fn call(&self) -> Call {
        Call::new(Method::Post, &self.place.path(&["endpoints"]), MANAGE)
            .body(json!({ "endpointID": self.id, "description": self.description }))
    }

    fn read(&self, answer: &Answer) -> Result<PrivateEndpoint, ReadError> {
        #[derive(Deserialize)]
        struct Wrapped {
            #[serde(default, deserialize_with = "or_default")]
            datacenters: Vec<PrivateLink>,
        }
        let body: Value = answer.read()?;
        if body.get("endpointID").is_some() {
            return Ok(serde_json::from_value(body)?);
        }
        // Older documents show the datacenters around the endpoint, and then all of their endpoints.
        let wrapped: Wrapped = serde_json::from_value(body)?;
        let all: Vec<_> =
            wrapped.datacenters.into_iter().flat_map(|datacenter| datacenter.endpoints).collect();
        self.own(all).ok_or_else(|| {
            ReadError(de::Error::custom(format_args!("the endpoint {} is not in the answer", self.id)))
        })
    }
}

impl AcceptEndpoint {
    /// The endpoint that was asked for among `all`. A wrong guess would be taken for ours and could be removed later, so
    /// when in doubt there is none.
    fn own(&self, mut all: Vec<PrivateEndpoint>) -> Option<PrivateEndpoint> {
        if let Some(same) = all.iter().position(|endpoint| endpoint.id == self.id) {
            return Some(all.swap_remove(same));
        }
        // Azure: Astra makes another id, from the last segment of the resource id and a GUID.
        let (_, name) = self.id.as_str().rsplit_once('/')?;
        let is_made_from = |id: &str| {
            let start = id.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
            start && id[name.len()..].starts_with('.')
        };
        all.retain(|endpoint| is_made_from(endpoint.id.as_str()));
        if all.len() == 1 { all.pop() } else { None }
    }
}

/// `GET …/endpoints/{id}`. `None` when Astra does not have it.
#[derive(Clone, Debug)]
pub struct GetEndpoint {
    /// Where.
    pub place: Place,
    /// The id as Astra has it.
    pub id: EndpointId,
}

impl Endpoint for GetEndpoint {
    type Output = Option<PrivateEndpoint>;

    fn call(&self) -> Call {
        Call::new(Method::Get, &self.place.path(&["endpoints", self.id.as_str()]), MANAGE)
    }

    fn accepts(&self, answer: &Answer) -> bool {
        answer.is_success() || answer.is_plain_404()
    }

    fn read(&self, answer: &Answer) -> Result<Option<PrivateEndpoint>, ReadError> {
        if answer.status == 404 { Ok(None) } else { answer.read().map(Some) }
    }
}

/// `PUT …/endpoints/{id}`: changes the description, the only thing that can be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribeEndpoint {
    /// Where.
    pub place: Place,
    /// The id as Astra has it.
    pub id: EndpointId,
    /// What it is for.
    pub description: String,
}

impl Endpoint for DescribeEndpoint {
    type Output = PrivateEndpoint;

    fn call(&self) -> Call {
        Call::new(Method::Put, &self.place.path(&["endpoints", self.id.as_str()]), MANAGE)
            .body(json!({ "description": self.description }))
            .safe_to_repeat()
    }

    fn read(&self, answer: &Answer) -> Result<PrivateEndpoint, ReadError> {
        answer.read()
    }
}

/// `DELETE …/endpoints/{id}`: disconnects an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveEndpoint {
    /// Where.
    pub place: Place,
    /// The id as Astra has it.
    pub id: EndpointId,
}

impl Endpoint for RemoveEndpoint {
    type Output = ();

    fn call(&self) -> Call {
        Call::new(Method::Delete, &self.place.path(&["endpoints", self.id.as_str()]), MANAGE).safe_to_repeat()
    }

    fn read(&self, _: &Answer) -> Result<(), ReadError> {
        Ok(())
    }
}

/// `GET /v2/organizations/customDomains`.
#[derive(Clone, Copy, Debug)]
pub struct GetCustomDomains;

impl Endpoint for GetCustomDomains {
    type Output = Vec<String>;

    fn call(&self) -> Call {
        Call::new(Method::Get, &["v2", "organizations", "customDomains"], MANAGE)
    }

    fn read(&self, answer: &Answer) -> Result<Vec<String>, ReadError> {
        Ok(answer.read::<Option<_>>()?.unwrap_or_default())
    }
}

/// `POST /v2/organizations/customDomains`: sets the whole set; there is no delete.
#[derive(Clone, Debug)]
pub struct SetCustomDomains(pub Vec<String>);

impl Endpoint for SetCustomDomains {
    type Output = ();

    fn call(&self) -> Call {
        let call = Call::new(Method::Post, &["v2", "organizations", "customDomains"], MANAGE);
        call.body(json!(self.0)).safe_to_repeat()
    }

    fn read(&self, _: &Answer) -> Result<(), ReadError> {
        Ok(())
    }
}

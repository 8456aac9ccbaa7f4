//! The spec of an `AstraPrivateEndpoint` after parsing, and where in Astra it is about.

use std::collections::BTreeSet;

use astra_devops::{
    databases::{Database, Datacenter},
    id::EndpointId,
    peering::Provider,
    private_link::Place,
};

use super::resource::AstraPrivateEndpointSpec;
use crate::engine::{Problem, Reason};

/// What shall be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    region: Option<String>,
    datacenter: Option<String>,
    /// Whether it is all that shall be there.
    pub management: crate::resource::Management,
    /// Who may connect.
    pub principals: BTreeSet<String>,
    /// The endpoints, in the order of the spec.
    pub endpoints: Vec<Wanted>,
}

/// One endpoint that shall be connected.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The id in the spec.
    pub id: EndpointId,
    /// What it is for.
    pub description: String,
}

impl Desired {
    /// Parses a spec.
    ///
    /// # Errors
    /// The field, what was found there and what is expected.
    pub fn parse(spec: &AstraPrivateEndpointSpec) -> Result<Self, Problem> {
        let mut principals = BTreeSet::new();
        for (i, principal) in spec.allowed_principals.iter().enumerate() {
            if !principals.insert(principal.clone()) {
                return Err(Problem::invalid(
                    &format!("spec.allowedPrincipals[{i}]"),
                    format!("{principal} is there twice"),
                ));
            }
        }
        let mut seen = BTreeSet::new();
        let mut endpoints = Vec::with_capacity(spec.endpoints.len());
        for (i, endpoint) in spec.endpoints.iter().enumerate() {
            let field = format!("spec.endpoints[{i}].id");
            // Azure resource ids do not care for case, so two that differ in nothing else are one.
            if !seen.insert(endpoint.id.to_ascii_lowercase()) {
                return Err(Problem::invalid(&field, format!("{} is there twice", endpoint.id)));
            }
            let id = endpoint.id.parse().map_err(|error| Problem::invalid(&field, error))?;
            endpoints.push(Wanted { id, description: endpoint.description.clone() });
        }
        Ok(Self {
            region: spec.region.clone(),
            datacenter: spec.datacenter_id.clone(),
            management: spec.management,
            principals,
            endpoints,
        })
    }

    /// Finds the datacenter in the database, and checks that the ids are of its cloud.
    ///
    /// # Errors
    /// When there is no such region, it is not said which of several, or an id is of another cloud.
    pub fn place(&self, database: &Database, recorded: Option<&str>) -> Result<Place, Problem> {
        let datacenter = self.datacenter(database)?;
        if let Some(before) = recorded.filter(|before| *before != datacenter.id.as_str()) {
            return Err(Problem::new(
                Reason::Conflict,
                format!(
                    "this object was about datacenter {before} and its spec now means {}; name the region that it is about, or make another object",
                    datacenter.id
                ),
            ));
        }
        if let Some(provider) = provider(database, datacenter) {
            self.check_ids(provider)?;
        }
        Ok(Place { database: database.id.clone(), datacenter: datacenter.id.clone() })
    }

    fn datacenter<'a>(&self, database: &'a Database) -> Result<&'a Datacenter, Problem> {
        let all = &database.info.datacenters;
        let by_id = |id: &str| all.iter().find(|datacenter| datacenter.id.as_str() == id);
        let by_region =
            |region: &str| all.iter().find(|datacenter| datacenter.region.eq_ignore_ascii_case(region));
        let has = || {
            let mut regions: Vec<String> =
                all.iter().map(|datacenter| format!("{} ({})", datacenter.region, datacenter.id)).collect();
            regions.sort();
            if regions.is_empty() { "none".to_owned() } else { regions.join(", ") }
        };
        let name = &database.info.name;
        match (self.region.as_deref(), self.datacenter.as_deref()) {
            (None, None) => match all.as_slice() {
                [one] => Ok(one),
                [] => {
                    Err(Problem::new(Reason::DatabaseNotReady, format!("database {name} has no region yet")))
                }
                _ => Err(Problem::invalid(
                    "spec.region",
                    format!("database {name} has several regions, say which: {}", has()),
                )),
            },
            (Some(region), None) => by_region(region).ok_or_else(|| {
                Problem::invalid(
                    "spec.region",
                    format!("database {name} has no region {region:?}; it has {}", has()),
                )
            }),
            (region, Some(id)) => {
                let found = by_id(id).ok_or_else(|| {
                    let problem = format!("database {name} has no datacenter {id:?}; it has {}", has());
                    Problem::invalid("spec.datacenterId", problem)
                })?;
                match region.filter(|region| !found.region.eq_ignore_ascii_case(region)) {
                    Some(region) => Err(Problem::invalid(
                        "spec.region",
                        format!(
                            "is {region:?}, but spec.datacenterId {id} is in {}; leave one of the two out",
                            found.region
                        ),
                    )),
                    None => Ok(found),
                }
            }
        }
    }

    fn check_ids(&self, provider: Provider) -> Result<(), Problem> {
        for principal in &self.principals {
            if !is_principal(provider, principal) {
                let expected = match provider {
                    Provider::Aws => "an ARN such as arn:aws:iam::123456789012:root",
                    Provider::Azure => "a subscription id (a GUID)",
                    Provider::Gcp => "a project id",
                };
                let problem =
                    format!("the database is on {provider}, which takes {expected}; found {principal:?}");
                return Err(Problem::invalid("spec.allowedPrincipals", problem));
            }
        }
        for endpoint in &self.endpoints {
            if !is_endpoint(provider, endpoint.id.as_str()) {
                let expected = match provider {
                    Provider::Aws => "a VPC endpoint id (vpce-…)",
                    Provider::Azure => "a resource id (/subscriptions/…/privateEndpoints/NAME)",
                    Provider::Gcp => "a PSC connection id (digits)",
                };
                let problem = format!(
                    "the database is on {provider}, which takes {expected}; found {:?}",
                    endpoint.id.as_str()
                );
                return Err(Problem::invalid("spec.endpoints", problem));
            }
        }
        Ok(())
    }
}

/// The cloud of a datacenter; `None` for one that is not known, where Astra itself must judge the ids.
#[must_use]
pub fn provider(database: &Database, datacenter: &Datacenter) -> Option<Provider> {
    Provider::parse(&datacenter.cloud_provider).or_else(|| Provider::parse(&database.info.cloud_provider))
}

/// The forms are checked leniently: Astra has the last word.
fn is_principal(provider: Provider, text: &str) -> bool {
    match provider {
        Provider::Aws => text.starts_with("arn:aws"),
        Provider::Azure => is_guid(text),
        Provider::Gcp => !text.starts_with("arn:") && !is_guid(text),
    }
}

fn is_endpoint(provider: Provider, text: &str) -> bool {
    match provider {
        Provider::Aws => text.starts_with("vpce-"),
        Provider::Azure => text.starts_with('/'),
        Provider::Gcp => text.bytes().all(|b| b.is_ascii_digit()),
    }
}

/// Is it 8-4-4-4-12 hexadecimal digits?
#[must_use]
pub fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()))
}

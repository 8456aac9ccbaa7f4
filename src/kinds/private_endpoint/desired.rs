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
            // Azure subscription ids do not care for case, so two that differ in nothing else are one.
            let twice = principals.iter().any(|other: &String| {
                other == principal || is_guid(principal) && other.eq_ignore_ascii_case(principal)
            });
            if twice || !principals.insert(principal.clone()) {
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const GUID: &str = "9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001";
    const RESOURCE: &str = "/subscriptions/9a1c6ae4-1cf9-4f0b-8d0e-6b0c7fb7a001/resourceGroups/n/providers/Microsoft.Network/privateEndpoints/a";
    const ARN: &str = "arn:aws:iam::123456789012:root";

    fn database(cloud: &str, regions: &[&str]) -> Database {
        let datacenter =
            |(n, region): (usize, &&str)| json!({ "id": format!("db-{}", n + 1), "region": region });
        let datacenters: Vec<Value> = regions.iter().enumerate().map(datacenter).collect();
        let info = json!({ "name": "orders", "cloudProvider": cloud, "datacenters": datacenters });
        serde_json::from_value(json!({ "id": "db", "info": info, "status": "ACTIVE" })).unwrap()
    }

    fn spec(fields: &Value) -> AstraPrivateEndpointSpec {
        let mut spec = json!({ "database": { "name": "orders" } });
        spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(spec).unwrap()
    }

    /// The datacenter, or the reason and the message.
    fn place(fields: &Value, database: &Database, recorded: Option<&str>) -> String {
        match Desired::parse(&spec(fields)).and_then(|desired| desired.place(database, recorded)) {
            Ok(place) => place.datacenter.to_string(),
            Err(problem) => format!("{}: {}", problem.reason, problem.message),
        }
    }

    #[test]
    fn a_datacenter_is_looked_up_and_never_guessed() {
        let (none, one) = (database("AWS", &[]), database("AWS", &["us-east-1"]));
        let two = database("AWS", &["us-east-1", "eu-west-1"]);
        for (fields, database, recorded, expected) in [
            (json!({}), &one, None, "db-1"),
            (json!({}), &none, None, "DatabaseNotReady: "),
            (json!({}), &two, None, "InvalidSpec: spec.region: "),
            (json!({ "region": "eu-west-1" }), &two, None, "db-2"),
            (json!({ "region": "EU-WEST-1" }), &two, None, "db-2"),
            (json!({ "datacenterId": "db-2" }), &two, None, "db-2"),
            (json!({ "region": "eu-west-1", "datacenterId": "db-2" }), &two, None, "db-2"),
            (
                json!({ "region": "us-east-1", "datacenterId": "db-2" }),
                &two,
                None,
                "InvalidSpec: spec.region: ",
            ),
            (json!({ "region": "us-west-2" }), &two, None, "InvalidSpec: spec.region: "),
            (json!({ "datacenterId": "db-9" }), &two, None, "InvalidSpec: spec.datacenterId: "),
            (json!({}), &one, Some("db-1"), "db-1"),
            (json!({}), &one, Some("db-0"), "Conflict: "),
        ] {
            let found = place(&fields, database, recorded);
            assert!(found.starts_with(expected), "{fields} on {recorded:?}: {found}");
        }
    }

    #[test]
    fn ids_must_be_of_the_databases_cloud() {
        for (cloud, principal, endpoint, fits) in [
            ("AWS", ARN, "vpce-0a1", (true, true)),
            ("aws", "arn:aws-cn:iam::123456789012:role/x", "vpce-0a1", (true, true)),
            ("AWS", GUID, RESOURCE, (false, false)),
            ("AWS", "acme-network", "100200", (false, false)),
            ("AZURE", GUID, RESOURCE, (true, true)),
            ("AZURE", ARN, "vpce-0a1", (false, false)),
            ("AZURE", "acme-network", "100200", (false, false)),
            ("GCP", "acme-network", "100200", (true, true)),
            ("GCP", GUID, RESOURCE, (false, false)),
            ("GCP", ARN, "vpce-0a1", (false, false)),
            // A cloud of tomorrow: Astra itself judges.
            ("OCI", "anything", "anything", (true, true)),
        ] {
            let database = database(cloud, &["one"]);
            let by_principal = place(&json!({ "allowedPrincipals": [principal] }), &database, None);
            let by_endpoint = place(&json!({ "endpoints": [{ "id": endpoint }] }), &database, None);
            assert_eq!(
                (by_principal == "db-1", by_endpoint == "db-1"),
                fits,
                "{cloud}: {by_principal}, {by_endpoint}"
            );
            assert!(
                fits.0 || by_principal.starts_with("InvalidSpec: spec.allowedPrincipals: "),
                "{by_principal}"
            );
            assert!(fits.1 || by_endpoint.starts_with("InvalidSpec: spec.endpoints: "), "{by_endpoint}");
        }
    }

    #[test]
    fn what_is_there_twice_or_cannot_be_sent_is_told_with_its_field() {
        for (fields, field) in [
            (json!({ "allowedPrincipals": [ARN, "x", ARN] }), "spec.allowedPrincipals[2]: "),
            (json!({ "endpoints": [{ "id": "vpce-1" }, { "id": "VPCE-1" }] }), "spec.endpoints[1].id: "),
            (json!({ "endpoints": [{ "id": "" }] }), "spec.endpoints[0].id: "),
            (json!({ "endpoints": [{ "id": "vpce 1" }] }), "spec.endpoints[0].id: "),
            (json!({ "endpoints": [{ "id": ".." }] }), "spec.endpoints[0].id: "),
        ] {
            let problem = Desired::parse(&spec(&fields)).unwrap_err();
            assert_eq!(problem.reason, Reason::InvalidSpec);
            assert!(problem.message.starts_with(field), "{fields}: {}", problem.message);
        }
    }
}

//! What an object is about: its endpoints, addresses or peering, each with its state, as the object's status tells it.
//! Pure.

use std::{collections::BTreeSet, net::Ipv4Addr};

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::standing;
use crate::{
    kinds::{
        access_list::{AccessListDetails, Address, PublicAccess},
        private_endpoint::{EndpointSpec, PrivateEndpointDetails},
        vpc_peering::VpcPeeringDetails,
    },
    status::limits,
};

/// The most parts of one sort that are told; a list can have a thousand.
const MOST: usize = 20;

/// One thing that an object is about.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// What: `access`, `address`, `service`, `principals`, `endpoint`, `peering`, `others`.
    pub what: &'static str,
    /// Which.
    pub name: String,
    /// Its state, in Astra's words where it has some.
    pub state: String,
    /// Is it not as it shall be?
    pub odd: bool,
}

impl Part {
    fn new(what: &'static str, name: impl Into<String>, state: impl Into<String>) -> Self {
        Self { what, name: name.into(), state: state.into(), odd: false }
    }

    fn odd(self, odd: bool) -> Self {
        Self { odd, ..self }
    }
}

/// The parts of an object.
#[must_use]
pub fn parts(kind: &str, object: &Value) -> Vec<Part> {
    match kind {
        "AstraAccessList" => access_list(object),
        "AstraPrivateEndpoint" => private_endpoint(object),
        "AstraVpcPeering" => vpc_peering(object),
        _ => Vec::new(),
    }
}

fn access_list(object: &Value) -> Vec<Part> {
    let details: AccessListDetails = part_of(object, "/status");
    let addresses: Vec<Address> = part_of(object, "/spec/addresses");
    let status = standing::status(object);
    let owned: BTreeSet<&str> = status.owned.iter().map(String::as_str).collect();
    let mut parts = Vec::new();
    if let Some(access) = details.public_access {
        let entries = details.address_count.unwrap_or_default();
        let who = match access {
            PublicAccess::Listed => "the listed addresses get in",
            PublicAccess::Blocked => "nobody gets in from the internet",
            PublicAccess::Open => "everybody gets in",
        };
        parts.push(Part::new("access", format!("{access:?}"), format!("{who}; {entries} in the list")));
    }
    let state_of = |address: &Address| {
        let known = identity(&address.address).is_some_and(|identity| owned.contains(&*identity));
        let (state, odd) = match (known, status.in_flight.is_some(), address.enabled) {
            (false, ..) => ("not seen in Astra", true),
            (true, true, _) => ("on its way", true),
            (true, false, true) => ("listed", false),
            (true, false, false) => ("switched off", false),
        };
        Part::new("address", &address.address, state).odd(odd)
    };
    parts.extend(some(addresses.iter().map(state_of).collect(), "address"));
    parts.extend(others("address", "addresses", &details.unmanaged_addresses));
    parts
}

fn private_endpoint(object: &Value) -> Vec<Part> {
    let details: PrivateEndpointDetails = part_of(object, "/status");
    let declared: Vec<EndpointSpec> = part_of(object, "/spec/endpoints");
    let principals: Vec<String> = part_of(object, "/spec/allowedPrincipals");
    let mut parts = Vec::new();
    if let Some(service) = details.service_name.filter(|service| !service.is_empty()) {
        let place: Vec<&str> =
            [&details.provider, &details.region].into_iter().flatten().map(String::as_str).collect();
        parts.push(Part::new("service", service, place.join(" ")));
    }
    let allowed =
        principals.iter().filter(|principal| details.allowed_principals.contains(principal)).count();
    if !principals.is_empty() {
        let state = format!("{allowed} of {} allowed", principals.len());
        parts.push(Part::new("principals", "", state).odd(allowed < principals.len()));
    }
    let mut endpoints: Vec<Part> = Vec::new();
    for report in &details.endpoints {
        let state = report.status.clone().unwrap_or_else(|| "not seen in Astra".to_owned());
        let odd = !state.eq_ignore_ascii_case("accepted");
        endpoints.push(Part::new("endpoint", &report.id, state).odd(odd));
    }
    for endpoint in
        declared.iter().filter(|endpoint| details.endpoints.iter().all(|known| known.id != endpoint.id))
    {
        endpoints.push(Part::new("endpoint", &endpoint.id, "not seen in Astra").odd(true));
    }
    parts.extend(some(endpoints, "endpoint"));
    parts.extend(others("principal", "principals", &details.unmanaged_principals));
    parts.extend(others("endpoint", "endpoints", &details.unmanaged_endpoints));
    parts
}

fn vpc_peering(object: &Value) -> Vec<Part> {
    let details: VpcPeeringDetails = part_of(object, "/status");
    let network = details.peer_network.unwrap_or_default();
    let known = [network.account, network.network, network.cidr_block];
    let mut name = known.iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        // Nothing is known of it in Astra: what is asked for.
        let spec = &object["spec"];
        let asked = [
            [&spec["aws"]["accountId"], &spec["aws"]["vpcId"]],
            [&spec["azure"]["subscriptionId"], &spec["azure"]["virtualNetwork"]],
            [&spec["gcp"]["projectId"], &spec["gcp"]["network"]],
        ];
        name = asked.iter().flatten().filter_map(|text| text.as_str()).collect::<Vec<_>>().join(" ");
    }
    let odd = details.peering_status.as_deref().is_none_or(|status| !status.eq_ignore_ascii_case("active"));
    let state = details.peering_status.unwrap_or_else(|| "not seen in Astra".to_owned());
    vec![Part::new("peering", name, state).odd(odd)]
}

/// Those that need a look first, and of the others no more than can be read.
fn some(mut parts: Vec<Part>, what: &'static str) -> Vec<Part> {
    if parts.len() > MOST {
        parts.sort_by_key(|part| !part.odd);
        let rest = parts.split_off(MOST - 1);
        let odd = rest.iter().any(|part| part.odd);
        parts.push(Part::new(what, format!("and {} more", rest.len()), "").odd(odd));
    }
    parts
}

/// What is there, is not this object's, and was left alone.
fn others(one: &str, many: &str, unmanaged: &[String]) -> Option<Part> {
    let name = match unmanaged.len() {
        0 => return None,
        1 => format!("1 {one}"),
        count if count >= limits::OTHERS => format!("{count} or more {many}"),
        count => format!("{count} {many}"),
    };
    Some(Part::new("others", name, "of others, left alone"))
}

/// How an address is named in `status.owned`.
fn identity(text: &str) -> Option<String> {
    let address = text.parse::<Ipv4Addr>().map(Ipv4Net::from).ok();
    let network = address.or_else(|| text.parse::<Ipv4Net>().ok())?;
    Some(format!("address/{}", network.trunc()))
}

fn part_of<T: DeserializeOwned + Default>(object: &Value, pointer: &str) -> T {
    let part = object.pointer(pointer).cloned().unwrap_or_default();
    serde_json::from_value(part).unwrap_or_default()
}

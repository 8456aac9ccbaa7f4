//! What a request is about, and what is there: things with their identities, as `status.owned` has them.

use std::collections::BTreeSet;

use astra_devops::Method;
use ipnet::Ipv4Net;
use serde_json::Value;

use super::{Kind, ranges::Ranges};
use crate::{
    address,
    principal::is_guid,
    state::{AddressEntry, Database, Endpoint, PrivateLink},
};

/// A place that objects can be about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) kind: Kind,
    pub(super) database: String,
    /// Empty where it does not matter.
    pub(super) datacenter: String,
}

impl Place {
    fn new(kind: Kind, database: &str, datacenter: &str) -> Self {
        Self { kind, database: database.to_owned(), datacenter: datacenter.to_owned() }
    }
}

/// What a request would change.
pub(super) enum Target {
    /// The network of a database.
    Of(Place),
    /// Something that no object is ever about.
    Else,
    /// Nothing: it only asks.
    Nothing,
}

impl Target {
    pub(super) fn of(method: Method, path: &[&str]) -> Self {
        match path {
            _ if method == Method::Get => Self::Nothing,
            ["v2", "access-list", ..] => Self::Nothing,
            ["v2", "databases", id, "access-list"] => Self::Of(Place::new(Kind::AccessList, id, "")),
            ["v2", "organizations", "clusters", id, "datacenters", datacenter, ..] => {
                Self::Of(Place::new(Kind::PrivateEndpoint, id, datacenter))
            }
            ["v2", "peering", "provider", _, "database", id] => {
                Self::Of(Place::new(Kind::VpcPeering, id, ""))
            }
            _ => Self::Else,
        }
    }
}

/// The identities of what is at a place, in lower case: clouds and Astra do not care for it.
pub(super) fn identities(place: &Place, database: Option<&Database>) -> BTreeSet<String> {
    let Some(database) = database else { return BTreeSet::new() };
    match place.kind {
        Kind::AccessList => entries(database).iter().filter_map(|entry| of_address(&entry.address)).collect(),
        Kind::PrivateEndpoint => {
            let Some(link) = link(place, database) else { return BTreeSet::new() };
            let principals = link.allowed_principals.iter().map(|principal| of_principal(principal));
            principals.chain(link.endpoints.iter().map(of_endpoint)).collect()
        }
        Kind::VpcPeering => peering(database).into_iter().collect(),
    }
}

/// The entries of a database's access list.
pub(super) fn entries(database: &Database) -> &[AddressEntry] {
    database.access_list.as_ref().map(|list| list.addresses.as_slice()).unwrap_or_default()
}

/// Is access restricted to the list?
pub(super) fn is_restricted(database: &Database) -> bool {
    database.access_list.as_ref().is_some_and(|list| list.access_list_enabled)
}

/// Whom the enabled entries let in, were access restricted to them.
pub(super) fn listed(database: &Database) -> Ranges {
    let enabled = entries(database).iter().filter(|entry| entry.enabled);
    Ranges::of(enabled.filter_map(|entry| address::network(&entry.address)))
}

/// Who gets in.
pub(super) fn let_in(database: &Database) -> Ranges {
    if is_restricted(database) { listed(database) } else { Ranges::everybody() }
}

/// The private link that a place is about.
pub(super) fn link<'a>(place: &Place, database: &'a Database) -> Option<&'a PrivateLink> {
    database.private_links.iter().find(|link| link.datacenter_id == place.datacenter)
}

pub(super) fn of_address(text: &str) -> Option<String> {
    address::network(text).map(of_network)
}

pub(super) fn of_network(network: Ipv4Net) -> String {
    format!("address/{network}")
}

pub(super) fn of_principal(principal: &str) -> String {
    format!("principal/{principal}").to_ascii_lowercase()
}

/// By the id that was sent: declarations have that one.
fn of_endpoint(endpoint: &Endpoint) -> String {
    let id = endpoint.posted_id.as_deref().unwrap_or(&endpoint.endpoint_id);
    format!("endpoint/{id}").to_ascii_lowercase()
}

/// One that is going is not there any more.
fn peering(database: &Database) -> Option<String> {
    let peering = database.peering.as_ref().filter(|peering| peering.status != "deleting")?;
    let (cloud, other) = (database.cloud_provider.as_str(), &peering.other_vpc);
    Some(format!("peering/{cloud}/{}/{}", other.account, other.vpc_id).to_ascii_lowercase())
}

/// An identity out of a manifest, as it is compared here.
pub(super) fn tidy(identity: &str) -> String {
    let address = identity.strip_prefix("address/").and_then(of_address);
    address.unwrap_or_else(|| identity.to_ascii_lowercase())
}

/// Are these the same thing? An Azure endpoint that was there before anybody asked for it is known only by the id that
/// Astra made: `NAME.GUID`, where NAME is the last part of the declared one.
pub(super) fn is_same(declared: &str, there: &str) -> bool {
    if declared == there {
        return true;
    }
    let (Some(resource), Some(kept)) = (declared.strip_prefix("endpoint//"), there.strip_prefix("endpoint/"))
    else {
        return false;
    };
    let name = resource.rsplit('/').next().unwrap_or_default();
    kept.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')).is_some_and(is_guid)
}

/// The addresses that a body names, as `{"addresses":[{"address":…}]}`, as that array alone, or as bare texts.
pub(super) fn in_body(body: &[u8]) -> Option<Vec<String>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let list = if body.is_array() { &body } else { body.get("addresses")? };
    let text = |entry: &Value| entry.get("address").unwrap_or(entry).as_str().map(ToOwned::to_owned);
    list.as_array().map(|list| list.iter().filter_map(text).collect())
}

/// A place in words, not too many.
pub(super) fn words(place: &Place, database: Option<&Database>) -> String {
    let Some(database) = database else { return "there is no such database".to_owned() };
    match place.kind {
        Kind::AccessList => match &database.access_list {
            None => "no list, everybody gets in".to_owned(),
            Some(list) => {
                let switch = if list.access_list_enabled { "restricted" } else { "open" };
                let text = |entry: &AddressEntry| {
                    format!("{} {}", entry.address, if entry.enabled { "on" } else { "off" })
                };
                format!("{switch}: {}", some(list.addresses.iter().map(text)))
            }
        },
        Kind::PrivateEndpoint => match link(place, database) {
            None => "no private link".to_owned(),
            Some(link) => format!(
                "principals: {}; endpoints: {}",
                some(link.allowed_principals.iter().cloned()),
                some(link.endpoints.iter().map(|endpoint| endpoint.endpoint_id.clone()))
            ),
        },
        Kind::VpcPeering => match &database.peering {
            None => "no peering".to_owned(),
            Some(peering) => {
                let other = &peering.other_vpc;
                let (id, status) = (&peering.connection_id, &peering.status);
                format!("peering {id} with {} of {}, {status}", other.vpc_id, other.account)
            }
        },
    }
}

/// The first of them.
fn some(texts: impl ExactSizeIterator<Item = String>) -> String {
    const FEW: usize = 8;
    let all = texts.len();
    let shown: Vec<String> = texts.take(FEW).collect();
    match all {
        0 => "none".to_owned(),
        _ if all > FEW => format!("{} and {} more", shown.join(", "), all - FEW),
        _ => shown.join(", "),
    }
}
